"""What a pod asks of a machine: the scheduler's effective request.

As `resource.PodRequests` of Kubernetes 1.36 (k8s.io/component-helpers/resource), after the defaults that the API
server sets on a pod (`SetDefaults_Pod`), since a template that is not yet a pod has not seen them.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from isthmus.api.core import Container, PodSpec, ResourceRequirements
from isthmus.api.quantities import CPU, MEMORY, PODS, parse

# Quantities are summed exactly, in the smallest step that Kubernetes knows, and rounded up once at the end.
_NANO = 10**9
_NANO_OF = {CPU: 10**6}
_ALWAYS = "Always"
_HUGEPAGES = "hugepages-"
_KEPT = 16_384

_Items = tuple[tuple[str, str], ...]
_ContainerKey = tuple[bool, _Items, _Items]
_SpecKey = tuple[tuple[_ContainerKey, ...], tuple[_ContainerKey, ...], _Items, _Items, _Items]


def effective_request(spec: PodSpec) -> dict[str, int]:
    """What the scheduler sets aside for a pod of this spec, zeros left out, with `pods: 1`.

    Containers are summed; a restartable init container (sidecar) runs beside all that come after it; an ordinary init
    container counts with the sidecars before it, and the largest of those moments wins; requests of the pod as a whole
    (KEP-2837) stand in place of its containers' for cpu, memory and huge pages; the overhead comes on top. Where a
    request is missing its limit stands for it.

    Units as in `isthmus.api.quantities.Resources`, rounded up. Raises ValueError for what is no quantity or is below 0.
    """
    return dict(shared_request(spec))


def shared_request(spec: PodSpec) -> Mapping[str, int]:
    """As `effective_request`, but one read-only mapping for all pods that ask for the same."""
    return _request(
        (
            tuple(_container_key(c) for c in spec.containers),
            tuple(_container_key(c) for c in spec.init_containers),
            _items(spec.resources.requests),
            _items(spec.resources.limits),
            _items(spec.overhead),
        )
    )


def _items(quantities: Mapping[str, str | int | float]) -> _Items:
    return tuple((name, str(text)) for name, text in quantities.items())


def _container_key(container: Container) -> _ContainerKey:
    resources: ResourceRequirements = container.resources
    return container.restart_policy == _ALWAYS, _items(resources.requests), _items(resources.limits)


@lru_cache(maxsize=_KEPT)
def _nano(text: str) -> int:
    value = parse(text) * _NANO
    if value < 0:
        raise ValueError(f"{text!r} is below zero")
    return -(-value.numerator // value.denominator)


@lru_cache(maxsize=_KEPT)
def _request(key: _SpecKey) -> Mapping[str, int]:
    containers, init_containers, pod_requests, pod_limits, overhead = key
    total: dict[str, int] = {}
    for _, requests, limits in containers:
        _add(total, _defaulted(requests, limits))
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for restartable, requests, limits in init_containers:
        own = _defaulted(requests, limits)
        if restartable:
            _add(total, own)
            _add(sidecars, own)
            moment = sidecars
        else:
            moment = dict(sidecars)
            _add(moment, own)
        for name, value in moment.items():
            peak[name] = max(peak.get(name, 0), value)
    for name, value in peak.items():
        total[name] = max(total.get(name, 0), value)
    _override(total, pod_requests, pod_limits)
    _add(total, {name: _nano(text) for name, text in overhead})
    rounded = {name: -(-value // _NANO_OF.get(name, _NANO)) for name, value in total.items() if value}
    return MappingProxyType({**rounded, PODS: 1})


def _defaulted(requests: _Items, limits: _Items) -> dict[str, int]:
    return {name: _nano(text) for name, text in (*limits, *requests)}


def _override(total: dict[str, int], requests: _Items, limits: _Items) -> None:
    """Put the pod-level requests in, with the API server's `defaultPodRequests` for those that are missing."""
    asked = dict(requests)
    for name, text in (*limits, *requests):
        if not _is_pod_level(name):
            continue
        # The containers' requests go before the pod's limit, but for huge pages, whose limit is always their request.
        if name in asked or name not in total or name.startswith(_HUGEPAGES):
            total[name] = _nano(asked.get(name, text))


def _is_pod_level(name: str) -> bool:
    return name in {CPU, MEMORY} or name.startswith(_HUGEPAGES)


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, value in more.items():
        total[name] = total.get(name, 0) + value
