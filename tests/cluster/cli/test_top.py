from tests.cluster.cli.desk import Desk
from tests.cluster.cli.terminal import Terminal

from federation import Federation, compute_job, job_spec

LEAVE = "\x1b[?1049l"
SHOW_CURSOR = "\x1b[?25h"


def test_elsewhere_than_on_a_terminal_it_is_shown_once(fed: Federation, desk: Desk) -> None:
    """Piped, the fleet comes once, in plain text, with the job that runs."""
    fed.hub.apply([compute_job("busy", job_spec(run_seconds="3600", gpus=2))])
    fed.wait_condition("computejobs", "busy", "Placed", "True", namespace="team-a")
    out = desk.good("top")
    assert "\x1b" not in out
    assert "nodes 1/1" in out
    assert any(line.split()[:2] == ["team-a", "busy"] for line in out.splitlines())


def test_it_lives_until_ctrl_c(fed: Federation, desk: Desk) -> None:
    """On a terminal new jobs appear by themselves; Ctrl-C restores the screen and ends without a traceback."""
    with Terminal(desk, "top", "--interval=0.2s", columns=60, rows=20) as terminal:
        terminal.until(lambda shown: "busy" in shown, "the first screen")
        fed.hub.apply([compute_job("newcomer", job_spec(run_seconds="3600"))])
        terminal.until(lambda shown: "newcomer" in shown, "the new job")
        assert terminal.interrupt() in {0, 130}
        assert LEAVE in terminal.shown
        assert SHOW_CURSOR in terminal.shown[terminal.shown.rindex(LEAVE) - 40 :]
        assert "Traceback" not in terminal.shown
        assert terminal.after == terminal.before
    fed.hub.kubectl("delete", "cjob", "busy", "newcomer", "-n", "team-a", "--timeout=60s")


def test_it_goes_on_while_the_hub_is_away(fed: Federation) -> None:
    """A failure to look is shown on the screen, and the fleet again when the hub is back."""
    linked = Desk(fed.hub.kubeconfig(through_link=True), fed.bed.environment)
    with Terminal(linked, "top", "--interval=0.2s", columns=100) as terminal:
        terminal.until(lambda shown: "east" in shown, "the first screen")
        fed.hub.cut("refuse")
        terminal.until(lambda shown: "error: " in shown, "the failure")
        place = len(terminal.shown)
        fed.hub.heal()
        terminal.until(lambda shown: "east" in shown[place:], "the fleet again")
        assert terminal.interrupt() in {0, 130}


def test_no_colour(desk: Desk) -> None:
    """NO_COLOR is honoured on a terminal."""
    with Terminal(desk, "top", "--once", columns=100, NO_COLOR="1") as terminal:
        assert terminal.end() == 0
    assert "east" in terminal.shown
    assert "\x1b[3" not in terminal.shown
