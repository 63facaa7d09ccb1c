"""Sets of completion indexes: sorted ranges, written as Kubernetes writes them (`1,3-5,7`), or packed where long."""

import base64
import binascii
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise

INDEX_LIMIT = 1_000_000
"""Indexes are below this."""

_PACKED = "z:"
_PLAIN_LIMIT = 8192
# A longer text may stand for 100,000 ranges, some megabytes each: of those few are kept.
_SHORT = 1024

Range = tuple[int, int]
"""First index and the one after the last."""


@dataclass(frozen=True, slots=True)
class IndexSet:
    """A set of indexes as disjoint ranges, ascending and with gaps between them. Made by `of`, `span` and `parse`."""

    ranges: tuple[Range, ...] = ()
    _sizes: tuple[int, ...] = field(default=(), repr=False, compare=False)

    @staticmethod
    def of(indexes: Iterable[int]) -> "IndexSet":
        """The set of these indexes."""
        return IndexSet.joined((index, index + 1) for index in indexes)

    @staticmethod
    def span(end: int, start: int = 0) -> "IndexSet":
        """All indexes from `start` to before `end`."""
        return IndexSet(((start, end),) if end > start else ())

    @staticmethod
    def joined(ranges: Iterable[Range]) -> "IndexSet":
        """The union of ranges in any order."""
        merged: list[Range] = []
        for first, end in sorted(ranges):
            if end <= first:
                continue
            if merged and first <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((first, end))
        return IndexSet(tuple(merged))

    @staticmethod
    def parse(text: str | None) -> "IndexSet":
        """Read either form; nothing, and an empty text, are the empty set. Raises ValueError for what is none."""
        if not text:
            return IndexSet()
        if text.startswith(_PACKED):
            return _unpacked(text.removeprefix(_PACKED))
        ranges = [_range(part) for part in text.split(",")]
        if any(after[0] <= before[1] - 1 for before, after in pairwise(ranges)):
            raise ValueError("indexes must ascend")
        return IndexSet.joined(ranges)

    def __len__(self) -> int:
        return sum(end - first for first, end in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __iter__(self) -> Iterator[int]:
        return (index for first, end in self.ranges for index in range(first, end))

    def __contains__(self, index: object) -> bool:
        if not isinstance(index, int):
            return False
        place = bisect_right(self.ranges, (index, INDEX_LIMIT + 1)) - 1
        return place >= 0 and index < self.ranges[place][1]

    def __or__(self, other: "IndexSet") -> "IndexSet":
        if not other.ranges:
            return self
        return IndexSet.joined((*self.ranges, *other.ranges)) if self.ranges else other

    def __sub__(self, other: "IndexSet") -> "IndexSet":
        return self if not other.ranges or not self.ranges else IndexSet(tuple(_minus(self.ranges, other.ranges)))

    def __and__(self, other: "IndexSet") -> "IndexSet":
        return self - (self - other)

    def __str__(self) -> str:
        """As a Job's completedIndexes are written: three or more in a row as FIRST-LAST."""
        return ",".join(_text(first, end - 1) for first, end in self.ranges)

    def encoded(self) -> str:
        """For a field of an object: the plain form, or where that is longer than 8 KiB a compressed bit field.

        100,000 indexes, however scattered, take at most 17 KiB.
        """
        text = str(self)
        return text if len(text) <= _PLAIN_LIMIT else _PACKED + _packed(self.ranges)

    def first(self, count: int, ranges: int | None = None) -> "IndexSet":
        """The lowest `count` of them, or fewer where those would take more than `ranges` ranges."""
        taken: list[Range] = []
        for first, end in self.ranges[:ranges]:
            if count <= 0:
                break
            taken.append((first, min(end, first + count)))
            count -= end - first
        return IndexSet(tuple(taken))

    def at(self, position: int) -> int:
        """The index at a position, counted from 0 in ascending order. Raises IndexError beyond the last."""
        if position < 0:
            raise IndexError(position)
        starts = self._starts()
        place = bisect_right(starts, position) - 1
        if place < 0 or position - starts[place] >= self.ranges[place][1] - self.ranges[place][0]:
            raise IndexError(position)
        return self.ranges[place][0] + position - starts[place]

    def select(self, positions: "IndexSet") -> "IndexSet":
        """The indexes at these positions; positions beyond the last are passed over."""
        starts, chosen = self._starts(), []
        for begin, stop in positions.ranges:
            at, place = begin, bisect_right(starts, begin) - 1
            while at < stop and 0 <= place < len(self.ranges):
                first, end = self.ranges[place]
                low = first + at - starts[place]
                high = min(end, low + stop - at)
                if low < high:
                    chosen.append((low, high))
                at, place = starts[place] + end - first, place + 1
        return IndexSet.joined(chosen)

    def _starts(self) -> tuple[int, ...]:
        if not self._sizes and self.ranges:
            sizes = (end - first for first, end in self.ranges[:-1])
            object.__setattr__(self, "_sizes", tuple(accumulate(sizes, initial=0)))
        return self._sizes


def claimed(text: str | None) -> IndexSet:
    """The indexes that a status names; none where it can't be read: what a member writes is no more than a claim."""
    if not text:
        return IndexSet()
    return _claimed(text) if len(text) <= _SHORT else _claimed_long(text)


def _read(text: str) -> IndexSet:
    try:
        return IndexSet.parse(text)
    except ValueError:
        return IndexSet()


_claimed = lru_cache(maxsize=4096)(_read)
_claimed_long = lru_cache(maxsize=16)(_read)


def _text(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first},{last}" if first + 1 == last else f"{first}-{last}"


def _range(part: str) -> Range:
    first, dash, last = part.partition("-")
    if not (first.isascii() and first.isdigit()) or (dash and not (last.isascii() and last.isdigit())):
        raise ValueError(f"{part[:32]!r} is no index or range")
    low, high = int(first[:12]), int((last if dash else first)[:12])
    if high < low or high >= INDEX_LIMIT:
        raise ValueError(f"{part[:32]!r} is no range of indexes below {INDEX_LIMIT}")
    return low, high + 1


def _minus(mine: tuple[Range, ...], others: tuple[Range, ...]) -> Iterator[Range]:
    place = 0
    for first, end in mine:
        at = first
        while place < len(others) and others[place][1] <= at:
            place += 1
        probe = place
        while probe < len(others) and others[probe][0] < end:
            if others[probe][0] > at:
                yield at, others[probe][0]
            at = max(at, others[probe][1])
            probe += 1
        if at < end:
            yield at, end


def _packed(ranges: tuple[Range, ...]) -> str:
    bits = 0
    for first, end in ranges:
        bits |= ((1 << (end - first)) - 1) << first
    size = (ranges[-1][1] + 7) // 8
    return base64.b64encode(zlib.compress(bits.to_bytes(size, "little"), 6)).decode()


def _unpacked(text: str) -> IndexSet:
    try:
        raw = zlib.decompressobj()
        data = raw.decompress(base64.b64decode(text, validate=True), INDEX_LIMIT // 8 + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"packed indexes can't be read: {error}") from None
    if not raw.eof or len(data) > INDEX_LIMIT // 8:
        raise ValueError("packed indexes are cut off or too many")
    digits = f"{int.from_bytes(data, 'little'):b}"[::-1]
    ranges: list[Range] = []
    at = digits.find("1")
    while at >= 0:
        end = digits.find("0", at)
        end = len(digits) if end < 0 else end
        ranges.append((at, end))
        at = digits.find("1", end)
    return IndexSet(tuple(ranges))
