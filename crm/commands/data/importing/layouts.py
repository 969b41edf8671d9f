"""Layouts of imports: the columns that a person chose, remembered for files with the same headings."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crm.commands.data.importing.draft import KINDS, ImportDraft, targets
from crm.files import Source
from crm.model import ImportLayout
from crm.model.conventions import DATE_ORDERS
from crm.model.fields import Prose
from crm.repository import Query, Snapshot, Transaction

# The number of characters that is kept.
_LONGEST = Prose().longest


def remember(tx: Transaction, draft: ImportDraft) -> None:
    """Remember what was chosen for a draft, where it is not what the program would choose by itself, or there was a
    choice before. Of a file with hundreds of columns of one's own it is more than is kept."""
    if not (headings := _headings(draft.source)):
        return
    chosen = draft.choices
    if len(chosen) > _LONGEST:
        return
    known = _known(tx, headings)
    if known is None:
        if chosen != draft.detected:
            tx.add(ImportLayout(headings=headings, choices=chosen))
    elif known.choices != chosen:
        tx.change(known, choices=chosen)


def remembered_kind(snapshot: Snapshot, source: Source) -> str:
    """The type of record of the last import with the headings of a file: 'clients' or 'sales'; '' for none."""
    choices = _recalled(snapshot, source)
    return str(choices["what"]) if choices else ""


def as_last_time(snapshot: Snapshot, draft: ImportDraft) -> ImportDraft:
    """The draft with what was chosen the last time for a file with its headings, where it is of the same kind."""
    choices = _recalled(snapshot, draft.source)
    if not choices or choices["what"] != draft.what:
        return draft
    columns = zip(draft.matches, choices["columns"], strict=True)
    matches = [replace(match, target=target, rank=rank, by="") for match, (target, rank) in columns]
    recalled = replace(draft, matches=matches, match=choices["match"], is_recalled=True)
    return recalled.with_date_order(choices["dates"]) if choices["dates"] else recalled


def _recalled(snapshot: Snapshot, source: Source) -> Mapping[str, Any] | None:
    """The choices for the headings of a file; None for none, or for what was not written by this program."""
    known = _known(snapshot, _headings(source))
    try:
        choices = json.loads(known.choices) if known else None
        return choices if choices and _are_choices(choices, len(source.columns)) else None
    except (ValueError, TypeError, KeyError):
        return None


def _known(snapshot: Snapshot, headings: str) -> ImportLayout | None:
    return next(iter(snapshot.find_all(ImportLayout, Query({"headings": headings}))), None)


def _are_choices(choices: Mapping[str, Any], count: int) -> bool:
    if choices["what"] not in KINDS or choices["dates"] not in ("", *DATE_ORDERS):
        return False
    known = targets(choices["what"])
    return (
        choices["match"] in ("", "reference", "email", "phone", "name")
        and len(choices["columns"]) == count
        and all(
            isinstance(rank, int) and (target in known or str(target).startswith("extra:"))
            for target, rank in choices["columns"]
        )
    )


def _headings(source: Source) -> str:
    """A digest of the headings of a file; '' where it has none, so that nothing tells it from others."""
    if not source.has_header:
        return ""
    names = json.dumps([" ".join(name.split()).casefold() for name in source.columns])
    return hashlib.sha256(names.encode()).hexdigest()
