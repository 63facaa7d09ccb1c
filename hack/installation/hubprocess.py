"""The hub as a process of this machine, where no machine of the hub's cluster runs containers.

It is started as the installed Deployment says: its command, arguments, environment and ConfigMaps, under the token of
its ServiceAccount. Only paths and ports are others: a folder stands for each mount, a free port for each of the Pod's.
"""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from installation.operator import RELEASE, SYSTEM
from testbed import Cluster, wait_for
from testbed.kubeconfig import write_kubeconfig
from testbed.local.ports import Reservation

READY_SECONDS = 90
STOP_SECONDS = 30
READY = "hub ready"
LEDGER = "--ledger="
TOKEN_SECONDS = 24 * 3600


class HubProcess:
    """The one container of the Deployment."""

    def __init__(self, cluster: Cluster, folder: Path, programs: Path, marks: Mapping[str, str]) -> None:
        """`programs` is the folder with our commands; `marks` are set in the process's environment."""
        self._cluster = cluster
        self._folder = folder
        self._programs = programs
        self._marks = dict(marks)
        self._log = folder / "isthmus-hub.log"
        self._ports = {"http": Reservation(), "query": Reservation()}
        self._ledger = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def query_port(self) -> int:
        """Where the query API listens: what the chart's ExternalName Service must name."""
        return self._ports["query"].port

    @property
    def ledger(self) -> str:
        """The ledger's URL on this machine; empty before the first start."""
        return self._ledger

    def settle(self) -> None:
        """Ends what runs in good order, as a Deployment's strategy Recreate does, and starts what stands there now."""
        self.halt()
        self._start()

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def revive(self) -> None:
        """Starts it again, as a kubelet would."""
        self._start()

    def halt(self) -> None:
        """Ends it in good order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def log(self) -> str:
        """All that it has written."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def close(self) -> None:
        """Ends it and gives its ports back."""
        self.kill()
        for port in self._ports.values():
            port.release()

    def _start(self) -> None:
        path = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/{RELEASE}"
        pod = self._cluster.get_json(path)["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        identity = self._identity(pod["serviceAccountName"])
        command, environment = self._translated(container, self._mounted(pod, container))
        self._ledger = next((each[len(LEDGER) :] for each in command if each.startswith(LEDGER)), "")
        before = self.log().count(READY)
        with self._log.open("ab") as log:
            self._process = self._run(command, {**environment, **self._marks, "KUBECONFIG": str(identity)}, log)
        process = self._process
        wait_for(
            lambda: self.log().count(READY) > before or process.poll() is not None, READY_SECONDS, "the hub to be ready"
        )
        if process.poll() is not None:
            raise RuntimeError(f"the hub ended at once: {self.log()[-2000:]}")

    def _run(self, command: list[str], environment: Mapping[str, str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )

    def _identity(self, account: str) -> Path:
        """A kubeconfig with a new token of the ServiceAccount, which may be another than at the last start."""
        path = f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/{account}/token"
        answer = self._cluster.rest.post(path, {"spec": {"expirationSeconds": TOKEN_SECONDS}})
        target = self._folder / "hub.kubeconfig"
        return write_kubeconfig(
            target, "hub", self._cluster.server, self._cluster.authority, str(answer["status"]["token"])
        )

    def _translated(
        self, container: Mapping[str, Any], folders: Mapping[str, Path]
    ) -> tuple[list[str], dict[str, str]]:
        """The command and environment with our folders and ports."""
        command: list[str] = [*container["command"], *container.get("args", ())]
        ports = {str(port["containerPort"]): self._ports[port["name"]].port for port in container["ports"]}

        mounts = re.compile("|".join(map(re.escape, sorted(folders, key=len, reverse=True))) or "$^")

        def here(text: str) -> str:
            text = mounts.sub(lambda found: str(folders[found[0]]), text)
            for inside, outside in ports.items():
                everywhere = rf"(?:^|(?<==)|(?<![\w.])0\.0\.0\.0):{inside}(?!\d)"
                text = re.sub(everywhere, f"127.0.0.1:{outside}", text)
            return text

        # Nothing of this user's own environment reaches it, as nothing would reach a container.
        environment = {each["name"]: here(each["value"]) for each in container.get("env", ()) if "value" in each}
        usual = {"PATH": f"{self._programs}:/usr/bin:/bin", "HOME": str(self._folder), "LANG": "C.UTF-8"}
        return [str(self._programs / command[0]), *map(here, command[1:])], {**usual, **environment}

    def _mounted(self, pod: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Path]:
        """A folder for each mount, by the path within the container; a ConfigMap's has its files."""
        volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
        folders = {}
        for mount in container.get("volumeMounts", ()):
            folder = self._folder / "volumes" / mount["name"]
            folder.mkdir(parents=True, exist_ok=True)
            folders[mount["mountPath"]] = folder
            if (source := volumes[mount["name"]].get("configMap")) is not None:
                config = self._cluster.get_json(f"/api/v1/namespaces/{SYSTEM}/configmaps/{source['name']}")
                for name, text in config.get("data", {}).items():
                    (folder / name).write_text(text)
        return folders
