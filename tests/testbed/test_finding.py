import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed import DeadlineError, build, wait_for
from testbed.binaries import OLDEST, helm, helm3, locate
from testbed.build import MODULES, BuildError, cached


def _program(folder: Path, name: str, output: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{output}'\n")
    path.chmod(0o755)


def _all_programs(folder: Path, kubernetes: str = "v1.36.3") -> None:
    _program(folder, "etcd", "etcd Version: 3.6.14\nGo Version: go1.26.8")
    _program(folder, "kwok", "kwok version v0.7.0 go1.26.8 (linux/amd64)")
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        _program(folder, name, f"Kubernetes {kubernetes}")
    _program(folder, "kubectl", f"Client Version: {kubernetes}\nKustomize Version: v5.8.1")


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without any program, Go included, and with an empty cache."""
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize("place", ["KUBEBUILDER_ASSETS", "PATH"])
def test_taken_from_outside(nowhere: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """A full set of programs in KUBEBUILDER_ASSETS or on PATH is taken, and nothing is built or said."""
    _all_programs(nowhere / "given")
    monkeypatch.setenv(place, str(nowhere / "given") + (":/bin" if place == "PATH" else ""))
    said: list[str] = []
    found = locate(said.append)
    assert found.kube_apiserver == nowhere / "given" / "kube-apiserver"
    assert found.etcd == nowhere / "given" / "etcd"
    assert said == []


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(lambda f: _all_programs(f, "v1.33.9"), "kube-apiserver is 1.33, older than 1.34", id="old"),
        pytest.param(lambda f: (f / "kube-scheduler").unlink(), "kube-scheduler not there", id="incomplete"),
        pytest.param(
            lambda f: _program(f, "kubectl", "Client Version: v1.35.1"),
            "its programs are of different versions",
            id="mixed",
        ),
        pytest.param(lambda f: _program(f, "kubectl", "?"), "kubectl does not tell its version", id="mute"),
    ],
)
def test_unfit_programs_are_passed_over(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None], why: str
) -> None:
    """Programs that are too old, incomplete or mixed are not used; it is said why, and without Go what to do."""
    _all_programs(nowhere / "given")
    spoil(nowhere / "given")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(nowhere / "given"))
    said: list[str] = []
    with pytest.raises(BuildError, match=r"Go is needed to build kube-apiserver.*install Go 1\.26 or newer"):
        locate(said.append)
    assert f"kubernetes from KUBEBUILDER_ASSETS not used: {why}" in said


def test_helm_is_taken_by_its_major_version(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Helm 3 that is called helm is not taken for Helm 4; each has a name of its own."""
    _program(nowhere / "given", "helm", "v3.18.4+gd80839c")
    monkeypatch.setenv("PATH", f"{nowhere / 'given'}:/bin")
    said: list[str] = []
    with pytest.raises(BuildError, match=r"Go is needed to build helm and"):
        helm(said.append)
    assert "helm4 from PATH not used: helm is 3.18, older than 4.0" in said

    _program(nowhere / "given", "helm", "v4.3.1+g3a0d9f8")
    _program(nowhere / "given", "helm3", "v3.18.4+gd80839c")
    assert helm(pytest.fail) == nowhere / "given" / "helm"
    assert helm3(pytest.fail) == nowhere / "given" / "helm3"


@pytest.mark.usefixtures("nowhere")
def test_built_ones_are_found_again() -> None:
    """What the cache holds for exactly these versions is used without building."""
    for module in MODULES:
        folder = cached(module)
        folder.mkdir(parents=True)
        for name in module.programs:
            (folder / name).touch()
    assert locate(pytest.fail).kwok == cached(MODULES[1]) / "kwok"


def test_versions_come_from_the_go_mod_files() -> None:
    """Each module's version, packages and linker stamps are read from its go.mod, and every module has a bound."""
    by_folder = {module.folder: module for module in MODULES}
    assert by_folder.keys() == OLDEST.keys() == {path.parent.name for path in build.SOURCES.glob("*/go.mod")}
    kubernetes = by_folder["kubernetes"]
    assert [package.rpartition("/")[2] for package in kubernetes.packages] == list(kubernetes.programs)
    assert f"-X k8s.io/component-base/version.gitVersion=v{kubernetes.version}" in kubernetes.linker_flags


def test_waiting_ends_with_what_was_seen() -> None:
    """A wait returns the first true answer, and past its deadline tells what it waited for and what it saw."""
    answers = iter([0, 0, 7])
    assert wait_for(lambda: next(answers), 5, "a number", interval_seconds=0.001) == 7
    with pytest.raises(DeadlineError, match=r"the moon: not within 0\.05 s; last seen: \[\]"):
        wait_for(list, 0.05, "the moon", interval_seconds=0.01)
    empty: dict[str, int] = {}
    with pytest.raises(DeadlineError, match="last seen: KeyError"):
        wait_for(lambda: empty["x"], 0.05, "a key", interval_seconds=0.01, tolerate=(KeyError,))
    with pytest.raises(KeyError):
        wait_for(lambda: empty["x"], 0.05, "a key", interval_seconds=0.01)


def test_programs_are_found_before_any_package_is_installed() -> None:
    """Finding and building needs Python's standard library alone."""
    hack = str(build.SOURCES.parent)
    program = f"import sys; sys.path.insert(0, {hack!r}); import testbed.binaries; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "testbed.binaries" in done.stdout.split()
