"""One form of a class's jobs before every node: where it may run, and where not for which reason."""

from .candidate import Candidate, Fleet
from .demand import Demand
from .filters import DECLARED, Filter, standing
from .fit import Looks
from .site import Site
from .verdict import Rejection

Verdict = tuple[int, str | None, Rejection]
"""How many filters a node passed with which variant of the job, and what the next one said."""


class Judge:
    """The standing filters that may speak on one form of a job, on one fleet.

    Those that read no more than what nodes declare are asked once for all nodes that declare the same.
    """

    def __init__(self, demand: Demand) -> None:
        self.demand = demand
        asked = standing(demand)
        self._of_declared = tuple(each for each in asked if each[1] in DECLARED)
        self._of_machines = tuple(each for each in asked if each[1] not in DECLARED)
        self._looks: Looks = {}
        self._known: dict[object, Verdict | None] = {}

    def ask(self, site: Site, fleet: Fleet) -> Candidate | Verdict:
        """The candidate where the node may take the job, else what speaks against it."""
        alike = site.declared if site.node.name not in self.demand.avoid else None
        if alike not in self._known:
            self._known[alike] = _first(self._of_declared, Candidate(self.demand, site, fleet, self._looks))
        against = self._known[alike]
        if against is None:
            candidate = Candidate(self.demand, site, fleet, self._looks)
            against = _first(self._of_machines, candidate)
            if against is None:
                return candidate
        return against


def _first(asked: tuple[tuple[int, Filter], ...], candidate: Candidate) -> Verdict | None:
    """What the first filter says that has something against the candidate."""
    for passed, ask in asked:
        rejection = ask(candidate)
        if rejection is not None:
            return passed, candidate.demand.variant, rejection
    return None
