import re
from datetime import UTC, datetime

from tests.cluster.cli.desk import Desk

from federation import Federation, compute_job, job_spec
from testbed import ClusterSpec, Machine, wait_for

PRICES = ("--core-second=0.00005", "--gibibyte-second=0.00001")


def test_cordon_and_uncordon(fed: Federation, desk: Desk) -> None:
    """A cordoned node takes no new work until it is opened again; saying it twice is no error."""
    assert desk.good("node", "cordon", "east") == "computenode/east cordoned\n"
    assert desk.good("node", "cordon", "east") == "computenode/east already cordoned\n"
    fed.wait_condition("computenodes", "east", "Schedulable", "False", reason="Cordoned")
    fed.hub.apply([compute_job("held", job_spec())])
    fed.wait_condition("computejobs", "held", "Placed", "False", namespace="team-a")
    assert "Cordoned" in desk.good("explain", "held", "-n", "team-a")
    assert desk.good("node", "uncordon", "east") == "computenode/east uncordoned\n"
    fed.wait_job("held")


def test_an_unknown_node(desk: Desk) -> None:
    """A node that is not there is told as kubectl tells it."""
    said = 'Error from server (NotFound): computenodes.isthmus.dev "nowhere" not found'
    assert desk.complaint("node", "cordon", "nowhere") == said
    assert desk.complaint("node", "forget", "nowhere", "--yes") == said


def test_drain_and_forget(fed: Federation, desk: Desk) -> None:
    """Work of a drained node moves away; what a lost node holds is given up by word, and runs elsewhere."""
    west = fed.bed.start(ClusterSpec("west", machines=[Machine("w", "16", "64Gi")]))["west"]
    linked = west.kubeconfig(through_link=True)
    desk.good(
        "node", "add", "west", f"--kubeconfig={linked}", "--tier=Edge", "--region=w", *PRICES, "--label=zone=west"
    )
    both = {"nodeSelector": {}, "tiers": ["Edge", "Core"]}
    fed.hub.apply([compute_job("moves", job_spec(run_seconds="3600", completions=2, parallelism=2), placement=both)])
    fed.wait_condition("computejobs", "moves", "Placed", "True", namespace="team-a")
    first = fed.job("moves")["status"]["nodes"]
    second = ({"east", "west"} - {first}).pop()
    said = desk.good("node", "drain", first, "--timeout=90s")
    assert said.splitlines()[0] == f"computenode/{first} is being drained"
    assert said.splitlines()[-1] == f"computenode/{first} drained"
    wait_for(lambda: fed.job("moves")["status"]["nodes"] == second, 60, "the job to move")
    desk.good("node", "uncordon", first)
    fed.hub.kubectl("delete", "cjob", "moves", "-n", "team-a", "--timeout=60s")

    only = {"nodeSelector": {"zone": "west"}}
    fed.hub.apply([compute_job("lost", job_spec(run_seconds="3600"), placement=only)])
    wait_for(lambda: fed.job("lost").get("status", {}).get("phase") == "Running", 60, "the job to run")
    assert "is not known to be out of reach (Connected)" in desk.complaint("node", "forget", "west", "--yes")
    west.cut("refuse")
    reachable = fed.wait_condition("computenodes", "west", "Reachable", "False")
    said = desk.complaint("node", "forget", "west")
    assert "say so with --yes" in said
    assert "isthmus.dev/forget-before" not in (fed.get("computenodes", "west")["metadata"].get("annotations") or {})
    early = "2026-01-01T00:00:00Z"
    assert "silent only since" in desk.complaint("node", "forget", "west", "--yes", f"--before={early}")
    since = datetime.fromisoformat(reachable["lastTransitionTime"])
    wait_for(lambda: datetime.now(UTC) > since, 10, "a second to pass")
    said = desk.good("node", "forget", "west", "--yes")
    assert re.fullmatch(r"computenode/west: what it was sent before \S+Z counts as stopped\n", said)
    wait_for(
        lambda: [shard["state"] for shard in fed.job("lost")["status"]["shards"]][:1] == ["Lost"],
        120,
        "the shard to be lost",
    )
    west.heal()
    fed.wait_condition("computenodes", "west", "Ready", "True")
    fed.hub.kubectl("delete", "cjob", "lost", "-n", "team-a", "--timeout=60s")
    fed.hub.kubectl("delete", "cn", "west", "--timeout=60s")
