"""The four members of the demo: who they are, and which machines of the trace they have."""

import dataclasses
from collections.abc import Iterable, Iterator

from demo import tariffs
from demo.accelerators import RESOURCE, gpu_labels
from demo.failure import DemoError
from demo.tariffs import Tariff
from demo.trace import TraceMachine
from testbed import Machine


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """`count` machines of the trace with these cores (milli), memory (MiB) and GPUs."""

    count: int
    cpu_milli: int
    memory_mib: int
    gpus: int = 0
    model: str = ""

    def matches(self, machine: TraceMachine) -> bool:
        """Whether the machine is one of this kind."""
        mine = (self.cpu_milli, self.memory_mib, self.gpus, self.model)
        return mine == (machine.cpu_milli, machine.memory_mib, machine.gpus, machine.model)


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """A member cluster: its entry in the hub, and its machines by kind."""

    name: str
    tier: str
    parent: str | None
    region: str
    region_name: str
    tariff: Tariff
    kinds: tuple[Kind, ...]


MEMBERS = (
    Member(
        name="core-beijing",
        tier="Core",
        parent=None,
        region="cn-north-1",
        region_name="Beijing",
        tariff=tariffs.CORE,
        kinds=(
            Kind(1, 128_000, 786_432, 8, "G3"),
            Kind(1, 96_000, 786_432, 8, "V100M32"),
            Kind(2, 96_000, 393_216, 8, "G2"),
            Kind(1, 96_000, 524_288),
        ),
    ),
    Member(
        name="region-guian",
        tier="Region",
        parent="core-beijing",
        region="cn-southwest-2",
        region_name="Gui'an",
        tariff=tariffs.REGION,
        kinds=(
            Kind(1, 64_000, 262_144, 8, "V100M16"),
            Kind(2, 32_000, 131_072, 4, "V100M16"),
            Kind(2, 64_000, 262_144, 2, "P100"),
            Kind(2, 96_000, 393_216, 4, "T4"),
            Kind(2, 64_000, 262_144),
        ),
    ),
    Member(
        name="industry-suzhou",
        tier="Industry",
        parent="region-guian",
        region="cn-east-3",
        region_name="Suzhou",
        tariff=tariffs.INDUSTRY,
        kinds=(
            Kind(2, 128_000, 1_048_576, 1, "A10"),
            Kind(4, 104_000, 524_288, 2, "T4"),
            Kind(1, 96_000, 393_216),
        ),
    ),
    Member(
        name="edge-shenzhen",
        tier="Edge",
        parent="region-guian",
        region="cn-south-4",
        region_name="Shenzhen",
        tariff=tariffs.EDGE,
        kinds=(
            Kind(2, 104_000, 524_288, 2, "T4"),
            Kind(2, 16_000, 122_880, 2, "P100"),
            Kind(2, 32_000, 262_144),
        ),
    ),
)


def cut_machines(members: Iterable[Member], machines: Iterable[TraceMachine]) -> dict[str, tuple[TraceMachine, ...]]:
    """Machines of the trace by member, each at most once, in the order of the trace.

    Raises DemoError where the trace has too few of a kind.
    """
    left = list(machines)
    cut: dict[str, tuple[TraceMachine, ...]] = {}
    for member in members:
        taken = tuple(machine for kind in member.kinds for machine in _of_kind(kind, left))
        left = [machine for machine in left if machine not in taken]
        cut[member.name] = taken
    return cut


def _of_kind(kind: Kind, machines: Iterable[TraceMachine]) -> Iterator[TraceMachine]:
    found = [machine for machine in machines if kind.matches(machine)][: kind.count]
    if len(found) < kind.count:
        raise DemoError(
            f"The trace has {len(found)} machines like {kind}, and the demo needs {kind.count} more of them.",
            "Point ISTHMUS_TRACES to the whole trace, or move it away: then the sample in the repository is taken.",
        )
    yield from found


def played_machine(machine: TraceMachine) -> Machine:
    """The machine as the testbed plays it."""
    return Machine(
        name=machine.name,
        cpu=f"{machine.cpu_milli}m",
        memory=f"{machine.memory_mib}Mi",
        labels=gpu_labels(machine.model, machine.gpus) if machine.gpus else {},
        extended={RESOURCE: str(machine.gpus)} if machine.gpus else {},
    )
