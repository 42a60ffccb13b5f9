"""The columns of the CSV of `predict`: one for each class, whatever it is called."""

from __future__ import annotations

import csv
import io

import pytest
from helpers import draw_classes

FIXED = ["path", "predicted", "probability", "label", "cross_entropy", "prediction_set", "error"]
CASES = {
    "ordinary": (["cat", "dog", "0"], ["0", "cat", "dog"]),
    "fixed": (FIXED, None),
    "prefixed": (["path", "p_path", "p_p_path"], ["p_p_p_path", "p_path", "p_p_path"]),
    "odd": (["a,b", 'say "x"', "two\nlines", " "], None),
    "alike": (["=a", "'=a", "a\nb", "a\\nb", "p_'=a"], None),
    "case": (["Path", "LABEL", "Error"], ["Error", "LABEL", "Path"]),
}


def columns_and_rows(text: str) -> tuple[list[str], list[dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text))
    rows = list(reader)
    return list(reader.fieldnames or []), rows


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("options", [(), ("--label", "0")], ids=["", "label"])
def test_every_class_has_a_column_of_its_own(softmaxce, tmp_path, case, options):
    names, expected = CASES[case]
    draw_classes(tmp_path / "d", dict.fromkeys(names, 3), side=3)
    trained = softmaxce("train", "d", "--l2", 0.1, "--validation", 0, "-q")
    assert trained.exit_code == 0, trained.stderr
    words = ("predict", "d", *options, "--format")
    columns, rows = columns_and_rows(softmaxce(*words, "csv").stdout)
    assert len(set(columns)) == len(columns)
    n_classes = len(names)
    assert columns[:2] == ["path", "predicted"]
    assert columns[2 + n_classes :] == ["probability", "label", "cross_entropy", "error"]
    mine = columns[2 : 2 + n_classes]
    assert not set(mine) & set(FIXED)
    if expected:
        assert sorted(mine) == sorted(expected)
    exact = softmaxce(*words, "json").json["predictions"]
    for row, other in zip(rows, exact, strict=True):
        assert [float(row[c]) for c in mine] == list(other["probabilities"].values())
        assert float(row["probability"]) == other["probability"]
        assert other["probability"] == other["probabilities"][other["predicted"]]
        assert other["probability"] == max(other["probabilities"].values())
        assert bool(row["label"]) == bool(options)


def test_the_columns_of_classes_do_not_depend_on_options(softmaxce, tmp_path):
    draw_classes(tmp_path / "d", {"error": 10, "prediction_set": 10}, side=3)
    assert softmaxce("train", "d", "--l2", 0.1, "-q").exit_code == 0
    (tmp_path / "bad.png").write_bytes(b"")
    found = []
    for options in ((), ("--coverage", 0.8)):
        words = ("predict", "d", "bad.png", "--skip-bad", "--format", "csv", *options)
        columns, rows = columns_and_rows(softmaxce(*words).stdout)
        found.append(columns[2:4])
        assert None not in {*rows[-1], *rows[-1].values()}
        assert rows[-1]["error"] == "the file is empty"
        assert not any(rows[-1][c] for c in columns[1:-1])
    assert found == [["p_error", "p_prediction_set"]] * 2
