"""What scores mean: a verdict on a model, and findings, each with its evidence and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from softmaxce.metrics.comparison import binomial_p_value
from softmaxce.metrics.group_intervals import difference_of_means_interval
from softmaxce.metrics.intervals import Z_95, difference_interval, wilson_interval
from softmaxce.metrics.scores import Scores

MAX_FINDINGS = 4

# What counts. Skill is the share of the way from the majority baseline to 100 % accuracy.
SIGNIFICANT = 0.01  # p-value; stricter than usual: the validation images also chose the penalty
USEFUL, GOOD = 0.5, 0.8  # skill
MANY_COPIES = 0.05  # proportion of images that were also used for training or validation
OVERFITTED = 0.1  # lower end of the interval of training accuracy − accuracy
RARELY = 0.5  # recall / accuracy
FEW_OF_CLASS = 20  # images per class: one of them changes the recall by 5 points
FEW_FOR_SPLIT = 50  # images per class: from fewer, a validation split of a fifth says little
TOO_FEW_OF_CLASS = 5  # images per class: fewer say nothing about a single class
MOSTLY = 1 / 3  # lower end of the interval of the proportion predicted as one other class
IMBALANCED = 5  # largest class / smallest class

_FOLDS = ("train", "--folds", "5")
_BALANCED = ("train", "--class-weight", "balanced")


@dataclass(frozen=True)
class Finding:
    """One finding.

    kind: its name, for programs; evidence: numbers and names; is_problem: whether something should
    be done, as opposed to a remark; remedy: the words of a command after `softmaxce`, where
    ("train", *options) means the training with these options; () if there is none.
    """

    kind: str
    evidence: Mapping[str, Any]
    is_problem: bool = True
    remedy: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether to rely on a model: kind and evidence as in Finding.

    kind: "untested", "copies" (of training images), "reused" (validation images), "one_class",
    "too_few" (images to tell), "no_skill", "weak", "useful" or "good".
    """

    kind: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known about a model and the images that it is scored on.

    split: "train", "validation", "cross_validation", "test", or None for other images; training:
    accuracy and number of the training images; train_counts: of each class; n_copies: scored images
    that are also training images; accuracy_without: the accuracy without them;
    n_shared: test images that are also validation images; n_contradictory: pictures that are in
    several classes; l2_path_end: "smallest" or "largest" if the best l2 of its path was;
    patches_may_help: whether patch features are likely to be better, after training for about
    seconds_of_patches. Empty or None: unknown.
    """

    class_names: Sequence[str]
    scores: Scores
    uncalibrated: Scores
    split: str | None
    folder: str
    model_path: str
    training: tuple[float, int] | None = None
    train_counts: Sequence[int] = ()
    is_balanced: bool = False
    n_copies: int = 0
    accuracy_without: float | None = None
    n_shared: int = 0
    n_contradictory: int = 0
    l2_path_end: str = ""
    converged: bool = True
    patches_may_help: bool = False
    seconds_of_patches: float | None = None

    @property
    def skill(self) -> float:
        """The share of the way from the majority baseline to an accuracy of 100 %."""
        baseline = self.scores.majority_baseline
        return (self.scores.accuracy - baseline) / (1 - baseline) if baseline < 1 else 0.0

    @cached_property
    def p_value(self) -> float:
        """The probability that always predicting the most frequent class of as many other images
        is correct at least as often."""
        scores = self.scores
        worth = (scores.n_effective_correct or scores.n_images) / scores.n_images
        n_correct, n_images = int(scores.n_correct * worth), max(int(scores.n_images * worth), 1)
        return binomial_p_value(n_correct, n_images, scores.majority_baseline)

    @property
    def has_skill(self) -> bool:
        """Whether the model is better than the majority baseline by more than chance explains."""
        return self.p_value < SIGNIFICANT


def verdict(known: Evidence) -> Verdict:
    """Whether to rely on the model."""
    scores = known.scores
    majority = max(range(scores.n_classes), key=lambda k: scores.per_class[k].support)
    evidence = {
        "n_correct": scores.n_correct,
        "n_images": scores.n_images,
        "accuracy": scores.accuracy,
        "interval": scores.accuracy_interval,
        "majority_class": known.class_names[majority],
        "majority_baseline": scores.majority_baseline,
        "p_value": known.p_value,
        "skill": known.skill,
    }
    if known.split == "train":
        return Verdict("untested", evidence)
    if known.n_shared > MANY_COPIES * scores.n_images:
        return Verdict("reused", {**evidence, "n_shared": known.n_shared})
    if known.n_copies > MANY_COPIES * scores.n_images:
        copies = {"n_copies": known.n_copies, "accuracy_without": known.accuracy_without}
        return Verdict("copies", {**evidence, **copies})
    if scores.n_present == 1 and len(known.class_names) > 1:
        return Verdict("one_class", evidence)
    if not known.has_skill:
        return Verdict("too_few" if _is_small(scores) else "no_skill", evidence)
    if known.skill < USEFUL:
        return Verdict("weak", evidence)
    is_good = known.skill >= GOOD and _missed_classes(known) is None
    return Verdict("good" if is_good else "useful", evidence)


def findings(known: Evidence) -> tuple[Finding, ...]:
    """At most MAX_FINDINGS, problems before remarks, the most important first."""
    found = [finding for rule in _RULES if (finding := rule(known)) is not None]
    return tuple(sorted(found, key=lambda finding: not finding.is_problem)[:MAX_FINDINGS])


def _is_small(scores: Scores) -> bool:
    return scores.n_images < FEW_OF_CLASS * scores.n_present


def _shared_images(known: Evidence) -> Finding | None:
    if not known.n_shared:
        return None
    evidence = {"count": known.n_shared, "n_images": known.scores.n_images}
    return Finding("validation_in_test", evidence)


def _contradictory_labels(known: Evidence) -> Finding | None:
    if not known.n_contradictory:
        return None
    evidence = {"count": known.n_contradictory}
    return Finding("contradictory_labels", evidence, remedy=("check", known.folder))


def _not_converged(known: Evidence) -> Finding | None:
    return None if known.converged else Finding("not_converged", {})


def _unexplained_labels(known: Evidence) -> Finding | None:
    if verdict(known).kind != "no_skill" or _few_training_images(known):
        return None
    balanced = next(m for m in known.scores.metrics if m.name == "balanced_accuracy")
    if balanced.interval[0] > balanced.baseline:  # the classes differ, but one is very frequent
        return None
    return Finding(
        "unexplained_labels", _time(known), remedy=_patches(known) or _with_report(known)
    )


def _few_training_images(known: Evidence) -> Finding | None:
    n, n_classes = sum(known.train_counts), sum(count > 0 for count in known.train_counts)
    if known.skill >= USEFUL or not n or n >= FEW_OF_CLASS * n_classes:
        return None
    return Finding("few_training_images", {"n_images": n, "n_classes": n_classes})


def _patches(known: Evidence) -> tuple[str, ...]:
    return ("train", "--features", "patches") if known.patches_may_help else ()


def _time(known: Evidence) -> Mapping[str, Any]:
    seconds = known.seconds_of_patches
    return {"seconds_of_patches": seconds} if seconds and known.patches_may_help else {}


def _overfitting(known: Evidence) -> Finding | None:
    if known.training is None or known.split == "train" or known.n_copies:
        return None
    if not known.has_skill or _few_training_images(known):
        return None  # which is the reason
    accuracy, n_training = known.training
    low, high = difference_interval(
        (round(accuracy * n_training), n_training),
        (known.scores.n_correct, known.scores.n_images),
        known.scores.n_effective_correct,
    )
    if low < OVERFITTED or known.skill >= USEFUL:
        return None
    evidence = {
        "training_accuracy": accuracy,
        "accuracy": known.scores.accuracy,
        "interval_of_gap": (low, high),
        **_time(known),
    }
    return Finding("overfitting", evidence, remedy=_patches(known))


def _pixels_limit(known: Evidence) -> Finding | None:
    """Not even the training images are classified well: the features are too weak."""
    if not known.patches_may_help or known.training is None or known.skill >= USEFUL:
        return None
    if known.training[0] >= GOOD or known.n_copies:
        return None
    if _overfitting(known) or _unexplained_labels(known):
        return None
    evidence = {"training_accuracy": known.training[0], **_time(known)}
    return Finding("pixels_limit", evidence, remedy=_patches(known))


def _missed_classes(known: Evidence) -> Finding | None:
    scores = known.scores
    if known.split == "train" or not known.has_skill:
        return None
    limit = RARELY * scores.accuracy
    missed = [
        (c.recall, -c.support, k)
        for k, c in enumerate(scores.per_class)
        if c.support >= TOO_FEW_OF_CLASS and (c.recall_interval or (0, 1))[1] < limit
    ]
    if not missed:
        return None
    worst, counts = min(missed)[2], known.train_counts
    evidence = {
        "class": known.class_names[worst],
        "n_correct": scores.per_class[worst].n_correct,
        "support": scores.per_class[worst].support,
        "n_more": len(missed) - 1,
    }
    if counts:
        evidence |= {"n_training": counts[worst], "n_training_all": sum(counts)}
    is_rare = bool(counts) and counts[worst] < 0.5 * sum(counts) / len(counts)
    return Finding(
        "missed_classes",
        evidence,
        remedy=_BALANCED if is_rare and not known.is_balanced else _with_report(known),
    )


def _with_report(known: Evidence) -> tuple[str, ...]:
    if known.split is not None:
        return "train", "--report", "report.html"
    return "evaluate", known.folder, "-m", known.model_path, "--report", "report.html"


def _confused_classes(known: Evidence) -> Finding | None:
    if known.split == "train" or not known.has_skill:
        return None
    for c in known.scores.confusions:
        worth = known.scores.per_class[c.label].effective_support
        is_mostly = wilson_interval(c.count, c.support, worth)[0] > MOSTLY
        if is_mostly and c.count > known.scores.per_class[c.label].n_correct:
            names = known.class_names[c.label], known.class_names[c.predicted]
            evidence = dict(zip(("class", "predicted"), names, strict=True))
            counts = {"count": c.count, "support": c.support}
            return Finding("confused_classes", {**evidence, **counts}, remedy=_with_report(known))
    return None


def _imbalance(known: Evidence) -> Finding | None:
    counts = [n for n in known.train_counts if n]
    if known.is_balanced or max(counts, default=0) < FEW_OF_CLASS:
        return None
    if max(counts) < IMBALANCED * min(counts):
        return None
    missed = _missed_classes(known)
    if missed is not None and missed.remedy == _BALANCED:
        return None  # which says it with an example
    evidence = {
        "largest_class": known.class_names[known.train_counts.index(max(counts))],
        "largest": max(counts),
        "smallest_class": known.class_names[known.train_counts.index(min(counts))],
        "smallest": min(counts),
    }
    return Finding("imbalance", evidence, remedy=_BALANCED)


def _few_images(known: Evidence) -> Finding | None:
    scores, kind = known.scores, verdict(known).kind
    if kind in ("untested", "copies", "reused", "one_class") or not _is_small(scores):
        return None
    evidence = {
        "split": known.split,
        "n_images": scores.n_images,
        "n_classes": scores.n_present,
        "interval": scores.accuracy_interval,
    }
    is_problem = kind == "too_few" or scores.n_correct == scores.n_images
    n = scores.n_images + sum(known.train_counts)
    needs_folds = known.split == "validation" and n < FEW_FOR_SPLIT * scores.n_present
    return Finding("few_images", evidence, is_problem, _FOLDS if needs_folds else ())


def _absent_classes(known: Evidence) -> Finding | None:
    absent = [k for k, c in enumerate(known.scores.per_class) if not c.support]
    if known.split == "train" or not absent:
        return None
    names = [known.class_names[k] for k in absent]
    return Finding("absent_classes", {"split": known.split, "classes": names})


def _calibration(known: Evidence) -> Finding | None:
    if known.split == "train" or known.n_copies or known.uncalibrated is known.scores:
        return None
    gained = known.uncalibrated.cross_entropies - known.scores.cross_entropies
    if known.scores.groups is not None:
        is_harmful = difference_of_means_interval(gained, known.scores.groups)[1] < 0
    else:
        mean, error = float(gained.mean()), float(gained.std()) / known.scores.n_images**0.5
        is_harmful = mean < -Z_95 * error
    if not is_harmful:  # also if a loss is infinite
        return None
    before, after = known.uncalibrated.cross_entropy, known.scores.cross_entropy
    return Finding("calibration_harms", {"before": before, "after": after}, is_problem=False)


def _penalty_at_end(known: Evidence) -> Finding | None:
    if not known.l2_path_end:
        return None
    return Finding("penalty_at_end", {"end": known.l2_path_end}, is_problem=False)


_RULES: tuple[Callable[[Evidence], Finding | None], ...] = (  # the most important first
    _shared_images,
    _contradictory_labels,
    _unexplained_labels,
    _not_converged,
    _few_training_images,
    _overfitting,
    _pixels_limit,
    _missed_classes,
    _absent_classes,
    _imbalance,
    _confused_classes,
    _few_images,
    _calibration,
    _penalty_at_end,
)
