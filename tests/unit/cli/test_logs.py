import ast
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

import isthmus
from isthmus.api.core import Metadata
from isthmus.api.reference import reference
from isthmus.cli.logs import configure_logs

PACKAGE = Path(isthmus.__file__).parent


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    """Logging is as it was once the test is over."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level, kopf = root.handlers[:], root.level, logging.getLogger("kopf").level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("kopf").setLevel(kopf)
    structlog.configure(**before)


@pytest.mark.usefixtures("_logging_as_before")
def test_lines_are_json_objects(capsys: pytest.CaptureFixture[str]) -> None:
    """Our lines, those of libraries, warnings and tracebacks each are one JSON object on one line."""
    configure_logs("json", "info")
    logger = structlog.get_logger("isthmus.test")
    logger.debug("not told")
    job = reference("ComputeJob", {"namespace": "team-a", "name": "train", "uid": "u"})
    logger.info("a\nbreak", **job, node="east")
    try:
        int("x")
    except ValueError:
        logger.exception("failed")
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "10.0.0.1")
    about = {"apiVersion": "isthmus.dev/v1alpha1", "kind": "ComputeNode", "name": "east", "uid": "n", "namespace": None}
    logging.getLogger("kopf.objects").error("Handler failed.", extra={"k8s_ref": about, "k8s_skip": True})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines[:4]] == [
        "a\nbreak",
        "failed",
        "Error handling request from 10.0.0.1",
        "Handler failed.",
    ]
    keys = ("kind", "namespace", "name", "uid", "node")
    assert [lines[0].get(key) for key in keys] == ["ComputeJob", "team-a", "train", "u", "east"]
    assert all("ValueError: invalid literal" in line["exception"] for line in lines[1:3])
    assert [lines[3].get(key) for key in keys] == ["ComputeNode", None, "east", "n", None]
    assert (lines[4]["logger"], len(lines)) == ("py.warnings", 5)
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in lines)


def test_references() -> None:
    """A reference has what is known of an object, be it decoded or plain."""
    plain = {"namespace": "n", "name": "a", "uid": "u", "labels": {}}
    assert reference("Job", plain) == {"kind": "Job", "namespace": "n", "name": "a", "uid": "u"}
    assert reference("Job", Metadata(namespace="n", name="a")) == {"kind": "Job", "namespace": "n", "name": "a"}
    assert reference("ComputeNode", {"name": "east"}) == {"kind": "ComputeNode", "name": "east"}


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                target = node.func.value
                if isinstance(target, ast.Name) and target.id in {"logger", "_log"}:
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_no_line_names_an_object_in_another_way() -> None:
    """Nowhere in the code is a line written with a key of its own for an object."""
    calls = list(_calls())
    assert len(calls) > 20
    others = {"job", "dispatch", "pod", "secret", "settlement", "obj", "uid_"}
    assert [where for where, call in calls if {keyword.arg for keyword in call.keywords} & others] == []
