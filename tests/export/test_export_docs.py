"""The programs and commands of docs/export.md run."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import subprocess

import pytest
from export_tools import GCC
from helpers import PETS, ROOT, run_command

TEXT = (ROOT / "docs" / "export.md").read_text("utf-8")
PROGRAMS = dict(re.findall(r"<!-- (\w+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL))
COMMANDS = re.findall(r"^softmaxce (export .*)$", TEXT, re.MULTILINE)
NODE_MODULES = ROOT / "tests" / "page" / "node_modules"
CAT = PETS / "test" / "cat" / "cat-001.png"


@pytest.fixture
def place(tmp_path, pets_model, monkeypatch):
    """The current folder, with a model and a picture."""
    shutil.copy(pets_model, tmp_path / "model.npz")
    shutil.copy(CAT, tmp_path / "cat.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def exported(place):
    """The same with model.onnx; and what `predict` says about the picture."""
    pytest.importorskip("onnxruntime")
    outcome = run_command("export", "model.npz", "-o", "model.onnx", cwd=place)
    assert outcome.exit_code == 0, outcome.stderr
    predicted = run_command("predict", "cat.png", "--format", "json", cwd=place).json
    return predicted["predictions"][0]["probabilities"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(place, command):
    if ".onnx" in command:
        pytest.importorskip("onnxruntime")
    outcome = run_command(*shlex.split(command), cwd=place)
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stdout.startswith("Wrote model.")


def test_the_program_in_python(exported, place, capsys):
    (place / "program.py").write_text(PROGRAMS["python"])
    runpy.run_path("program.py")
    shown = dict(re.findall(r"^(\w+): (\S+)$", capsys.readouterr().out, re.MULTILINE))
    assert {k: float(v) for k, v in shown.items()} == pytest.approx(exported, abs=6e-5)


def test_the_http_service(exported, place):
    pytest.importorskip("flask")
    (place / "service.py").write_text(PROGRAMS["service"])
    client = runpy.run_path("service.py")["app"].test_client()
    answer = client.post("/predict", data=CAT.read_bytes()).json
    assert answer == pytest.approx(exported, abs=1e-6)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")
def test_the_program_in_c(place):
    assert run_command("export", "model.npz", "-o", "model.h", cwd=place).exit_code == 0
    (place / "example.c").write_text(PROGRAMS["c"])
    subprocess.run([*GCC, "-o", "example", "example.c", "-lm"], check=True)
    shown = subprocess.run(["./example"], capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^(\w+): (\S+), expected (\S+)$", shown, re.MULTILINE)
    assert [name for name, _, _ in lines] == ["cat", "dog", "person"]
    assert all(found == expected for _, found, expected in lines)


@pytest.mark.slow
def test_the_program_in_javascript(exported, place):
    from PIL import Image

    if shutil.which("node") is None or not (NODE_MODULES / "onnxruntime-web").exists():
        pytest.skip("there is no onnxruntime-web (tests/page/install_browser.sh)")
    (place / "node_modules").symlink_to(NODE_MODULES)
    (place / "predict.mjs").write_text(PROGRAMS["javascript"])
    image = Image.open(CAT).convert("RGBA")
    (place / "cat.rgba").write_bytes(image.tobytes())
    (place / "main.mjs").write_text(f"""
        import {{ readFileSync }} from "node:fs";
        import {{ predict }} from "./predict.mjs";
        const [width, height] = [{image.width}, {image.height}];
        const picture = {{ data: readFileSync("cat.rgba"), width, height }};
        console.log(JSON.stringify(await predict(readFileSync("model.onnx"), picture)));
    """)
    done = subprocess.run(["node", "main.mjs"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == pytest.approx([*exported.values()], abs=1e-6)
