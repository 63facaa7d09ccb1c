"""The chart by Helm: rendered, and installed in a cluster of the testbed as an administrator would."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from federation.manifests import Object
from testbed import Cluster
from testbed.binaries import helm as helm4

CHART = Path(__file__).resolve().parents[2] / "charts" / "isthmus"
NAME = "isthmus"
NAMESPACE = "isthmus-system"
HELM_SECONDS = 120
# The hub's operator runs as a process of its own beside these clusters, and no query API is reached through them.
OUTSIDE: Mapping[str, Any] = {"replicas": 0, "query": {"enabled": False}}

Values = Mapping[str, Any]


class HelmError(RuntimeError):
    """Helm failed; its own words."""


def helm(*arguments: str, values: Values | None = None, program: Path | None = None) -> str:
    """What Helm prints; `values` go in as a file. Nothing of the user's own Helm is read. Raises HelmError."""
    with tempfile.TemporaryDirectory(prefix="isthmus-helm-") as folder:
        homes = {f"HELM_{kind}_HOME": f"{folder}/{kind.lower()}" for kind in ("CONFIG", "CACHE", "DATA")}
        others = {key: value for key, value in os.environ.items() if not key.startswith(("HELM_", "KUBE"))}
        command = [str(program or helm4(print)), *arguments, *(["--values=-"] if values is not None else [])]
        done = subprocess.run(
            command,
            input=json.dumps(values or {}),
            env={**others, **homes},
            capture_output=True,
            text=True,
            timeout=HELM_SECONDS,
            check=False,
        )
    if done.returncode:
        raise HelmError((done.stderr or done.stdout).strip())
    return done.stdout


def documents(text: str) -> list[Object]:
    """The objects of a manifest in YAML."""
    return [document for document in yaml.safe_load_all(text) if document]


def render(
    values: Values | None = None,
    *options: str,
    name: str = NAME,
    namespace: str = NAMESPACE,
    chart: Path = CHART,
    program: Path | None = None,
) -> list[Object]:
    """The chart's objects by `helm template`, hooks included; no cluster is asked."""
    command = ("template", name, str(chart), f"--namespace={namespace}", *options)
    return documents(helm(*command, values=values or {}, program=program))


def one(objects: Sequence[Object], kind: str, name: str | None = None) -> Object:
    """The one object of a kind (and name) among them."""
    (found,) = [obj for obj in objects if obj["kind"] == kind and name in {None, obj["metadata"]["name"]}]
    return found


class Release:
    """The chart as installed in a cluster, by its administrator and Helm 4, or the Helm that `program` is."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        name: str = NAME,
        namespace: str = NAMESPACE,
        chart: Path = CHART,
        program: Path | None = None,
    ) -> None:
        self.name = name
        self.namespace = namespace
        self.chart = chart
        self._cluster = cluster
        self._program = program

    def install(self, values: Values = OUTSIDE, *options: str, chart: Path | None = None) -> str:
        """`helm install`, in a namespace that is made where it is missing."""
        command = ("install", self.name, str(chart or self.chart), "--create-namespace", *options)
        return self.run(*command, values=values)

    def upgrade(self, values: Values = OUTSIDE, *options: str, chart: Path | None = None) -> str:
        """`helm upgrade` to these values; nothing of the former ones stays."""
        return self.run("upgrade", self.name, str(chart or self.chart), *options, values=values)

    def rollback(self, revision: int) -> str:
        """`helm rollback`."""
        return self.run("rollback", self.name, str(revision))

    def uninstall(self) -> str:
        """`helm uninstall`; what it deletes is gone when it returns."""
        return self.run("uninstall", self.name, "--wait", "--cascade=foreground")

    def manifest(self) -> list[Object]:
        """The objects of the installed release, without hooks."""
        return documents(self.run("get", "manifest", self.name))

    def hooks(self) -> list[Object]:
        """The hooks of the installed release: what `helm test` runs."""
        return documents(self.run("get", "hooks", self.name))

    def revision(self) -> int:
        """The number of its last revision."""
        return int(json.loads(self.run("status", self.name, "--output=json"))["version"])

    def run(self, *arguments: str, values: Values | None = None) -> str:
        """Any command of Helm in the release's cluster and namespace."""
        place = (f"--kubeconfig={self._cluster.kubeconfig()}", f"--namespace={self.namespace}")
        return helm(*arguments, *place, values=values, program=self._program)
