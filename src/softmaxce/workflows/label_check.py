"""Images → those whose labels are probably wrong, by predictions of models trained without them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from softmaxce.data.folds import n_different
from softmaxce.data.pixel_dataset import Subset
from softmaxce.metrics.label_noise import LabelNoise, fit_label_noise
from softmaxce.workflows.out_of_fold import FoldOptions, out_of_fold
from softmaxce.workflows.progress import OnProgress, ignore

_N_FOLDS = 5


@dataclass(frozen=True)
class Suspect:
    """An image whose label is probably wrong; the fields are those of the JSON result.

    position: in the images that were checked; p_label and p_likelier: out-of-fold probabilities of
    the label and of the most probable other class; p_wrong: the posterior probability that the
    label is wrong.
    """

    position: int
    path: str
    label: str
    likelier: str
    p_label: float
    p_likelier: float
    p_wrong: float


@dataclass(frozen=True, eq=False)
class LabelCheck:
    """What the labels of some images look like to models that were trained without them."""

    images: Subset
    n_folds: int
    features: int
    noise: LabelNoise

    @cached_property
    def suspects(self) -> tuple[Suspect, ...]:
        """The images that are listed, the most probably mislabelled first; none if the models are
        too weak."""
        return () if self.noise.is_too_weak else tuple(self._suspects())

    def _suspects(self) -> Iterator[Suspect]:
        names, noise, labels = self.images.dataset.class_names, self.noise, self.images.labels
        p_wrong = noise.p_wrong(noise.of_label)
        for position in noise.listed.tolist():
            label, likelier = int(labels[position]), int(noise.likelier[position])
            log_p = noise.log_probabilities[position]
            yield Suspect(
                position,
                self.images.path(position),
                names[label],
                names[likelier],
                float(np.exp(log_p[label])),
                float(np.exp(log_p[likelier])),
                float(p_wrong[position]),
            )


def check_labels(
    images: Subset, *, features: int = 0, seed: int = 0, on_progress: OnProgress = ignore
) -> LabelCheck:
    """Predict each image by a model trained on the other folds, and fit a model of wrong labels.

    There are as many folds as the smallest class allows, at most 5. features: number of filters of
    patch features, 0 for pixels. Raises DataError if a class has one image, and as `fit` does.
    """
    dataset, labels = images.dataset, images.labels
    keys, n_classes = dataset.split_keys[images.rows], len(dataset.class_names)
    n_folds = int(np.clip(n_different(labels, keys, n_classes).min(), 2, _N_FOLDS))
    options = FoldOptions(n_folds, seed=seed, features=features, is_quick=True)
    found = out_of_fold(images, options, on_progress)
    return LabelCheck(images, n_folds, features, fit_label_noise(found.logits, labels))
