from tests.cluster.query.aggregated import Aggregated, path_of

from federation import compute_job
from testbed import Machine, wait_for
from testbed.kubelet import Kubelet

MEMBERS = {"east": [Machine("east-1", cpu="8", memory="32Gi")]}
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/isthmus-member-logs"


def test_member_that_lets_no_logs_be_read(query: Aggregated) -> None:
    """Where the member has no role for logs, whoever asks is told so; jobs run as ever, and it can be had later."""
    member = query.fed.clusters["east"]
    role = member.rest.get(ROLE)
    member.rest.delete(ROLE)
    query.fed.hub.apply([compute_job("job")])
    query.fed.wait_job("job")
    answer = query.raw("ann", path_of("job", "log"))
    assert "Error from server (Forbidden): node east does not let the hub read logs" in answer
    metadata = {"name": role["metadata"]["name"]}
    member.apply(
        [{"apiVersion": role["apiVersion"], "kind": "ClusterRole", "metadata": metadata, "rules": role["rules"]}]
    )
    with Kubelet(member):
        wait_for(lambda: query.raw("ann", path_of("job", "log")).startswith("main of job-"), 20, "the log")


def test_machine_that_does_not_answer(query: Aggregated) -> None:
    """Where the machine's kubelet can't be reached, the member's own words are passed on."""
    assert "Error from server (ServiceUnavailable): node east can't give the log" in query.raw(
        "ann", path_of("job", "log")
    )


def test_pods_that_are_gone(query: Aggregated) -> None:
    """A job whose pods were removed from the member has no log any more."""
    member = query.fed.clusters["east"]
    query.fed.hub.apply([compute_job("brief")])
    query.fed.wait_job("brief")
    (found,) = [job for job in query.fed.member_jobs("east") if job["metadata"]["name"].startswith("brief-")]
    namespace, name = found["metadata"]["namespace"], found["metadata"]["name"]
    member.kubectl("delete", "pods", "-n", namespace, "-l", f"isthmus.dev/dispatch={name}", "--wait")
    assert "Error from server (Gone): the job has ended" in query.raw("ann", path_of("brief", "log"))


def test_job_that_waits(query: Aggregated) -> None:
    """A job that has not been sent anywhere has no log yet, and the answer says why."""
    query.fed.hub.apply([compute_job("held", suspend=True)])
    query.fed.wait_condition("computejobs", "held", "Placed", "False", namespace="team-a")
    answer = query.raw("ann", path_of("held", "log"))
    assert "Error from server (BadRequest): the job has not been sent to a node yet: the job is suspended" in answer


def test_member_out_of_reach(query: Aggregated) -> None:
    """Where the member is out of reach, the answer is that, at once, and the explanation is told nonetheless."""
    member = query.fed.clusters["east"]
    member.cut("refuse")
    try:
        query.fed.wait_condition("computenodes", "east", "Reachable", "False")
        assert "Error from server (ServiceUnavailable): node east can't be reached" in query.raw(
            "ann", path_of("job", "log")
        )
        found = query.explanation("job", user="ann")
        assert [(row["node"], row["verdict"]) for row in found["nodes"]] == [("east", "Chosen")]
    finally:
        member.heal()
