"""`softmaxce explain -m MODEL --format html`: the page on which to draw."""

from __future__ import annotations

import json
import re

import pytest


def page_of(text):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1]
    )


def test_the_page_contains_the_model(softmaxce, pets_model, tmp_path):
    done = softmaxce(
        "explain", "-m", str(pets_model), "-o", "play.html", "--label", "dog", cwd=tmp_path
    )
    assert done.exit_code == 0, done.stderr
    text = (tmp_path / "play.html").read_text("utf-8")
    assert len(text) < 5_000_000
    data = page_of(text)
    assert data["state"]["classes"] == ["cat", "dog", "person"]
    assert data["state"]["label"] == 1
    assert len(data["play"]["layers"]) == 1
    assert "Draw, and the model answers" in text


def test_the_page_is_korean(softmaxce, pets_model):
    done = softmaxce("explain", "-m", str(pets_model), "--format", "html", "--lang", "ko")
    assert done.exit_code == 0, done.stderr
    assert "그리면 모델이 답합니다" in done.stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "--format html -o play.html"),
        (["--format", "json"], "--format html -o play.html"),
        (["-o", "lesson.md"], "--format html -o play.html"),
        (["-o", "play.html", "--save-images", "x"], "needs an IMAGE"),
        (["-o", "play.html", "--classes", "a", "b"], "needs --logits"),
        (["-o", "play.html", "--label", "bird"], "no class 'bird'"),
        (["-o", "play.html", "--answers"], "--exercise"),
        (["-o", "play.html", "--quiz"], "--quiz needs --format text"),
    ],
)
def test_wrong_usage_is_one_line(softmaxce, pets_model, tmp_path, words, named):
    done = softmaxce("explain", "-m", str(pets_model), *words, cwd=tmp_path)
    assert done.exit_code == 2
    assert named in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "play.html").exists()


def test_the_model_of_the_environment_alone_is_not_explained(softmaxce):
    done = softmaxce("explain", "--format", "html")
    assert done.exit_code == 2
    assert "give numbers or an image" in done.stderr
