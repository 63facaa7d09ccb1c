"""A hub with its operator and members on the testbed, as the end-to-end tests and the benchmarks use it."""

from federation.chart import Release
from federation.federation import Federation
from federation.hubprocess import HubProcess
from federation.manifests import compute_job, compute_node, gpu_machine, job_spec, tariff

__all__ = ["Federation", "HubProcess", "Release", "compute_job", "compute_node", "gpu_machine", "job_spec", "tariff"]
