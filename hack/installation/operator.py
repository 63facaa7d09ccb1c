"""The seam between a Deployment of the hub and what runs it: a kubelet, or a process of this machine."""

from typing import Protocol


class Operator(Protocol):
    """The hub that the installed Deployment describes."""

    def settle(self) -> None:
        """Returns once the Deployment as it now stands is what runs, and is ready."""

    def kill(self) -> None:
        """Ends the hub's process at once, by SIGKILL, and returns when it is dead; it may come back by itself."""

    def revive(self) -> None:
        """Returns once the hub is back and ready after `kill`."""

    def halt(self) -> None:
        """Returns once nothing runs any more, after the Deployment is gone."""

    def log(self) -> str:
        """What the hub has written, over all its starts that are still known."""
