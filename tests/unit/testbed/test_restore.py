import json

import pytest

from testbed.restore import MOST_BYTES, MOST_OBJECTS, batches


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [
        pytest.param(0, 1, [], id="nothing"),
        pytest.param(MOST_OBJECTS, 1, [MOST_OBJECTS], id="as many as one takes"),
        pytest.param(MOST_OBJECTS + 1, 1, [MOST_OBJECTS, 1], id="one more"),
        pytest.param(3, MOST_BYTES // 2, [1, 1, 1], id="large ones"),
        pytest.param(2, MOST_BYTES * 2, [1, 1], id="each larger than any limit"),
    ],
)
def test_as_many_as_a_transaction_takes(count: int, size: int, expected: list[int]) -> None:
    """Objects keep their order, and are put together up to etcd's limits of operations and bytes."""
    objects = [(f"pods/a/{number}", {"text": "x" * size}) for number in range(count)]
    made = list(batches(objects))
    assert [len(batch) for batch in made] == expected
    assert [(key, json.loads(text)) for batch in made for key, text in batch] == objects
