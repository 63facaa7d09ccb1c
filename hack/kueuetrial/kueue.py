"""Kueue's manager as a process beside a member's control plane, with its kinds and webhooks."""

import base64
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from testbed import Cluster, wait_for
from testbed.local.certificates import Authority, write_pair
from testbed.local.control_plane import is_healthy
from testbed.local.ports import Reservation
from testbed.local.process import Process

VERSION = "v0.17.0"
MODULE = "sigs.k8s.io/kueue"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "isthmus-trials" / "kueue" / VERSION
READY_SECONDS = 60
# Its webhooks for these; what else it can manage is not served by a testbed's cluster.
KINDS = ("job", "pod", "clusterqueue", "cohort", "localqueue", "resourceflavor", "workload")
API = "/apis/kueue.x-k8s.io/v1beta2"
CERTIFICATE = "tls"
METRICS_FOLDER, METRICS_VARIABLE = "/etc/kueue/metrics/certs", "KUEUE_METRICS_CERTS"

Object = dict[str, Any]


def build() -> Path:
    """The manager, built by Go where it is not in the cache (some minutes).

    Its own main.go in a module beside it, as that looks for the metrics' certificate in a folder of the machine.
    """
    program, folder, kueue = CACHE / "kueue", CACHE / "main", source()
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        main = (kueue / "cmd" / "kueue" / "main.go").read_text()
        (folder / "main.go").write_text(main.replace(f'"{METRICS_FOLDER}"', f'os.Getenv("{METRICS_VARIABLE}")'))
        needs = (kueue / "go.mod").read_text().replace(f"module {MODULE}", "module kueuetrial")
        (folder / "go.mod").write_text(f"{needs}\nrequire {MODULE} {VERSION}\n")
        (folder / "go.sum").write_text((kueue / "go.sum").read_text())
        command = ["go", "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", str(program), "."]
        subprocess.run(command, cwd=folder, env={**os.environ, "CGO_ENABLED": "0"}, check=True)
    return program


def source() -> Path:
    """The module's folder, which has the manifests."""
    command = ["go", "mod", "download", "-json", f"{MODULE}@{VERSION}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Path(json.loads(found)["Dir"])


class Kueue:
    """One manager; `start` may follow `stop`."""

    def __init__(self, cluster: Cluster, folder: Path, environment: Mapping[str, str], **configuration: Any) -> None:
        """Puts its kinds into the cluster; `configuration` goes over what stands in `_configuration`."""
        self._cluster = cluster
        self._folder = folder
        self._authority = Authority("kueue")
        self._ports = {name: Reservation() for name in ("webhook", "health", "metrics")}
        folder.mkdir()
        write_pair(folder, CERTIFICATE, self._authority.server())
        file = folder / "kueue.yaml"
        file.write_text(yaml.safe_dump({**self._configuration(), **configuration}))
        command = [
            str(build()),
            f"--config={file}",
            f"--kubeconfig={cluster.kubeconfig('kueue', ['system:masters'])}",
            "--feature-gates=VisibilityOnDemand=false",
        ]
        home = {"HOME": str(folder), "PATH": os.defpath, METRICS_VARIABLE: str(folder)}
        self._process = Process("kueue", command, {**environment, **home}, folder / "kueue.log")
        self._manifests = source() / "config" / "components"
        for path in sorted((self._manifests / "crd" / "bases").glob("*.yaml")):
            cluster.apply(path.read_text())
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        wait_for(lambda: cluster.rest.is_ok(f"{API}/workloads"), READY_SECONDS, "Kueue's kinds to be served")
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kueue-system"}})

    @property
    def log(self) -> str:
        """What it has written."""
        return self._process.log.read_text(errors="replace")

    def start(self) -> None:
        """Start it, and have the API server call its webhooks once it is ready."""
        self._process.start()

        def ready() -> bool:
            self._process.check()
            return is_healthy(f"http://127.0.0.1:{self._ports['health'].port}/readyz")

        wait_for(ready, READY_SECONDS, "Kueue to be ready")
        self._cluster.apply(list(self._webhooks()))

    def stop(self) -> None:
        """End it; its webhooks stay, so that the API server refuses what they were to judge."""
        self._process.stop(10)

    def close(self) -> None:
        """End it at once."""
        self._process.kill()
        for reservation in self._ports.values():
            reservation.release()

    def _configuration(self) -> Object:
        addresses = {name: f"127.0.0.1:{held.port}" for name, held in self._ports.items()}
        return {
            "apiVersion": "config.kueue.x-k8s.io/v1beta2",
            "kind": "Configuration",
            "namespace": "kueue-system",
            "health": {"healthProbeBindAddress": addresses["health"]},
            "metrics": {"bindAddress": "0"},
            "webhook": {"host": "127.0.0.1", "port": self._ports["webhook"].port, "certDir": str(self._folder)},
            "internalCertManagement": {"enable": False},
            "leaderElection": {"leaderElect": False},
            "integrations": {"frameworks": ["batch/job", "pod"]},
        }

    def _webhooks(self) -> Iterator[Object]:
        """Its webhook configurations, by URL instead of a Service, and not for the namespaces that Kueue leaves out."""
        bundle = base64.b64encode(self._authority.certificate.encode()).decode()
        excluded = {
            "key": "kubernetes.io/metadata.name",
            "operator": "NotIn",
            "values": ["kube-system", "kueue-system"],
        }
        for each in yaml.safe_load_all((self._manifests / "webhook" / "manifests.yaml").read_text()):
            kept = [hook for hook in each["webhooks"] if hook["name"].split(".")[0][1:] in KINDS]
            for hook in kept:
                path = hook["clientConfig"]["service"]["path"]
                url = f"https://127.0.0.1:{self._ports['webhook'].port}{path}"
                hook["clientConfig"] = {"url": url, "caBundle": bundle}
                if "pod" in hook["name"]:
                    hook["namespaceSelector"] = {"matchExpressions": [excluded]}
            each["metadata"]["name"] = f"kueue-{each['metadata']['name']}"
            yield {**each, "webhooks": kept}
