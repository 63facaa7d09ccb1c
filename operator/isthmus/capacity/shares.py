"""Shares of one card: which resources ask for a part of a card's memory and cores, and where it is told who holds what.

As HAMi has them (pkg/device/nvidia/device.go, pkg/device/ascend/device.go and pkg/device/devices.go of
Project-HAMi/HAMi): a pod asks `nvidia.com/gpu: 1` and beside it `nvidia.com/gpumem` (MiB), `nvidia.com/gpucores`
(percent) or `nvidia.com/gpumem-percentage`, each of them of every card it gets. A pod that asks for no memory gets
cards whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shares:
    """Resources that ask for a part of a card, beside the resource that counts the cards.

    `memory` and `cores` are in the units of the cards' annotation, `percentage` is of a card's memory. In all of them
    `{resource}` stands for the resource that counts the cards, `{name}` for what follows the `/` of it. `exact` says
    that a pod holds just what it asked for; where the vendor rounds it up, nobody but its scheduler knows what fits
    beside others.
    """

    memory: str
    percentage: str | None = None
    cores: str | None = None
    node_annotation: str | None = None
    pod_annotation: str | None = None
    exact: bool = True

    def of(self, resource: str) -> "Shares":
        """These shares, of the cards that this resource counts."""

        def named(text: str | None) -> str | None:
            return text and text.replace("{resource}", resource).replace("{name}", resource.rpartition("/")[2])

        return Shares(
            named(self.memory) or "",
            named(self.percentage),
            named(self.cores),
            named(self.node_annotation),
            named(self.pod_annotation),
            self.exact,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The resources that ask for a share."""
        return tuple(name for name in (self.memory, self.percentage, self.cores) if name)


@dataclass(frozen=True, slots=True)
class CardLimits:
    """What one pod may ask of the cards of a machine, since sums over cards are not to be had on one.

    `resource` counts the cards, `most` is the most that a pod may ask of each resource that is of cards. Where `shared`
    says so this is one card that has pods already, with an equal part of its machine beside it: a pod that asks for
    cards must ask for some of `memory` there, else it would get the card whole.
    """

    resource: str
    memory: str
    most: tuple[tuple[str, int], ...]
    shared: bool = False

    def admits(self, request: Mapping[str, int]) -> bool:
        """Whether such a pod may go there, if there is room: one that asks for no cards always may."""
        asks = request.get(self.resource, 0)
        for name, most in self.most:
            if (asked := request.get(name, 0)) and (not asks or asked > most):
                return False
        return not (asks and self.shared) or request.get(self.memory, 0) > 0
