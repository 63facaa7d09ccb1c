"""What is billed of a job whose shards were lost and run again: all time of its pods, and no work of it twice."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from tests.cluster.federation.podrecorder import Run
from tests.cluster.federation.readingrecorder import ReadingRecorder
from tests.cluster.federation.sweep import Shard, Sweep

from demo.podtime import resource_seconds
from federation import Federation
from isthmus.ledger import Ledger
from testbed import DeadlineError, wait_for

_ALWAYS = {"start": datetime(2000, 1, 1, tzinfo=UTC), "end": datetime(3000, 1, 1, tzinfo=UTC)}
CURRENCY = "CNY"
BOOKED_SECONDS = 30.0

Amounts = dict[str, int]


class SweepBooks:
    """The account of the sweep's namespace; `shards` are all of the job's, all told."""

    def __init__(self, fed: Federation, sweep: Sweep, shards: list[Shard], readings: ReadingRecorder) -> None:
        self._url = fed.process.ledger
        self._account = sweep.name
        self._shards = shards
        self._readings = readings
        self._runs = {shard.name: sweep.runs([shard]) for shard in shards}

    def check_all_time(self) -> None:
        """In each member, and in each shard, what is billed and what is late and not billed are the time of its pods.

        A reading that says otherwise is told by its shard, before the sum is.
        """
        for shard in self._shards:
            told, used = Counter(shard.told) + Counter(shard.told_late), _used(self._runs[shard.name])
            assert told == used, f"told {told}, used {used}, {shard}\n{self._account_of(shard)}"
        for node in {shard.node for shard in self._shards}:
            used = _used(run for shard in self._shards if shard.node == node for run in self._runs[shard.name])
            self._wait_booked(node, used)

    def check_none_twice(self, cut: datetime) -> int:
        """Where an index succeeded out of sight and was run again, its time there since the cut is billed nowhere.

        What was told before the cut, as cost so far, stands: a reading never falls. The number of such indexes.
        """
        again = 0
        for shard in self._shards:
            later = [each for each in self._shards if each.attempt > shard.attempt]
            repeated = [
                run
                for run in self._runs[shard.name]
                if run.index in shard.late and any(run.index in each.covered for each in later)
            ]
            hidden = [run for run in repeated if run.time.phase == "Succeeded"]
            least, most = _used(_since(run, cut) for run in hidden), _used(hidden)
            late = Counter(shard.told_late)
            assert all(least[meter] <= late[meter] <= most[meter] for meter in most), (shard, least, most)
            again += len(hidden)
        for node in {shard.node for shard in self._shards}:
            told = sum((Counter(shard.told_late) for shard in self._shards if shard.node == node), Counter[str]())
            assert self._unbilled(node) == told, "late time of what was run again is not billed"
        return again

    def _wait_booked(self, node: str, used: Mapping[str, int]) -> None:
        def right() -> bool:
            return self._billed(node) + self._unbilled(node) == Counter(used)

        try:
            wait_for(right, BOOKED_SECONDS, f"books of {self._account} on {node}")
        except DeadlineError as error:
            found = f"billed {self._billed(node)}, late {self._unbilled(node)}, used {used}"
            accounts = [self._account_of(shard) for shard in self._shards if shard.node == node]
            raise AssertionError("\n".join([f"{error}; {found}", *accounts])) from None
        with Ledger.open(self._url) as ledger:
            assert ledger.conflicts() == ()

    def _account_of(self, shard: Shard) -> str:
        return self._readings.account(shard.name, self._runs[shard.name])

    def _billed(self, node: str) -> Counter[str]:
        sums: Counter[str] = Counter()
        with Ledger.open(self._url) as ledger:
            for line in ledger.lines(account=self._account, node=node, currency=CURRENCY, **_ALWAYS):
                sums[line.usage.meter] += line.usage.quantity
        return sums

    def _unbilled(self, node: str) -> Counter[str]:
        sums: Counter[str] = Counter()
        with Ledger.open(self._url) as ledger:
            for (meter, _), amount in ledger.unbilled_late_time(account=self._account, node=node, **_ALWAYS).items():
                sums[meter] += amount
        return sums


def _used(runs: Iterable[Run]) -> Counter[str]:
    return +Counter(resource_seconds(run.time for run in runs))


def _since(run: Run, instant: datetime) -> Run:
    """The part of the run that is not before the instant."""
    assert run.time.started is not None
    assert run.time.ended is not None
    begin = min(max(run.time.started, instant), run.time.ended)
    return replace(run, time=replace(run.time, started=begin))
