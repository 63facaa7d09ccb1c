"""A ComputeNode out of what a command line says of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus.api.names import API_VERSION

from .complaint import Complaint

Object = dict[str, Any]
DEFAULT_TIER = "Region"
DEFAULT_REGION = "default"
NO_LOCAL_RIGHTS = (
    "the hub may not run jobs in its own cluster yet; its release gives it that: helm upgrade with "
    "--set localMember.enabled=true"
)
NO_PRICES = (
    "the node has no tariff yet and takes no work until it has one; give --tariff FILE, or --core-second and so on"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is said of the node; None and empty are not given."""

    name: str
    tier: str | None = None
    region: str | None = None
    display_name: str | None = None
    code: str | None = None
    parent: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Object] = ()
    tariff: Object | None = None
    local: bool = False


def new_node(wanted: Wanted, secret: str) -> Object:
    """The whole manifest; what every node has and nobody said is as it is by default."""
    access: Object = {"local": {}} if wanted.local else {"kubeConfig": {"secretRef": {"name": secret}}}
    given = given_spec(wanted)
    given["region"] = {"code": DEFAULT_REGION, **given.get("region", {})}
    spec = {"identity": {"code": wanted.name}, "tier": DEFAULT_TIER, **given, "access": access}
    return {
        "apiVersion": API_VERSION,
        "kind": "ComputeNode",
        "metadata": {"name": wanted.name},
        "spec": spec,
    }


def given_spec(wanted: Wanted) -> Object:
    """What was said, and no more: what a node that is there already is changed in."""
    spec: Object = {}
    if wanted.code:
        spec["identity"] = {"code": wanted.code}
    if wanted.tier:
        spec["tier"] = wanted.tier
    if wanted.parent:
        spec["parent"] = wanted.parent
    region = {"code": wanted.region, "displayName": wanted.display_name}
    if any(region.values()):
        spec["region"] = {key: value for key, value in region.items() if value}
    if wanted.labels:
        spec["labels"] = dict(wanted.labels)
    if wanted.taints:
        spec["taints"] = list(wanted.taints)
    if wanted.tariff:
        spec["tariff"] = wanted.tariff
    return spec


def tariff_of(
    *,
    core_second: str | None,
    gibibyte_second: str | None,
    gpu_second: Sequence[str],
    currency: str,
    version: str,
) -> Object | None:
    """A price list, or None where no price was given. Complaint where one is missing that every list has."""
    if core_second is None and gibibyte_second is None and not gpu_second:
        return None
    if core_second is None or gibibyte_second is None:
        raise Complaint("a tariff needs --core-second and --gibibyte-second")
    prices: Object = {"coreSecond": core_second, "gibibyteSecond": gibibyte_second}
    if gpu_second:
        prices["gpuSecond"] = [{"model": model, "price": price} for model, price in map(_priced, gpu_second)]
    return {"version": version, "currency": currency, "prices": prices}


def _priced(text: str) -> tuple[str, str]:
    model, found, price = text.rpartition("=")
    if not found:
        model, price = "*", text
    if not model or not price:
        raise Complaint(f"--gpu-second {text!r}: write MODEL=PRICE, or PRICE for every model")
    return model, price


def pairs(texts: Sequence[str], flag: str) -> dict[str, str]:
    """KEY=VALUE texts as a mapping. Complaint where one is none."""
    found = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise Complaint(f"{flag} {text!r}: write KEY=VALUE")
        found[key] = value
    return found


def taint_of(text: str) -> Object:
    """KEY=VALUE:NoSchedule or KEY:NoSchedule as a taint. Complaint where it is none."""
    head, sign, effect = text.rpartition(":")
    if not sign or effect != "NoSchedule":
        raise Complaint(f"--taint {text!r}: write KEY=VALUE:NoSchedule")
    key, _, value = head.partition("=")
    if not key:
        raise Complaint(f"--taint {text!r}: write KEY=VALUE:NoSchedule")
    return {"key": key, "effect": effect, **({"value": value} if value else {})}


def patch_of(wanted: Wanted) -> Object:
    """A merge patch of a node that is there: what was said replaces what stood there, and no more is touched."""
    spec = given_spec(wanted)
    tariff = spec.get("tariff")
    if tariff:
        prices = {"gpuSecond": None, **tariff.get("prices", {})}
        spec["tariff"] = {"validFrom": None, "validUntil": None, **tariff, "prices": prices}
    return {"spec": spec}
