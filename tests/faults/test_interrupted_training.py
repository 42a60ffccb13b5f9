"""Interrupted training: a checkpoint is kept, and resuming ends with the very same bytes."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from helpers import assert_one_error_line, draw_classes, run_command

from softmaxce.errors import ClusterLost, DataError, InputError, OutputError, TrainingError
from softmaxce.training import checkpoints
from softmaxce.training.checkpoints import AnswerLog, Checkpoint, Snapshot
from softmaxce.training.fitting import fit
from softmaxce.training.rows import Rows
from softmaxce.workflows.checkpoint import kept_on_interrupt

pytestmark = pytest.mark.slow

opened: list[Checkpoint] = []


@pytest.fixture(autouse=True)
def close_checkpoints():
    """Close what the test opened: a file left open is an error here."""
    yield
    while opened:
        opened.pop().close()


def log_at(*words, **options) -> AnswerLog:
    opened.append(AnswerLog(*words, **options))
    return opened[-1]


def snapshot_at(*words, **options) -> Snapshot:
    opened.append(Snapshot(*words, **options))
    return opened[-1]


FACTS = {"the data": {"training": "these"}}
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (300, 30), dtype=np.uint8)
LABELS = (PIXELS[:, :4].astype(int) @ [1, 2, 1, 1] + RANDOM.integers(0, 400, 300)) // 400 % 3


class Stop(BaseException):
    """As a signal would."""


def fitted(checkpoint: Checkpoint | None, hidden: tuple[int, ...], stop_after: float = np.inf):
    """A fit of the data above, and its progress; Stop is raised at iteration `stop_after`."""
    calls = 0
    progress = []

    def listen(info):
        nonlocal calls
        calls += 1
        if calls > stop_after:
            raise Stop
        progress.append((info.stage, info.objective))

    result = fit(
        PIXELS,
        LABELS,
        3,
        rows=np.arange(240),
        validation=Rows(PIXELS, LABELS, np.arange(240, 300)),
        hidden=hidden,
        max_iterations=12 if hidden else 200,
        n_threads=1,
        on_iteration=listen,
        checkpoint=checkpoint,
    )
    return result, progress


def bytes_of(result) -> bytes:
    arrays = b"".join(a.tobytes() for layer in result.layers for a in layer)
    facts = (result.l2, result.objective, result.gradient_norm, result.n_iterations)
    return arrays + repr((facts, result.stop_message, result.l2_path, result.history)).encode()


@pytest.mark.parametrize(("hidden", "n_resumes"), [((), 120), ((5,), 40), ((6, 4), 40)])
def test_200_resumes_end_with_the_same_bytes(tmp_path, hidden, n_resumes):
    random = np.random.default_rng(1)
    whole, progress = fitted(None, hidden)
    path = str(tmp_path / "checkpoint")
    checkpoint_at = snapshot_at if hidden else log_at
    for number in range(n_resumes):
        resume, stops = False, np.sort(random.integers(0, len(progress), number % 3 + 1))
        for stop_after in stops:
            checkpoint = checkpoint_at(path, FACTS, resume)
            with pytest.raises(Stop):
                fitted(checkpoint, hidden, stop_after)
            resume = checkpoint.keep()
        if resume and number % 4 == 0 and not hidden:  # as a kill would leave it
            os.truncate(path, random.integers(150, os.path.getsize(path) + 1))
        again, progress_again = fitted(checkpoint_at(path, FACTS, resume), hidden)
        assert bytes_of(again) == bytes_of(whole)
        assert progress_again == progress
        if resume:
            os.unlink(path)


def test_answers_are_taken_from_the_log(tmp_path):
    asked = []

    def function(parameters):
        asked.append(parameters)
        return float(parameters.sum()), np.asfortranarray(parameters**2)

    path, points = str(tmp_path / "log"), [np.arange(6.0).reshape(2, 3) + i for i in range(5)]
    first = list(map(log_at(path, FACTS).logged(function), points[:3]))
    again = list(map(log_at(path, FACTS, resume=True).logged(function), points))
    assert len(asked) == 5
    for (value, gradient), (old_value, old_gradient) in zip(again, first, strict=False):
        assert (value, type(value)) == (old_value, float)
        np.testing.assert_array_equal(gradient, old_gradient)
        assert gradient.strides == old_gradient.strides
    other = log_at(path, FACTS, resume=True).logged(function)
    other(points[0]), other(points[4])  # another question: later answers are computed again
    assert len(asked) == 6


def test_an_empty_checkpoint_is_not_promised(tmp_path):
    path = tmp_path / "model.npz.checkpoint"

    def interrupt():
        with kept_on_interrupt(tmp_path / "model.npz", FACTS, AnswerLog, resume=False):
            path.touch()  # created, and interrupted before anything was written
            raise Stop

    with pytest.raises(Stop) as stop:
        interrupt()
    assert not getattr(stop.value, "__notes__", [])
    assert not path.exists()


def test_a_damaged_log_changes_nothing(tmp_path):
    path = tmp_path / "log"
    whole, progress = fitted(None, ())
    log = log_at(str(path), FACTS)
    with pytest.raises(Stop):
        fitted(log, (), len(progress) - 1)
    good = path.read_bytes()
    random = np.random.default_rng(2)
    refused = 0
    for _ in range(60):
        damaged = bytearray(good)
        for place in random.integers(0, len(good), 3):
            damaged[place] ^= 1 << int(random.integers(8))
        damaged[int(random.integers(60)) if random.random() < 0.2 else 100] ^= 1
        path.write_bytes(damaged)
        try:
            log = log_at(str(path), FACTS, resume=True)
        except DataError:
            refused += 1
            continue
        assert bytes_of(fitted(log, ())[0]) == bytes_of(whole)
    assert refused < 60


def test_a_damaged_snapshot_starts_again(tmp_path):
    path = tmp_path / "snapshot"
    whole, _ = fitted(None, (5,))
    snapshot = snapshot_at(str(path), FACTS)
    with pytest.raises(Stop):
        fitted(snapshot, (5,), 6)
    assert snapshot.keep()
    assert snapshot_at(str(path), FACTS, resume=True).stored is not None
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    again = snapshot_at(str(path), FACTS, resume=True)
    assert again.stored is None
    assert bytes_of(fitted(again, (5,))[0]) == bytes_of(whole)


@pytest.mark.parametrize("checkpoint_at", [log_at, snapshot_at])
def test_other_data_or_options_are_refused_by_name(tmp_path, checkpoint_at):
    path = str(tmp_path / "file")
    with pytest.raises(DataError, match=r"nothing to resume: .*file: No such file"):
        checkpoint_at(path, FACTS, resume=True)
    log_at(path, FACTS).logged(lambda x: (0.0, x))(np.zeros(2))
    other = {"the data": {"training": "those"}}
    with pytest.raises(DataError, match="the data: training was these and is those now"):
        checkpoint_at(path, other, resume=True)
    format_only = b'{"format":"softmaxce checkpoint 3"}\n'
    for content in (b"", b"{", b"x" * 10**5, b"{}\n", b"[]\n", format_only):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(DataError, match=r"cannot resume: .*file: it is empty, damaged or not"):
            checkpoint_at(path, FACTS, resume=True)


def test_when_a_checkpoint_stays(tmp_path):
    model, left = tmp_path / "m.npz", tmp_path / "m.npz.checkpoint"

    def leave(error: BaseException | None) -> None:
        with kept_on_interrupt(model, FACTS, AnswerLog, False) as log:
            log.logged(lambda x: (0.0, x))(np.zeros(2))
            assert left.exists()
            if error:
                raise error

    leave(None)
    assert not left.exists()
    with pytest.raises(Stop) as stopped:
        leave(Stop())
    assert "repeat the command with --resume" in stopped.value.__notes__[0]
    assert left.exists()
    with pytest.raises(ClusterLost, match="repeat the command with --resume"):
        leave(ClusterLost("gone"))
    assert left.exists()
    for error in (OutputError("full"), TrainingError("nan"), ValueError("a fault")):
        with pytest.raises(type(error)):
            leave(error)
        assert not left.exists()


def test_a_quick_fit_leaves_no_checkpoint(tmp_path):
    def leave(error: BaseException | None, resume: bool = False) -> None:
        with kept_on_interrupt(tmp_path / "m.npz", FACTS, None, resume) as checkpoint:
            assert checkpoint is None
            if error:
                raise error

    with pytest.raises(Stop) as stopped:
        leave(Stop())
    assert "Run the command again" in stopped.value.__notes__[0]
    with pytest.raises(TrainingError):
        leave(TrainingError("nan"))
    with pytest.raises(InputError, match="nothing to resume: a linear fit"):
        leave(None, resume=True)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_stops_the_checkpoint_and_not_the_fit(tmp_path, monkeypatch):
    whole, _ = fitted(None, ())
    log = log_at(str(tmp_path / "full"), FACTS)
    full = partial(io.FileIO, "/dev/full", "wb")
    monkeypatch.setattr(checkpoints, "open", lambda *_, **__: full(), raising=False)
    assert bytes_of(fitted(log, ())[0]) == bytes_of(whole)
    monkeypatch.undo()
    snapshot = snapshot_at(str(tmp_path / "none" / "snapshot"), FACTS)
    assert bytes_of(fitted(snapshot, (5,))[0]) == bytes_of(fitted(None, (5,))[0])
    assert not snapshot.keep()


@pytest.mark.parametrize("checkpoint_at", [log_at, snapshot_at])
@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(
    "kind", ["link", "dangling link", "link to a checkpoint", "fifo", "folder"]
)
def test_a_checkpoint_is_a_file_of_its_own(tmp_path, checkpoint_at, resume, kind):
    path, victim = tmp_path / "m.npz.checkpoint", tmp_path / "victim.txt"
    content = log_at(str(path), FACTS)._first_line if "checkpoint" in kind else b"kept"
    if kind != "dangling link":
        victim.write_bytes(content)
    if "link" in kind:
        path.symlink_to(victim.name)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(OutputError, match=r"m\.npz\.checkpoint: not a regular file; remove it"):
        checkpoint_at(str(path), FACTS, resume)
    assert not victim.exists() if kind == "dangling link" else victim.read_bytes() == content


@pytest.mark.parametrize("checkpoint_at", [log_at, snapshot_at])
def test_a_link_that_appears_later_is_not_followed_either(tmp_path, checkpoint_at):
    path, victim = tmp_path / "m.npz.checkpoint", tmp_path / "victim.txt"
    victim.write_bytes(b"kept")
    checkpoint = checkpoint_at(str(path), FACTS)
    path.symlink_to(victim.name)
    if isinstance(checkpoint, AnswerLog):
        checkpoint.logged(lambda x: (0.0, x))(np.zeros(2))
    else:
        checkpoint.save([np.zeros(2)])
    assert checkpoint.keep()
    assert not path.is_symlink()
    assert victim.read_bytes() == b"kept"


# Fits with an answer log: as if every linear fit took minutes.
LONG = (
    "from softmaxce import cli; from softmaxce.workflows import checkpoint; "
    "checkpoint._LONG_FIT = 0; cli.main()"
)
TRAIN = ("train", "data", "--l2", "0", "--no-progress")
HIDDEN = ("train", "data", "--hidden", "64")


def started(folder, *words: object, long: bool = False) -> subprocess.Popen[str]:
    program = ("-c", LONG) if long else ("-m", "softmaxce")
    return subprocess.Popen(
        [sys.executable, *program, *map(str, words)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with images whose fit takes a while, and the models that fits end with."""
    folder = tmp_path_factory.mktemp("place")
    draw_classes(folder / "data", {f"c{number}": 150 for number in range(12)}, side=12)
    assert run_command(*TRAIN, "-o", "whole.npz", cwd=folder).exit_code == 0
    assert run_command(*HIDDEN, "-o", "hidden.npz", cwd=folder).exit_code == 0
    return folder


def interrupted(place, number: int, wait: float) -> subprocess.Popen[str]:
    """A training that got a signal `wait` seconds after its checkpoint appeared."""
    (place / "model.npz.checkpoint").unlink(missing_ok=True)
    process = started(place, *TRAIN, long=True)
    while process.poll() is None and not (place / "model.npz.checkpoint").exists():
        time.sleep(0.001)
    time.sleep(wait)
    process.send_signal(number)
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_keep_a_log_and_resume_ends_the_same(place, number, code):
    n_interrupted = 0
    for wait in (0.0, 0.02, 0.05, 0.1):
        process = interrupted(place, number, wait)
        _, stderr = process.communicate(timeout=60)
        if process.returncode in (0, -number):
            continue  # it was faster, or Python was ending
        assert process.returncode == code, stderr
        assert stderr.count("\n") == 1
        if "--resume" not in stderr:  # just before its end
            continue
        n_interrupted += 1
        assert "kept in model.npz.checkpoint: repeat the command with --resume" in stderr
        (place / "model.npz").unlink(missing_ok=True)
        wrong = run_command(*TRAIN, "--resume", "--seed", 1, cwd=place)
        assert_one_error_line(wrong, 1, "seed was 0 and is 1 now")
        again = run_command(*TRAIN, "--resume", cwd=place)
        assert again.exit_code == 0, again.stderr
        assert (place / "model.npz").read_bytes() == (place / "whole.npz").read_bytes()
        assert not (place / "model.npz.checkpoint").exists()
    assert n_interrupted


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_keep_a_snapshot_and_resume_ends_the_same(place, number, code):
    (place / "model.npz.checkpoint").unlink(missing_ok=True)
    process = started(place, *HIDDEN)
    assert process.stderr is not None
    while "Fitting" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    last = stderr.splitlines()[-1]
    assert "kept in model.npz.checkpoint: repeat the command with --resume" in last
    again = run_command(*HIDDEN, "--resume", cwd=place)
    assert again.exit_code == 0, again.stderr
    assert (place / "model.npz").read_bytes() == (place / "hidden.npz").read_bytes()
    assert not (place / "model.npz.checkpoint").exists()


def test_a_quick_fit_says_to_run_the_command_again(place):
    process = started(place, "train", "data", "--l2", "0", "-o", "quick.npz")
    assert process.stderr is not None
    while "Fitting" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Run the command again: a linear fit" in stderr.splitlines()[-1]
    assert not (place / "quick.npz.checkpoint").exists()
    outcome = run_command("train", "data", "-o", "quick.npz", "--resume", "-q", cwd=place)
    assert_one_error_line(outcome, 2, "nothing to resume")


@pytest.mark.parametrize("words", [TRAIN, HIDDEN, (*HIDDEN, "--seed", 3, "--validation", "0")])
def test_resuming_a_finished_run_says_so_and_succeeds(place, words):
    output = ("-o", "finished.npz")
    assert run_command(*words, *output, cwd=place).exit_code == 0
    content = (place / "finished.npz").read_bytes()
    (place / "finished.npz.checkpoint").write_bytes(b"left by a kill after the model was saved")
    again = run_command(*words, *output, "--resume", cwd=place)
    assert again.exit_code == 0, again.stderr
    said = "Nothing left to do: finished.npz was already trained on these images with these options"
    assert " ".join(again.stdout.split()).startswith(said)
    shown = run_command(*words, *output, "--resume", "--format", "json", cwd=place)
    assert shown.json["model"] == "finished.npz"
    assert shown.json["already_trained"].startswith("finished.npz was already trained")
    assert (place / "finished.npz").read_bytes() == content
    assert not (place / "finished.npz.checkpoint").exists()
    for more in (("--seed", 9), ("--l2", "0.5"), ("--no-calibrate",), ("--size", "6")):
        other = run_command(*words, *more, *output, "--resume", "--no-progress", cwd=place)
        assert other.exit_code in (1, 2)
        assert "nothing to resume" in other.stderr


SAVED = """
import os, signal, sys
from softmaxce import cli
from softmaxce.views.text import train as text
from softmaxce.workflows import train
number, where = int(sys.argv[1]), sys.argv[2]
def stop(*_):
    os.kill(os.getpid(), number)
if where == "saved":
    save = train.save_model
    train.save_model = lambda *words: (save(*words), stop())
elif where == "returned":
    work = train.train
    train.train = lambda *words: (work(*words), stop())[0]
else:
    text.show = stop
sys.argv[1:] = sys.argv[3:]
cli.main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("where", ["saved", "returned", "shown"])
def test_a_signal_after_the_model_was_saved_says_so(place, number, code, where):
    (place / "saved.npz").unlink(missing_ok=True)
    words = ["train", "data", "-q", "--l2", "0.1", "-o", "saved.npz"]
    done = subprocess.run(
        [sys.executable, "-c", SAVED, str(int(number)), where, *words],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert done.stderr.count("\n") == 1
    assert "The model was saved: saved.npz." in done.stderr
    again = run_command(*words, "--resume", cwd=place)
    assert (again.exit_code, again.stderr) == (0, "")


def test_other_images_are_refused(tmp_path):
    draw_classes(tmp_path / "data", {"bright": 40, "dark": 40})
    left = tmp_path / "model.npz.checkpoint"
    process = started(tmp_path, "train", "data", "-q", long=True)
    while process.poll() is None and not (left.exists() and left.stat().st_size):
        time.sleep(0.0005)
    process.kill()
    process.communicate()
    if not left.exists():
        pytest.skip("the training was faster than its observer")
    (tmp_path / "data" / "dark" / "000.png").unlink()
    outcome = run_command("train", "data", "--resume", "--no-progress", cwd=tmp_path)
    assert_one_error_line(outcome, 1, "the data: train was 63 images", "62 images")
    hidden = ("train", "data", "--hidden", 4, "--no-progress")
    again = run_command(*hidden, cwd=tmp_path)
    assert again.exit_code == 0
    assert "starting from the beginning" in again.stderr


def test_a_second_signal_exits_at_once(tmp_path):
    code = (
        "import signal, time\nfrom softmaxce import cli\n"
        "def stuck(*_, **__):\n"
        "    try:\n        print('ready', flush=True)\n        time.sleep(60)\n"
        "    finally:\n        time.sleep(60)\n"
        "cli.commands.main = stuck\ncli.main()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    began = time.perf_counter()
    assert process.wait(timeout=20) == 143
    assert time.perf_counter() - began < 5
    process.stdout.close()
