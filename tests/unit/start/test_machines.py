from start.machines import busy_seconds_in


def test_busy_is_all_but_idle_and_waiting() -> None:
    """The first line of /proc/stat in ticks: user, nice, system, idle, waiting, interrupts of both kinds."""
    assert busy_seconds_in("cpu  100 20 30 9999 8888 4 6 0 0 0\ncpu0 1 1 1 1 1 1 1 0 0 0\n", 10) == 16.0
