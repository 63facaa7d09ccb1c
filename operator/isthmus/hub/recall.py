"""What a former process left to be booked: looked for once, when the hub begins."""

from .booking import Booking
from .dispatches import DispatchStore
from .jobs import Jobs
from .tombstone import Tombstone


async def recall(dispatches: DispatchStore, jobs: Jobs, booking: Booking) -> None:
    """Have all readings booked that are not; of jobs that have ended few have any.

    The status of those that were booked last is looked at: the former process may have stopped before it told.
    """
    resting: list[tuple[str, Tombstone]] = []
    for uid in dispatches.job_uids():
        if jobs.store.ended(uid) is None:
            for node, dispatch in dispatches.of_job(uid):
                booking.offer(node, dispatch)
            jobs.queue.add(uid)  # that of a job that is gone, no watch will show
            continue
        for node, name in dispatches.places(uid):
            tombstone = dispatches.node(node).tombstone(name)
            if tombstone is not None:
                resting.append((node, tombstone))
            else:
                booking.offer(node, dispatches.node(node).wake(name))
    await booking.recall(tombstone.uid for _, tombstone in resting)
    for node, tombstone in resting:
        if tombstone.reading and not booking.has_booked(tombstone.uid, tombstone.reading):
            booking.offer(node, tombstone.dispatch())
    for uid in await booking.recall_costs(dispatches.job_uids()):
        jobs.booked(uid)
