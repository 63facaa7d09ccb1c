"""The cards of one machine and what pods hold of each, as HAMi's annotations tell.

Formats as `DecodeNodeDevices`, `UnMarshalNodeDevices` and `DecodePodDevices` of HAMi read them
(Project-HAMi/HAMi, pkg/device/devices.go):

- on a machine `ID,count,devmem,devcore,type,numa,health[,index,mode]:` for each card, or the same as a JSON list;
- on a pod `UUID,type,usedmem,usedcores:` for each card and `;` after each container.

Whatever is not just so is refused, and the caller then reckons with the worst.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from msgspec import Struct

_MOST_CARDS = 64
_LARGEST = (1 << 31) - 1
_OLD, _NEW = 7, 9
_HELD = 4
_TRUE, _FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}
# Cards in other modes are cut by rules of their own (MIG) or shared by other means (MPS).
_PLAIN_MODES = {"", "hami-core"}


@dataclass(frozen=True, slots=True)
class Card:
    """One card: how many pods may share it, its memory (MiB) and cores (percent), and whether it may be used."""

    uuid: str
    slots: int
    memory: int
    cores: int
    usable: bool


@dataclass(frozen=True, slots=True)
class Held:
    """What one container holds of one card."""

    uuid: str
    memory: int
    cores: int


class _Device(Struct, frozen=True):
    """A card in the JSON form, which leaves out what is zero."""

    id: str
    count: int = 0
    devmem: int = 0
    devcore: int = 0
    health: bool = False
    mode: str = ""


def cards_of(text: str) -> tuple[Card, ...]:
    """The cards that a machine's annotation lists. Raises ValueError for anything else than such a list."""
    devices = msgspec.json.decode(text, type=list[_Device]) if text.lstrip().startswith("[") else _split(text)
    cards = tuple(
        Card(d.id, _bounded(d.count), _bounded(d.devmem), _bounded(d.devcore), d.health and d.mode in _PLAIN_MODES)
        for d in devices
    )
    if not 0 < len(cards) <= _MOST_CARDS or len({card.uuid for card in cards}) < len(cards):
        raise ValueError(f"{len(cards)} cards, or one of them twice")
    return cards


def held_by(text: str) -> tuple[Held, ...]:
    """What a pod's annotation says that it holds. Raises ValueError for anything else."""
    segments = [segment for container in text.split(";") for segment in container.split(":") if segment]
    held: list[Held] = []
    for fields in (segment.split(",") for segment in segments):
        if len(fields) < _HELD or not fields[0]:
            raise ValueError(f"a pod holds {len(fields)} fields of a card")
        held.append(Held(fields[0], _number(fields[2]), _number(fields[3])))
    return tuple(held)


def _split(text: str) -> list[_Device]:
    if ":" not in text:
        raise ValueError("no card in the list of cards")
    devices: list[_Device] = []
    for fields in (segment.split(",") for segment in text.split(":") if segment):
        if len(fields) not in {_OLD, _NEW} or not fields[0] or fields[6] not in _TRUE | _FALSE:
            raise ValueError(f"a card of {len(fields)} fields")
        count, memory, cores = map(_number, fields[1:4])
        mode = fields[8] if len(fields) == _NEW else ""
        devices.append(_Device(fields[0], count, memory, cores, fields[6] in _TRUE, mode))
    return devices


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text[:16]!r} is no amount")
    return _bounded(int(text[:16]))


def _bounded(amount: int) -> int:
    if not 0 <= amount <= _LARGEST:
        raise ValueError(f"an amount of {amount}")
    return amount


@dataclass(frozen=True, slots=True)
class Left:
    """What pods have left of a machine's cards.

    `whole` is how many cards certainly have no pod, each of them with at least `memory` and `cores`; `parts` is what is
    left of cards with pods, where that is known.
    """

    whole: int
    memory: int
    cores: int
    parts: tuple[Card, ...]


def left_of(cards: tuple[Card, ...], pods: Mapping[str, tuple[int, str | None]]) -> Left:
    """What is left of the cards; the pods by uid, each with how many cards it asked for and its annotation.

    A pod that does not tell which cards it holds may be on any: as many as it asked for count as taken whole, and no
    card that others are on counts for anything.
    """
    used: dict[str, list[Held]] = {card.uuid: [] for card in cards}
    unknown = 0
    for asked, text in pods.values():
        held = _known(text, asked, used)
        if held is None:
            unknown += asked
        for each in held or ():
            used[each.uuid].append(each)
    usable = [card for card in cards if card.usable]
    whole = [card for card in usable if not used[card.uuid]]
    parts = [_rest(card, used[card.uuid]) for card in usable if used[card.uuid]] if not unknown else []
    # What any card has, for the figures of a machine whose cards all have pods.
    like = whole or usable
    return Left(
        max(0, len(whole) - unknown),
        min((card.memory for card in like), default=0),
        min((card.cores for card in like), default=0),
        tuple(part for part in parts if part.slots > 0 and part.memory > 0 and part.cores > 0),
    )


def _known(text: str | None, asked: int, used: Mapping[str, object]) -> tuple[Held, ...] | None:
    """What a pod holds; None where it does not say so of as many cards as it asked for."""
    if text is None:
        return None
    try:
        held = held_by(text)
    except ValueError:
        return None
    return held if len(held) >= asked and all(each.uuid in used for each in held) else None


def _rest(card: Card, held: list[Held]) -> Card:
    """What is left of a card that has pods.

    HAMi puts no pod that asks for all cores on such a card, and none that asks for none on one without any left: of the
    cores, one percent is kept back, so that neither comes about.
    """
    return Card(
        card.uuid,
        card.slots - len(held),
        card.memory - sum(each.memory for each in held),
        card.cores - sum(each.cores for each in held) - 1,
        usable=True,
    )
