"""What Linux can show of other systems: no fork, and a file layer that decomposes names.

`other_systems/` has a `sitecustomize.py` for each. The whole suite runs in them, too:
`PYTHONPATH=tests/other_systems/no_fork pytest`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unicodedata import normalize

from helpers import PETS, assert_one_error_line, draw_classes, environment, run_process

SYSTEMS = Path(__file__).parent / "other_systems"
WITH_WORKERS = """
import os
from softmaxce.data import decoding
from softmaxce.cli import main
if __name__ == "__main__":
    assert not hasattr(os, "fork") and decoding.start_method() == "spawn"
    decoding._MIN_SECONDS_FOR_WORKERS = {"spawn": 0.0}
    main()
"""


def on(system: str) -> dict[str, str]:
    """The environment of a Python on that system."""
    inherited = os.environ.get("PYTHONPATH")
    places = [str(SYSTEMS / system), *([inherited] if inherited else [])]
    return {"PYTHONPATH": os.pathsep.join(places)}


def test_spawned_processes_give_the_model_of_one_process(tmp_path):
    words = ["train", str(PETS), "--no-cache", "-q"]
    alone = run_process(*words, "--jobs", "1", "-o", "one.npz", cwd=tmp_path)
    assert alone.exit_code == 0, alone.stderr
    done = subprocess.run(
        [sys.executable, "-c", WITH_WORKERS, *words, "--jobs", "2", "-o", "two.npz"],
        cwd=tmp_path,
        env=environment(**on("no_fork")),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "two.npz").read_bytes() == (tmp_path / "one.npz").read_bytes()


def test_names_that_the_file_layer_decomposes(tmp_path):
    classes = ["caf\u00e9", "고양이"]
    draw_classes(tmp_path / "data", {normalize("NFD", name): 6 for name in classes})
    rows = [f"data/{name}/{number:03}.png,{name}" for name in classes for number in range(6)]
    (tmp_path / "list.csv").write_text("\n".join(["path,label", *rows]), "utf-8")

    def run(*words: str):
        return run_process(*words, cwd=tmp_path, env=on("decomposed_names"))

    models = []
    for source in ("data", "list.csv"):
        trained = run("train", source, "-q", "-o", "모델.npz")
        assert trained.exit_code == 0, trained.stderr
        shown = run("info", "모델.npz", "--format", "json").json
        assert [normalize("NFC", name) for name in shown["classes"]] == classes
        image = "data/고양이/000.png"
        predicted = run("predict", image, "-m", "모델.npz", "--label", "고양이", "--format", "json")
        assert predicted.exit_code == 0, predicted.stderr
        scored = run("evaluate", source, "-m", "모델.npz", "--format", "json")
        models.append(scored.json["accuracy"])
    assert models[0] == models[1]
    assert normalize("NFD", "모델.npz") in os.listdir(tmp_path)
    outputs = ("--errors", "caf\u00e9", "--report", "cafe\u0301")
    refused = run("evaluate", "data", "-m", "모델.npz", *outputs)
    assert_one_error_line(refused, 1, "another output")
