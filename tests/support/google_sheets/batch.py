"""`spreadsheets.batchUpdate`: all of the requests, or none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import fields, schema
from .book import Book
from .fields import Mask
from .refusals import Invalid, refusal
from .shifts import Json


@dataclass(frozen=True)
class Situation:
    """The spreadsheet and the state that a batch of requests works on."""

    book: Book
    # With this off, names that are taken or unknown are let pass: what the service would do if it were not strict.
    markers_hold: bool = True
    # On a service that merges: the book as it was when the request came, with what the request has done so far, and
    # which parts of the request are worked out on that: "append" (where new rows go), "copy" (what is copied).
    branch: Book | None = None
    merges: frozenset[str] = frozenset()

    def seen(self, part: str) -> Book:
        """The book on which a part of the request is worked out."""
        return self.branch if self.branch is not None and part in self.merges else self.book


Handler = Callable[[Situation, Json], Json]
HANDLERS: dict[str, Handler] = {}


def request(kind: str) -> Callable[[Handler], Handler]:
    """Say which kind of request a function is for."""

    def put(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return put


def mask_of(given: Json, name: str) -> Mask:
    """The mask of a request, which must name something, and only what the schema has."""
    text = given.get("fields") or ""
    if not text:
        raise Invalid("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
    mask = fields.parsed(text)
    wrong = schema.unknown_path("sheets.v4", name, mask)
    if wrong:
        raise Invalid(f"Invalid field: {wrong}")
    return mask


def without_nulls(value: Any) -> Any:
    """A small object without the names that are set to null, as if they were left out."""
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def apply(situation: Situation, requests: list[Json]) -> list[Json]:
    """Carry out requests in order on a book that nobody else sees yet; their replies."""
    if not requests:
        raise refusal(400, "Must specify at least one request.")
    replies = []
    for at, given in enumerate(requests):
        kinds = [kind for kind, value in given.items() if value is not None]
        if not kinds:
            raise refusal(400, f"Invalid requests[{at}]: No request set.")
        if len(kinds) > 1:
            sentence = f"Invalid value at 'requests[{at}]' (oneof), oneof field 'kind' is already set."
            raise refusal(400, f"{sentence} Cannot set '{kinds[1]}'")
        kind = kinds[0]
        before = situation.book.copy() if situation.book.protected else None
        handler = HANDLERS.get(kind)
        if handler is None:
            raise refusal(501, f"requests[{at}].{kind} is not implemented here")
        try:
            # Requests with cells in them may be large, and what reads cells minds no nulls.
            one = given[kind] if "rows" in given[kind] else without_nulls(given[kind])
            replies.append(handler(situation, one))
            if situation.branch is not None:
                handler(Situation(situation.branch), one)
            situation.book.refuse_size()
            if before is not None:
                situation.book.refuse_protected(before)
        except Invalid as invalid:
            raise refusal(400, f"Invalid requests[{at}].{kind}: {invalid}") from None
    return replies
