"""A report: one HTML file that needs nothing else, and the same pictures as PNG."""

from __future__ import annotations

from pathlib import Path
from string import Template as Page

from softmaxce import __version__
from softmaxce.views import report_pictures, report_scores
from softmaxce.views.drawing import text
from softmaxce.views.markup import Html, bold, definitions, section, table
from softmaxce.views.report_subject import PART_TITLES, Subject
from softmaxce.views.scores import metric_interval, metric_value, shown_metrics
from softmaxce.views.wording import percent

_HERE = Path(__file__).parent
_TILES = ("accuracy", "cross_entropy", "expected_calibration_error")
_BASELINE_WORDS = {
    "accuracy": "without looking at the image",
    "cross_entropy": "for blind guessing, ln K; 0 is perfect",
    "expected_calibration_error": "from luck alone; 0 is perfect",
}


def as_page(subject: Subject) -> bytes:
    """The report as an HTML file."""
    sections = [
        report_scores.scores_section(subject),
        report_scores.confusion_section(subject),
        report_scores.class_section(subject),
        report_scores.probability_section(subject),
        report_pictures.worst_section(subject),
        report_pictures.template_section(subject),
        report_scores.fit_section(subject),
        _facts_section(subject),
    ]
    page = Page((_HERE / "report.html").read_text("utf-8")).substitute(
        title=text(subject.title),
        style=(_HERE / "report.css").read_text("utf-8"),
        summary=_summary(subject),
        tiles=_tiles(subject),
        sections="\n".join(part for part in sections if part),
        version=text(__version__),
        command=text(subject.command),
    )
    return page.encode("utf-8")


def _summary(subject: Subject) -> str:
    scores, names = subject.scored.scores, subject.model.class_names
    low, high = scores.accuracy_interval
    majority = names[int(scores.confusion.sum(axis=1).argmax())]
    return text(
        f"Of {scores.n_images:,} {subject.part} in {len(names)} classes, {scores.n_correct:,} were "
        f"recognised: {percent(scores.accuracy)}. For endlessly many such images it would be "
        f"between {percent(low)} and {percent(high)} (95 % interval). Always answering "
        f"'{majority}', without a look at the image, would be right for "
        f"{percent(scores.majority_baseline)}.{_caveat(subject)}"
    )


def _caveat(subject: Subject) -> str:
    """What a reader of scores on such images must know."""
    if subject.part == PART_TITLES["train"]:
        return " The model was trained on these very images, so the scores are far too good."
    if subject.part == PART_TITLES["validation"]:
        return (
            " These images also chose the penalty and the temperature, so the scores are a "
            "little too good; softmaxce evaluate judges on images of their own."
        )
    return ""


def _tiles(subject: Subject) -> str:
    tiles = []
    for title, metric in shown_metrics(subject.scored.scores):
        if metric.name in _TILES and metric.baseline is not None:
            baseline = metric_value(metric, metric.baseline)
            tiles.append(
                f'<li class="tile"><span>{text(title.capitalize())}</span>'
                f"<b>{text(metric_value(metric, metric.value))}</b>"
                f"<span>95 % interval {text(metric_interval(metric))}</span>"
                f"<span>{text(baseline)} {_BASELINE_WORDS[metric.name]}</span></li>"
            )
    return f'<ul class="tiles">{"".join(tiles)}</ul>'


def _facts_section(subject: Subject) -> Html:
    names, counts = subject.model.class_names, subject.training.class_counts
    scored = subject.scored.scores.per_class
    rows = [
        (class_name, f"{counts[k]:,}" if counts else "", bold(f"{scored[k].support:,}"))
        for k, class_name in enumerate(names)
    ]
    header = ("class", "trained on", f"judged ({subject.part})")
    return section(
        "The data and the model",
        Html("<h3>Data</h3>"),
        definitions(subject.data_facts),
        table("Images of each class", header, rows),
        Html("<h3>Model</h3>"),
        definitions(subject.facts),
    )


def plots(subject: Subject) -> dict[str, bytes]:
    """File name → PNG of each picture of the report."""
    return {**report_scores.plots(subject), **report_pictures.plots(subject)}
