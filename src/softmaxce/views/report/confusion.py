"""The confusion matrix of a report, as a table whose cells are coloured."""

from __future__ import annotations

from collections.abc import Sequence

from softmaxce.metrics.scores import Scores
from softmaxce.views.descriptions import MOST_CONFUSED_TITLE, confusion_lines, left_out_line
from softmaxce.views.formatting import percent, shortened
from softmaxce.views.report import charts
from softmaxce.views.report.drawing import text
from softmaxce.views.report.markup import (
    Html,
    bullets,
    folded,
    heading,
    own,
    paragraph,
    scrolling,
    section,
    table,
)
from softmaxce.views.report.subject import Subject

MAX_CLASSES = 30
_N_IN_WORDS = 8
_N_PAIRS = 100
_NAME_LENGTH = 20
_SCALE = (0.01, 0.05, 0.2, 0.5, 1.0)


def confusion_section(subject: Subject) -> Html:
    """The matrix, and its largest errors in words."""
    scores, names = subject.scored.scores, subject.model.class_names
    if not scores.confusions:
        return section("Confusion matrix", paragraph("Every prediction is correct."))
    shown = charts.matrix_classes(scores, MAX_CLASSES)
    left_out = left_out_line(scores, shown)
    lines = bullets(confusion_lines(names, scores, _N_IN_WORDS))
    return section(
        "Confusion matrix",
        _key(),
        paragraph(left_out, "soft") if left_out else None,
        _matrix(names, scores, shown.tolist(), scores.confusion_among(shown).tolist()),
        Html(heading(MOST_CONFUSED_TITLE) + lines),
        _pairs(names, scores) if len(scores.confusions) > _N_IN_WORDS else None,
    )


def _matrix(
    names: Sequence[str], scores: Scores, chosen: Sequence[int], counts: Sequence[Sequence[int]]
) -> Html:
    """Counts, and with few classes per cent of the row; both axes have the names."""
    short = [shortened(names[k], _NAME_LENGTH) for k in chosen]
    heads = [
        f'title="{text(names[k])}"><span>{text(name)}</span></th>'
        for k, name in zip(chosen, short, strict=True)
    ]
    is_small = len(chosen) <= charts.MAX_NUMBERED
    rows = []
    for row, i in enumerate(chosen):
        support = max(1, scores.per_class[i].support)
        cells = ""
        for column, count in enumerate(counts[row]):
            title = f"'{short[row]}' predicted as '{short[column]}'"
            cells += _cell(count, support, title, is_correct=row == column, is_small=is_small)
        rows.append(f'<tr><th scope="row" {heads[row]}{cells}</tr>\n')
    css_class = "matrix" + " small" * is_small
    css_class += " turned" * (len(chosen) > 6 and max(map(len, short)) > 4)
    columns = "".join(f'<th scope="col" {head}' for head in heads)
    axes = f"{own('predicted')} &rarr;<br>{own('true')} &darr;"
    return scrolling(
        css_class,
        "Confusion matrix",
        f"<table><thead><tr><th>{axes}</th>{columns}</tr></thead>\n"
        f"<tbody>{''.join(rows)}</tbody></table>",
    )


def _cell(count: int, support: int, title: str, *, is_correct: bool, is_small: bool) -> str:
    if not count:
        return "<td>0</td>" if is_small else "<td></td>"
    share = count / support
    per_cent = f"<br><small>{charts.rounded(share)}</small>" if is_small else ""
    title = f"{title}: {count:,} of {support:,}, {percent(share)}"
    colour = _colour("hit" if is_correct else "miss", share)
    return f'<td {colour} title="{own(title)}">{count:,}{per_cent}</td>'


def _colour(kind: str, share: float) -> str:
    return f'class="{kind}" style="--p:{charts.strength(share):.2f}"'


def _key() -> Html:
    """What rows, columns and colours mean."""
    swatches = " ".join(
        f"{own(title)}: "
        + "".join(
            f"<span {_colour(kind, share)}>{charts.rounded(share)}</span>" for share in _SCALE
        )
        for kind, title in (("hit", "Correct"), ("miss", "Wrong"))
    )
    words = (
        "Rows: the true class. Columns: the predicted class. The stronger the colour, the larger "
        "the proportion of the images of the row."
    )
    return Html(paragraph(words, "soft") + paragraph(Html(swatches), "scale soft"))


def _pairs(names: Sequence[str], scores: Scores) -> Html:
    """The most frequent confusions as a table."""
    pairs = scores.confusions[:_N_PAIRS]
    rows = [(names[c.label], names[c.predicted], f"{c.count:,}", percent(c.share)) for c in pairs]
    caption = f"{len(pairs)} of {len(scores.confusions):,} confusions, the most frequent first"
    header = ("true class", "predicted", "images", "of the class")
    return folded(caption, table(caption, header, rows))
