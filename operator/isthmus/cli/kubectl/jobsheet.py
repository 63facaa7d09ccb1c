"""The page about a job. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from isthmus.cli.table import Table

from .eventlist import conditions_part, events_part, joined, when
from .sheet import Part, Sheet

Object = Mapping[str, Any]


def job_sheet(job: Object, events: Sequence[Object], now: datetime) -> Sheet:
    """All that is worth knowing of it."""
    metadata, spec, status = job["metadata"], job.get("spec") or {}, job.get("status") or {}
    template = spec.get("template") or {}
    fields = [
        ("Name", metadata["name"]),
        ("Namespace", metadata.get("namespace", "")),
        ("Labels", joined(metadata.get("labels"))),
        ("Created", when(metadata.get("creationTimestamp"), now)),
        ("Deleted", when(metadata.get("deletionTimestamp"), now)),
        ("Phase", status.get("phase", "")),
        ("Nodes", status.get("nodes", "")),
        ("Priority", str(spec.get("priority", 0))),
        ("Suspend", "true" if spec.get("suspend") else ""),
        ("Cancel", "true" if spec.get("cancel") else ""),
        ("Images", ", ".join(_images(template))),
        ("Requests", joined(_requests(template))),
        ("Completions", _completions(template, status)),
        ("Variants", "; ".join(variant_text(each) for each in spec.get("variants") or ())),
        ("Placement", placement_text(spec.get("placement") or {})),
        ("Done", status.get("done", "")),
        ("Pods", _pods(status)),
        ("Failed indexes", status.get("failedIndexes") or ""),
        ("GPUs at once", str(status.get("gpus", ""))),
        ("Started", when(status.get("startTime"), now)),
        ("Ended", when(status.get("completionTime"), now)),
        ("Estimate", _money(status.get("estimate"), " an hour")),
        ("Cost", _money(status.get("cost"), "")),
    ]
    return Sheet(fields, [_shards(status, now), conditions_part(job, now), events_part(events, now)])


def _containers(template: Object) -> Sequence[Object]:
    pod = ((template.get("template") or {}).get("spec")) or {}
    found: Sequence[Object] = pod.get("containers") or ()
    return found


def _images(template: Object) -> list[str]:
    return [str(container.get("image", "")) for container in _containers(template)]


def _requests(template: Object) -> dict[str, str]:
    """What the first container asks for; a limit stands in for a request, as it does in Kubernetes."""
    resources = (next(iter(_containers(template)), {}).get("resources")) or {}
    return {**(resources.get("limits") or {}), **(resources.get("requests") or {})}


def _completions(template: Object, status: Object) -> str:
    completions = template.get("completions", status.get("completions"))
    mode = template.get("completionMode", "")
    parallelism = template.get("parallelism")
    parts = [str(completions) if completions is not None else "", mode]
    return " ".join(filter(None, [*parts, f"({parallelism} at once)" if parallelism else ""]))


def placement_text(placement: Object) -> str:
    """The placement on a line, what is as it is by default left out."""
    usual = {"split": "Never", "onNodeLost": "Wait", "objective": "Balanced"}
    told = []
    for key, value in placement.items():
        if value in (None, [], {}, usual.get(key)):
            continue
        if isinstance(value, Mapping):
            told.append(f"{key}: {joined({k: _short(v) for k, v in value.items()})}")
        else:
            told.append(f"{key}: {_short(value)}")
    return "; ".join(told)


def variant_text(variant: Object) -> str:
    """A variant on a line: its name, and what it changes."""
    told = [f"{key}: {_short(value)}" for key, value in variant.items() if key in {"accelerator", "image"} and value]
    if variant.get("resources") is not None:
        told.append(f"resources: {joined(variant['resources']) or 'none'}")
    return f"{variant.get('name')} ({'; '.join(told)})" if told else str(variant.get("name"))


def _short(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_short(each) for each in value)
    return joined(value) if isinstance(value, Mapping) else str(value)


def _pods(status: Object) -> str:
    return ", ".join(f"{status.get(key, 0)} {key}" for key in ("active", "succeeded", "failed")) if status else ""


def _money(money: Object | None, unit: str) -> str:
    return f"{money.get('text') or money.get('amount')}{unit}" if money else ""


def _shards(status: Object, now: datetime) -> Part:
    rows = [
        (
            str(shard.get("node", "")),
            str(shard.get("variant") or ""),
            str(shard.get("attempt", "")),
            str(shard.get("indexes") or "all"),
            str(shard.get("state", "")),
            when(shard.get("startTime"), now).partition(" ")[2].strip("()"),
            str(shard.get("message", "")),
        )
        for shard in status.get("shards") or ()
    ]
    headings = ("NODE", "VARIANT", "ATTEMPT", "INDEXES", "STATE", "STARTED", "MESSAGE")
    used = [place for place, heading in enumerate(headings) if heading != "VARIANT" or any(row[place] for row in rows)]
    shown = Table(tuple(headings[place] for place in used), [tuple(row[place] for place in used) for row in rows])
    return Part("Shards", shown)
