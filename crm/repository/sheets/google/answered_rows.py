"""The rows in an answer of the service: parsed when they are first looked at, and compared without that."""

import codecs
import hashlib
import json
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, overload

from crm.errors import StoreOfflineError

# Inside a text a quotation mark has a backslash before it: what looks like a key is one wherever it stands.
_VALUES = re.compile(rb'"values"\s*:\s*(?=\[)')
_COLON = re.compile(rb"\s*:")
# The keys that can come after the rows of a range.
_FOLLOWING = (b'"dataFilters"', b'"valueRange"', b'"majorDimension"', b'"range"', b'"spreadsheetId"')
_BETWEEN = b"]},{ \t\r\n"
_NEAR = 1 << 12
_PIECE = 1 << 20
# The rows of a range that is not larger are parsed once and kept.
_LARGE = 1 << 23
# So many rows of a large range are compared at a time.
PORTION = 1000
# The size of each portion of a large range as it was answered, and its digest: '' where it is not known.
Portions = Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Part:
    """The rows of a large range that may not be what they were: `rows` from `first` on, where those before `end` stood
    (None for all to the last one). `used` is how many rows there are now, and `portions` are those of all of them."""

    first: int
    end: int | None
    rows: Sequence[list[Any]]
    used: int
    portions: Portions


class Rows(Sequence[list[Any]]):
    """The rows of a range, `written` as the service answered them. Those of a large one are parsed whenever they are
    looked at, and none of them is kept."""

    def __init__(self, written: bytes | bytearray | memoryview) -> None:
        self._written = memoryview(written)

    @cached_property
    def digest(self) -> str:
        """The digest of what was answered: the same for the same rows."""
        return hashlib.blake2b(self._written, digest_size=16).hexdigest()

    @cached_property
    def _kept(self) -> list[list[Any]] | None:
        """The rows of a range that is not large."""
        if len(self._written) > _LARGE:
            return None
        try:
            rows: list[list[Any]] = json.loads(str(self._written, "utf-8"))
        except (ValueError, RecursionError):
            raise not_understood() from None
        return rows

    @cached_property
    def _starts(self) -> "array[int]":
        """The place where each row begins."""
        return array("q", (start for start, _ in _one_by_one(self._written)))

    @overload
    def __getitem__(self, at: int) -> list[Any]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[list[Any]]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if self._kept is not None:
            return self._kept[at]
        if isinstance(at, slice):
            return _Part(self, range(len(self))[at])
        start = self._starts[at]
        following = range(len(self))[at] + 1
        end = self._starts[following] if following < len(self) else len(self._written)
        row, _ = _scan(str(self._written[start:end], "utf-8"))
        return row

    def __len__(self) -> int:
        return len(self._starts if self._kept is None else self._kept)

    def __iter__(self) -> Iterator[list[Any]]:
        if self._kept is not None:
            return iter(self._kept)
        return self._parsed()

    def _parsed(self) -> Iterator[list[Any]]:
        starts = array("q")
        for start, row in _one_by_one(self._written):
            starts.append(start)
            yield row
        # Where each row begins is known from now on.
        self.__dict__["_starts"] = starts

    @property
    def portions(self) -> Portions:
        """The portions of a large range; none of another one."""
        return () if self._kept is not None else self._portioned(0, len(self._written), self._starts)

    def _portioned(self, begin: int, end: int, starts: Sequence[int]) -> list[tuple[int, str]]:
        """The portions of rows between two places, by where these begin."""
        bounds = [begin, *starts[PORTION::PORTION], end]
        return [(end - start, self._digest(start, end)) for start, end in pairwise(bounds)]

    def _digest(self, start: int, end: int) -> str:
        return hashlib.blake2b(self._written[start:end], digest_size=8).hexdigest()

    def part(self, portions: Portions, used: int) -> Part | None:
        """The rows that may not be what they were when `used` rows came in these portions; None where the rows have to
        be looked at as a whole."""
        begin, end, first, last = 0, len(self._written), 0, len(portions)
        while first < last and self._digest(begin, begin + portions[first][0]) == portions[first][1]:
            begin, first = begin + portions[first][0], first + 1
        while (
            last > first
            and begin <= end - portions[last - 1][0]
            and (self._digest(end - portions[last - 1][0], end) == portions[last - 1][1])
        ):
            end, last = end - portions[last - 1][0], last - 1
        try:
            pairs = list(_one_by_one(self._written[begin:end], int(first == 0)))
        except StoreOfflineError:
            # The rows below do not begin where they did.
            return None
        is_last = last == len(portions)
        if not is_last and len(pairs) != (last - first) * PORTION:
            return None
        rows = [row for _, row in pairs]
        now = self._portioned(begin, end, [begin + start for start, _ in pairs]) if begin < end else []
        count = first * PORTION + len(rows) if is_last and rows else used
        return Part(
            first * PORTION,
            None if is_last else last * PORTION,
            rows,
            count,
            [*portions[:first], *now, *portions[last:]],
        )

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))


class _Part(Sequence[list[Any]]):
    """Some rows of a large range."""

    def __init__(self, rows: Rows, places: range) -> None:
        self._rows = rows
        self._places = places

    @overload
    def __getitem__(self, at: int) -> list[Any]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[list[Any]]: ...
    def __getitem__(self, at: int | slice) -> Any:
        return _Part(self._rows, self._places[at]) if isinstance(at, slice) else self._rows[self._places[at]]

    def __len__(self) -> int:
        return len(self._places)


# Parses one value of a text from a place on, and says where it ends.
_scan = json.JSONDecoder().raw_decode
_GAP = re.compile(r"[\s,]*")


def _one_by_one(written: memoryview, opening: int = 1) -> Iterator[tuple[int, list[Any]]]:
    """Each row of a list of them, and the place where it begins; `opening` is the size of what opens the list."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    # What is not parsed yet, and where it begins.
    rest, place, at = "", 0, opening
    for read in range(0, len(written), _PIECE):
        is_last = read + _PIECE >= len(written)
        text, counted = rest + decode(written[read : read + _PIECE], is_last), 0
        try:
            while (begin := _behind_gap(text, at)) < len(text) and text[begin] == "[":
                row, at = _scan(text, begin)
                place, counted = place + _size(text[counted:begin]), begin
                yield place, row
        except (ValueError, RecursionError):
            # The rest of the row is in the next piece.
            if is_last:
                raise not_understood() from None
        rest, place, at = text[at:], place + _size(text[counted:at]), 0


def _behind_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def digest_of(rows: Sequence[Sequence[Any]]) -> str:
    """The digest of rows as they were answered; '' for others."""
    return rows.digest if isinstance(rows, Rows) else ""


NO_ROWS = Rows(b"[]")


def parsed(answer: bytes | bytearray) -> Any:
    """The answer to a question for values, with the rows of each range as `Rows`. Raises ValueError where it is no
    JSON."""
    try:
        return _carved(answer)
    except ValueError:
        # Damaged, or written in a way that Google has not used so far.
        reply = json.loads(answer)
        for values in _ranges(reply):
            values["values"] = Rows(json.dumps(values["values"]).encode())
        return reply


def _carved(answer: bytes | bytearray) -> Any:
    """The same, found without parsing the rows."""
    whole = memoryview(answer)
    decode = codecs.getincrementaldecoder("utf-8")().decode
    for start in range(0, 0 if answer.isascii() else len(answer), _PIECE):
        decode(whole[start : start + _PIECE], start + _PIECE >= len(answer))
    pieces: list[bytes | bytearray] = []
    ranges: list[Rows] = []
    done = 0
    for match in _VALUES.finditer(answer):
        start, end = match.end(), _end(answer, match.end())
        pieces += [answer[done:start], str(len(ranges)).encode()]
        ranges.append(Rows(whole[start:end]))
        done = end
    reply = json.loads(b"".join([*pieces, answer[done:]]))
    for values in _ranges(reply):
        values["values"] = ranges[values["values"]]
    return reply


def _ranges(reply: Any) -> list[dict[str, Any]]:
    """The ranges in an answer that have rows."""
    matched = reply.get("valueRanges", ()) if isinstance(reply, dict) else ()
    return [piece["valueRange"] for piece in matched if "values" in piece.get("valueRange", ())]


def _end(answer: bytes | bytearray, start: int) -> int:
    """The end of the list of rows that begins at a place."""
    following = len(answer)
    for key in _FOLLOWING:
        # What comes after the rows is short: once one key is found, others are near it.
        at = answer.find(key, start if following == len(answer) else max(start, following - _NEAR), following)
        while at >= 0 and not _COLON.match(answer, at + len(key)):
            # A cell that says so.
            at = answer.find(key, at + 1, following)
        following = following if at < 0 else at
    last = following
    while answer[last - 1] in _BETWEEN:
        last -= 1
    closing = min(at for at in (answer.find(b"}", last), answer.find(b",", last)) if at >= 0)
    return answer.rindex(b"]", last, closing) + 1


def not_understood() -> StoreOfflineError:
    """The error for an answer that is not what was asked for."""
    return StoreOfflineError("Google Sheets answered something that cannot be read. Try again later.")
