"""The commands of the README, the tutorial and the examples, run word for word in one playground."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.docs.desk import Desk, checkout
from tests.unit.docs.execution import commands_pages, in_order, in_playground
from tests.unit.docs.pages import ROOT, page

from testbed import wait_for

START_SECONDS = 300
END_SECONDS = 60
ORDER = in_order([each for each in commands_pages() if in_playground(each)], first=["docs/tutorial.md", "README.md"])


def _environment(env: Path) -> dict[str, str]:
    """Ours, as it is once the file is sourced."""
    told = subprocess.check_output(["bash", "-c", f"source {shlex.quote(str(env))}; env -0"], text=True)
    return dict(each.split("=", 1) for each in told.split("\0") if each)


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """What `make playground` starts, in a folder of its own; it ends by Ctrl-C, and takes its files away."""
    folder = checkout(tmp_path_factory.mktemp("playground"))
    (folder / "examples").symlink_to(ROOT / "examples")
    build = folder / "build" / "playground"
    log = folder / "playground.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "federation", f"--folder={build}"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}/operator:{ROOT}/hack"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(lambda: "Ctrl-C" in log.read_text() or process.poll() is not None, START_SECONDS, "the playground")
        assert process.poll() is None, log.read_text()
        yield Desk(folder, _environment(build / "env"))
        process.send_signal(signal.SIGINT)
        assert process.wait(END_SECONDS) == 0, log.read_text()
        assert not (build / "env").exists()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(END_SECONDS)


@pytest.mark.parametrize("name", [each.name for each in ORDER])
def test_the_commands_run(playground: Desk, name: str) -> None:
    """Every command works, in the order of the page, and prints what the page promises."""
    here = page(name)
    playground.run(here, folder=here.path.parent if name.startswith("examples/") else None)


def test_the_first_job_of_the_readme_ran_on_its_model(playground: Desk) -> None:
    """The README's job is Complete, on the node that has the GPUs that it wants."""
    status = playground.json("computejob/first -n team-a")["status"]
    assert (status["phase"], status["done"], status["nodes"]) == ("Succeeded", "3/3", "west")


def test_examples_leave_nothing(playground: Desk) -> None:
    """After all of them no ComputeJob and no Settlement is there but the README's."""
    left = playground.bash("kubectl get computejobs,settlements -A -o name")
    assert left.split() == ["computejob.isthmus.dev/first"]
