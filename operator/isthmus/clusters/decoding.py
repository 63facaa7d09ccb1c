"""Bytes from the wire to objects: one fast path, and a patient one for what odd clients have stored.

The fast path is msgspec's, straight into the struct. Where it refuses (a null where the struct has a list, a string or
a number), the object is decoded again as plain JSON without its nulls: in Kubernetes null means unset.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import msgspec
from msgspec import Raw, Struct, field

from .api import EventKind, Listing, Undecodable, WatchEvent
from .errors import ClusterError, Status, UnexpectedAnswer, error_from_status

T = TypeVar("T")


class _Identity(Struct, rename="camel", gc=False):
    """The part of any object's metadata by which it is told apart."""

    name: str | None = None
    namespace: str | None = None
    resource_version: str | None = None


class _Envelope(Struct, gc=False):
    metadata: _Identity = field(default_factory=_Identity)


class _ListMeta(Struct, rename="camel", gc=False):
    resource_version: str | None = None
    continue_: str | None = field(default=None, name="continue")


class _Page(Struct, Generic[T]):
    metadata: _ListMeta
    items: list[T] | None = None


class _Line(Struct, gc=False):
    type: str
    object: Raw


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_LINE = msgspec.json.Decoder(_Line)
_RAW_PAGE = msgspec.json.Decoder(_Page[Raw])
_STATUS = msgspec.json.Decoder(Status)


def without_nulls(value: Any) -> Any:
    """The JSON value without the keys whose value is null, at any depth; nulls in lists go too."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value if inner is not None]
    return value


_compiled: dict[Any, tuple[Any, Any]] = {}


def _decoders(type_: Any) -> tuple[Any, Any]:
    """The decoders of an object of that type and of a page of them, compiled once a type."""
    if type_ not in _compiled:
        _compiled[type_] = msgspec.json.Decoder(type_), msgspec.json.Decoder(_Page[type_])
    return _compiled[type_]


def decoder(type_: type[T]) -> Callable[[bytes | Raw], T]:
    """A function from bytes to `type_`; raises msgspec.MsgspecError where they can't be read as one."""
    fast: msgspec.json.Decoder[T] = _decoders(type_)[0]

    def decode(data: bytes | Raw) -> T:
        try:
            return fast.decode(data)
        except msgspec.ValidationError:
            return msgspec.convert(without_nulls(msgspec.json.decode(data)), type_)

    return decode


def decode_object(data: bytes, type_: type[T], about: str) -> T:
    """An object in an answer. UnexpectedAnswer where it can't be read as one."""
    try:
        return decoder(type_)(data)
    except msgspec.MsgspecError as error:
        raise UnexpectedAnswer(f"{about}: the answer is not what this kind looks like: {error}") from error


def decode_page(data: bytes, type_: type[T], about: str) -> tuple[Listing[T], str]:
    """One page of a list, and the token of the next ("" after the last). Objects that can't be read are set apart."""
    fast: msgspec.json.Decoder[_Page[T]] = _decoders(type_)[1]
    try:
        page = fast.decode(data)
    except msgspec.ValidationError:
        return _decode_patiently(data, type_, about)
    except msgspec.MsgspecError as error:
        raise UnexpectedAnswer(f"{about}: the answer is no list: {error}") from error
    return Listing(page.items or [], page.metadata.resource_version or ""), page.metadata.continue_ or ""


def _decode_patiently(data: bytes, type_: type[T], about: str) -> tuple[Listing[T], str]:
    try:
        page = _RAW_PAGE.decode(data)
    except msgspec.MsgspecError as error:
        raise UnexpectedAnswer(f"{about}: the answer is no list: {error}") from error
    decode = decoder(type_)
    items: list[T] = []
    bad: list[Undecodable] = []
    for raw in page.items or []:
        try:
            items.append(decode(raw))
        except msgspec.MsgspecError as error:
            bad.append(_undecodable(raw, error))
    listing = Listing(items, page.metadata.resource_version or "", tuple(bad))
    return listing, page.metadata.continue_ or ""


def _undecodable(raw: bytes | Raw, error: Exception) -> Undecodable:
    identity = _identity(raw)
    return Undecodable(identity.namespace or "", identity.name or "", identity.resource_version or "", str(error))


def _identity(raw: bytes | Raw) -> _Identity:
    try:
        return _ENVELOPE.decode(raw).metadata
    except msgspec.MsgspecError:
        return _Identity()


def event_decoder(type_: type[T], about: str) -> Callable[[bytes], WatchEvent[T]]:
    """A function from one watch line to its event; raises the ApiError that an ERROR line carries."""
    decode = decoder(type_)

    def event(line: bytes) -> WatchEvent[T]:
        try:
            parsed = _LINE.decode(line)
        except msgspec.MsgspecError as error:
            raise UnexpectedAnswer(f"{about}: a line of the watch is no event: {error}") from error
        kind, raw = parsed.type, parsed.object
        if kind in {"ADDED", "MODIFIED", "DELETED"}:
            change = cast("EventKind", kind)
            try:
                obj = decode(raw)
            except msgspec.MsgspecError as error:
                bad = _undecodable(raw, error)
                return WatchEvent(change, None, bad.resource_version, bad)
            return WatchEvent(change, obj, identity_of(obj)[2])
        if kind == "BOOKMARK":
            return WatchEvent("BOOKMARK", None, _identity(raw).resource_version or "")
        raise _watch_error(raw, about)

    return event


def _watch_error(raw: Raw, about: str) -> ClusterError:
    try:
        status = _STATUS.decode(raw)
    except msgspec.MsgspecError:
        return UnexpectedAnswer(f"{about}: the watch ended with an error that can't be read")
    return error_from_status(status, status.code or 500, about=about)


def identity_of(obj: Any) -> tuple[str, str, str, str]:
    """Namespace, name, resourceVersion and UID of a decoded object; empty strings where it has none."""
    if isinstance(obj, dict):
        metadata = obj.get("metadata")
        get = metadata.get if isinstance(metadata, dict) else {}.get
        return get("namespace") or "", get("name") or "", get("resourceVersion") or "", get("uid") or ""
    metadata = obj.metadata
    return metadata.namespace, metadata.name, metadata.resource_version, metadata.uid
