import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.cli.simulate.sample import NODES, Command

MACHINES = "sn,cpu_milli,memory_mib,gpu,model\n"
COMMAND = Command("trace")
run, figures = COMMAND.run, COMMAND.figures


@pytest.mark.parametrize("policy", ["fragmentation", "bestfit", "random"])
def test_figures(policy: str) -> None:
    """It tells the allocation under each seed and their median, and the same again for the same seeds."""
    found = figures("--seeds=3", "--first-seed=7", f"--policy={policy}")
    assert {k: v for k, v in found.items() if k not in {"allocation", "median"}} == {
        "policy": policy,
        "load": 1.3,
        "members": 1,
        "machines": 39 - 1,
        "gpus": found["gpus"],
        "pods": 480,
        "seeds": [7, 8, 9],
    }
    assert len(found["allocation"]) == 3
    assert sorted(found["allocation"])[1] == found["median"]
    assert all(50 < each <= 100 for each in found["allocation"])
    assert figures("--seeds=3", "--first-seed=7", f"--policy={policy}") == found
    assert figures("--seeds=1", "--first-seed=8", f"--policy={policy}")["allocation"] == found["allocation"][1:2]


def test_the_rule_beats_chance() -> None:
    """On the sample too, chosen machines hold more than any machines."""
    chosen, chance = figures("--seeds=3"), figures("--seeds=3", "--policy=random")
    assert min(chosen["allocation"]) > max(chance["allocation"])


def test_members_and_load() -> None:
    """Machines can be dealt to members; under half the load no more than half is given out."""
    assert abs(figures("--seeds=3", "--members=4")["median"] - figures("--seeds=3")["median"]) < 2
    assert 40 < figures("--seeds=1", "--load=0.5")["median"] <= 50


def test_the_table() -> None:
    """Without -o json, a line for each seed and the median."""
    done = run("--seeds=2", "--members=2")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["SEED", "ALLOCATION"]
    assert [line.split()[0] for line in lines[1:4]] == ["42", "43", "median"]
    assert lines[4].startswith("fragmentation, load 1.3, 2 members: ")
    assert not done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--load=0"], "--load is 0; give a number above 0 and up to 100"),
        (["--load=-1"], "--load is -1"),
        (["--load=nan"], "--load is nan"),
        (["--load=1e9"], "--load is 1e+09"),
        (["--seeds=0"], "--seeds is 0"),
        (["--seeds=-3"], "--seeds is -3"),
        (["--first-seed=-1"], "--first-seed is -1"),
        (["--members=0"], "--members is 0"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_options_that_mean_nothing(options: list[str], words: str) -> None:
    """Each is refused with one line that says what would do."""
    done = run(*options)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("isthmus simulate trace: ")
    assert words in done.stderr


def test_too_many_members() -> None:
    """Each member has a machine at least."""
    done = run("--members=1000")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "1000 members for 38 machines" in done.stderr


def test_files_that_will_not_do(tmp_path: Path) -> None:
    """A file that is not there, machines without GPUs, pods that want none: one line each."""
    bare, plain = tmp_path / "machines.csv", tmp_path / "pods.csv"
    bare.write_text(f"{MACHINES}a,1000,1024,0,\n")
    plain.write_text("cpu_milli,memory_mib,num_gpu,gpu_milli\n1000,1024,0,0\n")
    for done, words in [
        (run(nodes=tmp_path / "none.csv"), "No such file"),
        (run(nodes=bare), "no machine with a GPU"),
        (run(pods=plain), "no pod asks for a GPU"),
        (run(pods=NODES), "has no column num_gpu, gpu_milli"),
    ]:
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert words in done.stderr


def test_other_commands_do_not_wait_for_it() -> None:
    """The command line starts without the packing and its arithmetic."""
    code = "import sys, isthmus.cli.main; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
