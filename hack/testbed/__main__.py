"""`python -m testbed up`: a hub and members to try things on, until Ctrl-C."""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from testbed.machines import Machine
from testbed.provider import ClusterSpec
from testbed.standing import stand
from testbed.testbed import Testbed

MACHINES = (
    Machine(
        "gpu-1",
        cpu="64",
        memory="512Gi",
        labels={
            "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB",
            "nvidia.com/gpu.memory": "81920",
            "nvidia.com/gpu.count": "8",
        },
        extended={"nvidia.com/gpu": "8"},
    ),
    Machine("cpu-1", cpu="32", memory="128Gi"),
)


def main() -> int:
    """Starts what the arguments ask for and waits."""
    parser = argparse.ArgumentParser(prog="python -m testbed", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start a hub and members and wait until Ctrl-C")
    up.add_argument("--members", type=int, default=2, help="how many (default 2), each with a GPU and a CPU machine")
    up.add_argument("--directory", type=Path, help="where the clusters' files lie while they run")
    arguments = parser.parse_args()
    console = Console()
    return stand(console, _up(console, arguments.members, arguments.directory), "Ctrl-C ends them.")


@contextmanager
def _up(console: Console, members: int, directory: Path | None) -> Iterator[None]:
    started = time.monotonic()
    specs = [ClusterSpec("hub", scheduling=False)]
    specs += [ClusterSpec(f"member-{number}", machines=MACHINES) for number in range(1, members + 1)]
    with Testbed(directory=directory) as testbed:
        clusters = testbed.start(
            *specs, progress=lambda name, step: console.print(f"[dim]{name}[/]: {step}", highlight=False)
        )
        console.print(f"{len(clusters)} clusters in {time.monotonic() - started:.1f} s", highlight=False)
        for cluster in clusters.values():
            # Plain, so that a narrow terminal does not break a line that is meant to be copied.
            print(f"export KUBECONFIG={cluster.kubeconfig()}", flush=True)
        yield


if __name__ == "__main__":
    raise SystemExit(main())
