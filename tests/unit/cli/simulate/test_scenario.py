from pathlib import Path

import pytest
import yaml
from tests.unit.packing.instances import random

from isthmus.cli.simulate.objective import Chooser, Objective, Rates
from isthmus.cli.simulate.scenario import DEFAULT, Scenario, read_scenario
from isthmus.errors import TraceError
from isthmus.placement.packing import Columns, Fragmentation, Machine, Members, PodClass, PodClasses

TWO = """
currency: CNY
watts: {core: 5, gpu: {T4: 100, "*": 300}}
members:
  - name: clean
    region: north
    pue: 1.5
    prices: {coreHour: 0.1, gibibyteHour: 0.01, gpuHour: {T4: 2, "*": 8}}
    priceFactors: [FLAT]
    gramsPerKilowattHour: [CLEAN]
  - name: cheap
    region: south
    prices: {coreHour: 0.05, gibibyteHour: 0.005, gpuHour: {"*": 1}}
    priceFactors: [FLAT]
    gramsPerKilowattHour: [DIRTY]
"""
for _word, _figure in (("FLAT", "1"), ("CLEAN", "100"), ("DIRTY", "600")):
    TWO = TWO.replace(_word, ", ".join([_figure] * 24))


def scenario(folder: Path, text: str = TWO) -> Scenario:
    """The text, read from a file."""
    path = folder / "scenario.yaml"
    path.write_text(text)
    return read_scenario(path)


def test_the_example_is_of_the_form() -> None:
    """Where no file is named there are three members, each with its own hours."""
    told = read_scenario(DEFAULT)
    assert [member.name for member in told.members] == ["north", "west", "east"]
    assert len({tuple(member.price_factors) for member in told.members}) == 3


def test_what_a_pod_costs_and_emits(tmp_path: Path) -> None:
    """2 cores, 4 GiB and half a T4 for 3 hours, against figures worked out by hand."""
    told = scenario(tmp_path)
    pod, rates = PodClass(2000, 4096, 1, 500), Rates(told.members[0], told)
    assert rates.hour(pod, "T4") == pytest.approx(2 * 0.1 + 4 * 0.01 + 0.5 * 2)
    assert rates.cost(pod, "T4", 0, 3 * 3600) == pytest.approx(3 * 1.24)
    assert rates.cost(pod, "V100", 0, 3600) == pytest.approx(2 * 0.1 + 4 * 0.01 + 0.5 * 8)
    assert rates.kilowatts(pod, "T4") == pytest.approx((2 * 5 + 0.5 * 100) / 1000)
    assert rates.carbon(pod, "T4", 0, 3 * 3600) == pytest.approx(0.06 * 3 * 100 * 1.5)


@pytest.mark.parametrize(
    ("objective", "member"), [(Objective.CHEAPEST, 1), (Objective.GREENEST, 0)], ids=["cheapest", "greenest"]
)
def test_the_objective_chooses_the_member(tmp_path: Path, objective: Objective, member: int) -> None:
    """As long as it has room; then the other one; then none."""
    pod = PodClass(1000, 1024, 1, 1000)
    fleet = [Machine(4000, 4096, 1, "T4")]
    classes = PodClasses([pod])
    members = Members([fleet, fleet], Columns(Fragmentation(classes, fleet)), random(), always=True)
    chooser = Chooser(objective, scenario(tmp_path), classes, scale=1000, horizon=24)
    found = [chooser(members, 0, 0.0) for _ in range(3)]
    assert [None if each is None else each[0] for each in found] == [member, 1 - member, None]


def test_one_member(tmp_path: Path) -> None:
    """A scenario of one member works as any other."""
    told = yaml.safe_load(TWO)
    told["members"] = told["members"][:1]
    fleet = [Machine(4000, 4096, 1, "T4")]
    classes = PodClasses([PodClass(1000, 1024, 1, 1000)])
    members = Members([fleet], Columns(Fragmentation(classes, fleet)), random(), always=True)
    chooser = Chooser(Objective.BALANCED, scenario(tmp_path, yaml.safe_dump(told)), classes, scale=1000, horizon=24)
    assert [chooser(members, 0, 0.0) is None for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expected `object`"),
        ("members: [", "while parsing"),
        (TWO.replace("currency: CNY", ""), "missing required field `currency`"),
        (TWO.replace("name: cheap", "name: clean"), "two members have the same name"),
        (TWO.replace("pue: 1.5", "pue: 0.5"), "`float` >= 1"),
        (TWO.replace("pue: 1.5", "pue: .inf"), "not finite"),
        (TWO.replace("pue: 1.5", "pew: 1.5"), "unknown field `pew`"),
        (TWO.replace("[1, 1, ", "[1, ", 1), "length >= 24"),
        (TWO.replace("[1, 1, ", "[-1, 1, ", 1), ">= 0"),
    ],
    ids=["empty", "no YAML", "missing", "twice", "pue", "infinite", "unknown", "hours", "negative"],
)
def test_files_that_will_not_do(tmp_path: Path, text: str, words: str) -> None:
    """What is wrong is told with the file."""
    with pytest.raises(TraceError) as raised:
        scenario(tmp_path, text)
    assert words in str(raised.value)
    assert "scenario.yaml" in str(raised.value)


def test_no_such_file(tmp_path: Path) -> None:
    """A file that is not there is told by its name."""
    with pytest.raises(TraceError, match=r"can't read .*none\.yaml"):
        read_scenario(tmp_path / "none.yaml")
