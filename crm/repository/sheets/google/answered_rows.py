"""The rows in an answer of the service: parsed when they are first looked at, and compared without that."""

import codecs
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, overload

from crm.errors import StoreOfflineError

# Inside a text a quotation mark has a backslash before it: what looks like a key is one wherever it stands.
_VALUES = re.compile(rb'"values"\s*:\s*(?=\[)')
_COLON = re.compile(rb"\s*:")
# The keys that can come after the rows of a range.
_FOLLOWING = (b'"dataFilters"', b'"valueRange"', b'"majorDimension"', b'"range"', b'"spreadsheetId"')
_BETWEEN = b"]},{ \t\r\n"
_PIECE = 1 << 20


class Rows(Sequence[list[Any]]):
    """The rows of a range, `written` as the service answered them."""

    def __init__(self, written: bytes | memoryview) -> None:
        self._written = written

    @cached_property
    def digest(self) -> str:
        """The digest of what was answered: the same for the same rows."""
        return hashlib.blake2b(self._written, digest_size=16).hexdigest()

    @cached_property
    def _rows(self) -> list[list[Any]]:
        try:
            rows: list[list[Any]] = json.loads(str(self._written, "utf-8"))
        except (ValueError, RecursionError):
            raise not_understood() from None
        return rows

    @overload
    def __getitem__(self, at: int) -> list[Any]: ...
    @overload
    def __getitem__(self, at: slice) -> list[list[Any]]: ...
    def __getitem__(self, at: int | slice) -> Any:
        return self._rows[at]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[list[Any]]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._rows)


def digest_of(rows: Sequence[Sequence[Any]]) -> str:
    """The digest of rows as they were answered; '' for others."""
    return rows.digest if isinstance(rows, Rows) else ""


NO_ROWS = Rows(b"[]")


def parsed(answer: bytes) -> Any:
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


def _carved(answer: bytes) -> Any:
    """The same, found without parsing the rows."""
    whole = memoryview(answer)
    decode = codecs.getincrementaldecoder("utf-8")().decode
    for start in range(0, 0 if answer.isascii() else len(answer), _PIECE):
        decode(whole[start : start + _PIECE], start + _PIECE >= len(answer))
    pieces: list[bytes] = []
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


def _end(answer: bytes, start: int) -> int:
    """The end of the list of rows that begins at a place."""
    following = len(answer)
    for key in _FOLLOWING:
        at = answer.find(key, start, following)
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
