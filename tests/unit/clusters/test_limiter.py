import asyncio

import pytest

from isthmus.clusters.limiter import Limiter


async def _instants(limiter: Limiter, requests: int) -> list[float]:
    loop = asyncio.get_running_loop()
    instants = []

    async def request() -> None:
        async with limiter.slot():
            instants.append(round(loop.time(), 3))

    await asyncio.gather(*(request() for _ in range(requests)))
    return instants


@pytest.mark.simulated_time
async def test_requests_keep_the_pace() -> None:
    """A second's worth may go at once, then one request each interval."""
    instants = await _instants(Limiter(qps=10, concurrency=100), 25)
    assert instants[:10] == [0.0] * 10
    assert instants[10:] == [round(0.1 * number, 3) for number in range(1, 16)]


@pytest.mark.simulated_time
async def test_unused_turns_are_not_saved_beyond_a_second() -> None:
    """After a long pause no more than one second's worth goes at once."""
    limiter = Limiter(qps=5, concurrency=100)
    await asyncio.sleep(3600)
    instants = await _instants(limiter, 7)
    assert [instant - 3600 for instant in instants] == pytest.approx([0, 0, 0, 0, 0, 0.2, 0.4])


@pytest.mark.simulated_time
async def test_a_request_that_gives_up_costs_no_slot() -> None:
    """A cancelled wait for a turn leaves the slot to others."""
    limiter = Limiter(qps=1, concurrency=1)
    await _instants(limiter, 1)
    waiting = asyncio.create_task(_instants(limiter, 1))
    await asyncio.sleep(0.5)
    waiting.cancel()
    assert await asyncio.wait_for(_instants(limiter, 1), 10) == [2.0]


@pytest.mark.simulated_time
async def test_without_a_limit_nothing_waits() -> None:
    """qps=0 means any pace."""
    assert await _instants(Limiter(qps=0, concurrency=1), 50) == [0.0] * 50


@pytest.mark.parametrize(("qps", "concurrency"), [(-1, 1), (1, 0)])
def test_limits_that_mean_nothing(qps: float, concurrency: int) -> None:
    """A negative pace or no slot at all is refused."""
    with pytest.raises(ValueError, match="must"):
        Limiter(qps, concurrency)


@pytest.mark.simulated_time
async def test_tells_how_many_are_in_flight() -> None:
    """Requests that wait for a slot count as well as those that have one, until they end or are cancelled."""
    limiter = Limiter(qps=0, concurrency=1)

    async def request() -> None:
        async with limiter.slot():
            await asyncio.sleep(1)

    tasks = [asyncio.create_task(request()) for _ in range(3)]
    await asyncio.sleep(0.5)
    assert limiter.in_flight == 3
    tasks[2].cancel()
    await asyncio.sleep(1)
    assert limiter.in_flight == 1
    await asyncio.gather(*tasks, return_exceptions=True)
    assert limiter.in_flight == 0


@pytest.mark.simulated_time
async def test_how_often_is_told_for_a_while() -> None:
    """A steady stream is told as what it is, and forgotten within some seconds of its end."""
    limiter = Limiter(qps=0, concurrency=1)
    assert limiter.per_second == 0
    for _ in range(2000):
        async with limiter.slot():
            await asyncio.sleep(0.01)
    assert limiter.per_second == pytest.approx(100, rel=0.03)
    await asyncio.sleep(60)
    assert limiter.per_second < 0.01
