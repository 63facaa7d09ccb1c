"""Whether pods fit machines that stand empty: a job of the demo must fit some member, or it would never run."""

from collections.abc import Iterable

from demo.trace import TraceMachine, TracePod


def pods_that_fit(pod: TracePod, machines: Iterable[TraceMachine]) -> int:
    """How many such pods the machines, all empty, hold at once; each pod sits on one machine."""
    return sum(_on_one(pod, machine) for machine in machines)


def _on_one(pod: TracePod, machine: TraceMachine) -> int:
    if pod.gpus and pod.models and machine.model not in pod.models:
        return 0
    counts = [machine.cpu_milli // pod.cpu_milli, machine.memory_mib // pod.memory_mib]
    if pod.gpus:
        counts.append(machine.gpus // pod.gpus)
    return min(counts)
