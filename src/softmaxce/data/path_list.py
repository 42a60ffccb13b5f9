"""Lists of image files, one path per line or NUL-separated, as `find` prints them."""

from __future__ import annotations

import os
from contextlib import suppress

from softmaxce.data.class_folders import is_image_name
from softmaxce.errors import DataError

_UTF_8_MARK = b"\xef\xbb\xbf"


def paths_in(content: bytes, source: str, *, null: bool = False) -> list[str]:
    """The paths of a list. null: they end with NUL characters, and may contain newlines.

    Raises DataError, which names the `source`, for an empty list and for NUL characters in lines.
    """
    if null:
        entries = content.split(b"\0")
        if len(entries) == 1 and b"\n" in content and not os.path.exists(content):
            raise DataError(
                f"cannot use the list of images: {source}: it contains no NUL characters; omit "
                "--null"
            )
    elif b"\0" in content:
        raise DataError(
            f"cannot use the list of images: {source}: it contains NUL characters; add --null if "
            "they separate the paths, or save it as UTF-8"
        )
    else:
        lines = content.removeprefix(_UTF_8_MARK).split(b"\n")
        entries = [line.removesuffix(b"\r") for line in lines]
    paths = [os.fsdecode(entry) for entry in entries if entry]
    if not paths:
        raise DataError(
            f"cannot use the list of images: {source}: it contains no paths; give one per line"
        )
    return [os.path.join(".", path) if path == "-" else path for path in paths]  # not stdin


def list_option(path: str, stdin: bytes) -> str:
    """The option that reads a file, or stdin ("-"), as a list; '' if it does not start like one."""
    start = stdin[:4096] if path == "-" else b""
    if os.path.isfile(path):
        with suppress(OSError), open(path, "rb") as stream:
            start = stream.read(4096)
    null = b"\0" in start
    first = start.removeprefix(_UTF_8_MARK).split(b"\0" if null else b"\n")[0].removesuffix(b"\r")
    is_list = is_image_name(os.fsdecode(first)) or os.path.exists(first)
    return f"--files-from {path}" + " --null" * null if is_list else ""
