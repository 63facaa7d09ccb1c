"""ComputeNode and ComputeJob manifests as the hub's placement sees them, by the hub's own code."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from isthmus.api.computejob import ComputeJob
from isthmus.api.computenode import ComputeNode
from isthmus.api.indexes import IndexSet
from isthmus.capacity import from_status
from isthmus.hub.dispatches import NodeDispatches
from isthmus.hub.fleet import Fleet
from isthmus.hub.nodestatus import NodeFacts
from isthmus.hub.parcels import pieces_of
from isthmus.hub.progress import Progress, Rest, progress_of
from isthmus.hub.steering import split_of
from isthmus.hub.work import Work, work_of
from isthmus.manifests import check_template
from isthmus.placement import Demand, Snapshot, demand_of

from .manifestfile import Document

NAMESPACE = "default"
_CURRENCY = "XXX"  # ISO 4217: no currency


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

    Every node is taken for reached, with its status.profile as its latest figures; one without has none. Raises
    ManifestError.
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
                fleet.observed(node.metadata["name"], from_status(node.status.profile))
            except ValueError as error:
                raise document.wrong(f"status.profile: {error}") from None
    return fleet.snapshot(now)


def _node(document: Document) -> ComputeNode:
    body = document.body
    metadata = {"uid": body["metadata"]["name"], "resourceVersion": "1", **body["metadata"]}
    return Document(document.where, {**body, "metadata": metadata}).as_model(ComputeNode)


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
    template: dict[str, Any] = job.spec.template
    refusal = check_template(template)
    if refusal is not None:
        raise document.wrong(f"spec.template: {refusal.message}")
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
