import ast
import subprocess
import sys

import pytest

from isthmus.cli.kubectl.complaint import Complaint, line_of
from isthmus.cli.kubectl.flags import Flags
from isthmus.clusters.errors import ClusterError, Forbidden, NotFound, Unauthorized, Unreachable

HEAVY = {"kubernetes", "pydantic", "sqlalchemy", "aiohttp", "rich", "yaml", "kopf"}


def test_what_stands_after_the_command_counts_more() -> None:
    """An option after the command is taken, one before it where there is none after."""
    after, before = Flags(context="a", as_group=("x",)), Flags(context="b", namespace="n", as_group=("y",))
    assert after.over(before) == Flags(context="a", namespace="n", as_group=("x",))


@pytest.mark.parametrize(("text", "seconds"), [(None, 30), ("5", 5), ("1m", 60), ("0", 86_400)])
def test_how_long_a_request_may_take(text: str | None, seconds: float) -> None:
    """As kubectl takes it: 0 is without an end."""
    assert Flags(request_timeout=text).timeout_seconds(30) == seconds


def test_a_timeout_that_is_none() -> None:
    """It is told with the forms there are."""
    with pytest.raises(Complaint, match="--request-timeout 'soon': write 30"):
        Flags(request_timeout="soon").timeout_seconds(30)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NotFound(404, "NotFound", 'x "y" not found'), 'Error from server (NotFound): x "y" not found'),
        (Forbidden(403, "", "no"), "Error from server (Forbidden): no"),
        (
            Unauthorized(401, "Unauthorized", "Unauthorized"),
            "error: You must be logged in to the server (Unauthorized)",
        ),
        (Unreachable("hub: no\n connection\x1b[1m"), "error: hub: no connection\\x1b[1m"),
        (Complaint("[red]no[/red]"), "error: [red]no[/red]"),
    ],
)
def test_an_error_is_one_line(error: ClusterError | Complaint, line: str) -> None:
    """As kubectl words it, without line ends, markup or control characters taking effect."""
    assert line_of(error) == line


def test_help_loads_nothing_heavy() -> None:
    """The command line stands before anything is loaded that only some command needs."""
    code = "import sys, isthmus.cli.kubectl.main; print([m for m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(ast.literal_eval(done.stdout))


def test_a_table_needs_no_models_and_no_library_of_kubernetes() -> None:
    """What `get` needs of the cluster package loads neither pydantic nor kubernetes nor a database."""
    code = (
        "import sys, isthmus.cli.kubectl.get, isthmus.cli.kubectl.connection, isthmus.cli.kubectl.query,"
        " isthmus.clusters.client, isthmus.clusters.configfiles; print([m for m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"kubernetes", "pydantic", "sqlalchemy", "kopf"}.isdisjoint(ast.literal_eval(done.stdout))
