"""Several members: the hub chooses the member by its shapes, the member the machine; both by the same rule."""

from collections.abc import Sequence

import numpy as np

from .columns import NONE, Columns
from .machines import Machine, State
from .packing import Packing, Placement
from .shapes import SHAPES, Shapes


class Members:
    """Members with machines of their own, by number.

    Of one member nothing is chosen, so the hub is told no shapes of it, unless they are `always` wanted.
    """

    def __init__(
        self,
        machines: Sequence[Sequence[Machine]],
        columns: Columns,
        random: np.random.Generator,
        *,
        shapes: int = SHAPES,
        always: bool = False,
    ) -> None:
        self._chance = columns.rule.chance
        self._random = random
        self._members = [Packing(each, columns, random) for each in machines]
        self._shapes = [
            Shapes((member.state(number) for number in range(len(member))), columns, shapes)
            for member in self._members
            if len(self._members) > 1 or always
        ]

    def __len__(self) -> int:
        return len(self._members)

    def member(self, number: int) -> Packing:
        """The member's machines."""
        return self._members[number]

    def place(self, pod: int) -> tuple[int, Placement] | None:
        """Put a pod of the class somewhere: (member, placement); None where no member is known to have room."""
        member = self._choose(pod)
        return None if member is None else self.place_on(member, pod)

    def place_on(self, member: int, pod: int) -> tuple[int, Placement] | None:
        """Put a pod of the class on a machine of the member; None where none has room."""
        packing = self._members[member]
        placement = packing.choose(pod)
        if placement is None:
            return None
        before = packing.state(placement.machine)
        packing.take(placement)
        self._tell(member, placement.machine, before)
        return member, placement

    def release(self, member: int, placement: Placement) -> None:
        """Give back what a placement holds."""
        packing = self._members[member]
        before = packing.state(placement.machine)
        packing.release(placement)
        self._tell(member, placement.machine, before)

    def leading(self, member: int, pod: int) -> State:
        """The state in the member that suits a pod of the class best, as the hub knows it."""
        return self._shapes[member].leading(pod)

    def room(self, pod: int) -> list[float]:
        """Each member's best score for a pod of the class, as the hub knows it; `NONE` where it has no room."""
        return [shapes.best(pod) for shapes in self._shapes]

    def _tell(self, member: int, machine: int, before: State) -> None:
        if self._shapes:
            self._shapes[member].move(before, self._members[member].state(machine))

    def _choose(self, pod: int) -> int | None:
        if len(self._members) < 2:
            return 0 if self._members else None
        if self._chance:
            machines = np.array([shapes.machines(pod) for shapes in self._shapes], dtype=np.float64)
            total = machines.sum()
            return int(self._random.choice(len(machines), p=machines / total)) if total else None
        scores = self.room(pod)
        best = max(scores)
        return None if best == NONE else scores.index(best)
