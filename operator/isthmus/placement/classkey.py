"""Which jobs are equal to placement: what any filter or score may read of one."""

from .demand import Demand

ClassKey = tuple[object, ...]


def class_key(demand: Demand) -> ClassKey:
    """Equal for demands that every filter and score treats alike, but for the accounts that a node's offer admits."""
    return demand.class_by(_class_key)


def _class_key(demand: Demand) -> ClassKey:
    return (
        demand.width,
        tuple(sorted(demand.request.items())),
        demand.models,
        demand.minimum_memory_bytes,
        demand.partition_profile,
        tuple(sorted(demand.node_selector.items())),
        demand.regions,
        demand.tiers,
        tuple((t.key, t.operator, t.value) for t in demand.tolerations),
        tuple(sorted(demand.machine_selector.items())),
        tuple((t.key, t.operator, t.value, t.effect) for t in demand.machine_tolerations),
        demand.objective,
        demand.avoid,
        demand.split,
        demand.grace_seconds,
        demand.variant,
        tuple(form.key for form in demand.forms),
        demand.latencies,
        demand.classification,
        demand.residency,
        demand.inputs,
        None if demand.weights is None else tuple(sorted(demand.weights.items())),
        demand.urgency,
    )
