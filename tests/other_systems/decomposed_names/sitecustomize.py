"""A file layer that decomposes names (NFD), as macOS did and its archives still do.

For `PYTHONPATH=tests/other_systems/decomposed_names pytest`; `test_other_systems.py` starts it too.
Each function that is given a path gives the decomposed one to the system, so that files are
created, found and listed under it.
"""

import builtins
import functools
import io
import os
from unicodedata import normalize

WITH_TWO_PATHS = ("rename", "replace", "link", "symlink")
WITH_A_PATH = (
    *("open", "stat", "lstat", "mkdir", "rmdir", "unlink", "remove", "access", "chmod", "utime"),
    *("listdir", "scandir", "chdir", "readlink", "truncate", "statvfs", "mkfifo"),
)


def decomposed(path):
    if isinstance(path, bytes):
        return os.fsencode(decomposed(os.fsdecode(path)))
    if not isinstance(path, (str, os.PathLike)):
        return path  # a descriptor
    return normalize("NFD", os.fspath(path))


def with_decomposed(function, n_paths):
    @functools.wraps(function)
    def call(*words, **options):
        paths = [decomposed(word) for word in words[:n_paths]]
        return function(*paths, *words[n_paths:], **options)

    return call


for name in WITH_A_PATH:
    setattr(os, name, with_decomposed(getattr(os, name), 1))
for name in WITH_TWO_PATHS:
    setattr(os, name, with_decomposed(getattr(os, name), 2))
builtins.open = io.open = with_decomposed(open, 1)
