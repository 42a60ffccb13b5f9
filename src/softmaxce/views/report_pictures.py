"""The sections of a report that are made of pictures: the worst answers, and the weights."""

from __future__ import annotations

import numpy as np

from softmaxce.numerics import log_softmax
from softmaxce.views.drawing import text
from softmaxce.views.drawing_png import png_bytes
from softmaxce.views.markup import Html, folded, paragraph, section, table
from softmaxce.views.pictures import Template, contact_sheet, data_uri, templates, thumbnail
from softmaxce.views.report_subject import Subject
from softmaxce.views.wording import percent

N_WORST = 24
MAX_TEMPLATES = 100
_N_PROBABILITIES = 3


def worst_section(subject: Subject) -> Html:
    """The images with the highest cross-entropy, as the model saw them."""
    worst = _worst(subject)
    cards = "".join(_card(subject, position) for position in worst)
    return section(
        "The images with the highest loss",
        paragraph(
            f"The {len(worst)} images whose true class got the least probability, as the model saw "
            "them. Look here for wrong labels, for pictures of something else, and for what the "
            "model cannot see.",
            "soft",
        ),
        Html(f'<ul class="grid">{cards}</ul>'),
    )


def _worst(subject: Subject) -> list[int]:
    losses = subject.scored.scores.cross_entropies
    return [int(i) for i in np.argsort(-losses, kind="stable")[:N_WORST]]


def _card(subject: Subject, position: int) -> str:
    scored, names = subject.scored, subject.model.class_names
    scores, form = scored.scores, subject.model.preprocessing
    label, predicted = int(scores.labels[position]), int(scores.predicted[position])
    is_right = label == predicted
    verdict = f"'{names[label]}'" + ("" if is_right else f" called '{names[predicted]}'")
    logits = subject.model.logits(scored.pixels(position)[np.newaxis])
    row = log_softmax(logits[0])
    order = sorted(range(len(names)), key=lambda k: -row[k])[:_N_PROBABILITIES]
    shown = order if label in order else [*order[:-1], label]
    shares = "".join(
        f'<p class="share{" truth" if k == label else ""}" style="--p:{np.exp(row[k]):.3f}">'
        f"<span>{text(names[k])}</span><span>{_probability(float(np.exp(row[k])))}</span></p>"
        for k in shown
    )
    loss = float(scores.cross_entropies[position])
    picture = data_uri(thumbnail(scored.pixels(position), form))
    path = text(scored.path(position))
    return (
        f'<li><img src="{picture}" alt="The image {path}"><p class="verdict '
        f'{"right" if is_right else "wrong"}">{text(verdict)}</p>{shares}'
        f"<p>loss {loss:.2f}</p>"
        f'<p class="path">{path}</p></li>\n'
    )


def _probability(value: float) -> str:
    return percent(value) if value >= 0.0005 or value == 0 else f"{value:.0e}"


def template_section(subject: Subject) -> Html | None:
    """Each class's weights as a picture, with a table of its strongest places."""
    made = _templates(subject)
    if not made:
        return None
    names, n_classes = subject.model.class_names, subject.model.n_classes
    cards = "".join(
        f'<li><img src="{data_uri(template.picture)}" '
        f'alt="The weights of {text(names[template.label])}">'
        f'<p class="verdict">{text(names[template.label])}</p></li>\n'
        for template in made
    )
    rows = [
        (
            names[template.label],
            f"{template.bias:+.3f}",
            *(
                f"row {place.row}, column {place.column} ({place.weight:+.3f})"
                for place in (template.most_for, template.most_against)
            ),
        )
        for template in made
    ]
    header = ("class", "bias", "most for it", "most against it")
    more = "" if len(made) == n_classes else f" The first {len(made)} of {n_classes} classes."
    twin = table("Bias, and the strongest weights of a pixel's brightness", header, rows)
    return section(
        "What each class looks for",
        paragraph(_template_words(subject) + more, "soft"),
        Html(f'<ul class="grid small">{cards}</ul>'),
        folded("The strongest weights as a table", twin),
    )


def _template_words(subject: Subject) -> str:
    if subject.model.preprocessing.channels == 1:
        return (
            "The weights, laid out as the pixels are. Where it is blue, a bright pixel speaks for "
            "the class; where it is orange, against it; where it is white, it does not matter."
        )
    return (
        "The weights, laid out as the pixels are. Where it is lighter than grey, a bright pixel "
        "speaks for the class, where it is darker, against it; a tint is the colour that does so."
    )


def _templates(subject: Subject) -> list[Template]:
    return templates(subject.model, range(min(subject.model.n_classes, MAX_TEMPLATES)))


def plots(subject: Subject) -> dict[str, bytes]:
    """File name → PNG."""
    scored, names = subject.scored, subject.model.class_names
    scores, form = scored.scores, subject.model.preprocessing
    worst = contact_sheet(
        [
            (
                thumbnail(scored.pixels(i), form),
                (
                    f"truth: {names[scores.labels[i]]}",
                    f"answer: {names[scores.predicted[i]]}",
                    f"said: {percent(float(scores.confidences[i]))}",
                    f"loss: {scores.cross_entropies[i]:.2f}",
                ),
            )
            for i in _worst(subject)
        ]
    )
    made = {"highest-loss.png": png_bytes(worst)}
    weights = [(t.picture, (names[t.label],)) for t in _templates(subject)]
    if weights:
        made["templates.png"] = png_bytes(contact_sheet(weights))
    return made
