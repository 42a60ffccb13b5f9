"""`--only` and `--merge`: the same as other folders would give, in every command and source."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from helpers import assert_one_error_line, draw_classes

from softmaxce.class_choice import ALL_CLASSES
from softmaxce.model.model_file import encode_model, load_model

COUNTS = {"bird": 12, "cat": 20, "dog": 14, "husky": 13, "wolf": 15}
CHOICE = ("--merge", "wolf,husky=dog", "--only", "cat,dog")
DOGS = ("dog", "husky", "wolf")
TRAIN = ("train", "set", "--size", 4, "--no-progress")


@pytest.fixture
def folder(tmp_path):
    draw_classes(tmp_path / "set" / "train", COUNTS, side=4)
    draw_classes(tmp_path / "set" / "test", dict.fromkeys(COUNTS, 10), side=4, seed=1)
    return tmp_path / "set"


@pytest.fixture
def by_hand(folder):
    """The same folders without birds, and with all dogs in one folder, in the same order."""
    made = folder.with_name("by_hand")
    for split in ("train", "test"):
        shutil.copytree(folder / split / "cat", made / split / "cat")
        (made / split / "dog").mkdir()
        for name in DOGS:
            for file in (folder / split / name).iterdir():
                shutil.copy(file, made / split / "dog" / f"{name}{file.name}")
    return made


def as_arrays(folder, path):
    """The images and labels of a folder, the classes mixed, as an .npz file."""
    from PIL import Image

    arrays = {}
    for split in ("train", "test"):
        files = sorted((folder / split).rglob("*.png"), key=lambda file: (file.name, file.parent))
        arrays[f"x_{split}"] = np.stack([np.asarray(Image.open(file)) for file in files])
        arrays[f"y_{split}"] = np.array([file.parent.name for file in files])
    np.savez(path, **arrays)


def run(softmaxce, *words):
    outcome = softmaxce(*words)
    assert outcome.exit_code == 0, outcome.stderr
    return outcome


def test_the_model_is_that_of_folders_made_by_hand(softmaxce, tmp_path, folder, by_hand):
    outcome = run(softmaxce, *TRAIN, *CHOICE, "-o", "chosen.npz")
    assert outcome.stderr.splitlines() == [
        "Note: 1 class left out of set/train (12 of 74 images): bird",
        "Note: 1 class left out of set/test (10 of 50 images): bird",
    ]
    run(softmaxce, "train", "by_hand", "--size", 4, "-o", "by_hand.npz", "-q")
    ours, theirs = load_model(tmp_path / "chosen.npz"), load_model(tmp_path / "by_hand.npz")
    assert ours.class_names == ("cat", "dog")
    training = {**ours.training, "run": theirs.training["run"]}
    plain = replace(ours, class_choice=ALL_CLASSES, training=training)
    assert encode_model(plain) == encode_model(theirs)


@pytest.mark.parametrize("options", [("--only", "cat,dog"), ("--merge", "wolf=dog")])
def test_the_split_of_an_image_does_not_change(softmaxce, tmp_path, folder, options):
    run(softmaxce, *TRAIN, "-q", "-o", "all.npz")
    run(softmaxce, *TRAIN, *options, "-q", "-o", "chosen.npz")
    everything, chosen = (load_model(tmp_path / name) for name in ("all.npz", "chosen.npz"))
    assert set(chosen.trained_on) <= set(everything.trained_on)
    kept = {"cat", "dog"} if options[0] == "--only" else {*COUNTS}
    n_kept = sum(everything.training["class_counts"][k] for k, n in enumerate(COUNTS) if n in kept)
    assert len(chosen.trained_on) == n_kept


@pytest.mark.parametrize("kind", ["folders", "manifest", "arrays"])
def test_evaluate_chooses_as_the_model_does(softmaxce, tmp_path, folder, by_hand, kind):
    source = {"folders": "set", "manifest": "list.csv", "arrays": "set.npz"}[kind]
    if kind == "manifest":
        lines = (
            f"{f.relative_to(tmp_path)},{f.parts[-2]},{f.parts[-3]}" for f in folder.rglob("*.png")
        )
        (tmp_path / source).write_text("\n".join(["path,label,split", *lines]))
    if kind == "arrays":
        as_arrays(folder, tmp_path / source)
    run(softmaxce, "train", source, "--size", 4, *CHOICE, "-q", "-o", "chosen.npz")
    evaluated = "set/test" if kind == "folders" else source
    outcome = run(softmaxce, "evaluate", evaluated, "-m", "chosen.npz", "--format", "json")
    assert outcome.stderr.endswith("(10 of 50 images): bird\n")
    expected = run(softmaxce, "evaluate", "by_hand/test", "-m", "chosen.npz", "--format", "json")
    assert expected.stderr == ""
    assert outcome.json["per_class"] == expected.json["per_class"]
    assert {*outcome.json["per_class"]} == {"cat", "dog"}
    assert outcome.json["n_images"] == 40
    assert outcome.json["cross_entropy"] == pytest.approx(expected.json["cross_entropy"])
    (found,) = outcome.json["source_findings"]
    assert (found["kind"], found["examples"]) == ("left_out_class", ["bird"])


def test_arrays_keep_the_names_of_their_rows(softmaxce, tmp_path, folder):
    as_arrays(folder, tmp_path / "set.npz")
    labels = np.load(tmp_path / "set.npz")["y_test"]
    run(softmaxce, "train", "set.npz", *CHOICE, "-q")
    rows = run(softmaxce, "evaluate", "set.npz", "--format", "csv").stdout.splitlines()[1:]
    named = {row.split(",")[0]: row.split(",")[1] for row in rows}
    merged = {"cat": "cat", **dict.fromkeys(DOGS, "dog")}
    expected = {f"set.npz[{i}]": merged[name] for i, name in enumerate(labels) if name != "bird"}
    assert named == expected


def test_check_sees_the_chosen_classes_alone(softmaxce, folder):
    (folder / "train" / "bird" / "broken.png").write_bytes(b"")
    for source in ("set", "set.npz"):
        if source == "set.npz":
            (folder / "train" / "bird" / "broken.png").unlink()
            as_arrays(folder, folder.with_suffix(".npz"))
        outcome = run(softmaxce, "check", source, *CHOICE, "--format", "json")
        assert [part["n_images"] for part in outcome.json["parts"]] == [
            {"cat": 20, "dog": 42},
            {"cat": 10, "dog": 30},
        ]
        assert {found["kind"] for found in outcome.json["findings"]} == {"left_out_class"}
    assert "class left out of set/train" in run(softmaxce, "check", "set", *CHOICE).stdout


def test_info_and_the_report_show_the_choice(softmaxce, tmp_path, folder):
    run(softmaxce, *TRAIN, *CHOICE, "--report", "r.html", "-q")
    shown = run(softmaxce, "info").stdout
    assert (
        "Chosen classes: 'cat', 'dog'\nMerged classes: 'husky' → 'dog', 'wolf' → 'dog'\n" in shown
    )
    assert run(softmaxce, "info", "--format", "json").json["class_choice"] == {
        "only": ["cat", "dog"],
        "merged": {"husky": "dog", "wolf": "dog"},
    }
    assert "Merged classes" in (tmp_path / "r.html").read_text("utf-8")
    run(softmaxce, *TRAIN, "-q")
    assert "Chosen" not in run(softmaxce, "info").stdout
    assert "class_choice" not in run(softmaxce, "info", "--format", "json").json


def test_a_label_may_be_the_old_name(softmaxce, folder):
    run(softmaxce, *TRAIN, *CHOICE, "-q")
    image = folder / "test" / "wolf" / "000.png"
    for name in ("dog", "wolf", "husky", "1"):
        predicted = run(softmaxce, "predict", image, "--label", name, "--format", "json").json
        assert predicted["predictions"][0]["label"] == "dog"
        explained = run(softmaxce, "explain", image, "--label", name, "--format", "json").json
        assert explained["label"] == 1
        run(softmaxce, "explain", "-m", "model.npz", "--label", name, "--format", "html")
    assert_one_error_line(softmaxce("predict", image, "--label", "bird"), 2, "no class 'bird'")


def test_a_number_that_was_merged_is_a_name_before_it_is_an_index(softmaxce, tmp_path):
    draw_classes(tmp_path / "set", {"0": 9, "1": 9, "2": 9}, side=4)
    run(softmaxce, *TRAIN, "--merge", "0,2=even", "-q")  # the classes are 1 and even
    image = tmp_path / "set" / "0" / "000.png"
    for name, label in (("0", "even"), ("1", "1"), ("2", "even")):
        outcome = run(softmaxce, "predict", image, "--label", name, "--format", "json")
        assert outcome.json["predictions"][0]["label"] == label


def test_compare_needs_the_same_classes(softmaxce, folder):
    run(softmaxce, *TRAIN, "-q", "-o", "all.npz")
    run(softmaxce, *TRAIN, *CHOICE, "-q", "-o", "a.npz")
    run(softmaxce, *TRAIN, *CHOICE, "--l2", 1, "-q", "-o", "b.npz")
    run(softmaxce, *TRAIN, "--merge", "wolf=dog", "-q", "-o", "c.npz")
    outcome = run(softmaxce, "compare", "a.npz", "b.npz", "set/test", "--format", "json")
    assert outcome.json["n_images"] == 40
    assert "1 class left out of set/test" in outcome.stderr
    for other in ("all.npz", "c.npz"):
        for pair in ((other, "a.npz"), ("a.npz", other)):
            outcome = softmaxce("compare", *pair, "set/test", "--no-progress")
            assert_one_error_line(outcome, 1, "they need the same --only and --merge")


def test_resume_sees_another_choice(softmaxce, folder):
    run(softmaxce, *TRAIN, *CHOICE, "-q")
    assert "already trained" in run(softmaxce, *TRAIN, *CHOICE, "--resume").stdout
    assert softmaxce(*TRAIN, "--only", "cat,dog", "--resume", "-q").exit_code == 2


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        (("--only", "cat,dgo"), "unknown class: --only: 'dgo'; the classes are 'bird', 'cat'"),
        (("--only", "cat"), "leave only 'cat'"),
        (("--merge", "wolf=dog", "--merge", "wolf=cat"), "'wolf' into 'cat': --merge also turns"),
        (("--merge", "dog=dog"), "'dog=dog' merges 'dog' into itself"),
        (("--only", "cat,"), "'cat,' is not a list of classes such as cat,dog; put a name that"),
        (("--only", ""), "'' is not a list of classes"),
        (("--only", "a\nb"), "is not a list of classes"),
        (
            ("--merge", "cat,dog"),
            "'cat,dog' does not merge classes into one as wolf,husky=dog does",
        ),
        (("--merge", "cat=dog,bird"), "does not merge classes into one"),
        (("--merge", "=dog"), "does not merge classes into one"),
        (("--merge", "cat="), "'' is not a list of classes"),
        (("--merge", "cat,=dog"), "'cat,' is not a list of classes"),
        (("--merge", "cat=dog=bird"), "unknown class: --merge: 'cat=dog'"),
        (("--classes", "cat,dog"), "use --only"),
    ],
)
def test_bad_choices(softmaxce, tmp_path, options, fragment):
    draw_classes(tmp_path / "set", dict.fromkeys(COUNTS, 1), side=2)
    for command in ("train", "check"):
        assert_one_error_line(softmaxce(command, "set", *options), 2, fragment)


def test_a_source_without_the_chosen_classes(softmaxce, folder):
    run(softmaxce, *TRAIN, *CHOICE, "-q")
    shutil.rmtree(folder / "test" / "cat")
    for name in DOGS:
        shutil.rmtree(folder / "test" / name)
    outcome = softmaxce("evaluate", "set/test")
    assert_one_error_line(outcome, 1, "set/test: --only leaves out all of its classes: 'bird'")


def test_names_with_commas_equals_signs_and_quotes(softmaxce, folder):
    for name, new in (
        ("cat", "salt, pepper"),
        ("dog", "a=b"),
        ("wolf", '3" disk'),
        ("bird", "[b]"),
    ):
        (folder / "train" / name).rename(folder / "train" / new)
    shutil.rmtree(folder / "test")
    options = ("--only", ' "salt, pepper" , [b],3" disk ,"x"', "--merge", 'a=b,husky="x"')
    outcome = run(softmaxce, *TRAIN, *options, "--format", "json")
    assert outcome.json["classes"] == ['3" disk', "[b]", "salt, pepper", "x"]


def test_the_choice_is_korean(softmaxce, folder):
    korean = ("--lang", "ko")
    note = run(softmaxce, *TRAIN, *CHOICE, *korean).stderr.splitlines()[0]
    assert note == "알림: set/train에서 제외한 클래스 1개(이미지 74장 중 12장): bird"
    note = run(softmaxce, *TRAIN, "--only", "cat,dog", *korean).stderr.splitlines()[1]
    assert note == "알림: set/train에서 제외한 클래스 3개(이미지 74장 중 40장): bird; husky; wolf"
    error = softmaxce(*TRAIN, "--only", "cat,dgo", *korean).stderr
    assert error.endswith("'wolf'입니다. 혹시 'dog' 아닌가요?\n")
    error = softmaxce(*TRAIN, "--only", "cat,", *korean).stderr
    assert "'cat,'은 cat,dog 같은 클래스 목록이 아닙니다. 쉼표가 들어 있는" in error
