"""`--help` in the reader's language. The names of options and the examples stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import east_asian_width

import click

from softmaxce.cli.options import use_wanted_language
from softmaxce.translation import translate

_FILL = "\ue001"  # follows a wide character, of which Click counts one column
_AS_IT_IS = "\b"  # starts a paragraph that Click does not wrap


class HelpFormatter(click.HelpFormatter):
    """Translates what Click writes, and wraps it where wide characters need it."""

    def __init__(self, *sizes: int | None, **named_sizes: int | None) -> None:
        use_wanted_language()
        super().__init__(*sizes, **named_sizes)  # type: ignore[arg-type]

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line with the usage."""
        super().write_usage(prog, args, (prefix or translate("Usage:")) + " ")

    def write_heading(self, heading: str) -> None:
        """A heading."""
        super().write_heading(translate(heading))

    def write_text(self, text: str) -> None:
        """Paragraphs."""
        super().write_text("\n\n".join(map(_in_language, text.split("\n\n"))))

    def write_dl(self, rows: Iterable[tuple[str, str]], *columns: int, **widths: int) -> None:
        """Terms and their descriptions."""
        super().write_dl([(term, _in_language(text)) for term, text in rows], *columns, **widths)

    def getvalue(self) -> str:
        """What was written."""
        return super().getvalue().replace(_FILL, "")


def _in_language(paragraph: str) -> str:
    lines = paragraph.split("\n")
    if lines[0] == _AS_IT_IS:
        return "\n".join(map(translate, lines))
    text = translate(" ".join(map(str.strip, lines)))
    return "".join(c + _FILL * (east_asian_width(c) in "WF") for c in text)
