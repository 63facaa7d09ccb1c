from burst.figures import Figures
from burst.process import mebibytes_in
from report.machine import model_in
from testbed.processortime import cpu_seconds_in


def test_report_holds_the_figures_by_job_and_second() -> None:
    """Rates are by the whole burst's seconds, writes by job, latencies nearest rank in milliseconds."""
    figures = Figures(
        jobs=4,
        seconds_to_last_dispatch=2.0,
        seconds_to_last_end=8.0,
        burst_seconds=[0.1, 0.2, 0.3, 1.0],
        single_seconds=[0.05],
        hub_writes=25,
        hub_writes_until_dispatched=13,
        member_writes=8,
        cpu_seconds=1.234,
        dispatch_milliseconds={"hub": 5.0},
        life_milliseconds={"hub": 9.5},
        peak_mebibytes=99.96,
        machine={"cores": 2},
    )
    assert figures.report(3, 0.24) == {
        "jobs": 4,
        "jobsPerSecond": 2.0,
        "p50Milliseconds": 200.0,
        "p99Milliseconds": 1000.0,
        "unloadedP50Milliseconds": 50.0,
        "completionsPerSecond": 0.5,
        "hubWritesPerJob": 6.25,
        "hubWritesPerJobUntilDispatched": 3.25,
        "memberWritesPerJob": 2.0,
        "cpuSeconds": 1.23,
        "peakMebibytes": 100.0,
        "processorMillisecondsPerJob": {"hub": {"untilDispatched": 5.0, "overLife": 9.5}},
        "machine": {"cores": 2, "bestOfRounds": 3, "loadAverageBefore": 0.2},
    }


def test_processor_time_whatever_the_command_is_called() -> None:
    """User and system time are the 14th and 15th field, counted after a command that may hold blanks and brackets."""
    stat = "42 (a b) c) S 1 42 42 0 -1 4194304 900 0 0 0 250 50 7 7 20 0 1 0 100"
    assert cpu_seconds_in(stat, 100) == 3.0


def test_memory_is_read_in_mebibytes() -> None:
    """The kernel says KiB."""
    assert mebibytes_in("Name:\tx\nVmHWM:\t  204800 kB\nVmRSS:\t 1024 kB\n", "VmHWM") == 200.0


def test_the_processor_is_named() -> None:
    """The first core's model, or nothing where the file names none."""
    assert model_in("processor\t: 0\nmodel name\t: Fast CPU: 3 GHz\nmodel name\t: other\n") == "Fast CPU: 3 GHz"
    assert model_in("processor\t: 0\n") == ""
