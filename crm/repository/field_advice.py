"""The error of a list that is sorted or narrowed by an unknown field: what was probably meant, or a few that exist."""

from collections.abc import Iterable
from difflib import get_close_matches

from crm.errors import FieldError
from crm.model import Client, Record, field_names, fields, people

_MOST = 3
# What a list of clients is sorted by most, of its forty fields.
_USEFUL = ("last_name", "company", "status", "total_spend", "last_sale_on", "next_follow_up_on")
# Nobody looks for these by name.
_TECHNICAL = ("id", "version", "extra", "notes")


def no_field(kind: type[Record], name: str) -> FieldError:
    """Return the error that the records of a kind have no such field."""
    hidden = {*_TECHNICAL, *people(kind).values()}
    known = [field for field in field_names(kind) if field not in hidden]
    useful = _USEFUL if kind is Client else [field for field in fields(kind) if field in known]
    return FieldError(f"{kind.nouns} have no field {name}; {advice(name, known, useful)}")


def advice(name: str, known: Iterable[str], useful: Iterable[str] = ()) -> str:
    """Return which of the `known` names was probably meant, as a question, or those that are `useful`."""
    names = list(known)
    meant = [field for field in names if len(name) > 2 and name in field.split("_")]
    meant = list(dict.fromkeys([*meant, *get_close_matches(name, names, n=_MOST)]))[:_MOST]
    if meant:
        return f"did you mean {' or '.join(meant)}?"
    return f"use one of {', '.join(list(useful) or names)}"
