"""The box at the top of a report: the verdict, the findings and what may help."""

from __future__ import annotations

from softmaxce.findings import Finding
from softmaxce.views.findings import finding_text, remedy_text, verdict_text
from softmaxce.views.report.drawing import text
from softmaxce.views.report.markup import Html, own
from softmaxce.views.report.subject import Subject


def findings_box(subject: Subject) -> Html:
    """The verdict, and a list of the findings."""

    def item(finding: Finding) -> str:
        remedy = remedy_text(finding, subject.command)
        shown = f"<code>{own(remedy)}</code>" if remedy else ""
        return f"<li>{_sentence(finding_text(finding))}{shown}</li>"

    found = subject.found
    items = "".join(map(item, found.findings))
    listed = f"<ol>{items}</ol>" if items else ""
    kind = text(found.verdict.kind.replace("_", "-"))
    return Html(
        f'<section class="trust {kind}" aria-label="{own("Verdict")}">'
        f"<p>{_sentence(verdict_text(found.verdict))}</p>{listed}</section>"
    )


def _sentence(words: str) -> str:
    """As HTML, where no line breaks between a number and its %."""
    return own(words).replace(" %", "&nbsp;%")
