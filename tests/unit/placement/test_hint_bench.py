import json
from pathlib import Path

from isthmus.cli.simulate.tracefile import read_machines, read_pods
from isthmus.placement.packing.machines import WHOLE
from placement.hintpage import NAME, with_figures
from placement.hints import Experiment, best_fit, hinted

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "hack" / "demo" / "sample"


def test_the_page_says_what_was_measured() -> None:
    """The table in the documentation is that of the file that the benchmark wrote."""
    page = (ROOT / "docs" / "placement.md").read_text(encoding="utf-8")
    report = json.loads((ROOT / "benchmarks" / "results" / NAME).read_text(encoding="utf-8"))
    assert with_figures(page, report) == page
    assert with_figures(page, {**report, "load": 7.7}) != page


def test_more_is_given_out_than_by_best_fit() -> None:
    """Where jobs go to the machines in mind more GPUs are in use than by best fit, as many as by the simulator's rule.

    In percent of all, as means over seeds; that rule knows the jobs beforehand.
    """
    pods = [pod for pod in read_pods(SAMPLE / "openb_pod_list_gpuspec33.csv") if pod.gpu_milli in {0, WHOLE}]
    experiment = Experiment(read_machines(SAMPLE / "openb_node_list_all_node.csv"), pods)
    seeds = range(8)
    by_hint = sum(experiment.allocation(seed, hinted()) for seed in seeds) / len(seeds)
    by_fit = sum(experiment.allocation(seed, best_fit) for seed in seeds) / len(seeds)
    by_rule = sum(experiment.simulated(seed) for seed in seeds) / len(seeds)
    assert by_hint > by_fit + 2
    assert abs(by_hint - by_rule) < 1
    assert experiment.allocation(3, hinted()) == experiment.allocation(3, hinted())
