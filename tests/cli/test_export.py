"""`export`."""

from __future__ import annotations

import hashlib
import sys

import numpy as np
import pytest
from helpers import PETS, assert_one_error_line

from softmaxce.errors import InputError
from softmaxce.workflows.export import export


def test_an_onnx_file(softmaxce, pets_model, tmp_path):
    pytest.importorskip("onnxruntime")
    text = softmaxce("export", pets_model, "-o", "model.onnx").stdout
    content = (tmp_path / "model.onnx").read_bytes()
    assert text.startswith(f"Wrote model.onnx: {len(content):,} bytes\n")
    assert "the model's probabilities for 5 test pictures, within" in text
    result = softmaxce("export", pets_model, "-o", "model.onnx", "--format", "json").json
    assert result["sha256"] == hashlib.sha256(content).hexdigest()
    assert result["n_bytes"] == len(content)
    assert result["n_compared"] == 5
    assert 0 <= result["largest_difference"] <= 1e-6


def test_a_network_is_neither_replaced_nor_exported(softmaxce, pets_model, tmp_path):
    networks = pytest.importorskip("tiny_networks")
    content = networks.write_network(tmp_path / "n.onnx").read_bytes()
    refused = softmaxce("export", pets_model, "-o", "n.onnx")
    assert_one_error_line(refused, 1, "n.onnx: not an exported model; choose another name")
    assert (tmp_path / "n.onnx").read_bytes() == content
    softmaxce("train", PETS, "--features", "n.onnx", "-o", "m.npz", "-q")
    outcome = softmaxce("export", "m.npz", "-o", "m.onnx")
    assert_one_error_line(outcome, 1, "m.npz: its features are computed by a network")


def test_a_c_header(softmaxce, pets_model, tmp_path):
    text = softmaxce("export", pets_model, "-o", "model.h").stdout
    content = (tmp_path / "model.h").read_bytes()
    assert text == f"Wrote model.h: {len(content):,} bytes\n"
    small = softmaxce("export", pets_model, "-o", "small.h", "--int8", "--format", "json").json
    assert small["n_bytes"] < len(content) / 3
    assert small["largest_difference"] is None
    again = softmaxce("export", pets_model, "-o", "model.h", "--int8")  # replaces its own files
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("words", "exit_code", "fragment"),
    [
        ((), 2, "--output"),
        (("-o", "model.tflite"), 2, "ends in .onnx or .h: model.tflite"),
        (("-o", "model.onnx", "--int8"), 2, "--int8 applies only to a .h file: model.onnx"),
        (("-o", "model.h", "--input", "pixels"), 2, "only to an .onnx file: model.h"),
        (("-o", "none/model.h"), 1, "none/model.h: the folder none does not exist"),
        (("-o", "other.h"), 1, "other.h: not an exported model; choose another name"),
        (("-o", "other.onnx"), 1, "other.onnx: not an exported model; choose another name"),
    ],
)
def test_what_is_refused(softmaxce, pets_model, tmp_path, words, exit_code, fragment):
    for name in ("other.h", "other.onnx"):
        (tmp_path / name).write_text("int main(void);")
    assert_one_error_line(softmaxce("export", pets_model, *words), exit_code, fragment)
    assert (tmp_path / "other.h").read_text() == "int main(void);"


def test_patch_features_are_not_exported_to_c(softmaxce):
    softmaxce("train", PETS, "--features", "patches:8", "--no-cache", "-q")
    outcome = softmaxce("export", "-o", "model.h")
    assert_one_error_line(outcome, 1, "model.npz: a C header cannot compute patch features")
    assert "Can be exported as: .onnx\n" in softmaxce("info").stdout
    assert softmaxce("info", "--format", "json").json["export_formats"] == [".onnx"]


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package(pets_model, tmp_path, monkeypatch, package):
    for name in [name for name in sys.modules if name.startswith("softmaxce.export")]:
        monkeypatch.delitem(sys.modules, name)
    for name in {"onnx", "onnxruntime", package}:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"needs onnx and .*: pip install 'softmaxce\[onnx\]'"):
        export(str(pets_model), str(tmp_path / "model.onnx"))


def test_a_model_of_features_is_not_exported(softmaxce, tmp_path):
    chance = np.random.default_rng(0)
    y = np.repeat(["a", "b"], 30)
    np.savez(tmp_path / "rows.npz", x=chance.normal(size=(60, 5)) + (y == "a")[:, None], y=y)
    assert softmaxce("train", "rows.npz", "-q").exit_code == 0
    outcome = softmaxce("export", "-o", "model.h")
    assert_one_error_line(outcome, 1, "model.npz: its features are computed by")
    assert "Can be exported as: –\n" in softmaxce("info").stdout
    assert softmaxce("info", "--format", "json").json["export_formats"] == []
