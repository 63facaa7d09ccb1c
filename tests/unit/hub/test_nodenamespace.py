from datetime import UTC, datetime

import pytest

from isthmus.api.core import Metadata
from isthmus.api.names import LABEL_NODE
from isthmus.hub.accounts import NamespaceView
from isthmus.hub.nodenamespace import node_namespace_stands


@pytest.mark.parametrize(
    ("seen", "stands"),
    [
        pytest.param(None, False, id="not there"),
        pytest.param(Metadata(name="isthmus-node-n", labels={LABEL_NODE: "n"}), True, id="there"),
        pytest.param(Metadata(name="isthmus-node-n"), False, id="somebody else's"),
        pytest.param(
            Metadata(labels={LABEL_NODE: "n"}, deletion_timestamp=datetime.now(UTC)), False, id="on its way out"
        ),
    ],
)
def test_whether_a_namespace_need_not_be_made(seen: Metadata | None, stands: bool) -> None:
    """Only one that the watch shows as the node's own, and that stays, is not asked for again."""
    views = {} if seen is None else {"isthmus-node-n": NamespaceView(metadata=seen)}
    assert node_namespace_stands(views.get, "n") is stands
