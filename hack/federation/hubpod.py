"""The hub's pod, read back from the Deployment that Helm put into the API server, as a process of this machine.

Command, arguments, environment, config files and identity are the Deployment's. What must differ is this, and
all of it stands in this module:

- The ServiceAccount's token and the cluster's authority, which a pod has at one fixed place, are in a kubeconfig that
  `KUBECONFIG` names.
- The program is the one of that name in this Python environment, not in the image; of the image's variables there are
  `PATH`, `HOME` and `LANG`.
- A volume is a folder. Its mount path is changed to it in arguments and variables; `/tmp` is so by `TMPDIR` as well.
- A container port on all addresses is one on 127.0.0.1 that is picked free, changed in arguments and variables.
- Of the probes the readiness probe is asked, several times a second.
- Resources, security contexts and scheduling have no say: who runs the tests runs the process.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from federation.environment import environment_of, expanded
from federation.manifests import Object
from federation.volumes import Volumes
from testbed import Cluster
from testbed.local.ports import Reservation

LOOPBACK = "127.0.0.1"
TEMPORARY = "/tmp"  # noqa: S108 - the mount path in the pod
_EVERYWHERE = re.compile(r"(?:^|(?<==)|(?<![\w.])0\.0\.0\.0):(?P<port>\d+)(?!\d)")


def deployed(cluster: Cluster, namespace: str, name: str, folder: Path, ports: Mapping[str, Reservation]) -> "HubPod":
    """The pod of the Deployment as it now stands in the API server."""
    deployment = cluster.get_json(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    return HubPod(cluster, deployment, folder, {each: reserved.port for each, reserved in ports.items()})


class HubPod:
    """The pod of one generation of the Deployment.

    `ports` maps the names of its container's ports to those of this machine; its volumes are below `folder`.
    """

    def __init__(self, cluster: Cluster, deployment: Object, folder: Path, ports: Mapping[str, int]) -> None:
        """Reads what the pod refers to and writes its files."""
        self._cluster = cluster
        self._namespace = deployment["metadata"]["namespace"]
        self.generation = int(deployment["metadata"]["generation"])
        pod = self._pod(deployment)
        (self._container,) = pod["spec"]["containers"]
        self.grace_seconds = float(pod["spec"]["terminationGracePeriodSeconds"])
        names = {port["name"]: port["containerPort"] for port in self._container.get("ports", ())}
        self._ports = {str(number): ports[name] for name, number in names.items()}
        self._by_name = {name: ports[name] for name in names}
        self._mounts = dict(Volumes(pod, folder, self._read).mounted(self._container))
        server = urlsplit(cluster.server)
        given = {"KUBERNETES_SERVICE_HOST": str(server.hostname), "KUBERNETES_SERVICE_PORT": str(server.port)}
        variables = environment_of(self._container, pod, given, self._read)
        words = [expanded(word, variables) for word in (*self._container["command"], *self._container.get("args", ()))]
        self.command = [str(Path(sys.executable).with_name(words[0])), *map(self._here, words[1:])]
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            **({"TMPDIR": str(self._mounts[TEMPORARY])} if TEMPORARY in self._mounts else {}),
            **{name: self._here(value) for name, value in variables.items()},
            **self._identity(pod["spec"]),
        }

    @property
    def image(self) -> str:
        """The image that a kubelet would run."""
        return str(self._container["image"])

    @property
    def ledger(self) -> str:
        """The URL of its ledger on this machine."""
        by_argument = [word.removeprefix("--ledger=") for word in self.command if word.startswith("--ledger=")]
        return by_argument[0] if by_argument else self.environment["ISTHMUS_LEDGER"]

    def probe(self, kind: str) -> tuple[str, float]:
        """The URL that a probe (`readiness`, `liveness`, `startup`) asks, and the seconds that an answer may take."""
        probe = self._container[f"{kind}Probe"]
        asked = probe["httpGet"]
        return f"{self.url(asked['port'])}{asked['path']}", float(probe["timeoutSeconds"])

    def url(self, port: str) -> str:
        """Where it serves HTTP on the port of that name."""
        return f"http://{LOOPBACK}:{self._by_name[port]}"

    def _pod(self, deployment: Object) -> Object:
        """The pod that a template makes."""
        template = deployment["spec"]["template"]
        metadata = {
            **template["metadata"],
            "name": f"{deployment['metadata']['name']}-{self.generation}",
            "namespace": self._namespace,
        }
        status = {"podIP": LOOPBACK, "hostIP": LOOPBACK}
        return {"kind": "Pod", "metadata": metadata, "spec": template["spec"], "status": status}

    def _read(self, plural: str, name: str) -> Object:
        found: Object = self._cluster.rest.get(f"/api/v1/namespaces/{self._namespace}/{plural}/{name}")
        return found

    def _identity(self, spec: Object) -> dict[str, str]:
        """The kubeconfig in place of the mounted token; none where it would not be mounted."""
        name = spec.get("serviceAccountName", "default")
        account = self._read("serviceaccounts", name)
        if not spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True)):
            return {}
        return {"KUBECONFIG": str(self._cluster.token_kubeconfig(self._namespace, name))}

    def _here(self, text: str) -> str:
        """Mount paths and addresses changed to those of this machine. Raises ValueError for a port that is not told."""

        def port(found: re.Match[str]) -> str:
            if found["port"] not in self._ports:
                raise ValueError(f"{text}: the container has no port {found['port']}")
            return f"{LOOPBACK}:{self._ports[found['port']]}"

        paths = "|".join(map(re.escape, sorted(self._mounts, key=len, reverse=True)))
        if paths:
            text = re.sub(rf"(?<![\w.-])(?:{paths})(?![\w.-])", lambda found: str(self._mounts[found[0]]), text)
        return _EVERYWHERE.sub(port, text)
