"""What a source is: its splits, its classes, what is ignored, and what is refused with a remedy."""

from __future__ import annotations

import os
import pickle
import shutil
from unicodedata import normalize

import numpy as np
import pytest
from helpers import PETS, assert_one_error_line, draw_classes, needs_both_unicode_forms

from softmaxce.data.class_folders import list_class_folders
from softmaxce.data.pixel_dataset import load_for_model, load_for_training
from softmaxce.data.sources import Split, find_splits, list_classes
from softmaxce.data.split_names import split_of
from softmaxce.errors import DataError
from softmaxce.preprocessing import Preprocessing

NFC, NFD = (normalize(form, "고양이") for form in ("NFC", "NFD"))
CLASSES = {"cat": 2, "dog": 2}


def add_images(folder, n=1):
    draw_classes(folder.parent, {folder.name: n}, side=2)


def add_classes(*folders, classes=CLASSES):
    for seed, folder in enumerate(folders):
        draw_classes(folder, classes, side=2, seed=seed)


def class_names(source):
    return [c.name for c in list_classes(find_splits(source)["train"])]


def findings(source):
    return {f.kind: f for split in find_splits(source).values() for f in split.findings}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Training", "Testing"], {"train": "Training", "test": "Testing"}),
        (["TRAIN", "TEST"], {"train": "TRAIN", "test": "TEST"}),
        (["train", "dev"], {"train": "train", "validation": "dev"}),
        (["train", "eval"], {"train": "train", "test": "eval"}),
        (["training_set", "Test Set"], {"train": "training_set", "test": "Test Set"}),
        (["trainData", "valData"], {"train": "trainData", "validation": "valData"}),
        (["1.Training", "2.Validation"], {"train": "1.Training", "validation": "2.Validation"}),
        (["train2017", "val2017"], {"train": "train2017", "validation": "val2017"}),
        (
            ["학습", normalize("NFD", "검증")],
            {"train": "학습", "validation": normalize("NFD", "검증")},
        ),
        (["train"], {"train": "train"}),
    ],
)
def test_split_folders_are_recognised_by_any_usual_name(tmp_path, names, expected):
    needs_both_unicode_forms(tmp_path)
    add_classes(*(tmp_path / name for name in names))
    splits = find_splits(tmp_path)
    assert splits == {split: Split(tmp_path / name) for split, name in expected.items()}
    assert list(splits) == list(expected)
    assert class_names(tmp_path) == ["cat", "dog"]


@pytest.mark.parametrize("name", ["cats", "test tube", "training wheels", "set", "trainer", "7"])
def test_other_names_are_not_those_of_splits(name):
    assert split_of(name) is None


def test_classes_may_be_named_like_splits(tmp_path):
    for name in ("train", "bus", "test"):
        add_images(tmp_path / name)
    assert class_names(tmp_path) == ["bus", "test", "train"]


def test_two_folders_for_one_split_are_refused(tmp_path):
    add_classes(*(tmp_path / name for name in ("train", "val", "Validation")))
    with pytest.raises(DataError, match=r"two validation folders: .*: Validation and val; keep"):
        find_splits(tmp_path)


def test_a_folder_beside_the_splits_is_ignored_and_named(tmp_path):
    add_classes(tmp_path / "train", tmp_path / "test")
    add_images(tmp_path / "predict_these")
    found = findings(tmp_path)["ignored_folder"]
    assert found.examples == (str(tmp_path / "predict_these"),)
    assert class_names(tmp_path) == ["cat", "dog"]


@pytest.mark.parametrize("names", [("fold1", "fold2"), ("A", "B"), ("seg_train", "seg_test")])
@pytest.mark.parametrize("others", [CLASSES, {**CLASSES, "bird": 1}, {"Cat": 1, "DOG": 1, "x": 1}])
def test_folders_with_the_same_class_folders_are_not_classes(tmp_path, names, others):
    add_classes(tmp_path / names[0])
    add_classes(tmp_path / names[1], classes=others)
    with pytest.raises(DataError, match=r"contain the same folders .*name them train, validation"):
        find_splits(tmp_path)


@pytest.mark.parametrize("names", [("cat", "dog"), ("A", "B")])
def test_a_folder_per_person_in_each_class_has_three_remedies(softmaxce, tmp_path, names):
    add_classes(tmp_path / "d" / names[0], classes={"p1": 1, "p2": 1})
    add_classes(tmp_path / "d" / names[1], classes={"p1": 1, "p2": 1, "p3": 1})
    wanted = (
        f"'{names[1]}' and '{names[0]}' contain the same folders (p1, p2); if '{names[1]}' and "
        f"'{names[0]}' are splits, name them train, validation and test; if they are classes, move "
        "their images directly into them, or list the images in a CSV manifest (path,label); if "
        "the folders are groups, such as patients, add --group-by parent"
    )
    assert_one_error_line(softmaxce("train", "d"), 1, wanted)
    assert softmaxce("check", "d", "--group-by", "parent").exit_code == 0


def test_splits_within_classes_are_refused(tmp_path):
    for name in ("cat", "dog"):
        add_classes(tmp_path / name, classes={"train": 1, "test": 1})
    with pytest.raises(DataError, match=r"'cat' and 'dog' contain the same folders \(test, train"):
        find_splits(tmp_path)


@pytest.mark.parametrize(
    "layout",
    [
        {"cat": ["siamese", "persian"], "dog": ["poodle", "pug"]},
        {"cat": ["2021", "2022"], "dog": ["2021"]},
        {"cat": ["images"], "dog": ["images"]},
        {"cat": [".", "more", "and more"], "dog": ["."]},
        {"cat": ["a/b/c"], "dog": ["a/b", "c/d"]},
    ],
)
def test_images_at_any_depth_belong_to_the_class(tmp_path, layout):
    for name, folders in layout.items():
        for folder in folders:
            add_images(tmp_path / name / folder / "x")
            for path in (tmp_path / name / folder / "x").iterdir():
                shutil.move(path, path.parent.parent)
            (tmp_path / name / folder / "x").rmdir()
    classes = list_classes(find_splits(tmp_path)["train"])
    assert {c.name: len(c.paths) for c in classes} == {n: len(f) for n, f in layout.items()}


@pytest.mark.parametrize("beside", ["Examples", "docs (empty)", None])
@pytest.mark.parametrize("data", ["Dataset", "archive/Dataset"])
def test_one_level_too_high_is_refused_with_the_right_folder(softmaxce, tmp_path, data, beside):
    add_classes(tmp_path / "d" / data, classes={str(k): 1 for k in range(10)})
    if beside:
        add_images(tmp_path / "d" / beside, 0 if "empty" in beside else 3)
    outcomes = [softmaxce(command, "d") for command in ("train", "check")]
    wanted = f"did you mean d/{data}, which contains 10 class folders (0, 1, 2, 3, 4 and 5 more)?"
    for outcome in outcomes:
        assert_one_error_line(outcome, 1, wanted)
    assert outcomes[0].stderr == outcomes[1].stderr


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        (["docs", "figures", "screenshots"], {"data": ["cat", "dog"]}),
        (["cat", "dog"], {"bird": ["summer", "winter"]}),
        (["bird", "cat", "dog"], {"docs": ["cat", "dog"]}),
        (["bird"], {"cat": ["persian", "siamese"], "dog": ["poodle", "pug"]}),
    ],
)
def test_one_nested_folder_among_flat_ones_has_several_remedies(tmp_path, flat, nested):
    for name in flat:
        add_images(tmp_path / name)
    for name, inner in nested.items():
        add_classes(tmp_path / name, classes=dict.fromkeys(inner, 1))
    name, inner = next(iter(nested.items()))
    with pytest.raises(DataError) as refused:
        find_splits(tmp_path)
    assert str(refused.value).endswith(
        f"'{name}' contains folders of images ({', '.join(inner)}), '{flat[0]}' does not; if "
        f"these are the classes, give {tmp_path / name}; if '{name}' is a class, move its images "
        f"directly into it; if neither, keep '{name}' elsewhere"
    )


def test_a_folder_of_splits_is_suggested(softmaxce, tmp_path, pets_model):
    wanted = f"did you mean {PETS}, which contains the splits train and test?"
    assert_one_error_line(softmaxce("train", PETS.parent), 1, wanted)
    outcome = softmaxce("evaluate", PETS, "-m", pets_model)
    assert_one_error_line(outcome, 1, f"did you mean {PETS / 'test'}?")
    add_classes(tmp_path / "d" / "Training", tmp_path / "d" / "Testing")
    outcome = softmaxce("evaluate", "d", "-m", pets_model)
    assert_one_error_line(outcome, 1, "did you mean d/Testing?")


@pytest.mark.parametrize(
    "layout", [["1.png", "2.png"], ["1.png"], ["unknown/1.png"], [], ["cat/", "dog/"]]
)
@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_split_without_labels_is_ignored_and_named(softmaxce, tmp_path, split, layout):
    draw_classes(tmp_path / "d" / "train", {"cat": 8, "dog": 8})
    (tmp_path / "d" / split).mkdir()
    for name in layout:
        path = tmp_path / "d" / split / name
        (path if name.endswith("/") else path.parent).mkdir(exist_ok=True)
        if not name.endswith("/"):
            shutil.copy(tmp_path / "d" / "train" / "cat" / "000.png", path)
    outcome = softmaxce("train", "d", "--no-progress", "--format", "json")
    (note,) = outcome.stderr.splitlines()
    assert note == f"Note: 1 split ignored: without labels: d/{split}"
    assert outcome.json["n_validation"] > 0
    (found,) = outcome.json["source_findings"]
    assert found in softmaxce("check", "d", "--format", "json").json["findings"]
    if split == "test" and layout and "/" not in layout[0]:
        refused = softmaxce("evaluate", "d/test")
        assert "not in class folders, so there are no labels" in refused.stderr


def test_two_spellings_of_one_class_are_one_class(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {NFD: 6, "dog": 6, NFC: 6})
    if len(os.listdir(tmp_path / "d")) < 3:
        pytest.skip("the file system does not tell the spellings apart")
    outcome = softmaxce("train", "d", "--no-progress", "--format", "json")
    assert outcome.json["classes"] == ["dog", NFC]
    (cat,) = (c for c in list_class_folders(tmp_path / "d") if c.name == NFC)
    assert len(cat.paths) == 12
    assert all(map(os.path.isfile, cat.paths))
    checked = softmaxce("check", "d", "--format", "json").json
    assert checked["parts"][0]["n_images"] == {"dog": 6, NFC: 12}


def test_names_match_in_any_unicode_form(softmaxce, tmp_path):
    needs_both_unicode_forms(tmp_path)
    draw_classes(tmp_path / "d" / "train", {NFC: 8, "dog": 8})
    draw_classes(tmp_path / "d" / "test", {NFD: 4, "dog": 4}, seed=1)
    trained = softmaxce("train", "d", "--format", "json").json
    assert trained["test"]["n_images"] == 8
    checked = softmaxce("check", "d", "--format", "json").json
    assert "unknown_class" not in {found["kind"] for found in checked["findings"]}
    assert [part["n_images"][NFC] for part in checked["parts"]] == [8, 4]
    scored = softmaxce("evaluate", "d/test", "--format", "json").json
    assert scored["per_class"][NFC]["support"] == 4
    image = f"d/test/{NFD}/000.png"
    predicted = softmaxce("predict", image, "--label", NFD, "--format", "json").json
    assert predicted["predictions"][0]["label"] == NFC
    assert softmaxce("explain", image, "--label", NFD).exit_code == 0
    draw_classes(tmp_path / "nfd", {NFD: 8, "dog": 8})
    assert softmaxce("train", "nfd", "-o", "nfd.npz").exit_code == 0
    compared = softmaxce("compare", "model.npz", "nfd.npz", "d/test", "--format", "json").json
    assert compared["differences"] == []


def test_two_spellings_of_a_label_are_one_class(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2, 2), np.uint8), y=[NFC, NFD, "dog", "dog"])
    draw_classes(tmp_path, {"x": 4}, side=2)
    rows = (f"x/00{row}.png,{name}" for row, name in enumerate([NFC, NFD, "dog", "dog"]))
    (tmp_path / "m.csv").write_text("\n".join(["path,label", *rows]), encoding="utf-8")
    for name in ("a.npz", "m.csv"):
        dataset = load_for_training(tmp_path / name)
        assert dataset.class_names == ("dog", NFC)
        assert sorted(dataset.labels.tolist()) == [0, 0, 1, 1]


def test_a_class_of_an_old_model_matches_its_own_spelling_first(tmp_path):
    draw_classes(tmp_path, {NFD: 2})
    dataset = load_for_model(tmp_path, [NFC, NFD], Preprocessing(8, 8, 3))
    assert dataset.labels.tolist() == [1, 1]


@pytest.mark.parametrize(
    "names",
    [
        ["cat", "Cat", "cat "],
        ["hot_dog", "hot dog", "Hot-Dog"],
        ["dog", "d\u200bog", "ｄｏｇ"],
        ["STRASSE", "straße"],
    ],
)
def test_names_that_look_alike_are_a_problem(softmaxce, tmp_path, names):
    draw_classes(tmp_path / "d", dict.fromkeys([*names, "other", "a-1", "a1"], 4))
    outcome = softmaxce("train", "d", "--no-progress", "--format", "json")
    (found,) = outcome.json["source_findings"]
    assert found["kind"] == "look_alike_classes"
    assert sorted(found["examples"][0]) == sorted(f"'{name}'" for name in names)
    assert "1 group of classes whose names look alike" in outcome.stderr
    checked = softmaxce("check", "d", "--format", "json").json
    assert found in checked["findings"]
    assert checked["n_problems"] == 1
    pixels = np.arange(len(names) * 3 * 4, dtype=np.uint8).reshape(-1, 2, 2)
    np.savez(tmp_path / "a.npz", x=pixels, y=names * 3)
    assert [f.kind for f in load_for_training(tmp_path / "a.npz").findings] == [found["kind"]]


SYSTEM = ["@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information", "__pycache__"]


@pytest.mark.parametrize("name", [*SYSTEM, "#recycle", "CVS", "@__thumb", "LOST.DIR"])
def test_system_folders_are_ignored_at_every_depth(softmaxce, tmp_path, name):
    draw_classes(tmp_path / "d" / "train", {"cat": 6, "dog": 6})
    places = [tmp_path / "d", *(tmp_path / "d" / "train" / p for p in ("", "cat", "cat/more"))]
    for place in places:
        add_images(place / name / "x.png")  # a folder, as in @eaDir/x.png/SYNOPHOTO_THUMB_M.jpg
    outcome = softmaxce("train", "d", "--no-progress", "--format", "json")
    assert outcome.json["classes"] == ["cat", "dog"]
    assert outcome.json["n_train"] + outcome.json["n_validation"] == 12
    assert "Note: 4 system folders ignored: d/" in outcome.stderr or (
        "Note: 1 system folder ignored: d/" in outcome.stderr
        and "Note: 3 system folders ignored: d/train/" in outcome.stderr
    )
    checked = softmaxce("check", "d", "--format", "json").json
    assert all(found in checked["findings"] for found in outcome.json["source_findings"])
    assert "hidden" not in {found["kind"] for found in checked["findings"]}
    assert len(softmaxce("predict", "d", "--format", "jsonl").stdout.splitlines()) == 12


def test_images_beside_the_classes_are_named(tmp_path):
    add_classes(tmp_path)
    for name in ("photo.PNG", ".hidden.png", "notes.txt"):
        shutil.copy(tmp_path / "cat" / "000.png", tmp_path / name)
    assert findings(tmp_path)["loose_image"].examples == (str(tmp_path / "photo.PNG"),)


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        ([*map(str, range(12))], [*map(str, range(12))]),
        (["-1", "10", "9", "0"], ["-1", "0", "9", "10"]),
        (["10", "2", "b", "a", "class10", "class9"], ["2", "10", "a", "b", "class10", "class9"]),
        (["1.5", "10.0", "2"], ["1.5", "2", "10.0"]),
        (["01", "2", "1"], ["01", "1", "2"]),
    ],
)
def test_names_that_are_numbers_sort_as_numbers(tmp_path, names, ordered):
    draw_classes(tmp_path / "d", dict.fromkeys(names, 1), side=2)
    assert class_names(tmp_path / "d") == ordered
    rows = [f"d/{name}/000.png,{name}" for name in names]
    (tmp_path / "m.csv").write_text("\n".join(["path,label", *rows]))
    assert class_names(tmp_path / "m.csv") == ordered
    np.savez(tmp_path / "a.npz", x=np.zeros((len(names), 2, 2), np.uint8), y=names)
    assert load_for_training(tmp_path / "a.npz").class_names == tuple(ordered)


def test_a_model_keeps_its_own_order_of_classes(tmp_path):
    draw_classes(tmp_path, {"2": 1, "10": 1}, side=2)
    dataset = load_for_model(tmp_path, ["10", "2"], Preprocessing(2, 2, 3))
    assert [dataset.class_names[k] for k in dataset.labels] == ["2", "10"]


def test_a_copy_of_the_whole_set_as_a_class_is_named_in_training(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"cat": 6, "dog": 6})
    (tmp_path / "d" / "all").mkdir()
    for name in ("cat", "dog"):
        for path in (tmp_path / "d" / name).iterdir():
            shutil.copy(path, tmp_path / "d" / "all" / f"{name}-{path.name}")
    shutil.copy(tmp_path / "d" / "cat" / "000.png", tmp_path / "d" / "cat" / "copy.png")
    outcome = softmaxce("train", "d", "--no-progress", "--format", "json")
    (found,) = outcome.json["source_findings"]
    assert (found["kind"], found["count"]) == ("exact_duplicates_across_classes", 12)
    assert sorted(map(len, found["examples"])) == [2] * 11 + [3]
    assert "12 groups of the same picture in more than one class, so a label" in outcome.stderr
    checked = {f["kind"]: f for f in softmaxce("check", "d", "--format", "json").json["findings"]}
    same = checked["exact_duplicates_across_classes"]
    assert {key: same[key] for key in ("count", "text", "is_problem")} == {
        key: found[key] for key in ("count", "text", "is_problem")
    }
    assert sorted(same["examples"]) == sorted(found["examples"])
    softmaxce("train", "d")
    assert "12 groups" in softmaxce("evaluate", "d", "--no-progress").stderr


PICKLE = pickle.dumps({"data": [1, 2]})


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        *((f"d{suffix}", b"", "unpack it first") for suffix in (".zip", ".tar.gz", ".TGZ", ".7z")),
        ("download", b"PK\x03\x04", "unpack it first"),
        ("data_batch_1", PICKLE, "a pickle, which is never read, because it can run any program"),
        ("train", PICKLE, "a pickle"),
        ("mnist.pkl.gz", b"", "unpack it first"),
        ("d.pickle", b"", "a pickle"),
        *(
            (f"d{suffix}", b"", 'with np.savez("images.npz"')
            for suffix in (".mat", ".h5", ".parquet")
        ),
        ("data", b"\x89HDF\r\n", 'with np.savez("images.npz"'),
        ("d.xlsx", b"PK\x03\x04", "save it as a CSV manifest"),
        ("cat.PNG", b"", "it is one image; name the folder"),
        ("clip.mp4", b"", "save its frames as images"),
        ("notes", b"text", "give a folder with one folder of images per class"),
    ],
)
def test_what_is_not_a_source_is_refused_with_a_remedy(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    for load in (find_splits, load_for_training):
        with pytest.raises(DataError) as refused:
            load(tmp_path / name)
        assert f": {tmp_path / name}: " in str(refused.value)
        assert reason in str(refused.value)
        assert "a CSV file (paths and labels, or labels and pixels), .npz" in str(refused.value)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"data_batch_1": PICKLE, "readme.html": b""}, "data_batch_1 is a pickle"),
        ({"photos.zip": b"PK\x03\x04"}, "photos.zip is an archive; unpack it first"),
        ({"a.png": b"", "labels.csv": b""}, "did you mean .*labels.csv?"),
        ({"readme.txt": b""}, "it needs one folder of images per class$"),
    ],
)
def test_what_a_folder_without_classes_contains_is_a_hint(tmp_path, files, reason):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=reason):
        find_splits(tmp_path)


@pytest.mark.parametrize(
    "url", ["https://example.org/pets.zip", "http://x/labels.csv", "s3://bucket/pets", "file:///x"]
)
@pytest.mark.parametrize("command", ["train", "evaluate", "check", "predict", "explain"])
def test_a_url_must_be_downloaded_first(softmaxce, pets_model, command, url):
    model = ["-m", pets_model] if command in ("evaluate", "predict", "explain") else []
    outcome = softmaxce(command, url, *model)
    assert_one_error_line(outcome, 1, f"{url}: it is a URL; download it first")


@pytest.mark.parametrize("command", ["train", "check", "evaluate"])
def test_a_model_is_not_a_source(softmaxce, pets_model, command):
    model = ["-m", pets_model] if command == "evaluate" else []
    outcome = softmaxce(command, pets_model, *model)
    assert_one_error_line(outcome, 1, f"not a source of images: {pets_model}: it is a model")
    assert "accepted" not in outcome.stderr
    assert "other commands" not in outcome.stderr
