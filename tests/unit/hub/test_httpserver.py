import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Gauge

from isthmus.errors import HubError
from isthmus.hub import httpserver
from isthmus.hub.address import Address
from isthmus.hub.httpserver import HttpServer
from isthmus.hub.instruments import Instruments

OPEN = "application/openmetrics-text"


@asynccontextmanager
async def serving(
    unwell: list[str], unready: list[str], registry: CollectorRegistry | None = None
) -> AsyncIterator[str]:
    """The URL of a server with these reasons."""
    if registry is None:
        registry = CollectorRegistry()
        Instruments(registry).placed.inc(3)
    server = await HttpServer.start(
        Address("127.0.0.1", 0), unwell=lambda: unwell, unready=lambda: unready, registry=registry
    )
    try:
        yield f"http://{server.address}"
    finally:
        await server.close()


async def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, str, str]:
    """Status, type and body of an answer."""
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers) as answer:
        return answer.status, answer.content_type, await answer.text()


async def test_probes() -> None:
    """Each probe answers 200 while there is no reason against it, and else with a line for each."""
    unwell: list[str] = []
    unready: list[str] = []
    async with serving(unwell, unready) as url:
        assert await ask(f"{url}/healthz") == (200, "text/plain", "ok\n")
        assert await ask(f"{url}/readyz") == (200, "text/plain", "ok\n")
        unready += ["the hub is not permitted to watch secrets", "booking fails: the disk is full"]
        assert await ask(f"{url}/readyz") == (503, "text/plain", "\n".join(unready) + "\n")
        assert await ask(f"{url}/healthz") == (200, "text/plain", "ok\n")
        unwell.append("scheduling has ended")
        assert await ask(f"{url}/healthz") == (500, "text/plain", "scheduling has ended\n")
        assert await ask(f"{url}/readyz", "HEAD") == (503, "text/plain", "")


def free_port() -> int:
    """A port that nobody has on any address."""
    with socket.create_server(("", 0)) as taken:
        return int(taken.getsockname()[1])


async def test_no_host_is_every_address() -> None:
    """The kubelet of a cluster of IPv6 alone reaches the probes as well as one of IPv4."""
    hosts = ["127.0.0.1"]
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        hosts.append("[::1]")
    port = free_port()
    server = await HttpServer.start(Address(None, port), unwell=list, unready=list, registry=CollectorRegistry())
    try:
        for host in hosts:
            assert await ask(f"http://{host}:{port}/healthz") == (200, "text/plain", "ok\n"), host
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("accept", "content_type", "end"),
    [
        pytest.param("", "text/plain", "", id="text"),
        pytest.param(
            "application/openmetrics-text; version=1.0.0", "application/openmetrics-text", "# EOF\n", id="open"
        ),
    ],
)
async def test_metrics(accept: str, content_type: str, end: str) -> None:
    """Metrics come in the form that the scraper asks for."""
    async with serving([], []) as url:
        status, found, body = await ask(f"{url}/metrics", Accept=accept)
    assert (status, found) == (200, content_type)
    assert 'isthmus_placement_attempts_total{result="Placed"} 3.0\n' in body
    assert body.endswith(end)


async def test_metrics_are_not_gathered_for_each_that_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks again within a second in the same form gets what was gathered last; later ones get news."""
    monkeypatch.setattr(httpserver, "METRICS_SECONDS", 3600.0)
    registry = CollectorRegistry()
    counter = Instruments(registry).placed
    async with serving([], [], registry) as url:
        _, _, first = await ask(f"{url}/metrics")
        counter.inc(5)
        _, _, again = await ask(f"{url}/metrics")
        _, form, other = await ask(f"{url}/metrics", Accept=f"{OPEN}; version=1.0.0")
        monkeypatch.setattr(httpserver, "METRICS_SECONDS", 0.0)
        _, _, later = await ask(f"{url}/metrics")
    assert (again, form) == (first, OPEN)
    placed = 'isthmus_placement_attempts_total{result="Placed"}'
    assert [f"{placed} 5.0\n" in body for body in (first, other, later)] == [False, True, True]


async def test_metrics_keep_up_with_readiness(monkeypatch: pytest.MonkeyPatch) -> None:
    """What /readyz says now, metrics show as well, however little time has passed since they were gathered last."""
    monkeypatch.setattr(httpserver, "METRICS_SECONDS", 3600.0)
    registry = CollectorRegistry()
    missing = Gauge("isthmus_permissions_missing", "As it is in the hub.", registry=registry)
    unready: list[str] = []
    async with serving([], unready, registry) as url:
        for reasons in ([], ["the hub is not permitted to watch secrets"], []):
            unready[:] = reasons
            missing.set(len(reasons))
            assert (await ask(f"{url}/readyz"))[0] == (503 if reasons else 200)
            assert f"isthmus_permissions_missing {len(reasons)}.0\n" in (await ask(f"{url}/metrics"))[2]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 405)])
async def test_nothing_else_is_served(method: str, path: str, status: int) -> None:
    """There is no other route, and nothing can be changed."""
    async with serving([], []) as url:
        assert (await ask(url + path, method))[0] == status


async def test_an_address_that_is_taken_is_told() -> None:
    """A port that another process has is an error that names it."""
    async with serving([], []) as url:
        host, _, port = url.removeprefix("http://").rpartition(":")
        with pytest.raises(HubError, match=rf"can't listen on 127\.0\.0\.1:{port}: .*; choose another --http-address"):
            await HttpServer.start(Address(host, int(port)), unwell=list, unready=list, registry=CollectorRegistry())
