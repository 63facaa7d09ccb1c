"""Builds the control planes' programs, and Helm, with Go, from the go.mod files in hack/controlplane.

Standard library only: this runs before any Python package is installed.
"""

import dataclasses
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "controlplane"
HEARTBEAT_SECONDS = 15

Report = Callable[[str], None]


class BuildError(RuntimeError):
    """A program could not be built; the message says what to do."""


@dataclasses.dataclass(frozen=True, slots=True)
class Module:
    """One folder of hack/controlplane: a go.mod whose `tool` lines are the programs to build."""

    folder: str
    path: str  # the Go module that carries the version
    programs: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...] = ()  # (the name Go gives, the name it is known by)
    stamps: Callable[[str], dict[str, str]] = lambda _: {}  # version -> linker variables

    @property
    def version(self) -> str:
        """The version required in go.mod, without its leading v."""
        text = (SOURCES / self.folder / "go.mod").read_text()
        found = re.search(rf"^(?:require )?\s*{re.escape(self.path)} v(\S+)", text, re.MULTILINE)
        if not found:
            raise BuildError(f"{self.folder}/go.mod does not require {self.path}")
        return found[1]

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages named by go.mod's `tool` lines."""
        text = (SOURCES / self.folder / "go.mod").read_text()
        block = re.search(r"^tool \(\n(.*?)^\)", text, re.MULTILINE | re.DOTALL)
        single = re.findall(r"^tool (\S+/\S+)$", text, re.MULTILINE)
        return tuple(block[1].split()) if block else tuple(single)

    @property
    def linker_flags(self) -> str:
        """Strips debug data and stamps the version that `go build` alone leaves out."""
        stamps = self.stamps(self.version)
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in stamps.items())])

    @property
    def fingerprint(self) -> str:
        """Changes whenever what would be built changes."""
        digest = hashlib.sha256()
        for name in ("go.mod", "go.sum"):
            digest.update((SOURCES / self.folder / name).read_bytes())
        digest.update(f"{self.linker_flags} {platform.system()} {platform.machine()}".encode())
        return digest.hexdigest()[:12]


def _kubernetes_stamps(version: str) -> dict[str, str]:
    major, minor, _ = version.split(".", 2)
    return {
        f"{package}.{name}": value
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for name, value in (("gitVersion", f"v{version}"), ("gitMajor", major), ("gitMinor", minor))
    }


def _helm3_stamps(version: str) -> dict[str, str]:
    # `helm template` and `helm lint` ask no cluster: they take this for its version, and 1.20 where nothing is stamped.
    kubernetes = {
        f"helm.sh/helm/v3/pkg/{package}.k8sVersion{part}": value
        for package in ("chartutil", "lint/rules")
        for part, value in (("Major", "1"), ("Minor", "37"))
    }
    return {"helm.sh/helm/v3/internal/version.version": f"v{version}", **kubernetes}


MODULES = (
    Module("etcd", "go.etcd.io/etcd/server/v3", ("etcd",), renamed=(("server", "etcd"), ("v3", "etcd"))),
    Module(
        "kwok",
        "sigs.k8s.io/kwok",
        ("kwok",),
        stamps=lambda version: {"sigs.k8s.io/kwok/pkg/consts.Version": version},
    ),
    Module(
        "kubernetes",
        "k8s.io/kubernetes",
        ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"),
        stamps=_kubernetes_stamps,
    ),
    Module(
        "helm4",
        "helm.sh/helm/v4",
        ("helm",),
        stamps=lambda version: {"helm.sh/helm/v4/internal/version.version": f"v{version}"},
    ),
    Module("helm3", "helm.sh/helm/v3", ("helm3",), renamed=(("helm", "helm3"),), stamps=_helm3_stamps),
)
CONTROL_PLANE = ("etcd", "kwok", "kubernetes")


def cache_folder() -> Path:
    """Where built programs stay, outside any checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "isthmus" / "controlplane"


def cached(module: Module) -> Path:
    """The folder that holds, or will hold, this module's programs."""
    return cache_folder() / f"{module.folder}-{module.version}-{module.fingerprint}"


def build(module: Module, label: str, report: Report) -> Path:
    """Builds one module into the cache and returns the folder; two runs never build it twice.

    Raises BuildError with the mend where Go is missing, too old, or fails.
    """
    target = cached(module)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent / f"{target.name}.lock", lambda: report(f"{label}: another run builds it; waiting")):
        if target.is_dir():
            return target
        go = _go(module)
        partial = Path(tempfile.mkdtemp(prefix=f".{module.folder}-", dir=target.parent))
        try:
            _compile(go, module, partial, label, report)
            for given, known in module.renamed:
                if (partial / given).exists():
                    (partial / given).rename(partial / known)
            missing = [name for name in module.programs if not (partial / name).exists()]
            if missing:
                raise BuildError(f"go build of {module.path} left no {', '.join(missing)}")
            partial.chmod(0o755)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


@contextmanager
def _locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _go(module: Module) -> str:
    go = shutil.which("go")
    mend = (
        "install Go 1.26 or newer (https://go.dev/doc/install) and run again, "
        "or put the programs on PATH or in the folder that KUBEBUILDER_ASSETS names"
    )
    if go is None:
        raise BuildError(f"Go is needed to build {', '.join(module.programs)} and was not found: {mend}")
    # Within the module's folder an older Go either switches to the toolchain it asks for or says why not.
    asked = subprocess.run(
        [go, "env", "GOVERSION"], cwd=SOURCES / module.folder, capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise BuildError(f"this Go cannot build {module.path}: {asked.stderr.strip()}; {mend}")
    return go


def _compile(go: str, module: Module, output: Path, label: str, report: Report) -> None:
    started = time.monotonic()
    command = [go, "build", "-mod=readonly", "-trimpath", "-v", f"-ldflags={module.linker_flags}"]
    command += ["-o", f"{output}{os.sep}", *module.packages]
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=SOURCES / module.folder,
        env={**os.environ, "CGO_ENABLED": "0"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None  # noqa: S101 - asked for by stderr=PIPE
        stderr = process.stderr
        reader = threading.Thread(target=lambda: lines.extend(stderr), daemon=True)
        reader.start()
        try:
            while True:
                try:
                    code = process.wait(timeout=HEARTBEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    report(f"{label}: {_clock(started)}, {_progress(lines)}")
        except BaseException:
            process.kill()
            raise
        reader.join()
    if code:
        raise BuildError(f"go build of {module.path} failed:\n{''.join(lines[-20:]).strip()}")
    report(f"{label}: built in {_clock(started)}")


def _progress(lines: list[str]) -> str:
    fetched = sum(line.startswith("go: downloading") for line in lines)
    compiled = len(lines) - fetched
    if compiled:
        return f"{compiled} packages compiled"
    return f"{fetched} modules downloaded" if fetched else "starting"


def _clock(started: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    return f"{minutes}m{seconds:02d}s" if minutes else f"{seconds}s"
