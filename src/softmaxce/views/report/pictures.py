"""The sections of a report about images: those with the highest cross-entropy, and the weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmaxce.views.formatting import percent
from softmaxce.views.pictures import Pixels, data_uri, map_pixels, shrunk
from softmaxce.views.report import charts
from softmaxce.views.report.drawing import Drawing, text
from softmaxce.views.report.markup import Html, folded, paragraph, section, table
from softmaxce.views.report.subject import Subject

N_WORST = 24
MAX_CLASSES = 100
MAX_SIDE = 96  # pixels of a picture
_N_PROBABILITIES = 3
_FULL_COLOUR = 0.995  # quantile of the absolute weights: single large ones must not pale the others


def worst_section(subject: Subject) -> Html:
    """The images with the highest cross-entropy, as the model sees them."""
    worst = _worst(subject)
    cards = "".join(_card(subject, position) for position in worst)
    return section(
        "Images with the highest cross-entropy",
        paragraph(
            f"The {len(worst)} images whose true class has the lowest probability, as the model "
            "sees them. Look for wrong labels, images of something else, and what the model cannot "
            "distinguish.",
            "soft",
        ),
        Html(f'<ul class="grid">{cards}</ul>'),
    )


def _worst(subject: Subject) -> list[int]:
    losses = subject.scored.scores.cross_entropies
    return [int(i) for i in np.argsort(-losses, kind="stable")[:N_WORST]]


def _thumbnail(subject: Subject, position: int) -> str:
    """The image as the model sees it, as a data URI."""
    form = subject.model.preprocessing
    shape = (form.height, form.width, form.channels)[: 2 if form.channels == 1 else 3]
    return _small(subject.scored.pixels(position).reshape(shape))


def _small(pixels: Pixels) -> str:
    height, width = pixels.shape[:2]
    max_width = max(1, min(MAX_SIDE, MAX_SIDE * width // height))
    return data_uri(shrunk(np.ascontiguousarray(pixels), max_width))


def _card(subject: Subject, position: int) -> str:
    scored, names = subject.scored, subject.model.class_names
    label, predicted = int(scored.scores.labels[position]), int(scored.scores.predicted[position])
    p = scored.probabilities(position).tolist()
    order = sorted(range(len(names)), key=lambda k: -p[k])[:_N_PROBABILITIES]
    shares = "".join(
        f'<p class="share{" truth" if k == label else ""}" style="--p:{p[k]:.3f}">'
        f"<span>{text(names[k])}</span><span>{_probability(p[k])}</span></p>"
        for k in (order if label in order else [*order[:-1], label])
    )
    verdict, css_class = f"'{names[label]}'", "right"
    if label != predicted:
        verdict, css_class = f"{verdict} predicted as '{names[predicted]}'", "wrong"
    path = text(scored.path(position))
    return (
        f'<li><img src="{_thumbnail(subject, position)}" alt="The image {path}">'
        f'<p class="verdict {css_class}">{text(verdict)}</p>{shares}'
        f"<p>cross-entropy {float(scored.scores.cross_entropies[position]):.2f}</p>"
        f'<p class="path">{path}</p></li>\n'
    )


def _probability(value: float) -> str:
    return percent(value) if value >= 0.0005 or value == 0 else f"{value:.0e}"


@dataclass(frozen=True)
class _ClassWeights:
    """The weights of one class (height, width), summed over channels, and their picture."""

    name: str
    bias: float
    weights: NDArray[np.float64]
    picture: str

    def place(self, position: int) -> str:
        row, column = divmod(position, self.weights.shape[1])
        return f"row {row}, column {column} ({self.weights[row, column]:+.3f})"


def _class_weights(subject: Subject) -> list[_ClassWeights]:
    """Of the first MAX_CLASSES classes, all on one colour scale; none with hidden layers."""
    model, form = subject.model, subject.model.preprocessing
    if len(model.layers) != 1:
        return []
    layer = model.layers[0]
    places = layer.weights[:, :MAX_CLASSES].reshape(form.height, form.width, form.channels, -1)
    maps = places.sum(axis=2)
    largest = float(np.quantile(np.abs(maps), _FULL_COLOUR))
    return [
        _ClassWeights(
            model.class_names[k],
            float(layer.biases[k]),
            maps[..., k],
            _small(map_pixels(maps[..., k], largest)),
        )
        for k in range(maps.shape[-1])
    ]


def weights_section(subject: Subject) -> Html | None:
    """The weights of each class as a picture, with a table of the largest."""
    made = _class_weights(subject)
    if not made:
        return None
    cards = "".join(
        f'<li><img src="{of_class.picture}" alt="The weights of {text(of_class.name)}">'
        f'<p class="verdict">{text(of_class.name)}</p></li>\n'
        for of_class in made
    )
    rows = [
        (
            of_class.name,
            f"{of_class.bias:+.3f}",
            of_class.place(int(of_class.weights.argmax())),
            of_class.place(int(of_class.weights.argmin())),
        )
        for of_class in made
    ]
    words = (
        "The weights in the positions of their pixels. Orange: a bright pixel raises the logit of "
        "the class; blue: it lowers it; white: it has no effect."
    )
    if subject.model.preprocessing.channels > 1:
        words += " The weights of red, green and blue are added."
    if len(made) < subject.model.n_classes:
        words += f" The first {len(made)} of {subject.model.n_classes} classes."
    header = ("class", "bias", "largest weight", "smallest weight")
    return section(
        "Weights of each class",
        paragraph(words, "soft"),
        Html(f'<ul class="grid small">{cards}</ul>'),
        folded("Biases and extreme weights as a table", table("Biases and weights", header, rows)),
    )


def drawings(subject: Subject) -> list[Drawing]:
    """The images of these sections as contact sheets."""
    scores, names = subject.scored.scores, subject.model.class_names
    worst = [
        (
            _thumbnail(subject, i),
            (
                f"true: {names[scores.labels[i]]}",
                f"predicted: {names[scores.predicted[i]]}",
                f"confidence: {percent(float(scores.confidences[i]))}",
                f"cross-entropy: {scores.cross_entropies[i]:.2f}",
            ),
        )
        for i in _worst(subject)
    ]
    made = [charts.contact_sheet("highest-loss", "Images with the highest cross-entropy", worst)]
    weights = [(of_class.picture, (of_class.name,)) for of_class in _class_weights(subject)]
    if weights:
        made.append(charts.contact_sheet("weights", "Weights of each class", weights))
    return made
