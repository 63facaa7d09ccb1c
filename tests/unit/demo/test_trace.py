from pathlib import Path

import pytest

from demo.failure import DemoError
from demo.source import SAMPLE, VARIABLE, choose_source
from demo.trace import MACHINES_FILE, PODS_FILE, Trace, TraceMachine, TracePod, read_trace

MACHINES_HEADER = "sn,cpu_milli,memory_mib,gpu,model\n"
PODS_HEADER = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
)


def trace_in(folder: Path, machines: str = "", pods: str = "") -> Path:
    """A folder with these rows."""
    (folder / MACHINES_FILE).write_text(MACHINES_HEADER + machines)
    (folder / PODS_FILE).write_text(PODS_HEADER + pods)
    return folder


def test_rows_are_read_as_they_stand(tmp_path: Path) -> None:
    """Machines and pods keep the file's figures; repeated models count once; a pod lives from its scheduling on."""
    folder = trace_in(
        tmp_path,
        "node-0,32000,262144,0,\nnode-1,96000,393216,8,G2\n",
        "pod-0,4000,8192,1,460,V100M16|V100M32|V100M32,LS,Running,100,700,130\n"
        "pod-1,4000,8192,0,0,,BE,Pending,100,700,\n",
    )

    assert read_trace(folder) == Trace(
        machines=(TraceMachine("node-0", 32000, 262144, 0, ""), TraceMachine("node-1", 96000, 393216, 8, "G2")),
        pods=(
            TracePod("pod-0", 4000, 8192, 1, 460, ("V100M16", "V100M32"), 570),
            TracePod("pod-1", 4000, 8192, 0, 0, (), 600),
        ),
    )


@pytest.mark.parametrize(
    ("gpus", "milli", "shares"), [(0, 0, False), (1, 999, True), (1, 1000, False), (8, 1000, False)]
)
def test_a_pod_shares_a_gpu_only_with_less_than_a_whole_one(gpus: int, milli: int, *, shares: bool) -> None:
    """Only a share below 1000 of one GPU is sharing."""
    assert TracePod("pod", 1000, 1024, gpus, milli, (), 1).shares_gpu is shares


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("node-0,many,262144,0,\n", "many"),
        ("node-0,32000\n", "NoneType"),
    ],
    ids=["not a number", "too short"],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, said: str) -> None:
    """What is not of the trace's form ends in a DemoError with the file, the line and a mend."""
    with pytest.raises(DemoError, match=rf"{MACHINES_FILE}, line 2: .*{said}") as caught:
        read_trace(trace_in(tmp_path, row))
    assert "sample" in caught.value.mend


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A folder without the files ends in a DemoError that names the file and the variable."""
    with pytest.raises(DemoError, match=MACHINES_FILE) as caught:
        read_trace(tmp_path / "nowhere")
    assert VARIABLE in caught.value.mend


def test_the_whole_trace_goes_before_the_sample(tmp_path: Path) -> None:
    """The folder that the variable names goes first, then the shared one where it is there, then the sample."""
    shared, named = tmp_path / "shared", tmp_path / "named"

    assert choose_source({}, shared).folder == SAMPLE
    shared.mkdir()
    assert choose_source({}, shared).folder == shared
    assert choose_source({VARIABLE: str(named)}, shared).folder == named
    assert choose_source({VARIABLE: ""}, shared).folder == shared
