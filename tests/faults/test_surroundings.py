"""The environment: closed or full streams, narrow screens, limited encodings, no home folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fault_tools import header_of, with_header
from helpers import PETS, assert_one_error_line, draw_classes, run_command

from softmaxce.model.model_file import load_model

pytestmark = pytest.mark.slow

CAT = PETS / "test" / "cat" / "cat-001.png"
COMMANDS = {
    "train": ["train", "data", "-q"],
    "evaluate": ["evaluate", PETS / "test"],
    "evaluate json": ["evaluate", PETS / "test", "--format", "json"],
    "predict": ["predict", CAT],
    "predict csv": ["predict", PETS / "test", "--format", "csv"],
    "info": ["info"],
    "export": ["export", "-o", "model.h"],
    "check": ["check", "data"],
    "explain": ["explain", "--logits", "1", "2"],
    "help": ["train", "--help"],
}


@pytest.fixture
def place(tmp_path, pets_model) -> Path:
    """A folder with a small data set, and the sample's model."""
    draw_classes(tmp_path / "data", {"bright": 9, "dark": 9})
    (tmp_path / "model.npz").write_bytes(pets_model.read_bytes())
    return tmp_path


def shell(place: Path, words: list[object], redirection: str, **env: str):
    command = " ".join(f"'{word}'" for word in [sys.executable, "-m", "softmaxce", *words])
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} {redirection}"],
        cwd=place,
        capture_output=True,
        env={**os.environ, **env},
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_behind_stdout(place, name):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = shell(place, COMMANDS[name], "> /dev/full")
    assert done.returncode == 1
    assert done.stderr.endswith(b"Error: standard output: No space left on device\n")
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_closed_pipe(place, name):
    done = shell(place, COMMANDS[name], "| true")
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"Broken" not in done.stderr


@pytest.mark.parametrize("redirection", ["<&- >&-", "<&- >&- 2>&-", "2>&-", "2> /dev/full"])
def test_streams_that_were_closed_by_who_started_us(place, redirection):
    for words in (COMMANDS["train"], COMMANDS["predict csv"], COMMANDS["explain"]):
        done = shell(place, words, redirection)
        assert done.returncode == 0, done.stderr
        assert done.stderr == b""
    assert run_command("info", "model.npz", cwd=place).exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_no_character_is_lost_on_a_narrow_screen(place, name):
    outputs = {}
    for columns in ("20", "1000"):
        outcome = run_command(*COMMANDS[name], cwd=place, env={"COLUMNS": columns})
        assert outcome.exit_code == 0, outcome.stderr
        outputs[columns] = outcome.stdout
    narrow = re.sub(r"\W", "", outputs["20"])
    if name in ("predict", "info", "predict csv", "evaluate json"):
        wide = re.sub(r"\W", "", outputs["1000"])
        assert sorted(narrow) == sorted(wide) or name == "info"
    if name not in ("explain", "help"):
        assert "…" not in outputs["20"].replace("IMAGE…", "")


def test_a_pipe_gets_tables_as_wide_as_they_need(place):
    long_name = place / ("a" * 200 + ".png")
    long_name.write_bytes(CAT.read_bytes())
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "softmaxce", "predict", *[str(long_name)] * 6],
        cwd=place,
        env=environment,
        capture_output=True,
        check=True,
    )
    assert done.stdout.count(str(long_name).encode()) == 6


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp949"])
@pytest.mark.parametrize("name", COMMANDS)
def test_encodings_that_lack_characters(place, name, encoding):
    done = shell(place, COMMANDS[name], "", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    if (name, encoding) != ("help", "ascii"):  # Click treats ASCII as a misconfigured locale
        done.stdout.decode(encoding)
    assert b"Traceback" not in done.stderr


def test_the_posix_locale(place):
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    folder = place / "사람"
    folder.mkdir()
    (folder / "고양이.png").write_bytes(CAT.read_bytes())
    done = shell(place, ["predict", folder, "--format", "json"], "", **locale)
    assert done.returncode == 0, done.stderr
    assert shell(place, ["predict", folder], "", **locale).returncode == 0
    failed = shell(place, ["predict", f"{folder}/없다.png"], "", **locale)
    assert failed.returncode == 1
    assert failed.stderr.startswith(b"Error: ")
    assert failed.stderr.count(b"\n") == 1


LOCALES = {
    "utf-8": {"LC_ALL": "C.UTF-8"},
    "coerced": {"LC_ALL": "C"},
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ascii with utf-8 streams": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-8"},
    "latin-1 streams": {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "latin-1"},
}
TEXT_CLASSES = ["고양이", "caf\u00e9", "plain"]  # a manifest can list these
CLASSES = [*TEXT_CLASSES, "bytes\udcff\udc80", "\udcea\udcb3a사"]


@pytest.fixture
def named(tmp_path) -> Path:
    """A folder with `data`, whose class names are hard to decode, and a manifest of it."""
    draw_classes(tmp_path / "data", dict.fromkeys(CLASSES, 6))
    rows = [f"data/{name}/{number:03}.png,{name}" for name in TEXT_CLASSES for number in range(6)]
    (tmp_path / "list.csv").write_text("\n".join(["path,label", *rows]), "utf-8")
    return tmp_path


@pytest.mark.parametrize(("source", "classes"), [("data", CLASSES), ("list.csv", TEXT_CLASSES)])
def test_names_survive_a_change_of_locale(named, source, classes):
    models = set()
    for locale, env in LOCALES.items():
        train = ["train", source, "-q", "--no-cache", "-o", f"{locale}.npz"]
        done = shell(named, train, "", **env)
        assert done.returncode == 0, done.stderr
        models.add((named / f"{locale}.npz").read_bytes())
        shown = shell(named, ["info", f"{locale}.npz", "--format", "json"], "", **env)
        assert sorted(json.loads(shown.stdout)["classes"]) == sorted(classes)
    assert len(models) == 1
    for env in LOCALES.values():
        for words in (
            ["evaluate", source, "-m", "ascii.npz", "--no-cache"],
            ["predict", "data/plain/000.png", "-m", "ascii.npz", "--label", "고양이"],
            ["predict", "data/plain/000.png", "-m", "ascii.npz", "--label", "cafe\u0301"],
        ):
            done = shell(named, words, "", **env)
            assert done.returncode == 0, done.stderr


def test_names_of_a_model_that_an_older_version_trained_in_another_locale(named, pets_model):
    raw = [os.fsencode(name).decode("ascii", "surrogateescape") for name in CLASSES[:3]]
    content = pets_model.read_bytes()
    header = header_of(content)
    header["class_names"] = raw
    (named / "old.npz").write_bytes(with_header(content, header))
    assert load_model(named / "old.npz").class_names == tuple(CLASSES[:3])
    header["class_names"] = [CLASSES[0], raw[0], "plain"]  # they stay as they are
    (named / "old.npz").write_bytes(with_header(content, header))
    assert load_model(named / "old.npz").class_names == (CLASSES[0], raw[0], "plain")


@pytest.mark.parametrize("name", ["TMPDIR", "XDG_CACHE_HOME"])
@pytest.mark.parametrize("value", ["", "relative", "/nonexistent/a", "/dev/null", "file"])
def test_odd_folders_for_temporary_files(place, name, value):
    (place / "file").touch()
    before = set(os.listdir(place))
    for words in (COMMANDS["evaluate"], COMMANDS["train"]):
        done = shell(place, words, "", **{name: value, "HOME": str(place / "data")})
        assert (done.returncode, done.stderr) == (0, b"")
    assert set(os.listdir(place)) == before


def test_without_semaphores(place):
    """As in a container whose /dev/shm is missing or read-only."""
    code = (
        "import _multiprocessing\n"
        "def refuse(*_): raise OSError(30, 'Read-only file system')\n"
        "_multiprocessing.SemLock = refuse\n"
        "from softmaxce.data import decoding\n"
        "decoding._MIN_SECONDS_FOR_WORKERS = {'fork': 0.0}\n"
        "from softmaxce.cli import main\nmain()\n"
    )
    words = [sys.executable, "-c", code, "train", "data", "-q", "--no-cache", "--jobs", "2"]
    done = subprocess.run(words, cwd=place, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("home", [None, "/nonexistent", "/dev/null", ""])
def test_without_a_home(place, home):
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME")}
    if home is not None:
        environment["HOME"] = home
    for words in (COMMANDS["evaluate"], COMMANDS["train"]):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "softmaxce", *map(str, words)],
            cwd=place,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr


AS_NOBODY = """
import importlib, os, pkgutil, sys
import PIL.Image, rich, softmaxce
for package in (softmaxce, rich):  # while they may still be read
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        # Dask and ONNX need not be there.
        is_extra = module.name.startswith(("softmaxce.cluster.", "softmaxce.export."))
        if "__main__" not in module.name and "win" not in module.name and not is_extra:
            importlib.import_module(module.name)
PIL.Image.init()
"".encode("cp437")
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
sys.argv[0] = "softmaxce"
softmaxce.cli.main()
"""


def as_nobody(place: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the program as a user whom permissions bind."""
    command = [sys.executable, "-c", AS_NOBODY, *map(str, words)]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


@pytest.fixture
def public(place):
    """`place`, open to every user on the way to it."""
    for folder in (place, *place.parents[:3]):
        if folder.owner() == place.owner():
            folder.chmod(0o755)
    return place


def test_folders_that_may_not_be_written_to_are_refused_before_training(public):
    public.chmod(0o555)
    try:
        done = as_nobody(public, "train", "nowhere", "-o", "new.npz")
        assert done.returncode == 1
        assert done.stderr.startswith("Error: cannot write: new.npz: the folder . cannot")
    finally:
        public.chmod(0o755)


def test_files_that_may_not_be_read(public):
    secret = public / "data" / "dark" / "000.png"
    secret.chmod(0)
    folder = public / "out"
    folder.mkdir()
    folder.chmod(0o777)
    done = as_nobody(public, "train", "data", "-o", "out/m.npz", "--quiet")
    assert done.returncode == 1
    assert "000.png: it cannot be read (Permission denied)" in done.stderr
    done = as_nobody(public, "train", "data", "-o", "out/m.npz", "--quiet", "--skip-bad")
    assert done.returncode == 0, done.stderr
    (public / "model.npz").chmod(0)
    done = as_nobody(public, "predict", CAT)
    assert done.returncode == 1
    assert "model.npz: Permission denied" in done.stderr


def test_a_read_only_model_is_not_replaced(place):
    if os.geteuid() == 0:
        done = subprocess.run(["chattr", "+i", "model.npz"], cwd=place, check=False)
        if done.returncode:
            pytest.skip("root cannot be kept from writing here")
    else:
        (place / "model.npz").chmod(0o444)
    try:
        outcome = run_command("train", "nowhere", cwd=place)
        assert_one_error_line(outcome, 1, "model.npz", "read-only")
    finally:
        subprocess.run(["chattr", "-i", "model.npz"], cwd=place, check=False)


def test_outputs_that_are_refused_before_training(place):
    image = place / "data" / "dark" / "000.png"
    content = image.read_bytes()
    (place / "link.npz").symlink_to(image)
    (place / "loop.npz").symlink_to("loop.npz")
    os.mkfifo(place / "pipe.npz")
    for output, fault in (
        ("data", "it is a folder"),
        ("pipe.npz", "not a regular file"),
        ("loop.npz", "symbolic link"),
        ("none/m.npz", "folder none does not exist"),
        (image, "image"),
        ("link.npz", "image"),
        ("x" * 300, "too long"),
    ):
        for force in ((), ("--force",)):
            outcome = run_command("train", "nowhere", "-o", output, *force, cwd=place)
            assert_one_error_line(outcome, 1, str(output), fault)
    assert image.read_bytes() == content
