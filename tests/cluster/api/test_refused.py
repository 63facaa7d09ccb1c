import json
from typing import Any

import pytest
from tests.cluster.api.manifests import GONE, JOB_SPEC, TARIFF, collection, manifest

from isthmus.api.objective import SCORES
from testbed import ApiError, Cluster

KUBECONFIG = {"secretRef": {"name": "shanghai"}}
Wrong = tuple[str, dict[str, Any], str]


def tariff(**changes: Any) -> dict[str, Any]:
    """A tariff with changes."""
    return TARIFF | changes


def prices(**changes: Any) -> dict[str, Any]:
    """A tariff with changed prices."""
    return tariff(prices=TARIFF["prices"] | changes)


def intensity(**changes: Any) -> dict[str, Any]:
    """Energy with a changed carbon intensity."""
    return {"pue": "1.2", "carbonIntensity": {"gramsPerKilowattHour": "400", "source": "grid", **changes}}


def latency(**changes: Any) -> dict[str, Any]:
    """A network with one changed latency."""
    return {"latencies": [{"region": "cn-east", "milliseconds": 5, **changes}]}


# What is wrong: the kind, the changes to its smallest manifest, and the field that the answer must name.
NODES: dict[str, Wrong] = {
    "no identity": ("ComputeNode", {"spec.identity": GONE}, "spec.identity"),
    "identity without code": ("ComputeNode", {"spec.identity": {"issuer": "x"}}, "spec.identity.code"),
    "empty code": ("ComputeNode", {"spec.identity.code": ""}, "spec.identity.code"),
    "code too long": ("ComputeNode", {"spec.identity.code": "x" * 129}, "spec.identity.code"),
    "no tier": ("ComputeNode", {"spec.tier": GONE}, "spec.tier"),
    "unknown tier": ("ComputeNode", {"spec.tier": "Cloud"}, "spec.tier"),
    "tier in lower case": ("ComputeNode", {"spec.tier": "core"}, "spec.tier"),
    "no region": ("ComputeNode", {"spec.region": GONE}, "spec.region"),
    "region as a word": ("ComputeNode", {"spec.region": "cn-east"}, "spec.region"),
    "region code with a space": ("ComputeNode", {"spec.region.code": "cn east"}, "spec.region.code"),
    "no access": ("ComputeNode", {"spec.access": GONE}, "spec.access"),
    "access by nothing": ("ComputeNode", {"spec.access": {}}, "spec.access"),
    "access twice": ("ComputeNode", {"spec.access": {"local": {}, "kubeConfig": KUBECONFIG}}, "spec.access"),
    "no Secret": ("ComputeNode", {"spec.access.kubeConfig": {}}, "spec.access.kubeConfig.secretRef"),
    "Secret without name": (
        "ComputeNode",
        {"spec.access.kubeConfig.secretRef": {"key": "a"}},
        "spec.access.kubeConfig.secretRef.name",
    ),
    "Secret name in capitals": (
        "ComputeNode",
        {"spec.access.kubeConfig.secretRef.name": "Shanghai"},
        "spec.access.kubeConfig.secretRef.name",
    ),
    "Secret in another namespace": (
        "ComputeNode",
        {"spec.access.kubeConfig.secretRef.namespace": "kube-system"},
        "spec.access.kubeConfig.secretRef.namespace",
    ),
    "local with fields": ("ComputeNode", {"spec.access": {"local": {"a": 1}}}, "spec.access.local.a"),
    "name with a dot": ("ComputeNode", {"metadata.name": "a.b"}, "metadata.name"),
    "name of 51 characters": ("ComputeNode", {"metadata.name": "a" * 51}, "metadata.name"),
    "its own parent": ("ComputeNode", {"spec.parent": "sample"}, "spec.parent"),
    "parent in capitals": ("ComputeNode", {"spec.parent": "North"}, "spec.parent"),
    "parent too long": ("ComputeNode", {"spec.parent": "a" * 51}, "spec.parent"),
    "unknown scheduling state": ("ComputeNode", {"spec.schedulingState": "Closed"}, "spec.schedulingState"),
    "heartbeat of nothing": ("ComputeNode", {"spec.timing.heartbeatSeconds": 0}, "spec.timing.heartbeatSeconds"),
    "heartbeat too slow": ("ComputeNode", {"spec.timing.heartbeatSeconds": 301}, "spec.timing.heartbeatSeconds"),
    "fence too near": ("ComputeNode", {"spec.timing.fenceAfterSeconds": 4}, "spec.timing.fenceAfterSeconds"),
    "no time to stop": ("ComputeNode", {"spec.timing.stopAllowanceSeconds": 0}, "spec.timing.stopAllowanceSeconds"),
    "heartbeat in words": ("ComputeNode", {"spec.timing.heartbeatSeconds": "10s"}, "spec.timing.heartbeatSeconds"),
    "heartbeat in parts": ("ComputeNode", {"spec.timing.heartbeatSeconds": 1.5}, "spec.timing.heartbeatSeconds"),
    "taint without key": ("ComputeNode", {"spec.taints": [{"value": "a"}]}, "spec.taints[0].key"),
    "taint of another effect": (
        "ComputeNode",
        {"spec.taints": [{"key": "a", "effect": "NoExecute"}]},
        "spec.taints[0].effect",
    ),
    "taint key with a space": ("ComputeNode", {"spec.taints": [{"key": "a b"}]}, "spec.taints[0].key"),
    "the same taint twice": ("ComputeNode", {"spec.taints": [{"key": "a"}, {"key": "a"}]}, "spec.taints[1]"),
    "33 taints": ("ComputeNode", {"spec.taints": [{"key": f"a{i}"} for i in range(33)]}, "spec.taints"),
    "label key with a space": ("ComputeNode", {"spec.labels": {"a b": "c"}}, "spec.labels"),
    "label value with a space": ("ComputeNode", {"spec.labels": {"a": "b c"}}, "spec.labels.a"),
    "65 labels": ("ComputeNode", {"spec.labels": {f"a{i}": "" for i in range(65)}}, "spec.labels"),
    "tariff without version": (
        "ComputeNode",
        {"spec.tariff": {k: v for k, v in TARIFF.items() if k != "version"}},
        "spec.tariff.version",
    ),
    "currency in lower case": ("ComputeNode", {"spec.tariff": tariff(currency="cny")}, "spec.tariff.currency"),
    "currency as a sign": ("ComputeNode", {"spec.tariff": tariff(currency="¥")}, "spec.tariff.currency"),
    "no memory price": (
        "ComputeNode",
        {"spec.tariff": tariff(prices={"coreSecond": "1"})},
        "spec.tariff.prices.gibibyteSecond",
    ),
    "negative price": ("ComputeNode", {"spec.tariff": prices(coreSecond="-1")}, "spec.tariff.prices.coreSecond"),
    "price as a float": ("ComputeNode", {"spec.tariff": prices(coreSecond=0.1)}, "spec.tariff.prices.coreSecond"),
    "price with an exponent": ("ComputeNode", {"spec.tariff": prices(coreSecond="1e-5")}, "prices.coreSecond"),
    "price with a comma": ("ComputeNode", {"spec.tariff": prices(coreSecond="0,1")}, "prices.coreSecond"),
    "price of 13 decimals": (
        "ComputeNode",
        {"spec.tariff": prices(gibibyteSecond="0.0000000000001")},
        "spec.tariff.prices.gibibyteSecond",
    ),
    "price of 14 digits": ("ComputeNode", {"spec.tariff": prices(coreSecond="10000000000000")}, "prices.coreSecond"),
    "a model priced twice": (
        "ComputeNode",
        {"spec.tariff": prices(gpuSecond=[{"model": "A100", "price": "1"}, {"model": "A100", "price": "2"}])},
        "spec.tariff.prices.gpuSecond[1]",
    ),
    "a model without price": (
        "ComputeNode",
        {"spec.tariff": prices(gpuSecond=[{"model": "A100"}])},
        "spec.tariff.prices.gpuSecond[0].price",
    ),
    "validity ends before it starts": (
        "ComputeNode",
        {"spec.tariff": tariff(validFrom="2026-12-01T00:00:00Z", validUntil="2026-11-01T00:00:00Z")},
        "spec.tariff.validUntil",
    ),
    "validity without a time": (
        "ComputeNode",
        {"spec.tariff": tariff(validFrom="2026-12-01")},
        "spec.tariff.validFrom",
    ),
    "misspelt field": ("ComputeNode", {"spec.teir": "Core"}, "spec.teir"),
    "a share above all": ("ComputeNode", {"spec.offer.share": {"cpu": "101%"}}, "spec.offer.share.cpu"),
    "a share in words": ("ComputeNode", {"spec.offer.share": {"cpu": "half"}}, "spec.offer.share.cpu"),
    "a negative share": ("ComputeNode", {"spec.offer.share": {"cpu": "-1"}}, "spec.offer.share.cpu"),
    "a window without an end": ("ComputeNode", {"spec.offer.windows": [{"from": "08:00"}]}, "spec.offer.windows[0].to"),
    "a window at no time": (
        "ComputeNode",
        {"spec.offer.windows": [{"from": "24:00", "to": "08:00"}]},
        "spec.offer.windows[0].from",
    ),
    "a window on no day": (
        "ComputeNode",
        {"spec.offer.windows": [{"days": ["Monday"], "from": "20:00", "to": "08:00"}]},
        "spec.offer.windows[0].days[0]",
    ),
    "a label of ours on its Jobs": (
        "ComputeNode",
        {"spec.offer.labels": {"isthmus.dev/node": "other"}},
        "spec.offer.labels",
    ),
    "machines of nothing": (
        "ComputeNode",
        {"spec.offer.scalable": [{"name": "pool", "maximum": 1, "allocatable": {}}]},
        "spec.offer.scalable[0].allocatable",
    ),
    "no machine at most": (
        "ComputeNode",
        {"spec.offer.scalable": [{"name": "pool", "maximum": 0, "allocatable": {"cpu": 1}}]},
        "spec.offer.scalable[0].maximum",
    ),
}
JOBS: dict[str, Wrong] = {
    "no spec": ("ComputeJob", {"spec": GONE}, "spec"),
    "no template": ("ComputeJob", {"spec.template": GONE}, "spec.template"),
    "template as a list": ("ComputeJob", {"spec.template": [JOB_SPEC]}, "spec.template"),
    "a pod template for a template": ("ComputeJob", {"spec.template": JOB_SPEC["template"]}, "spec.template.template"),
    "own selector": ("ComputeJob", {"spec.template.selector": {"matchLabels": {"a": "b"}}}, "spec.template.selector"),
    "manual selector": ("ComputeJob", {"spec.template.manualSelector": True}, "spec.template.manualSelector"),
    "managed by another": ("ComputeJob", {"spec.template.managedBy": "example.com/a"}, "spec.template.managedBy"),
    "completions in words": ("ComputeJob", {"spec.template.completions": "ten"}, "spec.template.completions"),
    "completions beyond 32 bits": ("ComputeJob", {"spec.template.completions": 2**31}, "spec.template.completions"),
    "parallelism in parts": ("ComputeJob", {"spec.template.parallelism": 1.5}, "spec.template.parallelism"),
    "priority too high": ("ComputeJob", {"spec.priority": 1_000_000_001}, "spec.priority"),
    "priority in words": ("ComputeJob", {"spec.priority": "high"}, "spec.priority"),
    "suspend in words": ("ComputeJob", {"spec.suspend": "yes"}, "spec.suspend"),
    "negative lifetime": ("ComputeJob", {"spec.ttlSecondsAfterFinished": -1}, "spec.ttlSecondsAfterFinished"),
    "unknown tier": ("ComputeJob", {"spec.placement.tiers": ["Core", "Sea"]}, "spec.placement.tiers[1]"),
    "a tier twice": ("ComputeJob", {"spec.placement.tiers": ["Core", "Core"]}, "spec.placement.tiers[1]"),
    "an empty region": ("ComputeJob", {"spec.placement.regions": [""]}, "spec.placement.regions[0]"),
    "regions as a word": ("ComputeJob", {"spec.placement.regions": "cn-east"}, "spec.placement.regions"),
    "two variants of one name": ("ComputeJob", {"spec.variants": [{"name": "a"}, {"name": "a"}]}, "spec.variants[1]"),
    "nine variants": ("ComputeJob", {"spec.variants": [{"name": f"v{n}"} for n in range(9)]}, "spec.variants"),
    "a variant in capitals": ("ComputeJob", {"spec.variants": [{"name": "GPU"}]}, "spec.variants[0].name"),
    "a variant of no quantity": (
        "ComputeJob",
        {"spec.variants": [{"name": "a", "resources": {"nvidia.com/gpu": "some"}}]},
        "spec.variants[0].resources.nvidia.com/gpu",
    ),
    "accelerators beside variants": (
        "ComputeJob",
        {"spec.variants": [{"name": "a"}], "spec.placement.accelerator": {"models": ["A100"]}},
        "spec.placement.accelerator",
    ),
    "unknown objective": ("ComputeJob", {"spec.placement.objective": "Best"}, "spec.placement.objective"),
    "unknown split": ("ComputeJob", {"spec.placement.split": "ByPod"}, "spec.placement.split"),
    "unknown wish for a lost node": ("ComputeJob", {"spec.placement.onNodeLost": "Retry"}, "spec.placement.onNodeLost"),
    "most nodes of a job that is not split": ("ComputeJob", {"spec.placement.maxNodes": 2}, "spec.placement.maxNodes"),
    "fewest indexes of a job that is not split": (
        "ComputeJob",
        {"spec.placement.minIndexesPerNode": 2},
        "spec.placement.minIndexesPerNode",
    ),
    "no node at all": ("ComputeJob", {"spec.placement": {"split": "ByIndex", "maxNodes": 0}}, "placement.maxNodes"),
    "too many nodes": ("ComputeJob", {"spec.placement": {"split": "ByIndex", "maxNodes": 65}}, "placement.maxNodes"),
    "no index at all": (
        "ComputeJob",
        {"spec.placement": {"split": "ByIndex", "minIndexesPerNode": 0}},
        "spec.placement.minIndexesPerNode",
    ),
    "selector with a wrong key": ("ComputeJob", {"spec.placement.nodeSelector": {"-a": "b"}}, "placement.nodeSelector"),
    "selector with a number": (
        "ComputeJob",
        {"spec.placement.nodeSelector": {"a": 1}},
        "spec.placement.nodeSelector.a",
    ),
    "toleration without key": (
        "ComputeJob",
        {"spec.placement.tolerations": [{"operator": "Exists"}]},
        "spec.placement.tolerations[0].key",
    ),
    "toleration of anything with a value": (
        "ComputeJob",
        {"spec.placement.tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
        "spec.placement.tolerations[0].value",
    ),
    "toleration with another operator": (
        "ComputeJob",
        {"spec.placement.tolerations": [{"key": "a", "operator": "In"}]},
        "spec.placement.tolerations[0].operator",
    ),
    "memory without meaning": (
        "ComputeJob",
        {"spec.placement.accelerator": {"minimumMemory": "much"}},
        "spec.placement.accelerator.minimumMemory",
    ),
    "negative memory": (
        "ComputeJob",
        {"spec.placement.accelerator": {"minimumMemory": "-1Gi"}},
        "spec.placement.accelerator.minimumMemory",
    ),
    "a model twice": (
        "ComputeJob",
        {"spec.placement.accelerator": {"models": ["A100", "A100"]}},
        "spec.placement.accelerator.models[1]",
    ),
    "an empty model": (
        "ComputeJob",
        {"spec.placement.accelerator": {"models": [""]}},
        "spec.placement.accelerator.models[0]",
    ),
    "a gang over several nodes": (
        "ComputeJob",
        {"spec.placement": {"gang": True, "split": "ByIndex"}},
        "gang (all pods on one node) contradicts split ByIndex (pods on several); leave out one of the two",
    ),
    "a gang in words": ("ComputeJob", {"spec.placement.gang": "yes"}, "spec.placement.gang"),
    "preemptible in words": ("ComputeJob", {"spec.placement.preemptible": "no"}, "spec.placement.preemptible"),
    "a field that is not built": ("ComputeJob", {"spec.budget": {"amount": "1"}}, "spec.budget"),
}
ENERGY: dict[str, Wrong] = {
    "energy without PUE": ("ComputeNode", {"spec.energy": {"watts": []}}, "spec.energy.pue"),
    "PUE below 1": ("ComputeNode", {"spec.energy": {"pue": "0.9"}}, "spec.energy.pue"),
    "PUE as a float": ("ComputeNode", {"spec.energy": {"pue": 1.2}}, "spec.energy.pue"),
    "negative carbon": (
        "ComputeNode",
        {"spec.energy": intensity(gramsPerKilowattHour="-1")},
        "spec.energy.carbonIntensity.gramsPerKilowattHour",
    ),
    "carbon without source": (
        "ComputeNode",
        {"spec.energy": {"pue": "1", "carbonIntensity": {"gramsPerKilowattHour": "1"}}},
        "spec.energy.carbonIntensity.source",
    ),
    "carbon valid on a day": (
        "ComputeNode",
        {"spec.energy": intensity(validUntil="2026-12-01")},
        "spec.energy.carbonIntensity.validUntil",
    ),
    "carbon valid until a leap second": (
        "ComputeNode",
        {"spec.energy": intensity(validUntil="2026-12-31T23:59:60Z")},
        "spec.energy.carbonIntensity.validUntil",
    ),
    "carbon that ends before it begins": (
        "ComputeNode",
        {"spec.energy": intensity(validFrom="2026-12-01T00:00:00Z", validUntil="2026-11-01T00:00:00Z")},
        "spec.energy.carbonIntensity.validUntil",
    ),
    "a model that draws twice": (
        "ComputeNode",
        {"spec.energy": {"pue": "1", "watts": [{"model": "A100", "watts": "1"}, {"model": "A100", "watts": "2"}]}},
        "spec.energy.watts[1]",
    ),
}
NETWORK: dict[str, Wrong] = {
    "negative latency": ("ComputeNode", {"spec.network": latency(milliseconds=-1)}, "latencies[0].milliseconds"),
    "latency in parts": ("ComputeNode", {"spec.network": latency(milliseconds=1.5)}, "latencies[0].milliseconds"),
    "latency to nowhere": ("ComputeNode", {"spec.network": latency(region="")}, "latencies[0].region"),
    "guessed latency": ("ComputeNode", {"spec.network": latency(basis="Guessed")}, "latencies[0].basis"),
    "a region twice": (
        "ComputeNode",
        {"spec.network": {"latencies": [{"region": "a", "milliseconds": 1}, {"region": "a", "milliseconds": 2}]}},
        "latencies[1]",
    ),
    "egress without currency": (
        "ComputeNode",
        {"spec.network": {"egress": {"pricePerGibibyte": "1"}}},
        "spec.network.egress.currency",
    ),
    "clearance with a space": (
        "ComputeNode",
        {"spec.clearances": {"classifications": ["top secret"]}},
        "spec.clearances.classifications[0]",
    ),
    "a jurisdiction twice": (
        "ComputeNode",
        {"spec.clearances": {"jurisdictions": ["CN", "CN"]}},
        "spec.clearances.jurisdictions[1]",
    ),
}
WISHES: dict[str, Wrong] = {
    "weights that sum to zero": (
        "ComputeJob",
        {"spec.placement.weights": {"price": 0, "carbon": 0}},
        "the weights sum to zero; give at least one score more than 0",
    ),
    "no weight": ("ComputeJob", {"spec.placement.weights": {}}, "the weights sum to zero"),
    "weight of no score": (
        "ComputeJob",
        {"spec.placement.weights": {"price": 1, "luck": 9}},
        "the scores are price, carbon, latency, data, tier, fragmentation, free, reliability; name no others",
    ),
    "negative weight": ("ComputeJob", {"spec.placement.weights": {"price": -1}}, "spec.placement.weights.price"),
    "weight above 100": ("ComputeJob", {"spec.placement.weights": {"price": 101}}, "spec.placement.weights.price"),
    "weights beside an objective": (
        "ComputeJob",
        {"spec.placement": {"weights": {"price": 1}, "objective": "Greenest"}},
        "weights stand instead of an objective; leave one of the two out",
    ),
    "unknown objective": ("ComputeJob", {"spec.placement.objective": "Best"}, "spec.placement.objective"),
    "deadline on a day": ("ComputeJob", {"spec.deadline": "2026-12-01"}, "spec.deadline"),
    "deadline without a time zone": ("ComputeJob", {"spec.deadline": "2026-12-01T00:00:00"}, "spec.deadline"),
    "deadline on a day that is none": ("ComputeJob", {"spec.deadline": "2026-02-30T00:00:00Z"}, "spec.deadline"),
    "no time at all to a region": (
        "ComputeJob",
        {"spec.placement.maxLatencyMilliseconds": [{"region": "a", "milliseconds": 0}]},
        "spec.placement.maxLatencyMilliseconds[0].milliseconds",
    ),
    "two limits to a region": (
        "ComputeJob",
        {"spec.placement.maxLatencyMilliseconds": [{"region": "a", "milliseconds": n} for n in (1, 2)]},
        "spec.placement.maxLatencyMilliseconds[1]",
    ),
    "data at two places": (
        "ComputeJob",
        {"spec.placement.data": {"inputs": [{"node": "a", "region": "b", "size": "1Gi"}]}},
        "name exactly one of node and region",
    ),
    "data at no place": (
        "ComputeJob",
        {"spec.placement.data": {"inputs": [{"size": "1Gi"}]}},
        "name exactly one of node and region",
    ),
    "data of no size": (
        "ComputeJob",
        {"spec.placement.data": {"inputs": [{"node": "a"}]}},
        "spec.placement.data.inputs[0].size",
    ),
    "negative size": (
        "ComputeJob",
        {"spec.placement.data": {"inputs": [{"node": "a", "size": "-1Gi"}]}},
        "spec.placement.data.inputs[0].size",
    ),
    "a jurisdiction twice": (
        "ComputeJob",
        {"spec.placement.data": {"residency": ["CN", "CN"]}},
        "spec.placement.data.residency[1]",
    ),
    "an empty class": (
        "ComputeJob",
        {"spec.placement.data": {"classification": ""}},
        "spec.placement.data.classification",
    ),
}
DISPATCHES: dict[str, Wrong] = {
    "unknown state": ("Dispatch", {"spec.desiredState": "Paused"}, "spec.desiredState"),
    "no job": ("Dispatch", {"spec.job": GONE}, "spec.job"),
    "job without UID": ("Dispatch", {"spec.job.uid": GONE}, "spec.job.uid"),
    "no account": ("Dispatch", {"spec.account": ""}, "spec.account"),
    "attempt of nothing": ("Dispatch", {"spec.attempt": 0}, "spec.attempt"),
    "negative shard": ("Dispatch", {"spec.shard": -1}, "spec.shard"),
    "sequence of nothing": ("Dispatch", {"spec.sequence": 0}, "spec.sequence"),
    "sequence beyond 64 bits": ("Dispatch", {"spec.sequence": 2**63}, "spec.sequence"),
    "no manifest": ("Dispatch", {"spec.manifest": GONE}, "spec.manifest"),
    "manifest without spec": ("Dispatch", {"spec.manifest.spec": GONE}, "spec.manifest.spec"),
    "manifest with more": ("Dispatch", {"spec.manifest.status": {}}, "spec.manifest"),
    "tariff without digest": ("Dispatch", {"spec.tariff": {"version": "1"}}, "spec.tariff.digest"),
}
SETTLEMENTS: dict[str, Wrong] = {
    "no period": ("Settlement", {"spec.period": GONE}, "spec.period"),
    "period without end": ("Settlement", {"spec.period.end": GONE}, "spec.period.end"),
    "period that ends as it starts": ("Settlement", {"spec.period.end": "2026-11-01T00:00:00Z"}, "spec.period.end"),
    "period that starts on a day": ("Settlement", {"spec.period.start": "2026-11-01"}, "spec.period.start"),
    "no currency": ("Settlement", {"spec.currency": GONE}, "spec.currency"),
    "two currencies": ("Settlement", {"spec.currency": "CNY,USD"}, "spec.currency"),
    "unknown party": ("Settlement", {"spec.party": "Hub"}, "spec.party"),
    "a node's without node": ("Settlement", {"spec.party": "Node"}, "spec.node"),
    "an account's with node": ("Settlement", {"spec.node": "north"}, "spec.node"),
    "node in capitals": ("Settlement", {"spec.party": "Node", "spec.node": "North"}, "spec.node"),
    "an account of its own choice": ("Settlement", {"spec.account": "other"}, "spec.account"),
}
TABLES = {"node": NODES | ENERGY | NETWORK, "job": JOBS | WISHES, "dispatch": DISPATCHES, "settlement": SETTLEMENTS}
WRONG = {f"{name}: {what}": wrong for name, table in TABLES.items() for what, wrong in table.items()}


@pytest.mark.parametrize(("kind", "changes", "field"), WRONG.values(), ids=WRONG)
def test_refused(hub: Cluster, kind: str, changes: dict[str, Any], field: str) -> None:
    """A wrong manifest is refused with a message that names the field."""
    with pytest.raises(ApiError) as refusal:
        hub.rest.post(collection(kind, "?dryRun=All&fieldValidation=Strict"), manifest(kind, changes))
    assert refusal.value.code in {400, 422}
    assert field in json.loads(refusal.value.body)["message"]


LIMITS: dict[str, tuple[str, dict[str, Any]]] = {
    "node with a name of 50 characters": ("ComputeNode", {"metadata.name": "a" * 50}),
    "node with each tier": ("ComputeNode", {"spec.tier": "Hub"}),
    "node with 32 taints": ("ComputeNode", {"spec.taints": [{"key": f"a{i}"} for i in range(32)]}),
    "node with a key of two values tainted": (
        "ComputeNode",
        {"spec.taints": [{"key": "example.com/a", "value": "b"}, {"key": "example.com/a", "value": "c"}]},
    ),
    "node that is free of charge": ("ComputeNode", {"spec.tariff": prices(coreSecond="0", gibibyteSecond="0.0")}),
    "node with 24 digits of price": ("ComputeNode", {"spec.tariff": prices(coreSecond="9" * 12 + "." + "9" * 12)}),
    "node valid from one time zone until another": (
        "ComputeNode",
        {"spec.tariff": tariff(validFrom="2026-11-01T00:00:00+08:00", validUntil="2026-11-01T00:00:00Z")},
    ),
    "node with an offer of everything": (
        "ComputeNode",
        {
            "spec.offer": {
                "share": {"cpu": 8, "memory": "50%", "nvidia.com/gpu": "0", "pods": "100%"},
                "windows": [{"days": ["Mon", "Sun"], "from": "23:59", "to": "00:00", "timeZone": "Asia/Shanghai"}] * 32,
                "reclaimNoticeSeconds": 604_800,
                "accounts": {"names": ["a"], "except": ["b"]},
                "preemptible": False,
                "scalable": [
                    {
                        "name": "pool",
                        "maximum": 10_000,
                        "allocatable": {"cpu": 8, "nvidia.com/gpu": "4"},
                        "labels": {"nvidia.com/gpu.product": "Tesla-T4"},
                        "taints": [{"key": "gpu", "effect": "NoSchedule"}],
                    }
                ],
                "labels": {"kueue.x-k8s.io/queue-name": "lent"},
                "schedulerName": "volcano",
            }
        },
    ),
    "job with eight variants": (
        "ComputeJob",
        {
            "spec.variants": [
                {
                    "name": f"variant-{n}",
                    "accelerator": {"models": ["A100"], "minimumMemory": "40Gi", "partitionProfile": "1g.10gb"},
                    "resources": {"nvidia.com/gpu": n, "cpu": "500m"},
                    "image": "example/work:1",
                    "env": [{"name": "A", "value": "B"}, {"name": "C"}],
                    "container": "main",
                }
                for n in range(8)
            ]
        },
    ),
    "job with a name of 63 characters": ("ComputeJob", {"metadata.name": "a" * 63}),
    "job with a name of 253 characters": ("ComputeJob", {"metadata.name": ".".join(["a" * 50] * 4 + ["b" * 49])}),
    "job without completions": ("ComputeJob", {"spec.template.completions": 0}),
    "job of a million completions": ("ComputeJob", {"spec.template.completions": 1_000_000}),
    "job with everything that may be": (
        "ComputeJob",
        {
            "spec.placement": {
                "nodeSelector": {"example.com/a": "b"},
                "regions": ["cn-east"],
                "tiers": ["Core", "Region", "Industry", "Edge", "Hub"],
                "tolerations": [{"key": "a", "operator": "Exists"}],
                "accelerator": {"models": ["A100"], "minimumMemory": "40Gi", "partitionProfile": "1g.10gb"},
                "maxLatencyMilliseconds": [{"region": f"r{n}", "milliseconds": 3_600_000} for n in range(16)],
                "data": {
                    "classification": "Secret",
                    "residency": [f"J{n}" for n in range(64)],
                    "inputs": [{"node": "north", "size": "1Ei"}, *[{"region": "b", "size": "0"}] * 31],
                },
                "objective": "Greenest",
                "split": "ByIndex",
                "maxNodes": 64,
                "minIndexesPerNode": 1_000_000,
                "onNodeLost": "RerunUnfenced",
                "preemptible": True,
                "gang": False,
            },
            "spec.priority": -1_000_000_000,
        },
    ),
    "job with a gang": ("ComputeJob", {"spec.placement": {"gang": True, "split": "Never", "preemptible": True}}),
    "job with a weight of each score": (
        "ComputeJob",
        {
            "spec.placement.weights": dict.fromkeys(SCORES, 100) | {"price": 0},
            "spec.deadline": "2026-12-01T00:00:00+08:00",
        },
    ),
    "node that states all it can": (
        "ComputeNode",
        {
            "spec.energy": {
                **intensity(
                    gramsPerKilowattHour="0", validFrom="2026-11-01T00:00:00+08:00", validUntil="2026-11-01T00:00:00.5Z"
                ),
                "pue": "99.9999",
                "watts": [{"model": f"m{n}", "watts": "999999.999"} for n in range(128)],
            },
            "spec.network": {
                "latencies": [{"region": f"r{n}", "milliseconds": 0, "basis": "Measured"} for n in range(128)],
                "egress": {"pricePerGibibyte": "0", "currency": "CNY"},
            },
            "spec.clearances": {
                "classifications": [f"c{n}" for n in range(32)],
                "jurisdictions": [f"j{n}" for n in range(64)],
            },
        },
    ),
    "settlement of a node": ("Settlement", {"spec.party": "Node", "spec.node": "north"}),
}


@pytest.mark.parametrize(("kind", "changes"), LIMITS.values(), ids=LIMITS)
def test_taken(hub: Cluster, kind: str, changes: dict[str, Any]) -> None:
    """What is unusual but right is taken, up to each limit."""
    hub.rest.post(collection(kind, "?dryRun=All&fieldValidation=Strict"), manifest(kind, changes))


def test_every_kind_has_its_share() -> None:
    """The table of wrong manifests is as long as promised and leaves no kind out."""
    assert len(WRONG) >= 50
    assert all(len(table) >= 10 for table in TABLES.values())
