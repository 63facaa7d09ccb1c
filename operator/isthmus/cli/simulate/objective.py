"""Which member a pod goes to in a replay: the hub's objectives over what a replay knows of its members."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from .hourly import HOUR

if TYPE_CHECKING:
    from isthmus.placement.packing import Members, Placement, PodClass, PodClasses

    from .scenario import Member, Scenario

_KILO = 1000
_GIBIBYTE = 1024  # MiB


class Objective(StrEnum):
    """What decides between members, as a ComputeJob's objective does."""

    BALANCED = "Balanced"
    CHEAPEST = "Cheapest"
    GREENEST = "Greenest"


_PARTS = ("price", "carbon", "fragmentation")  # of the hub's scores, those that a replay can tell


class Chooser:
    """Sends a pod to the member that scores best, each part from 0 to 100; the packing decides between equals."""

    def __init__(
        self, objective: Objective, scenario: "Scenario", classes: "PodClasses", *, scale: float, horizon: float
    ) -> None:
        """`scale` is how much of the rule's score makes up the whole of the fragmentation part.

        How long a pod will run is not known to whoever places it: what it will cost and emit is judged by the next
        `horizon` hours.
        """
        from isthmus.placement.objectives import OBJECTIVES

        self._weights = {name: OBJECTIVES[objective].get(name, 0) for name in _PARTS}
        self._rates = [Rates(member, scenario) for member in scenario.members]
        self._classes = classes
        self._scale = scale
        self._seconds = horizon * HOUR

    def __call__(self, members: "Members", pod: int, now: float) -> "tuple[int, Placement] | None":
        """Where the pod goes now."""
        rooms = members.room(pod)
        able = [number for number, score in enumerate(rooms) if score > -float("inf")]
        if not able:
            return None
        asked = self._classes.classes[pod]
        models = {number: members.leading(number, pod).model for number in able}
        best = max(rooms)
        parts = {
            "price": _shares([self._rates[n].cost(asked, models[n], now, now + self._seconds) for n in able]),
            "carbon": _shares([self._rates[n].carbon(asked, models[n], now, now + self._seconds) for n in able]),
            "fragmentation": [max(0.0, 100 - 100 * (best - rooms[n]) / self._scale) for n in able],
        }
        ranks = [
            (sum(weight * parts[name][place] for name, weight in self._weights.items()), rooms[number], -number)
            for place, number in enumerate(able)
        ]
        return members.place_on(able[ranks.index(max(ranks))], pod)


class Rates:
    """What a pod costs and emits on a member."""

    def __init__(self, member: "Member", scenario: "Scenario") -> None:
        self._prices = member.prices
        self._watts = scenario.watts
        self._factor = member.factor()
        self._emission = member.emission()

    def hour(self, pod: "PodClass", model: str) -> float:
        """The price of an hour of the pod at a factor of 1."""
        cores, gpus = pod.cpu_milli / _KILO, pod.gpu_total / _KILO
        prices = self._prices
        memory = pod.memory_mib / _GIBIBYTE * prices.gibibyte_hour
        return cores * prices.core_hour + memory + gpus * prices.of_model(model)

    def kilowatts(self, pod: "PodClass", model: str) -> float:
        """What the pod draws: its cores and its share of GPUs, at full."""
        watts = pod.cpu_milli / _KILO * self._watts.core + pod.gpu_total / _KILO * self._watts.of_model(model)
        return watts / _KILO

    def cost(self, pod: "PodClass", model: str, start: float, end: float) -> float:
        """What it costs from `start` until `end`, hour by hour."""
        return self.hour(pod, model) * self._factor.over(start, end)

    def carbon(self, pod: "PodClass", model: str, start: float, end: float) -> float:
        """Grams of CO2 equivalent from `start` until `end`, hour by hour."""
        return self.kilowatts(pod, model) * self._emission.over(start, end)


def _shares(figures: Sequence[float]) -> list[float]:
    """The least over each, in percent; 100 for what is nothing."""
    least = min(figures)
    return [100.0 if figure <= least else 100 * least / figure for figure in figures]
