"""Results as outputs of notebook cells: HTML without programs and requests.

The notebook's page supplies the colours, so its dark theme applies. GitHub removes the style, so
the elements are readable without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from html import escape
from itertools import islice
from pathlib import Path

from softmaxce.errors import DataError
from softmaxce.lesson.step import Step
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing
from softmaxce.translation import language, translate
from softmaxce.views import descriptions, findings, pictures, score_tables
from softmaxce.views.console import MAX_CLASSES, left_out_note
from softmaxce.views.formatting import probability
from softmaxce.views.lesson import formatting
from softmaxce.views.lesson.strip import STAGES, strip_table
from softmaxce.views.report import markup, subject
from softmaxce.views.report.confusion import confusion_section
from softmaxce.views.report.markup import Html, own
from softmaxce.views.report.scores import scores_section
from softmaxce.workflows.evaluate import EvaluateResult
from softmaxce.workflows.explain import Explanation
from softmaxce.workflows.predict import Prediction, PredictResult
from softmaxce.workflows.training_record import read_training_record

_STYLE = (Path(__file__).parent / "cells.css").read_text("utf-8")
_MAX_IMAGES = 10
_MAX_WIDTH = 96  # pixels of a picture


def _cell(*parts: str) -> str:
    inner = "\n".join(filter(None, parts))
    return f'<style>{_STYLE}</style><div class="softmaxce" lang="{language()}">{inner}</div>'


def _picture(pixels: pictures.Pixels, caption: str) -> str:
    source = pictures.data_uri(pictures.shrunk(pixels, _MAX_WIDTH))
    image = f'<img src="{source}" width="128" alt="{caption}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _classes(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    table = markup.table(title, header, rows)
    return table if len(rows) <= MAX_CLASSES else markup.folded(title, table)


def model(shown: SoftmaxModel) -> str:
    """The model's properties, its classes, and its scores at training time."""
    record = read_training_record(shown.training, shown.n_classes)
    counts = [f"{n:,}" for n in record.class_counts] or [""] * shown.n_classes
    rows = list(zip(shown.class_names, counts, strict=True))
    scores = score_tables.recorded_scores_table(record.scores)
    return _cell(
        markup.heading("Model"),
        markup.definitions(descriptions.model_details(shown, record)),
        _classes("Images of each class", ("class", "training images"), rows),
        markup.table("Scores at training time", *scores) if record.scores else "",
    )


def evaluation(result: EvaluateResult) -> str:
    """The verdict, what was found, and the tables of the report."""
    about = subject.of_evaluation(result, "")
    names, scored, found = about.model.class_names, about.scored, about.found
    notes = [*map(findings.finding_text, found.findings)]
    notes += map(str, scored.subset.dataset.findings)
    if scored.overlap is not None and found.verdict.kind != "copies":
        notes.append(descriptions.overlap_line("scored", scored.overlap))
    if result.left_out:
        notes.append(left_out_note(result.left_out))
    return _cell(
        f"<p><b>{own(findings.verdict_text(found.verdict))}</b></p>",
        markup.bullets(notes) if notes else "",
        scores_section(about),
        confusion_section(about),
        _classes("Scores of each class", *score_tables.class_table(names, scored.scores)),
    )


def predictions(result: PredictResult) -> str:
    """The picture and the probabilities of each image, or of the first ones."""
    size, n_more = result.model.preprocessing, len(result.paths) - _MAX_IMAGES
    parts = []
    for position, outcome in enumerate(islice(result.outcomes, _MAX_IMAGES)):
        if isinstance(outcome, Prediction):
            caption = f"<p>{markup.data(outcome.path)}</p>"
            if isinstance(size, Preprocessing):
                with suppress(DataError):  # the file of a network's image may be gone
                    pixels = result.files.pixels[position]
                    shape = size.height, size.width, size.channels
                    picture = pictures.in_rgb(pixels.reshape(shape))
                    caption = _picture(picture, markup.data(outcome.path))
            p, order = outcome.probabilities, (-outcome.log_probabilities).argsort(kind="stable")
            rows = [(result.class_names[k], probability(float(p[k]))) for k in order.tolist()]
            parts.append(caption)
            parts.append(_classes("Probabilities", ("class", "probability"), rows))
    return _cell(*parts, translate("… {n} more").format(n=n_more) if n_more > 0 else "")


def lesson(explanation: Explanation) -> str:
    """The steps; what is told on request is folded."""
    example, shown = explanation.example, explanation.picture
    parts = []
    if shown is not None:
        caption = escape(formatting.contributions_text(example, translate))
        contributions = pictures.contribution_pixels(shown, example.winner)
        parts = [_picture(pictures.image_pixels(shown), markup.data(shown.path))]
        parts += [_picture(contributions, caption)]
    parts += [f"<p>{own(STAGES[example.source])}</p>", _table(strip_table(example, translate))]
    steps = enumerate(explanation.steps, 1)
    parts += [_step(step, example.shown, f"{position}. ") for position, step in steps]
    parts += [markup.heading("Common misconceptions")]
    parts += [_step(step, example.shown) for step in explanation.misconceptions]
    others = [_step(step, example.shown) for step in explanation.other_misconceptions]
    return _cell(*parts, markup.folded("More misconceptions", Html("".join(others))))


def _step(step: Step, shown: Sequence[int], number: str = "") -> str:
    text, formula = formatting.step_text(step, shown, translate), step.template.formula
    more = _part(text.more)
    return (
        f"<h4>{number}{escape(text.title)}</h4>"
        + (f"<p><code>{own(formula.plain)}</code></p>" if formula else "")
        + f"<p><b>{escape(text.claim)}</b></p>{_part(text)}"
        + (markup.folded("More", Html(more)) if more else "")
    )


def _part(part: formatting.PartText | formatting.StepText) -> str:
    sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in part.sentences)
    checks = "".join(f"<p>✓ {escape(check)}</p>" for check in part.checks)
    return sentences + "".join(map(_table, part.tables)) + checks


def _table(table: formatting.TableText) -> str:
    """A table of the lesson, which has no caption."""
    lines = [("th", table.headings), *(("td", row) for row in table.rows)]
    rows = ("".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) for tag, row in lines)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
