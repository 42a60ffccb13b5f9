# ruff: noqa: E402, PT017
"""Coverage-guided fuzzing of the model reader: see SECURITY.md for how to run it.

Each input is tried as it is, signed anew as a stranger could sign it, and, so that the checks
behind the zip's are reached, as the header and the weights of a file that is in order otherwise.
"""

import io
import json
import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parents[2])]

with atheris.instrument_imports(include=["softmaxce.model.model_file", "zipfile", "json"]):
    from softmaxce.errors import ModelError
    from softmaxce.model.model_file import _read_model, encode_model


import numpy as np
from fault_tools import header_of, make_model, members_of, npy, signed, zip_of

GOOD = members_of(encode_model(make_model()))


def well_formed(content: bytes) -> bytes:
    """A signed zip: the input up to a NUL overwrites the header's start, the rest the weights'."""
    text, _, values = content.partition(b"\0")
    members = dict(GOOD)
    header = members["header.npy"][128:]
    if text.startswith(b"{"):
        header = text
    elif len(text) > 1:
        place = text[0] % len(header)
        header = header[:place] + text[1:] + header[place + len(text) - 1 :]
    members["header.npy"] = npy(np.frombuffer(header, np.uint8))
    weights = members["weights_0.npy"]
    members["weights_0.npy"] = values[: len(weights)] + weights[len(values) :]
    return signed(zip_of(list(members.items())))


def test_one_input(content: bytes) -> None:
    """What is accepted predicts finite numbers; everything else is a ModelError."""
    candidates = [content, well_formed(content)]
    if b"PK\x05\x06" in content:
        candidates.append(signed(content))
    for candidate in candidates:
        try:
            model = _read_model(io.BytesIO(candidate))
        except ModelError as error:
            assert str(error).isprintable()
            continue
        if model.n_pixels < 10_000:
            assert np.isfinite(model.logits(np.full((1, model.n_pixels), 255, np.uint8))).all()


if __name__ == "__main__":
    corpus = Path(sys.argv[1])
    corpus.mkdir(exist_ok=True)
    for n_hidden in (None, 4):
        (corpus / f"good-{n_hidden}").write_bytes(encode_model(make_model(n_hidden)))
    (corpus / "header").write_bytes(json.dumps(header_of(encode_model(make_model()))).encode())
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
