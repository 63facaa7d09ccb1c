"""One machine's facts, read from its Node and bounded: what of it enters a profile."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import TypeAdapter, ValidationError

from isthmus.api.core import Node
from isthmus.api.model import LabelKey, LabelValue
from isthmus.api.quantities import CPU, MEMORY, PODS, amount

from .accelerators import AcceleratorTable
from .parts import Deck, deck_of
from .profile import Accelerator, MachineTaint
from .supply import Supply
from .taints import LIFECYCLE_TAINTS, hard_taints

# What the published profile has room for (isthmus.api.computenode).
RESOURCE_LIMIT = 32
ACCELERATOR_LIMIT = 8
TAINT_LIMIT = 16
_NO_SUPPLIES: Mapping[str, Supply] = MappingProxyType({})
_PAIR = TypeAdapter(tuple[LabelKey, LabelValue])
_AMOUNT_LIMIT = (1 << 63) - 1
_FIRST = (CPU, MEMORY, PODS, "ephemeral-storage")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a Node says of its machine; `takes_pods` is False while it is cordoned, not ready, unfit or leaving.

    Where annotations list its cards, `deck` has them, and `allocatable` counts these, not who may share them. The
    resources `by_devices` are what slices tell, whose devices are held by claims.
    """

    takes_pods: bool
    allocatable: Mapping[str, int]
    accelerators: tuple[Accelerator, ...]
    taints: tuple[MachineTaint, ...]
    labels: Mapping[str, str]
    deck: Deck | None = None
    by_devices: tuple[str, ...] = ()


def read_machine(
    node: Node,
    table: AcceleratorTable,
    shape_labels: Iterable[str] = (),
    supplies: Mapping[str, Supply] = _NO_SUPPLIES,
) -> Facts:
    """The facts of a Node, whose labels `shape_labels` are to be told; `supplies` are its devices by resource.

    Raises ValueError, with a reason for people, for what no machine can be.
    """
    labels = node.metadata.labels
    amounts = {name: _bounded(name, text) for name, text in node.status.allocatable.items()}
    devices = _published(amounts, supplies, table)
    deck = _deal(amounts, node.metadata.annotations, table)
    amounts.update({name: supply.count for name, supply in devices.items()})
    found = (_told(name, labels, table, devices) for name, value in sorted(amounts.items()) if value)
    accelerators = tuple(a for a in found if a is not None)
    taints = hard_taints(node.spec.taints)
    if len(taints) > TAINT_LIMIT:
        raise ValueError(f"{len(taints)} taints; at most {TAINT_LIMIT} can be told")
    _check_pairs("taint", ((t.key, t.value) for t in taints))
    _check_pairs("label", (pair for a in accelerators for pair in a.labels))
    _check_pairs("label", ((key, labels[key]) for key in shape_labels if key in labels))
    return Facts(
        takes_pods=_takes_pods(node, taints),
        allocatable=(kept := _kept(amounts, accelerators, deck)),
        accelerators=accelerators[:ACCELERATOR_LIMIT],
        taints=taints,
        labels=labels,
        deck=deck if deck is not None and deck.resource in kept else None,
        by_devices=tuple(name for name in kept if name in devices),
    )


def _published(
    amounts: Mapping[str, int], supplies: Mapping[str, Supply], table: AcceleratorTable
) -> Mapping[str, Supply]:
    """The supplies that count on a machine whose Node has these amounts.

    kube-scheduler gives out devices only where the Node itself has nothing of the resource. Where it has accelerators
    of the same vendor, by whatever name, they are the same cards a second time.
    """
    if not supplies:
        return supplies
    plugged = {_vendor(name, table) for name, amount in amounts.items() if amount} - {None}
    return {
        name: each
        for name, each in supplies.items()
        if not amounts.get(name) and (each.vendor or _vendor(name, table)) not in plugged
    }


def _vendor(name: str, table: AcceleratorTable) -> str | None:
    accelerator = table.classify(name, {})
    return accelerator.vendor if accelerator is not None else None


def _told(
    name: str, labels: Mapping[str, str], table: AcceleratorTable, devices: Mapping[str, Supply]
) -> Accelerator | None:
    """What a machine has under the name, where that is an accelerator."""
    told = table.classify(name, labels)
    return devices[name].accelerator(name, told) if name in devices else told


def _deal(amounts: dict[str, int], annotations: Mapping[str, str], table: AcceleratorTable) -> Deck | None:
    """The cards of a machine, as far as they are listed; what is known of them replaces what `amounts` say of cards.

    Of shares that nothing lists by card no amount is left, as a sum over cards is not to be had on one; of cards whose
    list can't be read, none. Where two kinds of card are listed, the first is taken.
    """
    found: Deck | None = None
    for resource, shares in [(name, table.shares(name)) for name in sorted(amounts)]:
        for name in shares.names if shares is not None else ():
            amounts.pop(name, None)
        try:
            deck = deck_of(resource, shares, annotations)
        except ValueError:
            deck = Deck(resource, shares, ()) if shares is not None else None
        if deck is not None:
            first = found is None and bool(deck.usable)
            found = deck if first else found
            amounts.update(deck.amounts() if first else {resource: 0})
    return found


def _bounded(name: str, text: str) -> int:
    value = amount(name, text)
    if not 0 <= value <= _AMOUNT_LIMIT:
        raise ValueError(f"allocatable {name} of {text[:64]}")
    return value


def _check_pairs(what: str, pairs: Iterable[tuple[str, str]]) -> None:
    for pair in pairs:
        try:
            _PAIR.validate_python(pair)
        except ValidationError as error:
            raise ValueError(f"the {what} {'='.join(pair)[:256]} can't be") from error


def _takes_pods(node: Node, taints: tuple[MachineTaint, ...]) -> bool:
    ready = any(c.type == "Ready" and c.status == "True" for c in node.status.conditions)
    out = node.spec.unschedulable or node.metadata.deletion_timestamp is not None
    return ready and not out and not any(t.key in LIFECYCLE_TAINTS for t in taints)


def _kept(amounts: Mapping[str, int], accelerators: tuple[Accelerator, ...], deck: Deck | None) -> Mapping[str, int]:
    """The resources there is room to tell, in a canonical order: what is left out counts as absent."""
    told = {a.resource_name for a in accelerators[:ACCELERATOR_LIMIT]} | set(deck.shares.names if deck else ())
    untold = {a.resource_name for a in accelerators[ACCELERATOR_LIMIT:]}
    there = [name for name, value in amounts.items() if value and name not in untold]
    there.sort(key=lambda name: (name not in _FIRST, name not in told, name))
    return {name: amounts[name] for name in sorted(there[:RESOURCE_LIMIT])}
