"""Guards that change the whole process, in several threads."""

from __future__ import annotations

import os
import threading
import warnings

import pytest

from softmaxce.images.decoder_guards import quiet_decoders, silenced


def state():
    """What stderr is, and what happens to warnings."""
    status = os.fstat(2)
    return status.st_dev, status.st_ino, status.st_rdev, list(warnings.filters)


@pytest.mark.parametrize("guard", [silenced, quiet_decoders])
def test_threads_that_overlap_leave_everything_as_it_was(guard):
    before, is_inside, may_leave = state(), threading.Event(), threading.Event()

    def hold():
        with guard:
            is_inside.set()
            may_leave.wait()

    thread = threading.Thread(target=hold, daemon=True)
    with guard:
        thread.start()
        is_inside.wait()
        inside = state()
        assert inside != before
    assert state() == inside  # the other thread still is
    with guard.paused():
        assert state() == before
    assert state() == inside
    may_leave.set()
    thread.join()
    assert state() == before
    with guard.paused():
        assert state() == before
    with pytest.raises(ZeroDivisionError), guard:
        raise ZeroDivisionError
    assert state() == before
