from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.cli.simulate import sample

from isthmus.cli.simulate.tracefile import TimedPod, read_machines, read_pods, read_timed_pods
from isthmus.errors import TraceError
from isthmus.placement.packing import Machine, PodClass

NODES = "sn,cpu_milli,memory_mib,gpu,model\n"
PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n"
TIMED = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time,scheduled_time\n"


def written(folder: Path, text: str | bytes) -> Path:
    """The text in a file."""
    path = folder / "some.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_sample_is_of_the_form() -> None:
    """The sample in the repository, drawn in the trace's form, can be read, times and all."""
    machines = read_machines(sample.NODES)
    assert Machine(32_000, 262_144) in machines
    pods = read_pods(sample.PODS)
    assert len(pods) == 480
    assert any(pod.models for pod in pods)
    assert len(read_timed_pods(sample.PODS)) == 480


def test_machines(tmp_path: Path) -> None:
    """One for each row; one without GPUs has no model."""
    path = written(tmp_path, f"{NODES}a,64000,262144,2,P100\nb,32000,131072,0,P100\n")
    assert read_machines(path) == [Machine(64_000, 262_144, 2, "P100"), Machine(32_000, 131_072, 0, "")]


def test_pods(tmp_path: Path) -> None:
    """Models are named once each, in one order; a pod without GPUs names none, nor one of a list without the column."""
    text = TIMED + "a,1000,2048,1,460,T4|P100|T4,0,9,1\nb,1000,2048,0,0,T4,0,9,1\nc,1,1,2,1000,,0,9,1\n"
    assert read_pods(written(tmp_path, text)) == [
        PodClass(1000, 2048, 1, 460, ("P100", "T4")),
        PodClass(1000, 2048),
        PodClass(1, 1, 2, 1000),
    ]
    assert read_pods(written(tmp_path, f"{PODS}a,1000,2048,1,460\n")) == [PodClass(1000, 2048, 1, 460)]


def test_times(tmp_path: Path) -> None:
    """A pod runs from when it was scheduled until it was deleted; one that never ran is left out; by creation."""
    text = TIMED + "a,1,1,0,0,,50,100,60\nb,1,1,0,0,,20,90,\nc,1,1,0,0,,0,10,10\n"
    assert read_timed_pods(written(tmp_path, text)) == [
        TimedPod(PodClass(1, 1), 20, 70),
        TimedPod(PodClass(1, 1), 50, 40),
    ]


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (read_machines, "sn,cpu_milli,memory_mib\na,1,1\n", "has no column gpu, model"),
        (read_machines, "", "has no column"),
        (read_machines, NODES, "has no rows"),
        (read_machines, f"{NODES}a,1,1,0,\n", "no machine with a GPU"),
        (read_machines, f"{NODES}a,1,1,2,T4\nb,-1,1,2,T4\n", "line 3: cpu_milli is -1, negative"),
        (read_machines, f"{NODES}a,1,1,5000,T4\n", "line 2: gpu is 5000, more than 4096"),
        (read_machines, f"{NODES}a,1,1,2e3,T4\n", "line 2: gpu is '2e3', no whole number"),
        (read_machines, f"{NODES}a,1\n", "line 2: gpu is missing"),
        (read_machines, f"{NODES}a,1,99999999999999999999,2,T4\n", "more than can be"),
        (read_pods, f"{PODS}a,1,1,1,1001\n", "line 2: 1001 thousandths are more than a GPU has"),
        (read_pods, f"{PODS}a,1,1,2,500\n", "line 2: 2 GPUs of 500 thousandths each"),
        (read_pods, f"{PODS}a,1,1,1,-5\n", "line 2: gpu_milli is -5, negative"),
        (read_pods, b"\xff\xfe\x00", "is no CSV file"),
        (read_timed_pods, f"{PODS}a,1,1,1,500\n", "has no column creation_time, deletion_time"),
        (read_timed_pods, f"{TIMED}a,1,1,0,0,,nan,9,1\n", "line 2: creation_time is nan"),
        (read_timed_pods, f"{TIMED}a,1,1,0,0,,x,9,1\n", "line 2: creation_time is 'x', no number"),
        (read_timed_pods, f"{TIMED}a,1,1,0,0,,5,5,5\n", "has no pod that ran"),
    ],
)
def test_files_that_will_not_do(tmp_path: Path, read: Callable[[Path], object], text: str | bytes, words: str) -> None:
    """What is wrong is told with the file, and the line where there is one."""
    path = written(tmp_path, text)
    with pytest.raises(TraceError) as raised:
        read(path)
    assert words in str(raised.value)
    assert str(path) in str(raised.value)


def test_no_such_file(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is told by its name."""
    with pytest.raises(TraceError, match=r"can't read .*none\.csv: No such file"):
        read_pods(tmp_path / "none.csv")
    with pytest.raises(TraceError, match=r"can't read .*: Is a directory"):
        read_pods(tmp_path)
