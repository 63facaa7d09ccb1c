import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cli.simulate.manifests import GPU, Object, answered, called, job, node
from tests.unit.placement.fleets import UNHURRIED


def test_answer(tmp_path: Path) -> None:
    """Jobs go to the cheaper node, what finds no room has its reasons, and the cost is told with the bound."""
    nodes = [node("dear", core="0.001"), node("cheap", free=4)]
    jobs = [job("one", gpus=4), job("two", gpus=8), job("three", gpus=16, namespace="team")]
    found = answered(tmp_path, nodes, jobs)
    placed = {each["job"]: (each["node"], each["indexes"], each["pods"]) for each in found["assignments"]}
    assert placed == {"one": ("cheap", None, 1), "two": ("dear", None, 1)}
    (waits,) = found["unplaced"]
    assert (waits["job"], waits["namespace"]) == ("three", "team")
    assert [(each["reason"], each["nodes"]) for each in waits["reasons"]] == [("NeverFits", 2)]
    assert waits["reasons"][0]["message"] == f"needs 16 x {GPU} on one machine; the largest machine has 8"
    assert found["cost"] == pytest.approx(3600 * (5 * 0.0001 + 9 * 0.001))
    assert found["cost"] == pytest.approx(sum(each["cost"] for each in found["assignments"]))
    assert found["currency"] == "CNY"
    assert 0 < found["bound"] <= found["objective"] + 1e-6
    assert found["gap"] == pytest.approx((found["objective"] - found["bound"]) / found["bound"])
    assert found["seconds"] > 0


def test_indexes(tmp_path: Path) -> None:
    """A job that may be split is, and each part has its indexes; one that may not has all in one place."""
    work: Object = {"completionMode": "Indexed", "completions": 12, "parallelism": 6}
    nodes = [node("a", machines=1, free=4), node("b", machines=1, free=2)]
    found = answered(tmp_path, nodes, [job("split", placement={"split": "ByIndex"}, **work)])
    parts = {each["node"]: (each["indexes"], each["pods"]) for each in found["assignments"]}
    assert parts == {"a": ("0-7", 4), "b": ("8-11", 2)}
    found = answered(tmp_path, nodes, [job("whole", **{**work, "parallelism": 4})])
    assert [(each["node"], each["indexes"]) for each in found["assignments"]] == [("a", "0-11")]
    found = answered(tmp_path, nodes, [job("more", placement={"split": "ByIndex"}, **{**work, "parallelism": 12})])
    assert [each["reasons"][0]["reason"] for each in found["unplaced"]] == ["PartlyPlaced"]


def test_table(tmp_path: Path) -> None:
    """For people there is a line for each job, those that wait together with the reason, and the sum."""
    jobs = [job("fits", gpus=8), *(job(f"large-{n}", gpus=16) for n in range(5))]
    result = called(tmp_path, [node("east")], jobs)
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["JOB", "NODE", "INDEXES", "PODS", "COST/H"]
    assert lines[1].split() == ["default/fits", "east", "1", "3.2400"]
    assert lines[2].startswith("not placed: default/large-0, default/large-1, default/large-2 and 2 more: 0/1 nodes")
    assert lines[3].startswith("cost per hour: 3.2400 CNY; ")
    assert ", 0.0 % above the bound of " in lines[4]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(json.dumps, id="JSON list"),
        pytest.param(yaml.safe_dump, id="YAML list"),
        pytest.param(lambda them: yaml.safe_dump_all([*them, None]), id="documents"),
        pytest.param(lambda them: yaml.safe_dump({"kind": "List", "apiVersion": "v1", "items": them}), id="List"),
        pytest.param(lambda them: json.dumps({"kind": "ComputeNodeList", "items": them}), id="list of a kind"),
    ],
)
def test_forms(tmp_path: Path, write: Any) -> None:
    """Manifests may come as a list, as documents, or as Kubernetes gives them."""
    found = answered(tmp_path, write([node("a"), node("b")]), [job("one")])
    assert len(found["assignments"]) == 1


@pytest.mark.parametrize(
    ("nodes", "jobs", "told"),
    [
        pytest.param("a: [", [], "nodes.yaml, line 2: neither JSON nor YAML", id="no YAML"),
        pytest.param([3], [], "nodes.yaml, document 1: it is 3; a ComputeNode manifest is wanted", id="no manifest"),
        pytest.param(
            [node("a"), job("one")],
            [],
            'nodes.yaml, document 2: kind: it is "ComputeJob" of "isthmus.dev/v1alpha1"; a ComputeNode of isthmus.dev',
            id="another kind",
        ),
        pytest.param([{**node("a"), "metadata": {}}], [], "nodes.yaml, document 1: metadata.name", id="no name"),
        pytest.param(
            [node("a"), node("a")],
            [],
            "nodes.yaml, document 2 (ComputeNode a): metadata.name: document 1 has that name already",
            id="the same node twice",
        ),
        pytest.param(
            [],
            [job("x", namespace="t"), job("x"), job("x", namespace="t")],
            "jobs.json, document 3 (ComputeJob x): metadata.name: document 1 has that name already",
            id="the same job twice",
        ),
        pytest.param(
            [],
            [job("x"), job("x", namespace="default")],
            "jobs.json, document 2 (ComputeJob x): metadata.name: document 1 has that name already",
            id="the same job twice, its namespace named once",
        ),
        pytest.param([node("a" * 51)], [], "metadata.name: must be at most 50 characters without dots", id="long"),
        pytest.param([node("a.b")], [], "metadata.name: must be at most 50 characters without dots", id="a dot"),
        pytest.param(
            [node("a", tier="Upper")], [], "nodes.yaml, document 1 (ComputeNode a): spec.tier: Input should", id="field"
        ),
        pytest.param(
            [node("a", core="10000000000000")],
            [],
            "document 1 (ComputeNode a): spec.tariff.prices.coreSecond: write a decimal that is not negative",
            id="price",
        ),
        pytest.param(
            [node("a")],
            [{**job("x"), "spec": {"template": {"selector": {}, "template": {}}}}],
            "jobs.json, document 1 (ComputeJob x): spec.template: ",
            id="a template that no hub takes",
        ),
        pytest.param(
            [node("a")],
            [job("x", placement={"weights": {"price": 0, "carbon": 0}})],
            "(ComputeJob x): spec.placement.weights: the weights sum to zero; give at least one score more than 0",
            id="weights that sum to zero",
        ),
        pytest.param(
            [node("a")],
            [job("x", placement={"accelerator": {"modles": ["A100"]}})],
            "(ComputeJob x): spec.placement.accelerator.modles: there is no such field",
            id="a slip of the pen",
        ),
        pytest.param([node("a", teir="Edge")], [], "(ComputeNode a): spec.teir: there is no such field", id="a node's"),
        pytest.param(
            [node("a")],
            [job("x", parallelism=-1)],
            "(ComputeJob x): spec.template.parallelism is -1; give a number from 0 to 2147483647",
            id="fewer pods than none",
        ),
        pytest.param(
            [node("a")], [job("x", completions=10**12)], "spec.template.completions is 1000000000000", id="many pods"
        ),
        pytest.param([node("a")], [job("x", parallelism="2")], "spec.template.parallelism is '2'", id="a text"),
        pytest.param(
            [node("a")],
            [{**job("x"), "spec": {**job("x")["spec"], "variants": [{"name": "v"}, {"name": "v", "resources": {}}]}}],
            "(ComputeJob x): spec.variants[1]: an entry before it has the same name",
            id="two variants of one name",
        ),
        pytest.param(
            [node("a", offer={"scalable": [{"name": "s", "maximum": 1, "allocatable": {"cpu": "8"}}] * 2})],
            [],
            "(ComputeNode a): spec.offer.scalable[1]: an entry before it has the same name",
            id="two pools of one name",
        ),
        pytest.param([node("a")], [job("x", gpus=-1)], "jobs.json, document 1 (ComputeJob x): spec.template", id="-1"),
    ],
)
def test_wrong(tmp_path: Path, nodes: object, jobs: object, told: str) -> None:
    """What is wrong is told with file, document and field, on one line."""
    result = called(tmp_path, nodes, jobs, "-o", "json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_fleets_that_take_nothing(tmp_path: Path) -> None:
    """No nodes, nodes without a profile, or with figures that can't be, are an answer and no error."""
    wanted = [job("one")]
    (waits,) = answered(tmp_path, [], wanted)["unplaced"]
    assert waits["reasons"] == [{"reason": "NoNodes", "nodes": 0, "message": "there are no nodes"}]
    silent = {key: value for key, value in node("silent").items() if key != "status"}
    lying = node("lying")
    lying["status"]["profile"]["shapes"][0]["free"][GPU] = "9"
    (waits,) = answered(tmp_path, [silent, lying], wanted)["unplaced"]
    assert {each["reason"]: each["nodes"] for each in waits["reasons"]} == {"NoProfile": 1, "ImpossibleProfile": 1}


def test_figures_below_zero(tmp_path: Path) -> None:
    """A node with figures below zero is set aside with a reason, and the others take what they can."""
    lying, counting = node("lying"), node("counting")
    lying["status"]["profile"]["shapes"][0]["free"][GPU] = "-3"
    counting["status"]["profile"]["gpuFree"] = -1
    found = answered(tmp_path, [node("honest", machines=1), lying, counting], [job("fits"), job("not", gpus=8)])
    assert {each["node"] for each in found["assignments"]} == {"honest"}
    reasons = {each["reason"]: each for each in found["unplaced"][0]["reasons"]}
    assert reasons["ImpossibleProfile"]["nodes"] == 2
    assert f"status.profile.shapes[0].free.{GPU} is -3" in str(reasons) or "gpuFree is -1" in str(reasons)


@pytest.mark.parametrize("cores", ["1e18", "1e30", "1e400", "9999999999E"])
def test_an_absurd_request(tmp_path: Path, cores: str) -> None:
    """A job that asks for more than there can be waits, or runs in another form, and changes nothing for others."""
    small = [job(f"job-{n:02}", gpus=8 if n % 3 == 0 else 2) for n in range(20)]
    absurd, either = job("absurd", gpus=0), job("either", gpus=0)
    absurd["spec"]["template"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = cores
    either["spec"]["variants"] = [{"name": "absurd", "resources": {"cpu": "9999999999E"}}, {"name": "small"}]
    nodes = [node("a", core="0.001"), node("b", core="0.0001", machines=1)]
    alone, together = answered(tmp_path, nodes, small), answered(tmp_path, nodes, [*small, absurd, either])
    assert together["gap"] is not None
    before, after = ({each["job"] for each in found["assignments"]} for found in (alone, together))
    assert after == {*before, "either"}
    (waits,) = [each for each in together["unplaced"] if each["job"] == "absurd"]
    assert {each["reason"] for each in waits["reasons"]} == {"NeverFits"}


def test_contradictory_pair(tmp_path: Path) -> None:
    """Of constraints that no node meets together the pair is named, also where profiles tell of shapes alone."""
    plain = node("edge", tier="Edge")
    shape = plain["status"]["profile"]["shapes"][0]
    shape["accelerators"] = []
    for amounts in (shape["allocatable"], shape["free"]):
        del amounts[GPU]
    plain["status"]["profile"] |= {"allocatable": {}, "free": {}, "gpuTotal": 0, "gpuFree": 0}
    wanted = job("both", placement={"tiers": ["Edge"], "accelerator": {"models": ["A100"]}})
    (waits,) = answered(tmp_path, [node("core"), plain], [wanted])["unplaced"]
    assert waits["reasons"][0]["reason"] == "ContradictoryConstraints"
    pair = "placement.tiers [Edge] and placement.accelerator.models [A100] contradict each other"
    assert waits["reasons"][0]["message"].startswith(pair)


def test_wrong_currency(tmp_path: Path) -> None:
    """A currency that is no code is refused as a wrong option."""
    result = called(tmp_path, [node("a")], [], "--currency", "yuan")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'yuan' is no ISO 4217 code" in result.stderr


@pytest.mark.parametrize("core", ["0", "1000000000000"])
def test_prices(tmp_path: Path, core: str) -> None:
    """What costs nothing, or more than anybody has, is placed and added up all the same."""
    found = answered(tmp_path, [node("only", core=core)], [job("one"), job("two", gpus=0)])
    assert len(found["assignments"]) == 2
    assert found["cost"] == pytest.approx(3600.0 * 3 * float(core))
    assert found["gap"] is not None


def test_many_equal_jobs(tmp_path: Path) -> None:
    """Thousands of equal jobs are read, placed and told as one class."""
    found = answered(tmp_path, [node("only", machines=10)], [job(f"job-{n}") for n in range(5000)])
    assert (len(found["assignments"]), len(found["unplaced"])) == (80, 4920)


@UNHURRIED
@given(
    free=st.lists(st.integers(0, 8), min_size=1, max_size=4),
    asked=st.lists(st.tuples(st.integers(0, 8), st.integers(1, 3)), max_size=6),
)
def test_same_input_same_output(
    tmp_path_factory: pytest.TempPathFactory, free: list[int], asked: list[tuple[int, int]]
) -> None:
    """The answer hangs on the manifests alone, and not on their order; nothing is placed beyond what is free."""
    folder = tmp_path_factory.mktemp("batch")
    nodes = [node(f"n{n}", free=each, machines=1) for n, each in enumerate(free)]
    jobs = [job(f"j{n}", gpus=gpus, parallelism=pods) for n, (gpus, pods) in enumerate(asked)]
    first = answered(folder, nodes, jobs)
    again = answered(folder, nodes[::-1], jobs[::-1])
    for each in (first, again):
        each.pop("seconds")
    assert first == again
    used = dict.fromkeys((each["metadata"]["name"] for each in nodes), 0)
    for each in first["assignments"]:
        used[each["node"]] += each["pods"] * asked[int(each["job"][1:])][0]
    assert all(used[f"n{n}"] <= each for n, each in enumerate(free))
