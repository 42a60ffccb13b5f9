"""The sections of a report about images: those with the highest cross-entropy, and the weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import FeatureVectors
from softmaxce.views.filters import N_FILTERS, for_and_against, most_used
from softmaxce.views.formatting import Word, counted, percent
from softmaxce.views.pictures import (
    PNG_SIDE,
    Floats,
    Pixels,
    data_uri,
    file_stem,
    in_rgb,
    map_pixels,
    png_bytes,
    shrunk,
)
from softmaxce.views.report.drawing import text
from softmaxce.views.report.markup import (
    Html,
    folded,
    heading,
    own,
    paragraph,
    section,
    sentences,
    table,
)
from softmaxce.views.report.subject import Subject

N_WORST = 24
_N_GROUPS = 6
_MIN_EACH = 4
MAX_CLASSES = 100
MAX_SIDE = 96  # pixels of a picture
_TOTAL_SIDE = 3200  # of the pictures of all classes, so that many do not make the page large
_N_PROBABILITIES = 3
_FULL_COLOUR = 0.995  # quantile of the absolute weights: single large ones must not pale the others


def worst_section(subject: Subject) -> Html:
    """The misclassified images with the highest cross-entropy, as the model sees them."""
    groups = "".join(
        f'{heading(title)}\n<ul class="grid">'
        + "".join(_card(subject, position) for position in positions)
        + "</ul>\n"
        for title, positions in _groups(subject)
    )
    return section(
        "Images with the highest cross-entropy",
        paragraph(
            "The images with the least probable true class, shown as the model sees them. Look for "
            "wrong labels, unrelated images, and classes that the model confuses.",
            "soft",
        ),
        Html(groups),
    )


def _groups(subject: Subject) -> Iterator[tuple[str, list[int]]]:
    """For the most frequent confusions, and for all other errors, a title and the images with the
    highest cross-entropy: about N_WORST in all."""
    scores, names, wrong = subject.scored.scores, subject.model.class_names, subject.scored.wrong
    groups, frequent = [], [c for c in scores.confusions[:_N_GROUPS] if c.count > 1]
    for c in frequent:
        is_pair = (scores.labels[wrong] == c.label) & (scores.predicted[wrong] == c.predicted)
        groups.append((f"'{names[c.label]}' predicted as '{names[c.predicted]}'", wrong[is_pair]))
        wrong = wrong[~is_pair]
    if len(wrong):
        groups.append(("Other errors" if frequent else "Errors", wrong))
    if not groups:
        groups = [("Correct predictions", np.argsort(-scores.cross_entropies, kind="stable"))]
    n_each = max(_MIN_EACH, N_WORST // len(groups))
    for title, members in groups:
        shown = members[:n_each].tolist()
        words = f"{title}: {counted(len(members), 'image')}"
        if len(shown) < len(members):
            words = f"{words}; the {len(shown)} with the highest cross-entropy"
        yield words, shown


def thumbnail(pixels: Pixels, side: int = MAX_SIDE) -> str:
    """The picture (height, width, 3) as a data URI, reduced to this many pixels."""
    height, width = pixels.shape[:2]
    return data_uri(shrunk(pixels, max(1, min(side, side * width // height))))


def share(name: str, p: float, *, is_label: bool) -> str:
    """A class and its probability, as a number and as a bar."""
    return (
        f'<p class="share{" truth" if is_label else ""}" style="--p:{p:.3f}">'
        f"<span>{text(name)}</span>"
        f"<span>{percent(p) if p >= 0.0005 else '&lt;0.1 %'}</span></p>"
    )


def _card(subject: Subject, position: int) -> str:
    scored, names = subject.scored, subject.model.class_names
    label, predicted = int(scored.scores.labels[position]), int(scored.scores.predicted[position])
    p = scored.probabilities(position).tolist()
    order = sorted(range(len(names)), key=lambda k: -p[k])[:_N_PROBABILITIES]
    shares = "".join(
        share(names[k], p[k], is_label=k == label)
        for k in (order if label in order else [*order[:-1], label])
    )
    verdict, css_class = f"'{names[label]}'", "right"
    if label != predicted:
        verdict, css_class = f"'{names[label]}' predicted as '{names[predicted]}'", "wrong"
    path = scored.path(position)
    short, loss = "/".join(PurePath(path).parts[-2:]), scored.scores.cross_entropies[position]
    picture = _picture(subject, scored.pixels(position))
    return (
        f'<li><img src="{thumbnail(picture)}" alt="{own(f"The image {short}")}">'
        f'<p class="verdict {css_class}">{own(verdict)}</p>{shares}'
        f"<p>{own(f'cross-entropy {loss:.2f}')}</p>"
        f'<p class="path" title="{text(path)}">{text(short)}</p></li>\n'
    )


def _picture(subject: Subject, pixels: NDArray[np.uint8]) -> Pixels:
    """The picture (height, width, 3) of a pixel vector."""
    size = subject.model.preprocessing.images
    return in_rgb(pixels.reshape(size.height, size.width, size.channels))


def _weights(subject: Subject) -> Floats | None:
    """The weights (height, width, n_classes), summed over channels; None if they are not those of
    pixels, and with hidden layers."""
    model, size = subject.model, subject.model.preprocessing.images
    if len(model.layers) != 1 or model.network is not None:
        return None
    weights = model.layers[0].weights[:, :MAX_CLASSES]
    return np.asarray(weights.reshape(size.height, size.width, size.channels, -1).sum(axis=2))


def _weight_pictures(weights: Floats | None) -> list[Pixels]:
    """A picture of the weights of each class, all on one colour scale."""
    if weights is None:
        return []
    largest = float(np.quantile(np.abs(weights), _FULL_COLOUR))
    return [map_pixels(weights[..., k], largest) for k in range(weights.shape[-1])]


def weights_section(subject: Subject) -> Html | None:
    """The weights of each class as a picture, with a table of the largest; or the patches."""
    if subject.model.patches is not None:
        return _patches_section(subject.model)
    weights, names = _weights(subject), subject.model.class_names
    if weights is None:
        return None
    pictures = _weight_pictures(weights)
    means, side = subject.scored.mean_pixels(len(pictures)), _TOTAL_SIDE // len(pictures)

    def image(what: str, k: int, picture: Pixels) -> str:
        source, title = thumbnail(picture, min(side, MAX_SIDE)), f"The {what} of {names[k]}"
        return f'<img src="{source}" alt="{own(title)}">'

    cards = "".join(
        f'<li><div class="pictures">{image("weights", k, picture)}'
        + (image("mean image", k, _picture(subject, means[k])) if k in means else "")
        + f'</div><p class="verdict">{text(names[k])}</p></li>\n'
        for k, picture in enumerate(pictures)
    )
    rows = [
        (names[k], _signed(bias), *_extremes(weights[..., k]))
        for k, bias in enumerate(subject.model.layers[0].biases[:MAX_CLASSES])
    ]
    legend = (
        "Left: each weight at the position of its pixel. Orange: a bright pixel raises the "
        "logit of the class; blue: it lowers it; white: it has no effect. Right: the mean of the "
        f"{subject.images} of the class."
    )
    summed = "The red, green and blue weights are summed."
    words = sentences(
        legend,
        summed if subject.model.preprocessing.images.channels > 1 else "",
        f"The first {len(rows)} of {len(names)} classes." if len(rows) < len(names) else "",
    )
    header = ("class", "bias", "largest weight", "smallest weight")
    return section(
        "Weights of each class",
        paragraph(words, "soft"),
        Html(f'<ul class="grid wide">{cards}</ul>'),
        folded("Biases and extreme weights as a table", table("Biases and weights", header, rows)),
    )


def _patches_section(model: SoftmaxModel) -> Html:
    """The most used filters, and for each class of a linear model the most important patches."""
    patches, n_classes = model.patches, _n_with_patches(model)
    assert patches is not None
    n, is_cut = f"{patches.n_patches:,} filters", patches.n_patches > N_FILTERS
    which = f"{N_FILTERS} most used of {n}" if is_cut else f"{n}, the most used first"
    colours = "brightness" if model.preprocessing.images.channels == 1 else "red, green and blue"
    filters = (
        f"The {which}. Every region of an image is compared with each filter. Medium grey is 0; "
        f"lighter is positive, darker is negative, in {colours}. The more the region looks like "
        "the filter, the higher the response."
    )
    sheet = data_uri(most_used(model))
    mirrored = "The mirror image of each filter is used too."
    words = sentences(filters, mirrored if patches.is_symmetric else "")
    cards = "".join(
        f'<li><img class="filters" src="{data_uri(for_and_against(model, k))}" '
        f'alt="{own(f"Patches for and against {name}")}"><p class="verdict">{text(name)}</p></li>\n'
        for k, name in enumerate(model.class_names[:n_classes])
    )
    both = (
        "The patches with the highest weights for each class (upper row: they raise its logit) and "
        "with the lowest (lower row: they lower it). The weights are summed over the grid and the "
        "thresholds. A patch that counts where its response is negative is shown as its negative."
    )
    first = f"The first {n_classes} of {model.n_classes} classes."
    legend = sentences(both, first if n_classes < model.n_classes else "")
    return section(
        "Patches",
        paragraph(words, "soft"),
        Html(f'<p><img class="filters" src="{sheet}" alt="{own("The filters")}"></p>'),
        paragraph(legend, "soft") if cards else None,
        Html(f'<ul class="grid large">{cards}</ul>') if cards else None,
    )


def _n_with_patches(model: SoftmaxModel) -> int:
    """Number of classes whose patches are shown; 0 with hidden layers."""
    return min(MAX_CLASSES, model.n_classes) if len(model.layers) == 1 else 0


def _signed(value: float) -> str:
    """Three decimals, or three significant digits of a small value: '−0.550', '+0.0123'."""
    digits = "+.3f" if value == 0 or abs(value) >= 0.1 else "+#.3g"
    return f"{value:{digits}}".replace("-", "−")


def _extremes(weights: Floats) -> Iterator[str]:
    """Place and value of the largest and of the smallest weight (height, width)."""
    for position in (int(weights.argmax()), int(weights.argmin())):
        row, column = divmod(position, weights.shape[1])
        yield Word(f"row {row}, column {column} ({_signed(weights[row, column])})")


def weight_files(subject: Subject) -> dict[str, bytes]:
    """A PNG file of the weights of each class, by name; none with hidden layers or without images.
    With patch features, of the filters and of the patches for and against each class."""
    model, names = subject.model, subject.model.class_names
    if isinstance(model.preprocessing, FeatureVectors):
        return {}
    if model.patches is None:
        drawn = enumerate(_weight_pictures(_weights(subject)))
        pictures = {f"weights-{file_stem(names, k)}": picture for k, picture in drawn}
    else:
        pictures = {"filters": most_used(model)} | {
            f"patches-{file_stem(names, k)}": for_and_against(model, k)
            for k in range(_n_with_patches(model))
        }
    return {f"{name}.png": png_bytes(picture, PNG_SIDE) for name, picture in pictures.items()}
