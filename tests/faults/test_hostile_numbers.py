"""Numbers: options refuse what is not a number in their range; extreme data gives finite ones."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import click
import numpy as np
import pytest
from fault_tools import make_model
from helpers import draw_classes, run_command
from PIL import Image

from softmaxce.cli import commands
from softmaxce.errors import SoftmaxceError
from softmaxce.layers import Layer
from softmaxce.model.model_file import save_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing

NOT_NUMBERS = ("nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e999", "ten", "1,5", "0x10", "")
NOT_COUNTS = ("0", "-1", "1.5", "1e3")
# What each numeric option refuses besides NOT_NUMBERS. A new option must be added here.
OUT_OF_RANGE = {
    "--jobs": (*NOT_COUNTS, "1025"),
    "--top-k": NOT_COUNTS,
    "--seed": ("-1", "1.5", str(2**63)),
    "--size": ("0", "-1", "4097", "1x0", "x", "8x", "99999999999"),
    "--l2": ("-1", "-1e-9", "1e7"),
    "--validation": ("1", "-0.1", "1.0001"),
    "--test": ("1", "-0.1", "1.0001"),
    "--folds": (*NOT_COUNTS, "1", "1001"),
    "--permutations": (*NOT_COUNTS, "100001"),
    "--coverage": ("0", "1", "-0.5", "90"),
    "--fail-under": ("accuracy=2", "accuracy=nan", "accuracy>=inf", "cross_entropy<=-1", "0.9x"),
    "--logits": (),
    "--probabilities": ("-0.1", "1.5"),
    "--temperature": ("0", "-1", "1e-300", "1e300"),
    "--learning-rate": ("0", "-1", "1e300"),
    "--exercise": (*NOT_COUNTS, "201"),
    "--sheet": (*NOT_COUNTS, "5"),
    "--hidden": (*NOT_COUNTS[1:], "x"),
    "--features": ("patches:1", "patches:0", "patches:-2", "patches:5000", "patches:", "hog"),
    "--onnx-mean": ("-0.1", "123.675", "0.5,0.5", "0.5,0.5,2"),
    "--onnx-std": ("0", "-1", "1,1", "0.5,0.5,0"),
    "--dask-min-workers": NOT_COUNTS,
    "--dask-timeout": ("0", "-1", "1e9"),
    "--eval-timeout": ("0", "-1", "1e9"),
}
NOT_NUMERIC = (click.Choice, click.Path, click.types.BoolParamType, click.File)
TEXT_OPTIONS = {"--label", "--lang", "--classes", "--background", "--dask", "--mirror"}
TEXT_OPTIONS |= {"--only", "--merge", "--group-by", "--onnx-output"}
BASE = {
    "train": ["nowhere"],
    "predict": ["nowhere"],
    "evaluate": ["nowhere"],
    "info": ["nowhere"],
    "compare": ["nowhere", "nowhere", "nowhere"],
    "check": ["nowhere"],
    "explain": ["--logits", "1", "2"],
}


def numeric_options() -> list[tuple[str, str]]:
    """The command and the name of each numeric option."""
    found = []
    for name, command in commands.commands.items():
        for parameter in command.params:
            option = max(parameter.opts, key=len)
            if parameter.param_type_name != "option" or option in TEXT_OPTIONS:
                continue
            if not isinstance(parameter.type, NOT_NUMERIC):
                found.append((name, option))
    return found


def test_the_tables_name_existing_options():
    options = {o for c in commands.commands.values() for p in c.params for o in p.opts}
    assert options >= TEXT_OPTIONS
    assert OUT_OF_RANGE.keys() == {option for _, option in numeric_options()}


@pytest.mark.parametrize(("name", "option"), numeric_options(), ids="".join)
def test_every_numeric_option_refuses_what_is_not_a_number_in_its_range(name, option):
    for value in NOT_NUMBERS + OUT_OF_RANGE[option]:
        if value in ("1,5", "") and option in ("--logits", "--probabilities", "--hidden"):
            continue  # these take several numbers, or none between two commas
        words = [name, *BASE.get(name, []), f"{option}={value}"]
        if option in ("--probabilities", "--exercise"):
            words = [name, f"{option}={value}"] + ["0.5"] * (option == "--probabilities")
        with pytest.raises((click.UsageError, SoftmaxceError)) as raised:
            commands.main(words, prog_name="softmaxce", standalone_mode=False)
        assert raised.value.exit_code == 2, (value, raised.value)


def finite(value: object) -> bool:
    """Whether every number of a JSON result is finite."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return value not in ("NaN", "Infinity", "-Infinity")


def train_and_use(folder, *words) -> dict:
    """Train on `folder`/data, then evaluate and predict: no warning, and all numbers finite."""
    trained = run_command("train", "data", "--format", "json", *words, cwd=folder)
    assert trained.exit_code == 0, trained.stderr
    assert finite(trained.json)
    for command in ("evaluate", "predict"):
        outcome = run_command(command, "data", "--format", "json", cwd=folder)
        assert outcome.exit_code == 0, outcome.stderr
        assert finite(outcome.json)
        assert "Warning" not in outcome.stderr
        assert run_command(command, "data", cwd=folder).exit_code == 0
    return trained.json


@pytest.mark.parametrize("value", [0, 128, 255])
def test_constant_images(tmp_path, value):
    for name in "ab":
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(15):
            image = Image.new("L", (3, 3), value)
            image.save(tmp_path / "data" / name / f"{number}.png")
    result = train_and_use(tmp_path, "--l2", "0")
    assert result["train"]["cross_entropy"] == pytest.approx(math.log(2), abs=1e-3)


def test_one_image_per_class(tmp_path):
    draw_classes(tmp_path / "data", {"a": 1, "b": 1, "c": 1})
    assert train_and_use(tmp_path)["validation"] is None


def test_one_pixel(tmp_path):
    draw_classes(tmp_path / "data", {"a": 4, "b": 30}, side=1, mode="L")
    train_and_use(tmp_path, "--class-weight", "balanced")


def test_separable_without_penalty(tmp_path):
    draw_classes(tmp_path / "data", {"a": 30, "b": 30})
    assert train_and_use(tmp_path, "--l2", "0")["train"]["accuracy"] == 1


def test_an_enormous_penalty(tmp_path):
    draw_classes(tmp_path / "data", {"a": 30, "b": 30})
    result = train_and_use(tmp_path, "--l2", "1e6")
    assert result["train"]["cross_entropy"] == pytest.approx(math.log(2), abs=0.05)


def test_a_vanishing_penalty(tmp_path):
    draw_classes(tmp_path / "data", {"a": 30, "b": 30})
    train_and_use(tmp_path, "--l2", "1e-320")


def test_500_classes(tmp_path):
    draw_classes(tmp_path / "data", {f"c{i:03}": 2 for i in range(500)}, side=2, mode="L")
    assert len(train_and_use(tmp_path)["classes"]) == 500


def test_validation_images_of_a_single_class(tmp_path):
    draw_classes(tmp_path / "data", {"a": 30, "b": 30})
    draw_classes(tmp_path / "validation", {"a": 30}, seed=1)
    result = train_and_use(tmp_path, "--validation", "validation")
    assert result["validation"]["majority_baseline"] == 1


@pytest.mark.parametrize("scale", [1e3, 1e10, 1e25])
def test_extreme_logits(tmp_path, scale):
    draw_classes(tmp_path / "data", {"cat": 3, "dog": 3}, side=2)
    good = make_model()
    layer = Layer(good.layers[0].weights * scale, good.layers[0].biases)
    extreme = SoftmaxModel((layer,), Preprocessing(2, 2, 3), ("cat", "dog", "zebra"))
    save_model(replace(extreme, temperature=0.5), tmp_path / "model.npz")
    for words in (
        ("evaluate", "data"),
        ("predict", "data", "--label", "zebra"),
        ("explain", "data/cat/000.png", "--label", "zebra"),
    ):
        text = run_command(*words, cwd=tmp_path)
        assert text.exit_code == 0, text.stderr
        outcome = run_command(*words, "--format", "json", cwd=tmp_path)
        assert outcome.exit_code == 0, outcome.stderr
        assert "NaN" not in outcome.stdout
        json.loads(outcome.stdout)


def test_the_forward_pass_of_extreme_weights_raises_no_warning():
    good = make_model()
    with np.errstate(all="raise", under="ignore"):
        for scale in (1e-300, 1e-10, 1e10, 1e25):
            layer = Layer(good.layers[0].weights * scale, good.layers[0].biases)
            model = SoftmaxModel((layer,), good.preprocessing, good.class_names)
            assert np.isfinite(model.logits(np.full((3, 12), 255, np.uint8))).all()
