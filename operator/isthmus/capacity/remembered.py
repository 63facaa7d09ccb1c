"""The accelerators of machines as they were last known, for the pods that ran there."""

from collections.abc import Collection

from .profile import Accelerator

# Machines whose accelerators are remembered after they are gone.
_DEPARTED_KEPT = 4096


class RememberedAccelerators:
    """By machine and resource name; also of machines that are gone, or whose plugin is down just now."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Accelerator]] = {}

    def of(self, machine: str) -> dict[str, Accelerator]:
        """The accelerators of a machine by resource name."""
        return self._known.get(machine, {})

    def take(self, machine: str, accelerators: tuple[Accelerator, ...], there: Collection[str]) -> None:
        """Keep what is known best: a label that is missing for a moment changes no model. `there` are all machines."""
        if not accelerators:
            return
        known = self._known.pop(machine, {})
        for accelerator in accelerators:
            before = known.get(accelerator.resource_name)
            if before is None or before.label is None or accelerator.label is not None:
                known[accelerator.resource_name] = accelerator
        self._known[machine] = known
        if len(self._known) > len(there) + _DEPARTED_KEPT:
            del self._known[next(name for name in self._known if name not in there)]
