"""Sections of the report, made of scores and records that are given."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from softmaxce.errors import ModelError
from softmaxce.metrics.scores import score
from softmaxce.preprocessing import Preprocessing
from softmaxce.views.report import charts, pictures
from softmaxce.views.report.confusion import confusion_section
from softmaxce.views.report.drawing import as_svg
from softmaxce.views.report.scores import calibration_section
from softmaxce.workflows.training_record import read_training_record


def scores_of(counts):
    """Scores with this confusion matrix."""
    counts = np.asarray(counts)
    cells = np.repeat(np.argwhere(np.ones_like(counts)), counts.ravel(), axis=0)
    log_p = np.log(np.eye(len(counts))[cells[:, 1]] * 0.9 + 0.1 / len(counts))
    return score(log_p, cells[:, 0])


def section_of(names, counts):
    subject = SimpleNamespace(
        scored=SimpleNamespace(scores=scores_of(counts)), model=SimpleNamespace(class_names=names)
    )
    return str(confusion_section(subject))


@pytest.mark.parametrize("n_classes", [2, 3, 14, 15, 30, 31, 100, 1000])
def test_both_axes_of_the_confusion_matrix_have_the_names(n_classes):
    names = [f"class {k}" for k in range(n_classes)]
    counts = 3 * np.eye(n_classes, dtype=int) + np.eye(n_classes, k=1, dtype=int)
    page = section_of(names, counts)
    columns, rows = (
        re.findall(f'<th scope="{scope}" title="(.*?)"><span>(.*?)</span>', page)
        for scope in ("col", "row")
    )
    assert columns[: len(rows)] == rows
    assert len(rows) == min(n_classes, 30)
    assert {title for title, _ in rows} <= set(names)
    assert ("most confused of" in page) == (n_classes > 30)
    assert len(page) < 200_000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#x27;"),
        ("고양이", "고양이"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a" * 30, "a" * 10 + "…" + "a" * 9),
    ],
)
def test_names_from_outside_are_escaped_in_both_matrices(name, shown):
    counts = [[3, 2], [1, 4]]
    page = section_of([name, "b"], counts)
    assert page.count(f"<span>{shown}</span>") == 2
    drawn = as_svg(charts.confusion([name, "b"], scores_of(counts)))
    for text in (page, drawn):
        assert "<b>" not in text.replace("<b>2", "")
        assert "\x1b" not in text
    assert drawn.count(f">{shown[:3]}") >= 2


def test_a_larger_proportion_always_has_a_stronger_colour():
    """Half of a row is not drawn like a fifth of it, on the page and in the file."""
    shares = [1, 5, 21, 50, 96]
    counts = np.zeros((6, 6), int)
    for row, share in enumerate(shares):
        counts[row, row], counts[row, 5] = 100 - share, share
    names = list("abcdef")
    page, drawn = section_of(names, counts), as_svg(charts.confusion(names, scores_of(counts)))
    of_page = re.findall(r'class="miss" style="--p:([\d.]+)" title="[^"]*predicted as', page)
    of_file = re.findall(r'class="fill-bad" fill-opacity="([\d.]+)"', drawn)
    for found in (list(map(float, of_page)), list(map(float, of_file))):
        assert len(found) == len(shares)
        assert found == sorted(set(found))
        assert found[3] > 1.3 * found[2]
    assert "&#x27;d&#x27; predicted as &#x27;f&#x27;: 50 of 100, 50.0 %" in page
    assert "21<br><small>21 %</small>" in page


def record(**fields):
    return read_training_record({"l2": 0.01, **fields}, 2)


PATH = [[0.1, 0.9], [0.01, 0.7], [0.001, 0.8]]


def test_the_chart_of_the_penalties_has_both_cross_entropies_and_marks_the_chosen_one():
    drawn = as_svg(charts.penalties(record(l2_path=PATH, l2_path_training=[0.8, 0.4, 0.1])))
    for words in ("validation images", "training images", "chosen: 0.01", "penalty l2", "(nats)"):
        assert words in drawn
    assert [role for role in ("second", "accent") if f'class="stroke-{role}" points' in drawn] == [
        "second",
        "accent",
    ]
    assert ">0.900<" in drawn  # both lines have one scale, from 0.1 to 0.9
    assert ">0.100<" in drawn


def test_models_of_earlier_versions_have_the_validation_cross_entropy_alone():
    drawn = as_svg(charts.penalties(record(l2_path=PATH)))
    assert "validation images" in drawn
    assert "training images" not in drawn
    assert "chosen: 0.01" in drawn


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"l2_path": PATH[:1], "l2_path_training": [0.8]},
        {"l2_path": [[0.1, float("inf")], [0.01, 0.7]]},
    ],
)
def test_without_a_path_that_can_be_drawn_there_is_no_chart(fields):
    assert charts.penalties(record(**fields)) is None


@pytest.mark.parametrize("wrong", [[0.8], [0.8, 0.4, 0.1, 0], "abc", [None] * 3, 7])
def test_a_damaged_path_is_refused(wrong):
    with pytest.raises(ModelError, match="the model is damaged"):
        record(l2_path=PATH, l2_path_training=wrong)


def test_labels_of_many_fits_do_not_overlap():
    stages = [(f"l2 {10.0**-k:.2g}", [1.0 / k, 0.9 / k]) for k in range(1, 14)]
    drawn = as_svg(charts.objective_history(stages))
    starts = [float(x) for x in re.findall(r'x="([\d.]+)"[^>]*>l2 ', drawn)]
    assert len(starts) > 3
    assert min(np.diff(starts)) > 30


def test_the_mean_of_each_class_is_that_of_its_images():
    from softmaxce.data.pixel_dataset import Subset
    from softmaxce.workflows.scored_subset import ScoredSubset

    random = np.random.default_rng(0)
    pixels, labels = random.integers(0, 256, (5000, 12), dtype=np.uint8), np.arange(5000) % 3
    labels[labels == 1] = 2  # class 1 has no images
    dataset = SimpleNamespace(pixels=pixels, labels=labels)
    rows = np.flatnonzero(np.arange(5000) % 7)  # more than one block
    scored = ScoredSubset(None, Subset(dataset, rows), None, None)
    means = scored.mean_pixels(3)
    assert list(means) == [0, 2]
    for k, mean in means.items():
        np.testing.assert_array_equal(mean, np.rint(pixels[rows][labels[rows] == k].mean(axis=0)))
    assert list(scored.mean_pixels(1)) == [0]


@pytest.mark.parametrize(("n", "words"), [(1, "1 image"), (2, "2 images"), (1200, "1,200 images")])
def test_the_tooltips_of_the_reliability_diagram_count_images(n, words):
    scores = scores_of([[n, 0], [0, 0]])
    titles = re.findall("<title>(.*?)</title>", as_svg(charts.reliability(scores, scores)))
    assert f"confidence 95.0 %, accuracy 100.0 %, {words}" in titles
    assert f"{words} from 93.3 % to 100.0 %" in titles


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.7, "70.0 %"),
        (0.0005, "0.1 %"),
        (0.0001, "&lt;0.1 %"),
        (1e-9, "&lt;0.1 %"),
        (0.0, "&lt;0.1 %"),
    ],
)
def test_probabilities_of_images_are_all_per_cent(p, shown):
    scored = SimpleNamespace(
        scores=SimpleNamespace(labels=[0], predicted=[1], cross_entropies=[2.0]),
        probabilities=lambda position: np.array([p, 1 - p]),
        path=lambda position: "a/1.png",
        pixels=lambda position: np.zeros(3, np.uint8),
    )
    size = Preprocessing(1, 1, 3)
    model = SimpleNamespace(class_names=["a", "b"], preprocessing=size)
    card = pictures._card(SimpleNamespace(scored=scored, model=model), 0)
    assert f"<span>a</span><span>{shown}</span>" in card


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-0.55, "−0.550"),
        (12.3456, "+12.346"),
        (0.012345, "+0.0123"),
        (-0.00004, "−4.00e−05"),
        (0, "+0.000"),
    ],
)
def test_weights_have_a_minus_sign_and_enough_digits(value, shown):
    assert pictures._signed(value) == shown


def test_extreme_weights_of_large_images_are_not_0():
    weights = np.array([[0.0, 0.000123], [-0.04, 0.0]])
    assert list(pictures._extremes(weights)) == [
        "row 0, column 1 (+0.000123)",
        "row 1, column 0 (−0.0400)",
    ]


def calibration_of(temperature):
    """The section on calibration of the same logits, divided by the temperature."""
    logits, labels = np.random.default_rng(0).normal(size=(200, 3)), np.arange(200) % 3

    def scores(logits):
        return score(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), labels)

    scored = SimpleNamespace(scores=scores(logits / temperature), uncalibrated=scores(logits))
    model = SimpleNamespace(temperature=temperature, training={})
    subject = SimpleNamespace(scored=scored, model=model, coverage=None)
    return str(calibration_section(subject))


@pytest.mark.parametrize("temperature", [1 + 1e-7, 1 - 1e-7, 1.000001])
def test_a_calibration_without_effect_has_one_row(temperature):
    page = calibration_of(temperature)
    assert "Calibration has no effect: the temperature is 1.00." in page
    assert "divides the logits" not in page
    assert page.count(">uncalibrated<") == 1
    assert "before calibration" not in page
    assert ">calibrated<" not in page


def test_a_calibration_with_an_effect_has_two_rows():
    page = calibration_of(1.004)
    assert "divides the logits by a temperature of 1.004," in page
    assert "no effect" not in page
    assert page.count(">uncalibrated<") == page.count(">calibrated<") == 1


def test_without_calibration_there_is_one_row():
    page = calibration_of(1.0)
    assert "The model is not calibrated: its temperature is 1." in page
    assert ">calibrated<" not in page
