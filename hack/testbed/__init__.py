"""Real Kubernetes control planes on one machine, for the tests, the demo and the benchmarks.

Importing it needs the standard library alone, so that `python -m testbed.binaries` can run first of all.
"""

from testbed.audit import AuditEntry
from testbed.build import BuildError
from testbed.cluster import Cluster, KubectlError
from testbed.machines import Machine
from testbed.provider import ClusterSpec, ControlPlane, Part, Progress, Provider
from testbed.rest import ApiError, RestClient
from testbed.testbed import Testbed
from testbed.waiting import DeadlineError, wait_for

__all__ = [
    "ApiError",
    "AuditEntry",
    "BuildError",
    "Cluster",
    "ClusterSpec",
    "ControlPlane",
    "DeadlineError",
    "KubectlError",
    "Machine",
    "Part",
    "Progress",
    "Provider",
    "RestClient",
    "Testbed",
    "wait_for",
]
