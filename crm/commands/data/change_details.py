"""The changes of a transaction as people read them: the records' names, and each field before and after."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crm.commands.record_names import names_of
from crm.config import TEAM
from crm.errors import FileError
from crm.lazy_pattern import lazy_pattern
from crm.model import BY_NAME, Conventions, FollowUp, Setting, fields, links, people
from crm.model.encoding import value_of
from crm.model.local_labels import local_label
from crm.repository import Change, Snapshot

# Names of records, by kind and number.
Names = Mapping[tuple[str, int], str]
# What is written where a field holds nothing.
EMPTY = "empty"
# A moment that the program keeps as text: when a message is tried again.
_MOMENT = lazy_pattern(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")
# A follow-up that has no day any more on which it was done.
_NOT_DONE, _OPEN_AGAIN = (FollowUp.kind_name, "done_on", EMPTY), "open again"
# What says no more than the status, or the stage of a deal, beside it.
_BESIDE = frozenset(("status_reason", "status_before", "status_since", "stage_since", "closed_on"))
# What a field holds, as JSON, that holds nothing.
_NOTHING: tuple[Any, ...] = (None, "", False, 0, [], {})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a record: `before` and `after` as JSON has them, `was` and `now` as people read them."""

    name: str
    label: str
    before: Any
    after: Any
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record that a transaction touched: its kind, number and name, what was done to it ('create', 'update' or
    'delete'), and its fields."""

    record: str
    id: int
    name: str
    operation: str
    fields: Sequence[FieldChange]


def net_updates(updates: Iterable[Change]) -> list[Change]:
    """Updates of a transaction, one for each record, in the order of the first: a field that was written several times
    is as it was before the first and after the last, and is left out where that is the same."""
    together: dict[tuple[str, int], list[Change]] = {}
    for update in updates:
        together.setdefault((update.record, update.record_id), []).append(update)
    net = []
    for several in together.values():
        before, after = dict[str, Any](), dict[str, Any]()
        for update in several:
            before = {**update.before, **before}
            after |= update.after
        names = [name for name in after if before.get(name) != after[name]]
        was, now = ({name: values.get(name) for name in names} for values in (before, after))
        net.append(replace(several[0], before=was, after=now))
    return [change for change in net if change.after]


def record_changes(snapshot: Snapshot, changes: Sequence[Change], by: Conventions) -> list[RecordChange]:
    """The changes by record, with the names of the records they touched and of those in their fields."""
    names = _names(snapshot, changes, by)
    return [
        RecordChange(
            change.record,
            change.record_id,
            names.get((change.record, change.record_id), ""),
            change.operation,
            [_field_change(change.record, *field, names, by) for field in changed_fields(change)],
        )
        for change in changes
    ]


def title_of(record: RecordChange, by: Conventions) -> str:
    """The name by which people call the record of a change: its own, or its kind and number; of a setting its label."""
    if record.record == Setting.kind_name:
        label = next((option.label for option in TEAM if option.name == record.name), record.name)
        return local_label(label, by.country)
    noun = BY_NAME[record.record].noun if record.record in BY_NAME else record.record.replace("_", " ")
    return record.name or f"{noun} {record.id}"


def changed_back(record: RecordChange, by: Conventions, *, undone: bool = False, but: Collection[str] = ()) -> str:
    """The fields of a record that an undo changes back, or has changed back where it is `undone`, on one line: without
    those that the program keeps beside others, those in `but`, and the numbers of records. '' for none."""
    fields = [field for field in record.fields if field.name not in (*_BESIDE, *but)]
    values = [(field, field.now if undone else field.was, field.after if undone else field.before) for field in fields]
    texts = [(field, text.removesuffix(f" ({number})") or EMPTY) for field, text, number in values]
    if record.record == Setting.kind_name:
        return "".join(_restored(title_of(record, by), value) for _, value in texts[:1])
    pieces = (
        _OPEN_AGAIN if (record.record, field.name, value) == _NOT_DONE else _restored(field.label, value)
        for field, value in texts
    )
    return f"{title_of(record, by)}: {'; '.join(pieces)}" if texts else ""


def _restored(label: str, value: str) -> str:
    return f"{label} {'empty again' if value == EMPTY else f'back to {value}'}"


def changed_fields(change: Change) -> list[tuple[str, Any, Any]]:
    """The fields that a change touched, before and after; of a deletion those that held anything. Of somebody with
    another name the name is shown, and the account only where that alone is another."""
    before, after = change.before, change.after
    if change.operation == "delete":
        described = fields(BY_NAME[change.record]) if change.record in BY_NAME else before
        return [(name, before[name], None) for name in described if before.get(name) not in _NOTHING]
    omitted: set[str] = set()
    for name, beside in people(BY_NAME[change.record]).items() if change.record in BY_NAME else ():
        same_name, same_account = (before.get(column) == after.get(column) for column in (name, beside))
        omitted |= {name} if same_name else {beside}
        omitted |= {beside} if same_account else set()
    names = dict.fromkeys((*before, *after))
    return [(name, before.get(name), after.get(name)) for name in names if name not in omitted]


def typed_value(record: str, name: str, written: Any) -> Any:
    """A value of the history as the field has it (an amount, a day), or as it is written where it cannot be one."""
    if written is None or record not in BY_NAME:
        return written
    try:
        return value_of(BY_NAME[record], name, written)
    except FileError:
        # A later version of this program may have other fields than the one that wrote it.
        return written


def _field_change(record: str, name: str, before: Any, after: Any, names: Names, by: Conventions) -> FieldChange:
    known = fields(BY_NAME[record]).get(name) if record in BY_NAME else None
    label = local_label(known.label if known else name.replace("_", " ").capitalize(), by.country)
    was, now = (_value_text(record, name, values, names, by) for values in (before, after))
    return FieldChange(name, label, before, after, was, now)


def _value_text(record: str, name: str, written: Any, names: Names, by: Conventions) -> str:
    """A value as people read it; the number of a record is behind its name."""
    if written in (None, "", [], {}):
        return ""
    kind = BY_NAME.get(record)
    known = fields(kind).get(name) if kind else None
    if kind is None or known is None:
        return str(written)
    if name in links(kind):
        called = names.get((links(kind)[name].record, written), "")
        return f"{called} ({written})" if called else str(written or "")
    if isinstance(written, str) and _MOMENT.fullmatch(written):
        return by.time(datetime.fromisoformat(written))
    try:
        return known.check.show(value_of(kind, name, written), by)
    except FileError:
        return str(written)


def _names(snapshot: Snapshot, changes: Sequence[Change], by: Conventions) -> Names:
    ids: dict[str, set[int]] = {}
    for change in changes:
        if change.record not in BY_NAME:
            continue
        ids.setdefault(change.record, set()).add(change.record_id)
        for name, link in links(BY_NAME[change.record]).items():
            numbers = {number for number in (change.before.get(name), change.after.get(name)) if number}
            ids.setdefault(link.record, set()).update(numbers)
    return {
        (record, number): name
        for record, numbers in ids.items()
        for number, name in names_of(snapshot, BY_NAME[record], numbers, by).items()
    }
