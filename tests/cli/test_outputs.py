"""What a command replaces, and arguments in the wrong place: models, folders and images."""

from __future__ import annotations

import shutil

import pytest
from helpers import PETS, assert_one_error_line, draw_classes

CAT = PETS / "test" / "cat" / "cat-001.png"


@pytest.fixture
def place(tmp_path, pets_model):
    """A folder with a small data set, the sample's model as `pets.npz`, and `notes.txt`."""
    draw_classes(tmp_path / "d", {"a": 4, "b": 4}, side=2)
    shutil.copy(pets_model, tmp_path / "pets.npz")
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


@pytest.mark.parametrize("output", [(), ("-o", "keep.npz"), ("--output", "keep")])
def test_replacing_a_model_is_noted(softmaxce, place, output):
    words = ("train", "d", *output, "--no-progress")
    name = output[1] if output else "model.npz"
    assert softmaxce(*words).stderr == ""
    shutil.copy(place / "pets.npz", place / name)
    assert softmaxce(*words).stderr == f"Note: replaced the model of 3 classes in {name}\n"
    assert softmaxce(*words).stderr == f"Note: replaced the model of 2 classes in {name}\n"
    assert softmaxce(*words, "-q").stderr == ""


def test_replacing_something_else_by_force_is_noted(softmaxce, place):
    words = ("train", "d", "-o", "notes.txt", "--no-progress", "--force")
    assert "replaced notes.txt, which was not a model\n" in softmaxce(*words).stderr


@pytest.mark.parametrize("name", ["m.onnx", "m.pkl", "m.h5", "m.PT", "m.tflite", "m.json"])
def test_a_name_of_another_format_is_noted(softmaxce, place, name):
    outcome = softmaxce("train", "d", "-o", name, "--no-progress")
    assert outcome.exit_code == 0
    assert outcome.stderr.startswith(f"Note: {name} will be a softmaxce model (.npz), not a .")
    assert softmaxce("info", name).exit_code == 0
    assert softmaxce("train", "d", "-o", name, "-q").stderr == ""


@pytest.mark.parametrize("name", ["m", "m.npz", "m.NPZ", "m.v2.npz"])
def test_other_names_are_not(softmaxce, place, name):
    assert softmaxce("train", "d", "-o", name, "--no-progress").stderr == ""


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("train", "d", "--report", "notes.txt"), "notes.txt"),
        (("train", "d", "--report", "pets.npz"), "pets.npz"),
        (("evaluate", PETS / "test", "-m", "pets.npz", "--report", "notes.txt"), "notes.txt"),
        (("evaluate", PETS / "test", "-m", "pets.npz", "--errors", "notes.txt"), "notes.txt"),
        (("evaluate", "list.csv", "-m", "pets.npz", "--errors", "list.csv"), "list.csv"),
        (("train", "list.csv", "--report", "list.csv"), "list.csv"),
        (("explain", "--logits", "1", "2", "-o", "pets.npz"), "pets.npz"),
        (("explain", CAT, "-m", "pets.npz", "-o", "pets.npz"), "pets.npz"),
    ],
)
def test_files_of_another_kind_are_not_destroyed(softmaxce, place, words, output):
    (place / "list.csv").write_text("path,label\n")
    before = (place / output).read_bytes()
    assert_one_error_line(softmaxce(*words), 1, output, "cannot")
    assert (place / output).read_bytes() == before


def test_files_of_the_same_kind_are_replaced(softmaxce, place):
    (place / "wrong.csv").write_text("")
    words = ("--errors", "wrong.csv", "--report", "r.html", "-m", "pets.npz", "-q")
    for _ in range(2):
        assert softmaxce("evaluate", PETS / "test", *words).exit_code == 0
        assert softmaxce("explain", "--logits", "1", "2", "-o", "lesson.txt").exit_code == 0


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_variable_is_unset(softmaxce, place, pets_model, value):
    env = {} if value is None else {"SOFTMAXCE_MODEL": value}
    shutil.copy(pets_model, place / "model.npz")
    assert softmaxce("predict", CAT, env=env).exit_code == 0
    assert softmaxce("info", env=env).stdout.startswith("Model: model.npz\n")
    assert softmaxce("train", "d", "-q", env=env).exit_code == 0
    assert "2 classes" in softmaxce("info", "model.npz").stdout


@pytest.mark.parametrize(
    "words", [("predict", CAT, "-m", ""), ("train", "d", "-o", ""), ("info", "")]
)
def test_an_empty_name_is_refused(softmaxce, place, words):
    assert_one_error_line(softmaxce(*words), 2, "the name is empty")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("predict", "pets.npz", CAT), "did you mean -m pets.npz?"),
        (("predict", CAT, "pets.npz", "--format", "csv"), "did you mean -m pets.npz?"),
        (("predict", "pets.npz", CAT, "-m", "pets.npz"), "did you mean -m pets.npz?"),
        (("predict", "pets.npz", "-m", CAT), "did you mean -m pets.npz?"),
        (("evaluate", "pets.npz", PETS / "test"), "did you mean -m pets.npz?"),
        (("evaluate", PETS / "test", "pets.npz"), "did you mean -m pets.npz?"),
        (("evaluate", "pets.npz"), "did you mean -m pets.npz?"),
        (("explain", "pets.npz"), "did you mean -m pets.npz?"),
        (("explain", "pets.npz", CAT), "did you mean -m pets.npz?"),
        (("train", "d", "pets.npz"), "did you mean softmaxce train DIR -o pets.npz?"),
        (("check", "pets.npz"), "softmaxce info pets.npz"),
        (("compare", PETS / "test", "pets.npz", "pets.npz"), "compare MODEL_A MODEL_B DIR"),
        (("compare", "pets.npz", PETS / "test", "pets.npz"), "compare MODEL_A MODEL_B DIR"),
        (("predict", CAT, "-m", "d"), "d: it is a folder; give a model file"),
        (
            ("evaluate", PETS / "test", "-m", "d"),
            "d: it is a folder; give a model file",
        ),
        (("info", "d"), "d: it is a folder; give a model file"),
        (("info", CAT), "not a softmaxce model"),
        (("evaluate", PETS / "test", "-m", CAT), "not a softmaxce model"),
    ],
)
def test_arguments_in_the_wrong_place(softmaxce, place, words, hint):
    outcome = softmaxce(*words)
    assert_one_error_line(outcome, outcome.exit_code, hint)
    assert outcome.exit_code in (1, 2)


def test_models_in_their_place_are_not_hinted_at(softmaxce, place):
    for words in (
        ("predict", "none.png", "-m", "pets.npz"),
        ("evaluate", "none", "--model", "pets.npz"),
        ("compare", "pets.npz", "pets.npz", "none"),
        ("train", "none", "-o", "pets.npz"),
    ):
        outcome = softmaxce(*words)
        assert outcome.exit_code == 1
        assert "none" in outcome.stderr
        assert "did you mean" not in outcome.stderr
        assert "the order" not in outcome.stderr


@pytest.mark.parametrize("output_format", ["text", "json", "jsonl", "csv"])
@pytest.mark.parametrize("sources", [["bad"], ["bad/1.png"], ["-"], ["bad", "gone.png", "-"]])
def test_predict_without_any_readable_image(softmaxce, place, sources, output_format):
    (place / "bad").mkdir()
    for number in range(3):
        (place / "bad" / f"{number}.png").write_bytes(b"no image")
    words = ("--skip-bad", "-m", "pets.npz", "--format", output_format)
    outcome = softmaxce("predict", *sources, *words, stdin=b"x")
    assert_one_error_line(outcome, 1, "no readable images", sources[0])
    assert softmaxce("predict", *sources, CAT, *words, stdin=b"x").exit_code == 0


def test_other_commands_without_any_readable_image(softmaxce, place):
    for folder in ("cat", "dog"):
        (place / "bad" / folder).mkdir(parents=True)
        (place / "bad" / folder / "1.png").write_bytes(b"no image")
    for words in (
        ("evaluate", "bad", "-m", "pets.npz"),
        ("train", "bad"),
        ("compare", "pets.npz", "pets.npz", "bad"),
    ):
        assert_one_error_line(softmaxce(*words, "--skip-bad", "-q"), 1, "no readable images")
    assert_one_error_line(softmaxce("explain", "bad/cat/1.png", "-m", "pets.npz"), 1, "1.png")
