"""C headers: they compile without a warning, and compute what the model does."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise

import numpy as np
import pytest
from export_tools import compiled, run_c

from softmaxce.layers import Layer
from softmaxce.model.model_file import save_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.numerics import softmax
from softmaxce.preprocessing import Preprocessing
from softmaxce.workflows.export import export

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")

NAMES = ('"; return; //', "\\", "??=*/", "사람", "a\nb\r\t\x00\x1b", "%s", "\udcff")


def make_model(*hidden: int) -> SoftmaxModel:
    form, chance = Preprocessing(5, 4, 3), np.random.default_rng(len(hidden))
    sizes = [form.n_pixels, *hidden, len(NAMES)]
    layers = [Layer(chance.normal(size=(a, b)), chance.normal(size=b)) for a, b in pairwise(sizes)]
    layers[0].weights[:, 0] = 0
    return SoftmaxModel(tuple(layers), form, NAMES)


@pytest.mark.parametrize("is_int8", [False, True], ids=["float", "int8"])
@pytest.mark.parametrize("hidden", [(), (6,), (8, 3)], ids=str)
def test_the_probabilities_of_the_model(tmp_path, hidden, is_int8):
    model = make_model(*hidden)
    save_model(model, tmp_path / "model.npz")
    result = export(str(tmp_path / "model.npz"), str(tmp_path / "model.h"), is_int8=is_int8)
    assert result.n_bytes == (tmp_path / "model.h").stat().st_size
    assert (tmp_path / "model.h").read_bytes().isascii()
    program = compiled(tmp_path / "model.h")
    own_test = subprocess.run([program, "test"], capture_output=True, check=False)
    assert own_test.returncode == 0, own_test.stderr
    names = "".join(f"{name}\0" for name in NAMES).encode("utf-8", "surrogatepass")
    assert own_test.stdout == names.replace(b"a\nb\r\t\0\x1b", b"a\nb\r\t")  # C text ends at a NUL
    pixels = np.random.default_rng(1).integers(0, 256, (200, model.n_pixels)).astype(np.uint8)
    pixels[:2] = [[0], [255]]
    found, expected = run_c(program, pixels), softmax(model.logits(pixels), axis=1)
    if is_int8:
        assert np.mean(found.argmax(axis=1) == expected.argmax(axis=1)) > 0.95
    else:
        assert found == pytest.approx(expected, abs=1e-6)


def test_large_sums_of_integers_do_not_overflow(tmp_path):
    form = Preprocessing(300, 300, 1)
    weights = np.ones((form.n_pixels, 2)) * [1, 0.999]
    model = SoftmaxModel((Layer(weights, np.array([0.0, 80.0])),), form, ("a", "b"))
    save_model(model, tmp_path / "model.npz")
    export(str(tmp_path / "model.npz"), str(tmp_path / "model.h"), is_int8=True)
    pixels = np.full((1, form.n_pixels), 255, np.uint8)
    assert run_c(compiled(tmp_path / "model.h"), pixels).argmax() == 0
