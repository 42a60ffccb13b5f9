"""The page's arithmetic and text beside the command's, in a JavaScript engine without a browser."""

from __future__ import annotations

import json
import math
import random
import re
from functools import cache

import pytest
import quickjs
from helpers import translator

from softmaxce import lesson
from softmaxce.lesson import picture_templates
from softmaxce.views.json.json_output import json_line
from softmaxce.views.lesson import page
from softmaxce.views.lesson.formatting import number, step_text
from softmaxce.workflows.explain import explain

TOLERANCE = 1e-12
LANGUAGES = ["en", "ko"]

# The page's own code, but for its elements; a check that fails there is an error here.
GLUE = """
const console = { error: (...words) => { throw new Error(words.join(" ")); } };
const strict = (_, value) =>
  typeof value !== "number" || Number.isFinite(value) ? value
  : Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
function lessonOf(state) {
  state.logits = state.logits.map((z) => (z === "-Infinity" ? -Infinity : z));
  const steps = lesson(state).steps;
  const shortened = steps.map(({ name, numbers, ...text }) => ({ name, numbers, text }));
  return JSON.stringify(shortened, strict);
}
"""

EXAMPLES = {
    "two logits": lesson.make_example([0.2, 0.3]),
    "named": lesson.make_example([2, 1, -1], label=2, classes=["cat", "dog", "person"]),
    "temperature": lesson.make_example([-1, 2, -0.5], temperature=0.5, learning_rate=2),
    "cancelling": lesson.make_example([1, -1]),
    "zeros": lesson.make_example([0, 0, 0]),
    "a tie": lesson.make_example([3, 3, -1], label=1),
    "like probabilities": lesson.make_example([0, 1, 0], label=1),
    "negative": lesson.make_example([-3, -1], label=1),
    "large": lesson.make_example([1000, 999]),
    "largest": lesson.make_example([-1e308, 1e308]),
    "overflowing": lesson.make_example([1e308, 1e308, -1e308], temperature=0.001),
    "infinite loss": lesson.make_example([-1e308, 1e308], label=0, temperature=0.001),
    "underflowing": lesson.make_example([-750, 3], label=0),
    "small": lesson.make_example([1e-9, -2e-9, 3e-10], temperature=1000),
    "subnormal": lesson.make_example([5e-324, -5e-324, 1e-310]),
    "nearly cancelling": lesson.make_example([0.1, 0.2, -0.3]),
    "ten": lesson.make_example([k * 7919 % 23 - 11 for k in range(10)], label=3),
    "a thousand": lesson.make_example([math.sin(k) * 5 for k in range(1000)], label=500),
    "perfectly wrong": lesson.make_example([1, 0, 0], "probabilities", label=2),
    "perfect": lesson.make_example([1, 0, 0], "probabilities", label=0),
    "probabilities": lesson.make_example([0.7, 0.2, 0.1], "probabilities", label=1),
}


@cache
def engine(source, language="en"):
    """The page's program with the data of a page of logits or of probabilities."""
    example = lesson.make_example([0.5, 0.5], source)
    data = page.page_data(explain(example), translator(language))
    context = quickjs.Context()
    for name in ("numbers.js", "rendering.js"):
        context.eval((page.HERE / name).read_text("utf-8"))
    context.eval(f"const DATA = {json_line(data)};")
    context.eval(GLUE)
    return context


def page_lesson(example, language="en"):
    """The steps as the page computes them: names, numbers and text."""
    context = engine(example.source, language)
    state = json_line(page.state_of(example))
    return json.loads(context.eval(f"lessonOf({state})"))


def strict(value):
    return json.loads(json_line({"value": value}))["value"]


def assert_same(page, command, place):
    if isinstance(command, list):
        assert len(page) == len(command), place
        for k, value in enumerate(command):
            assert_same(page[k], value, f"{place}[{k}]")
    elif isinstance(command, (int, float)) and not isinstance(command, bool):
        assert page == pytest.approx(command, rel=TOLERANCE, abs=TOLERANCE), place
    else:
        assert page == command, place


def assert_same_lesson(example):
    """Each number that the page computes is the command's, to 1e-12."""
    steps = lesson.build(example)
    ours = page_lesson(example)
    assert [step["name"] for step in ours] == [step.name for step in steps]
    for step, theirs in zip(ours, steps, strict=True):
        for name, value in theirs.numbers.items():
            if name in step["numbers"]:
                assert_same(step["numbers"][name], strict(value), f"{step['name']}.{name}")
        for part, other in ((step["text"], theirs.shown), (step["text"]["more"], theirs.more)):
            assert len(part["checks"]) == len(other.checks)
    return ours


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_computes_the_numbers_of_the_command(name):
    assert_same_lesson(EXAMPLES[name])


def random_example(chance):
    n_classes = chance.choice([2, 2, 3, 3, 10, 30])
    size = chance.choice([1e-3, 1, 1, 10, 100, 1e6, 1e200])
    near = [0.0, 1.0, -1.0, 0.5]
    logits = [
        chance.uniform(-size, size) if chance.random() < 0.8 else chance.choice(near)
        for _ in range(n_classes)
    ]
    return lesson.make_example(
        logits,
        label=chance.randrange(n_classes),
        temperature=chance.choice([1, 1, 1, 0.01, 0.7, 3, 500]),
        learning_rate=chance.choice([0.1, 1e-4, 3, 1000]),
    )


def test_the_page_computes_the_numbers_of_the_command_for_random_logits():
    chance = random.Random(0)
    for _ in range(150):
        assert_same_lesson(random_example(chance))


def test_the_page_computes_every_number_that_its_templates_name():
    for example in (EXAMPLES["named"], EXAMPLES["probabilities"]):
        for step in page_lesson(example):
            text = json.dumps(step["text"])
            assert "undefined" not in text
            assert "NaN" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["two logits", "named", "temperature", "overflowing", "ten"])
def test_the_page_says_what_the_command_says(name, language):
    example = EXAMPLES[name]
    without_digits = re.compile(r"[\d.×⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
    for ours, step in zip(page_lesson(example, language), lesson.build(example), strict=True):
        text = strict(step_text(step, example.shown, translator(language)))
        assert (ours["text"]["title"], ours["text"]["claim"]) == (text["title"], text["claim"])
        for part, expected in ((ours["text"], text), (ours["text"]["more"], text["more"])):
            for table in part["tables"]:
                table.pop("marked")
            # The page draws the curve of eᶻ, which is a sentence elsewhere.
            said = [line for line in expected["sentences"] if "▁" not in line]
            assert part["sentences"] == said, step.name
            assert part["tables"] == expected["tables"], step.name
            # A check of vectors also shows its rounding error, which differs.
            for line, check in zip(part["checks"], expected["checks"], strict=True):
                assert line == check or without_digits.sub("#", line) == without_digits.sub(
                    "#", check
                )


def test_long_tables_omit_the_same_classes_and_mark_the_true_one():
    example = EXAMPLES["a thousand"]
    step = next(step for step in lesson.build(example) if step.name == "exponentials")
    text = step_text(step, example.shown, str).tables[0]
    (ours,) = (
        step["text"]["tables"][0] for step in page_lesson(example) if step["name"] == "exponentials"
    )
    assert ours["rows"] == text.rows
    assert ours["rows"][ours["marked"]][0] == "500"
    assert any(len(row) == 1 for row in ours["rows"])


@pytest.mark.parametrize(
    "value", [0, 2, -0.5, 0.4750208, 1e-5, 4.54e-05, -1234567.0, 0.999999, 0.0002, math.pi * 1e20]
)
def test_the_page_writes_numbers_as_the_command_does(value):
    assert engine("logits").eval(f"number({value!r})") == number(value)


@pytest.mark.parametrize(
    ("file", "place", "function", "axes"),
    [
        ("page.html", "curve", lambda p: -math.log(p), (16, 190, 0, 1, 92, 6, 5)),
        ("squared_error.html", "curve first", lambda p: -math.log(p), (26, 420, 0, 1, 170, 8, 7)),
        (
            "squared_error.html",
            "curve second",
            lambda p: 2 * (1 - p) ** 2,
            (26, 420, 0, 1, 170, 8, 7),
        ),
        ("exponentials.html", "curve first", math.exp, (26, 420, -2, 2, 170, 8, 8)),
    ],
    ids=["strip", "cross-entropy", "squared error", "exponential"],
)
def test_a_fixed_curve_is_that_of_its_function(file, place, function, axes):
    left, right, least, most, bottom, top, highest = axes
    path = re.search(f'<path class="{place}" d="(.*?)"', page.read(file)).group(1)
    points = [tuple(map(float, point.split())) for point in re.split("[ML]", path)[1:]]
    assert points[-1][0] == right
    for x, y in points:  # with one decimal: a twentieth of a pixel to either side
        near = [
            least + (at - left) / (right - left) * (most - least) for at in (x - 0.06, x + 0.06)
        ]
        values = [function(max(value, 1e-9)) if least == 0 else function(value) for value in near]
        heights = [bottom - min(value, highest) / highest * (bottom - top) for value in values]
        assert min(heights) - 0.1 <= y <= max(heights) + 0.1


def test_the_text_of_misconceptions_comes_from_the_command():
    example = EXAMPLES["two logits"]
    explanation = explain(example)
    data = page.page_data(explanation, str)
    shown = [step_text(s, example.shown, str) for s in explanation.misconceptions]
    assert data["misconceptions"] == shown
    assert len(data["misconceptions"]) + len(data["more_misconceptions"]) == 10


def test_formulas_of_an_image_are_in_the_page_too():
    for name in ("IMAGE", "PATCHES", "LOGITS_OF_IMAGE"):
        template = getattr(picture_templates, name)
        assert page.mathml(template.formula, str).startswith("<math")
