"""Has what was started stand until it is ended at the terminal."""

import signal
from contextlib import AbstractContextManager

from rich.console import Console

from testbed.build import BuildError


def stand(console: Console, block: AbstractContextManager[object], ending: str) -> int:
    """Enters the block and waits until Ctrl-C, which the words of `ending` speak of; the exit code.

    SIGTERM and a closed terminal end the block as Ctrl-C does. A BuildError is told.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with block:
            console.print(ending)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except BuildError as error:
        console.print(f"error: {error}", style="red", highlight=False)
        return 1
    return 0
