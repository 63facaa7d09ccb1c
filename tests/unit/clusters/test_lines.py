import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.clusters.lines import LineSplitter, LineTooLongError


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=20), st.data())
def test_any_cut_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    """However the network cuts a stream into chunks, its lines come out whole and in order."""
    stream = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter()
    found: list[bytes] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert found == [line for line in lines if line]


def test_an_endless_line_is_refused() -> None:
    """A line beyond the limit is an error before it fills the memory."""
    splitter = LineSplitter(longest=100)
    assert splitter.feed(b"x" * 100) == []
    with pytest.raises(LineTooLongError):
        splitter.feed(b"x")
