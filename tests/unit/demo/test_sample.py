from pathlib import Path

from demo.members import MEMBERS, cut_machines
from demo.sample.draw import write_sample
from demo.source import SAMPLE
from demo.trace import MACHINES_FILE, PODS_FILE, read_trace


def test_the_sample_is_what_its_drawing_draws(tmp_path: Path) -> None:
    """The CSV files in the repository are those that `python -m demo.sample.draw` writes."""
    write_sample(tmp_path)

    for name in (MACHINES_FILE, PODS_FILE):
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes()


def test_the_sample_has_all_sorts_of_pods() -> None:
    """It has what the trace has: pods without GPUs, whole ones, shares, several, and such that name models."""
    pods = read_trace(SAMPLE).pods

    assert {pod.gpus for pod in pods} == {0, 1, 2, 4, 8}
    assert any(pod.shares_gpu for pod in pods)
    assert any(pod.models for pod in pods)
    assert any(len(pod.models) > 1 for pod in pods)
    assert all(pod.gpus == 1 for pod in pods if pod.models)


def test_the_sample_has_machines_for_every_member() -> None:
    """All four members can be cut out of it, and none of its machines is left over but CPU ones."""
    trace = read_trace(SAMPLE)
    cut = cut_machines(MEMBERS, trace.machines)

    taken = {machine for machines in cut.values() for machine in machines}
    assert {machine.model for machine in set(trace.machines) - taken} <= {"", "G2", "T4"}
