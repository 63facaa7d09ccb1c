"""What can go wrong between here and a cluster; each error says what its reader can do.

ClusterError
├── InvalidCredentials      the kubeconfig, or a plugin it names, can't be used
├── Unreachable             refused, reset, no such host
├── TimedOut                no answer in time
├── TLSFailure              certificate not trusted, expired, or of another host
├── UnexpectedAnswer        something answers, but not a Kubernetes API
└── ApiError                the API server's own refusal
    ├── Unauthorized        401
    ├── Forbidden           403
    ├── NotFound            404
    ├── Conflict            409, the object changed or a precondition failed
    ├── AlreadyExists       409
    ├── Expired             410, the resourceVersion is no longer kept
    ├── Invalid             400, 422
    ├── TooManyRequests     429
    └── ServerFailure       5xx
"""

from typing import Any, ClassVar

import msgspec
from msgspec import Struct

_EXCERPT = 300


class ClusterError(Exception):
    """The root: `reason` is CamelCase and fit for a condition, the text is for people."""

    reason: ClassVar[str] = "ClusterError"


class InvalidCredentials(ClusterError):
    """The kubeconfig, or a plugin or file it names, can't be used."""

    reason = "InvalidKubeConfig"


class Unreachable(ClusterError):
    """No connection: refused, reset, or no such host."""

    reason = "Unreachable"


class TimedOut(ClusterError):
    """No answer in time. A write may or may not have been carried out."""

    reason = "Timeout"


class TLSFailure(ClusterError):
    """The server's certificate, or ours, was not accepted."""

    reason = "TLSError"


class UnexpectedAnswer(ClusterError):
    """Something answers at this address, but not as a Kubernetes API does."""

    reason = "UnexpectedAnswer"


class ApiError(ClusterError):
    """The API server's refusal: its status code, its own reason and words, and Retry-After in seconds where given."""

    reason = "ApiError"

    def __init__(
        self,
        status: int,
        api_reason: str,
        message: str,
        retry_after: float | None = None,
        details: dict[str, Any] | None = None,
        *,
        about: str = "",
    ) -> None:
        super().__init__(f"{about}: {message}" if about else message)
        self.status = status
        self.api_reason = api_reason
        self.message = message
        self.retry_after = retry_after
        self.details = details or {}


class Unauthorized(ApiError):
    """401: the cluster does not know these credentials (any more)."""

    reason = "Unauthorized"


class Forbidden(ApiError):
    """403: the cluster knows us and does not allow it."""

    reason = "Forbidden"


class NotFound(ApiError):
    """404: no such object, or no such kind."""

    reason = "NotFound"


class Conflict(ApiError):
    """409: the object has changed since it was read, or a precondition failed."""

    reason = "Conflict"


class AlreadyExists(ApiError):
    """409: an object of that name is there."""

    reason = "AlreadyExists"


class Expired(ApiError):
    """410: that resourceVersion is no longer kept; list anew."""

    reason = "Expired"


class Invalid(ApiError):
    """400 or 422: the API server can't accept the object; its message names the field."""

    reason = "Invalid"


class TooManyRequests(ApiError):
    """429: the API server asks for patience."""

    reason = "TooManyRequests"


class ServerFailure(ApiError):
    """5xx: the API server, or something before it, failed."""

    reason = "ServerFailure"


_BY_STATUS: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    422: Invalid,
    429: TooManyRequests,
}
_ONLY_ITS_OWN = frozenset({400, 404, 409, 410, 422})


class Status(Struct):
    """A metav1.Status, as far as it is read."""

    kind: str = ""
    message: str | None = None
    reason: str | None = None
    details: dict[str, Any] | None = None
    code: int | None = None


_STATUS = msgspec.json.Decoder(Status)


def error_of(
    status: int, body: bytes, *, retry_after: float | None = None, about: str = ""
) -> ApiError | UnexpectedAnswer:
    """The error for an answer of that HTTP status; `about` names the request and leads the message.

    That an object is not there, or has changed, only the API server can say: without a Status in the body such an
    answer is unexpected, since to believe it would mean to take work for lost.
    """
    try:
        answer = _STATUS.decode(body)
    except msgspec.MsgspecError:
        answer = Status()
    if answer.kind != "Status":  # a proxy or load balancer answered in the API server's place
        excerpt = " ".join(body.decode(errors="replace").split())[:_EXCERPT]
        message = f"HTTP {status}" + (f": {excerpt}" if excerpt else "")
        if status in _ONLY_ITS_OWN:
            return UnexpectedAnswer(f"{about}: {message}; this server does not serve that API (CRDs not installed?)")
        answer = Status(message=message)
    return error_from_status(answer, status, retry_after=retry_after, about=about)


def error_from_status(answer: Status, status: int, *, retry_after: float | None = None, about: str = "") -> ApiError:
    """The error for a metav1.Status; `status` stands in where it carries no code."""
    code = status if status >= 400 else answer.code or 500
    api_reason = answer.reason or ""
    kind = _BY_STATUS.get(code, ServerFailure if code >= 500 else ApiError)
    if api_reason == "AlreadyExists":
        kind = AlreadyExists
    details = answer.details or {}
    if retry_after is None and isinstance(details.get("retryAfterSeconds"), int):
        retry_after = float(details["retryAfterSeconds"])
    message = answer.message or api_reason or f"HTTP {code}"
    return kind(code, api_reason, message, retry_after, details, about=about)
