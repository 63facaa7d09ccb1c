"""What is kept from one cycle to the next, so that a cycle costs what has changed and not what there is."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from operator import attrgetter

from .candidate import Candidate, Fleet, fleet_of
from .classkey import ClassKey, class_key
from .demand import Demand
from .jobclass import JobClass
from .site import Site, room_of_node
from .snapshot import NodeView
from .terms import Terms

CANDIDATES = 32_768
IN_CYCLE = 262_144
"""Pairs of class and node kept while a cycle goes on: it asks for each class many times, by turns."""


class Rooms:
    """Rooms of nodes and evaluations of job classes. It holds no truth of its own: the outcome is the same without.

    Give the same one to every cycle of one fleet. At most `candidates` pairs of class and node are kept from one to the
    next, and `in_cycle` until its end, some 1 KiB each, and of a class with several forms as many as it has; what was
    not used for longest goes first.
    """

    def __init__(self, candidates: int = CANDIDATES, in_cycle: int = IN_CYCLE) -> None:
        self._candidates = candidates
        self._in_cycle = max(candidates, in_cycle)
        self._nodes: Sequence[NodeView] = ()
        self._sites: dict[str, Site] = {}
        self._classes: OrderedDict[ClassKey, JobClass] = OrderedDict()
        self._forms = 0
        self._stamps = count(1)
        self._fleet = Fleet(())
        self._epoch = 0
        self._selecting: tuple[Terms, ...] = ()

    def __len__(self) -> int:
        """How many pairs of class and node are kept; a class without nodes counts too."""
        return self._forms * max(1, len(self._sites))

    def begin(self, nodes: Sequence[NodeView]) -> None:
        """Take in the nodes as they are now."""
        before, self._nodes = self._nodes, nodes
        if self._same(before) and len(nodes) == len(self._sites):
            changed = False
            for node, old in zip(nodes, before, strict=True):
                if node is not old:
                    changed |= self._renew(self._sites[node.name], node)
        else:
            changed = self._take_in(nodes)
        if changed:
            self._fleet = fleet_of(nodes)
            terms = [node.terms for node in nodes if node.terms is not None]
            self._selecting = tuple(each for each in terms if each.accounts or each.excepted)
            self._epoch = next(self._stamps)

    def _same(self, before: Sequence[NodeView]) -> bool:
        """Whether the nodes go by the same names in the same order as before: most of them, then, are the same."""
        nodes = self._nodes
        return len(nodes) == len(before) and all(
            node is old or node.name == old.name for node, old in zip(nodes, before, strict=True)
        )

    def _take_in(self, nodes: Sequence[NodeView]) -> bool:
        before, self._sites = self._sites, {}
        changed = len(before) != len(nodes)
        for node in sorted(nodes, key=attrgetter("name")):
            site = before.get(node.name)
            if site is None:
                site = Site(node, room_of_node(node), next(self._stamps))
                changed = True
            else:
                changed |= self._renew(site, node)
            self._sites[node.name] = site
        return changed

    def _renew(self, site: Site, node: NodeView) -> bool:
        changed = site.renew(node)
        if changed:
            site.stamp = next(self._stamps)
        return changed

    def candidates(self, demand: Demand) -> list[Candidate]:
        """Every node as the demand sees it, those too that a filter rules out."""
        return [Candidate(demand, site, self._fleet) for site in self._sites.values()]

    def end(self) -> None:
        """Undo what the cycle took: what becomes of it comes back as assumptions."""
        for site in self._sites.values():
            site.room.undo()
        self._keep(self._candidates)
        for job_class in self._classes.values():
            job_class.begin()

    def key_of(self, demand: Demand) -> ClassKey:
        """Equal for demands of one class.

        Accounts are told apart only where an offer does: one that some node leaves out has classes of its own.
        """
        account = demand.account
        left_out = self._selecting and not all(terms.admits(account) for terms in self._selecting)
        return class_key(demand), account if left_out else None

    def job_class(self, demand: Demand) -> JobClass:
        """The class of equal jobs that the demand is of, judged by the nodes as they are now."""
        key = self.key_of(demand)
        job_class = self._classes.get(key)
        if job_class is None:
            job_class = self._classes[key] = JobClass(demand)
            self._forms += job_class.forms
            self._keep(self._in_cycle)
        else:
            self._classes.move_to_end(key)
        job_class.judge(demand, self._sites, self._fleet, self._epoch)
        return job_class

    def _keep(self, most: int) -> None:
        while len(self._classes) > 1 and len(self) > most:
            self._forms -= self._classes.popitem(last=False)[1].forms
