"""The benchmark's own clients of the clusters, and the ComputeJobs that it creates through them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from federation import compute_job, job_spec
from federation.manifests import Object
from isthmus.clusters import COMPUTEJOBS, Client, Credentials
from start.stage import NAMESPACE, NODE_LABEL
from testbed import Cluster

# A day: whoever keeps finished jobs for so long keeps the timers that end them, too.
KEPT_SECONDS = 86_400
LONG_SECONDS = "86400"
# All of it shares two cores: an answer may take its time.
REQUEST_SECONDS = 120.0


@asynccontextmanager
async def client_of(cluster: Cluster) -> AsyncIterator[Client]:
    """An administrator's client."""
    credentials = Credentials.from_kubeconfig_path(cluster.kubeconfig())
    async with await Client.connect(credentials, name=cluster.name, timeout_seconds=REQUEST_SECONDS) as client:
        yield client


async def create(hub: Client, name: str, *, run_seconds: str, node: str | None = None) -> Object:
    """A ComputeJob with one pod that runs for so long, on that node where one is named. Raises ClusterError."""
    template = job_spec(run_seconds=run_seconds, cpu="100m", memory="128Mi")
    placement = {"nodeSelector": {NODE_LABEL: node}} if node is not None else {}
    manifest = compute_job(name, template, ttlSecondsAfterFinished=KEPT_SECONDS, placement=placement)
    created: Object = await hub.create(COMPUTEJOBS, manifest, NAMESPACE)
    return created
