import io

from rich.console import Console

from demo.joining import unready
from demo.live import View

from .conftest import World


def rendered(view: View) -> str:
    """What a terminal of 120 columns shows."""
    console = Console(file=io.StringIO(), width=120, force_terminal=False)
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def midway(world: World) -> View:
    """Four jobs: one done, one running, one that waits, one that failed."""
    world.job(0, "Succeeded", "core-beijing", cost={"amount": "1.25", "currency": "CNY"})
    world.job(1, "Running", "core-beijing", cost={"amount": "0.5", "currency": "CNY"})
    world.job(2, "Pending")
    world.job(3, "Failed", "edge-shenzhen")
    world.member_job(0, 0.084)
    world.pod(1, "core-beijing", "", "Running")
    return View.of(world.board, world.plan.members, submitted=4, total=240, elapsed=34.2)


def test_one_line_says_it_all(world: World) -> None:
    """Jobs handed in, jobs by phase, GPUs and money in one line for a log."""
    assert midway(world).line() == (
        "[ 34 s] 4/240 handed in: 1 succeeded, 1 running, 1 pending, 1 failed; 12/32 GPUs free; 1.75 CNY spent"
    )


def test_the_table_has_a_row_for_each_member(world: World) -> None:
    """A member's free GPUs, running pods and jobs, done jobs and money stand in its row."""
    lines = [line.split() for line in rendered(midway(world)).splitlines()]
    assert ["core-beijing", "Core", "Beijing", "3/8", "1", "1", "1", "1.75"] in lines
    assert ["edge-shenzhen", "Edge", "Shenzhen", "3/8", "0", "0", "0", "0.00"] in lines


def test_ended_jobs_count_whichever_way_they_ended(world: World) -> None:
    """Succeeded and failed ones have ended; the run is over when all have."""
    assert midway(world).finished == 2


def test_the_view_shows_before_anything_has_happened(world: World) -> None:
    """The first picture is drawn from nothing."""
    view = View.of(world.board, world.plan.members, submitted=0, total=240, elapsed=0.0)
    assert "none yet" in rendered(view)
    assert "none seen yet" in view.line()


def test_members_that_are_not_ready_are_named(world: World) -> None:
    """Every member without Schedulable=True is told, with the reason that its node gives."""
    members = world.plan.members[:3]
    nodes = dict(world.board.nodes)
    nodes.pop(members[0].name)
    when = "2026-11-22T10:00:00Z"
    condition = {"type": "Schedulable", "status": "False", "reason": "Timeout", "message": "no answer"}
    for name, status in ((members[1].name, "False"), (members[2].name, "True")):
        world.board.on_node(
            "MODIFIED",
            {
                **nodes[name].to_manifest(),
                "status": {"conditions": [{**condition, "status": status, "lastTransitionTime": when}]},
            },
            0.0,
        )
    nodes = {name: node for name, node in world.board.nodes.items() if name != members[0].name}

    assert unready(members, nodes) == ["core-beijing is not entered", "region-guian: Timeout: no answer"]
    assert unready(world.plan.members[3:], nodes) == ["edge-shenzhen was not looked at"]
