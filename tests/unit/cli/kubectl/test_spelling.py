import pytest
import typer

from isthmus.cli.kubectl.complaint import Complaint
from isthmus.cli.kubectl.main import app
from isthmus.cli.kubectl.spelling import options_of, spelled


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        pytest.param(("-n=team-a",), "namespace", "team-a", id="letter and value"),
        pytest.param(("-nteam-a",), "namespace", "team-a", id="joined"),
        pytest.param(("-n", "team-a"), "namespace", "team-a", id="apart"),
        pytest.param(("-n==x",), "namespace", "=x", id="a value that begins so"),
        pytest.param(("--namespace=team-a",), "namespace", "team-a", id="long"),
        pytest.param(("-l=zone=east",), "selector", "zone=east", id="a value with ="),
        pytest.param(("-o=json",), "form", "json", id="choice"),
        pytest.param(("-A=true",), "all_namespaces", True, id="letter true"),
        pytest.param(("-A=0",), "all_namespaces", False, id="letter false"),
        pytest.param(("-A",), "all_namespaces", True, id="letter alone"),
        pytest.param(("--all-namespaces=true",), "all_namespaces", True, id="long true"),
        pytest.param(("--all-namespaces=false",), "all_namespaces", False, id="long false"),
        pytest.param(("--watch", "-w=false"), "watch", False, id="the last counts: off"),
        pytest.param(("--watch=false", "-w"), "watch", True, id="the last counts: on"),
        pytest.param(("-Aw=false",), "all_namespaces", True, id="letters together"),
        pytest.param(("-wn=team-a",), "namespace", "team-a", id="a value at their end"),
        pytest.param(("-l", "-A=true"), "selector", "-A=true", id="what is another's value"),
        pytest.param(("--", "-n=team-a"), "names", ["-n=team-a"], id="after --"),
    ],
)
def test_an_option_as_kubectl_takes_it(arguments: tuple[str, ...], name: str, value: object) -> None:
    """Each way in which kubectl takes an option comes to the command with the value that was meant."""
    root = typer.main.get_command(app)
    command = root.commands["get"]  # type: ignore[attr-defined]  # a group's
    found = command.make_context("get", ["jobs", *arguments]).params[name]
    assert found == value


def test_an_option_before_the_command() -> None:
    """It comes out the same there, and what stands after the command is left to the command."""
    context = typer.main.get_command(app).make_context("isthmus", ["-n=team-a", "get", "jobs", "-n=b"])
    assert context.params["namespace"] == "team-a"
    assert context._protected_args + context.args == ["get", "jobs", "-n=b"]


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        pytest.param("-n=", "-n= has no value", id="nothing"),
        pytest.param("-A=perhaps", "-A=perhaps: write true or false", id="letter"),
        pytest.param("--watch=", "--watch=: write true or false", id="long"),
    ],
)
def test_a_value_that_is_none(argument: str, words: str) -> None:
    """It is refused in words, never taken for another."""
    command = typer.main.get_command(app).commands["get"]  # type: ignore[attr-defined]  # a group's
    with pytest.raises(Complaint, match=words):
        spelled([argument], options_of(command.params), to_the_end=True)


def test_every_command_reads_them_so() -> None:
    """No command of the plugin is left with the other parser: each takes -n=NAME, or has no -n."""
    groups = [typer.main.get_command(app)]
    for group in groups:
        for name, command in group.commands.items():  # type: ignore[attr-defined]  # a group's
            assert type(command).__module__ == "isthmus.cli.kubectl.spelling", name
            if hasattr(command, "commands"):
                groups.append(command)
