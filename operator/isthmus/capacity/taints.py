"""Taints of machines: which are put into a shape, which take a machine out, and which a pod tolerates."""

from collections.abc import Iterable, Sequence

from isthmus.api.core import NodeTaint, PodToleration

from .profile import MachineTaint

HARD_EFFECTS = frozenset({"NoSchedule", "NoExecute"})

# Set by controllers while a machine is unfit, and gone when it is well again: such a machine is out, whatever a pod
# tolerates. (k8s.io/api/core/v1/well_known_taints.go, k8s.io/cloud-provider/api, cluster-autoscaler)
LIFECYCLE_TAINTS = frozenset(
    {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/unschedulable",
        "node.kubernetes.io/memory-pressure",
        "node.kubernetes.io/disk-pressure",
        "node.kubernetes.io/pid-pressure",
        "node.kubernetes.io/network-unavailable",
        "node.kubernetes.io/out-of-service",
        "node.cloudprovider.kubernetes.io/uninitialized",
        "node.cloudprovider.kubernetes.io/shutdown",
        "ToBeDeletedByClusterAutoscaler",
    }
)


def hard_taints(taints: Iterable[NodeTaint]) -> tuple[MachineTaint, ...]:
    """The taints that keep pods off, in a canonical order; PreferNoSchedule is a wish and is passed over."""
    hard = {MachineTaint(t.key, t.value, t.effect) for t in taints if t.effect in HARD_EFFECTS}
    return tuple(sorted(hard, key=lambda t: (t.key, t.value, t.effect)))


def untolerated(taints: Iterable[MachineTaint], tolerations: Sequence[PodToleration]) -> MachineTaint | None:
    """The first taint that none of the tolerations covers, or None where a pod with them may be bound."""
    return next((t for t in taints if not any(_tolerates(toleration, t) for toleration in tolerations)), None)


def _tolerates(toleration: PodToleration, taint: MachineTaint) -> bool:
    """The rule of core/v1 `Toleration.ToleratesTaint`."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    # An empty key matches all keys only together with Exists.
    return toleration.operator in {"", "Equal"} and toleration.key == taint.key and toleration.value == taint.value
