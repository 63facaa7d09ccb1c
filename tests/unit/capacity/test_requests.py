import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from isthmus.api.core import PodSpec
from isthmus.capacity import effective_request, shared_request

# Pod specs and what Kubernetes 1.36.3 itself makes of them: SetDefaults_Pod, then resource.PodRequests.
GOLDEN: list[dict[str, Any]] = json.loads(Path(__file__).with_name("pod_requests.json").read_text())


def spec(**fields: Any) -> PodSpec:
    """A pod spec as the API server sends it."""
    return msgspec.convert(fields, PodSpec)


def container(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, **more: Any) -> Any:
    """A container with these resources."""
    return {"name": "c", "resources": {"requests": requests or {}, "limits": limits or {}}, **more}


SIDECAR: dict[str, Any] = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("given", "request_"),
    [
        pytest.param(spec(), {}, id="nothing asked"),
        pytest.param(
            spec(containers=[container({"cpu": "500m", "memory": "1Gi"}), container({"cpu": "1"})]),
            {"cpu": 1500, "memory": 1 << 30},
            id="containers are summed",
        ),
        pytest.param(
            spec(
                containers=[container({"cpu": "1"})], initContainers=[container({"cpu": "3"}), container({"cpu": "2"})]
            ),
            {"cpu": 3000},
            id="the largest init container counts where it is more",
        ),
        pytest.param(
            spec(
                containers=[container({"cpu": "1"})],
                initContainers=[container({"cpu": "2"}, **SIDECAR), container({"cpu": "500m"})],
            ),
            {"cpu": 3000},
            id="a sidecar runs beside the containers",
        ),
        pytest.param(
            spec(
                containers=[container({"cpu": "1"})],
                initContainers=[container({"cpu": "2"}, **SIDECAR), container({"cpu": "5"})],
            ),
            {"cpu": 7000},
            id="an init container runs beside the sidecars before it",
        ),
        pytest.param(
            spec(
                containers=[container({"cpu": "1"})],
                initContainers=[container({"cpu": "5"}), container({"cpu": "2"}, **SIDECAR)],
            ),
            {"cpu": 5000},
            id="and not beside those after it",
        ),
        pytest.param(
            spec(containers=[container({"cpu": "1"})], overhead={"cpu": "250m", "memory": "64Mi"}),
            {"cpu": 1250, "memory": 64 << 20},
            id="overhead is added",
        ),
        pytest.param(
            spec(containers=[container({"cpu": "1"})], resources={"requests": {"cpu": "4", "nvidia.com/gpu": "9"}}),
            {"cpu": 4000},
            id="requests of the pod stand in place of its containers', but only for cpu, memory and huge pages",
        ),
        pytest.param(
            spec(containers=[container({"cpu": "1"})], resources={"limits": {"cpu": "4", "memory": "2Gi"}}),
            {"cpu": 1000, "memory": 2 << 30},
            id="a limit of the pod is its request only where no container asks",
        ),
        pytest.param(
            spec(containers=[container(limits={"cpu": "2", "nvidia.com/gpu": "8"})]),
            {"cpu": 2000, "nvidia.com/gpu": 8},
            id="limits stand for missing requests",
        ),
        pytest.param(
            spec(containers=[container({"cpu": "1"}, {"cpu": "2"})]), {"cpu": 1000}, id="and not for those there are"
        ),
        pytest.param(
            spec(containers=[container({"cpu": "0.4m"}), container({"cpu": "0.4m"}), container({"memory": "0"})]),
            {"cpu": 1},
            id="rounded up once, after the sum; zeros are left out",
        ),
    ],
)
def test_effective_request(given: PodSpec, request_: dict[str, int]) -> None:
    """A pod's request is what the scheduler sets aside for it, and one of the machine's pods."""
    assert effective_request(given) == {**request_, "pods": 1}


@pytest.mark.parametrize("case", [pytest.param(c, id=str(i)) for i, c in enumerate(GOLDEN)])
def test_as_kubernetes(case: dict[str, Any]) -> None:
    """The request of a pod is what Kubernetes itself computes."""
    assert effective_request(msgspec.convert(case["spec"], PodSpec)) == case["request"]


@pytest.mark.parametrize("text", ["-1", "one", "", "1 Gi"])
def test_impossible(text: str) -> None:
    """What is no amount is refused and never counted as something else."""
    with pytest.raises(ValueError, match=r"quantity|below zero"):
        effective_request(spec(containers=[container({"cpu": text})]))


def test_shared() -> None:
    """Pods that ask for the same share one request, which none of them can change."""
    one, two = (shared_request(spec(containers=[container({"cpu": "77m"})])) for _ in range(2))
    assert one is two
    with pytest.raises(TypeError):
        one["cpu"] = 5  # type: ignore[index]
