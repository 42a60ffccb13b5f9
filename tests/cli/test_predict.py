"""`softmaxce predict`: every format, every source, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil

import numpy as np
import pytest
import scipy.special
from helpers import PETS, assert_one_error_line

from softmaxce import load_model
from softmaxce.images.reading import read_pixels

CAT = PETS / "test" / "cat" / "cat-001.png"


def test_the_table_has_every_class_highest_first(softmaxce, pets_model):
    text = softmaxce("predict", CAT, "-m", pets_model).stdout
    shown = [line.split() for line in text.splitlines() if line.split()[:1]]
    rows = [words for words in shown if words[0] in ("cat", "dog", "person")]
    values = [float(words[1]) for words in rows]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(1, abs=2e-4)


def test_top_k_and_label(softmaxce, pets_model):
    text = softmaxce("predict", CAT, "-m", pets_model, "-k", 1, "--label", "dog").stdout
    assert "2 more classes share" in text
    result = softmaxce("predict", CAT, "-m", pets_model, "--label", "dog", "--format", "json").json
    (row,) = result["predictions"]
    assert row["label"] == "dog"
    assert row["cross_entropy"] == pytest.approx(-math.log(row["probabilities"]["dog"]), rel=1e-12)
    assert f"Cross-entropy of 'dog': {row['cross_entropy']:.4f} nats" in text


def test_json_agrees_with_scipy_on_the_model_s_logits(softmaxce, pets_model):
    result = softmaxce("predict", PETS / "test", "-m", pets_model, "--format", "json").json
    model = load_model(pets_model)
    assert (result["schema_version"], result["command"]) == (1, "predict")
    assert len(result["predictions"]) == 120
    for row in result["predictions"]:
        pixels = read_pixels(row["path"], model.preprocessing)
        layer = model.layers[0]
        logits = pixels / 255 @ layer.weights + layer.biases
        expected = scipy.special.softmax(logits)
        values = [row["probabilities"][name] for name in model.class_names]
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-6)
        assert row["predicted"] == model.class_names[int(np.argmax(expected))]


def test_one_image_alone_or_among_many_gives_the_same_digits(softmaxce, pets_model):
    many = softmaxce("predict", PETS / "test", "-m", pets_model, "--format", "jsonl").stdout
    rows = {row["path"]: row for row in map(json.loads, many.splitlines())}
    alone = softmaxce("predict", CAT, "-m", pets_model, "--format", "jsonl").stdout
    assert json.loads(alone) == rows[str(CAT)]


def test_csv_has_a_column_per_class(softmaxce, pets_model):
    folder = PETS / "test" / "dog"
    text = softmaxce("predict", folder, "-m", pets_model, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 40
    for row in rows:
        values = {name: float(row[name]) for name in ("cat", "dog", "person")}
        assert row["predicted"] == max(values, key=values.__getitem__)
        assert sum(values.values()) == pytest.approx(1, abs=1e-12)


def test_stdin_is_an_image_like_any(softmaxce, pets_model):
    words = ("-m", pets_model, "--format", "json")
    piped = softmaxce("predict", "-", *words, stdin=CAT.read_bytes()).json["predictions"][0]
    filed = softmaxce("predict", CAT, *words).json["predictions"][0]
    assert piped.pop("path") == "-"
    assert filed.pop("path") == str(CAT)
    assert piped == filed


def test_unreadable_images_stop_it_or_become_rows(softmaxce, pets_model, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    words = ("predict", CAT, "bad.png", "gone.png", CAT, "-m", pets_model, "--format", "jsonl")
    assert_one_error_line(softmaxce(*words), 1, "bad.png", "empty", "--skip-bad", "1 more")
    outcome = softmaxce(*words, "--skip-bad")
    rows = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert [set(row) == {"path", "error"} for row in rows] == [False, True, True, False]
    assert rows[1]["path"] == "bad.png"
    assert rows[0] == rows[3]
    assert outcome.exit_code == 0
    assert "2 files left out" in outcome.stderr


def test_the_model_is_found_by_default_and_by_variable(softmaxce, pets_model, tmp_path):
    assert_one_error_line(softmaxce("predict", CAT), 1, "model.npz", "softmaxce train")
    by_variable = softmaxce("predict", CAT, env={"SOFTMAXCE_MODEL": str(pets_model)})
    shutil.copy(pets_model, tmp_path / "model.npz")
    assert softmaxce("predict", CAT).stdout == by_variable.stdout != ""


def test_unusable_input_is_one_error_line(softmaxce, pets_model, tmp_path):
    (tmp_path / "empty").mkdir()
    assert_one_error_line(softmaxce("predict", "-m", pets_model), 2, "IMAGE")
    assert_one_error_line(softmaxce("predict", "empty", "-m", pets_model), 1, "empty", "no images")
    unknown = softmaxce("predict", CAT, "-m", pets_model, "--label", "cow")
    assert_one_error_line(unknown, 2, "no class 'cow'", "cat, dog, person")
    assert_one_error_line(softmaxce("predict", CAT, "-m", CAT), 1, "not a softmaxce model")
    nothing = softmaxce("predict", "-", "-m", pets_model, stdin=b"")
    assert_one_error_line(nothing, 1, "-: it is empty")
