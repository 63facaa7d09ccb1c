"""The clusters of the benchmark, and the hub's process under its own identity with what its log has by default."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from federation import Federation
from report.machine import describe
from testbed import Cluster, Machine, Part

MEMBERS = ("east", "west")
MACHINES = 4
NAMESPACE = "team-a"


class Stage:
    """A hub and two members with more room than any burst needs; an entered context has all of it running."""

    def __init__(self) -> None:
        machines = {
            name: [Machine(f"{name}-{number}", cpu="128", memory="512Gi", pods=1000) for number in range(MACHINES)]
            for name in MEMBERS
        }
        self._federation = Federation(machines, links=False, log_level="info")

    def __enter__(self) -> Self:
        self._federation.__enter__()
        try:
            self._federation.process.start()
            for member in MEMBERS:
                self._federation.join(member)
        except BaseException:
            self._federation.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._federation.close()

    @property
    def hub(self) -> Cluster:
        """The hub's cluster."""
        return self._federation.hub

    @property
    def members(self) -> dict[str, Cluster]:
        """The members' clusters by name."""
        return {name: self._federation.clusters[name] for name in MEMBERS}

    @property
    def pid(self) -> int:
        """The process id of `isthmus hub`."""
        return self._federation.process.pid

    @contextmanager
    def members_idle(self) -> Iterator[None]:
        """Hold the members' controllers still: Jobs stay as they were created."""
        for member in self.members.values():
            member.pause(Part.CONTROLLER_MANAGER)
        try:
            yield
        finally:
            for member in self.members.values():
                member.resume(Part.CONTROLLER_MANAGER)

    def machine(self) -> dict[str, object]:
        """What all of this ran on."""
        member = next(iter(self.members.values()))
        version = member.get_json("/version")["gitVersion"]
        limits = {"qps": member.spec.api_qps, "burst": member.spec.api_burst, "heldUntilLastMemberJob": True}
        return {**describe(), "kubernetes": version, "controllerManager": limits}
