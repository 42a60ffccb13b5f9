"""How the page for drawing reads pictures and computes logits, beside the command's way."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from contextlib import suppress
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import quickjs
from PIL import Image

from softmaxce.errors import InputError
from softmaxce.images.reading import read_pixels
from softmaxce.layers import Layer
from softmaxce.lesson.picture import Picture
from softmaxce.model.softmax_model import SoftmaxModel
from softmaxce.patches import PatchFeatures
from softmaxce.preprocessing import Preprocessing
from softmaxce.views.json.json_output import json_line
from softmaxce.views.lesson import page, play

GREY = Preprocessing(28, 28, 1)
COLOUR = Preprocessing(16, 24, 3, background="#20a0ff")


@cache
def engine():
    """The functions of the page that need no browser."""
    context = quickjs.Context()
    for name in ("numbers.js", "files.js", "jpeg.js", "model.js", "patches.js"):
        context.eval((page.HERE / name).read_text("utf-8"))
    context.eval("const call = (f, words) => JSON.stringify(f(...JSON.parse(words)));")
    context.add_callable("binary", lambda text: base64.b64decode(text).decode("latin-1"))
    context.eval("const atob = binary;")
    context.eval("""const answerOf = (data, pixels) => {
      const picture = { ...data.form, data: Uint8Array.from(pixels) };
      const { logits, map } = answerTo(decodedModel(data), picture);
      return { logits, map: [...map] };
    };""")
    context.eval("const bytesOf = (list) => Uint8Array.from(list ?? []);")
    return context


def call(function, *arguments):
    """The result of a function of the page, as lists."""
    return json.loads(engine().eval(f"call({function}, {json.dumps(json_line(arguments))})"))


def random_picture(seed, width, height, channels=4):
    chance = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = 128 + 100 * np.sin(rows / 7 + columns / chance.uniform(3, 20))
    pixels = waves[..., np.newaxis] + chance.normal(0, 40, (height, width, channels))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def picture_of(pixels, **more):
    height, width = pixels.shape[:2]
    return {"width": width, "height": height, "data": pixels.ravel().tolist(), **more}


@pytest.mark.parametrize("form", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize(
    "size", [(28, 28), (56, 56), (48, 32), (67, 41), (7, 90), (100, 11), (1, 1)]
)
def test_pixels_are_those_of_the_command(form, fit, size):
    form = Preprocessing(form.height, form.width, form.channels, fit, form.background)
    pixels = random_picture(1, *size)
    for image in (pixels, np.dstack([pixels[..., :3], np.full(size[::-1], 255, np.uint8)])):
        expected = read_pixels(Image.fromarray(image), form)
        made = call("(p, f) => [...prepared(p, f).data]", picture_of(image), play.form_of(form))
        assert made == expected.tolist()


def png_of(image, **options):
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def decoded(content):
    """The picture as the page decodes it, but for inflating, which is the browser's own."""
    chunks = call("(b) => chunksOf(bytesOf(b))['IDAT'].map((part) => [...part])", list(content))
    data = zlib.decompress(bytes(value for chunk in chunks for value in chunk))
    script = """(b, d) => {
      const chunks = chunksOf(bytesOf(b));
      const picture = pictureOf(chunks, bytesOf(d));
      return { ...picture, data: [...picture.data] };
    }"""
    return call(script, list(content), list(data))


def of_mode(mode):
    pixels = random_picture(2, 45, 33)
    if mode == "I;16":
        return Image.fromarray(pixels[..., 0].astype(np.uint16) * 257 - pixels[..., 1] // 9)
    return Image.fromarray(pixels).convert(mode)


FILES = {mode: png_of(of_mode(mode)) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")} | {
    "2 bits": png_of(of_mode("P").quantize(4), bits=2),
    "4 bits": png_of(of_mode("P").quantize(16), bits=4),
    "transparent index": png_of(of_mode("P"), transparency=3),
    "transparent indices": png_of(of_mode("P"), transparency=bytes(range(200))),
    "transparent grey": png_of(of_mode("L"), transparency=int(random_picture(2, 45, 33)[9, 9, 0])),
    "transparent colour": png_of(of_mode("RGB"), transparency=of_mode("RGB").getpixel((9, 9))),
}


with suppress(OSError):  # the oldest Pillow cannot write it
    FILES["transparent 16 bits"] = png_of(
        of_mode("I;16"), transparency=of_mode("I;16").getpixel((4, 4))
    )


def with_orientation(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return png_of(of_mode("RGBA"), exif=exif)


FILES |= {f"orientation {n}": with_orientation(n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9)}


@pytest.mark.parametrize("form", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", FILES)
def test_png_files_give_the_pixels_of_the_command(name, form):
    made = call("(p, f) => [...prepared(p, f).data]", decoded(FILES[name]), play.form_of(form))
    assert made == read_pixels(FILES[name], form).tolist()


def test_files_that_the_command_refuses_are_refused():
    image = Image.fromarray(random_picture(3, 5, 4)[..., :3])
    content = bytearray(png_of(image, transparency=(1, 2, 3)))
    content[24] = 16  # the depth: the page does not check the checksum
    with pytest.raises(quickjs.JSException, match="16-bit"):
        decoded(bytes(content))


@pytest.mark.parametrize("interlaced", [False, True])
def test_an_interlaced_png_gives_the_same_picture(interlaced):
    pixels = random_picture(4, 13, 9)
    lines = [pixels[y0::dy, x0::dx] for x0, y0, dx, dy in PASSES] if interlaced else [pixels]
    data = [b"\0" + line.tobytes() for part in lines if part.size for line in part]
    head = {"width": 13, "height": 9, "depth": 8, "colour": 6, "interlaced": int(interlaced)}
    script = "(head, data) => [...unpacked(head, bytesOf(data))]"
    assert call(script, head, list(b"".join(data))) == pixels.ravel().tolist()


PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
PASSES += [(0, 1, 1, 2)]


JPEG_OPTIONS = {
    "grey": {"mode": "L"},
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "4:2:0": {"subsampling": 2},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 3},
    "own codes": {"optimize": True, "quality": 30},
}


def jpeg_of(pixels, mode="RGB", **options):
    stream = io.BytesIO()
    Image.fromarray(pixels[..., :3]).convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("options", JPEG_OPTIONS.values(), ids=JPEG_OPTIONS)
@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_jpeg_files_are_decoded_as_by_libjpeg(options, scale):
    content = jpeg_of(random_picture(5, 93, 58), **options)
    modes = {"L": 1, "RGB": 3} if scale > 1 else {"L": 1}  # else the browser decodes the colours
    for mode, n_channels in modes.items():
        image = Image.open(io.BytesIO(content))
        image.draft(mode, (93 // scale, 58 // scale))
        script = "(b, n, c) => [...jpegPicture(readJpeg(bytesOf(b)), n, c).data]"
        made = call(script, list(content), 8 // scale, n_channels)
        expected = np.asarray(image.convert(mode)).ravel().astype(int)
        assert len(made) == len(expected)
        differences = np.abs(made - expected)
        assert differences.max() <= (0 if scale == 8 else 1)
        assert differences.mean() < 0.005


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("size", [(300, 200), (61, 430), (40, 31)])
def test_a_jpeg_file_gives_the_pixels_of_the_command(size, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = jpeg_of(random_picture(5, *size), exif=exif)
    whole = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))  # as a browser decodes it
    script = "(p, f, b) => [...prepared({ ...p, jpeg: readJpeg(bytesOf(b)) }, f).data]"
    for form in (GREY, COLOUR):
        picture = picture_of(whole, orientation=orientation)
        made = np.array(call(script, picture, play.form_of(form), list(content)))
        assert np.abs(made - read_pixels(content, form)).mean() < 0.005
    parts = call("(b) => withoutExif(bytesOf(b)).parts.map((part) => [...part])", [*content])
    without = Image.open(io.BytesIO(bytes([*parts[0], *parts[1]])))
    assert not without.getexif()
    assert (np.asarray(without.convert("RGBA")) == whole).all()
    assert call("(b) => withoutExif(bytesOf(b)).orientation", [*content]) == orientation


def test_jpeg_files_in_other_colours_are_left_to_the_browser():
    stream = io.BytesIO()
    Image.new("CMYK", (9, 9)).save(stream, "JPEG")
    assert call("(b) => readJpeg(bytesOf(b))", [*stream.getvalue()]) is None


def random_model(hidden=(), patches=None):
    chance = np.random.default_rng(7)
    n_inputs = patches.n_features if patches else GREY.n_pixels
    sides = [n_inputs, *hidden, 4]
    layers = [
        Layer(*(chance.normal(0, 1, n).astype("<f4").astype(float) for n in (pair, pair[1])))
        for pair in pairwise(sides)
    ]
    return SoftmaxModel(tuple(layers), GREY, ("a", "b", "c", "d"), patches=patches)


def assert_same_answer(model, tolerance):
    """The page's logits, and what each place adds to the largest, are those of the command."""
    pixels = read_pixels(Image.fromarray(random_picture(8, 50, 60)), GREY)
    shown = Picture(model, pixels)
    data = json_line(play.model_data(model))
    script = f"(pixels) => answerOf({data}, pixels)"
    answer = call(script, pixels.tolist())
    np.testing.assert_allclose(answer["logits"], shown.logits, rtol=tolerance, atol=tolerance)
    expected = shown.contribution_map(int(shown.logits.argmax())).ravel()
    size = np.abs(expected).max()
    np.testing.assert_allclose(answer["map"], expected, atol=tolerance * size)


@pytest.mark.parametrize("hidden", [(), (6,), (6, 5)])
def test_logits_and_contributions_are_those_of_the_command(hidden):
    assert_same_answer(random_model(hidden), 1e-9)


@pytest.mark.parametrize("is_symmetric", [True, False])
def test_patch_features_are_those_of_the_command(is_symmetric):
    chance = np.random.default_rng(9)
    filters = chance.normal(0, 0.05, (37, 5)).astype(np.float32)
    n_features = 6 * 9 * 5 * (1 if is_symmetric else 2)
    scales = chance.uniform(1, 30, n_features).astype(np.float32)
    patches = PatchFeatures((28, 28, 1), 3, is_symmetric, filters, scales)
    assert_same_answer(random_model(patches=patches), 2e-3)  # a byte may be rounded otherwise


def digit(left, top, scale=1.0, paper=255):
    """A drawing of a 7, 160 × 160."""
    pixels = np.full((160, 160, 4), paper, np.uint8)
    pixels[..., 3] = 255
    box = [int(v * scale) for v in (0, 0, 40, 8, 30, 8, 40, 66)]
    for x0, y0, x1, y1 in (box[:4], box[4:]):
        pixels[top + y0 : top + y1, left + x0 : left + x1, :3] = 255 - paper
    return pixels


@pytest.mark.parametrize("paper", [0, 255])
def test_a_drawing_is_cropped_scaled_and_centred_like_mnist(paper):
    def made(*place):
        return np.array(
            call(
                "(p, f) => [...centred(p, f).data]",
                picture_of(digit(*place, paper)),
                play.form_of(GREY),
            )
        ).reshape(28, 28)

    first = made(20, 30, 1.0)
    ink = np.abs(first - paper)
    rows, columns = np.nonzero(ink.sum(axis=1))[0], np.nonzero(ink.sum(axis=0))[0]
    assert rows[-1] - rows[0] + 1 == 20  # the longer side is 20 of 28 pixels
    assert columns[-1] - columns[0] + 1 <= 13
    places = np.arange(28) + 0.5
    assert abs((ink.sum(axis=1) @ places) / ink.sum() - 14) <= 0.5
    assert abs((ink.sum(axis=0) @ places) / ink.sum() - 14) <= 0.5
    np.testing.assert_array_equal(made(90, 80, 1.0), first)  # wherever it was drawn
    assert np.abs(made(20, 30, 1.5) - first).mean() < 6  # and however large


def test_an_empty_drawing_stays_empty():
    blank = np.full((280, 280, 4), 255, np.uint8)
    made = call("(p, f) => [...centred(p, f).data]", picture_of(blank), play.form_of(GREY))
    assert set(made) == {255}


def test_models_of_images_with_a_black_border_are_recognised():
    model = random_model()
    assert not play.is_dark_at_border(model)
    weights = model.layers[0].weights.reshape(28, 28, 4).copy()
    weights[[0, -1]] = weights[:, [0, -1]] = 0
    black = Layer(weights.reshape(784, 4), model.layers[0].biases)
    assert play.is_dark_at_border(SoftmaxModel((black,), GREY, model.class_names))


def test_a_model_that_is_too_large_for_a_page_is_refused():
    layer = Layer(np.zeros((GREY.n_pixels, 2000)), np.zeros(2000))
    last = Layer(np.zeros((2000, 2)), np.zeros(2))
    with pytest.raises(InputError, match=r"9 MB.*at most 5 MB"):
        play.as_text(SoftmaxModel((layer, last), GREY, ("a", "b")), str, "en")


def test_the_page_loads_nothing_and_contains_the_model():
    text = play.as_text(random_model(), str, "en", label="c")
    assert not re.search(r"(src|href)=\"?(?!data:|#)[a-z]+:", text)
    assert "default-src 'none'" in text
    assert "unsafe" not in text
