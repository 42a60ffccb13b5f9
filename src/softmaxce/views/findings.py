"""Verdicts and findings in words, which the terminal, JSON and the report share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from softmaxce.errors import first_and_more
from softmaxce.findings import Finding, Verdict
from softmaxce.views.formatting import change, command, counted, nats, percent
from softmaxce.workflows.assessment import Assessment

Values = Mapping[str, Any]

_GRADES = {
    "good": "Good",
    "useful": "Useful, with errors",
    "weak": "Not good enough to rely on",
    "no_skill": "No better than always the same answer",
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
        rest = f"; {percent(without)} of the others are classified correctly" if without else ""
        which = _part(of["n_copies"], of["n_images"])
        return f"Not a fair test: {which} images are also training images{rest}."
    low, high = (percent(bound).removesuffix(" %") for bound in of["interval"])
    correct = f"{percent(of['accuracy'])} of new images"
    if verdict.kind == "too_few":
        correct = f"{of['n_correct']:,} of {of['n_images']:,} images"
    return (
        f"{_GRADES[verdict.kind]}: {correct} are classified correctly (95 % CI {low} to {high}; "
        f"always '{of['majority_class']}': {percent(of['majority_baseline'])})."
    )


def finding_text(finding: Finding) -> str:
    """The finding as one or two sentences."""
    return _SENTENCES[finding.kind](finding.evidence)


def remedy_text(finding: Finding, training_command: str | None) -> str:
    """The command that may help; '' if there is none, or if it is the one that was run.

    training_command: the one to which options are added, None if it is unknown.
    """
    if not finding.remedy:
        return ""
    if finding.remedy[0] == "train":
        if finding.remedy[1] in (training_command or "").split():
            return ""
        return f"{training_command or 'softmaxce train …'} {command(*finding.remedy[1:])}"
    return command("softmaxce", *finding.remedy)


def as_objects(found: Assessment, training_command: str | None) -> dict[str, Any]:
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
                "remedy": remedy_text(finding, training_command),
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
    return f" Patch features are often much better for photographs (about {in_words})."


def _others(n: int) -> str:
    return "1 other class" if n == 1 else f"{n:,} other classes"


def _missed_classes(of: Values) -> str:
    how = "rarely" if of["n_correct"] else "never"
    of_training = ""
    if "n_training" in of:
        n_all = counted(of["n_training_all"], "training image")
        of_training = f"; {of['n_training']:,} of {n_all}"
    more = f"; so are {_others(of['n_more'])}"
    return (
        f"'{of['class']}' is {how} recognised ({of['n_correct']:,} of {of['support']:,}"
        f"{of_training}){more if of['n_more'] else ''}."
    )


def _few_images(of: Values) -> str:
    low, high = (percent(bound).removesuffix(" %") for bound in of["interval"])
    right = ", all classified correctly" if of["all_correct"] else ""
    return (
        f"Few images: {of['per_class']:.3g} of each class{right}; the accuracy may be anywhere "
        f"between {low} and {high} %, and single classes are hardly known."
    )


_SENTENCES: Mapping[str, Callable[[Values], str]] = {
    "validation_in_test": lambda of: (
        f"{_part(of['count'], of['n_images']).capitalize()} test images are also validation "
        "images, which chose the penalty."
    ),
    "contradictory_labels": lambda of: (
        f"{counted(of['count'], 'picture')} in more than one class: some labels are wrong."
    ),
    "unexplained_labels": lambda of: (
        f"Nothing in the images explains the classes: are the labels right?{_duration(of)}"
    ),
    "not_converged": lambda _: "The fit stopped before it converged.",
    "overfitting": lambda of: (
        f"Overfitting: {percent(of['training_accuracy'])} of the training images are classified "
        f"correctly, but {percent(of['accuracy'])} of new ones.{_duration(of)}"
    ),
    "pixels_limit": lambda of: (
        f"Pixels do not tell the classes apart: only {percent(of['training_accuracy'])} of the "
        f"training images are classified correctly.{_duration(of)}"
    ),
    "missed_classes": _missed_classes,
    "confused_classes": lambda of: (
        f"'{of['class']}' is mostly called '{of['predicted']}' ({of['count']:,} of "
        f"{of['support']:,})."
    ),
    "imbalance": lambda of: (
        f"Imbalance: '{of['largest_class']}' has {of['largest']:,} training images, "
        f"'{of['smallest_class']}' {of['smallest']:,}."
    ),
    "few_images": _few_images,
    "absent_classes": lambda of: (
        f"No images of {first_and_more(of['classes'], 3)}: nothing is known about them."
    ),
    "calibration_harms": lambda of: (
        "Calibration makes the cross-entropy of these images worse: "
        f"{change(nats(of['before']), nats(of['after']))}."
    ),
    "penalty_at_end": lambda of: f"The best penalty is the {of['end']} that was tried.",
}
