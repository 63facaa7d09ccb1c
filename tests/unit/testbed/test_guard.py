import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import guard, wait_for
from testbed.guard import Guard


def test_commands_run_at_the_end_latest_first(tmp_path: Path) -> None:
    """What the guard was told to run is run when it is closed, the latest first, though one of them fails."""
    told = tmp_path / "told"
    watcher = Guard(secrets.token_hex(8), None)
    watcher.remember(["sh", "-c", f"echo first >> {told}"])
    watcher.remember(["false"])
    watcher.remember(["/no/such/program"])
    watcher.remember(["sh", "-c", f"echo last >> {told}"])
    assert not told.exists()
    watcher.close()
    assert told.read_text() == "last\nfirst\n"


@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getpid(), 9)"], ids=["ended", "killed"])
def test_commands_run_where_the_process_ended_without_closing(tmp_path: Path, end: str) -> None:
    """A process that is killed leaves the commands to its guard, which runs them all the same."""
    told = tmp_path / "told"
    program = f"""
import os
from testbed.guard import Guard
Guard("{secrets.token_hex(8)}", None).remember(["touch", "{told}"])
{end}
"""
    subprocess.run([sys.executable, "-c", program], cwd=Path(guard.__file__).parents[1], timeout=30, check=False)
    wait_for(told.exists, 20, "the command to have run")
