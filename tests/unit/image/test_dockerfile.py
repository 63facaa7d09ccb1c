import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LINES = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()
STARTS = [number for number, line in enumerate(LINES) if line.startswith("FROM ")]


def _lines(instruction: str, start: int = 0) -> list[str]:
    return [line for line in LINES[start:] if line.split(" ")[0] == instruction]


def test_both_stages_stand_on_the_base_that_is_chosen() -> None:
    """The base image is a build argument, so that the image can be built where no registry is reached."""
    assert _lines("ARG")[0].startswith("ARG BASE_IMAGE=python:3.")
    assert _lines("FROM") == ["FROM ${BASE_IMAGE} AS build", "FROM ${BASE_IMAGE}"]


def test_the_last_stage_installs_nothing_and_is_no_ones_root() -> None:
    """What runs has no installer of ours, no build argument of an index, and a numeric user that isn't root."""
    last = STARTS[-1]
    assert _lines("RUN", last) == []
    assert _lines("COPY", last) == ["COPY --from=build /opt/isthmus /opt/isthmus"]
    assert [line for line in _lines("ARG", last) if line.split("=")[0] not in {"ARG VERSION", "ARG REVISION"}] == []
    assert re.fullmatch(r"USER [1-9]\d+:[1-9]\d+", _lines("USER", last)[-1])


def test_everything_from_an_index_is_checked_by_hash() -> None:
    """Each install either checks hashes or takes what was built a line before."""
    installs = [line for line in _lines("RUN") if "pip install" in line]
    assert len(installs) == 3
    assert [("--require-hashes" in line) != ("--no-index" in line) for line in installs] == [True] * 3


def test_the_classic_builder_understands_it() -> None:
    """Nothing in it needs BuildKit."""
    assert [line for line in LINES if "--mount" in line or "<<" in line or line.startswith("# syntax")] == []


def test_what_it_copies_reaches_the_engine() -> None:
    """Each source of a COPY is let through by .dockerignore, which lets nothing else through."""
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [source for line in _lines("COPY") if "--from" not in line for source in line.split()[1:-1]]
    assert {source.rstrip("*") for source in copied} == {
        re.sub(r"^requirements/.*", "requirements", a) for a in allowed
    }
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
