"""`python -m federation`: a hub with two nodes, and a cluster to be made a third, until Ctrl-C."""

import argparse
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from federation.playground import JOINED, SPARE, Playground
from testbed.standing import stand

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "build" / "playground"


def main() -> int:
    """Starts it, says how to reach it, and waits."""
    parser = argparse.ArgumentParser(prog="python -m federation", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files for a shell are put")
    folder: Path = parser.parse_args().folder.resolve()
    console = Console()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print(f"error: a playground is running in {folder}; end it with Ctrl-C in its terminal")
            return 1
        return stand(console, _playing(console, folder), "Ctrl-C ends all of it.")


@contextmanager
def _playing(console: Console, folder: Path) -> Iterator[None]:
    started = time.monotonic()
    with console.status("starting a hub and three clusters") as status, Playground(folder) as playground:
        status.stop()
        console.print(
            f"A hub with the nodes {' and '.join(JOINED)}, and the cluster {SPARE.name} that is no node yet: "
            f"{time.monotonic() - started:.0f} s.\nIn another terminal, from {CHECKOUT}:",
            highlight=False,
            soft_wrap=True,
        )
        print(f"\n    source {os.path.relpath(playground.env, CHECKOUT)}\n", flush=True)
        yield


if __name__ == "__main__":
    raise SystemExit(main())
