"""From an image to its logits: the vector, and what each pixel adds."""

from __future__ import annotations

import base64
import io
import json
import re
from html import escape
from itertools import pairwise

import numpy as np
import pytest
from helpers import translator
from PIL import Image
from rich.console import Console

from softmaxce import lesson
from softmaxce.images.reading import read_pixels
from softmaxce.layers import Layer
from softmaxce.lesson.picture import Picture, extreme_regions
from softmaxce.model.model_file import save_model
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.preprocessing import Preprocessing
from softmaxce.views import pictures
from softmaxce.views.lesson import page, text
from softmaxce.workflows.explain import explain

NAMES = ("cat", "dog", "person")


def model_of(height, width, channels, *sizes, names=NAMES, seed=0):
    """A model with random weights; `sizes` are those of its hidden layers."""
    random = np.random.default_rng(seed)
    widths = [height * width * channels, *sizes, len(names)]
    layers = tuple(
        Layer(random.normal(0, 0.3, (n, m)), random.normal(0, 1, m)) for n, m in pairwise(widths)
    )
    return SoftmaxModel(layers, Preprocessing(height, width, channels), names)


def picture_of(model, seed=1):
    random = np.random.default_rng(seed)
    return Picture(model, random.integers(0, 256, model.n_pixels, dtype=np.uint8))


def example_of(picture, label=None):
    names = picture.model.class_names
    return lesson.make_example(picture.logits.tolist(), "image", classes=names, label=label)


def test_the_vector_is_the_rows_end_to_end():
    pixels = np.array([10, 20, 30, 40, 250, 60], dtype=np.uint8)  # two rows of three
    picture = Picture(model_of(2, 3, 1), pixels)
    step = lesson.build(example_of(picture), picture)[0]
    assert step.name == "image"
    # by hand: the brightest pixel, 250, is in row 1, column 1: 1·3 + 1 = 4
    assert (step.numbers["row"], step.numbers["column"], step.numbers["index"]) == (1, 1, 4)
    assert step.numbers["brightness"] == 250
    assert step.numbers["cells"] == [" 10  20  30", " 40 250  60"]
    assert step.numbers["n_pixels"] == 6


def test_the_channels_of_a_pixel_are_adjacent():
    pixels = np.zeros(2 * 2 * 3, dtype=np.uint8)
    pixels[(1 * 2 + 0) * 3 + 2] = 200  # row 1, column 0, blue
    picture = Picture(model_of(2, 2, 3), pixels)
    numbers = lesson.build(example_of(picture), picture)[0].numbers
    assert (numbers["row"], numbers["column"], numbers["channel"]) == (1, 0, 2)
    assert numbers["index"] == 8


def test_contributions_by_hand():
    weights = np.array([[1.0, -2.0], [0.5, 4.0]])
    model = SoftmaxModel(
        (Layer(weights, np.array([0.25, -1.0])),), Preprocessing(1, 2, 1), ("a", "b")
    )
    picture = Picture(model, np.array([255, 51], dtype=np.uint8))  # scaled: 1 and 0.2
    assert picture.contributions(0) == pytest.approx([1.0, 0.1])
    assert picture.contributions(1) == pytest.approx([-2.0, 0.8])
    assert picture.logits == pytest.approx([1.35, -2.2])
    numbers = lesson.build(example_of(picture), picture)[1].numbers
    assert numbers["sums"] == pytest.approx([1.1, -1.2])
    assert numbers["biases"] == pytest.approx([0.25, -1.0])


@pytest.mark.parametrize("hidden", [(), (5,)])
def test_a_calibrated_model_is_explained_with_its_temperature(hidden):
    plain = picture_of(model_of(4, 4, 1, *hidden))
    warm = Picture(plain.model.with_temperature(2.0), plain.pixels)
    assert warm.logits == pytest.approx(plain.logits / 2)
    assert warm.contributions(1) == pytest.approx(plain.contributions(1) / 2)
    step = lesson.build(example_of(warm), warm)[1]
    assert step.numbers["sums_and_biases"] == pytest.approx((plain.logits / 2).tolist())


@pytest.mark.parametrize("hidden", [(), (7,), (9, 5)])
def test_gradients_are_finite_differences_of_the_logits(hidden):
    picture = picture_of(model_of(2, 3, 1, *hidden))
    layers = picture.model.layers

    def logit(values, k):
        for position, layer in enumerate(layers):
            values = np.maximum(values, 0) if position else values
            values = values @ layer.weights + layer.biases
        return values[k]

    for k in range(3):
        slope, rest = picture.slopes(k)
        for pixel in range(6):
            step = np.zeros(6)
            step[pixel] = 1e-6
            difference = logit(picture.values + step, k) - logit(picture.values - step, k)
            assert slope[pixel] == pytest.approx(difference / 2e-6, abs=1e-7)
        assert float(slope @ picture.values) + rest == pytest.approx(picture.logits[k], rel=1e-9)


def test_with_hidden_layers_the_lesson_says_that_it_approximates():
    for hidden, said in (((), False), ((4,), True)):
        picture = picture_of(model_of(4, 4, 1, *hidden))
        step = lesson.build(example_of(picture), picture)[1]
        assert any("approximation" in sentence for sentence in step.shown.sentences) == said


@pytest.mark.slow
def test_on_100_mnist_images_contributions_and_bias_sum_to_each_logit(mnist):
    model = model_of(28, 28, 1, names=tuple("0123456789"))
    weights = model.layers[0].weights.astype(np.longdouble)
    files = [
        path for k in range(10) for path in sorted((mnist / "test" / str(k)).glob("*.png"))[:10]
    ]
    assert len(files) == 100
    for path in files:
        picture = Picture(model, read_pixels(path, model.preprocessing))
        truth = (picture.pixels.astype(np.longdouble) / 255) @ weights + model.layers[0].biases
        for k in range(10):
            total = picture.contributions(k).sum() + model.layers[0].biases[k]
            assert total == pytest.approx(float(truth[k]), rel=1e-6)
            assert total == pytest.approx(picture.logits[k], rel=1e-6)
        lesson.build(example_of(picture), picture)


def test_regions_sum_to_the_contributions():
    picture = picture_of(model_of(10, 11, 3))
    example = example_of(picture)
    numbers = lesson.build(example, picture)[1].numbers
    assert len(numbers["region_sums"]) == 9
    total = sum(picture.contributions(example.winner))
    assert sum(numbers["region_sums"]) == pytest.approx(total)
    assert numbers["pixel_contributions"] == sorted(
        numbers["pixel_contributions"], key=abs, reverse=True
    )


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (2, 2, 1), (3, 3, 1), (64, 40, 3)])
def test_pictures_of_any_size(shape):
    picture = picture_of(model_of(*shape))
    steps = lesson.build(example_of(picture), picture)
    assert [step.name for step in steps[:3]] == ["image", "logits", "shares"]
    assert len(steps) == 10


def test_a_template_is_told_in_words_too():
    weights = np.zeros((9, 2))
    weights[8, 0], weights[1, 0] = 2.0, -3.0  # row 2, column 2 and row 0, column 1
    model = SoftmaxModel((Layer(weights, np.zeros(2)),), Preprocessing(3, 3, 1), ("a", "b"))
    picture = Picture(model, np.full(9, 100, dtype=np.uint8))
    assert extreme_regions(picture, 0) == {"most": "bottom right", "least": "top"}
    words = " ".join(shown(picture, color_system=None).split())
    assert "highest bottom right, lowest top" in words


def shown(picture, **options):
    stream = io.StringIO()
    console = Console(file=stream, width=60, **options)
    text.show(console, explain(example_of(picture), picture), translator("en"))
    return stream.getvalue()


def test_pictures_are_half_blocks_in_colour_and_words_elsewhere():
    picture = picture_of(model_of(8, 8, 1))
    coloured = shown(picture, force_terminal=True, color_system="truecolor", no_color=False)
    plain = shown(picture, color_system=None)
    grey = shown(picture, force_terminal=True, color_system="truecolor", no_color=True)
    assert "▀" not in grey
    assert coloured.count("▀") == 8 * 4 * 4  # image, contributions, two templates
    assert "orange raises" in coloured
    assert "▀" not in plain
    assert "In words: 8 rows of 8 pixels" in plain
    assert "Weights of class" in plain


def test_a_map_has_two_colours_on_white():
    pixels = pictures.map_pixels(np.array([[2.0, -2.0], [0.0, 1.0]]))
    assert pixels[0, 0].tolist() == pictures.UP.tolist()
    assert pixels[0, 1].tolist() == pictures.DOWN.tolist()
    assert pixels[1, 0].tolist() == [255, 255, 255]
    assert pictures.map_pixels(np.zeros((2, 2))).min() == 255


@pytest.fixture
def image_and_model(tmp_path):
    save_model(model_of(8, 8, 3), tmp_path / "model.npz")
    random = np.random.default_rng(2)
    Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "cat.png")
    return tmp_path


def test_explain_image(softmaxce, image_and_model):
    done = softmaxce(
        "explain", "cat.png", "--label", "cat", "--save-images", "out", "--format=json"
    )
    assert done.exit_code == 0, done.stderr
    result = done.json
    assert result["classes"] == list(NAMES)
    assert result["label"] == 0
    assert len(result["steps"]) == 10
    numbers = result["steps"][1]["numbers"]
    winner = int(np.argmax(result["logits"]))
    total = sum(numbers["contributions"]) + numbers["biases"][winner]
    assert total == pytest.approx(result["logits"][winner], rel=1e-9)
    assert "4 pictures" not in done.stderr
    assert "5 pictures saved in out" in done.stderr
    written = sorted(path.name for path in (image_and_model / "out").iterdir())
    assert written == [
        f"contributions-{winner}-{NAMES[winner]}.png",
        "image.png",
        "template-0-cat.png",
        "template-1-dog.png",
        "template-2-person.png",
    ]
    with Image.open(image_and_model / "out" / "image.png") as image:
        assert image.size == (280, 280)


def test_explain_image_from_stdin(softmaxce, image_and_model):
    image = (image_and_model / "cat.png").read_bytes()
    piped = softmaxce("explain", "-", "--format", "json", stdin=image)
    named = softmaxce("explain", "cat.png", "--format", "json")
    assert piped.json["logits"] == named.json["logits"]


@pytest.mark.parametrize("output_format", ["text", "markdown", "html", "json"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_explain_image_in_every_format(softmaxce, image_and_model, output_format, language):
    done = softmaxce("explain", "cat.png", "--format", output_format, "--lang", language)
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    if output_format == "html":
        figures = '<figure class="pixels( large)?"><img src="data:image/png;base64,'
        assert len(re.findall(figures, done.stdout)) == 3


@pytest.mark.parametrize(
    ("words", "exit_code", "named"),
    [
        (["missing.png"], 1, "missing.png: no such file"),
        (["cat.png", "-m", "none.npz"], 1, "none.npz"),
        (["cat.png", "--label", "bird"], 2, "no class 'bird'"),
        (["cat.png", "--logits", "1", "2"], 2, "cannot be combined"),
        (["cat.png", "--classes", "a", "b"], 2, "--classes"),
        (["cat.png", "--save-images", "cat.png"], 1, "cat.png"),
    ],
)
def test_bad_input_is_one_line(softmaxce, image_and_model, words, exit_code, named):
    done = softmaxce("explain", *words, "--format", "json")
    assert done.exit_code == exit_code
    assert named in done.stderr
    assert done.stderr.count("\n") == 1


def page_of(picture, label=None):
    """The page about a picture, and its data."""
    html = page.as_text(explain(example_of(picture, label), picture), translator("en"), "en")
    return html, json.loads(re.search(r'id="data">(.*?)</script>', html, re.S).group(1))


def test_the_page_holds_the_pixels_and_the_contributions_exactly():
    picture = picture_of(model_of(5, 4, 3, 6))
    winner = int(np.argmax(picture.logits))
    label = (winner + 1) % 3
    html, data = page_of(picture, label)
    image = data["image"]
    assert base64.b64decode(image["pixels"]) == picture.pixels.tobytes()
    assert [of["name"] for of in image["classes"]] == [NAMES[winner], NAMES[label]]
    for of, k in zip(image["classes"], (winner, label), strict=True):
        values = np.frombuffer(base64.b64decode(of["contributions"]), "<f8")
        assert values.tolist() == picture.contributions(k).tolist()
    kinds = ["pixels large", "pixels large", "pixels"]
    assert re.findall('<figure class="(pixels.*?)"', html) == kinds


def test_a_page_of_many_large_templates_is_small_enough():
    """224 × 224 in colour; noise compresses worst."""
    model = model_of(224, 224, 3, names=tuple(map(str, range(12))))
    picture = picture_of(model)
    html, data = page_of(picture, (int(np.argmax(picture.logits)) + 1) % 12)
    assert len(html) < 5_000_000
    assert len(data["image"]["classes"]) == 2


def test_the_numbers_of_a_huge_image_are_left_out():
    picture = picture_of(model_of(400, 400, 3))
    html, data = page_of(picture)
    assert (data["image"]["pixels"], data["image"]["classes"]) == ("", [])
    assert '<div class="vector" hidden>' in html


def test_class_names_never_become_markup_of_the_page():
    names = ("<b>$data</b>", "</script>", "{{x}}")
    for first in range(3):  # each of them is the winner's once
        rotated = (*names[first:], *names[:first])
        picture = picture_of(model_of(3, 3, 1, names=rotated))
        html, data = page_of(picture)
        assert names[0] not in html
        assert html.count("</script>") == 2
        winner = rotated[int(np.argmax(picture.logits))]
        assert data["image"]["classes"][0]["name"] == winner
        assert escape(f"Contributions to class {winner}") in html


def test_the_overlay_is_the_map_of_contributions_seen_on_white():
    picture = picture_of(model_of(4, 5, 3))
    overlay = pictures.overlay_pixels(picture, 1).astype(float)
    alpha = overlay[..., 3:] / 255
    on_white = 255 + alpha * (overlay[..., :3] - 255)
    assert np.abs(on_white - pictures.contribution_pixels(picture, 1)).max() <= 1
    assert overlay[..., 3].max() == 255
