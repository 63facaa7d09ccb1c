import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.unit.clusters.servers import answering, client_of, connected, json_answer, serving, status_answer

from isthmus.clusters import (
    JOBS,
    NODES,
    PODS,
    Client,
    ClusterError,
    Conflict,
    Forbidden,
    Listing,
    NotFound,
    Resource,
    ServerFailure,
    TooManyRequests,
    Traffic,
    Unauthorized,
    UnexpectedAnswer,
)
from isthmus.clusters.identity import TokenFile

POD = {"metadata": {"name": "p"}}


async def test_asks_as_a_kubernetes_client() -> None:
    """A request carries who we are, as whom we act and what we are, and connections are kept."""
    handler, seen = answering(json_answer(POD))
    async with client_of(handler, headers=(("Impersonate-Group", "a"), ("Impersonate-Group", "b"))) as client:
        peers = set()
        for _ in range(3):
            await client.get(PODS, "p", "a")
            peers.add(seen[-1].transport)
        headers = seen[0].headers
        assert headers["Authorization"] == "Bearer t"
        assert headers["User-Agent"].startswith("isthmus/")
        assert headers.getall("Impersonate-Group") == ["a", "b"]
        assert len(peers) == 1
        assert client.requests == {"get": 3}


async def _calls(client: Client) -> None:
    await client.get(PODS, "p", "a", type=dict)
    await client.list(NODES, labels="a=b,c!=d", fields="metadata.name=x")
    await client.create(JOBS, POD, "a", dry_run=True, strict=True)
    await client.replace(JOBS, POD, "a", "p", subresource="status")
    await client.patch(JOBS, "p", "a", [{"op": "remove", "path": "/spec"}], kind="json")
    await client.patch(JOBS, "p", "a", {"spec": None})
    await client.apply(JOBS, POD, "a", manager="agent", force=False)
    await client.delete(JOBS, "p", "a", uid="u", grace_seconds=0)


async def test_each_method_is_its_request() -> None:
    """Method, path, parameters, content type and body are those of the Kubernetes API."""
    bodies = []

    async def handler(request: web.BaseRequest) -> web.Response:
        body = await request.read()
        query = dict(request.query)
        bodies.append((request.method, request.path, query, request.content_type, json.loads(body) if body else None))
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})

    async with client_of(handler) as client:
        await _calls(client)
    pod = "/api/v1/namespaces/a/pods/p"
    jobs, job = "/apis/batch/v1/namespaces/a/jobs", "/apis/batch/v1/namespaces/a/jobs/p"
    none = "application/octet-stream"
    typed = {"apiVersion": "batch/v1", "kind": "Job", **POD}
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u"},
        "propagationPolicy": "Foreground",
        "gracePeriodSeconds": 0,
    }
    selection = {"labelSelector": "a=b,c!=d", "fieldSelector": "metadata.name=x", "limit": "500"}
    assert bodies == [
        ("GET", pod, {}, none, None),
        ("GET", "/api/v1/nodes", selection, none, None),
        ("POST", jobs, {"dryRun": "All", "fieldValidation": "Strict"}, "application/json", typed),
        ("PUT", f"{job}/status", {}, "application/json", typed),
        ("PATCH", job, {}, "application/json-patch+json", [{"op": "remove", "path": "/spec"}]),
        ("PATCH", job, {}, "application/merge-patch+json", {"spec": None}),
        ("PATCH", job, {"fieldManager": "agent", "force": "false"}, "application/apply-patch+yaml", typed),
        ("DELETE", job, {}, "application/json", options),
    ]


def _page(text: str, status: int = 200, kind: str = "text/html") -> Callable[[], web.Response]:
    return lambda: web.Response(text=text, status=status, content_type=kind)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(_page("<h1>Not Found</h1>", 404), UnexpectedAnswer, id="404 page"),
        pytest.param(_page("404 page not found", 404, "text/plain"), UnexpectedAnswer, id="an API not served"),
        pytest.param(_page("<h1>Welcome</h1>"), UnexpectedAnswer, id="200 page"),
        pytest.param(_page("", 302), UnexpectedAnswer, id="redirect"),
        pytest.param(_page("<h1>Bad Gateway</h1>", 502), ServerFailure, id="proxy without its server"),
    ],
)
async def test_only_an_api_server_can_say_that_something_is_gone(
    answer: Callable[[], web.Response], kind: type[ClusterError]
) -> None:
    """Whatever else answers at the address, it is an error, never `deleted` and never `not there`."""
    async with client_of(answering(answer)[0]) as client:
        with pytest.raises(kind, match="north: GET"):
            await client.get(PODS, "p", "a")
        with pytest.raises(kind, match="north: DELETE"):
            await client.delete(PODS, "p", "a")


@pytest.mark.parametrize("text", ["{", "[1]", "", "1"])
async def test_an_answer_that_is_no_object(text: str) -> None:
    """A cut or odd body is one clear error."""
    async with client_of(answering(_page(text, kind="application/json"))[0]) as client:
        with pytest.raises(UnexpectedAnswer, match="north: GET"):
            await client.get(PODS, "p", "a")


async def test_delete_says_whether_it_was_there() -> None:
    """A NotFound of the API server's own is `False`; a precondition that failed is a Conflict."""
    handler, _ = answering(json_answer({}), status_answer(404, "NotFound"), status_answer(409, "Conflict"))
    async with client_of(handler) as client:
        assert await client.delete(PODS, "p", "a")
        assert not await client.delete(PODS, "p", "a")
        with pytest.raises(Conflict):
            await client.delete(PODS, "p", "a", uid="u")


async def test_patience_is_granted_when_asked_for() -> None:
    """429 is tried again for any request, 503 with Retry-After only where a repetition does no harm."""
    busy = status_answer(429, "TooManyRequests", Retry_After="0")
    starting = status_answer(503, "ServiceUnavailable", Retry_After="0")
    handler, seen = answering(busy, starting, json_answer(POD), busy, json_answer(POD), starting)
    async with client_of(handler) as client:
        await client.get(PODS, "p", "a")
        assert len(seen) == 3
        await client.create(PODS, POD, "a")
        assert len(seen) == 5
        with pytest.raises(ServerFailure):
            await client.create(PODS, POD, "a")
        assert len(seen) == 6


async def test_patience_ends() -> None:
    """A server that always asks for patience gets five attempts, and none that would come after the time limit."""
    handler, seen = answering(status_answer(429, "TooManyRequests", Retry_After="0"))
    async with client_of(handler) as client:
        with pytest.raises(TooManyRequests):
            await client.get(PODS, "p", "a")
        assert len(seen) == 5
    handler, seen = answering(status_answer(429, "TooManyRequests", Retry_After="6"))
    async with client_of(handler, timeout_seconds=5.0) as client:
        with pytest.raises(TooManyRequests) as raised:
            await client.get(PODS, "p", "a")
        assert (len(seen), raised.value.retry_after) == (1, 6)


async def test_a_failure_without_retry_after_is_told_at_once() -> None:
    """500 is not tried again by the client: its caller knows what that would mean."""
    handler, seen = answering(status_answer(500, "InternalError"))
    async with client_of(handler) as client:
        with pytest.raises(ServerFailure):
            await client.get(PODS, "p", "a")
        assert len(seen) == 1


async def test_a_rotated_token_is_used_after_a_refusal(tmp_path: Path) -> None:
    """401 makes the client read its token anew and try once more, in requests and watches alike."""
    file = tmp_path / "token"
    file.write_text("old")

    async def handler(request: web.BaseRequest) -> web.Response:
        if request.headers["Authorization"] != "Bearer new":
            return status_answer(401, "Unauthorized")()
        event = {"type": "ADDED", "object": {"metadata": {"resourceVersion": "7"}}}
        body = json.dumps(event if "watch" in request.query else POD) + "\n"
        return web.Response(text=body, content_type="application/json")

    async with client_of(handler, source=TokenFile(file)) as client:
        with pytest.raises(Unauthorized):
            await client.get(PODS, "p", "a")
        file.write_text("new")
        assert await client.get(PODS, "p", "a") == POD
    file.write_text("old")
    async with client_of(handler, source=TokenFile(file)) as client:
        async with aclosing(client.watch(PODS, resource_version="1")) as stream:
            with pytest.raises(Unauthorized):
                await anext(stream)
        file.write_text("new")
        async with aclosing(client.watch(PODS, resource_version="1")) as stream:
            assert (await anext(stream)).resource_version == "7"


async def test_a_list_is_read_page_by_page() -> None:
    """Pages are asked for until there are no more, and stand together as one list."""

    async def handler(request: web.BaseRequest) -> web.Response:
        start = int(request.query.get("continue", "0"))
        names = [f"n{number}" for number in range(start, min(start + int(request.query["limit"]), 7))]
        more = {"continue": str(start + 3)} if start + 3 < 7 else {}
        metadata = {"resourceVersion": "9", **more}
        return web.json_response({"metadata": metadata, "items": [{"metadata": {"name": name}} for name in names]})

    async with client_of(handler) as client:
        listing = await client.list(NODES, page=3)
        assert [item["metadata"]["name"] for item in listing.items] == [f"n{number}" for number in range(7)]
        assert listing.resource_version == "9"
        assert client.requests == {"list": 3}


async def test_each_page_is_shrunk_as_it_comes() -> None:
    """What is made of a page is kept in its place; meanwhile the next one is asked for, and no more than that."""
    first = json_answer({"metadata": {"resourceVersion": "1", "continue": "x"}, "items": [{"metadata": {"name": "a"}}]})
    last = json_answer({"metadata": {"resourceVersion": "1"}, "items": [{"metadata": {"name": "b"}}]})
    handler, _ = answering(first, first, last)
    asked: list[int] = []

    def received(page: Listing[dict[str, Any]]) -> Listing[dict[str, Any]]:
        asked.append(client.requests["list"])
        return Listing([{"kept": item["metadata"]["name"]} for item in page.items], page.resource_version)

    async with client_of(handler) as client:
        listing = await client.list(NODES, page=1, received=received)
    assert (listing.items, asked) == ([{"kept": "a"}, {"kept": "a"}, {"kept": "b"}], [2, 3, 3])


async def test_a_list_that_expires_between_pages_is_read_in_one_piece() -> None:
    """Objects of the first pages are not mixed with those of a later version."""
    first = json_answer({"metadata": {"resourceVersion": "1", "continue": "x"}, "items": [{"metadata": {"name": "a"}}]})
    whole = json_answer({"metadata": {"resourceVersion": "2"}, "items": [{"metadata": {"name": "b"}}]})
    handler, seen = answering(first, status_answer(410, "Expired"), whole)
    async with client_of(handler) as client:
        listing = await client.list(NODES, page=1)
    assert (listing.items, listing.resource_version) == ([{"metadata": {"name": "b"}}], "2")
    assert "limit" not in seen[2].query


@pytest.mark.parametrize("resource", [PODS, JOBS])
async def test_lists_without_consistency_may_come_from_the_cache(resource: Resource) -> None:
    """Only where the caller allows it is a list asked of the API server's cache."""
    handler, seen = answering(json_answer({"metadata": {"resourceVersion": "1"}, "items": []}))
    async with client_of(handler) as client:
        await client.list(resource)
        await client.list(resource, consistent=False)
    assert [request.query.get("resourceVersion") for request in seen] == [None, "0"]


async def test_large_and_compressed_answers() -> None:
    """An object of megabytes comes through, compressed or not."""
    large = {"data": "x" * 5_000_000}

    async def handler(_: web.BaseRequest) -> web.Response:
        response = web.json_response(large)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with client_of(handler) as client:
        assert await client.get(PODS, "p", "a") == large


async def test_any_path_can_be_read_raw() -> None:
    """Paths that answer in plain text are for `raw`; `probe` wants JSON."""
    async with client_of(answering(_page("ok", kind="text/plain"))[0]) as client:
        assert await client.raw("GET", "/readyz") == b"ok"
        with pytest.raises(UnexpectedAnswer):
            await client.probe("/readyz")


async def test_requests_keep_to_their_limits() -> None:
    """No more than `concurrency` requests are on their way at once."""
    running = most = 0

    async def handler(_: web.BaseRequest) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return status_answer(404, "NotFound")()

    async with client_of(handler, concurrency=4) as client:
        answers = await asyncio.gather(*(client.get(PODS, "p", "a") for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {NotFound}
    assert most == 4


async def test_traffic_is_counted_over_connections() -> None:
    """Requests are counted by verb and failures by reason, and a refusal is told; a next connection counts on."""
    refused: list[Forbidden] = []
    traffic = Traffic(on_refused=refused.append)
    handler, _ = answering(json_answer(POD), status_answer(403, "Forbidden"), status_answer(404, "NotFound"))
    async with serving(handler) as port:
        for _ in range(2):
            async with await connected(f"http://127.0.0.1:{port}", traffic=traffic) as client:
                for _ in range(2):
                    with suppress(ClusterError):
                        await client.get(PODS, "p", "a")
                with suppress(ClusterError):
                    await anext(client.watch(PODS, resource_version="1"))
    assert traffic.requests == {"get": 4, "watch": 2}
    assert traffic.failures == {("get", "Forbidden"): 1, ("get", "NotFound"): 2, ("watch", "NotFound"): 2}
    assert [error.status for error in refused] == [403]
