"""The pictures that are probably mislabelled, as an HTML page."""

from __future__ import annotations

from pathlib import PurePath

from softmaxce.atomic_files import write_atomically
from softmaxce.preprocessing import Preprocessing
from softmaxce.views.formatting import counted
from softmaxce.views.labels import estimate, method, weakness
from softmaxce.views.pictures import in_rgb
from softmaxce.views.report.drawing import text
from softmaxce.views.report.markup import Html, own, paragraph, section, sentences
from softmaxce.views.report.page import filled
from softmaxce.views.report.pictures import share, thumbnail
from softmaxce.workflows.label_check import LabelCheck, Suspect

_N_SHOWN = 200


def write_report(found: LabelCheck, command: str, path: str) -> None:
    """Write the page. Raises OutputError."""
    is_weak, suspects = found.noise.is_too_weak, found.suspects
    title = f"The first {_N_SHOWN} of {len(suspects):,} images"
    if len(suspects) <= _N_SHOWN:
        title = f"Probably mislabelled: {counted(len(suspects), 'image')}"
    legend = "The label of each picture (bold), and the most probable other class."
    cards = "".join(_card(found, suspect) for suspect in suspects[:_N_SHOWN])
    listed = section(title, paragraph(legend, "soft"), Html(f'<ul class="grid">{cards}</ul>'))
    summary = sentences(method(found), weakness(found) if is_weak else estimate(found))
    page = filled("Report on labels", command, summary=summary, sections="" if is_weak else listed)
    write_atomically(path, [page])


def _card(found: LabelCheck, suspect: Suspect) -> str:
    form, image = found.images.dataset.preprocessing, ""
    short = "/".join(PurePath(suspect.path).parts[-2:])
    if isinstance(form, Preprocessing):
        pixels = found.images.pixels(suspect.position)
        picture = in_rgb(pixels.reshape(form.height, form.width, form.channels))
        image = f'<img src="{thumbnail(picture)}" alt="{own(f"The image {short}")}">'
    return (
        f"<li>{image}"
        f"{share(suspect.label, suspect.p_label, is_label=True)}"
        f"{share(suspect.likelier, suspect.p_likelier, is_label=False)}"
        f'<p class="path" title="{text(suspect.path)}">{text(short)}</p></li>\n'
    )
