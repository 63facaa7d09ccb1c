"""Templates as the hub judges them: what it refuses itself, then what the API server says."""

import json
from copy import deepcopy
from typing import Any

import pytest
from tests.cluster.api.manifests import JOB_SPEC

from isthmus.api.computejob import ComputeJob
from isthmus.manifests import (
    Refusal,
    check_template,
    dry_run_manifest,
    dry_run_refusal,
    job_labels,
    placeholder,
    render,
    tenant_objects,
)
from testbed import ApiError, Cluster

HUB_UID = "0b54f1e6-6f0a-4e5e-9f0e-000000000001"
JOBS = "/apis/batch/v1/namespaces/{}/jobs"
STRICT_DRY_RUN = "?dryRun=All&fieldValidation=Strict"


def job(template: dict[str, Any], name: str = "train") -> ComputeJob:
    """A ComputeJob with the template."""
    metadata = {"name": name, "namespace": "team", "uid": "7d9f1f8a-1111-4222-8333-000000000002"}
    return ComputeJob.model_validate({"metadata": metadata, "spec": {"template": template}})


def pod(**fields: Any) -> dict[str, Any]:
    """A JobSpec with further fields in its pod."""
    template = deepcopy(JOB_SPEC)
    template["template"]["spec"] |= fields
    return template


def container(**fields: Any) -> dict[str, Any]:
    """A JobSpec with further fields in its container."""
    return pod(containers=[{"name": "main", "image": "busybox", **fields}])


def judged(hub: Cluster, template: dict[str, Any]) -> Refusal | None:
    """What the hub says of the template."""
    refusal = check_template(template)
    if refusal is not None:
        return refusal
    try:
        hub.rest.post(JOBS.format("default") + STRICT_DRY_RUN, dry_run_manifest(job(template), "default"))
    except ApiError as error:
        return dry_run_refusal(json.loads(error.body))
    return None


POD = "spec.template.template.spec"
IGNORE = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
TERMS: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "restartPolicy Always": (pod(restartPolicy="Always"), f"{POD}.restartPolicy: Required value"),
    "no restartPolicy": (pod(restartPolicy=None), f'{POD}.restartPolicy: Required value: valid values: "OnFailure"'),
    "no image": (pod(containers=[{"name": "main"}]), f"{POD}.containers[0].image: Required value"),
    "the same container twice": (
        pod(containers=[{"name": "a", "image": "b"}] * 2),
        f'{POD}.containers[1].name: Duplicate value: "a"',
    ),
    "misspelt field": (container(comand=["a"]), f'unknown field "{POD}.containers[0].comand"'),
    "misspelt field of the job": (JOB_SPEC | {"paralelism": 3}, 'unknown field "spec.template.paralelism"'),
    "command as a string": (container(command="a"), f"into field {POD}.containers.command of type []string"),
    "deadline in words": (pod(activeDeadlineSeconds="ten"), f"into field {POD}.activeDeadlineSeconds of type int64"),
    "no quantity": (
        container(resources={"requests": {"cpu": "lots"}}),
        f"{POD}.containers[0].resources.requests[cpu] is 'lots'",
    ),
    "request above limit": (
        container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
        f'{POD}.containers[0].resources.requests: Invalid value: "2"',
    ),
    "half an accelerator": (
        container(resources={"limits": {"nvidia.com/gpu": "500m"}}),
        f"{POD}.containers[0].resources.limits[nvidia.com/gpu]",
    ),
    "negative completions": (JOB_SPEC | {"completions": -1}, "spec.template.completions: Invalid value: -1"),
    "too many indexes at once": (
        JOB_SPEC | {"completionMode": "Indexed", "completions": 10**6, "parallelism": 10**6},
        "spec.template.parallelism: Invalid value: 1000000: must be less than or equal to 100000",
    ),
    "unknown completionMode": (JOB_SPEC | {"completionMode": "Some"}, "spec.template.completionMode"),
    "failure rules with OnFailure": (
        pod(restartPolicy="OnFailure") | {"podFailurePolicy": {"rules": [IGNORE]}},
        f'{POD}.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy',
    ),
    "empty affinity": (
        pod(affinity={"nodeAffinity": TERMS}),
        f"{POD}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required",
    ),
    "wrong label": (
        {"template": {**JOB_SPEC["template"], "metadata": {"labels": {"a b": "c"}}}},
        'spec.template.template.labels: Invalid value: "a b"',
    ),
    "own selector": (JOB_SPEC | {"selector": {"matchLabels": {"a": "b"}}}, "spec.template.selector must not be set"),
    "no containers": (pod(containers=[]), f"{POD}.containers must name at least one container"),
    "a ConfigMap": (
        pod(volumes=[{"name": "a", "configMap": {"name": "b"}}]),
        f"{POD}.volumes[0].configMap.name names the ConfigMap 'b'",
    ),
}


@pytest.mark.parametrize(("template", "part"), REFUSED.values(), ids=REFUSED)
def test_refused(hub: Cluster, template: dict[str, Any], part: str) -> None:
    """A template that could not run is refused in words that name its field as the user wrote it."""
    refusal = judged(hub, template)
    assert refusal is not None
    assert part in refusal.message


GPU = {"limits": {"nvidia.com/gpu": 2, "cpu": "8", "memory": "64Gi"}}
TERM = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
ACCEPTED: dict[str, dict[str, Any]] = {
    "plain": JOB_SPEC,
    "zero completions": JOB_SPEC | {"completions": 0},
    "a million completions": JOB_SPEC | {"completions": 10**6, "parallelism": 10**5},
    "a million indexes": JOB_SPEC | {"completionMode": "Indexed", "completions": 10**6, "parallelism": 1000},
    "as many indexes as there can be": JOB_SPEC | {"completionMode": "Indexed", "completions": 2**31 - 1},
    "OnFailure": pod(restartPolicy="OnFailure"),
    "all limits": JOB_SPEC
    | {
        "completionMode": "Indexed",
        "completions": 8,
        "backoffLimitPerIndex": 1,
        "maxFailedIndexes": 2,
        "activeDeadlineSeconds": 3600,
        "ttlSecondsAfterFinished": 60,
        "suspend": True,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [42]}}]},
    },
    "19 failure rules": JOB_SPEC | {"podFailurePolicy": {"rules": [IGNORE | {"action": "Count"}] * 19}},
    "accelerators with affinity": pod(
        containers=[{"name": "main", "image": "busybox", "resources": GPU}],
        affinity={
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM, {}]}}
        },
        tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}],
    ),
}


@pytest.mark.parametrize("template", ACCEPTED.values(), ids=ACCEPTED)
@pytest.mark.parametrize("name", ["t", "a" * 63, ".".join(["a" * 50] * 4 + ["b" * 49])], ids=["1", "63", "253"])
def test_accepted_and_rendered(hub: Cluster, template: dict[str, Any], name: str) -> None:
    """A template that can run is accepted, and its Job is one that the API server creates, whatever its name."""
    assert judged(hub, template) is None
    manifest = render(
        job(template, name),
        hub_uid=HUB_UID,
        node="n" * 50,
        shard=0,
        attempt=1,
        affinity=[("nvidia.com/gpu.product", ("A100", "A800"))],
        suspend=False,
    )
    manifest["metadata"]["namespace"] = "default"
    created = hub.rest.post(JOBS.format("default") + STRICT_DRY_RUN, manifest)
    assert created["spec"]["podReplacementPolicy"] == "Failed"
    assert created["spec"]["template"]["metadata"]["finalizers"] == ["isthmus.dev/metering"]


def test_tenant_namespace_and_placeholder(hub: Cluster) -> None:
    """The tenant's objects can be applied twice, and the placeholder takes a Job's name there without any pod."""
    objects = tenant_objects(HUB_UID, "team", "physics")
    hub.apply(objects)
    hub.apply(objects)
    namespace = objects[0]["metadata"]["name"]
    labels = job_labels(hub_uid=HUB_UID, node="north", dispatch="train-1", namespace="team", job_uid="u-1")
    hub.rest.post(JOBS.format(namespace) + "?fieldValidation=Strict", placeholder("train-1", namespace, labels))
    with pytest.raises(ApiError) as refusal:
        hub.rest.post(JOBS.format(namespace), {"metadata": {"name": "train-1"}, "spec": JOB_SPEC})
    assert refusal.value.code == 409
    stored = hub.get_json(f"{JOBS.format(namespace)}/train-1")
    assert (stored["spec"]["suspend"], stored["spec"]["parallelism"]) == (True, 0)
    account = hub.get_json(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
    assert account["automountServiceAccountToken"] is False
    hub.rest.delete(f"{JOBS.format(namespace)}/train-1?propagationPolicy=Background")
    hub.rest.delete(f"/api/v1/namespaces/{namespace}")


def test_depth_is_ours_to_refuse(hub: Cluster) -> None:
    """The API server stores a template nested thousands of levels deep; the hub refuses it without recursing."""
    deep = '{"a":' * 9000 + "1" + "}" * 9000
    text = json.dumps({"apiVersion": "isthmus.dev/v1alpha1", "kind": "ComputeJob", "metadata": {"name": "deep"}})
    path = "/apis/isthmus.dev/v1alpha1/namespaces/default/computejobs"
    body = f'{text[:-1]}, "spec": {{"template": {{"template": {deep}}}}}}}'
    hub.kubectl("create", "--raw", path, "-f", "-", input=body)
    hub.kubectl("delete", "cjob", "deep", "--wait=false")
    value: dict[str, Any] = {}
    for _ in range(9000):
        value = {"a": value}
    refusal = check_template({"template": value})
    assert refusal is not None
    assert refusal.reason == "TemplateTooDeep"
