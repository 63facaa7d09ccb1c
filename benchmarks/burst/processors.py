"""Whose processor time a job takes: all programs on the machine that have a part in it, in milliseconds a job."""

import os
from collections.abc import Mapping

from burst.stage import Stage
from testbed import Cluster, Part
from testbed.processortime import cpu_seconds

APISERVER, CONTROLLERS = {Part.APISERVER}, {Part.CONTROLLER_MANAGER, Part.SCHEDULER}


def processor_seconds(stage: Stage) -> dict[str, float]:
    """Seconds of each program since it started, the members' together; the load is this process."""
    members = list(stage.members.values())
    return {
        "isthmus hub": cpu_seconds(stage.pid),
        "hub: API server": _of([stage.hub], APISERVER),
        "hub: etcd, controllers": _of([stage.hub], {Part.ETCD, Part.CONTROLLER_MANAGER}),
        "members: API servers": _of(members, APISERVER),
        "members: controllers, schedulers": _of(members, CONTROLLERS),
        "members: etcd": _of(members, {Part.ETCD}),
        "members: machines": _of(members, {Part.KWOK}),
        "the load": cpu_seconds(os.getpid()),
    }


def _of(clusters: list[Cluster], parts: set[Part]) -> float:
    return sum(cluster.cpu_seconds(part) for cluster in clusters for part in parts)


def milliseconds_a_job(before: Mapping[str, float], after: Mapping[str, float], jobs: int) -> dict[str, float]:
    """What each program has used between two samples, by job."""
    return {name: round((after[name] - before[name]) / jobs * 1000, 1) for name in before}
