"""Verdicts and findings in words, which the terminal, JSON and the report share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from softmaxce.errors import first_and_more
from softmaxce.findings import Finding, Verdict
from softmaxce.views.formatting import change, command, nats, percent
from softmaxce.views.score_tables import SPLIT_TITLES
from softmaxce.workflows.assessment import Assessment

Values = Mapping[str, Any]

_GRADES = {
    "good": "Good",
    "useful": "Useful, with errors",
    "weak": "Not good enough to rely on",
    "no_skill": "Not clearly better than always predicting '{0}'",
    "too_few": "Too few images to tell",
}


def verdict_text(verdict: Verdict) -> str:
    """The verdict as one sentence."""
    of = verdict.evidence
    if verdict.kind == "untested":
        return (
            "Not tested: all images were used for training, so nothing is known about new ones "
            f"({percent(of['accuracy'])} of the training images are classified correctly)."
        )
    if verdict.kind == "copies":
        without = of["accuracy_without"]
        rest = ""
        if without is not None:
            rest = f"; the accuracy on the others is {percent(without)}"
        which = _part(of["n_copies"], of["n_images"])
        return f"Not a fair test: {which} images are also training images{rest}."
    if verdict.kind == "one_class":
        which = f"all {of['n_images']:,} images are" if of["n_images"] > 1 else "the only image is"
        return f"No verdict: {which} '{of['majority_class']}'."
    if verdict.kind == "reused":
        which = _part(of["n_shared"], of["n_images"])
        return (
            f"Not a fair test: {which} test images are also validation images, which were used to "
            f"choose the penalty (accuracy {percent(of['accuracy'])})."
        )
    low, high = (percent(bound).removesuffix(" %") for bound in of["interval"])
    correct = f"{percent(of['accuracy'])} of new images"
    if verdict.kind == "too_few":
        correct = f"{of['n_correct']:,} of {of['n_images']:,} images"
    grade = _GRADES[verdict.kind].format(of["majority_class"])
    return (
        f"{grade}: {correct} are classified correctly (95 % CI {low} to {high}; always predicting "
        f"'{of['majority_class']}': {percent(of['majority_baseline'])})."
    )


def finding_text(finding: Finding) -> str:
    """The finding as one or two sentences."""
    return _SENTENCES[finding.kind](finding.evidence)


def remedy_text(finding: Finding, command_line: str) -> str:
    """The command that may help; '' if there is none, or if it is `command_line`, which was run.

    Options are added to a training command. Otherwise it is not known how the model was trained.
    """
    if not finding.remedy:
        return ""
    name, *words = finding.remedy
    options = command(*words)
    if "--report" in words and "--report" in command_line:
        return ""
    if name != "train":
        return command("softmaxce", *finding.remedy)
    if options in command_line:
        return ""
    if command_line.startswith("softmaxce train"):
        return f"{command_line} {options}"
    return f"train again with {options}"


def as_objects(found: Assessment, command_line: str) -> dict[str, Any]:
    """The verdict and the findings as JSON objects."""
    return {
        "verdict": {
            "kind": found.verdict.kind,
            "text": verdict_text(found.verdict),
            **found.verdict.evidence,
        },
        "findings": [
            {
                "kind": finding.kind,
                "is_problem": finding.is_problem,
                "text": finding_text(finding),
                "evidence": finding.evidence,
                "remedy": remedy_text(finding, command_line),
            }
            for finding in found.findings
        ],
    }


def _part(n: int, n_all: int) -> str:
    return f"all {n_all:,}" if n == n_all else f"{n:,} of the {n_all:,}"


def _duration(of: Values) -> str:
    seconds = of.get("seconds_of_patches")
    if seconds is None:
        return ""
    in_words = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"
    return (
        f" Patch features often work much better on photographs; training takes about {in_words}."
    )


def _images(of: Values) -> str:
    return f"{SPLIT_TITLES[of['split']]} images" if of["split"] else "images"


def _others(n: int) -> str:
    return "1 other class" if n == 1 else f"{n:,} other classes"


def _missed_classes(of: Values) -> str:
    how = "rarely" if of["n_correct"] else "never"
    more = f" The same is true of {_others(of['n_more'])}." if of["n_more"] else ""
    if "n_training" in of:
        n, n_all = of["n_training"], of["n_training_all"]
        more = f" It has {n:,} of the {n_all:,} training images.{more}"
    counts = f"{of['n_correct']:,} of {of['support']:,} images"
    return f"'{of['class']}' is {how} recognised: {counts}.{more}"


def _few_images(of: Values) -> str:
    low, high = (percent(bound).removesuffix(" %") for bound in of["interval"])
    n_classes = f"{of['n_classes']:,} classes" if of["n_classes"] > 1 else "1 class"
    return (
        f"Few {_images(of)} ({of['n_images']:,} in {n_classes}): the true accuracy may be anywhere "
        f"between {low} and {high} %, and the scores of individual classes are unreliable."
    )


_SENTENCES: Mapping[str, Callable[[Values], str]] = {
    "validation_in_test": lambda of: (
        f"{_part(of['count'], of['n_images']).capitalize()} test images are also validation "
        "images. They were used to choose the penalty, so the test scores are too optimistic."
    ),
    "contradictory_labels": lambda of: (
        f"{of['count']:,} {'picture is' if of['count'] == 1 else 'pictures are'} in more than one "
        "class, so some labels are wrong."
    ),
    "unexplained_labels": lambda of: (
        "The model found nothing in the images that predicts the class. Check the labels."
        f"{_duration(of)}"
    ),
    "not_converged": lambda _: "Training stopped before it converged.",
    "few_training_images": lambda of: (
        f"Few training images: {of['n_images']:,} in {of['n_classes']:,} classes."
    ),
    "overfitting": lambda of: (
        f"Overfitting: {percent(of['training_accuracy'])} of the training images are classified "
        f"correctly, but only {percent(of['accuracy'])} of new images.{_duration(of)}"
    ),
    "pixels_limit": lambda of: (
        "Pixels alone do not separate the classes: even of the training images, only "
        f"{percent(of['training_accuracy'])} are classified correctly.{_duration(of)}"
    ),
    "missed_classes": _missed_classes,
    "confused_classes": lambda of: (
        f"'{of['class']}' is usually predicted as '{of['predicted']}' ({of['count']:,} of "
        f"{of['support']:,} images)."
    ),
    "imbalance": lambda of: (
        f"Imbalance: '{of['largest_class']}' has {of['largest']:,} training images, "
        f"but '{of['smallest_class']}' has only {of['smallest']:,}."
    ),
    "few_images": _few_images,
    "absent_classes": lambda of: (
        f"No {_images(of)} of {first_and_more(of['classes'], 3)}, so their scores are unknown."
    ),
    "calibration_harms": lambda of: (
        "Calibration increases the cross-entropy on these images: "
        f"{change(nats(of['before']), nats(of['after']))}."
    ),
    "penalty_at_end": lambda of: (
        f"The best penalty is the {of['end']} one tried; a "
        f"{'smaller' if of['end'] == 'smallest' else 'larger'} one might be better."
    ),
}
