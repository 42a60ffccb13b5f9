"""CSV files of pixels, as learners find them: every usual layout gives the same arrays."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from helpers import assert_one_error_line, run_command

from softmaxce.data.array_files import is_array_source, read_arrays
from softmaxce.data.manifest import is_manifest
from softmaxce.errors import DataError

RANDOM = np.random.default_rng(0)
SIDE, N_PIXELS = 5, 25
LABELS = [k % 3 for k in range(60)]
IMAGES = RANDOM.integers(0, 60, (60, SIDE, SIDE)) + 90 * np.array(LABELS)[:, None, None]
IMAGES[0, 0, :2] = 0, 255
NAMES = ["ant", "새", "wasp"]
PIXELS = [f"pixel{k}" for k in range(N_PIXELS)]
ROWS = [[label, *image.ravel()] for label, image in zip(LABELS, IMAGES, strict=True)]
LAST = [[*row[1:], row[0]] for row in ROWS]


def text(rows=ROWS, header=None, *, delimiter=",", form="{}", newline="\n"):
    lines = [delimiter.join(header)] if header else []
    lines += [delimiter.join(map(form.format, row)) for row in rows]
    return newline.join([*lines, ""])


def check(path, labels=LABELS, images=IMAGES):
    assert is_array_source(path)
    assert not is_manifest(path)
    arrays = read_arrays(path)
    np.testing.assert_array_equal(arrays.images, images)
    assert arrays.labels == tuple(map(str, labels))


@pytest.mark.parametrize(
    "content",
    [
        text(header=["label", *PIXELS]),
        text(header=["label", *(f"pixel{k + 1}" for k in range(N_PIXELS))]),
        text(header=["label", *(f"{k // SIDE + 1}x{k % SIDE + 1}" for k in range(N_PIXELS))]),
        text(header=["Label", *map(str, range(N_PIXELS))]),
        text(header=["digit", *(f"px_{k}" for k in range(N_PIXELS))]),
        text(),
        text(header=list(map(str, range(N_PIXELS + 1)))),
        text(LAST, header=[*PIXELS, "class"]),
        text([[k, *row] for k, row in enumerate(ROWS)], header=["", "label", *PIXELS]),
        text([[k, *row] for k, row in enumerate(ROWS)], header=["id", "label", *PIXELS]),
        text(header=["label", *PIXELS], delimiter=";", newline="\r\n"),
        "sep=;\n" + text(header=["label", *PIXELS], delimiter=";"),
        text(header=["label", *PIXELS], form='"{}"'),
        text(header=["label", *PIXELS], form="{}.0"),
        text(header=["label", *PIXELS], form=" {} "),
        text(header=["label", *PIXELS]) + "\n" + "," * N_PIXELS + "\n",
        text([[*row, ""] for row in ROWS], header=["label", *PIXELS]),
        text([[*row, "", ""] for row in ROWS], header=["label", *PIXELS], delimiter=";"),
        text([[*row, ""] for row in LAST], header=[*PIXELS, "class"], newline="\r\n"),
        text([[*row, ""] for row in ROWS], header=["label", *PIXELS, ""]),
        text([[*row, ""] for row in ROWS]),
    ],
)
def test_every_usual_layout(tmp_path, content):
    (tmp_path / "digits.csv").write_text(content)
    check(tmp_path / "digits.csv")


def test_other_encodings_and_names(tmp_path):
    content = text(header=["label", *PIXELS], delimiter="\t")
    (tmp_path / "a.tsv").write_bytes(content.encode("utf-16"))
    check(tmp_path / "a.tsv")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text().encode()))
    check(tmp_path / "a.csv.gz")
    (tmp_path / "a.csv").write_bytes(
        text([[NAMES[2], *ROWS[0][1:]]], ["é", *PIXELS]).encode("cp1252")
    )
    with pytest.raises(DataError, match="not UTF-8"):
        is_array_source(tmp_path / "a.csv")


@pytest.mark.parametrize("header", [None, ["species", *PIXELS]])
def test_labels_may_be_names(tmp_path, header):
    (tmp_path / "a.csv").write_text(text([[NAMES[row[0]], *row[1:]] for row in ROWS], header))
    check(tmp_path / "a.csv", [NAMES[label] for label in LABELS])


def test_without_a_header_the_label_may_be_last(tmp_path):
    """As in UCI's digits, whose first pixel is always 0."""
    images = IMAGES.copy()
    images[:, 0, 0] = 0
    rows = [[*image.ravel(), label] for label, image in zip(LABELS, images, strict=True)]
    (tmp_path / "optdigits.csv").write_text(text(rows))
    check(tmp_path / "optdigits.csv", images=images)


def test_emnist_is_turned_upright(tmp_path):
    rows = [[row[0], *image.T.ravel()] for row, image in zip(ROWS, IMAGES, strict=True)]
    (tmp_path / "emnist-letters-train.csv").write_text(text(rows))
    check(tmp_path / "emnist-letters-train.csv")
    assert "transposed" in read_arrays(tmp_path / "emnist-letters-train.csv").notes[0]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ([1, 300, *[0] * 24], "line 4: the pixel '300' is not a whole number from 0 to 255"),
        ([1, -1, *[0] * 24], "line 4: the pixel '-1' is not"),
        ([1, -1.5, *[0] * 24], "from 0 to 255; save features with np.savez, not as CSV"),
        ([1, 0.5, *[0] * 24], "the pixel '0.5' is not a whole number from 0 to 255; if they are"),
        ([1, 0, 1, *[1e-5] * 23], "(x * 255).round()"),
        ([1, *[0] * 24, "x"], "line 4: the pixel 'x' is not"),
        ([1, *[0] * 24, ""], "line 4: the pixel '' is not"),
        ([1, *[0] * 24], "line 4: 24 pixel values, but 25"),
        ([1, *[0] * 26], "line 4: 26 pixel values, but 25"),
        (["", *[0] * 25], "line 4: it has no label"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, fault):
    (tmp_path / "a.csv").write_text(text([*ROWS[:2], row, *ROWS], ["label", *PIXELS]))
    assert_one_error_line(run_command("train", "a.csv", cwd=tmp_path), 1, "a.csv", fault)


def test_pixels_that_are_not_a_square_are_refused(tmp_path):
    header = ["label", *PIXELS, "pixel25"]
    (tmp_path / "a.csv").write_text(text([[*row, 0] for row in ROWS], header))
    outcome = run_command("train", "a.csv", cwd=tmp_path)
    assert_one_error_line(outcome, 1, "a.csv", "26 pixels per image are not a square")


@pytest.mark.parametrize("header", [["label", *PIXELS], PIXELS])
def test_a_header_alone_is_no_data_set(tmp_path, header):
    (tmp_path / "a.csv").write_text(text([], header))
    outcome = run_command("train", "a.csv", cwd=tmp_path)
    assert_one_error_line(outcome, 1, "a.csv: it contains no images")


def test_every_command_reads_them(tmp_path):
    (tmp_path / "train.csv").write_text(text(header=["label", *PIXELS]))
    (tmp_path / "test.csv").write_text(text([row[1:] for row in ROWS], PIXELS))

    def run(*words):
        return run_command(*words, "--format", "json", cwd=tmp_path)

    assert run("train", "train.csv").json["classes"] == ["0", "1", "2"]
    assert run("evaluate", "train.csv").json["accuracy"] == 1
    checked = run("check", "train.csv").json
    assert checked["parts"][0]["n_images"] == {"0": 20, "1": 20, "2": 20}
    assert checked["sizes"] == {"5 × 5": 60}
    predictions = run("predict", "test.csv").json["predictions"]
    assert [p["predicted"] for p in predictions] == list(map(str, LABELS))
    assert predictions[59]["path"] == "test.csv[59]"
    outcome = run_command("evaluate", "test.csv", cwd=tmp_path)
    assert_one_error_line(outcome, 1, "no labels: test.csv", "a column label")
