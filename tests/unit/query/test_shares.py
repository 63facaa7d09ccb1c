import asyncio
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.hub.test_scheduler import demand
from tests.unit.query.test_logtarget import dispatch
from tests.waiting import eventually

from isthmus.api.computejob import ComputeJob
from isthmus.hub.query import explanations, logs
from isthmus.hub.query.explanations import Explanations
from isthmus.hub.query.logs import Logs
from isthmus.hub.query.refusals import Refused
from isthmus.placement import Examination, Snapshot

REQUEST = cast("Any", SimpleNamespace(query={}))


class Reader:
    """Jobs of one pod, in whatever namespace."""

    async def read(self, namespace: str, name: str) -> ComputeJob:
        """The job."""
        await asyncio.sleep(0)
        return ComputeJob.model_validate(
            {"metadata": {"name": name, "namespace": namespace, "uid": "u-1"}, "spec": {"template": {}}, "status": {}}
        )


class Held:
    """A member that does not answer until it is let go."""

    def __init__(self) -> None:
        self.asked = 0

    async def list(self, *_: object, **__: object) -> None:
        """Wait for ever."""
        self.asked += 1
        await asyncio.Event().wait()


async def refused(question: Coroutine[Any, Any, object]) -> str:
    """Why the question is refused, with 429."""
    with pytest.raises(Refused) as caught:
        await question
    assert caught.value.code == 429
    return caught.value.message


async def test_logs_of_one_namespace_leave_room_for_others() -> None:
    """A namespace reads as many logs at once as its share is, and again once one ends; others don't notice."""
    member = Held()
    shards = SimpleNamespace(read_of_job=lambda _: [("east", dispatch("a"))])
    asked = Logs(
        cast("Any", Reader()), hub_uid="hub-1", dispatches=cast("Any", shards), member_of=lambda _: cast("Any", member)
    )
    mine = [asyncio.create_task(asked.answer(REQUEST, "a", "job")) for _ in range(logs.STREAMS_OF_NAMESPACE)]
    await eventually(lambda: member.asked == logs.STREAMS_OF_NAMESPACE)
    assert await refused(asked.answer(REQUEST, "a", "job")) == (
        "8 logs of namespace a are being read; try again when one has ended"
    )
    others = [asyncio.create_task(asked.answer(REQUEST, "b", "job"))]
    await eventually(lambda: member.asked == logs.STREAMS_OF_NAMESPACE + 1)
    mine[0].cancel()
    await asyncio.wait(mine[:1])
    others.append(asyncio.create_task(asked.answer(REQUEST, "a", "job")))
    await eventually(lambda: member.asked == logs.STREAMS_OF_NAMESPACE + 2)
    for task in (*mine, *others):
        task.cancel()
    await asyncio.wait([*mine, *others])


async def test_explanations_of_one_namespace_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A namespace has no more explanations worked out at once than its share; those of others wait for their turn."""
    let_go = threading.Event()
    asked: list[str] = []

    def examine(*_: object) -> Examination:
        asked.append("")
        let_go.wait(20)
        return Examination((), "full")

    monkeypatch.setattr(explanations, "examine", examine)
    monkeypatch.setattr(explanations, "remedies", lambda *_, **__: ())
    asking = Explanations(
        cast("Any", Reader()),
        dispatches=cast("Any", SimpleNamespace(read_of_job=lambda _: [])),
        fleet=cast("Any", SimpleNamespace(snapshot=lambda now: Snapshot((), now))),
        scheduler=cast("Any", SimpleNamespace(waiting=lambda _: demand(), reservations=())),
        account_of=str,
        now=lambda: datetime(2026, 3, 1, tzinfo=UTC),
    )
    tasks = [asyncio.create_task(asking.answer(REQUEST, "a", "job")) for _ in range(explanations.OF_NAMESPACE)]
    await eventually(lambda: len(asked) == explanations.OF_NAMESPACE)
    try:
        assert await refused(asking.answer(REQUEST, "a", "job")) == (
            "2 explanations for namespace a are being worked out; try again in a moment"
        )
        tasks.append(asyncio.create_task(asking.answer(REQUEST, "b", "job")))
    finally:
        let_go.set()
    answers = [await task for task in tasks]
    assert [cast("Any", answer).status for answer in answers] == [200] * 3
    assert cast("Any", await asking.answer(REQUEST, "a", "job")).status == 200
