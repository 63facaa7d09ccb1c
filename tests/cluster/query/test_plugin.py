import json
from collections.abc import Iterator

import pytest
from tests.cluster.cli.desk import Desk
from tests.cluster.query.aggregated import Aggregated

from federation import compute_job, job_spec
from testbed import Machine
from testbed.kubelet import Kubelet

MEMBERS = {name: [Machine(f"{name}-1", cpu="8", memory="32Gi")] for name in ("east", "west")}


@pytest.fixture(scope="module", autouse=True)
def jobs(query: Aggregated) -> Iterator[None]:
    """One job of three indexes that ran, and one that no node can take; the members' kubelets have logs."""
    with Kubelet(query.fed.clusters["east"]), Kubelet(query.fed.clusters["west"]):
        query.fed.hub.apply([compute_job("ran", job_spec(completions=3, parallelism=3))])
        query.fed.hub.apply([compute_job("waits", job_spec(cpu="64"))])
        query.fed.wait_job("ran")
        query.fed.wait_condition("computejobs", "waits", "Placed", "False", namespace="team-a")
        yield


@pytest.fixture(scope="module")
def ann(query: Aggregated) -> Desk:
    """Who may view team-a."""
    return Desk(query.fed.hub.kubeconfig("ann"), query.fed.bed.environment)


@pytest.fixture(scope="module")
def stranger(query: Aggregated) -> Desk:
    """Who may nothing."""
    return Desk(query.fed.hub.kubeconfig("stranger"), query.fed.bed.environment)


def test_explain_has_every_node_with_its_price(ann: Desk) -> None:
    """The whole explanation comes from the query API under the caller's own rights, and says when it was decided."""
    said = ann.good("explain", "ran", "-n", "team-a")
    assert "from the job's status" not in said
    assert "Decided:" in said
    rows = {line.split()[0]: line for line in said.splitlines() if line.startswith(("  east", "  west"))}
    assert sorted(row.split()[1] for row in rows.values()) == ["Chosen", "Fits"]
    assert "CNY" in next(row for row in rows.values() if "Chosen" in row)
    document = json.loads(ann.good("explain", "ran", "-n", "team-a", "-o", "json"))
    assert (document["kind"], len(document["nodes"])) == ("Explanation", 2)


def test_explain_a_job_that_waits(ann: Desk) -> None:
    """Each node has the reason against it."""
    said = ann.good("explain", "waits", "-n", "team-a")
    assert said.count("NeverFits") >= 2


def test_logs_of_an_index(query: Aggregated, ann: Desk) -> None:
    """The log is that of the pod which has the index, with -f as well."""
    pods = {
        pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]: pod["metadata"]["name"]
        for pod in query.fed.pods_of("ran")
    }
    for index in ("0", "2"):
        assert ann.good("logs", "ran", "-n", "team-a", "--index", index) == f"main of {pods[index]}\n"
    assert ann.good("logs", "job/ran", "-n", "team-a", "--index=1", "-f") == f"main of {pods['1']}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("logs", "ran"), "Error from server (BadRequest): "),
        (("logs", "ran", "--index=9"), "Error from server (BadRequest): "),
        (("logs", "none", "--index=0"), 'Error from server (NotFound): computejobs.isthmus.dev "none" not found'),
        (("logs", "waits"), "Error from server (BadRequest): "),
        (("explain", "none"), 'Error from server (NotFound): computejobs.isthmus.dev "none" not found'),
    ],
)
def test_what_there_is_no_answer_to(ann: Desk, arguments: tuple[str, ...], words: str) -> None:
    """The query API's own words in one line, exit code 1."""
    assert ann.complaint(*arguments, "-n", "team-a").startswith(words)


def test_without_the_right(stranger: Desk) -> None:
    """Neither logs nor explanations are for those who may not see the job."""
    assert stranger.complaint("logs", "ran", "-n", "team-a").startswith("Error from server (Forbidden): ")
    assert stranger.complaint("explain", "ran", "-n", "team-a").startswith("Error from server (Forbidden): ")


def test_while_the_hub_is_away(query: Aggregated, ann: Desk) -> None:
    """The explanation comes from the job's status, and it is said so; logs say in one line that there are none."""
    query.fed.process.kill()
    try:
        said = ann.good("explain", "ran", "-n", "team-a")
        assert "from the job's status: the hub's query API (query.isthmus.dev) says:" in " ".join(said.split())
        assert ann.complaint("logs", "ran", "-n", "team-a", "--index=0").startswith("error: there are no logs: ")
    finally:
        query.fed.process.start()
        query.wait_available()


def test_accounts_are_told_to_whoever_may_list_them(query: Aggregated, ann: Desk) -> None:
    """The hub's administrator sees where every account stands; who views one namespace is refused."""
    admin = Desk(query.fed.hub.kubeconfig(), query.fed.bed.environment)
    query.fed.hub.apply([compute_job("holds", job_spec(run_seconds="3600", cpu="2"))])
    query.fed.wait_condition("computejobs", "holds", "Placed", "True", namespace="team-a")
    headings, *rows = (line.split() for line in admin.good("top", "accounts").splitlines())
    assert headings == ["ACCOUNT", "WEIGHT", "SHARE", "GPUS", "CPU", "MEMORY", "PER-HOUR", "WAITING", "QUOTA"]
    (row,) = (row for row in rows if row[0] == "team-a")
    assert (row[1], row[3:6]) == ("1", ["0", "2", "1Gi"])
    assert row[-2:] == ["1", "-"]  # the job that no node can take waits
    refused = ann("top", "accounts")
    assert refused.code
    assert 'cannot list resource "accounts"' in refused.err
    query.fed.hub.kubectl("delete", "cjob", "holds", "-n", "team-a", "--timeout=60s")
