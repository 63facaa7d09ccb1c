from federation.manifests import Object
from start.pattern import Footprint


def _object(name: str, uid: str, namespace: str = "team-a", **fields: object) -> Object:
    return {"metadata": {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": "7"}, **fields}


PATTERN = Footprint(
    job=_object("job", "u1", status={"nodes": ["north", "south"]}),
    dispatch=_object("job-abc", "u2", "node-north", spec={"of": "u1"}),
    member_job=_object("job-abc", "u3", "iwt-1"),
    pod=_object("job-abc-xyz", "u4", "iwt-1", owner="u3"),
)


def test_words_change_wherever_they_stand() -> None:
    """The longest word is taken where one begins another, and two words may change places."""
    words = {"job": "next", "job-abc": "next-def", "u1": "v1", "u3": "v3", "north": "south", "south": "north"}
    other = PATTERN.reworded(words)
    assert other.job["metadata"]["name"] == "next"
    assert other.job["status"] == {"nodes": ["south", "north"]}
    assert (other.dispatch["metadata"]["namespace"], other.dispatch["spec"]["of"]) == ("node-south", "v1")
    assert (other.pod["metadata"]["name"], other.pod["owner"]) == ("next-def-xyz", "v3")
    assert PATTERN.job["metadata"]["name"] == "job"


def test_what_is_stored_and_where() -> None:
    """Objects go under their keys with their UID and status; the version is the store's."""
    stored = dict([*PATTERN.in_hub(), *PATTERN.in_member()])
    assert list(stored) == [
        "isthmus.dev/computejobs/team-a/job",
        "isthmus.dev/dispatches/node-north/job-abc",
        "jobs/iwt-1/job-abc",
        "pods/iwt-1/job-abc-xyz",
    ]
    job = stored["isthmus.dev/computejobs/team-a/job"]
    assert job["metadata"] == {"name": "job", "namespace": "team-a", "uid": "u1"}
    assert job["status"] == PATTERN.job["status"]
