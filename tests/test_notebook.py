"""Results in a notebook: what they show, what they refuse, and the notebook in docs/."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import notebook
import numpy as np
import pytest
from helpers import PETS, environment
from PIL import Image
from test_language import assert_plain

from softmaxce import evaluate, explain, load_model, predict, train
from softmaxce.errors import DataError, InputError, ModelError, OutputError
from softmaxce.translation import use

CAT = PETS / "test" / "cat" / "cat-002.png"
FOREIGN = r"<(script|iframe|object|link|form)|\son\w+=|url\(|@import|src=\"(?!data:)|href"


class Elements(HTMLParser):
    """The elements of an output, their ends included, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self._open = [], "", []
        self.feed(html)
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("img", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        self.tags.append(f"/{tag}")

    def handle_data(self, data):
        self.text += data * (self._open[-1:] != ["style"])


@pytest.fixture(autouse=True, scope="module")
def _in_english():
    use("en")


@pytest.fixture(scope="module")
def model(pets_model):
    return load_model(pets_model)


@pytest.fixture(scope="module")
def results(model):
    return {
        "model": model,
        "evaluation": evaluate(PETS / "test", model),
        "prediction": predict(CAT, model),
        "lesson": explain(logits=[0.2, 0.3], label=0),
        "lesson about an image": explain(CAT, model, label="cat"),
    }


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("model", ["32 × 32 RGB", "Scores at training time", "validation"]),
        ("evaluation", ["of new images are classified correctly", "true ↓", "F1"]),
        ("prediction", ["cat-002.png", "person"]),
        ("lesson", ["0.2 / 0.5 = 0.4", "9. What learning does with it", "0.7444"]),
        ("lesson about an image", ["Contributions to class cat", "10. What learning does with it"]),
    ],
)
def test_a_result_shows_itself_and_needs_nothing_else(results, name, texts):
    html = results[name]._repr_html_()
    shown = Elements(html)
    for text in texts:
        assert text in shown.text
    assert not re.search(FOREIGN, html)
    assert shown.tags[:3] == ["style", "/style", "div"]
    selectors = re.findall(r"^(.*?)\{", html[: html.index("</style>")], re.MULTILINE)
    assert all(selector.removeprefix("<style>")[:13] == "div.softmaxce" for selector in selectors)
    assert len(html) < 40_000
    assert len(repr(results[name])) < 40


def test_the_first_of_many_images_are_shown(model):
    shown = Elements(predict(PETS / "test", model)._repr_html_())
    assert shown.tags.count("img") == 10
    assert shown.text.endswith("… 110 more")
    assert Elements(predict([CAT, str(CAT)], model)._repr_html_()).tags.count("img") == 2


def test_names_are_data(tmp_path):
    names = ["<b>bold</b>", "a&b\x1b"]
    html = explain(logits=np.array([1.0, 2.0]), classes=names)._repr_html_()
    for name in names:
        (tmp_path / name.replace("/", "")).mkdir()
    assert "<b>bold" not in html
    assert "a&amp;b\\x1b" in html
    folder = tmp_path / "photos"
    for name in ("<b>", '"&'):
        (folder / name).mkdir(parents=True)
        for n in range(6):
            image = np.full((4, 4), 40 * n + 7 * len(name), np.uint8)
            Image.fromarray(image).save(folder / name / f"<i>{n}.png")
    (folder / "<b>" / "<u>.txt").write_text("not an image")
    model = train(folder, tmp_path / "m.npz")
    results = model, evaluate(folder, model), predict(folder / "<b>" / "<i>1.png", model)
    for result in results:
        html = result._repr_html_()
        Elements(html)
        assert "&lt;b&gt;" in html
        assert not re.search(r"<[iu]>|<b>[^<]*&quot;&amp;<b>", html)
    assert "1 file left out: " in results[1]._repr_html_()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda _: explain(), InputError, "give numbers"),
        (lambda _: explain(logits=[1, 2], probabilities=[0.5, 0.5]), InputError, "give numbers"),
        (lambda model: explain(CAT, model, classes=["a"]), InputError, "give numbers"),
        (lambda _: explain(logits=0.2), InputError, "give 2 to 1000 numbers"),
        (lambda _: explain(logits=[[1, 2], [3, 4]]), InputError, r"finite, got \[1, 2\]"),
        (lambda _: explain(logits=[1, "x"]), InputError, "finite, got x"),
        (lambda _: explain(logits=np.ma.array([1.0, 2.0], mask=[0, 1])), InputError, "got None"),
        (lambda _: explain(logits=[1, 2], label=[1]), InputError, "no class"),
        (lambda _: explain(probabilities=[0.5, 0.6]), InputError, "sum to 1.1"),
        (lambda model: explain(PETS, model), DataError, "it is a folder"),
        (lambda model: explain(CAT, "no.npz"), ModelError, "no.npz: no such file"),
        (lambda model: predict("no.png", model), DataError, "no.png: no such file"),
        (lambda model: evaluate(PETS, model), DataError, "unknown class"),
        (lambda model: evaluate(PETS / "test", 5), TypeError, "not int"),
        (lambda _: train(PETS, __file__), OutputError, "it is not a softmaxce model"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(model, call, error, message):
    with pytest.raises(error, match=message) as raised:
        call(model)
    assert "\n" not in str(raised.value)


def test_a_model_that_was_changed_is_the_one_used(model):
    cooler = model.with_temperature(4.0)
    assert type(cooler) is type(model)
    (sharp,), (flat,) = (list(predict(CAT, m).outcomes) for m in (model, cooler))
    assert flat.probabilities.max() < sharp.probabilities.max()
    logits = (explain(CAT, m).example.logits for m in (model, cooler))
    np.testing.assert_allclose(*(np.array(z) / t for z, t in zip(logits, (4.0, 1.0), strict=True)))


def last_line(code, **env):
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, env=environment(**env), check=True)
    return done.stdout.decode().splitlines()[-1]


def test_the_language_is_that_of_the_locale():
    code = "from softmaxce import explain; print(explain(logits=[1, 2])._repr_html_())"
    korean = last_line(code, LC_ALL="ko_KR.UTF-8", PYTHONIOENCODING="utf-8")
    assert "그 밖의 오해" in korean


@pytest.mark.parametrize(
    ("code", "not_loaded"),
    [
        ("import softmaxce", ("numpy", "softmaxce.notebook")),
        ("from softmaxce import load_model", ("rich", "softmaxce.workflows", "softmaxce.views")),
        ("from softmaxce import explain", ("rich", "PIL", "softmaxce.views")),
    ],
)
def test_importing_loads_little(code, not_loaded):
    loaded = last_line(f"{code}; import sys; print(*sys.modules)").split()
    assert not {*not_loaded} & {*loaded}


def kinds(outputs):
    """The formats of the outputs of a cell, and the elements of those in HTML."""
    shown = [output["data"] for output in outputs]
    return [(sorted(data), Elements("".join(data.get("text/html", []))).tags) for data in shown]


def test_the_notebook_shows_what_its_cells_return():
    content = json.loads(notebook.NOTEBOOK.read_text("utf-8"))
    cells = notebook.code_cells(content)
    for cell, outputs in zip(cells, notebook.run(content), strict=True):
        assert kinds(cell["outputs"]) == kinds(outputs), (
            f"run `python tools/notebook.py update`: {cell['source']}"
        )
    assert_plain((1, "".join(cell["source"])) for cell in content["cells"])
