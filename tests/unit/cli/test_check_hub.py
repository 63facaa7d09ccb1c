import asyncio
import functools
from pathlib import Path
from typing import Any

import pytest
import typer
from aiohttp import web
from tests.unit.clusters.servers import serving
from typer.testing import CliRunner, Result

from isthmus.cli.check_hub import check_hub
from testbed.kubeconfig import write_kubeconfig

KINDS = ["computenodes", "computejobs", "dispatches", "settlements"]
OURS = "/apis/isthmus.dev/v1alpha1"
QUERY = "/apis/query.isthmus.dev/v1alpha1"


def resources(*names: str) -> dict[str, Any]:
    """What discovery says of a group's version."""
    return {"kind": "APIResourceList", "resources": [{"name": name} for name in names]}


GOOD: dict[str, Any] = {"/readyz": "ok", OURS: resources(*KINDS, "computejobs/status"), QUERY: resources()}


async def _ask(answers: dict[str, Any], folder: Path, *options: str) -> Result:
    """The command against one server that is both the hub and its cluster's API."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        answer = answers.get(request.path)
        if isinstance(answer, list):  # one after another, the last one for ever
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        match answer:
            case None:
                return web.json_response({"kind": "Status", "message": "no such path"}, status=404)
            case dict():
                return web.json_response(answer)
            case (status, text):
                return web.Response(status=status, text=text)
        return web.Response(text=str(answer))

    app = typer.Typer()
    app.command()(check_hub)
    async with serving(handle) as port:
        path = write_kubeconfig(folder / "kubeconfig", "hub", f"http://127.0.0.1:{port}", "", "token")
        arguments = [f"--url=http://127.0.0.1:{port}/", f"--kubeconfig={path}", *options]
        return await asyncio.to_thread(functools.partial(CliRunner().invoke, app, arguments))


def ask(answers: dict[str, Any], folder: Path, *options: str) -> Result:
    """The same, from outside of an event loop."""
    return asyncio.run(_ask(answers, folder, *options))


@pytest.mark.parametrize("options", [(), ("--query",)], ids=["plain", "query"])
def test_a_hub_that_works(tmp_path: Path, options: tuple[str, ...]) -> None:
    """A ready hub whose kinds are served passes."""
    done = ask(GOOD, tmp_path, "--timeout=0", *options)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "the hub is ready\n", "")


@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ({"/readyz": (503, "not synced: computejobs\n")}, (), "answers 503: not synced: computejobs"),
        ({"/readyz": None}, (), "answers 404"),
        ({OURS: None}, (), "isthmus.dev/v1alpha1 is not served"),
        ({OURS: resources(*KINDS[:3])}, (), "lacks settlements: install the CustomResourceDefinitions"),
        ({QUERY: None}, ("--query",), "query.isthmus.dev/v1alpha1 is not served"),
    ],
    ids=["not-ready", "not-a-hub", "no-kinds", "a-kind-missing", "no-query"],
)
def test_a_hub_that_does_not(tmp_path: Path, changes: dict[str, Any], options: tuple[str, ...], said: str) -> None:
    """Whatever is missing is said in one line, exit code 1."""
    done = ask({**GOOD, **changes}, tmp_path, "--timeout=0", *options)
    assert done.exit_code == 1
    assert said in done.stderr
    assert done.stderr.startswith("isthmus check-hub: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_query_api_is_asked_about_only_where_it_is_wanted(tmp_path: Path) -> None:
    """A hub without a query API is whole where none is asked for."""
    assert ask({**GOOD, QUERY: None}, tmp_path, "--timeout=0").exit_code == 0


def test_a_hub_that_is_still_starting_is_waited_for(tmp_path: Path) -> None:
    """Within the time given, a hub may become ready."""
    answers = {**GOOD, "/readyz": [(503, "starting"), (503, "starting"), "ok"]}
    assert ask(answers, tmp_path, "--timeout=20").exit_code == 0


def test_a_hub_that_is_down(tmp_path: Path) -> None:
    """Where nothing listens, it is said so."""
    path = write_kubeconfig(tmp_path / "kubeconfig", "hub", "http://127.0.0.1:9", "", "token")
    app = typer.Typer()
    app.command()(check_hub)
    done = CliRunner().invoke(app, ["--url=http://127.0.0.1:9", f"--kubeconfig={path}", "--timeout=0"])
    assert done.exit_code == 1
    assert "http://127.0.0.1:9 does not answer" in done.stderr
    assert "is the hub running?" in done.stderr
