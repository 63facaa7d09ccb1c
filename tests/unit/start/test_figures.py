from start.figures import Figures, Hour, Start, Usage


def test_report_holds_the_figures() -> None:
    """Processor time of the hour is that of the hour alone; memory is what it was, and at most."""
    figures = Figures(
        ended=10,
        running=2,
        nodes=3,
        start=Start(1.04, 2.06, Usage(1.5, 90.0, 91.0), 7.0, Usage(2.5, 95.04, 96.0)),
        hour=Hour(120, 96, 30.04, before=Usage(2.55, 95.0, 96.0), after=Usage(12.5, 99.96, 100.5)),
        machine={"cores": 2},
    )
    assert figures.report() == {
        "endedJobs": 10,
        "runningJobs": 2,
        "nodes": 3,
        "secondsToReady": 1.0,
        "secondsToFirstDecision": 2.1,
        "cpuSecondsToFirstDecision": 1.5,
        "secondsToQuiet": 7.0,
        "cpuSecondsToQuiet": 2.5,
        "residentMebibytesWhenQuiet": 95.0,
        "hourJobs": 120,
        "hourHeartbeats": 96,
        "hourSeconds": 30.0,
        "hourCpuSeconds": 9.9,
        "residentMebibytesAfterHour": 100.0,
        "peakMebibytes": 100.5,
        "machine": {"cores": 2},
    }
