"""The page about a node. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from isthmus.cli.table import Table

from .eventlist import conditions_part, events_part, joined, when
from .sheet import Part, Sheet

Object = Mapping[str, Any]


def node_sheet(node: Object, events: Sequence[Object], now: datetime) -> Sheet:
    """All that is worth knowing of it."""
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    identity, region, profile = spec.get("identity") or {}, spec.get("region") or {}, status.get("profile") or {}
    timing, offer = spec.get("timing") or {}, spec.get("offer") or {}
    fields = [
        ("Name", metadata["name"]),
        ("Created", when(metadata.get("creationTimestamp"), now)),
        ("Deleted", when(metadata.get("deletionTimestamp"), now)),
        ("Annotations", joined({k: v for k, v in (metadata.get("annotations") or {}).items() if "isthmus.dev/" in k})),
        ("Identity", " ".join(filter(None, (identity.get("code"), identity.get("scheme"), identity.get("issuer"))))),
        ("Tier", spec.get("tier", "")),
        ("Parent", spec.get("parent", "")),
        ("Region", " ".join(filter(None, (region.get("code"), region.get("displayName"))))),
        ("Labels", joined(spec.get("labels"))),
        ("Taints", ", ".join(_taint(each) for each in spec.get("taints") or ())),
        ("State", spec.get("schedulingState", "")),
        ("Access", _access(spec.get("access") or {})),
        ("Timing", joined(timing)),
        ("Lends", joined(offer.get("share"))),
        ("Hours", "; ".join(_hours(each) for each in offer.get("windows") or ())),
        ("Accounts", _accounts(offer.get("accounts") or {})),
        ("Kubernetes", status.get("kubernetesVersion", "")),
        ("Jobs", str(status.get("jobs", ""))),
        ("Machines", str(profile.get("machines", ""))),
        ("Observed", when(profile.get("observedAt"), now)),
        ("Price", status.get("price", "")),
    ]
    parts = [_resources(profile), _accelerators(profile), _tariff(spec.get("tariff") or {})]
    return Sheet(fields, [*parts, conditions_part(node, now), events_part(events, now)])


def _taint(taint: Object) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key')}{value}:{taint.get('effect')}"


def _hours(window: Object) -> str:
    days = " ".join(window.get("days") or ()) or "daily"
    return f"{days} {window.get('from')}-{window.get('to')} {window.get('timeZone', 'UTC')}"


def _accounts(accounts: Object) -> str:
    excepted = f"but not {' '.join(accounts['except'])}" if accounts.get("except") else ""
    return " ".join(filter(None, (" ".join(accounts.get("names") or ()) or (excepted and "all"), excepted)))


def _access(access: Object) -> str:
    if "local" in access:
        return "local: the hub's own cluster"
    reference = (access.get("kubeConfig") or {}).get("secretRef") or {}
    return f"kubeConfig: secret {reference.get('name')}, key {reference.get('key')}" if reference else ""


def _resources(profile: Object) -> Part:
    free, allocatable = profile.get("free") or {}, profile.get("allocatable") or {}
    rows = [(name, str(free.get(name, "0")), str(whole)) for name, whole in sorted(allocatable.items())]
    return Part("Resources", Table(("RESOURCE", "FREE", "ALLOCATABLE"), rows))


def _accelerators(profile: Object) -> Part:
    rows = [
        (
            str(each.get("model", "")),
            str(each.get("partitionProfile") or "whole"),
            str(each.get("memory") or "unknown"),
            str(each.get("free", "")),
            str(each.get("total", "")),
            str(each.get("resourceName", "")),
        )
        for each in profile.get("accelerators") or ()
    ]
    return Part("Accelerators", Table(("MODEL", "PARTITION", "MEMORY", "FREE", "TOTAL", "RESOURCE"), rows))


def _tariff(tariff: Object) -> Part:
    prices, currency = tariff.get("prices") or {}, tariff.get("currency", "")
    rows = [
        (name, str(prices[key]), currency)
        for name, key in (("core second", "coreSecond"), ("GiB second", "gibibyteSecond"))
        if key in prices
    ]
    rows += [(f"{each['model']} second", str(each["price"]), currency) for each in prices.get("gpuSecond") or ()]
    bounds = [
        f"{word} {tariff[key]}" for word, key in (("from", "validFrom"), ("until", "validUntil")) if tariff.get(key)
    ]
    title = " ".join(["Tariff", str(tariff.get("version", "")), *bounds])
    return Part(title, Table(("METER", "PRICE", "CURRENCY"), rows))
