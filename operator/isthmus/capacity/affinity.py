"""Accelerators to the node affinity that leads to machines which hold them."""

from collections.abc import Iterable

from .profile import Accelerator

AffinityTerm = dict[str, tuple[str, ...]]
"""Label keys to the values that will do; all keys must hold."""


def affinity_terms(accelerators: Iterable[Accelerator]) -> tuple[AffinityTerm, ...]:
    """Terms of which one must hold (nodeSelectorTerms) so that a pod meets one of the accelerators.

    Accelerators whose machines carry the same label keys share a term: where each of model, memory and partition was
    accepted by itself, any mixture of accepted values is acceptable too. Empty where one of them can't be told by
    labels: then nothing may be required, or the pod could not go where it should.
    """
    by_keys: dict[tuple[str, ...], dict[str, set[str]]] = {}
    for accelerator in accelerators:
        pairs = sorted(accelerator.labels)
        if not pairs:
            return ()
        values = by_keys.setdefault(tuple(key for key, _ in pairs), {})
        for key, value in pairs:
            values.setdefault(key, set()).add(value)
    return tuple(
        {key: tuple(sorted(values)) for key, values in by_key.items()} for _, by_key in sorted(by_keys.items())
    )
