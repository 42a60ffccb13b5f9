"""The verdict and the findings in constructed situations, and how often chance misleads them."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import PETS
from scipy.stats import binom

from softmaxce.data.pixel_dataset import load_for_training
from softmaxce.data.sources import find_splits
from softmaxce.findings import MAX_FINDINGS, Evidence, findings, verdict
from softmaxce.layers import forward
from softmaxce.metrics.comparison import binomial_p_value
from softmaxce.metrics.intervals import difference_interval
from softmaxce.metrics.scores import Scores, score
from softmaxce.numerics import log_softmax
from softmaxce.training.fitting import fit
from softmaxce.training.rows import Rows


def scores_of(confusion, sharpness=3.0):
    """Scores with this confusion matrix; sharpness: the logit of each prediction."""
    counts = np.array(confusion)
    labels, predicted = (
        np.repeat(i, counts.reshape(-1)) for i in np.indices(counts.shape).reshape(2, -1)
    )
    logits = np.zeros((len(labels), len(counts)))
    logits[np.arange(len(labels)), predicted] = sharpness
    return score(log_softmax(logits, axis=1), labels)


def evidence(confusion, sharpness=3.0, **known):
    scores = scores_of(confusion, sharpness)
    names = ["cat", "dog", "person", "wolf"][: scores.n_classes]
    of_classes = [c.support * 4 for c in scores.per_class]
    known = {"split": "test", "uncalibrated": scores, "train_counts": of_classes, **known}
    return Evidence(names, scores, folder="set", model_path="model.npz", **known)


GOOD = [[38, 1, 1], [2, 37, 1], [0, 1, 39]]
USEFUL = [[30, 6, 4], [5, 32, 3], [4, 4, 32]]
WEAK = [[24, 10, 6], [10, 22, 8], [9, 8, 23]]
UNEQUAL = [[98, 1, 1], [1, 58, 1], [0, 1, 14]]
RANDOM = [[14, 13, 13], [13, 13, 14], [14, 13, 13]]

SITUATIONS = {
    "healthy": (evidence(GOOD, training=(0.98, 480)), "good", []),
    "healthy with errors": (
        evidence([[30, 6, 4], [5, 32, 3], [4, 4, 32]], training=(0.85, 480)),
        "useful",
        [],
    ),
    "random labels": (evidence(RANDOM), "no_skill", ["unexplained_labels"]),
    "random labels, photographs": (
        evidence(RANDOM, patches_may_help=True, training=(1.0, 480)),
        "no_skill",
        ["unexplained_labels"],
    ),
    "only the majority": (
        evidence([[80, 0, 0], [20, 0, 0], [20, 0, 0]]),
        "no_skill",
        ["unexplained_labels"],
    ),
    "a rare class is hidden by a frequent one": (
        evidence([[72, 0], [3, 5]], train_counts=[288, 32]),
        "no_skill",
        ["imbalance"],
    ),
    "few training images": (
        evidence(WEAK, training=(1.0, 9), train_counts=[3, 3, 3], patches_may_help=True),
        "weak",
        ["few_training_images"],
    ),
    "one class": (evidence([[40, 0], [0, 0]]), "one_class", ["absent_classes"]),
    "one image": (
        evidence([[1, 0], [0, 0]], train_counts=[40, 40]),
        "one_class",
        ["absent_classes"],
    ),
    "a tie among few": (
        evidence([[1, 0], [1, 0]], train_counts=[40, 40]),
        "too_few",
        ["few_images"],
    ),
    "overfitting": (evidence(WEAK, training=(0.95, 480)), "weak", ["overfitting"]),
    "weak features": (
        evidence(WEAK, training=(0.62, 480), patches_may_help=True),
        "weak",
        ["pixels_limit"],
    ),
    "weak, nothing to suggest": (evidence(WEAK, training=(0.62, 480)), "weak", []),
    "copies": (evidence(GOOD, n_copies=60, accuracy_without=0.8), "copies", []),
    "all copies": (evidence(GOOD, n_copies=120), "copies", []),
    "a few copies": (evidence(GOOD, n_copies=2, accuracy_without=0.94), "good", []),
    "validation and test are the same": (
        evidence(GOOD, n_shared=120),
        "reused",
        ["validation_in_test"],
    ),
    "a few test images in validation": (
        evidence(GOOD, n_shared=3),
        "good",
        ["validation_in_test"],
    ),
    "contradictory labels": (evidence(GOOD, n_contradictory=3), "good", ["contradictory_labels"]),
    "never recognised": (
        evidence([[60, 0, 0], [0, 58, 2], [6, 6, 0]], training=(0.95, 528)),
        "useful",
        ["missed_classes"],
    ),
    "imbalance": (
        evidence(UNEQUAL, train_counts=[800, 300, 100]),
        "good",
        ["imbalance"],
    ),
    "imbalance, balanced": (
        evidence(
            [[98, 1, 1], [1, 58, 1], [0, 1, 14]], train_counts=[800, 300, 100], is_balanced=True
        ),
        "good",
        [],
    ),
    "confused": (
        evidence([[39, 1, 0, 0], [0, 38, 2, 0], [1, 0, 39, 0], [1, 27, 0, 12]]),
        "useful",
        ["confused_classes"],
    ),
    "tiny, all right": (evidence([[4, 0], [0, 4]]), "good", ["few_images"]),
    "tiny, some right": (
        evidence([[2, 1], [1, 2]], train_counts=[40, 40]),
        "too_few",
        ["few_images"],
    ),
    "few": (evidence([[9, 1, 0], [0, 9, 1], [1, 0, 9]]), "good", ["few_images"]),
    "absent class": (evidence([[40, 0, 0], [2, 38, 0], [0, 0, 0]]), "good", ["absent_classes"]),
    "not converged": (evidence(GOOD, converged=False), "good", ["not_converged"]),
    "penalty at the end": (evidence(GOOD, l2_path_end="smallest"), "good", ["penalty_at_end"]),
    "calibration harms": (
        evidence(GOOD, sharpness=2.0, uncalibrated=scores_of(GOOD, sharpness=3.6)),
        "good",
        ["calibration_harms"],
    ),
    "training only": (evidence(WEAK, split="train", training=(0.57, 120)), "untested", []),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_situation_gives_its_verdict_and_its_findings(name):
    known, expected_verdict, expected = SITUATIONS[name]
    assert verdict(known).kind == expected_verdict
    assert [finding.kind for finding in findings(known)] == expected


def test_problems_come_before_remarks_and_there_are_at_most_four():
    known = evidence(
        [[60, 0, 0], [0, 10, 50], [0, 0, 0]],
        l2_path_end="largest",
        n_shared=5,
        n_contradictory=1,
        converged=False,
        training=(1.0, 480),
    )
    found = findings(known)
    assert len(found) == MAX_FINDINGS
    assert [f.kind for f in found][:2] == ["validation_in_test", "contradictory_labels"]


def test_a_rare_class_that_is_missed_gets_class_weights():
    known = evidence([[60, 0, 0], [0, 58, 2], [6, 6, 0]])
    assert findings(known)[0].remedy == ("train", "--class-weight", "balanced")
    assert findings(known)[0].evidence["class"] == "person"


@pytest.mark.parametrize(
    ("n_correct", "n", "p"), [(7, 10, 0.5), (0, 5, 0.2), (5, 5, 0.2), (41_000, 100_000, 0.4)]
)
def test_the_p_value_is_that_of_the_binomial_distribution(n_correct, n, p):
    assert binomial_p_value(n_correct, n, p) == pytest.approx(
        binom.sf(n_correct - 1, n, p), rel=1e-8
    )


def test_certain_and_impossible_baselines():
    assert binomial_p_value(3, 3, 1.0) == 1.0
    assert binomial_p_value(1, 3, 0.0) == 0.0


def test_the_difference_interval_is_newcombes():
    # Newcombe 1998, table II, method 10: 56/70 against 48/80, and 9/10 against 3/10.
    assert difference_interval((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert difference_interval((9, 10), (3, 10)) == pytest.approx((0.1705, 0.8090), abs=5e-5)


@pytest.fixture(scope="module")
def pets():
    """Pixels and labels of the training and test images of the sample set."""
    splits = find_splits(PETS)
    sets = [load_for_training(splits[name]) for name in ("train", "test")]
    return [(np.asarray(images.pixels[:]), images.labels) for images in sets]


def outcome(training, validation, test):
    """What is found about a model that is fitted to (pixels, labels)."""
    fitted = fit(*training, 3, validation=Rows(*validation))

    def scores(pixels, labels) -> Scores:
        return score(log_softmax(forward(fitted.layers, pixels / 255), axis=1), labels)

    of_training, of_test = scores(*training), scores(*test)
    counts = [c.support for c in of_training.per_class]
    return Evidence(
        ["cat", "dog", "person"],
        of_test,
        of_test,
        "test",
        "pets",
        "model.npz",
        training=(of_training.accuracy, of_training.n_images),
        train_counts=counts,
        converged=fitted.converged,
        patches_may_help=of_test.accuracy < 0.8,
    )


@pytest.mark.slow
def test_shuffled_labels_show_no_skill_in_at_least_95_of_100_sets(pets):
    """Scored on the validation images that chose the penalty, which is the hardest case."""
    pixels, labels = pets[0]
    n_claimed = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        order, mixed = rng.permutation(len(labels)), rng.permutation(labels)
        parts = [(pixels[rows], mixed[rows]) for rows in np.split(order, [len(order) * 3 // 4])]
        n_claimed += verdict(outcome(*parts, parts[1])).kind in ("weak", "useful", "good")
    assert n_claimed <= 10


@pytest.mark.slow
def test_healthy_sets_raise_an_alarm_in_at_most_5_of_100(pets):
    """Four fifths of the sample set, drawn anew each time."""
    n_alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        drawn = []
        for pixels, labels in pets:
            rows = rng.permutation(len(labels))[: len(labels) * 4 // 5]
            drawn.append((pixels[rows], labels[rows]))
        pixels, labels = drawn[0]
        cut = len(labels) * 3 // 4
        parts = [(pixels[p], labels[p]) for p in (slice(cut), slice(cut, None))]
        known = outcome(*parts, drawn[1])
        is_alarm = verdict(known).kind not in ("useful", "good")
        n_alarms += is_alarm or any(finding.is_problem for finding in findings(known))
    assert n_alarms <= 10
