"""build/demo in the checkout: what the demo leaves to be read, and what is there only while clusters run."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.failure import DemoError
from demo.source import CHECKOUT

FOLDER = CHECKOUT / "build" / "demo"


@contextmanager
def own_folder(folder: Path = FOLDER) -> Iterator[Path]:
    """The folder, emptied of what an earlier run left, and held until the end of the block.

    Raises DemoError where another demo of this checkout holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                "Another demo of this checkout is running.",
                "End it with Ctrl-C in its terminal, or run this one in another clone.",
            ) from None
        for path in folder.iterdir():
            if path.is_symlink() or (path.is_file() and path.name != ".lock"):
                path.unlink()
        yield folder
