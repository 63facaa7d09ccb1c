"""Data stays where it may be: 500 random jobs over three members with differing clearances, judged from outside."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any, NamedTuple

import pytest

from federation import Federation, compute_job, job_spec
from isthmus.api.names import node_of_namespace
from testbed import Machine, wait_for

JOBS = 500
WRITERS = 8
SETTLE_SECONDS = 120
Object = dict[str, Any]


class Cleared(NamedTuple):
    """What a node is cleared for."""

    classifications: frozenset[str]
    jurisdictions: frozenset[str]


class Asked(NamedTuple):
    """What a job's data asks for; no class and no jurisdictions are no wish."""

    classification: str | None
    residency: tuple[str, ...]


NODES = {
    "north": Cleared(frozenset({"Public", "Secret"}), frozenset({"CN", "HK"})),
    "east": Cleared(frozenset({"Public", "Internal"}), frozenset({"CN", "EU"})),
    "bare": Cleared(frozenset(), frozenset()),
}
CLASSES = (None, "Public", "Internal", "Secret", "TopSecret")
PLACES = ("CN", "HK", "EU", "US")
# Every job could be on any one of them: only clearances decide.
MEMBERS = {name: [Machine(f"{name}-{number}", "16", "64Gi", pods=300) for number in (1, 2)] for name in NODES}


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A hub and members that differ in their clearances; the last one states none at all."""
    with Federation(MEMBERS, log_level="info") as federation:
        federation.process.start()
        for name, cleared in NODES.items():
            stated = {
                "classifications": sorted(cleared.classifications),
                "jurisdictions": sorted(cleared.jurisdictions),
            }
            federation.join(name, **({"clearances": stated} if any(cleared) else {}))
        yield federation


@pytest.fixture(scope="module")
def asked(fed: Federation) -> dict[str, Asked]:
    """The jobs by name, all handed in, and each placed or told why not."""
    chance = random.Random(6)  # noqa: S311 - the same jobs in every run
    found: dict[str, Asked] = {}
    for number in range(JOBS):
        residency = tuple(chance.sample(PLACES, chance.choice((0, 1, 1, 2))))
        found[f"r-{number:03}"] = Asked(chance.choice(CLASSES), residency)
    fed.namespace("residency")
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda pair: fed.hub.rest.post(_COLLECTION, _manifest(*pair)), found.items()))
    _wait_settled(fed, found)
    return found


_COLLECTION = "/apis/isthmus.dev/v1alpha1/namespaces/residency/computejobs?fieldValidation=Strict"


def _manifest(name: str, wish: Asked) -> Object:
    data: Object = {"residency": list(wish.residency)} if wish.residency else {}
    if wish.classification is not None:
        data["classification"] = wish.classification
    template = job_spec(run_seconds="3600", cpu="10m", memory="16Mi")
    return compute_job(name, template, namespace="residency", **({"placement": {"data": data}} if data else {}))


def _allowed(wish: Asked, nodes: dict[str, Cleared]) -> set[str]:
    """Where the job may be, by the rule as the pages tell it."""
    return {
        name
        for name, (classes, places) in nodes.items()
        if (wish.classification is None or wish.classification in classes)
        and (not wish.residency or any(place in places for place in wish.residency))
    }


def _against(wish: Asked, cleared: Cleared) -> str:
    """The reason that keeps the job off a node where it may not be: the class is asked about first."""
    wrong_class = wish.classification is not None and wish.classification not in cleared.classifications
    return "NotCleared" if wrong_class else "ResidencyMismatch"


def _placed_reason(wish: Asked) -> str:
    """Why a job waits that may be nowhere."""
    some_class = wish.classification is None or any(
        wish.classification in each.classifications for each in NODES.values()
    )
    some_place = not wish.residency or any(each.jurisdictions & set(wish.residency) for each in NODES.values())
    if wish.classification is not None and wish.residency and some_class and some_place:
        return "ContradictoryConstraints"
    reasons = {_against(wish, each) for each in NODES.values()}
    return reasons.pop() if len(reasons) == 1 else "NoSuitableNode"


def _condition(job: Object, kind: str) -> Object:
    return next((c for c in job.get("status", {}).get("conditions", ()) if c["type"] == kind), {})


def _wait_settled(fed: Federation, names: dict[str, Asked]) -> None:
    """Until every job says whether it was placed, and each that was has a Job in its member."""

    def settled() -> bool:
        jobs = {job["metadata"]["name"]: job for job in fed.items("computejobs")}
        placed = [name for name in names if _condition(jobs[name], "Placed").get("status") == "True"]
        waiting = [name for name in names if _condition(jobs[name], "Placed").get("status") == "False"]
        made = sum(len(fed.member_jobs(member)) for member in NODES)
        return len(placed) + len(waiting) == len(names) and made == len(placed)

    wait_for(settled, SETTLE_SECONDS, "every job to be placed or told why not", interval_seconds=1)


def _sites(fed: Federation) -> dict[str, set[str]]:
    """Where each job is by its Dispatches, which must be where the members themselves have its Jobs."""
    by_dispatch = {
        dispatch["metadata"]["name"]: (
            dispatch["spec"]["job"]["name"],
            node_of_namespace(dispatch["metadata"]["namespace"]),
        )
        for dispatch in fed.items("dispatches")
    }
    there = {(job["metadata"]["name"], member) for member in NODES for job in fed.member_jobs(member)}
    assert there == {(name, node) for name, (_, node) in by_dispatch.items()}
    sites: dict[str, set[str]] = {}
    for job, node in by_dispatch.values():
        assert node is not None
        sites.setdefault(job, set()).add(node)
    return sites


def test_a_residency_rule_is_never_broken(fed: Federation, asked: dict[str, Asked]) -> None:
    """Each job is on one node that is cleared for its data, in the hub and in the member, or on none where none is."""
    sites = _sites(fed)
    for name, wish in asked.items():
        allowed = _allowed(wish, NODES)
        there = sites.get(name, set())
        assert there <= allowed, (name, wish, there)
        assert len(there) == (1 if allowed else 0), (name, wish, there)
    used = Counter(node for there in sites.values() for node in there)
    kinds = {(bool(_allowed(wish, NODES)), bool(wish.classification), bool(wish.residency)) for wish in asked.values()}
    assert set(used) == set(NODES), "each node has some of the work"
    # Without class and jurisdictions a job may be anywhere; all other kinds come both ways.
    assert kinds == set(product((True, False), (True, False), (True, False))) - {(False, False, False)}
    print(f"of {JOBS} jobs {sum(used.values())} were placed: {dict(used)}")  # noqa: T201 - figures to report


def test_what_waits_is_told_exactly_why(fed: Federation, asked: dict[str, Asked]) -> None:
    """A job that may be nowhere waits for good, with the reason of each node, and of all together."""
    jobs = {job["metadata"]["name"]: job for job in fed.items("computejobs")}
    waiting = {name: wish for name, wish in asked.items() if not _allowed(wish, NODES)}
    for name, wish in waiting.items():
        status, placed = jobs[name]["status"], _condition(jobs[name], "Placed")
        assert (status["phase"], placed["status"], placed["reason"]) == ("Pending", "False", _placed_reason(wish)), name
        told = {each["node"]: each["reason"] for each in status["explanation"]["nodes"]}
        assert told == {node: _against(wish, cleared) for node, cleared in NODES.items()}, name
        if placed["reason"] == "ContradictoryConstraints":
            assert f"placement.data.classification {wish.classification} and " in placed["message"]
            assert f"placement.data.residency [{', '.join(wish.residency)}]" in placed["message"]
    reasons = Counter(_placed_reason(wish) for wish in waiting.values())
    assert {"NotCleared", "ResidencyMismatch", "ContradictoryConstraints", "NoSuitableNode"} >= set(reasons)
    assert reasons["ContradictoryConstraints"] > 0
    print(f"{len(waiting)} jobs wait: {dict(reasons)}")  # noqa: T201 - as above


def test_a_clearance_that_comes_starts_what_waited_for_it(fed: Federation, asked: dict[str, Asked]) -> None:
    """A node that gets a clearance gets the jobs that waited for it, and no others; what runs stays where it is."""
    before = _sites(fed)
    more = Cleared(frozenset({"Public", "Secret"}), frozenset({"US"}))
    stated = {"classifications": sorted(more.classifications), "jurisdictions": sorted(more.jurisdictions)}
    fed.hub.rest.patch("/apis/isthmus.dev/v1alpha1/computenodes/bare", {"spec": {"clearances": stated}})
    now = {**NODES, "bare": more}
    due = {name for name, wish in asked.items() if name not in before and _allowed(wish, now)}
    assert due

    def started() -> bool:
        return due <= {job["metadata"]["name"] for job in fed.items("computejobs") if job["status"].get("shards")}

    wait_for(started, SETTLE_SECONDS, f"{len(due)} jobs to start", interval_seconds=1)
    _wait_settled(fed, asked)
    after = _sites(fed)
    assert {name: after[name] for name in before} == before
    assert {name: there for name, there in after.items() if name not in before} == {name: {"bare"} for name in due}
    assert "Traceback" not in fed.process.log.read_text()
