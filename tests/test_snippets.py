"""The commands and programs of docs/ run, page by page, in a folder as the reader has it."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import tomllib
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest
import readme
from helpers import PETS, ROOT
from PIL import Image

CLUSTER = "cluster.md"
RUN_ELSEWHERE = {
    "explain.md": "cli/test_explain_docs.py",
    "export.md": "export/test_export_docs.py",
    CLUSTER: "cluster/test_cluster_docs.py",
    "index.md": "test_snippets.py",  # the README's command, below
}
PAGES = [
    page
    for page in readme.PAGES
    if page.name not in RUN_ELSEWHERE
    and page not in readme.PAGES_WITH_OUTPUTS
    and any(language in ("sh", "python") for language, _ in readme.snippets(page))
]
BENCHMARK = re.compile(r"^python (benchmarks/\S+)(.*)$", re.MULTILINE)
INSTALL = re.compile(r"^pip install 'softmaxce\[(\w+)\]'$", re.MULTILINE)


def test_the_other_tests_name_their_pages():
    for page, test in RUN_ELSEWHERE.items():
        assert page in (ROOT / "tests" / test).read_text("utf-8"), page


@pytest.mark.parametrize("page", readme.PAGES_WITH_OUTPUTS, ids=lambda page: page.name)
def test_a_page_of_outputs_has_no_other_commands(page):
    others = [body for language, body in readme.snippets(page) if language == "sh"]
    assert not others or page in readme.READMES  # those of the README are run by .ci/run


def test_the_site_begins_with_the_command_of_the_readme():
    (command,) = [body for language, body in readme.snippets(ROOT / "docs" / "index.md")]
    assert command.strip() == readme.one_line_commands()[0]


@pytest.fixture
def desk(tmp_path, pets_model, request):
    """The folder of a reader: photographs, those of data.md in groups; a manifest; a model."""
    in_groups = "data.md" in request.node.name
    rows = ["path,label,patient"]
    for number, path in enumerate(sorted(PETS.glob("*/*/*.png"))):
        split, name = path.parts[-3:-1]
        group = f"{split}-{number % 12}"
        folder = tmp_path / "photos" / split / name / (group if in_groups else "")
        folder.mkdir(parents=True, exist_ok=True)
        Image.open(path).convert("RGB").save(folder / f"{path.stem}.jpg")
        rows.append(f"{folder / path.stem}.jpg,{name},{group}")
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n")
    for number, name in enumerate(("cat", "lynx", "dog", "wolf", "husky")):
        drawn = sorted(PETS.glob(f"train/{'cat' if name in ('cat', 'lynx') else 'dog'}/*.png"))
        (tmp_path / "animals" / name).mkdir(parents=True)
        for path in drawn[number * 12 : number * 12 + 12]:
            shutil.copy(path, tmp_path / "animals" / name)
    shutil.copy(PETS / "test" / "cat" / "cat-001.png", tmp_path / "cat.png")
    shutil.copy(pets_model, tmp_path / "model.npz")
    return tmp_path


def torch_without_networks(monkeypatch, folder):
    """PyTorch replaced: it gives random features, and exports a network of a few numbers."""
    torch, torchvision = MagicMock(), MagicMock()
    labels = [*range(3)] * 20
    features = np.random.default_rng(0).normal(size=(60, 4)) + np.c_[labels]
    torch.cat = lambda rows: SimpleNamespace(numpy=lambda: features.astype(np.float32))
    torch.inference_mode = contextlib.nullcontext
    images = SimpleNamespace(targets=labels, classes=["cat", "dog", "person"])
    torchvision.datasets.ImageFolder = lambda *_: images

    def export(network, inputs, path, **options):
        shutil.copy(folder / "network.onnx", path)

    torch.onnx.export = export
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torchvision", torchvision)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_snippets_of_a_page_run(page, desk, monkeypatch):
    if page.name == "networks.md":
        write_network = pytest.importorskip("tiny_networks").write_network
        write_network(desk / "network.onnx", outputs=("vector",))
    torch_without_networks(monkeypatch, desk)
    monkeypatch.chdir(desk)
    for language, body in readme.snippets(page):
        if language == "python":
            exec(compile(body, page.name, "exec"), {})
        elif "| jq " in body and not shutil.which("jq"):
            continue
        else:
            done = readme.shell(f"set -eo pipefail\n{runnable(body)}", desk, HOME=str(desk))
            assert done.returncode == 0, f"{body}{done.stderr}"


def runnable(body):
    """The commands, without those that install a known extra or run a known benchmark."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(INSTALL.findall(body)) <= set(extras["optional-dependencies"])
    for program, options in BENCHMARK.findall(body):
        text = (ROOT / program).read_text("utf-8")
        assert all(f'"{option}"' in text for option in re.findall(r"--\S+", options))
    return BENCHMARK.sub("", INSTALL.sub("", body))
