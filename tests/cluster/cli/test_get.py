import json
import re
from collections.abc import Iterator

import pytest
import yaml
from tests.cluster.cli.desk import Desk
from tests.cluster.cli.terminal import Terminal

from federation import Federation, compute_job, job_spec

LONG = "a-job-whose-name-is-so-long-that-no-narrow-terminal-has-room-for-it-and-more"


@pytest.fixture(scope="module", autouse=True)
def jobs(fed: Federation) -> Iterator[None]:
    """Two jobs in team-a, one of them done, and one in team-b."""
    fed.namespace("team-b")
    made = [compute_job("done", job_spec()), compute_job(LONG, job_spec(run_seconds="3600"))]
    made.append(compute_job("other", job_spec(), namespace="team-b"))
    made[0]["metadata"]["labels"] = {"kind": "short"}
    fed.hub.apply(made)
    fed.wait_job("done")
    fed.wait_job("other", namespace="team-b")
    yield
    fed.hub.kubectl("delete", "cjob", "--all", "-n", "team-a", "--timeout=60s")
    fed.hub.kubectl("delete", "cjob", "--all", "-n", "team-b", "--timeout=60s")


def spaced(text: str) -> list[list[str]]:
    """The cells of a table, the ages left out: they go on while we look."""
    return [re.split(r" {2,}", line)[:-1] for line in text.splitlines()]


@pytest.mark.parametrize(
    ("own", "kubectl"),
    [
        (("get", "nodes"), ("get", "computenodes")),
        (("get", "jobs", "-n", "team-a"), ("get", "computejobs", "-n", "team-a")),
        (("get", "jobs", "-A"), ("get", "computejobs", "-A")),
        (("get", "job", "done", "-n", "team-a"), ("get", "computejob", "done", "-n", "team-a")),
        (("-n", "team-a", "get", "job/done"), ("get", "computejob/done", "-n", "team-a")),
        (("get", "jobs", "-n", "team-a", "-l", "kind=short"), ("get", "cjob", "-n", "team-a", "-l", "kind=short")),
        (("get", "jobs", "-n", "team-a", "--no-headers"), ("get", "cjob", "-n", "team-a", "--no-headers")),
    ],
    ids=["nodes", "namespace", "all namespaces", "name", "flag first", "label", "no headers"],
)
def test_tables_are_those_of_kubectl(
    fed: Federation, desk: Desk, own: tuple[str, ...], kubectl: tuple[str, ...]
) -> None:
    """The same rows in the same columns as kubectl get."""
    assert spaced(desk.good(*own)) == spaced(fed.hub.kubectl(*kubectl))


@pytest.mark.parametrize(
    ("own", "kubectl"),
    [
        (("get", "jobs", "-n", "team-b"), ("get", "cjob", "-n", "team-b")),
        (("get", "job", "other", "-n", "team-b"), ("get", "cjob", "other", "-n", "team-b")),
        (("get", "nodes", "east"), ("get", "cn", "east")),
    ],
    ids=["list", "one", "node"],
)
def test_objects_are_those_of_kubectl(
    fed: Federation, desk: Desk, own: tuple[str, ...], kubectl: tuple[str, ...]
) -> None:
    """-o json, -o yaml and -o name give what kubectl gives, but for figures that change by themselves."""
    assert (
        json.loads(desk.good(*own, "-o", "json"))["kind"] == json.loads(fed.hub.kubectl(*kubectl, "-o", "json"))["kind"]
    )
    assert (
        yaml.safe_load(desk.good(*own, "-o", "yaml")).keys()
        == json.loads(fed.hub.kubectl(*kubectl, "-o", "json")).keys()
    )
    assert desk.good(*own, "-o", "name") == fed.hub.kubectl(*kubectl, "-o", "name")


def test_a_finished_job_is_the_same_in_every_form(fed: Federation, desk: Desk) -> None:
    """JSON and YAML of one object are kubectl's, word for word."""
    expected = json.loads(fed.hub.kubectl("get", "cjob", "other", "-n", "team-b", "-o", "json"))
    assert json.loads(desk.good("get", "job", "other", "-n", "team-b", "-o", "json")) == expected
    assert yaml.safe_load(desk.good("get", "job", "other", "-n", "team-b", "-o", "yaml")) == expected


def test_wide_adds_columns(desk: Desk) -> None:
    """-o wide shows a node's state, identity and accelerators."""
    head, row = desk.good("get", "nodes", "east", "-o", "wide").splitlines()
    assert head.split()[-7:] == ["STATE", "CODE", "MACHINES", "CPU-FREE", "MEMORY-FREE", "ACCELERATORS", "VERSION"]
    assert "8/8 NVIDIA-A100-SXM4-40GB, 4/4 Tesla-T4" in row


def test_one_name_that_is_not_there(desk: Desk) -> None:
    """Those that are there are shown, the other is told as kubectl tells it, and the exit code is 1."""
    done = desk("get", "jobs", "done", "none", "<b>x", "-n", "team-a")
    assert done.code == 1
    assert [line.split()[0] for line in done.lines] == ["NAME", "done"]
    assert done.err.splitlines() == [
        'Error from server (NotFound): computejobs.isthmus.dev "none" not found',
        'Error from server (NotFound): computejobs.isthmus.dev "<b>x" not found',
    ]


def test_nothing_there(desk: Desk) -> None:
    """An empty namespace is no error, and is said on standard error."""
    done = desk("get", "jobs", "-n", "empty")
    assert (done.code, done.out, done.err) == (0, "", "No resources found in empty namespace.\n")
    assert json.loads(desk.good("get", "jobs", "-n", "empty", "-o", "json"))["items"] == []


def test_a_terminal_of_60_columns(desk: Desk) -> None:
    """On a narrow terminal the table is folded, no line is wider, and no colour is used."""
    with Terminal(desk, "get", "jobs", "-n", "team-a", columns=60) as terminal:
        assert terminal.end() == 0
        lines = terminal.shown.splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert "\x1b" not in terminal.shown
    first = "".join(line.split(" ")[0] for line in lines if line and not line.startswith(("NAME", "done")))
    assert first == LONG


def test_watch_shows_changes_until_ctrl_c(fed: Federation, desk: Desk) -> None:
    """-w goes on with a row for each change below the table, and ends by Ctrl-C without a traceback."""
    with Terminal(desk, "get", "jobs", "-n", "team-b", "-w", columns=200) as terminal:
        terminal.until(lambda shown: "other" in shown, "the table")
        fed.hub.apply([compute_job("later", job_spec(), namespace="team-b")])
        terminal.until(lambda shown: re.search(r"later +Succeeded", shown) is not None, "the change")
        assert terminal.interrupt() == 130
        assert "Traceback" not in terminal.shown


def test_describe(desk: Desk) -> None:
    """Describe shows a node's accelerators and conditions, and a job's shards and events."""
    node = desk.good("describe", "node", "east")
    assert re.search(r"^  NVIDIA-A100-SXM4-40GB +whole +40Gi +\d +8 +nvidia.com/gpu$", node, re.MULTILINE)
    assert re.search(r"^  Schedulable +True ", node, re.MULTILINE)
    job = desk.good("describe", "job", "done", "-n", "team-a")
    assert re.search(r"^Nodes: +east$", job, re.MULTILINE)
    assert re.search(r"^  east +1 +all +Succeeded", job, re.MULTILINE)
    assert "Normal" in job.partition("Events:")[2]


def test_describe_on_60_columns(desk: Desk) -> None:
    """No line of a page is wider than the terminal."""
    with Terminal(desk, "describe", "node", "east", columns=60) as terminal:
        assert terminal.end() == 0
    assert all(len(line) <= 60 for line in terminal.shown.splitlines())


def test_markup_and_control_characters_are_printed_as_they_are(fed: Federation, desk: Desk) -> None:
    """A region's name with HTML, markup and escapes shows them as text, in every form."""
    name = "<b>[red]Su\u001b[31mzhou</b>"
    fed.hub.rest.patch("/apis/isthmus.dev/v1alpha1/computenodes/east", {"spec": {"region": {"displayName": name}}})
    page = desk.good("describe", "node", "east")
    assert "<b>[red]Su\\x1b[31mzhou</b>" in page
    with Terminal(desk, "describe", "node", "east", columns=200) as terminal:
        assert terminal.end() == 0
    assert "<b>[red]Su\\x1b[31mzhou</b>" in terminal.shown
    assert "\u001b[31m" not in json.dumps(desk.good("get", "nodes", "east", "-o", "json"))
