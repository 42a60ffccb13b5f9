"""Exercises: the numbers written in their steps, what the sheets leave out, and their pages."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from itertools import pairwise

import pytest
from helpers import run_command, translator

from softmaxce.lesson.exercises import KINDS, LAST_SHEET, Exercise, make
from softmaxce.views.lesson.formatting import number, sentence

N_SEEDS = 25
SHEETS = range(1, LAST_SHEET + 1)
NUMBER = r"−?\d+(?:\.\d+)?"
TERM = (  # a logarithm; a power of e or 2; a number, perhaps squared or divided
    rf"(?:−?(?:log₂|ln) \(?[\d./]+\)?|e\^ln \d+|e\^−\d+|e⁰|2\^\d+"
    rf"|\({NUMBER}\)²|{NUMBER}²?(?:/{NUMBER})?)"
)
SIDE = rf"(?:1/\(1 \+ e\^−\d+\)|{TERM}(?: [+−] {TERM})*)"
EQUATION = re.compile(rf"{SIDE}(?: = {SIDE})+")
PYTHON = {
    r"e\^ln (\d+)": r"exp(log(\1))",
    r"e\^−(\d+)": r"exp(-\1)",
    "e⁰": "exp(0)",
    r"log₂ \(?([\d./]+)\)?": r"log2(\1)",
    r"ln ([\d.]+)": r"log(\1)",
    "²": "**2",
    r"\^": "**",
    "−": "-",
}


def value(side: str) -> float:
    """A side of a written equation, computed from the digits that are written."""
    for written, python in PYTHON.items():
        side = re.sub(written, python, side)
    return float(eval(side, {"exp": math.exp, "log": math.log, "log2": math.log2}))


def results(exercise: Exercise) -> list[str]:
    """What the answer must contain, computed by another route from the question's numbers."""
    n = exercise.numbers
    given, label = [n.get(letter) for letter in "abc"], n.get("label", 0)
    if exercise.kind == "one_hot":
        before, after = "0, " * label, ", 0" * (n["n_classes"] - label - 1)
        return [f"[{before}1{after}]"]
    if exercise.kind == "gradient":
        slopes = list(given)
        slopes[label] -= 1
        return [number(round(slope, 9)) for slope in slopes]
    computed = {
        "shares": lambda: [z / sum(given) for z in given],
        "softmax": lambda: [1 / (1 + n["b"] / n["a"]), 1 / (1 + n["a"] / n["b"])],
        "shift": lambda: [1 / (1 + math.exp(s * (n["low"] - n["high"]))) for s in (1, -1)],
        "cross_entropy": lambda: [math.log(1 / given[label])],
        "bits": lambda: [math.log2(n["ways"]), n["ways"]],
        "squared_error": lambda: [2 * round(n["p"] - 1, 9) ** 2, math.log(1 / n["p"])],
    }
    return [number(result) for result in computed[exercise.kind]()]


def assert_right(exercise: Exercise, language: str) -> None:
    """Every equation holds to its digits, every result is there, the steps do not disagree."""
    said = [sentence(m, exercise.numbers, translator(language)) for m in exercise.working]
    steps = "\n".join(said)
    equations = EQUATION.findall(steps)
    assert steps.count(" = ") == sum(e.count(" = ") for e in equations), steps  # none overlooked
    for equation in equations:
        for left, right in pairwise(equation.split(" = ")):
            assert abs(value(left) - value(right)) <= 0.5e-4 + 1e-12, equation
    for result in results(exercise):
        assert re.search(rf"(?<![\d.−]){re.escape(result)}(?!\d|\.\d)", steps), (result, steps)
    if exercise.kind == "shares":
        refused = "not probabilities" in steps or "없습니다" in steps
        assert refused == (min(exercise.numbers[letter] for letter in "abc") < 0)
    if exercise.kind == "gradient":
        slopes = re.findall(NUMBER, re.split("which|이고", said[-1])[0])
        assert sum(map(value, slopes)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("number_of_sheet", SHEETS)
def test_every_written_number_is_right_to_its_digits(number_of_sheet, language):
    for seed in range(N_SEEDS):
        for exercise in make(len(KINDS), seed, number_of_sheet).exercises:
            assert_right(exercise, language)


def test_the_numbers_of_the_questions_stay_the_same():
    first, *_, last = make(16, 1).exercises
    assert [first.numbers[letter] for letter in "abc"] == [2, -2, 7]
    assert [last.numbers[letter] for letter in "abc"] == [0.1, 0.4, 0.5]


def test_each_sheet_leaves_out_one_more_step():
    for place, exercise in enumerate(make(len(KINDS), 0).exercises):
        n_steps = len(exercise.working)
        assert 2 <= n_steps <= LAST_SHEET
        for n in SHEETS[:-1]:
            sheet = make(len(KINDS), 0, n)
            steps = sheet.steps(sheet.exercises[place])
            n_shown = max(0, n_steps - n)
            assert steps[:n_shown] == sheet.exercises[place].working[:n_shown]
            assert steps[n_shown:] == ("",) * (n_steps - n_shown)
    last = make(len(KINDS), 0)
    assert {last.steps(exercise) for exercise in last.exercises} == {()}


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_each_sheet_has_other_numbers_in_the_same_order(seed):
    sheets = [make(40, seed, n).exercises for n in SHEETS]
    for exercises in zip(*sheets, strict=True):
        assert len({exercise.kind for exercise in exercises}) == 1
        assert all(one.numbers != other.numbers for one, other in pairwise([*exercises] * 2))
        assert exercises[0].numbers != exercises[2].numbers
        assert exercises[1].numbers != exercises[3].numbers
    for n, exercises in zip(SHEETS, sheets, strict=True):
        assert make(40, seed, n).exercises == exercises
        assert make(11, seed, n).exercises == exercises[:11]  # whatever the number of exercises
        assert make(40, seed - 1, n).exercises != exercises


def shown(*words: str, output_format: str = "text", language: str = "en") -> str:
    """What `explain --exercise 8 --seed 1 WORDS` prints."""
    options = ("--seed", "1", "--format", output_format, "--lang", language, *words)
    outcome = run_command("explain", "--exercise", "8", *options)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    return outcome.stdout


def test_a_sheet_as_text():
    lines = shown("--sheet", "1", "--answers").splitlines()
    assert lines[3:8] == [
        " 1. The logits are 2, 3 and 5. What is the share of each in the total? Are the",
        "    shares probabilities?",
        "    a) The logits sum to 10.",
        "    b) Divide each logit by the sum: 2/10 = 0.2, 3/10 = 0.3 and 5/10 = 0.5.",
        "    c) " + "_" * 40,
    ]
    key = lines[lines.index("Answers") :]
    assert key[2] == " 1. a) The logits sum to 10."
    assert key[4] == "    c) None is below 0 and they sum to 1, so they are probabilities."
    assert not any("_" in line for line in key)
    assert shown("--sheet", "4") == shown()
    assert "_" not in shown()
    assert " a) " not in shown()


@pytest.mark.parametrize(("sheet", "n_left_out"), [(1, 8), (2, 16), (3, 23), (4, 0)])
@pytest.mark.parametrize(
    ("output_format", "blank"),
    [("text", "_" * 40), ("markdown", "…" * 20), ("json", "null"), ("html", "<li><i></i></li>")],
)
def test_what_is_left_out(output_format, blank, sheet, n_left_out):
    words = ("--sheet", str(sheet))
    text = shown(*words, output_format=output_format)
    assert text.count(blank) == n_left_out
    with_key = shown(*words, "--answers", output_format=output_format)
    assert with_key.count(blank) == n_left_out  # none in the answers
    for exercise in make(8, 1, sheet).exercises:
        step = sentence(exercise.working[-1], exercise.numbers, str)
        step = re.sub(r"\^(−?\d+)", r"<sup>\1</sup>", step) if output_format == "html" else step
        step = json.dumps(step)[1:-1] if output_format == "json" else step
        assert step in with_key
        assert step not in text


def test_a_sheet_as_json():
    result = json.loads(shown("--sheet", "2", "--answers", output_format="json"))
    assert (result["sheet"], result["seed"]) == (2, 1)
    first = result["exercises"][0]
    assert first["steps"] == ["The logits sum to 8.", None, None]
    assert first["working"].startswith("The logits sum to 8. Divide each logit by the sum: 4/8")


def test_a_nested_list_in_markdown():
    lines = shown("--sheet", "3", "--answers", output_format="markdown").splitlines()
    assert lines[2].startswith("1. The logits are ")
    assert lines[3] == "   1. " + "…" * 20
    assert lines[lines.index("# Answers") + 2].startswith("1. 1. The logits sum to ")


@pytest.mark.parametrize(
    ("language", "name", "date", "title"),
    [("en", "Name", "Date", "Sheet 2 · seed 1"), ("ko", "이름", "날짜", "학습지 2 · 시드 1")],
)
def test_a_page_to_print(language, name, date, title):
    page = shown("--sheet", "2", "--answers", output_format="html", language=language)
    assert page.startswith(f'<!DOCTYPE html>\n<html lang="{language}">')
    assert "<script" not in page
    assert f"<span>{name}</span><span>{date}</span>" in page
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search('Policy" content="(.*?)"', page)[1]
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith(f"style-src 'sha256-{digest}'")
    assert "@page { size: A4; margin: " in style
    assert re.search(r"\.exercises > li \{[^}]*break-inside: avoid", style)
    assert re.search(r"section \+ section \{[^}]*break-before: page", style)
    assert page.count(title) == page.count("<section>") == 2  # exercises and answers
    assert shown(output_format="html", language=language).count("<section>") == 1
    assert "e<sup>ln 3</sup> = 3" in page
    assert "^" not in page.partition("</head>")[2]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--exercise", "8", "--sheet", "0"), "the number of the sheet must be between 1 and 4"),
        (("--exercise", "8", "--sheet", "5"), "the number of the sheet must be between 1 and 4"),
        (("--exercise", "8", "--sheet", "-1"), "the number of the sheet must be between 1 and 4"),
        (("--exercise", "8", "--sheet", "1.5"), "'1.5' is not a whole number"),
        (("--exercise", "8", "--sheet", "all"), "'all' is not a whole number"),
        (("--sheet", "2"), "--sheet needs --exercise N: softmaxce explain --exercise 8 --sheet"),
        (("--logits", "1", "2", "--sheet", "4"), "--sheet needs --exercise N"),
    ],
)
def test_sheets_that_there_are_not(softmaxce, words, fault):
    outcome = softmaxce("explain", *words)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert fault in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_a_file_named_as_a_page_is_a_page(softmaxce, tmp_path):
    assert softmaxce("explain", "--exercise", "3", "-o", "sheet.html").exit_code == 0
    assert (tmp_path / "sheet.html").read_text("utf-8").startswith("<!DOCTYPE html>")
