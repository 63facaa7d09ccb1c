"""ComputeNode and ComputeJob manifests as the hub's placement sees them, by the hub's own code."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from pydantic import BaseModel

from isthmus.api.computejob import ComputeJob, ComputeJobSpec
from isthmus.api.computenode import ComputeNode, ComputeNodeSpec
from isthmus.api.indexes import IndexSet
from isthmus.api.names import NODE_NAME_LIMIT
from isthmus.capacity import from_status
from isthmus.capacity.profile import Accelerator, AcceleratorTotal, Profile
from isthmus.hub.dispatches import NodeDispatches
from isthmus.hub.fleet import Fleet
from isthmus.hub.nodestatus import IMPOSSIBLE, NodeFacts
from isthmus.hub.parcels import pieces_of
from isthmus.hub.progress import Progress, Rest, progress_of
from isthmus.hub.steering import split_of
from isthmus.hub.work import Work, work_of
from isthmus.manifests import check_template
from isthmus.placement import Demand, Snapshot, demand_of

from .manifestfile import NAMESPACE, Document
from .strictness import broken, repeated, unknown

_CURRENCY = "XXX"  # ISO 4217: no currency
_COUNTS = ("parallelism", "completions")
_MOST = 2**31 - 1  # as an API server has it of both
_MINUS = re.compile(r"-[0-9]")


@dataclass(frozen=True, slots=True)
class Offered:
    """A job as it is offered: what of it is to be placed, and what is known of its indexes."""

    demand: Demand
    work: Work
    progress: Progress
    rest: Rest

    def indexes(self, widths: list[int]) -> list[IndexSet | None]:
        """The indexes of each piece, of so many pods at once; None where the job has none."""
        if not self.work.indexed:
            return [None] * len(widths)
        pieces = pieces_of(self.work, self.progress, self.rest, widths, first=True)
        whole = IndexSet.span(self.work.completions or 0)
        found = [pieces.get(place) for place in range(len(widths))]
        return [whole if piece is None or piece.indexes is None else piece.indexes for piece in found]


def snapshot_of(documents: Iterable[Document], now: datetime, currency: str | None) -> Snapshot:
    """The nodes at `now`, as a hub sees them that bills in the currency; None is that of the first tariff.

    Every node is taken for reached, with its status.profile as its latest figures; one without has none, and one with
    figures that can't be is set aside. Raises ManifestError.
    """
    nodes = [(document, _node(document)) for document in documents]
    tariffs = sorted((node.metadata["name"], node.spec.tariff.currency) for _, node in nodes if node.spec.tariff)
    currency = currency or (tariffs[0][1] if tariffs else _CURRENCY)
    fleet = Fleet(currency, lambda _: NodeDispatches(), lambda: 0.0)
    for document, node in nodes:
        facts: NodeFacts = fleet.put(node).facts
        facts.connected, facts.problem = True, None
        if node.status.profile is not None:
            facts.observed = True
            try:
                fleet.observed(node.metadata["name"], with_totals(from_status(node.status.profile)))
            except ValueError as error:
                raise document.wrong(f"status.profile: {error}") from None
        elif (figure := _negative(document)) is not None:
            facts.observed, facts.quarantine = True, (IMPOSSIBLE, f"the member's figures can't be: {figure}")
    return fleet.snapshot(now)


def _node(document: Document) -> ComputeNode:
    body = document.body
    name = body["metadata"]["name"]
    if len(name) > NODE_NAME_LIMIT or "." in name:
        raise document.wrong(f"metadata.name: must be at most {NODE_NAME_LIMIT} characters without dots")
    metadata = {"uid": name, "resourceVersion": "1", **body["metadata"]}
    status = {} if _negative(document) else body.get("status") or {}
    node = Document(document.where, {**body, "metadata": metadata, "status": status}).as_model(ComputeNode)
    _known_fields(document, ComputeNodeSpec)
    _unique_keys(document, node.spec)
    return node


def _known_fields(document: Document, spec: type[BaseModel]) -> None:
    """Raises ManifestError for a field that the spec does not have: it is a slip of the pen."""
    field = unknown(spec, document.body.get("spec") or {}, "spec")
    if field is not None:
        raise document.wrong(f"{field}: there is no such field")


def _unique_keys(document: Document, spec: BaseModel) -> None:
    """Raises ManifestError where a key comes twice in a list that has each once."""
    entry = repeated(spec, "spec")
    if entry is not None:
        raise document.wrong(entry)


def _negative(document: Document) -> str | None:
    """A figure of the profile below zero, which no model of it would take in, or None."""
    status = document.body.get("status")
    return next(_below_zero(status.get("profile"), "status.profile"), None) if isinstance(status, dict) else None


def _below_zero(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _below_zero(each, f"{path}.{key}")
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _below_zero(each, f"{path}[{place}]")
    elif (isinstance(value, (int, float)) and value < 0) or (isinstance(value, str) and _MINUS.match(value)):
        yield f"{path} is {value}"


def with_totals(profile: Profile) -> Profile:
    """The profile; where it tells of accelerators by machine only, as when written by hand, with their totals."""
    if profile.accelerators:
        return profile
    totals: dict[Accelerator, tuple[int, int]] = {}
    for shape in profile.shapes:
        for held in shape.accelerators:
            kind = replace(held, label=None, other_labels=())
            there, left = (shape.count * each.get(held.resource_name, 0) for each in (shape.allocatable, shape.free))
            total, free = totals.get(kind, (0, 0))
            totals[kind] = total + there, free + left
    return replace(profile, accelerators=tuple(AcceleratorTotal(kind, *each) for kind, each in totals.items()))


class Jobs:
    """Job manifests as they are offered. Equal specs are read once: there may be a hundred thousand."""

    def __init__(self) -> None:
        self._known: dict[str, Offered] = {}

    def offered(self, document: Document) -> Offered:
        """The job, all of it to be placed. Raises ManifestError for one that no hub would admit."""
        metadata = document.body["metadata"]
        namespace, name = str(metadata.get("namespace") or NAMESPACE), metadata["name"]
        body = {**document.body, "metadata": {**metadata, "namespace": namespace, "uid": f"{namespace}/{name}"}}
        key = json.dumps([body.get("spec"), namespace, metadata.get("creationTimestamp")], sort_keys=True, default=str)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _offered(Document(document.where, body))
        return replace(known, demand=replace(known.demand, key=f"{namespace}/{name}", name=name))


def _offered(document: Document) -> Offered:
    job = document.as_model(ComputeJob)
    _known_fields(document, ComputeJobSpec)
    _unique_keys(document, job.spec)
    wrong = broken(job)
    if wrong is not None:
        raise document.wrong(wrong)
    template: dict[str, Any] = job.spec.template
    refusal = check_template(template)
    if refusal is not None:
        raise document.wrong(f"spec.template: {refusal.message}")
    for field in _COUNTS:
        count = template.get(field)
        if count is not None and (type(count) is not int or not 0 <= count <= _MOST):
            raise document.wrong(f"spec.template.{field} is {count!r}; give a number from 0 to {_MOST}")
    work = work_of(template)
    progress = progress_of(work, [])
    rest = progress.rest
    if rest is None:
        raise document.wrong("spec.template: there is nothing to do in it")
    split = None
    if job.spec.placement.split == "ByIndex" and work.by_index:
        split = split_of(job.spec.placement, work, rest, 0)
    try:
        demand = demand_of(job, job.metadata["namespace"], width=rest.width, split=split)
    except (msgspec.ValidationError, ValueError) as error:
        raise document.wrong(f"spec.template: {error}") from None
    return Offered(demand, work, progress, rest)
