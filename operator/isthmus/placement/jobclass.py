"""Jobs that are equal to placement share one evaluation of every node."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from operator import mul

from isthmus.api.computejob import NodeVerdict

from . import scores
from .allowance import Allowance
from .candidate import Candidate, Fleet
from .contradictions import together
from .demand import Demand
from .forms import demands_of
from .judge import Judge
from .nearer import nearest, one_each
from .objectives import weights_of
from .pieces import pieces_of
from .site import Site
from .snapshot import NodeView
from .verdict import Rejection, Score

Rank = tuple[int, int, int]
"""What decides between nodes, highest first: weighted score, cheapness, unweighted score."""


COMING = "there is room only on machines that the member's autoscaler has yet to add"
# Below whatever is there: machines that are yet to come are room of last resort.
_LAST = 1_000_000


class Entry:
    """A candidate that passed every standing filter, with its scores as of one state of its room.

    Of a job with several forms a node has one for each that passed; `candidate.demand` is the job in that form.
    `standing` are its scores that no placement changes and `scores` all of them, in the order of `names`. `sums` are
    those of the standing ones, by weight and without; `verdict` is what was made of all.
    """

    __slots__ = ("candidate", "cheapness", "names", "note", "rank", "scores", "standing", "sums", "verdict", "version")

    def __init__(self, candidate: Candidate, names: Sequence[str]) -> None:
        self.candidate = candidate
        self.names = names
        self.standing: tuple[int, ...] = ()
        self.scores: tuple[int, ...] = ()
        self.sums = (0, 0)
        self.cheapness = 0
        self.note = ""
        self.version = -1
        self.rank: Rank | None = None
        self.verdict: NodeVerdict | None = None

    @property
    def parts(self) -> dict[str, int]:
        """The scores by name, as last ranked; none where it was never found to have room."""
        return dict(zip(self.names, self.scores, strict=False))

    @property
    def score(self) -> Score:
        """The scores as last ranked."""
        weighted = self.rank[0] if self.rank else 0
        return Score((weighted + _LAST if weighted < 0 else weighted) // 100, self.parts, self.told)

    @property
    def coming(self) -> bool:
        """Whether it has room only on machines that are yet to come."""
        return self.rank is not None and self.rank[0] < 0

    @property
    def told(self) -> str:
        """What is to be known of it beside its scores."""
        return "; ".join(filter(None, (COMING, self.note))) if self.coming else self.note


class JobClass:
    """One class of equal jobs and what every node is to it, judged once and again only where something has changed."""

    def __init__(self, demand: Demand) -> None:
        """`names` are those of its scores, in the order in which its entries have them."""
        self.demand = demand
        self.rejected: dict[str, Rejection] = {}
        self.entries: list[Entry] = []
        self._exhausted: set[str | None] = set()
        self._judges: tuple[Judge, ...] = ()
        self._weights = weights_of(demand)
        self._standing = {name: score for name, score in scores.STANDING.items() if name in self._weights}
        self._room = tuple((score, self._weights[name]) for name, score in scores.ROOM.items())
        self.names = (*self._standing, *scores.ROOM)
        self._field = scores.Field(Decimal(0))
        self._judged: dict[str, tuple[Entry, ...] | Rejection] = {}
        self._fleet = Fleet(())
        self._epoch = 0
        self._contradiction: tuple[int, str | None] = (-1, None)

    def judge(self, demand: Demand, sites: Mapping[str, Site], fleet: Fleet, epoch: int) -> None:
        """Ask the standing filters and scores about every node that has changed, for a job of the class.

        `epoch` moves when any has, and is above the stamps of all.
        """
        if epoch == self._epoch:
            return
        last, self._epoch = self._epoch, epoch
        self.demand = demand
        self._judges = tuple(Judge(form) for form in demands_of(demand))
        before = self._judged if fleet == self._fleet else {}
        self._fleet = fleet
        self._judged = {
            name: before[name] if name in before and site.stamp < last else self._ask(site)
            for name, site in sites.items()
        }
        self.entries = [entry for found in self._judged.values() if isinstance(found, tuple) for entry in found]
        self.rejected = {name: found for name, found in self._judged.items() if isinstance(found, Rejection)}
        self._compare()

    @property
    def forms(self) -> int:
        """How many forms its jobs have."""
        return max(1, len(self.demand.forms))

    @property
    def field(self) -> scores.Field:
        """What the nodes are measured against."""
        return self._field

    @property
    def weights(self) -> Mapping[str, int]:
        """How much each score counts under the class's objective."""
        return self._weights

    def _ask(self, site: Site) -> tuple[Entry, ...] | Rejection:
        """An entry for each form in which the node may take the job, or why it can't in any."""
        if len(self._judges) == 1:  # as of most classes, and this is done for all pairs of class and node
            one = self._judges[0].ask(site, self._fleet)
            return (Entry(one, self.names),) if isinstance(one, Candidate) else one[-1]
        found = [judge.ask(site, self._fleet) for judge in self._judges]
        entries = tuple([Entry(each, self.names) for each in found if isinstance(each, Candidate)])
        return entries or nearest([each for each in found if isinstance(each, tuple)])

    def _compare(self) -> None:
        """Measure the nodes against each other: prices, and what else does not hang on what is free."""
        prices = sorted({p for e in self.entries if (p := e.candidate.per_hour) is not None}, reverse=True)
        places = {price: place for place, price in enumerate(prices)}
        cheapest = prices[-1] if prices else Decimal(0)
        self._field = scores.field_of(cheapest, [entry.candidate for entry in self.entries])
        standing, weights = self._standing.values(), [self._weights[name] for name in self._standing]
        for entry in self.entries:
            price = entry.candidate.per_hour
            entry.cheapness = -1 if price is None else places[price]
            entry.standing = tuple([score(entry.candidate, self._field) for score in standing])
            entry.sums = (sum(map(mul, weights, entry.standing)), sum(entry.standing))
            entry.note = scores.note(entry.candidate, self._field, self._weights)
            entry.version = -1

    def begin(self) -> None:
        """Begin a cycle: there may be room again."""
        self._exhausted.clear()

    def best(self, demand: Demand, limits: Allowance | None = None) -> Entry | None:
        """The best node with room for a job of the class, or None; `limits` are those of its account, if it has any.

        Room and limits only shrink within a cycle, so None stays None.
        """
        if self._is_exhausted(demand, limits):
            return None
        chosen: Entry | None = None
        highest: Rank | None = None
        for entry in self.entries:
            rank = entry.rank if entry.version == entry.candidate.room.version else self._ranked(entry)
            if rank is None or (highest is not None and rank <= highest):
                continue
            if limits is None or limits.permits(demand, entry.candidate.pod):
                chosen, highest = entry, rank
        if chosen is None:
            self._exhaust(demand, limits)
        return chosen

    def _exhaust(self, demand: Demand, limits: Allowance | None) -> None:
        """No node has room any more: for the account where that has limits, else for all."""
        self._exhausted.add(None if limits is None else demand.account)

    def _is_exhausted(self, demand: Demand, limits: Allowance | None) -> bool:
        return None in self._exhausted or (limits is not None and demand.account in self._exhausted)

    def pieces(self, demand: Demand, limits: Allowance | None = None) -> list[tuple[Entry, int]]:
        """The nodes that take a job of the class now, each with how many of its pods; none where it must wait.

        All goes to the best node, or what has room of a split job to as few as will do. `limits` are those of its
        account, None where that has none.
        """
        split, width = demand.split, demand.width
        if split is None:
            best = self.best(demand, limits)
            return [] if best is None else [(best, width)]
        if self._is_exhausted(demand, limits):
            return []
        roomy = [entry for entry in self.ranked() if entry.rank is not None]
        if limits is not None:
            roomy = [entry for entry in roomy if limits.permits(demand, entry.candidate.pod)]
            width = max((limits.pods(demand.account, entry.candidate.pod, width) for entry in roomy), default=0)
        nodes = by_rank(self._for_pieces(roomy))
        there = [entry.candidate.fit.there for entry in nodes if not entry.coming]
        found = pieces_of(there, width, split) or pieces_of([e.candidate.fit.pods_free for e in nodes], width, split)
        pieces = [(nodes[place], pods) for place, pods in found]
        if limits is not None:
            kept = limits.within(demand, [(entry.candidate.pod, pods) for entry, pods in pieces])
            pieces = [(entry, pods) for (entry, _), pods in zip(pieces, kept, strict=True) if pods]
        if not pieces:
            self._exhaust(demand, limits)
        return pieces

    def _for_pieces(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        """Of each node the form that most of the job has room in, of equals the best.

        A job is divided for want of room, and its pieces each stand on another node.
        """
        if self.forms == 1:
            return entries
        return one_each(
            entries, _node, lambda entry: (min(entry.candidate.fit.pods_free, self.demand.width), _rank(entry))
        )

    def _ranked(self, entry: Entry) -> Rank | None:
        """The entry's rank by its room as it is now, None where it has too little."""
        candidate = entry.candidate
        entry.version = candidate.room.version
        entry.rank = None
        entry.verdict = None
        if candidate.fits:
            found = list(entry.standing)
            weighted, plain = entry.sums
            for score, weight in self._room:
                value = score(candidate, self._field)
                found.append(value)
                weighted += weight * value
                plain += value
            if candidate.fit.there < candidate.least:
                weighted -= _LAST
            entry.scores = tuple(found)
            entry.rank = (weighted, entry.cheapness, plain)
        return entry.rank

    def contradiction(self, nodes: Sequence[NodeView]) -> str | None:
        """Which two of the class's constraints contradict each other on the nodes, which it was judged by."""
        if self._contradiction[0] != self._epoch:
            self._contradiction = (self._epoch, together(self.demand, nodes))
        return self._contradiction[1]

    def ranked(self) -> list[Entry]:
        """The nodes that would do, ranked by their room as it is now."""
        for entry in self.entries:
            if entry.version != entry.candidate.room.version:
                self._ranked(entry)
        return self.entries

    def by_node(self, entries: list[Entry] | None = None) -> list[Entry]:
        """Of `entries`, all of `ranked` or some, for each node the best form, or where none has room that with most."""
        entries = self.ranked() if entries is None else entries
        if self.forms == 1:
            return entries
        return one_each(entries, _node, _worth)


def by_rank(entries: Iterable[Entry]) -> list[Entry]:
    """The best first; equals stay as they stand, which is by name."""
    return sorted(entries, key=_rank, reverse=True)


def _node(entry: Entry) -> str:
    return entry.candidate.node.name


def _worth(entry: Entry) -> tuple[object, ...]:
    """Where it has room, its rank; else how much there is."""
    return (True, *entry.rank) if entry.rank is not None else (False, entry.candidate.fit.pods_free)


def _rank(entry: Entry) -> Rank:
    return entry.rank or (0, 0, 0)
