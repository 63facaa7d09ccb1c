"""The hub as a Pod, in a cluster whose machines run containers."""

import json
from typing import Any

from federation.chart import NAME, NAMESPACE
from installation.desk import CommandError, Desk
from testbed import wait_for
from testbed.kind import Engine

SELECTOR = f"app.kubernetes.io/instance={NAME},app.kubernetes.io/component=hub"
READY_SECONDS = 180
END_SECONDS = 30
PROCESS = "isthmus hub "
TAIL = 1500


class HubPod:
    """The one Pod of the Deployment."""

    def __init__(self, desk: Desk, engine: Engine, machine: str) -> None:
        """`machine` is the container that is the hub cluster's machine."""
        self._desk = desk
        self._engine = engine
        self._machine = machine

    def settle(self) -> None:
        """Waits for the rollout. Raises CommandError with what the Pod says where it does not come."""
        self._open_volumes()
        place = f"--namespace={NAMESPACE}"
        try:
            self._desk.kubectl("rollout", "status", f"deployment/{NAME}", place, f"--timeout={READY_SECONDS}s")
        except CommandError as error:
            told = self._desk.kubectl("describe", "pods", place, f"--selector={SELECTOR}", check=False)[-TAIL:]
            raise CommandError(f"{error}\n{told}\n{self.log()[-TAIL:]}") from None

    def kill(self) -> None:
        """Kills the process from outside its container; the kubelet starts the container again."""
        restarts = self._restarts()
        self._engine.run("exec", self._machine, "pkill", "-KILL", "--full", PROCESS)
        wait_for(lambda: self._restarts() > restarts or not self._ready(), END_SECONDS, "the hub's process to be dead")

    def revive(self) -> None:
        """Waits for the kubelet, which pauses longer with each death."""
        wait_for(self._ready, READY_SECONDS, "the hub's Pod to be Ready again", interval_seconds=0.5)

    def halt(self) -> None:
        """Waits for its Pod to be gone."""
        wait_for(lambda: not self._pods(), END_SECONDS * 2, "the hub's Pod to be gone", interval_seconds=0.5)

    def log(self) -> str:
        """The Pod's log, with that of the container before this one."""
        command = ["logs", f"deployment/{NAME}", f"--namespace={NAMESPACE}"]
        before = self._desk.kubectl(*command, "--previous") if self._restarts() else ""
        return before + self._desk.kubectl(*command)

    def _open_volumes(self) -> None:
        """Lets every user write into the folders of volumes, as kind's own provisioner does but not every image's."""
        claims = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
        wait_for(lambda: all(_bound(each) for each in self._list(claims)), END_SECONDS, "the hub's claim to be bound")
        for volume in self._list("/api/v1/persistentvolumes"):
            if path := volume["spec"].get("hostPath", {}).get("path"):
                self._engine.run("exec", self._machine, "mkdir", "--parents", "--mode=0777", path)
                self._engine.run("exec", self._machine, "chmod", "0777", path)

    def _list(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self._desk.kubectl("get", "--raw", path))["items"]
        return items

    def _pods(self) -> list[dict[str, Any]]:
        answer = self._desk.kubectl(
            "get", "pods", f"--namespace={NAMESPACE}", f"--selector={SELECTOR}", "--output=json"
        )
        items: list[dict[str, Any]] = json.loads(answer)["items"]
        return items

    def _statuses(self) -> list[dict[str, Any]]:
        return [status for pod in self._pods() for status in pod["status"].get("containerStatuses", ())]

    def _restarts(self) -> int:
        return sum(int(status["restartCount"]) for status in self._statuses())

    def _ready(self) -> bool:
        statuses = self._statuses()
        return bool(statuses) and all(status["ready"] for status in statuses)


def _bound(claim: dict[str, Any]) -> bool:
    return bool(claim["status"].get("phase") == "Bound")
