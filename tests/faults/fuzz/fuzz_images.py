# ruff: noqa: E402, PT017
"""Coverage-guided fuzzing of the image reader: see SECURITY.md for how to run it."""

import io
import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
with atheris.instrument_imports(include=["softmaxce", "PIL"]):
    from softmaxce.errors import ImageError
    from softmaxce.images.decoder_guards import quiet_decoders
    from softmaxce.images.reading import read_details, read_image
    from softmaxce.images.small_png import SmallPng
    from softmaxce.preprocessing import Preprocessing

from test_hostile_images import FORMATS, good_images

FORMS = (Preprocessing(8, 8, 3), Preprocessing(5, 7, 1, fit="crop"), Preprocessing(9, 4, 3, "pad"))
SMALL = SmallPng(24, 24, 3)


def test_one_input(content: bytes) -> None:
    """A picture has its pixels; everything else is an ImageError."""
    for form in FORMS:
        try:
            pixels, _ = read_image(io.BytesIO(content), form)
            read_details(io.BytesIO(content))
        except ImageError as error:
            assert str(error)
            continue
        assert pixels.shape == (form.n_pixels,)
    with quiet_decoders:
        SMALL.inflate(content)


if __name__ == "__main__":
    corpus = Path(sys.argv[1])
    corpus.mkdir(exist_ok=True)
    for form in FORMATS:
        for number, content in enumerate(good_images(form)):
            (corpus / f"{form}-{number}").write_bytes(content)
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
