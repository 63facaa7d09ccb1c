import sys
from pathlib import Path

import pytest
from tests.unit.cli.simulate.sample import Command

COMMAND = Command("replay")
run, figures = COMMAND.run, COMMAND.figures


def test_every_policy_and_objective() -> None:
    """All policies under the first objective, the first policy under the others; the same again for the same seed."""
    found = figures("--load=1.2")
    assert [(each["policy"], each["objective"]) for each in found["runs"]] == [
        ("fragmentation", "Balanced"),
        ("bestfit", "Balanced"),
        ("random", "Balanced"),
        ("fragmentation", "Cheapest"),
        ("fragmentation", "Greenest"),
    ]
    assert figures("--load=1.2") == found
    assert found["jobs"] + found["impossible"] == 480
    for each in found["runs"]:
        waits = each["waitSeconds"]
        assert 0 <= waits["p50"] <= waits["p95"] <= waits["p99"]
        assert 0 < each["utilisation"] <= 100
        assert each["cost"] > 0
        assert each["neverStarted"] == 0


def test_more_machines_make_shorter_waits() -> None:
    """At a low load there are more GPUs and nobody waits; at a high one pods do, and more is in use."""
    low, high = figures("--load=0.2", "--policy=fragmentation"), figures("--load=1.5", "--policy=fragmentation")
    assert low["gpus"] > high["gpus"]
    assert low["runs"][0]["waitSeconds"]["mean"] < high["runs"][0]["waitSeconds"]["mean"]
    assert low["runs"][0]["utilisation"] < high["runs"][0]["utilisation"]


def test_objectives_get_what_they_are_for() -> None:
    """With room to choose, Cheapest costs least and Greenest emits least."""
    found = figures("--load=0.2", "--policy=fragmentation", "--objective=Cheapest", "--objective=Greenest")
    cheapest, greenest = found["runs"]
    assert cheapest["cost"] < greenest["cost"]
    assert cheapest["carbonTonnes"] > greenest["carbonTonnes"]


@pytest.mark.parametrize(("name", "begin"), [("it.png", b"\x89PNG"), ("it.svg", b"<?xml")])
def test_the_picture(tmp_path: Path, name: str, begin: bytes) -> None:
    """It is drawn in the form that the file's name says."""
    done = run("--policy=fragmentation", "--policy=random", f"--plot={tmp_path / name}")
    assert done.exit_code == 0, done.output
    assert (tmp_path / name).read_bytes().startswith(begin)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The picture is refused with what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    done = run("--policy=bestfit", "--objective=Cheapest", f"--plot={tmp_path / 'it.png'}")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "--plot needs matplotlib; install it: pip install 'isthmus[plot]'" in done.stderr


def test_a_picture_that_can_not_be_written(tmp_path: Path) -> None:
    """It is told, with the file."""
    done = run("--policy=bestfit", "--objective=Cheapest", f"--plot={tmp_path / 'none' / 'it.png'}")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "No such file" in done.stderr


def test_the_table() -> None:
    """A line for each run, and what was replayed."""
    lines = run("--policy=bestfit").stdout.splitlines()
    assert lines[0].split()[:2] == ["POLICY", "OBJECTIVE"]
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["bestfit", "Balanced"],
        ["bestfit", "Cheapest"],
        ["bestfit", "Greenest"],
    ]
    assert "members" in lines[4]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--load=0", "--load is 0"),
        ("--load=inf", "--load is inf"),
        ("--speed=0", "--speed is 0"),
        ("--horizon=0", "--horizon is 0"),
        ("--first-day=-1", "--first-day is -1"),
        ("--seed=-1", "--seed is -1"),
        ("--plot=it.pdf", "--plot is it.pdf; name a .png or .svg file"),
    ],
)
def test_options_that_mean_nothing(option: str, words: str) -> None:
    """Each is refused with one line that says what would do."""
    done = run(option)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_files_that_will_not_do(tmp_path: Path) -> None:
    """Pods without times or all at once, a day after the last, few machines, a file that is not there: a line each."""
    untimed, few = tmp_path / "pods.csv", tmp_path / "machines.csv"
    untimed.write_text("cpu_milli,memory_mib,num_gpu,gpu_milli\n1000,1024,0,0\n")
    few.write_text("cpu_milli,memory_mib,gpu,model\n64000,262144,8,T4\n")
    early = tmp_path / "early.csv"
    fits, does_not = "1000,1024,1,1000,0,60\n", "999999999,1024,1,1000,30,60\n"
    early.write_text(f"cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time\n{fits}{does_not}")
    for done, words in [
        (run(pods=early), "none comes after the first"),
        (run(pods=untimed), "has no column creation_time, deletion_time"),
        (run("--first-day=400"), "has no pods after day 400"),
        (run(nodes=few), "3 members for 1 machines"),
        (run(f"--scenario={tmp_path / 'none.yaml'}"), "can't read"),
    ]:
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert words in done.stderr
