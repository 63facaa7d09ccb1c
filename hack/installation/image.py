"""The hub's image for one run, by `make image`."""

import subprocess
from pathlib import Path

from testbed.kind import Engine, KindError

ROOT = Path(__file__).resolve().parents[2]
NAME = "isthmus"
STAGE = "label=dev.isthmus.stage=build"  # what the Dockerfile writes on its first stage
BUILD_SECONDS = 900
TAIL = 1500


def build(engine: Engine, tag: str) -> str:
    """Builds it under that tag; variables of the make that runs us, such as BASE_IMAGE, hold. Raises KindError."""
    command = ["make", "image", f"IMAGE={NAME}", f"TAG={tag}", f"CONTAINER_ENGINE={engine.name}"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if done.returncode:
        raise KindError(f"make image failed:\n{(done.stdout + done.stderr).strip()[-TAIL:]}")
    return f"{NAME}:{tag}"


def removals(engine: Engine, tag: str) -> list[list[str]]:
    """Commands that leave nothing of it: the image, and what the classic builder keeps of the first stage."""
    return [
        [engine.name, "image", "prune", "--force", f"--filter={STAGE}"],
        [engine.name, "image", "rm", f"{NAME}:{tag}"],
    ]
