"""`python -m demo`: what it runs on, failures and the exit code."""

import os
import sys
import traceback
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from demo.failure import DemoError
from demo.folder import own_folder
from demo.interruption import Interruption
from demo.keeping import withdraw_access
from demo.performance import perform
from demo.plan import make_plan
from demo.source import CHECKOUT, choose_source
from demo.stage import Stage

INTERRUPTED = 130
PLAIN_WIDTH = 140  # columns where there is no terminal to ask


def main() -> int:
    """Runs the demo; 0 where everything is as it must be, 1 where not, 130 where it was interrupted."""
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    interruption = Interruption(console)
    try:
        with own_folder() as folder:
            return _on_stage(console, interruption, folder)
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return INTERRUPTED
    except DemoError as error:
        _tell(console, error)
        return 1


def _on_stage(console: Console, interruption: Interruption, folder: Path) -> int:
    plan = make_plan(choose_source(os.environ))
    keep = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("DEMO_EXIT") != "1"
    stage = Stage(folder)
    try:
        return perform(console, stage, plan, folder, keep=keep)
    except Exception as error:  # noqa: BLE001 - whatever it is, a person is told what to do next
        _tell(console, error if isinstance(error, DemoError) else _unforeseen(error, folder))
        if stage.hub_process is not None:
            console.print(
                f"\nThe end of the hub's log:\n{escape(stage.hub_process.tail())}", highlight=False, soft_wrap=True
            )
        return 1
    finally:
        interruption.ignore()
        with console.status("stopping the hub and the clusters"):
            stage.close()
        withdraw_access(folder)


def _unforeseen(error: Exception, folder: Path) -> DemoError:
    """A failure that no step has words for; the whole of it goes into a file."""
    path = folder / "failure.txt"
    path.write_text("".join(traceback.format_exception(error)))
    return DemoError(
        f"{type(error).__name__}: {error}",
        f"{path.relative_to(CHECKOUT)} has where it happened. Where a part did not start or answer in time, the "
        "machine may be too busy: end other work and try again.",
    )


def _tell(console: Console, error: DemoError) -> None:
    console.print(f"\n[bold red]✗[/] {escape(str(error))}\n  {escape(error.mend)}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
