"""Small pieces of HTML. Text is escaped; what is HTML already has the type Html."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from softmaxce.translation import translate
from softmaxce.views.formatting import Strong, Word
from softmaxce.views.report.drawing import Drawing, as_svg, text


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(cell: str) -> str:
    """The cell as HTML: text is escaped, and bold if it is Strong."""
    if isinstance(cell, Html):
        return cell
    if isinstance(cell, Word):
        return own(cell)
    return f"<b>{text(cell)}</b>" if isinstance(cell, Strong) else text(cell)


def own(message: str) -> str:
    """A message of ours as HTML, in the reader's language."""
    return text(translate(message))


def _own_or_html(value: str) -> str:
    return value if isinstance(value, Html) else own(value)


def paragraph(value: str, css_class: str = "") -> Html:
    """A paragraph."""
    attribute = f' class="{css_class}"' if css_class else ""
    return Html(f"<p{attribute}>{_own_or_html(value)}</p>")


def data(value: str) -> Html:
    """A name from outside, which is never translated."""
    return Html(text(value))


def heading(title: str) -> Html:
    """The heading of a part of a section."""
    return Html(f"<h3>{own(title)}</h3>")


def sentences(*messages: str) -> Html:
    """Messages of ours, one after another; '' is left out."""
    return Html(" ".join(own(message) for message in messages if message))


def bullets(lines: Iterable[str]) -> Html:
    """A list."""
    return Html("<ul>" + "".join(f"<li>{own(line)}</li>" for line in lines) + "</ul>")


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """A table that scrolls sideways on a narrow page. The first cell of a row is its heading."""
    numbers = "".join(f'<th scope="col" class="number">{own(title)}</th>' for title in header[1:])
    head = f'<th scope="col">{own(header[0])}</th>{numbers}'
    body = "".join(
        f'<tr><th scope="row">{html(row[0])}</th>'
        + "".join(f'<td class="number">{html(cell)}</td>' for cell in row[1:])
        + "</tr>\n"
        for row in rows
    )
    return scrolling(
        "scroll",
        caption,
        f"<table><caption><span>{own(caption)}</span></caption><thead><tr>{head}</tr></thead>\n"
        f"<tbody>{body}</tbody></table>",
    )


def scrolling(css_class: str, title: str, content: str) -> Html:
    """Content that scrolls sideways; the keyboard can reach it."""
    attributes = f'class="{css_class}" tabindex="0" role="region" aria-label="{own(title)}"'
    return Html(f"<div {attributes}>{content}</div>")


def folded(summary: str, content: Html) -> Html:
    """Content that is shown on a click."""
    return Html(f"<details><summary>{own(summary)}</summary>{content}</details>")


def figure(drawing: Drawing, caption: str, *, is_wide: bool = False) -> Html:
    """A drawing with its caption; a wide one scrolls sideways instead of shrinking."""
    svg = as_svg(drawing)
    if is_wide:
        svg = scrolling("scroll wide", drawing.title, svg)
    return Html(f"<figure>{svg}<figcaption>{_own_or_html(caption)}</figcaption></figure>")


def section(title: str, *content: Html | None) -> Html:
    """A section of the page with its heading."""
    inner = "\n".join(filter(None, content))
    return Html(f"<section>\n<h2>{own(title)}</h2>\n{inner}\n</section>")


def beside(*content: Html) -> Html:
    """Pieces side by side if the page is wide enough."""
    return Html('<div class="pair">' + "".join(f"<div>{part}</div>" for part in content) + "</div>")


def definitions(pairs: Iterable[tuple[str, str]]) -> Html:
    """Terms and their descriptions; names from outside are given as Html."""
    rows = "".join(f"<dt>{own(title)}</dt><dd>{_own_or_html(value)}</dd>" for title, value in pairs)
    return Html(f"<dl>{rows}</dl>")
