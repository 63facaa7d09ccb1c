"""Finds the programs that control planes are made of, and Helm, and has the missing ones built.

Run as `python -m testbed.binaries` (which is `make tools`), with the names of modules where not all are wanted.
Standard library only.
"""

import argparse
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

from testbed.build import CONTROL_PLANE, MODULES, BuildError, Module, Report, build, cached

# The oldest (major, minor) that is taken from outside, by module folder.
OLDEST = {"etcd": (3, 5), "kwok": (0, 7), "kubernetes": (1, 34), "helm4": (4, 0), "helm3": (3, 17)}
VERSION_ARGUMENTS = {
    "kubectl": ("version", "--client"),
    "etcd": ("--version",),
    "helm": ("version", "--short"),
    "helm3": ("version", "--short"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of a control plane, each by its path."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_scheduler: Path
    kubectl: Path
    kwok: Path


def locate(report: Report) -> Binaries:
    """The programs of control planes, found as `find` does."""
    paths = find(CONTROL_PLANE, report)
    return Binaries(**{field.name: paths[field.name.replace("_", "-")] for field in dataclasses.fields(Binaries)})


def helm(report: Report) -> Path:
    """Helm 4, found as `find` does."""
    return find(("helm4",), report)["helm"]


def helm3(report: Report) -> Path:
    """Helm 3, found as `find` does."""
    return find(("helm3",), report)["helm3"]


def find(wanted: Collection[str], report: Report) -> dict[str, Path]:
    """The wanted modules' programs from $KUBEBUILDER_ASSETS, else PATH, else the cache, else built into the cache.

    `report` receives a line for each thing done. A module's programs are taken from one place and in one
    minor version, for a controller manager newer than its API server is no supported pair.
    Raises BuildError where one is missing and cannot be built.
    """
    folders: dict[str, dict[str, Path]] = {}
    missing: list[Module] = []
    objections: list[str] = []
    for module in (module for module in MODULES if module.folder in wanted):
        found = _outside(module, objections)
        if not found and cached(module).is_dir():
            found = {name: cached(module) / name for name in module.programs}
        if found:
            folders[module.folder] = found
        else:
            missing.append(module)
    if missing:
        for objection in objections:
            report(objection)
        names = ", ".join(f"{module.folder} {module.version}" for module in missing)
        report(f"building with Go, once: {names} (10-12 minutes on two cores for all)")
    for step, module in enumerate(missing, start=1):
        label = f"[{step}/{len(missing)}] {module.folder} {module.version}"
        report(f"{label}: building {', '.join(module.programs)}")
        folder = build(module, label, report)
        folders[module.folder] = {name: folder / name for name in module.programs}
    return {name: path for found in folders.values() for name, path in found.items()}


def _outside(module: Module, objections: list[str]) -> dict[str, Path] | None:
    places = [("KUBEBUILDER_ASSETS", os.environ.get("KUBEBUILDER_ASSETS")), ("PATH", os.environ.get("PATH"))]
    for place, folders in places:
        found = {name: path for name in module.programs if (path := shutil.which(name, path=folders or ""))}
        if not found:
            continue
        versions = {name: _version(path) for name, path in found.items()}
        why = _objection(module, versions)
        if not why:
            return {name: Path(path) for name, path in found.items()}
        objections.append(f"{module.folder} from {place} not used: {why}")
    return None


def _objection(module: Module, versions: dict[str, tuple[int, int] | None]) -> str | None:
    oldest = OLDEST[module.folder]
    for name, version in versions.items():
        if version is None:
            return f"{name} does not tell its version"
        if version < oldest:
            return f"{name} is {version[0]}.{version[1]}, older than {oldest[0]}.{oldest[1]}"
    absent = [name for name in module.programs if name not in versions]
    if absent:
        return f"{', '.join(absent)} not there"
    return None if len(set(versions.values())) == 1 else "its programs are of different versions"


def _version(path: str) -> tuple[int, int] | None:
    name = Path(path).name
    arguments = VERSION_ARGUMENTS.get(name, ("--version",))
    try:
        asked = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"v?(\d+)\.(\d+)\.\d+", asked.stdout)
    return (int(found[1]), int(found[2])) if found else None


def main() -> int:
    """Finds or builds the programs and prints where each is."""
    known = [module.folder for module in MODULES]
    parser = argparse.ArgumentParser(prog="testbed.binaries", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(known)}; all where none is named")
    wanted = parser.parse_args().modules or known
    if unknown := sorted(set(wanted) - set(known)):
        parser.error(f"no such module: {', '.join(unknown)}")
    started = time.monotonic()

    def report(line: str) -> None:
        print(line, flush=True)

    try:
        paths = find(wanted, report)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for name, path in paths.items():
        report(f"{name:24} {path}")
    report(f"programs ready ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
