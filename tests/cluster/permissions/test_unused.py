"""Least privilege: what no test of the whole run needed is no permission that the roles should give."""

from collections.abc import Callable

import pytest
import yaml

from federation.chart import render
from federation.federation import ROOT
from federation.usage import Permission, Usage, permissions_in

SHOWN = 3
MEMBER = ROOT / "deploy" / "member.yaml"


def _hub() -> list[Permission]:
    return list(permissions_in(obj for obj in render() if obj["metadata"]["name"] == "isthmus-hub"))


def _member() -> list[Permission]:
    return list(permissions_in(document for document in yaml.safe_load_all(MEMBER.read_text()) if document))


@pytest.mark.last
@pytest.mark.parametrize("permissions", [_hub, _member], ids=["hub", "member"])
def test_every_permission_is_used(usage: Usage, incomplete: str, permissions: Callable[[], list[Permission]]) -> None:
    """Every verb of the hub's roles, in its own cluster and in members, is used by it in some test of the run."""
    given = permissions()
    assert given
    unused = [str(each) for each in usage.unused(given)]
    if unused and incomplete:
        shown = ", ".join(unused[:SHOWN]) + (f" and {len(unused) - SHOWN} more" if len(unused) > SHOWN else "")
        pytest.skip(f"not judged: {incomplete}; not used so far: {shown}")
    assert unused == []
