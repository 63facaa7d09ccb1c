"""Fetches the wheels that an image installs, for a build that reaches no package index.

Run as `python -m image.wheels ENGINE BASE_IMAGE DIRECTORY`, which is part of `make image OFFLINE=1`. The index, the
proxy and the certificates are those that this machine's own pip is set up with; the build sees none of them.
"""

import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
OLDEST_GLIBC = 17  # 2.17, the oldest that wheels are built for today
PROBE = """
import json, platform, sys
print(json.dumps([sys.version_info[:2], platform.machine(), platform.libc_ver()]))
"""


class WheelsError(RuntimeError):
    """The wheels can't be had; the message says what to do."""


@dataclasses.dataclass(frozen=True, slots=True)
class Python:
    """The Python of a base image: its minor version, the machine and the C library's minor version."""

    minor: int
    machine: str
    glibc: int

    @property
    def platforms(self) -> list[str]:
        """The platform tags whose wheels run on it, the best first."""
        versions = range(self.glibc, OLDEST_GLIBC - 1, -1)
        return [*(f"manylinux_2_{each}_{self.machine}" for each in versions), f"manylinux2014_{self.machine}"]


def parse_probe(answer: str) -> Python:
    """What PROBE printed. Raises WheelsError for a Python that Isthmus or manylinux wheels don't run on."""
    (major, minor), machine, (library, version) = json.loads(answer)
    if (major, minor) < (3, 11):
        raise WheelsError(f"the base image has Python {major}.{minor}; Isthmus needs 3.11 or newer")
    if library != "glibc":
        raise WheelsError("the base image has no glibc; take one that has, such as Debian's")
    return Python(minor, machine, int(version.split(".")[1]))


def _probe(engine: str, base: str) -> Python:
    command = [engine, "run", "--rm", "--network=none", "--entrypoint=python3", base, "-c", PROBE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WheelsError(f"python3 does not run in {base}: {done.stderr.strip()}")
    return parse_probe(done.stdout)


def fetch(python: Python, directory: Path) -> None:
    """Fills the directory with the wheels of requirements/build.txt and runtime.txt, each checked by its hash."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    version = f"3.{python.minor}"
    with tempfile.TemporaryDirectory() as folder:
        # Without markers, which pip would judge by the Python that it runs on.
        for name in ("build", "runtime"):
            flat = Path(folder, f"{name}.txt")
            command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--generate-hashes"]
            command += ["--no-deps", "--no-emit-index-url", "--no-header", f"--python-version={version}"]
            command += [f"--python-platform={python.machine}-unknown-linux-gnu", f"--output-file={flat}"]
            _run([*command, str(REQUIREMENTS / f"{name}.txt")])
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            command += ["--only-binary=:all:", "--require-hashes", f"--requirement={flat}", f"--dest={directory}"]
            command += [f"--python-version={version}", "--implementation=cp", f"--abi=cp3{python.minor}"]
            command += ["--abi=abi3", "--abi=none", *(f"--platform={each}" for each in python.platforms)]
            _run(command)


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        raise WheelsError(f"failed: {' '.join(command[:6])} …")


def main(engine: str, base: str, directory: str) -> int:
    """Fetches them and tells how many there are."""
    try:
        fetch(_probe(engine, base), Path(directory))
    except (WheelsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(list(Path(directory).iterdir()))} wheels in {directory}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:4]))
