"""What the end-to-end tests' jobs do: the same in a container and on a machine that kwok plays."""

import os
from typing import Any

from federation import job_spec

IMAGE_VARIABLE = "E2E_JOB_IMAGE"


def image() -> str:
    """A small image with a shell."""
    return os.environ.get(IMAGE_VARIABLE) or "busybox:1.37"


def work(
    seconds: int = 1,
    *,
    completions: int | None = None,
    parallelism: int | None = None,
    gpus: int = 0,
    cpu: str = "10m",
    memory: str = "8Mi",
) -> dict[str, Any]:
    """A JobSpec whose Pods say which index they are and run for so long; small, for real machines are."""
    spec = job_spec(
        run_seconds=str(seconds),
        cpu=cpu,
        memory=memory,
        gpus=gpus,
        completions=completions,
        parallelism=parallelism if parallelism is not None else completions,
        pod={"terminationGracePeriodSeconds": 1},
    )
    (container,) = spec["template"]["spec"]["containers"]
    container["image"] = image()
    container["command"] = ["sh", "-c", f'echo "index $JOB_COMPLETION_INDEX"; sleep {seconds}']
    return spec
