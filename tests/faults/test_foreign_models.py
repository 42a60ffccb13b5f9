"""Models of other programs, also under the name of one of ours: every command refuses them in one
line, and runs none of their code."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from helpers import PETS, assert_one_error_line, run_command

IMAGE = PETS / "test" / "cat" / "cat-001.png"


class Touch:
    """An object whose unpickling creates a file."""

    def __reduce__(self):
        return Path.touch, (Path("run"),)


def zip_of(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return stream.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=True, **arrays)
    return stream.getvalue()


PICKLE = pickle.dumps(Touch())
TENSORS = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
FORMATS = {
    ".pkl": PICKLE,
    ".joblib": zlib.compress(PICKLE),
    ".pt": zip_of(archive__data_pkl=PICKLE, archive__version=b"3\n"),
    ".pth": pickle.dumps(0x1950A86A20F9469CFC6C, 2) + PICKLE,
    ".keras": zip_of(metadata_json=b"{}", config_json=b"{}", model_weights_h5=b"\x89HDF\r\n\x1a\n"),
    ".h5": b"\x89HDF\r\n\x1a\n" + bytes(2000),
    ".safetensors": struct.pack("<Q", len(TENSORS)) + TENSORS + bytes(8),
    ".onnx": b"\x08\x08\x12\x07pytorch\x1a\x032.3:\x04\x12\x02g1B\x02\x10\x0b",
    ".npz": npz(w=np.array([Touch()], object)),
}
COMMANDS = {
    "predict": lambda model: ("predict", IMAGE, "-m", model),
    "evaluate": lambda model: ("evaluate", PETS / "test", "-m", model),
    "explain": lambda model: ("explain", IMAGE, "-m", model),
    "compare a": lambda model: ("compare", model, "ours.npz", PETS / "test"),
    "compare b": lambda model: ("compare", "ours.npz", model, PETS / "test"),
    "info": lambda model: ("info", model),
    "export": lambda model: ("export", model, "-o", "model.h"),
    "train": lambda model: ("train", model),
    "check": lambda model: ("check", model),
    "predict it": lambda model: ("predict", model, "-m", "ours.npz"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_command_refuses_it(tmp_path, pets_model, suffix, command):
    (tmp_path / "ours.npz").write_bytes(pets_model.read_bytes())
    names = {f"theirs{suffix}", "renamed.npz"}
    for name in names:
        (tmp_path / name).write_bytes(FORMATS[suffix])
        outcome = run_command(*COMMANDS[command](name), cwd=tmp_path)
        assert_one_error_line(outcome, 1, name)
        assert not outcome.stdout
        assert {path.name for path in tmp_path.iterdir()} <= {"ours.npz", *names}
