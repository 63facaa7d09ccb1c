"""The HTTP server: who asks is found out and may be refused before anything else is looked at."""

import re
import ssl
from collections.abc import Awaitable, Callable, Mapping

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from isthmus.api.core import Manifest

from . import discovery, openapi
from .authorization import Reviews, authorize, authorize_list
from .frontproxy import Caller, FrontProxy
from .refusals import API_VERSION, PLURAL, Refused, bad_request, unauthorized

logger = structlog.get_logger(__name__)

Answer = Callable[[web.Request, str, str], Awaitable[web.StreamResponse]]
"""Answers for the ComputeJob of that namespace and name, to a caller who may have the answer."""
Listing = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Answers for the whole hub, to a caller who may have the answer."""

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAMESPACE = re.compile(_LABEL)
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAME_LENGTH = 253
BEGUN = "begun"
"""Set on a request once a part of its answer is on its way."""
HEADERS = {"Cache-Control": "no-cache, private", "X-Content-Type-Options": "nosniff"}


# Connections last for minutes, and certificates for weeks.
CONTEXTS = 4


class Gate:
    """Whom connections are trusted by: the front proxy's configuration, and the TLS contexts made for it."""

    def __init__(self) -> None:
        self._proxy: FrontProxy | None = None
        self._contexts: list[ssl.SSLContext] = []

    def open(self, proxy: FrontProxy | None, context: ssl.SSLContext) -> None:
        """Trust connections of this context, and former ones where all that verified them is in force still."""
        if proxy is None or self._proxy is None or not proxy.trusts_all_of(self._proxy):
            self._contexts.clear()
        self._contexts = [*self._contexts[1 - CONTEXTS :], context]
        self._proxy = proxy

    def caller(self, request: web.Request) -> Caller:
        """Who asks. Raises Refused."""
        transport = request.transport
        if self._proxy is None:
            raise unauthorized("the hub does not know yet whom the cluster lets ask on behalf of others")
        if transport is None or transport.get_extra_info("sslcontext") not in self._contexts:
            raise unauthorized("the connection was made under an authority that is no longer in force")
        return self._proxy.caller(transport.get_extra_info("peercert"), request.headers)


def application(
    gate: Gate, hub: Reviews, answers: Mapping[str, Answer], listings: Mapping[str, Listing]
) -> web.Application:
    """The routes; `answers` are by subresource of ComputeJobs, `listings` by resource."""
    app = web.Application(middlewares=[_guarded(gate)])
    for path, document in (discovery.DOCUMENTS | openapi.DOCUMENTS).items():
        app.router.add_get(path, _told(document))
    for subresource, answer in answers.items():
        path = f"/apis/{API_VERSION}/namespaces/{{namespace}}/{PLURAL}/{{name}}/{subresource}"
        app.router.add_get(path, _asked(gate, hub, subresource, answer), allow_head=False)
    for resource, listing in listings.items():
        app.router.add_get(f"/apis/{API_VERSION}/{resource}", _listed(gate, hub, resource, listing), allow_head=False)
    return app


def _guarded(gate: Gate) -> Middleware:
    @web.middleware
    async def guarded(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            gate.caller(request)
            return await handler(request)
        except Refused as refused:
            return _refusal(refused) if not _cut_off(request) else web.Response()
        except web.HTTPMethodNotAllowed:
            return _refusal(Refused(405, "MethodNotAllowed", "this API answers GET alone"))
        except web.HTTPException as error:
            reason = "NotFound" if error.status == 404 else "BadRequest"
            return _refusal(Refused(error.status, reason, "the server could not find the requested resource"))
        except ConnectionError:  # the client has gone, or the connection was cut off
            raise
        except Exception:
            logger.exception("a query failed", path=request.path)
            _cut_off(request)
            return _refusal(Refused(500, "InternalError", "the hub failed on this query; its log says why"))

    return guarded


def _cut_off(request: web.Request) -> bool:
    """Where a part of the answer is on its way, end the connection: an end in good order would say that it is whole."""
    begun = bool(request.get(BEGUN))
    if begun and request.transport is not None:
        request.transport.abort()
    return begun


def _told(document: Manifest) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def told(_: web.Request) -> web.StreamResponse:
        return json_response(document)

    return told


def _asked(
    gate: Gate, hub: Reviews, subresource: str, answer: Answer
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def asked(request: web.Request) -> web.StreamResponse:
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        if not _NAMESPACE.fullmatch(namespace):
            raise bad_request("the namespace is no name that one can have")
        if len(name) > _NAME_LENGTH or not _NAME.fullmatch(name):
            raise bad_request("the ComputeJob's name is none that one can have")
        await authorize(hub, gate.caller(request), namespace, name, subresource)
        return await answer(request, namespace, name)

    return asked


def _listed(
    gate: Gate, hub: Reviews, resource: str, listing: Listing
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def listed(request: web.Request) -> web.StreamResponse:
        await authorize_list(hub, gate.caller(request), resource)
        return await listing(request)

    return listed


def json_response(content: object) -> web.Response:
    """The content as JSON."""
    return web.Response(body=msgspec.json.encode(content), content_type="application/json", headers=HEADERS)


def _refusal(refused: Refused) -> web.Response:
    headers = dict(HEADERS)
    if refused.retry_after is not None:
        headers["Retry-After"] = str(refused.retry_after)
    response = web.Response(body=refused.body(), status=refused.code, content_type="application/json", headers=headers)
    if refused.code == 401:  # whoever comes again may show another certificate
        response.force_close()
    return response
