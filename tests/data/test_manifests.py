"""Manifests as Excel, Kaggle and other programs write them: read right, or refused in one line."""

from __future__ import annotations

import gzip
import os
import shutil
from unicodedata import normalize

import pytest
from helpers import (
    assert_one_error_line,
    draw_classes,
    needs_both_unicode_forms,
    run_command,
)
from PIL import Image

from softmaxce.data.manifest import is_manifest, read_manifest
from softmaxce.data.pixel_dataset import load_for_training
from softmaxce.data.sources import find_splits
from softmaxce.errors import DataError

CAT, DOG = "고양이", "개"
EXPECTED = {CAT: ["img/0.png", "img/2.png"], DOG: ["img/1.png", "img/3.png"]}
DECOMPOSED = normalize("NFD", CAT)


@pytest.fixture
def folder(tmp_path):
    """A folder with img/0.png to img/3.png."""
    (tmp_path / "img").mkdir()
    for number in range(4):
        Image.new("L", (4, 4), 60 * number).save(tmp_path / "img" / f"{number}.png")
    return tmp_path


def listed(folder, name="m.csv", split="train"):
    """The files of each class, relative to the folder."""
    return {
        c.name: [os.path.relpath(path, folder) for path in c.paths]
        for c in read_manifest(folder / name)[split]
    }


def lines(form="{file},{label}", *, header="path,label", newline="\n", n=4):
    rows = [form.format(file=f"img/{k}.png", n=k, label=(CAT, DOG)[k % 2]) for k in range(n)]
    return newline.join([header, *rows, ""])


@pytest.mark.parametrize("encoding", ["cp949", "euc-kr"])
def test_text_in_another_encoding_is_refused(folder, encoding):
    (folder / "m.csv").write_bytes(lines().encode(encoding))
    fragments = "m.csv: line 2", 'save it as "CSV UTF-8"'
    assert_one_error_line(run_command("train", "m.csv", cwd=folder), 1, "not UTF-8", *fragments)


@pytest.mark.parametrize(("word", "encoding"), [("été", "latin-1"), ("ネコ", "shift-jis")])
def test_text_in_another_encoding_is_refused_wherever_it_is(folder, word, encoding):
    (folder / "m.csv").write_bytes(f"path,label\nimg/0.png,a\nimg/1.png,{word}\n".encode(encoding))
    with pytest.raises(DataError, match=r"not UTF-8: .*m\.csv: line 3"):
        read_manifest(folder / "m.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_unicode_is_read_with_and_without_a_byte_order_mark(folder, encoding, newline):
    (folder / "m.csv").write_bytes(lines(newline=newline).encode(encoding))
    assert listed(folder) == EXPECTED


def test_excels_unicode_text_is_read(folder):
    text = lines("{file}\t{label}", header="path\tlabel", newline="\r\n")
    (folder / "m.txt").write_bytes(text.encode("utf-16"))
    assert is_manifest(folder / "m.txt")
    assert listed(folder, "m.txt") == EXPECTED


def test_a_gzipped_manifest_is_read(folder):
    (folder / "m.csv.gz").write_bytes(gzip.compress(lines().encode()))
    assert listed(folder, "m.csv.gz") == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        lines("{file};{label}", header="path;label"),
        lines("{file}\t{label}", header="path\tlabel"),
        lines("{file}|{label}", header="path|label"),
        lines("{file};{label}", header="sep=;\npath;label"),
        lines(header='"sep=,"\npath,label', newline="\r\n"),
        lines('"{file}","{label}"', header='"path","label"'),
        lines("{file}, {label} ", header=" Path , LABEL"),
        lines('{file}, "{label}"', header="path, label"),
        lines("{file},{label},,", header="path,label,,") + ",,,\n,,\n\n",
        lines("{file},{label},,"),
        lines(header="path,label,split,comment"),  # Excel omits the last delimiters
    ],
)
def test_delimited_text_is_read_as_spreadsheets_write_it(folder, text):
    (folder / "m.csv").write_text(text)
    assert listed(folder) == EXPECTED


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("filename,class", "{file},{label}"),
        ("label,file", "{label},{file}"),
        ("File Name,Class Name", "{file},{label}"),
        ("image_id,Category", "img/{n},{label}"),
        ("id,label", "img/{n},{label}"),
        ("id,breed", "{n},{label}"),  # beside the folder of images
        ("ID,filename,target", "9{n},{file},{label}"),
        (",image,target", "{n},{file},{label}"),
        ("Unnamed: 0,img_path,species", "{n},{file},{label}"),
        ("fname,label", "{file},{label}"),
        ("filename,y", "{file},{label}"),
        ("filename,x,y,class", "{file},1,2,{label}"),
    ],
)
def test_columns_are_found_by_their_usual_names(folder, header, form):
    (folder / "m.csv").write_text(lines(form, header=header))
    assert listed(folder) == EXPECTED


@pytest.mark.parametrize("more", [[f"f{k}" for k in range(20)], ["pixels"]])
def test_further_columns_of_numbers_do_not_make_a_file_of_pixels(folder, more):
    form = ",".join(["{file},{label}", *("7" for _ in more)])
    (folder / "m.csv").write_text(lines(form, header=",".join(["path,label", *more])))
    assert is_manifest(folder / "m.csv")
    assert listed(folder) == EXPECTED


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("a,b,c", "a, b, c"),
        ("img/0.png,cat,x", "img/0.png, cat, x"),
        ("filename,x,y", "filename, x, y"),
        ("image,Y,X", "image, Y, X"),
        ("image,x,y,w,h", "image, x, y, w, h"),
    ],
)
def test_a_header_without_the_columns_is_shown(folder, header, found):
    (folder / "m.csv").write_text(lines("{file},{label},x", header=header))
    outcome = run_command("train", "m.csv", cwd=folder)
    assert_one_error_line(outcome, 1, "m.csv: its first line must name the columns", found)


@pytest.mark.parametrize("form", [r"img\{n}.png", r".\img\{n}.png", "./img/{n}.png", r"img\{n}"])
def test_other_spellings_of_a_path_are_found(folder, form):
    (folder / "m.csv").write_text(lines(form + ",{label}"))
    assert listed(folder) == EXPECTED


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
@pytest.mark.parametrize("form", ["{0}/{0}.png", r"{0}\{0}.png", "{0}/{0}"])
def test_paths_are_found_in_any_unicode_form(tmp_path, stored, written, form):
    needs_both_unicode_forms(tmp_path)
    name = normalize(stored, CAT)
    (tmp_path / name).mkdir()
    Image.new("L", (4, 4)).save(tmp_path / name / f"{name}.png")
    (tmp_path / "m.csv").write_text(f"path,label\n{form.format(normalize(written, CAT))},a\n")
    assert listed(tmp_path) == {"a": [f"{name}/{name}.png"]}


def test_labels_in_two_unicode_forms_are_one_class(folder):
    rows = [f"img/{k}.png,{label}" for k, label in enumerate((CAT, DECOMPOSED, DOG))]
    (folder / "m.csv").write_text("\n".join(["path,label", *rows]))
    assert listed(folder) == {CAT: ["img/0.png", "img/1.png"], DOG: ["img/2.png"]}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("img/0.PNG", "img/0.png"),
        ("img/0.jpg", "img/0.png"),
        ("Img/0.png", "img/0.png"),
        ("IMG/0", "img/0.png"),
        ("0.PNG", "img/0.png"),
        (r"C:\Users\me\img\0.png", "img/0.png"),
        ("/content/data/img/0.png", "img/0.png"),
        ("data/img/0.png", "img/0.png"),
    ],
)
def test_a_similar_file_is_suggested(folder, written, meant):
    (folder / "m.csv").write_text(f"path,label\n{written},a\nimg/1.png,b\n")
    outcome = run_command("train", "m.csv", cwd=folder)
    assert_one_error_line(outcome, 1, "m.csv: line 2", f"did you mean {meant}?")


def test_an_extension_is_not_chosen_between_two_files(folder):
    Image.new("L", (4, 4)).save(folder / "img" / "0.jpg")
    (folder / "m.csv").write_text(lines("img/{n},{label}", header="id,label"))
    with pytest.raises(DataError, match=r"line 2: .* did you mean .*0\.jpg or .*0\.png\?"):
        read_manifest(folder / "m.csv")


@pytest.mark.parametrize("second", ["img/0.png", "./img/0.png", r"img\0.png", "img/0"])
def test_a_file_is_listed_once_whatever_its_spelling(folder, second):
    (folder / "m.csv").write_text(f"path,label\nimg/0.png,a\n{second},b\n")
    with pytest.raises(DataError, match=r"line 3: .* is listed twice"):
        read_manifest(folder / "m.csv")


def test_an_image_is_not_chosen_between_two_folders_beside_the_manifest(folder):
    shutil.copytree(folder / "img", folder / "test")
    (folder / "labels.csv").write_text(lines("{n},{label}", header="id,label"))
    with pytest.raises(DataError, match=r"did you mean .*img/0\.png or .*test/0\.png\?"):
        read_manifest(folder / "labels.csv")


def test_images_are_not_looked_for_in_a_folder_beside_other_images(folder):
    Image.new("L", (4, 4)).save(folder / "9.png")
    (folder / "m.csv").write_text("path,label\n9.png,a\n0.png,b\n")
    assert listed(folder) == {"a": ["9.png"], "b": ["0.png"]}


def test_a_split_column_may_use_any_usual_name(folder):
    rows = [("Training", CAT), ("Valid", DOG), ("TEST", CAT), ("train", DOG)]
    text = "".join(f"img/{k}.png,{label},{split}\n" for k, (split, label) in enumerate(rows))
    (folder / "m.csv").write_text("image,label,Usage\n" + text)
    assert list(read_manifest(folder / "m.csv")) == ["train", "validation", "test"]


def test_a_class_of_unlabelled_images_is_noted(tmp_path):
    draw_classes(tmp_path, {"-1": 5, "0": 5, "1": 5})
    findings = load_for_training(find_splits(tmp_path)["train"]).findings
    assert [found.kind for found in findings] == ["unlabelled_class"]
    (tmp_path / "0").rename(tmp_path / "2")  # -1 and 1 are a usual pair of labels
    assert not load_for_training(find_splits(tmp_path)["train"]).findings


@pytest.mark.parametrize(
    "content",
    [
        bytes(5000),
        "path,label\na,b\n".encode("utf-32"),
        gzip.compress(b"path,label\n" * 100)[:30],
        gzip.compress(b"path,label\n" + b"a" * 40_000_000),
        gzip.compress(b"path,label\n" + b"\n" * 2_000_000),
    ],
    ids=["zeros", "utf-32", "truncated", "a long line", "a bomb"],
)
def test_what_is_not_text_is_one_error(tmp_path, content):
    (tmp_path / "m.csv").write_bytes(content)
    assert_one_error_line(run_command("train", "m.csv", cwd=tmp_path), 1, "m.csv")
