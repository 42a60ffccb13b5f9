"""Files are written whole or not at all."""

from __future__ import annotations

import os

import pytest

from softmaxce.atomic_files import check_can_write, write_atomically
from softmaxce.errors import OutputError
from softmaxce.workflows.outputs import write_folder


def failing_chunks():
    yield b"half"
    raise OSError(28, "No space left on device")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="No space left"):
        write_atomically(path, failing_chunks())
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_permissions_and_links_are_kept(tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"old")
    target.chmod(0o640)
    (tmp_path / "link").symlink_to(target)
    write_atomically(tmp_path / "link", [b"n", b"ew"])
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("target", ["victim", "none", "fifo", "folder"])
def test_a_link_that_nobody_named_is_replaced_and_not_followed(tmp_path, target):
    (tmp_path / "victim").write_bytes(b"kept")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(target)
    write_atomically(tmp_path / "link", [b"new"], follow_link=False)
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == b"new"
    assert (tmp_path / "victim").read_bytes() == b"kept"
    assert sorted(os.listdir(tmp_path)) == ["fifo", "folder", "link", "victim"]


def test_plots_are_not_written_through_links(tmp_path):
    (tmp_path / "victim").write_bytes(b"kept")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "chart.svg").symlink_to("../victim")
    write_folder(tmp_path / "plots", {"chart.svg": b"new"})
    assert (tmp_path / "plots" / "chart.svg").read_bytes() == b"new"
    assert (tmp_path / "victim").read_bytes() == b"kept"


def test_what_cannot_be_written_is_known_before(tmp_path):
    check_can_write(tmp_path / "new")
    for path, reason in ((tmp_path, "folder"), (tmp_path / "a" / "b", "create it first")):
        with pytest.raises(OutputError, match=reason):
            check_can_write(path)
