"""A cluster as tests, the demo and the benchmarks use it, whichever provider made it."""

import functools
import hashlib
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from testbed.audit import Access, AuditEntry, accesses, read_audit_log
from testbed.kubeconfig import write_kubeconfig
from testbed.link import Fault
from testbed.machines import Machine
from testbed.provider import ClusterSpec, ControlPlane, Part, Route
from testbed.rest import RestClient
from testbed.restore import restore
from testbed.waiting import wait_for

ADMIN = "admin"
ADMIN_GROUPS = ("system:masters",)
TOKEN_SECONDS = 24 * 3600
KUBECTL_SECONDS = 120.0
MACHINE_WORKERS = 8
MACHINES_READY_SECONDS = 120.0
SECONDS_PER_MACHINE = 0.1  # some thousand machines share two cores with everything else


class KubectlError(RuntimeError):
    """kubectl ended with an error; the message is what it wrote."""


class Cluster:
    """One running cluster."""

    def __init__(self, spec: ClusterSpec, plane: ControlPlane, directory: Path) -> None:
        """Made by Testbed.start."""
        self.spec = spec
        self._plane = plane
        self._directory = directory
        self._lock = threading.Lock()
        self._kubeconfigs: dict[tuple[Any, ...], Path] = {}
        self._route: Route | None = None

    @property
    def name(self) -> str:
        """The name asked for."""
        return self.spec.name

    @property
    def server(self) -> str:
        """The API server's own address, which no link stands before."""
        return self._plane.server

    @property
    def authority(self) -> str:
        """The certificate authority of the API server's certificate, PEM."""
        return self._plane.authority

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, to be followed as it grows; `audit_entries` reads it."""
        return self._plane.audit_log

    @functools.cached_property
    def rest(self) -> RestClient:
        """Raw requests as the administrator, by the direct address."""
        return RestClient(self.server, self.authority, self._plane.identity(ADMIN, ADMIN_GROUPS))

    def kubeconfig(self, user: str = ADMIN, groups: Sequence[str] | None = None, *, through_link: bool = False) -> Path:
        """A kubeconfig file for this user in these groups, under real RBAC.

        Without `groups`, "admin" is in system:masters and any other user in none. With `through_link` its address
        is one that `cut` makes unreachable; whoever has the direct address notices nothing of a cut.
        """
        identity = (user, tuple(groups) if groups is not None else ADMIN_GROUPS if user == ADMIN else ())
        return self._written(identity, user, through_link, lambda: self._plane.identity(*identity))

    def token_kubeconfig(self, namespace: str, account: str, *, through_link: bool = False) -> Path:
        """The same for a ServiceAccount that is there, with a token of its own."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}"
        request = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        return self._written(
            # One that was deleted and made anew is another: the former's tokens are no good.
            (namespace, account, self.rest.get(path)["metadata"]["uid"]),
            f"{namespace}-{account}",
            through_link,
            lambda: str(self.rest.post(f"{path}/token", request)["status"]["token"]),
        )

    def _written(
        self,
        identity: tuple[Any, ...],
        label: str,
        through_link: bool,
        credentials: Callable[[], tuple[str, str] | str],
    ) -> Path:
        key = (*identity, through_link)
        server = self.server_for_others if through_link else self.server
        with self._lock:
            if key not in self._kubeconfigs:
                label = re.sub(r"[^A-Za-z0-9.]+", "-", label).strip("-")[:60] + (
                    "-through-link" if through_link else ""
                )
                path = self._directory / f"{label}-{hashlib.sha256(repr(key).encode()).hexdigest()[:6]}.kubeconfig"
                self._kubeconfigs[key] = write_kubeconfig(path, self.name, server, self.authority, credentials())
            return self._kubeconfigs[key]

    @property
    def server_for_others(self) -> str:
        """The address by which other clusters reach the API server: the one that `cut` makes unreachable."""
        return self._open_route().server

    @property
    def kubectl_path(self) -> Path:
        """A kubectl that fits it."""
        return self._plane.kubectl

    def cut(self, fault: Fault = "drop") -> None:
        """Cuts the link: "drop" lets bytes vanish silently, "refuse" resets and refuses connections."""
        self._open_route().cut(fault)

    def heal(self) -> None:
        """Mends the link."""
        self._open_route().heal()

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - as subprocess.run names it
        check: bool = True,
        kubeconfig: Path | None = None,
    ) -> str:
        """What kubectl prints, run as the administrator unless another `kubeconfig` is given.

        Raises KubectlError where it fails; with check=False returns its standard output and errors instead.
        """
        command = [str(self._plane.kubectl), f"--kubeconfig={kubeconfig or self.kubeconfig()}"]
        command += [f"--cache-dir={self._directory / 'kubectl-cache'}", *arguments]
        environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        done = subprocess.run(
            command,
            input=input or "",
            env=environment,
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
            check=False,
        )
        if not check:
            return done.stdout + done.stderr
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, objects: str | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> str:
        """Applies YAML text, one object or several, server-side; returns what kubectl prints."""
        if isinstance(objects, str):
            text = objects
        else:
            items = [objects] if isinstance(objects, Mapping) else list(objects)
            text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        return self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=text)

    def get_json(self, path: str) -> dict[str, Any]:
        """The answer to a GET of an API path such as /api/v1/namespaces/default/pods; raises ApiError."""
        return self.rest.get(path)

    def restore(self, objects: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Puts objects into the store by their keys there (pods/NAMESPACE/NAME), as they are: nothing is checked."""
        restore(self._plane.etcd, objects)

    def add_machines(self, machines: Iterable[Machine]) -> None:
        """Adds machines and waits until each is Ready and takes work."""
        with ThreadPoolExecutor(MACHINE_WORKERS) as pool:
            names = set(pool.map(self._plane.add_machine, machines))
        deadline = MACHINES_READY_SECONDS + SECONDS_PER_MACHINE * len(names)
        interval = 0.1 + len(names) / 1000
        wait_for(
            lambda: names <= self._ready_machines(),
            deadline,
            f"{self.name}: {len(names)} machines to be Ready",
            interval_seconds=interval,
        )

    def load(self, image: str) -> None:
        """Lets the machines run an image of this computer's container engine."""
        self._plane.load(image)

    def remove_machine(self, name: str) -> None:
        """Takes a machine away as if it were unplugged; its Pods are collected by the cluster."""
        self.rest.delete(f"/api/v1/nodes/{name}")

    def start(self, part: Part | str) -> None:
        """Starts a stopped part and returns when it is ready."""
        self._plane.start(Part(part))

    def stop(self, part: Part | str) -> None:
        """Ends a part in good order."""
        self._plane.stop(Part(part))

    def kill(self, part: Part | str) -> None:
        """Ends a part at once, without notice."""
        self._plane.kill(Part(part))

    def pause(self, part: Part | str) -> None:
        """Freezes a part: its connections stay and nothing answers."""
        self._plane.pause(Part(part))

    def resume(self, part: Part | str) -> None:
        """Lets a frozen part go on."""
        self._plane.resume(Part(part))

    def logs(self, part: Part | str) -> str:
        """What a part has written so far, over all its starts."""
        return self._plane.logs(Part(part))

    def resident_bytes(self, part: Part | str) -> int:
        """A part's resident memory."""
        return self._plane.resident_bytes(Part(part))

    def cpu_seconds(self, part: Part | str) -> float:
        """Seconds of processor time that a part has used since it started."""
        return self._plane.cpu_seconds(Part(part))

    def audit_entries(self) -> Iterator[AuditEntry]:
        """Every finished write request, oldest first."""
        return read_audit_log(self.audit_log)

    def accesses(self, user: str) -> set[Access]:
        """What the user was allowed to do by which role; reads only where the spec has them audited."""
        return accesses(self.audit_log, user)

    def close(self) -> None:
        """Ends the cluster and its link."""
        if self._route is not None:
            self._route.close()
        self.rest.close()
        self._plane.close()

    def _open_route(self) -> Route:
        with self._lock:
            if self._route is None:
                self._route = self._plane.route()
            return self._route

    def _ready_machines(self) -> set[str]:
        return {node["metadata"]["name"] for node in self.get_json("/api/v1/nodes")["items"] if _takes_work(node)}


def _takes_work(node: Mapping[str, Any]) -> bool:
    taints = {taint["key"] for taint in node["spec"].get("taints", ())}
    conditions = {item["type"]: item["status"] for item in node["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and "node.kubernetes.io/not-ready" not in taints
