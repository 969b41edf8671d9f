"""The changes of clients in their timelines: of the status, and other edits, from the history."""

from collections.abc import Mapping
from typing import Any

from crm.commands.clients.reasons import reason_words
from crm.commands.data.change_details import EMPTY, typed_value
from crm.commands.timeline_entries import Entry, in_one_line
from crm.commands.timeline_sources import Keyed, Part, Row, Source, source
from crm.model import Client, Conventions, fields
from crm.model.local_labels import local_label
from crm.model.rights import HISTORY
from crm.repository.queries import timeline

_STATUS, _EDIT = "status", "edit"
_AGAIN = {"undid ": "Restored", "redid ": "Added again"}
# A sale comes before the status that it gives, and a client before all that is recorded with it.
_RANKS = {_STATUS: 1, "create": -1}


@source(
    Client,
    {_STATUS: "status changes", _EDIT: "edits"},
    {"statuses": [_STATUS], "changes": [_STATUS, _EDIT]},
    place=90,
    area=HISTORY,
)
class Changes(Source):
    """The changes of the client, which lead to the history."""

    def rows(self, part: Part) -> list[Keyed]:
        statuses, edits = _STATUS in part.kinds, _EDIT in part.kinds
        rows = timeline.changes(
            part.snapshot, part.client, statuses=statuses, edits=edits, before=part.before, most=part.most
        )
        ranks = (_RANKS.get(_kind_of(row), _RANKS.get(row.operation, 0)) for row in rows)
        return [((part.by.clock.day_of(row.at), row.at, rank), row) for row, rank in zip(rows, ranks, strict=True)]

    def entry(self, row: Row, by: Conventions) -> Entry:
        text = _change_text(row.what, row.operation, row.before or {}, row.after or {}, by)
        on, at = by.clock.day_of(row.at), by.clock.time_of(row.at)
        return Entry(on, at, _kind_of(row), text, row.user, transaction=row.transaction)


def _kind_of(row: Row) -> str:
    """Return whether a change moved the status, or edited something else."""
    return _STATUS if row.operation == "update" and {"status", "status_pinned_until"} & set(row.after or {}) else _EDIT


def _change_text(
    what: str, operation: str, before: Mapping[str, Any], after: Mapping[str, Any], by: Conventions
) -> str:
    """A change in words."""
    if operation == "create":
        # Who comes again by an undo was not added then.
        again = next((words for start, words in _AGAIN.items() if what.startswith(start)), "")
        return again or ("Added" if what.startswith("added") else f"Added ({what})")
    known = fields(Client)
    changes = [
        f"{local_label(known[name].label, by.country)}:"
        f" {_value_text(name, before.get(name), by)} → {_value_text(name, value, by)}"
        for name, value in after.items()
        if name in known and name not in timeline.FOLLOWING and value != before.get(name)
    ]
    if "status" in after and (reason := after.get("status_reason")):
        because = reason_words(reason, by).removeprefix(f"{after['status']} when ")
        changes.append(f"because {because}")
    return "; ".join(changes) or what


def _value_text(name: str, written: Any, by: Conventions) -> str:
    if written in (None, "", {}, []):
        return EMPTY
    return in_one_line(fields(Client)[name].check.show(typed_value(Client.kind_name, name, written), by))
