"""Interrupted training: what was fitted is kept, and going on ends with the very same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import assert_one_error_line, draw_classes, run_command

from softmaxce.errors import DataError, OutputError, TrainingError
from softmaxce.training.fitting import Rows, fit
from softmaxce.training.journal import Journal
from softmaxce.workflows.checkpoint import kept_on_interrupt

pytestmark = pytest.mark.slow

opened: list[Journal] = []


@pytest.fixture(autouse=True)
def close_journals():
    """Close what the test opened: a file left open is an error here."""
    yield
    while opened:
        opened.pop().close()


def journal_at(*words, **options) -> Journal:
    opened.append(Journal(*words, **options))
    return opened[-1]


FACTS = {"the data": {"training": "these"}}
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (300, 30), dtype=np.uint8)
LABELS = (PIXELS[:, :4].astype(int) @ [1, 2, 1, 1] + RANDOM.integers(0, 400, 300)) // 400 % 3


class Stop(BaseException):
    """As a signal would."""


def fitted(journal: Journal | None, hidden: tuple[int, ...], stop_after: float = np.inf):
    """A fit of the data above; Stop is raised at the listener's call number `stop_after`."""
    calls = 0
    heard = []

    def listen(info):
        nonlocal calls
        calls += 1
        if calls > stop_after:
            raise Stop
        heard.append((info.stage, info.objective))

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
        journal=journal,
    )
    return result, heard


def bytes_of(result) -> bytes:
    arrays = b"".join(a.tobytes() for layer in result.layers for a in layer)
    facts = (result.l2, result.objective, result.gradient_norm, result.n_iterations)
    return arrays + repr((facts, result.stop_reason, result.l2_path, result.history)).encode()


@pytest.mark.parametrize(("hidden", "n_resumes"), [((), 120), ((5,), 40), ((6, 4), 40)])
def test_200_resumes_end_with_the_same_bytes(tmp_path, hidden, n_resumes):
    random = np.random.default_rng(1)
    whole, heard = fitted(None, hidden)
    path = str(tmp_path / "journal")
    for number in range(n_resumes):
        resume, stops = False, np.sort(random.integers(0, len(heard), number % 3 + 1))
        for stop_after in stops:
            journal = journal_at(path, FACTS, resume)
            with pytest.raises(Stop):
                fitted(journal, hidden, stop_after)
            resume = journal.keep()
        if resume and number % 4 == 0 and not hidden:  # as a kill would leave it
            os.truncate(path, random.integers(150, os.path.getsize(path) + 1))
        again, heard_again = fitted(journal_at(path, FACTS, resume), hidden)
        assert bytes_of(again) == bytes_of(whole)
        assert heard_again == heard
        if resume:
            os.unlink(path)


def test_answers_are_taken_from_the_journal(tmp_path):
    asked = []

    def function(parameters):
        asked.append(parameters)
        return float(parameters.sum()), np.asfortranarray(np.outer(parameters, parameters))

    path, points = str(tmp_path / "journal"), [np.arange(3.0) + i for i in range(5)]
    first = list(map(journal_at(path, FACTS).recorded(function), points[:3]))
    again = list(map(journal_at(path, FACTS, resume=True).recorded(function), points))
    assert len(asked) == 5
    for (value, gradient), (old_value, old_gradient) in zip(again, first, strict=False):
        assert (value, type(value)) == (old_value, float)
        np.testing.assert_array_equal(gradient, old_gradient)
        assert gradient.flags.f_contiguous
    other = journal_at(path, FACTS, resume=True).recorded(function)
    other(points[0]), other(points[4])  # another question: the rest is asked anew
    assert len(asked) == 6


def test_an_empty_journal_is_not_promised(tmp_path):
    path = tmp_path / "model.npz.checkpoint"

    def interrupt():
        with kept_on_interrupt(tmp_path / "model.npz", FACTS, resume=False):
            path.touch()  # made, and interrupted before anything was written
            raise Stop

    with pytest.raises(Stop) as stop:
        interrupt()
    assert not getattr(stop.value, "__notes__", [])
    assert not path.exists()


def test_damaged_journals_change_nothing(tmp_path):
    path = tmp_path / "journal"
    whole, heard = fitted(None, ())
    journal = journal_at(str(path), FACTS)
    with pytest.raises(Stop):
        fitted(journal, (), len(heard) - 1)
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
            journal = journal_at(str(path), FACTS, resume=True)
        except DataError:
            refused += 1
            continue
        assert bytes_of(fitted(journal, ())[0]) == bytes_of(whole)
    assert refused < 60


def test_other_data_or_options_are_refused_by_name(tmp_path):
    path = str(tmp_path / "journal")
    with pytest.raises(DataError, match=r"nothing to resume: .*journal: no such file"):
        journal_at(path, FACTS, resume=True)
    journal_at(path, FACTS).recorded(lambda x: (0.0, x))(np.zeros(2))
    other = {"the data": {"training": "those"}}
    with pytest.raises(DataError, match="the data: training was these and is those now"):
        journal_at(path, other, resume=True)
    for content in (b"", b"{"):
        (tmp_path / "journal").write_bytes(content)
        with pytest.raises(DataError, match=r"nothing to resume: .*journal: no such file, or noth"):
            journal_at(path, FACTS, resume=True)
    for content in (b"x" * 10**5, b"{}\n", b"[]\n", b'{"format":"softmaxce checkpoint 1"}\n'):
        (tmp_path / "journal").write_bytes(content)
        with pytest.raises(DataError, match=r"cannot resume: .*journal: it is no checkpoint"):
            journal_at(path, FACTS, resume=True)


def test_what_becomes_of_the_checkpoint(tmp_path):
    model, left = tmp_path / "m.npz", tmp_path / "m.npz.checkpoint"

    def leave(error: BaseException | None) -> None:
        with kept_on_interrupt(model, FACTS, False) as journal:
            journal.recorded(lambda x: (0.0, x))(np.zeros(2))
            assert left.exists()
            if error:
                raise error

    leave(None)
    assert not left.exists()
    with pytest.raises(Stop) as stopped:
        leave(Stop())
    assert "repeat the command with --resume" in stopped.value.__notes__[0]
    assert left.exists()
    for error in (OutputError("full"), TrainingError("nan"), ValueError("a fault")):
        with pytest.raises(type(error)):
            leave(error)
        assert not left.exists()


def test_a_full_disk_stops_the_journal_and_not_the_fit(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    journal = journal_at(str(tmp_path / "full"), FACTS)
    whole, _ = fitted(None, ())
    assert bytes_of(fitted(journal, ())[0]) == bytes_of(whole)
    snapshots = journal_at(str(tmp_path / "none" / "journal"), FACTS)
    assert bytes_of(fitted(snapshots, (5,))[0]) == bytes_of(fitted(None, (5,))[0])
    assert not snapshots.keep()


TRAIN = ("train", "data", "--l2", "0", "--no-progress")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with images whose fit takes a while, and the model that it ends with."""
    folder = tmp_path_factory.mktemp("place")
    draw_classes(folder / "data", {f"c{number}": 150 for number in range(12)}, side=12)
    assert run_command(*TRAIN, "-o", "whole.npz", cwd=folder).exit_code == 0
    return folder


def interrupted(place, number: int, wait: float) -> subprocess.Popen[str]:
    """A training that got a signal `wait` seconds after its checkpoint appeared."""
    (place / "model.npz.checkpoint").unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "softmaxce", *TRAIN],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not (place / "model.npz.checkpoint").exists():
        time.sleep(0.001)
    time.sleep(wait)
    process.send_signal(number)
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_keep_a_checkpoint_and_resume_ends_the_same(place, number, code):
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


def test_other_images_are_refused(tmp_path):
    draw_classes(tmp_path / "data", {"bright": 40, "dark": 40})
    process = subprocess.Popen(
        [sys.executable, "-m", "softmaxce", "train", "data", "-q"],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not (tmp_path / "model.npz.checkpoint").exists():
        time.sleep(0.0005)
    process.kill()
    process.wait()
    if not (tmp_path / "model.npz.checkpoint").exists():
        pytest.skip("the training was faster than its observer")
    (tmp_path / "data" / "dark" / "000.png").unlink()
    outcome = run_command("train", "data", "--resume", "--no-progress", cwd=tmp_path)
    assert_one_error_line(outcome, 1, "the data: training was 80 images", "79 images")
    anew = run_command("train", "data", "--no-progress", cwd=tmp_path)
    assert anew.exit_code == 0
    assert "starting from the beginning" in anew.stderr


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
