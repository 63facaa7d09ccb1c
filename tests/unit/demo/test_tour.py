import io
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from demo.keeping import commands_screen
from demo.source import CHECKOUT
from demo.summary import NO_GPU, ModelWork, work_by_model, work_by_node
from demo.tour import explanation_screen, models_screen, nodes_screen, wish
from demo.trace import TracePod
from demo.workload import TEAMS, DemoJob
from isthmus.api.computejob import ComputeJob

from .conftest import World


def lines(screen: RenderableType) -> list[str]:
    """What a terminal of 140 columns shows, without the spaces at the ends."""
    console = Console(file=io.StringIO(), width=140, force_terminal=False)
    console.print(screen, soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def run(world: World) -> None:
    """Two jobs in two members: on a G2 machine and on a T4 one."""
    machines = {machine.model: machine.name for machine in world.plan.all_machines}
    for number, node, model in ((0, "core-beijing", "G2"), (1, "edge-shenzhen", "T4")):
        world.job(number, "Succeeded", node, cost={"amount": "1.25", "currency": "CNY"})
        world.pod(number, node, machines[model])


def test_work_is_summed_by_node(world: World) -> None:
    """Jobs, pods, core-seconds, GPU-seconds and money of each member, members without work too."""
    run(world)
    work = work_by_node(world.plan.members, world.board.jobs.values(), world.board.pods.all())
    shown = [line.split() for line in lines(nodes_screen(work))]
    assert ["Core", "core-beijing", "Beijing", "1", "1", "2", "2", "1.25"] in shown
    assert ["Region", "region-guian", "Gui'an", "0", "0", "0", "0", "0.00"] in shown


def test_work_is_summed_by_model(world: World) -> None:
    """GPU-seconds and pods by model and node; most GPU-seconds first, pods without GPUs last."""
    run(world)
    work = work_by_model(world.plan.all_machines, world.board.pods.all())
    assert work == (
        ModelWork("G2", 1, 2, {"core-beijing": 1}),
        ModelWork("Tesla-T4", 1, 2, {"edge-shenzhen": 1}),
    )
    shown = lines(models_screen((*work, ModelWork(NO_GPU, 4, 0, {"edge-shenzhen": 4})), world.plan.members))
    assert shown[-1].split() == ["no", "GPU", "4"]


def test_an_explanation_shows_scores_then_reasons() -> None:
    """Each node stands with its score parts, or with the reason against it and the message."""
    nodes = [
        {"node": "region-guian", "score": 69, "parts": {"price": 78, "tier": 50}},
        {"node": "edge-shenzhen", "reason": "NeverFits", "message": "too small"},
    ]
    status = {"explanation": {"winner": "region-guian", "nodes": nodes}}
    job = ComputeJob.model_validate({"metadata": {"name": "j"}, "spec": {"template": {}}, "status": status})
    drawn = DemoJob(TracePod("openb-pod-1", 4000, 8192, 1, 1000, (), 1), TEAMS[0], "NonIndexed", 1, 1, 1, 0.0)

    assert lines(explanation_screen(job, drawn)) == [
        "team-vision/openb-pod-1: one pod; 1 GPU of any model, 4 cores, 8 GiB each; balanced",
        "",
        "NODE           SCORE  WHY",
        "region-guian      69  price 78 · tier 50",
        "edge-shenzhen      –  NeverFits: too small",
    ]


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (
            DemoJob(TracePod("p", 12_500, 57_344, 0, 0, (), 1), TEAMS[1], "NonIndexed", 1, 1, 1, 0.0),
            "one pod; 12.5 cores, 56 GiB each; cheapest",
        ),
        (
            DemoJob(
                TracePod("p", 88_000, 327_680, 8, 1000, ("G2", "G3"), 1),
                TEAMS[0],
                "Indexed",
                8,
                4,
                1,
                0.0,
                ("Edge",),
            ),
            "8 pods, 4 at once, each with an index; 8 GPUs of G2 or G3, 88 cores, 320 GiB each, in Edge; balanced",
        ),
    ],
    ids=["one on CPUs", "many on GPUs"],
)
def test_a_wish_is_said_in_words(job: DemoJob, text: str) -> None:
    """What a job asks for reads as a sentence."""
    assert wish(job) == text


def test_the_commands_are_ready_to_paste() -> None:
    """Three commands, each under its comment, that name the hub's kubeconfig, the explained job and a job to try."""
    job = ComputeJob.model_validate(
        {"metadata": {"name": "openb-pod-1", "namespace": "team-language"}, "spec": {"template": {}}}
    )
    shown = lines(commands_screen(Path("build/demo/kubectl"), TEAMS[0], job, CHECKOUT / "build" / "demo"))
    kubectl = "build/demo/kubectl"
    own = "-n team-vision"
    assert [line.strip() for line in shown if not line.strip().startswith("#")] == [
        "export KUBECONFIG=build/demo/hub.kubeconfig",
        f"{kubectl} get computenodes",
        f"{kubectl} describe -n team-language computejob/openb-pod-1",
        f"{kubectl} apply {own} -f build/demo/hello.json",
        f"{kubectl} wait {own} --for=condition=Complete computejob/hello",
    ]
