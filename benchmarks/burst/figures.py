"""The figures of one round, as they are written and as they are told. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demo.latency import percentile


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of writes are of the whole burst; latencies are in seconds, one a job."""

    jobs: int
    seconds_to_last_dispatch: float
    seconds_to_last_end: float
    burst_seconds: Sequence[float]
    single_seconds: Sequence[float]
    hub_writes: int
    hub_writes_until_dispatched: int
    member_writes: int
    cpu_seconds: float
    dispatch_milliseconds: Mapping[str, float]
    """Processor time a job by program, of the burst until its last member Job."""
    life_milliseconds: Mapping[str, float]
    """The same of the burst that runs to its end at once."""
    peak_mebibytes: float
    machine: Mapping[str, object]

    @property
    def jobs_per_second(self) -> float:
        """Jobs by the seconds from the first create call to the last member Job seen."""
        return self.jobs / self.seconds_to_last_dispatch

    def report(self, rounds: int, load: float) -> dict[str, object]:
        """The figures as they are written; `rounds` says of how many these are the best.

        `load` is how many processes of others wanted a processor before the first round.
        """
        return {
            "jobs": self.jobs,
            "jobsPerSecond": round(self.jobs_per_second, 1),
            "p50Milliseconds": _milliseconds(self.burst_seconds, 50),
            "p99Milliseconds": _milliseconds(self.burst_seconds, 99),
            "unloadedP50Milliseconds": _milliseconds(self.single_seconds, 50),
            "completionsPerSecond": round(self.jobs / self.seconds_to_last_end, 1),
            "hubWritesPerJob": round(self.hub_writes / self.jobs, 2),
            "hubWritesPerJobUntilDispatched": round(self.hub_writes_until_dispatched / self.jobs, 2),
            "memberWritesPerJob": round(self.member_writes / self.jobs, 2),
            "cpuSeconds": round(self.cpu_seconds, 2),
            "peakMebibytes": round(self.peak_mebibytes, 1),
            "processorMillisecondsPerJob": {
                name: {"untilDispatched": self.dispatch_milliseconds[name], "overLife": whole}
                for name, whole in self.life_milliseconds.items()
            },
            "machine": {**self.machine, "bestOfRounds": rounds, "loadAverageBefore": round(load, 1)},
        }

    def line(self) -> str:
        """The figures in one line."""
        told = self.report(1, 0.0)
        del told["machine"], told["processorMillisecondsPerJob"]
        return ", ".join(f"{key} {value}" for key, value in told.items())


def _milliseconds(seconds: Sequence[float], percent: float) -> float | None:
    found = percentile(seconds, percent)
    return None if found is None else round(found * 1000, 1)
