"""A reverse proxy that lets a few API servers stand for many members, one port for each ComputeNode.

The hub takes two nodes for one cluster where the UID of kube-system is the same, so each port tells a UID of its own.
Of pods each port shows those of its own node alone, as a member of its own would. Everything else is passed on as it
is, watches included, with the client certificate that the members know the operator by.

Run: python -m start.proxy CONFIG, where CONFIG is a file with a Plan as JSON.
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

import msgspec
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web
from msgspec import Struct
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from isthmus.api.names import LABEL_NODE
from isthmus.clusters import Credentials
from isthmus.clusters.tls import context_for

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
PODS = "/api/v1/pods"
CHUNK = 64 * 1024


class Node(Struct):
    """One port: the ComputeNode it is for, the UID it tells, and the kubeconfig of the API server behind it."""

    name: str
    uid: str
    port: int
    kubeconfig: str


class Plan(Struct):
    """What to serve: paths of the certificate and key that all ports have, and the ports."""

    certificate: str
    key: str
    nodes: list[Node]


class Proxy:
    """Passes requests on for as long as the process runs."""

    def __init__(self, nodes: list[Node], session: ClientSession) -> None:
        self._nodes = {node.port: node for node in nodes}
        self._behind = {path: Credentials.from_kubeconfig_path(Path(path)) for path in {n.kubeconfig for n in nodes}}
        self._session = session

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The answer to one request, as it comes."""
        transport = request.transport
        if transport is None:
            raise web.HTTPBadGateway
        node = self._nodes[transport.get_extra_info("sockname")[1]]
        behind = self._behind[node.kubeconfig]
        identity = await behind.source.identity()
        async with self._session.request(
            request.method,
            _onward(behind.server, node, request),
            headers={**_passed_on(request.headers), **identity.headers},
            data=await request.read() if request.can_read_body else None,
            allow_redirects=False,
            ssl=context_for(behind.tls, identity.certificate),
        ) as answer:
            if request.path == KUBE_SYSTEM and request.method == "GET" and answer.status == 200:
                namespace = json.loads(await answer.read())
                namespace["metadata"]["uid"] = node.uid
                return web.json_response(namespace, headers={"Date": answer.headers["Date"]})
            response = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


def _onward(server: str, node: Node, request: web.Request) -> URL:
    url = URL(server + request.raw_path, encoded=True)
    if request.path == PODS and request.method == "GET":
        return url.update_query({"labelSelector": f"{LABEL_NODE}={node.name}"})
    return url


def _passed_on(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


async def serve(plan: Plan) -> None:
    """Listen on all ports until cancelled; "ready" is printed once they stand."""
    inward = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inward.load_cert_chain(plan.certificate, plan.key)
    connector = TCPConnector(limit=0)
    async with ClientSession(connector=connector, auto_decompress=False, timeout=ClientTimeout(total=None)) as session:
        application = web.Application(client_max_size=CHUNK * 1024)
        application.router.add_route("*", "/{path:.*}", Proxy(plan.nodes, session).handle)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True)
        await runner.setup()
        for node in plan.nodes:
            await web.TCPSite(runner, "127.0.0.1", node.port, ssl_context=inward).start()
        print("ready", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)))
