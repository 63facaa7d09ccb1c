import asyncio

from isthmus.api.core import Manifest
from isthmus.clusters import COMPUTEJOBS, NAMESPACES, FakeCluster
from isthmus.hub.jobwatch import JobWatch

NAMESPACE = "team-a"


async def test_each_form_is_told_once_and_the_end_too() -> None:
    """A job is handed on as it stands at each change, and its end with the UID of the one that went."""
    hub = FakeCluster("hub")
    hub.put(NAMESPACES, {"metadata": {"name": NAMESPACE}})
    seen: asyncio.Queue[tuple[str, int | None, bool]] = asyncio.Queue()

    def on_job(body: Manifest, *, gone: bool) -> None:
        seen.put_nowait((body["metadata"]["uid"], body.get("spec", {}).get("priority"), gone))

    async def told() -> tuple[str, int | None, bool]:
        return await asyncio.wait_for(seen.get(), 5)

    watch = asyncio.create_task(JobWatch(hub, on_job).informer.run())
    made = hub.put(COMPUTEJOBS, {"metadata": {"name": "train", "namespace": NAMESPACE}, "spec": {"priority": 1}})
    uid = made["metadata"]["uid"]
    assert await told() == (uid, 1, False)
    hub.put(COMPUTEJOBS, {**made, "spec": {"priority": 2}})
    assert await told() == (uid, 2, False)
    await hub.delete(COMPUTEJOBS, "train", NAMESPACE)
    assert (await told())[::2] == (uid, True)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    assert seen.empty()
