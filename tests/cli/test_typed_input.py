"""Input that newcomers type: what is accepted, and what else they are told to write."""

from __future__ import annotations

import math
import os
import shutil
import sys

import pytest
from helpers import PETS, assert_one_error_line, draw_classes, environment, needs_fork

CAT = PETS / "test" / "cat" / "cat-001.png"


@pytest.fixture
def place(tmp_path, pets_model):
    """A folder with the sample's model as `m.npz` and a data set in d/set/train and d/set/test."""
    shutil.copy(pets_model, tmp_path / "m.npz")
    for split in ("train", "test"):
        draw_classes(tmp_path / "d" / "set" / split, {"cat": 3, "dog": 3, "person": 3}, side=2)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "logits"),
    [
        (["[0.2, 0.3]"], [0.2, 0.3]),
        (["[0.2,", "0.3]"], [0.2, 0.3]),
        (["0.2 0.3"], [0.2, 0.3]),
        (["0.2;0.3"], [0.2, 0.3]),
        (["(-1", "2)"], [-1, 2]),
        (["-1 2", "-ln5"], [-1, 2, -math.log(5)]),
        (["ln5", "ln", "2"], [math.log(5), math.log(2)]),
        (["ln(3)", "1/2"], [math.log(3), 0.5]),
        (["−ln(2)", "1", "/", "4"], [-math.log(2), 0.25]),
    ],
)
def test_logits(softmaxce, words, logits):
    outcome = softmaxce("explain", "--logits", *words, "--format", "json")
    assert outcome.stderr == ""
    assert outcome.json["logits"] == pytest.approx(logits, rel=1e-15)


@pytest.mark.parametrize(
    ("words", "probabilities"),
    [
        (["40%", "60%"], [0.4, 0.6]),
        (["40 %", "60 %"], [0.4, 0.6]),
        (["[40%,", "60%]"], [0.4, 0.6]),
        (["1/3", "2/3"], [1 / 3, 2 / 3]),
        (["1/4", "25%", "0.5"], [0.25, 0.25, 0.5]),
    ],
)
def test_probabilities(softmaxce, words, probabilities):
    outcome = softmaxce("explain", "--probabilities", *words, "--format", "json")
    assert outcome.json["probabilities"] == pytest.approx(probabilities, rel=1e-14)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("explain", "--probabilities", "40", "60"), "did you mean 0.4 0.6?"),
        (("explain", "--probabilities", "1", "2", "1"), "did you mean 0.25 0.5 0.25?"),
        (("explain", "--logits", "40%", "60%"), "a percentage, for probabilities only"),
        (("explain", "--logits", "1", "2", "--temperature", "50%"), "write 0.5"),
        (("train", "d", "--l2", "1%"), "write 0.01"),
        (("train", "d", "--validation", "20"), "20 % is 0.2"),
        (("evaluate", "d", "--fail-under", "cross_entropy=30%"), "a percentage"),
    ],
)
def test_numbers_that_are_no_probabilities(softmaxce, words, hint):
    assert_one_error_line(softmaxce(*words), 2, hint)


def test_percentages_where_probabilities_are_meant(softmaxce, place):
    assert softmaxce("train", "d/set/train", "--validation", "34%", "-q").exit_code == 0
    assert softmaxce("train", "d/set/train", "--validation", "1/3", "-q").exit_code == 0
    assert softmaxce("predict", CAT, "-m", "m.npz", "--coverage", "90%").exit_code == 0
    words = ("evaluate", PETS / "test", "-m", "m.npz", "-q", "--fail-under")
    assert softmaxce(*words, "accuracy=10%").exit_code == 0
    assert softmaxce(*words, "accuracy>=99 %").exit_code == 3


def test_a_folder_named_like_a_fraction_is_a_folder(softmaxce, place):
    shutil.copytree(place / "d" / "set" / "test", place / "1" / "5")
    outcome = softmaxce("train", "d/set/train", "--validation", "1/5", "--format", "json", "-q")
    assert outcome.json["validation"]["n_images"] == 9


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("explain", "0.2", "0.3"), "softmaxce explain --logits 0.2 0.3\n"),
        (("explain", "2", "1", "-1"), "softmaxce explain --logits 2 1 -1\n"),
        (("explain", "-1", "2"), "softmaxce explain --logits -1 2\n"),
        (("explain", "[0.2,", "0.3]"), "softmaxce explain --logits 0.2 0.3\n"),
        (("explain", "0.2,0.3", "--label", "1"), "explain --logits 0.2 0.3 --label 1\n"),
        (("explain", "0.2", "0.3", "--classes", "a", "b"), "--logits 0.2 0.3 --classes a b\n"),
        (("explain", "--more", "2", "1"), "softmaxce explain --logits 2 1 --more\n"),
        (("explain", "0,2", "0,3"), "softmaxce explain --logits 0.2 0.3\n"),
        (("explain", "1.234,5", "-0,5"), "softmaxce explain --logits 1234.5 -0.5\n"),
        (("explain", "ln(5)", "2"), "softmaxce explain --logits 'ln(5)' 2\n"),
        (("explain", "0.2", "0.3", CAT), "give numbers or an image, not both"),
        (("predict", "-0", "0.2", "0.3"), "softmaxce explain --logits 0.2 0.3\n"),
        (("explain", "40%", "60%"), "softmaxce explain --probabilities 40% 60%\n"),
        (("predict", "0.2", "0.3"), "softmaxce explain --logits 0.2 0.3\n"),
        (("explain", "—logits", "1", "2"), "use two hyphens: --logits\n"),
        (("explain", "-logits", "1", "2"), "did you mean --logits?"),
        (("explain", "--logit", "1", "2"), "did you mean --logits?"),
        (("explain", "--Logits", "1", "2"), "did you mean --logits?"),
        (("explain", "--logits", "log(5)", "2"), "'log(5)' is not a number; write ln for"),
    ],
)
def test_numbers_without_an_option(softmaxce, words, hint):
    outcome = softmaxce(*words)
    assert_one_error_line(outcome, outcome.exit_code, hint)


@pytest.mark.parametrize(
    "words",
    [
        ("--logits", "1", "2", "--temperature", "0"),
        ("--logits", "1", "2", "--classes", "3", "4", "5"),
        ("--probabilities", "0.5", "0.6"),
    ],
)
def test_numbers_in_their_place_are_not_hinted_at(softmaxce, words):
    assert "numbers need" not in softmaxce("explain", *words).stderr


def test_explain_takes_one_image(softmaxce):
    images = sorted((PETS / "train" / "cat").iterdir())
    for n in (2, 40, len(images)):
        outcome = softmaxce("explain", *images[:n])
        assert_one_error_line(outcome, 2, f"explain takes one image; {n} were given")
        assert len(outcome.stderr) < 120


@pytest.mark.parametrize("words", [("train",), ("evaluate",), ("check",), ("compare", "a", "b")])
def test_too_many_arguments_are_counted(softmaxce, words):
    outcome = softmaxce(*words, *(f"photo-{number}.png" for number in range(101)))
    assert_one_error_line(outcome, 2, "photo-3.png and 97 more", f"usage: softmaxce {words[0]}")


@pytest.mark.parametrize(
    "words", [("explain", "m.npz"), ("explain", CAT, "m.npz"), ("predict", "m.npz", CAT)]
)
def test_a_model_among_the_images(softmaxce, place, words):
    message = "Error: m.npz is a model: did you mean -m m.npz?\n"
    assert softmaxce(*words).stderr == message


@pytest.mark.parametrize("words", [("--answers",), ("--seed", "3"), ("--answers", "--seed", "3")])
def test_options_of_exercises(softmaxce, words):
    wanted = f"{words[0]} needs --exercise N: softmaxce explain --exercise 8 {words[0]}"
    assert_one_error_line(softmaxce("explain", *words), 2, wanted)


def test_cache_alone_shows_its_help(softmaxce):
    outcome = softmaxce("cache")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout == softmaxce("cache", "--help").stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("train", "d/set/train/cat"), "did you mean d/set/train, which contains cat, dog, person"),
        (("check", "d/set/test/dog/"), "did you mean d/set/test, which contains cat, dog, person"),
        (("evaluate", "d/set/test/cat", "-m", "m.npz"), "did you mean d/set/test, which contains"),
        (("train", "d"), "did you mean d/set, which contains the splits train and test"),
        (("evaluate", "d", "-m", "m.npz"), "did you mean d/set/test?"),
        (("evaluate", "d/set", "-m", "m.npz"), "did you mean d/set/test?"),
        (("train", "d/sett"), "did you mean d/set?"),
        (("check", "D/Set/TRAIN"), "did you mean d/set/train?"),
        (("evaluate", "d/set/tst", "-m", "m.npz"), "did you mean d/set/test?"),
        (("compare", "m.npz", "m.npz", "d/set/tset"), "did you mean d/set/test?"),
        (("predict", "d/set/test/cat/000.jpg", "-m", "m.npz"), "did you mean d/set/test/cat/000.p"),
        (("predict", CAT, "-m", "m.nzp"), "did you mean m.npz?"),
    ],
)
def test_the_folder_that_was_meant(softmaxce, place, words, hint):
    assert_one_error_line(softmaxce(*words), 1, hint)


def test_one_level_too_low_from_within(softmaxce, place):
    outcome = softmaxce("train", ".", cwd=place / "d" / "set" / "train" / "dog")
    assert_one_error_line(outcome, 1, "did you mean .., which contains cat, dog, person?")


def test_nothing_like_it(softmaxce, place):
    assert_one_error_line(softmaxce("train", "photos"), 1, "no such folder: photos\n")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("train d --epochs 10", "training stops when it converges"),
        ("train d --max_iter=10", "training stops when it converges"),
        ("train d --lr 0.1", "the step size is chosen automatically"),
        ("train d -lr 0.1", "'-lr': in training, the step size is chosen automatically"),
        ("train d --learning-rate 0.1", "the step size is chosen automatically"),
        ("train d --imgsz 64", "use --size"),
        ("train d --image_size 64", "use --size"),
        ("train d --device cuda", "runs only on the CPU"),
        ("train d --model x.npz", "-o names the model file; --hidden adds layers"),
        ("train d -m x.npz", "-o names the model file"),
        ("train d --batch-size 8", "the batch size is chosen automatically"),
        ("train d --weight_decay 1", "use --l2"),
        ("train d --num-workers 2", "use --jobs"),
        ("train d --random-state 1", "use --seed"),
        ("train d --top-k 1", "--top-k is an option of predict"),
        ("train d --html", "use --report"),
        ("train d --json", "write --format json"),
        ("train --data d", "write the path without an option: softmaxce train DIR"),
        ("predict d --weights x", "use --model"),
        ("predict d --csv", "write --format csv"),
        ("predict d -o x.csv", "redirect the output instead: > FILE"),
        ("predict d --imgsz 3", "--size is an option of train"),
        ("explain --html", "write --format html -o lesson.html"),
        ("explain --lr 0.1", "use --learning-rate"),
        ("explain --top-k 3", "--top-k is an option of predict"),
        ("train d --ephocs 3", "training stops when it converges"),
        ("train d --valdiation 0.3", "did you mean --validation? (see"),
        ("train d --test-dir d/test", "softmaxce evaluate DIR (see"),
        ("train d --test-size 0.2", "--test"),
        ("train d --dropout 0.5", "'--dropout': there is none (see"),
        ("train d --augment", "'--augment': there is none (see"),
        ("train d --flip", "'--flip': there is none (see"),
        ("train d --l1 0.1", "'--l1': there is none (see"),
        ("train d -c 1", "No such option '-c' (see"),
        ("train d --backbone resnet", "there are no pretrained networks (see"),
        ("train d --patience 3", "training stops when it converges"),
        ("train d --early-stopping", "training stops when it converges"),
        ("train d --xyzzy", "'--xyzzy' (see"),
        ("predict d --threshold 0.5", "the predicted class is always the most probable one"),
        ("predict d --epochs 3", "training stops when it converges"),
        ("evaluate d --lr 3", "in training, the step size is chosen automatically"),
        ("--quiet x", "of train, predict, evaluate, check and compare (see"),
        ("explain --details", "--details is an option of train and evaluate"),
        ("explain --temp 2", "did you mean --temperature?"),
        ("--train d", "write softmaxce train (see"),
        ("predict d --train", "'--train' (see"),
        ("info --model m.npz", "write the model without an option: softmaxce info"),
    ],
)
def test_names_from_other_tools(softmaxce, words, hint):
    assert_one_error_line(softmaxce(*words.split()), 2, "No such option", hint)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("help", "softmaxce --help"),
        ("help train", "softmaxce train --help"),
        ("cache help", "softmaxce cache --help"),
        ("test d -m m.npz", "softmaxce evaluate d -m m.npz"),
        ("fit d", "softmaxce train d"),
        ("trian d", "softmaxce train d"),
        ("d", "softmaxce train d"),
        ("d/set/test/cat/000.png -q", "softmaxce predict d/set/test/cat/000.png -q"),
        ("cache claer", "softmaxce cache clear"),
    ],
)
def test_commands_of_other_tools(softmaxce, place, words, command):
    outcome = softmaxce(*words.split())
    assert_one_error_line(outcome, 2, "No such command", f"; did you mean {command}? (see")


def test_no_such_command(softmaxce):
    assert_one_error_line(softmaxce("xyz"), 2, "No such command 'xyz' (see 'softmaxce --help')\n")


@pytest.mark.parametrize(
    ("words", "need"),
    [
        (("train", "d", "--report", "-q"), "--report needs a file name before -q"),
        (("train", "d", "--report", "--details"), "--report needs a file name before --details"),
        (("train", "d", "-o", "-q"), "--output needs a file name before -q"),
        (("evaluate", "d", "--cache", "-q"), "--cache needs a folder name before -q"),
        (("evaluate", "d", "--errors", "-q"), "--errors needs a file name before -q"),
        (("explain", "--logits", "1", "2", "-o", "--more"), "--output needs a file name before"),
        (("predict", "--files-from", "-0"), "--files-from needs a file name before -0"),
        (("train", "d", "--report"), "requires an argument (see 'softmaxce train --help')"),
    ],
)
def test_an_option_without_its_value(softmaxce, tmp_path, words, need):
    assert_one_error_line(softmaxce(*words), 2, need)
    assert not list(tmp_path.iterdir())


def test_a_file_named_like_an_option(softmaxce, tmp_path):
    assert softmaxce("explain", "--logits", "1", "2", "-o", "./-q").exit_code == 0
    assert (tmp_path / "-q").exists()


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("train", "d", "--seed", "abc"), "'abc' is not a whole number (see"),
        (("train", "d", "--jobs", "0"), "0 must be at least 1 (see"),
        (("train", "d", "--jobs", "1025"), "1025 must be at most 1024 (see"),
        (("predict", "d", "-k", "1.5"), "'1.5' is not a whole number (see"),
        (("explain", "--exercise", "few"), "'few' is not a whole number (see"),
        (("train", "d", "--hidden", "0"), "for no hidden layer, use none (see"),
    ],
)
def test_whole_numbers(softmaxce, words, fault):
    assert_one_error_line(softmaxce(*words), 2, fault)


@pytest.mark.parametrize("given", ["d/set", "d/set/tset"])
def test_the_test_images_are_not_suggested_for_validation(softmaxce, place, given):
    outcome = softmaxce("train", "d/set", "--validation", given)
    assert outcome.exit_code != 0
    assert "did you mean" not in outcome.stderr
    assert "the model" not in outcome.stderr


def test_similar_names_of_classes(softmaxce, place):
    draw_classes(place / "wn", {"Cat": 2, "dogs": 2}, side=2)
    hint = "it knows 'cat', 'dog', 'person'; did you mean 'cat'?\n"
    assert_one_error_line(softmaxce("evaluate", "wn", "-m", "m.npz"), 1, hint)
    outcome = softmaxce("train", "d/set", "--validation", "wn")
    assert_one_error_line(outcome, 1, "the training images do not have 'Cat'", "mean 'cat'?\n")


@pytest.mark.parametrize(("first", "second"), [("train", "test"), ("train/cat", "train/dog/")])
def test_two_folders_instead_of_the_one_around_them(softmaxce, place, first, second):
    outcome = softmaxce("train", f"d/set/{first}", f"d/set/{second}")
    around = "d/set/train" if "/" in first else "d/set"
    names = "cat and dog" if "/" in first else "train and test"
    hint = f"train takes one folder; did you mean {around}, which contains {names}?"
    assert_one_error_line(outcome, 2, hint)


def test_one_image_of_a_folder(softmaxce, place):
    outcome = softmaxce("explain", "d/set", "-m", "m.npz")
    hint = "it is a folder; name one image, such as d/set/test/cat/000.png\n"
    assert_one_error_line(outcome, 1, hint)


@pytest.mark.parametrize("colour", ["grey", "gray", "Grey"])
def test_both_spellings_of_gray(softmaxce, place, colour):
    outcome = softmaxce("train", "d/set", "--color", colour, "--format", "json", "-q")
    assert outcome.exit_code == 0


def test_one_suggestion_for_probabilities_with_commas(softmaxce):
    outcome = softmaxce("explain", "--probabilities", "0,4", "0,6")
    assert_one_error_line(outcome, 2, "decimal commas? write 0.4 0.6\n")
    assert "did you mean" not in outcome.stderr


def test_every_name_here_is_an_option():
    from softmaxce.cli import commands, hints

    known = {o for c in commands.commands.values() for p in c.params for o in p.opts}
    names = [name for names in hints._OTHER_NAMES for name in names.split()]
    assert len(names) == len(set(names))
    for option, reason in hints._OTHER_NAMES.values():
        assert option in known or (not option and reason)


@pytest.mark.parametrize(
    ("language", "word"),
    [
        *[
            (name, "예측값")
            for name in ("kr", "KO", "korean", "Korean", "ko_KR", "ko-KR", "한국어")
        ],
        *[(name, "logits") for name in ("en", "English", "en_US", "en-GB", "eng", "영어")],
    ],
)
def test_names_of_languages(softmaxce, language, word):
    outcome = softmaxce("explain", "--logits", "1", "2", "--lang", language)
    assert outcome.exit_code == 0, outcome.stderr
    assert word in outcome.stdout


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("lesson.html", "<!DOCTYPE html>"),
        ("lesson.HTM", "<!DOCTYPE html>"),
        ("lesson.md", "# "),
        ("lesson.json", "{"),
        ("lesson.txt", "    input → network"),
        ("lesson", "    input → network"),
    ],
)
def test_the_format_follows_the_name(softmaxce, tmp_path, name, start):
    words = ("explain", "--logits", "1", "2", "-o", name)
    assert softmaxce(*words).exit_code == 0
    assert (tmp_path / name).read_text("utf-8").startswith(start)
    assert softmaxce(*words, "--format", "markdown").exit_code == 0
    assert (tmp_path / name).read_text("utf-8").startswith("# ")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("train", "d", "--report", "r.pdf"), "write r.html and print the page"),
        (("evaluate", "d", "--report", "R.PDF"), "write R.html and print the page"),
        (("train", "d", "--report", "r.docx"), "write r.html\n"),
        (("train", "d", "--report", "r.json"), "write r.html\n"),
        (("evaluate", "d", "--errors", "wrong.xlsx"), "write wrong.csv\n"),
        (("evaluate", "d", "--errors", "wrong.html"), "write wrong.csv\n"),
        (("explain", "--logits", "1", "2", "-o", "lesson.pdf"), "write lesson.html and print"),
        (("explain", "--logits", "1", "2", "-o", "lesson.docx"), "write lesson.html\n"),
    ],
)
def test_files_that_would_not_be_what_they_are_called(softmaxce, tmp_path, words, hint):
    assert_one_error_line(softmaxce(*words), 1, f"cannot write: {words[-1]}", hint)
    assert not list(tmp_path.iterdir())


def run_in_a_terminal(folder, *words):
    """What `softmaxce WORDS` shows in a terminal, and its exit code."""
    needs_fork()
    import pty  # not on Windows

    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        command = [sys.executable, "-m", "softmaxce", *words]
        os.execve(sys.executable, command, environment(NO_COLOR="1"))
    shown = b""
    try:
        while block := os.read(terminal, 65536):
            shown += block
    except OSError:  # how Linux reports the end
        pass
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.parametrize(
    ("words", "made"), [(("--logits", "1", "2"), "lesson"), (("--exercise", "2"), "sheet")]
)
def test_a_page_is_written_instead_of_shown(tmp_path, words, made):
    words, name = ("explain", *words, "--format", "html"), f"{made}.html"
    for _ in range(2):
        shown, exit_code = run_in_a_terminal(tmp_path, *words)
        assert exit_code == 0
        assert shown == f"Note: the {made} was written to {name}\r\n"
        assert (tmp_path / name).read_text("utf-8").startswith("<!DOCTYPE html>")
    (tmp_path / name).write_text("my own notes")
    shown, exit_code = run_in_a_terminal(tmp_path, *words)
    assert exit_code == 1
    assert f"cannot replace: {name}" in shown
    assert (tmp_path / name).read_text() == "my own notes"


@pytest.mark.parametrize(
    ("label", "meant"), [("Cat", "cat"), ("DOG ", "dog"), ("Persons", "person")]
)
def test_labels_of_predict_and_explain(softmaxce, place, label, meant):
    for command in ("predict", "explain"):
        words = (command, CAT, "-m", "m.npz", "--label")
        assert_one_error_line(softmaxce(*words, label), 2, f"did you mean '{meant}'?")
        assert_one_error_line(softmaxce(*words, "3"), 2, "abels are 0 to 2")
        results = [softmaxce(*words, true, "--format", "json").json for true in ("0", "cat")]
        assert results[0] == results[1]


@pytest.mark.parametrize("nonsense", ["abc", "?", "two", "1,2,3", "ln"])
def test_the_quiz_asks_again(softmaxce, nonsense):
    words = ("explain", "--logits", "0.2", "0.3", "--quiz")
    asked = softmaxce(*words, stdin=f"{nonsense}\n{nonsense}\n2\n".encode()).stdout
    assert asked.count("Type one, or only Enter to see the answer: ") == 2
    assert "Try once more" not in asked
    assert asked.endswith("1 of 1 correct.\n")


@pytest.mark.parametrize(
    ("typed", "score", "tries"),
    [
        ("7\n2\n", "1 of 1", 1),
        ("7\n8\n", "0 of 1", 1),
        ("7\nabc\n2\n", "1 of 1", 1),
        ("\n", "0 of 1", 0),
        ("7\n\n", "0 of 1", 1),
        ("200%\n60%\n", "2 of 2", 0),
        ("4/2\n3/5\n", "2 of 2", 0),
        ("ln 7.389\n0,6\n", "2 of 2", 0),
    ],
)
def test_the_quiz_gives_a_second_try(softmaxce, typed, score, tries):
    words = ("explain", "--logits", "0.2", "0.3", "--quiz")
    asked = softmaxce(*words, stdin=typed.encode()).stdout
    assert asked.count("Try once more:") == tries
    assert f"{score} correct.\n" in asked


def test_the_quiz_in_korean(softmaxce):
    words = ("explain", "--logits", "0.2", "0.3", "--quiz", "--lang", "kr")
    asked = softmaxce(*words, stdin="모름\n7\n2\n".encode()).stdout
    assert "숫자를 입력하세요" in asked
    assert "다시 한 번" in asked
