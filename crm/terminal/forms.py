"""The form of a record: its fields by number, what is filled in beside them, each checked at once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from rich.text import Text

from crm.errors import Cancelled, ConflictError, CRMError
from crm.model import Client, Conventions, Field, Record, typed_fields
from crm.terminal.keyboard import Back, Choice
from crm.terminal.screen import clean
from crm.terminal.session import Session

AnyRecord = TypeVar("AnyRecord", bound=Record)
Saved = TypeVar("Saved")

# The order of a form: what one has at hand first.
_FIRST = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "company",
    "date_of_birth",
    "address",
    "postcode",
    "city",
    "country",
)
_LATER = ("kind", "extra")
_SHOWN = 60


def form_order(kind: type[Record]) -> list[Field]:
    """The fields that a person fills in, in the order of the form."""
    fields = typed_fields(kind)
    first = [name for name in _FIRST if name in fields]
    last = [name for name in _LATER if name in fields]
    middle = [name for name in fields if name not in first and name not in last]
    return [fields[name] for name in (*first, *middle, *last)]


class RecordForm:
    """Values of a record on their way: `shown` is what is stored, `changes` what the person typed."""

    def __init__(self, session: Session, kind: type[Record], shown: Mapping[str, Any], changes: dict[str, Any]) -> None:
        self.session = session
        self.kind = kind
        self.shown = shown
        self.changes = changes

    @classmethod
    def of(cls, session: Session, record: Any, changes: dict[str, Any]) -> "RecordForm":
        """The form of a record that is there."""
        kind = type(record)
        return cls(session, kind, {name: getattr(record, name) for name in typed_fields(kind)}, changes)

    def value(self, name: str) -> Any:
        """The value of a field as it stands in the form."""
        return self.changes.get(name, self.shown.get(name))

    def fields(self) -> Sequence[Field]:
        """What can be filled in, in the order of the form."""
        return form_order(self.kind)

    def fill(self, crumbs: Sequence[str], save: Callable[[], Any], *, saves: str = "Save") -> Any:
        """Lets the person choose field after field; the result of `save`, which may refuse. Raises Back,
        where nothing would be lost by it, and Cancelled."""
        at: Any = None
        hint = f"{saves}, or choose what to fill in"
        while True:
            self.session.page(*crumbs)
            by = self.session.crm.conventions
            fields = self.fields()
            wide = max(len(field.label) for field in fields)
            entries = [Choice(saves, "save")]
            entries += [Choice(self.line(field, wide, by), field.name) for field in fields]
            try:
                chosen = self.session.keyboard.choose("", entries, hint=hint, at=at)
            except Back:
                if not self.loses():
                    raise
                chosen = self._leave(saves)
                hint = f"{saves}, or choose what to fill in; Ctrl-C leaves without saving"
            if chosen == "save":
                done = self._save(save)
                if done is not None:
                    return done
                continue
            at = chosen or at
            asked = next((field for field in fields if field.name == chosen), None)
            with suppress(Back):
                if asked is not None:
                    self.ask(asked)

    def _save(self, save: Callable[[], Any]) -> Any:
        """The result of saving; None where it was refused, and the form goes on with everything in it."""
        try:
            return save()
        except Back:
            return None
        except (ConflictError, Cancelled):
            raise
        except CRMError as error:
            self.session.fail(error)
            return None

    def loses(self) -> bool:
        """Whether something would be lost that is worth a question."""
        return bool(self.shown and self.changes)

    def _leave(self, saves: str) -> str:
        """Asks before what was typed is lost: "save", or '' to stay; raises Cancelled where it is to be lost."""
        entries = [Choice(saves, "save"), Choice("Leave without saving", "leave")]
        try:
            chosen: str = self.session.keyboard.choose("The changes are not saved yet.", entries, back="Stay here")
        except Back:
            return ""
        if chosen == "leave":
            raise Cancelled
        return chosen

    def ask(self, field: Field, *, required: bool = False) -> None:
        """Asks for one field; what it holds is in the line to change, and empty clears it. Raises Back."""
        by = self.session.crm.conventions
        value = self.value(field.name)
        typed = field.check.edit(value, by) if value not in (None, "", (), {}) else ""
        if field.name == "extra":
            entered = self.session.prompts.value(field.label, field.check, help=field.help, typed=typed, default={})
            gone = {name: "" for name in self.shown.get("extra", {}) if name not in entered}
            entered = {**entered, **gone}
        else:
            entered = self.session.prompts.value(
                field.label,
                field.check,
                help=_help(field, typed),
                typed=typed,
                required=required,
                default=field.check.empty,
            )
        if entered == self.shown.get(field.name, field.check.empty):
            self.changes.pop(field.name, None)
        else:
            self.changes[field.name] = entered

    def line(self, field: Field, wide: int, by: Conventions) -> str:
        """A field as it stands in the form."""
        shown = field.check.show(self.value(field.name), by) if self.value(field.name) not in (None, "", False) else ""
        room = max(8, min(_SHOWN, self.session.screen.width - wide - 12))
        mark = "*" if field.name in self.changes and self.shown else " "
        return f"{field.label:<{wide}} {mark} {self.session.screen.fit(shown, room)}"


def _help(field: Field, typed: str) -> str:
    told = [field.help or field.check.example, "empty clears it" if typed else ""]
    return "; ".join(filter(None, told))


def name_parts(kind: str) -> Sequence[str]:
    """The fields that name a client of a kind."""
    return ("company",) if kind == "company" else ("first_name", "last_name")


def ask_names(form: RecordForm, kind: str) -> None:
    """Asks for the name of a new client; raises Back before the first part of it."""
    parts = name_parts(kind)
    at = 0
    while at < len(parts):
        try:
            field = typed_fields(Client)[parts[at]]
            form.ask(field, required=kind == "company")
            if not form.session.screen.plain:
                form.session.screen.print(Text(f"{field.label}: ", "dim").append(clean(form.value(field.name) or "-")))
            at += 1
        except Back:
            if at == 0:
                raise
            at -= 1
        if at == len(parts) and not any(form.value(name) for name in parts):
            raise Back


def fill_changes(
    session: Session,
    form: type[RecordForm],
    record: AnyRecord,
    title: Callable[[AnyRecord], str],
    save: Callable[[AnyRecord, Mapping[str, Any]], Saved],
) -> tuple[AnyRecord, Saved] | None:
    """Lets a person change fields of a record, and settles what clashes with somebody else's changes: the record as it
    was last shown, and what `save` gave; None where nothing was changed, or nothing was left to change. Raises Back and
    Cancelled."""
    changes: dict[str, Any] = {}

    def saved() -> AnyRecord | Saved:
        return save(shown, changes) if changes else shown

    while True:
        with session.crm.read() as snapshot:
            shown = snapshot.get(type(record), record.id)
        try:
            done = form.of(session, shown, changes).fill([title(shown), "Edit"], saved)
        except ConflictError as error:
            changes = settle_conflict(session, shown, error, changes)
            if not changes:
                session.say("Nothing was left to change.")
                return None
        else:
            return None if done is shown else (shown, done)


def settle_conflict(session: Session, record: Record, error: ConflictError, mine: Mapping[str, Any]) -> dict[str, Any]:
    """Shows what clashes side by side, and asks field by field whose value stays; the changes that are
    left to make. Raises Back and Cancelled."""
    from rich.table import Table

    labels = {name: field.label for name, field in typed_fields(type(record)).items()}
    session.page("Somebody else changed the same")
    drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for title in ("Field", "As it was", "Theirs", "Yours"):
        drawn.add_column(title, overflow="fold")
    for name, values in error.clashes.items():
        drawn.add_row(*(Text(clean(value)) for value in (labels.get(name, name), *values)))
    session.screen.print(drawn)
    session.screen.print()
    left = dict(mine)
    for name, (_, theirs, yours) in error.clashes.items():
        keep = session.keyboard.choose(
            f"{labels.get(name, name)}:",
            [Choice(f"Keep theirs: {theirs or '(empty)'}", False), Choice(f"Use mine: {yours or '(empty)'}", True)],
        )
        if not keep:
            left.pop(name, None)
    return left
