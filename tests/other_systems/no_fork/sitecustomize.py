"""A Python without what only Linux has, for `PYTHONPATH=tests/other_systems/no_fork pytest`.

Processes are then spawned, as on macOS and Windows; `test_other_systems.py` starts it too.
"""

import os

for name in ("fork", "forkpty", "sched_getaffinity", "posix_fallocate", "pwrite", "preadv"):
    if hasattr(os, name):
        delattr(os, name)
