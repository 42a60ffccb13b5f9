"""Pictures that use a small part of the range 0 … 255 are learned as well as bright ones."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import run_command
from PIL import Image
from sklearn.datasets import load_digits

DIGITS, LABELS = load_digits(return_X_y=True)
PIXELS = DIGITS.reshape(-1, 8, 8)


@pytest.mark.parametrize("highest", [1, 7, 255])
def test_digits_are_learned_whatever_their_highest_value(tmp_path, highest):
    pixels = np.round(PIXELS * (highest / 16)).astype(np.uint8)
    np.savez(tmp_path / "digits.npz", x=pixels, y=LABELS)
    result = run_command("train", "digits.npz", "--format", "json", cwd=tmp_path).json
    assert result["validation"]["accuracy"] > 0.89
    assert result["validation"]["cross_entropy"] < 0.4
    findings = run_command("check", "digits.npz", "--format", "json", cwd=tmp_path).json["findings"]
    low = [f["text"] for f in findings if f["kind"] == "low_range"]
    assert len(low) == (highest < 255)


def test_check_names_12_bit_values_in_16_bit_files(tmp_path):
    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "set" / label).mkdir(parents=True)
        for i in range(12):
            values = rng.integers(0, 4096, (9, 9)).astype(np.uint16)
            Image.fromarray(values).save(tmp_path / "set" / label / f"{i}.png")
    check = run_command("check", "set", cwd=tmp_path)
    assert check.exit_code == 0
    assert "whose pixel values are only 0 to 16 (of 0 to 255)" in " ".join(check.stdout.split())
