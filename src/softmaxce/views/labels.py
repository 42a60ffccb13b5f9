"""The check of labels in sentences, which the text and the report share."""

from __future__ import annotations

from softmaxce.preprocessing import Preprocessing
from softmaxce.views.formatting import counted, percent
from softmaxce.workflows.label_check import LabelCheck


def weakness(found: LabelCheck) -> str:
    """Why no label is listed."""
    noise, share = found.noise, percent(found.noise.n_reviewed / found.images.n_images)
    reason = "its predictions are not clearly better than always predicting the most frequent class"
    if noise.has_skill:
        reason = (
            f"only {percent(noise.sensitivity(noise.n_reviewed))} of random wrong labels would be "
            f"among the {share} of labels that fit the images least"
        )
    return f"The model is too weak to tell wrong labels from difficult images: {reason}."


def method(found: LabelCheck) -> str:
    """How the images were predicted, and how well."""
    return (
        f"{counted(found.images.n_images, 'image')} of all splits, each predicted by a model "
        f"trained without it ({found.n_folds} folds); {percent(found.noise.accuracy)} of the "
        "predictions agree with the label."
    )


def estimate(found: LabelCheck) -> str:
    """How many labels are wrong, and how many of them are likely to be listed."""
    if not found.suspects:
        return (
            "Every label is more probably right than wrong. A few wrong labels among images that "
            f"are hard to tell apart would not be found. {advice(found)}"
        ).rstrip()
    return (
        f"Estimated share of wrong labels: {percent(found.noise.error_rate)}. A label changed "
        f"at random is listed in about {percent(found.noise.sensitivity(len(found.suspects)))} of "
        "all cases."
    )


def advice(found: LabelCheck) -> str:
    """What to do with a weak model; '' if it may not help."""
    is_of_images = isinstance(found.images.dataset.preprocessing, Preprocessing)
    return "Try --features patches." if is_of_images and not found.features else ""
