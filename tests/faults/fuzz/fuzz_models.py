# ruff: noqa: E402, PT017
"""Coverage-guided fuzzing of the model reader: see SECURITY.md for how to run it.

Each input is tried as it is, and signed anew as a stranger could sign it.
"""

import io
import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parents[2])]
import numpy as np
from fault_tools import make_model, signed

with atheris.instrument_imports(include=["softmaxce.model_file", "zipfile", "json"]):
    from softmaxce.errors import ModelError
    from softmaxce.model_file import _read_model, encode_model


def test_one_input(content: bytes) -> None:
    """What is accepted predicts finite numbers; everything else is a ModelError."""
    candidates = [content]
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
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
