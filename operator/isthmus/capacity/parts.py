"""Machines with shared cards as parts that promise nothing no single card has.

Sums over a machine's cards say nothing of one of them: eight with 4 GiB free each have no 32 GiB anywhere. So the
machine is told as several: itself, with the cards that have no pod, each of them for one pod at a time until the next
figures; and each card that has pods already, as a machine with that card alone and an equal share of the rest beside
it. Whatever is taken from these by sums has room on single cards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .cards import Card, Left, cards_of, left_of
from .groups import Group, Kind
from .shares import CardLimits, Shares

_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Deck:
    """The cards of one machine, which the resource counts, and how shares of them are asked for."""

    resource: str
    shares: Shares
    cards: tuple[Card, ...]

    @property
    def usable(self) -> list[Card]:
        """The cards that pods may have a part of."""
        return [card for card in self.cards if card.usable]

    def amounts(self) -> dict[str, int]:
        """What of cards such a machine has in all."""
        return self._vector(len(self.usable), sum(c.memory for c in self.usable), sum(c.cores for c in self.usable))

    def _vector(self, cards: int, memory: int, cores: int, percentage: int | None = None) -> dict[str, int]:
        shares = self.shares
        vector = {self.resource: cards, shares.memory: memory}
        if shares.percentage:
            vector[shares.percentage] = _PERCENT * cards if percentage is None else percentage
        if shares.cores:
            vector[shares.cores] = cores
        return vector

    def whole(self, left: Left) -> tuple[dict[str, int], CardLimits]:
        """What is free of cards that have no pod, and the most that a pod may ask of each."""
        free = self._vector(left.whole, left.whole * left.memory, left.whole * left.cores)
        most = self._vector(1, left.memory, left.cores)
        del most[self.resource]
        return free, CardLimits(self.resource, self.shares.memory, tuple(sorted(most.items())))

    def part(self, card: Card) -> tuple[dict[str, int], dict[str, int], CardLimits]:
        """What is free of a card that has pods, what it has in all, and the most that a pod may ask of it.

        Nothing by percentage: beside amounts of memory, that would tell the same memory twice.
        """
        free = self._vector(card.slots, card.memory, card.cores, percentage=0)
        all_of_it = next(each for each in self.cards if each.uuid == card.uuid)
        has = self._vector(all_of_it.slots, all_of_it.memory, all_of_it.cores, percentage=0)
        most = {name: amount for name, amount in has.items() if name != self.resource} | {self.resource: 1}
        return free, has, CardLimits(self.resource, self.shares.memory, tuple(sorted(most.items())), shared=True)


def deck_of(resource: str, shares: Shares | None, annotations: Mapping[str, str]) -> Deck | None:
    """The cards that the resource counts on a machine with these annotations; None where they tell nothing of any.

    Raises ValueError where they do not tell what they should.
    """
    text = annotations.get(shares.node_annotation or "") if shares else None
    return None if shares is None or text is None else Deck(resource, shares, cards_of(text))


def parted(
    group: Group, deck: Deck, pods: Mapping[str, tuple[int, str | None]], intern: Callable[[Kind], Kind]
) -> list[Group]:
    """A machine as its parts; `group` tells what is free beside the cards, `pods` are as `left_of` wants them.

    `intern` gives the one object for all kinds of machine that are as this one.
    """
    left = left_of(deck.cards, pods)
    names, has = group.kind.resources, group.kind.allocatable
    rest, parts = list(group.free), []
    for card in left.parts if deck.shares.exact else ():
        free_of, all_of, limits = deck.part(card)
        share = [amount // len(deck.cards) for amount in group.free]
        free = tuple(free_of.get(name, each) for name, each in zip(names, share, strict=True))
        allocatable = tuple(
            all_of.get(name, amount // len(deck.cards)) for name, amount in zip(names, has, strict=True)
        )
        parts.append(Group(intern(replace(group.kind, allocatable=allocatable, cards=limits)), free))
        rest = [amount - each for amount, each in zip(rest, share, strict=True)]
    free_of, limits = deck.whole(left)
    whole = tuple(free_of.get(name, amount) for name, amount in zip(names, rest, strict=True))
    return [Group(intern(replace(group.kind, cards=limits)), whole), *parts]
