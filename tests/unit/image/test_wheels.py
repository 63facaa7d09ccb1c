import json
import re
from pathlib import Path

import pytest

from image.wheels import Python, WheelsError, parse_probe

ROOT = Path(__file__).resolve().parents[3]


def _probe(version: tuple[int, int] = (3, 11), library: tuple[str, str] = ("glibc", "2.36")) -> str:
    return json.dumps([version, "x86_64", library])


def test_platforms_are_those_of_the_base() -> None:
    """Wheels for every C library up to the base's are taken, the newest first, and none for a newer one."""
    python = parse_probe(_probe())
    assert python == Python(11, "x86_64", 36)
    assert python.platforms[0] == "manylinux_2_36_x86_64"
    assert python.platforms[-2:] == ["manylinux_2_17_x86_64", "manylinux2014_x86_64"]
    assert "manylinux_2_37_x86_64" not in python.platforms


@pytest.mark.parametrize(
    ("answer", "words"),
    [(_probe(version=(3, 10)), "3.11 or newer"), (_probe(library=("", "")), "no glibc")],
    ids=["old", "musl"],
)
def test_a_base_that_will_not_do_is_refused(answer: str, words: str) -> None:
    """A base whose Python or C library can't run the wheels is refused before anything is fetched."""
    with pytest.raises(WheelsError, match=words):
        parse_probe(answer)


def test_the_builds_tools_are_pinned_as_the_developers_are() -> None:
    """What builds the image's wheel is of the same version as in a checkout, by hash."""
    pins = {
        name: dict(re.findall(r"^([a-z-]+)==(\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("build.txt", "dev.txt", "uv.txt")
    }
    assert {"hatchling", "uv"} <= pins["build.txt"].keys()
    assert pins["build.txt"].items() <= (pins["dev.txt"] | pins["uv.txt"]).items()
