from pathlib import Path

import pytest

from testbed.kind import Engine, KindError
from testbed.kind.provider import check_watches


def _path(folder: Path, **programs: str) -> str:
    """A PATH with these programs only, each a script."""
    for name, script in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return str(folder)


ANSWERS = "exit 0"
DEAD = "echo 'Cannot connect to the daemon' >&2; exit 1"
REFUSES = 'case "$1" in info) ;; *) echo "no such host" >&2; exit 1;; esac'


@pytest.mark.parametrize(
    ("programs", "engine", "words"),
    [
        ({}, None, ["docker was not found", "Podman", "make test"]),
        ({"docker": ANSWERS}, "podman", ["podman was not found"]),
        ({"docker": DEAD, "kind": ANSWERS}, None, ["docker does not answer", "Cannot connect", "DOCKER_HOST"]),
        ({"docker": ANSWERS}, None, ["kind was not found", "PATH"]),
    ],
    ids=["no engine", "not the one named", "not running", "no kind"],
)
def test_what_is_missing_is_named(
    tmp_path: Path, programs: dict[str, str], engine: str | None, words: list[str]
) -> None:
    """Without a container engine that answers, or without kind, one line says which and what to do."""
    environment = {"PATH": _path(tmp_path, **programs), **({"CONTAINER_ENGINE": engine} if engine else {})}
    with pytest.raises(KindError) as error:
        Engine.find(environment)
    assert all(word in str(error.value) for word in words), error.value
    assert "\n" not in str(error.value)


def test_an_absent_node_image_is_named(tmp_path: Path) -> None:
    """A node image that is neither here nor to be had is named, with the variable that chooses it."""
    path = _path(tmp_path, docker=REFUSES, kind=ANSWERS)
    engine = Engine.find({"PATH": path, "KIND_IMAGE": "kindest/node:none"})
    with pytest.raises(KindError, match=r"kindest/node:none is not here .*no such host.*KIND_IMAGE"):
        engine.create("c", tmp_path / "config", tmp_path / "kubeconfig", {})


def test_kinds_own_words_are_shown(tmp_path: Path) -> None:
    """Where kind itself fails, what it said is shown; a failed pull names the variable that chooses the image."""
    path = _path(tmp_path, docker=ANSWERS, kind="echo 'failed to pull image' >&2; exit 1")
    with pytest.raises(KindError, match=r"(?s)KIND_IMAGE.*failed to pull image"):
        Engine.find({"PATH": path}).create("c", tmp_path / "config", tmp_path / "kubeconfig", {})


def test_too_few_watches_are_named(tmp_path: Path) -> None:
    """Where the kernel grants too few inotify instances for the clusters, the setting and its mend are named."""
    limit = tmp_path / "max_user_instances"
    limit.write_text("128\n")
    with pytest.raises(KindError, match=r"max_user_instances is 128.*sysctl -w fs\.inotify\.max_user_instances=512"):
        check_watches(limit)
    limit.write_text("1024\n")
    check_watches(limit)
    check_watches(tmp_path / "not there")
