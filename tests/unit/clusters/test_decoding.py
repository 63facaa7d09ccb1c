import json
from typing import Any

import pytest

from isthmus.api.core import Job, Node, Pod
from isthmus.clusters import Expired, ServerFailure, UnexpectedAnswer
from isthmus.clusters.decoding import decode_object, decode_page, event_decoder, without_nulls

POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "a", "uid": "u", "resourceVersion": "7"},
    "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]},
    "status": {"phase": "Running", "startTime": "2026-01-02T03:04:05Z"},
}


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def _pod(**changes: Any) -> dict[str, Any]:
    return {**POD, **changes}


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(_pod(metadata={**POD["metadata"], "labels": None, "finalizers": None}), id="labels"),
        pytest.param(_pod(spec={"containers": None, "nodeName": None}), id="containers"),
        pytest.param(_pod(spec={"containers": [{"name": "c", "resources": None}, None]}), id="deep inside"),
        pytest.param(_pod(status=None), id="status"),
        pytest.param(_pod(metadata={**POD["metadata"], "creationTimestamp": None}), id="creationTimestamp"),
    ],
)
def test_null_means_unset(pod: dict[str, Any]) -> None:
    """An object that some client stored with nulls reads as one without these fields."""
    read = decode_object(_bytes(pod), Pod, "")
    assert read == decode_object(_bytes(without_nulls(pod)), Pod, "")
    assert read.metadata.name == "p"


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.123456Z",
        "2026-01-02T03:04:05.123456789Z",
        "2026-01-02T03:04:05+08:00",
    ],
)
def test_reads_every_form_of_time(time: str) -> None:
    """Whole seconds, MicroTime, nanoseconds and other zones are times."""
    read = decode_object(_bytes(_pod(status={"startTime": time})), Pod, "")
    assert read.status.start_time is not None


def test_the_template_of_a_job_may_have_null_times() -> None:
    """The API server writes `creationTimestamp: null` into templates; a Job reads all the same."""
    job = {"metadata": {"name": "j"}, "spec": {"template": {"metadata": {"creationTimestamp": None}, "spec": {}}}}
    assert decode_object(_bytes(job), Job, "").spec.template.metadata.creation_timestamp is None


def test_an_event_of_each_kind() -> None:
    """A watch line becomes its event, with the version to go on from."""
    event = event_decoder(Pod, "north")
    added = event(_bytes({"type": "ADDED", "object": POD}))
    assert (added.kind, added.resource_version, added.undecodable) == ("ADDED", "7", None)
    assert added.object == decode_object(_bytes(POD), Pod, "")
    bookmark = event(_bytes({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": "9"}}}))
    assert (bookmark.kind, bookmark.object, bookmark.resource_version) == ("BOOKMARK", None, "9")


def test_an_error_line_is_raised() -> None:
    """A watch may end with an error in its stream, such as 410 though its HTTP status was 200."""
    event = event_decoder(dict, "north")
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (2)"}
    with pytest.raises(Expired, match="too old resource version"):
        event(_bytes({"type": "ERROR", "object": gone}))
    with pytest.raises(ServerFailure):
        event(_bytes({"type": "ERROR", "object": {"kind": "Status", "message": "etcd is gone"}}))


@pytest.mark.parametrize("line", [b"not json", b"[]", b'{"type":"ERROR","object":1}', b'{"type":"NEW","object":{}}'])
def test_a_line_that_is_no_event_is_unexpected(line: bytes) -> None:
    """What no API server sends is one clear error, never another exception."""
    with pytest.raises((UnexpectedAnswer, ServerFailure)):
        event_decoder(Pod, "north")(line)


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(_pod(status={"phase": "Running", "startTime": "yesterday"}), id="time"),
        pytest.param(_pod(spec={"containers": "none"}), id="type"),
        pytest.param(_pod(spec={"containers": [{"name": 1}]}), id="name"),
    ],
)
def test_an_object_that_cannot_be_read_is_told_and_not_fatal(pod: dict[str, Any]) -> None:
    """The event and the page go on without it, naming it, its version and what is wrong."""
    event = event_decoder(Pod, "north")(_bytes({"type": "MODIFIED", "object": pod}))
    bad = event.undecodable
    assert bad is not None
    assert (event.object, event.resource_version, bad.namespace, bad.name) == (None, "7", "a", "p")
    assert "$." in bad.problem
    body = _bytes({"metadata": {"resourceVersion": "8", "continue": "more"}, "items": [POD, pod]})
    listing, token = decode_page(body, Pod, "north")
    assert [item.metadata.name for item in listing.items] == ["p"]
    assert (listing.undecodable, listing.resource_version, token) == ((bad,), "8", "more")


@pytest.mark.parametrize("items", [[], None])
def test_an_empty_list(items: list[Any] | None) -> None:
    """No items, written either way, is an empty list."""
    listing, token = decode_page(_bytes({"metadata": {"resourceVersion": "8"}, "items": items}), Node, "north")
    assert (listing.items, listing.resource_version, token) == ([], "8", "")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"items":[]}'])
def test_a_body_that_is_no_list_is_unexpected(body: bytes) -> None:
    """What is no list is one clear error."""
    with pytest.raises(UnexpectedAnswer, match="north"):
        decode_page(body, Pod, "north")
