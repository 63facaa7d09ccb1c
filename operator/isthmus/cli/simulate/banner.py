"""Keeps what a library writes to the standard output by itself out of a command's figures."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send file descriptor 1 to where 2 goes: HiGHS writes its name there when a solver is made, whatever its options.

    Nothing where the process has no such descriptors.
    """
    sys.stdout.flush()
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
