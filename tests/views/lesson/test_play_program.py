"""How the page for drawing reads pictures and computes logits, beside the command's way."""

from __future__ import annotations

import io
import json
import zlib
from functools import cache

import numpy as np
import pytest
import quickjs
from PIL import Image

from softmaxce.images.orientation import upright
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
    for name in ("numbers.js", "files.js", "model.js", "patches.js"):
        context.eval((page.HERE / name).read_text("utf-8"))
    context.eval("const call = (f, words) => JSON.stringify(f(...JSON.parse(words)));")
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
@pytest.mark.parametrize("size", [(28, 28), (56, 56), (48, 32), (67, 41), (7, 90), (100, 11), (1, 1)])
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


FILES = {
    mode: png_of(of_mode(mode)) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
} | {
    "2 bits": png_of(of_mode("P").quantize(4), bits=2),
    "4 bits": png_of(of_mode("P").quantize(16), bits=4),
    "transparent index": png_of(of_mode("P"), transparency=3),
    "transparent indices": png_of(of_mode("P"), transparency=bytes(range(200))),
    "transparent grey": png_of(of_mode("L"), transparency=int(random_picture(2, 45, 33)[9, 9, 0])),
    "transparent 16 bits": png_of(of_mode("I;16"), transparency=of_mode("I;16").getpixel((4, 4))),
    "transparent colour": png_of(of_mode("RGB"), transparency=of_mode("RGB").getpixel((9, 9))),
}


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
