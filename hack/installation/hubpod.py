"""The hub as a Pod, in a cluster whose machines run containers."""

import json
from typing import Any

from installation.desk import Desk
from installation.operator import RELEASE, SYSTEM
from testbed import wait_for
from testbed.kind import Engine

SELECTOR = f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component=hub"
READY_SECONDS = 180
END_SECONDS = 30
PROCESS = "isthmus hub "


class HubPod:
    """The one Pod of the Deployment."""

    def __init__(self, desk: Desk, engine: Engine, machine: str) -> None:
        """`machine` is the container that is the hub cluster's machine."""
        self._desk = desk
        self._engine = engine
        self._machine = machine

    def settle(self) -> None:
        """Waits for the rollout."""
        timeout = f"--timeout={READY_SECONDS}s"
        self._desk.kubectl("rollout", "status", f"deployment/{RELEASE}", f"--namespace={SYSTEM}", timeout)

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
        command = ["logs", f"deployment/{RELEASE}", f"--namespace={SYSTEM}"]
        before = self._desk.kubectl(*command, "--previous") if self._restarts() else ""
        return before + self._desk.kubectl(*command)

    def _pods(self) -> list[dict[str, Any]]:
        answer = self._desk.kubectl("get", "pods", f"--namespace={SYSTEM}", f"--selector={SELECTOR}", "--output=json")
        items: list[dict[str, Any]] = json.loads(answer)["items"]
        return items

    def _statuses(self) -> list[dict[str, Any]]:
        return [status for pod in self._pods() for status in pod["status"].get("containerStatuses", ())]

    def _restarts(self) -> int:
        return sum(int(status["restartCount"]) for status in self._statuses())

    def _ready(self) -> bool:
        statuses = self._statuses()
        return bool(statuses) and all(status["ready"] for status in statuses)
