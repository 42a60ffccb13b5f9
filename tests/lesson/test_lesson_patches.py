"""From an image to its patch features: one place worked through, and what each place adds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import quickjs
from helpers import draw_classes, translator
from PIL import Image
from scipy.ndimage import uniform_filter
from scipy.signal import correlate

from softmaxce import lesson
from softmaxce.layers import Layer
from softmaxce.lesson.picture import Picture
from softmaxce.lesson.step import CheckError
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.patches import SIDE
from softmaxce.preprocessing import Preprocessing
from softmaxce.training.patch_learning import learn_patches, scales_for
from softmaxce.views.json.json_output import json_line
from softmaxce.views.lesson import page
from softmaxce.views.lesson.formatting import step_text
from softmaxce.workflows.explain import explain

NAMES = ("cat", "dog", "person")


def patch_model(shape=(14, 17, 3), *hidden, symmetric=True, seed=0):
    """A model with random weights, whose patches are learned from smooth random pictures."""
    random = np.random.default_rng(seed)
    pixels = pictures_of(shape, 20, seed)
    learned = learn_patches(pixels, np.arange(20), shape, n_pairs=4)
    patches = replace(learned, is_symmetric=symmetric)
    patches = replace(patches, scales=scales_for(np.stack([patches.sums(p) for p in pixels])))
    widths = [patches.n_features, *hidden, len(NAMES)]
    layers = tuple(
        Layer(random.normal(0, 0.3, (n, m)), random.normal(0, 1, m)) for n, m in pairwise(widths)
    )
    return SoftmaxModel(layers, Preprocessing(*shape), NAMES, patches=patches)


def pictures_of(shape, n, seed):
    random = np.random.default_rng(seed)
    smooth = uniform_filter(random.normal(128, 90, (n, *shape)), (0, 3, 3, 0))
    return np.clip(smooth * 2 - 128, 0, 255).astype(np.uint8).reshape(n, -1)


def lesson_of(picture):
    names = picture.model.class_names
    example = lesson.make_example(picture.logits.tolist(), "image", classes=names)
    return {step.name: step for step in lesson.build(example, picture)}


KINDS = [
    ((14, 17, 3), (), True),
    ((14, 17, 3), (), False),
    ((9, 8, 1), (), True),
    ((6, 6, 1), (), False),
    ((12, 12, 3), (5,), True),
    ((13, 9, 1), (6, 4), False),
]


@pytest.mark.parametrize(("shape", "hidden", "symmetric"), KINDS)
def test_places_and_bias_sum_to_each_logit(shape, hidden, symmetric):
    model = patch_model(shape, *hidden, symmetric=symmetric)
    random = np.random.default_rng(5)
    noise = random.integers(0, 256, (10, model.n_pixels), dtype=np.uint8)
    flat = np.repeat(np.array([[0], [1], [128], [255]], np.uint8), model.n_pixels, axis=1)
    for pixels in (*pictures_of(shape, 10, 7), *noise, *flat):
        picture = Picture(model, pixels)
        for k in range(3):
            by_place = picture.contribution_map(k)
            assert by_place.shape == shape[:2]
            assert by_place.sum() + picture.slopes(k)[1] == pytest.approx(
                picture.logits[k], abs=1e-6
            )
        steps = lesson_of(picture)
        assert list(steps)[:4] == ["image", "patches", "logits", "shares"]


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_contribution_of_each_place_by_brute_force(symmetric):
    shape = height, width, channels = 11, 10, 3
    model = patch_model(shape, symmetric=symmetric)
    patches, weights = model.patches, model.layers[0].weights[:, 1]
    picture = Picture(model, pictures_of(shape, 1, 3)[0])
    image = picture.grid.astype(float)
    size = (SIDE, SIDE, channels)
    ones = np.ones(size) / np.prod(size)
    mean = correlate(image, ones, "valid")[..., 0]
    variance = correlate(image**2, ones, "valid")[..., 0] - mean**2

    def response(number):
        kernel = patches.bank[:-1, number].astype(float).reshape(size)
        products = correlate(image, kernel, "valid")[..., 0] - mean * kernel.sum()
        return products / np.sqrt(variance + 100) + float(patches.bank[-1, number])

    n_rows, n_columns = height - 5, width - 5
    pooling = patches.pooling.astype(float).reshape(-1, n_rows, n_columns)
    grid, n_pairs = patches.grid, patches.n_pairs
    expected, index = np.zeros((n_rows, n_columns)), 0
    for threshold in (0.2, 0.6, 1.2):
        for sign in (1, -1):
            excess = [np.maximum(sign * response(f) - threshold, 0) for f in range(2 * n_pairs)]
            for row in range(grid):
                for column in range(grid):
                    here, there = row * grid + column, row * grid + grid - 1 - column
                    for f in range(n_pairs if symmetric else 2 * n_pairs):
                        added = pooling[here] * excess[f]
                        if symmetric:
                            added = added + pooling[there] * excess[f + n_pairs]
                        if added.sum() > 0:
                            value = picture.inputs[index] / 255 * weights[index]
                            expected += value * added / added.sum()
                        index += 1
    assert index == patches.n_features
    found = patches.contributions(picture.pixels, picture.contributions(1))
    assert found == pytest.approx(expected, abs=1e-4)
    assert np.abs(expected).max() > 0.01


def test_what_a_place_adds_is_spread_over_the_pixels_of_its_patch():
    model = patch_model((6, 7, 1), symmetric=False)
    picture = Picture(model, pictures_of((6, 7, 1), 1, 2)[0])
    first, second = model.patches.contributions(picture.pixels, picture.contributions(0))[0]
    expected = np.tile([first, *5 * [first + second], second], (6, 1)) / 36
    assert picture.contribution_map(0) == pytest.approx(expected)


def test_the_worked_place_adds_up_as_it_says():
    model = patch_model()
    picture = Picture(model, pictures_of((14, 17, 3), 1, 9)[0])
    numbers = lesson_of(picture)["patches"].numbers
    row, column = numbers["row"], numbers["column"]
    part = picture.grid[row : row + 6, column : column + 6].astype(float)
    assert numbers["mean"] == pytest.approx(part.mean())
    assert numbers["divisor"] == pytest.approx(np.sqrt(part.var() + 100))
    normal = np.append((part - part.mean()).reshape(-1) / numbers["divisor"], 1)
    responses = normal @ model.patches.bank[:, :4].astype(float)
    assert numbers["response"] == pytest.approx(responses.max(), abs=1e-4)
    assert numbers["patch"] == responses.argmax()
    assert numbers["added"] == pytest.approx(numbers["weight"] * (responses.max() - 0.2), abs=1e-4)
    assert numbers["n_places"] == 9 * 12
    assert numbers["n_features"] == 6 * 4 * model.patches.grid**2
    assert numbers["feature"] in picture.inputs


@pytest.mark.parametrize("wrong", ["bank", "pooling"])
def test_the_checks_fail_if_the_features_are_wrong(wrong):
    model = patch_model()
    patches = model.patches
    picture = Picture(model, pictures_of((14, 17, 3), 1, 9)[0])
    sums = patches.sums(picture.pixels)
    assert lesson_of(picture)
    if wrong == "bank":  # filters whose sum is not 0 respond to the mean brightness
        filters = patches.filters + np.float32(0.01)
        model = replace(model, patches=replace(patches, filters=filters))
    else:
        patches.__dict__["sums"] = lambda pixels, memory=None: sums * np.float32(1.01)
    with pytest.raises(CheckError, match="patches"):
        lesson_of(Picture(model, picture.pixels))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trained model with patches, its image and its training images."""
    from helpers import run_command

    folder = tmp_path_factory.mktemp("patches")
    draw_classes(folder / "train", dict.fromkeys(NAMES, 14), side=12)
    words = ("--features", "patches:8", "--mirror", "on", "-o", "model.npz")
    done = run_command("train", "train", *words, "--report", "report.html", cwd=folder)
    assert done.exit_code == 0, done.stderr
    image = np.random.default_rng(2).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(image).save(folder / "cat.png")
    return folder


@pytest.mark.parametrize("output_format", ["text", "markdown", "html", "json"])
@pytest.mark.parametrize(
    ("language", "title"), [("en", "From image to patches"), ("ko", "이미지에서 패치로")]
)
def test_explain_in_every_format(trained, output_format, language, title):
    from helpers import run_command

    words = ("explain", "cat.png", "--format", output_format, "--lang", language)
    done = run_command(*words, cwd=trained)
    assert (done.exit_code, done.stderr) == (0, "")
    titles = [step["title"] for step in done.json["steps"]] if output_format == "json" else []
    assert title in titles or title in done.stdout
    assert "eights of class" not in done.stdout
    if output_format == "html":
        data = json.loads(re.search(r'id="data">(.*?)</script>', done.stdout, re.S).group(1))
        _, patches, logits = data["steps"][:3]
        assert re.findall('<figure class="pixels|id="(body-.*?)"', done.stdout)[:4] == [
            "body-image",
            "body-patches",
            "",
            "body-logits",
        ]
        assert patches["fixed"]["n_patches"] == 8
        assert "contributions" not in logits["fixed"]
    if output_format == "json":
        numbers = done.json["steps"][2]["numbers"]
        winner = int(np.argmax(done.json["logits"]))
        total = sum(numbers["contributions"]) + numbers["biases"][winner]
        assert total == pytest.approx(done.json["logits"][winner], abs=1e-9)


def test_the_saved_pictures_are_the_filters_not_weights(trained):
    from helpers import run_command

    done = run_command("explain", "cat.png", "--save-images", "out", cwd=trained)
    assert "3 pictures saved in out" in done.stderr
    written = {path.name for path in (trained / "out").iterdir()}
    assert {"image.png", "filters.png"} < written
    assert not any(name.startswith("template") for name in written)


def test_info_names_the_features(trained):
    from helpers import run_command

    text = run_command("info", "model.npz", cwd=trained).stdout
    made = run_command("info", "model.npz", "--format", "json", cwd=trained).json
    n_features = made["layers"][0][0]
    assert made["features"] == {
        "kind": "patches",
        "n_filters": 8,
        "patch_side": 6,
        "mirror": True,
        "n_features": n_features,
    }
    line = f"Features: 8 patches of 6 × 6 with their mirror images, {n_features:,} features"
    assert line in " ".join(text.split())


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_shows_what_the_command_shows(language):
    model = patch_model(symmetric=language == "ko")
    picture = Picture(model, pictures_of((14, 17, 3), 1, 11)[0], "cat.png")
    explanation = explain(lesson.make_example(picture.logits.tolist(), "image"), picture)
    translate = translator(language)
    context = quickjs.Context()
    for name in ("numbers.js", "rendering.js"):
        context.eval((page.HERE / name).read_text("utf-8"))
    context.eval("const console = { error: (...words) => { throw new Error(words.join()); } };")
    context.eval(f"const DATA = {json_line(page.page_data(explanation, translate))};")
    shown = context.eval("JSON.stringify(lesson(DATA.state).steps.slice(0, 3))")
    for ours, step in zip(json.loads(shown), explanation.steps, strict=False):
        expected = json.loads(json_line(step_text(step, [0, 1, 2], translate)._asdict()))
        for name in ("title", "claim", "sentences", "checks"):
            assert ours[name] == expected[name]
        assert [table["rows"] for table in ours["tables"]] == [
            table["rows"] for table in expected["tables"]
        ]
