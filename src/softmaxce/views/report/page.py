"""A report: one HTML file that needs nothing else, and its pictures as files."""

from __future__ import annotations

from pathlib import Path
from string import Template

from softmaxce import __version__
from softmaxce.atomic_files import write_atomically
from softmaxce.preprocessing import Preprocessing
from softmaxce.translation import language, translate
from softmaxce.views.console import MAX_CLASSES
from softmaxce.views.descriptions import choices_made, model_details
from softmaxce.views.formatting import Strong
from softmaxce.views.report import charts, confusion, pictures, scores
from softmaxce.views.report.drawing import STYLE, as_svg_file, text
from softmaxce.views.report.findings import findings_box
from softmaxce.views.report.markup import (
    Html,
    data,
    definitions,
    folded,
    heading,
    own,
    section,
    sentences,
    table,
)
from softmaxce.views.report.subject import Subject
from softmaxce.views.score_tables import CI, metrics_table
from softmaxce.workflows.outputs import write_folder

_TILES = {
    "accuracy": "always predicting the most frequent class",
    "cross-entropy": "a uniform prediction, ln K",
    "calibration error": "expected by chance from a calibrated model",
}
_CAVEATS = {
    "train": "The model was trained on these images, so the scores are much too optimistic.",
    "validation": (
        "These images were also used to choose {0}, so the scores are slightly optimistic; run "
        "softmaxce evaluate on a separate test set."
    ),
}


def write_report(subject: Subject, page_path: str | None, plots_path: str | None) -> None:
    """Write the page and the folder of pictures, whichever is wanted. Raises OutputError."""
    if page_path is not None:
        write_atomically(page_path, [_page(subject)])
    if plots_path is not None:
        drawn = {f"{chart.name}.svg": as_svg_file(chart) for chart in charts.all_charts(subject)}
        write_folder(plots_path, {**drawn, **pictures.weight_files(subject)})


def _page(subject: Subject) -> bytes:
    is_of_images = isinstance(subject.model.preprocessing, Preprocessing)
    sections = [
        scores.scores_section(subject),
        confusion.confusion_section(subject),
        scores.class_section(subject),
        scores.calibration_section(subject),
        pictures.worst_section(subject) if is_of_images else None,
        pictures.weights_section(subject) if is_of_images else None,
        scores.training_section(subject),
        _details_section(subject),
    ]
    return filled(
        "Training report" if subject.split else "Evaluation report",
        subject.command,
        verdict=findings_box(subject),
        summary=_summary(subject),
        tiles=_tiles(subject),
        sections="\n".join(filter(None, sections)),
    )


def filled(
    title: str, command: str, *, verdict: str = "", summary: str, tiles: str = "", sections: str
) -> bytes:
    """A page of HTML with these parts."""
    template = Template((Path(__file__).parent / "report.html").read_text("utf-8"))
    return template.substitute(
        language=language(),
        title=own(title),
        style=STYLE,
        verdict=verdict,
        summary=summary,
        tiles=tiles,
        sections=sections,
        made_by=own(f"Created by softmaxce {__version__} with the command"),
        command_title=own("The command"),
        command=text(command),
    ).encode()


def _summary(subject: Subject) -> str:
    of_images, names = subject.scored.scores, subject.model.class_names
    counts = (
        f"The model classifies {of_images.n_correct:,} of {of_images.n_images:,} {subject.images} "
        f"in {len(names):,} classes correctly."
    )
    choices = choices_made(subject.model, subject.record.l2_path)
    caveat = _CAVEATS.get(subject.split or "", "") if subject.split == "train" or choices else ""
    return sentences(counts, caveat.format(choices))


def _tiles(subject: Subject) -> str:
    tiles = [
        f'<li class="tile"><span>{text(translate(title).capitalize())}</span><b>{value}</b>'
        f"<span>{own(CI)} {interval}</span>"
        f"<span>{own(f'Baseline {baseline}: {_TILES[title]}')}</span></li>"
        for title, value, interval, baseline in metrics_table(subject.scored.scores)[1]
        if title in _TILES
    ]
    return f'<ul class="tiles">{"".join(tiles)}</ul>'


def _details_section(subject: Subject) -> Html:
    names, counts = subject.model.class_names, subject.record.class_counts
    per_class = subject.scored.scores.per_class
    rows = [
        (class_name, f"{counts[k]:,}" if counts else "", Strong(f"{per_class[k].support:,}"))
        for k, class_name in enumerate(names)
    ]
    scored = subject.images if subject.split not in (None, "train") else "scored images"
    header = ("class", "training images", scored)
    classes = table("Images of each class", header, rows)
    return section(
        "Data and model",
        heading("Data"),
        definitions(subject.data_details),
        classes if len(rows) <= MAX_CLASSES else folded("Images of each class", classes),
        heading("Model"),
        definitions(
            [("File", data(subject.model_path)), *model_details(subject.model, subject.record)]
        ),
    )
