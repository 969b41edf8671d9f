"""The form of a record: its fields by number, what is filled in beside them, each checked at once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, ClassVar, TypeVar

from rich.text import Text

from crm.commands.record_names import called
from crm.errors import Cancelled, ConflictError, CRMError, FieldError
from crm.model import BY_NAME, Client, Conventions, Field, Record, links, typed_fields
from crm.model.fields import Check, Day, Id
from crm.model.fields import Choice as OneOf
from crm.model.local_labels import local_label
from crm.model.record import AnyRecord
from crm.model.written_dates import When
from crm.terminal.console.keyboard import BACK, Back, Choice, FormPlace
from crm.terminal.drawing.cards import side_card, side_width
from crm.terminal.drawing.screen import clean, data
from crm.terminal.drawing.tables import comparison
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.discarding import Discarded, leave, leave_form
from crm.terminal.toolkit.pages import Pieces, draw_side_card
from crm.terminal.toolkit.picking import line_of, pick
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Step, in_steps

Saved = TypeVar("Saved")

# The values of a field that nobody has filled in.
_NOTHING: tuple[Any, ...] = (None, "", (), {}, False, 0)

# The order of a form without groups: the fields known most often first.
_FIRST, _LATER = ("email", "phone"), ("kind", "extra")
_SHOWN = 60
# What is beside a form: the way back and the keys.
_AROUND = 2
# In fewer columns the line of keys has no room for more.
_NARROW = 60
_MORE = object()


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together in a form, by name, under a title."""

    title: str
    names: Sequence[str]


def form_order(kind: type[Record]) -> list[Field]:
    """The fields that a person fills in, in the order of the form."""
    fields = typed_fields(kind)
    first = [name for name in _FIRST if name in fields]
    last = [name for name in _LATER if name in fields]
    middle = [name for name in fields if name not in first and name not in last]
    return [fields[name] for name in (*first, *middle, *last)]


class RecordForm:
    """Values of a record on their way: `original` is what is stored, `changes` what the person typed."""

    # What must not be left empty where it is asked before the form is shown.
    needed: ClassVar[frozenset[str]] = frozenset()
    # What is asked of a field here beside what its record asks, by its name.
    checks: ClassVar[Mapping[str, Check]] = {}
    # The fields by groups, those that are needed most, and those behind *More fields*, where a field of no group is
    # last. Without groups all fields are below each other.
    groups: ClassVar[Sequence[Group]] = ()
    more: ClassVar[Sequence[Group]] = ()
    # Days that may be typed with a time, and the fields of these times.
    times: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self, session: Session, kind: type[Record], original: Mapping[str, Any], changes: dict[str, Any]
    ) -> None:
        self.session = session
        self.kind = kind
        self.original = original
        self.changes = changes
        # Linked records to choose from, by the field that links to one: their names by number, and the word for none.
        self.offered: dict[str, tuple[Mapping[int, str], str]] = {}
        # The record whose fields these are; None for a new one.
        self.record: Any = None
        self._began = dict(changes)
        # Where the question that is asked stands among those before the form is shown.
        self._place: FormPlace | None = None
        # What stood in lines that were left.
        self._begun: dict[str, str] = {}
        # The field that is asked for.
        self._field: Field | None = None
        # The field that was refused when it was saved, which is pointed at then.
        self._refused = ""
        # The client whose card is beside the fields; 0 for none.
        self.client_number = 0
        self._linked_name = cache(partial(_linked_name, session))
        self._client_card = cache(partial(draw_side_card, session, Client))
        # Whether the fields that are asked for more seldom are seen.
        self._shows_more = False

    @classmethod
    def of(cls, session: Session, record: Any, changes: dict[str, Any]) -> "RecordForm":
        """The form of a record that is there."""
        kind = type(record)
        form = cls(session, kind, {name: getattr(record, name) for name in typed_fields(kind)}, changes)
        form.record = record
        form.client_number = getattr(record, "client", 0)
        return form

    def value(self, name: str) -> Any:
        """The value of a field as it is in the form."""
        return self.changes.get(name, self.original.get(name))

    def fields(self) -> Sequence[Field]:
        """The fields of the form, in order."""
        known = {field.name: field for field in form_order(self.kind)}
        grouped = [name for group in (*self.groups, *self.more) for name in group.names if name in known]
        return [known[name] for name in dict.fromkeys((*grouped, *known))]

    def label(self, field: Field) -> str:
        """The name of a field as it is said where the team is."""
        return local_label(field.label, self.session.crm.conventions.country)

    def _page(self) -> list[tuple[Field, str]]:
        """The fields that are seen, each with the heading above it."""
        groups = self.more if self._shows_more else self.groups
        titles = {name: group.title for group in groups for name in group.names}
        first = {name for group in self.groups for name in group.names}
        seen = [field for field in self.fields() if not first or (field.name in first) != self._shows_more]
        page: list[tuple[Field, str]] = []
        last = ""
        for field in seen:
            title = titles.get(field.name, last)
            page.append((field, title if title != last else ""))
            last = title
        return page

    def _more_line(self) -> str:
        """The entry that leads to the other fields: how many there are, and whether anything is in them."""
        first = {name for group in self.groups for name in group.names}
        others = [field for field in self.fields() if field.name not in first]
        filled = sum(1 for field in others if field.name != "kind" and self.value(field.name) not in _NOTHING)
        return f"More fields ({len(others)}{f', {filled} filled in' if filled else ''})"

    def draw_above(self) -> None:
        """Draw what is above the fields: what saving them will bring."""

    # Whether the ways to keep what is typed are entries of the form too, not only where it is left.
    lists_kept = False

    def kept(self) -> Sequence[Choice]:
        """The ways to keep what is typed in another place, each a function that does it and says so in a sentence."""
        return ()

    def is_written(self) -> bool:
        """Return whether anything was typed that somebody would miss, also in a line that was left; what was only
        chosen is no loss."""
        known = typed_fields(self.kind)
        typed = {name for name in self.changes if name not in known or not isinstance(known[name].check, OneOf)}
        is_changed = any(self.changes[name] and self.changes[name] != self._began.get(name) for name in typed)
        return is_changed or any(self._begun.values())

    def begin_with(self, **values: Any) -> None:
        """Fill fields in, in the place of whatever was typed there."""
        self.changes |= values
        self._begun.clear()

    def steps(self, names: Sequence[str], *crumbs: str) -> list[Step]:
        """A step for each of the fields that are asked for before the form is shown, on pages named by the crumbs."""

        def asks(place: int) -> Step:
            def ask() -> None:
                self.session.page(*crumbs, client=self.client_number)
                known = {field.name: field for field in self.fields()}
                for name in names[:place]:
                    self._show_value(known[name])
                self._place = FormPlace(bool(place), [self.label(known[name]) for name in names[place + 1 :]])
                try:
                    self.ask_first(known[names[place]])
                finally:
                    self._place = None

            return ask

        return [asks(place) for place in range(len(names))]

    def ask_first(self, field: Field) -> None:
        """Ask for a field before the form is shown. Raises Back."""
        self.ask(field, required=field.name in self.needed)

    def _show_value(self, field: Field) -> None:
        """Show what a field holds, above the question for another."""
        if not self.session.screen.plain:
            text = self.shown(field, self.value(field.name)) or "empty"
            self.session.screen.print(Text(f"{self.label(field)}: ", "muted").append(clean(text), "default"))

    def fill(
        self, crumbs: Sequence[str] | Callable[[], Sequence[str]], save: Callable[[], Any], *, saves: str = "Save"
    ) -> Any:
        """Let the person choose field after field; the result of `save`, which may refuse. `crumbs` may name again each
        time what is in the form. Raises Back, where nothing would be lost by it, and Cancelled."""
        at: Any = None
        # Where there is little room, it is for the keys that are the same everywhere.
        hint = "" if self.session.screen.width < _NARROW else f"{saves}, or pick a field"
        if hint and not self.session.screen.plain:
            hint += " by number, or letter and Enter"
        while True:
            titles = [*(crumbs() if callable(crumbs) else crumbs), *(["More fields"] if self._shows_more else [])]
            self._field = None
            self.session.page(*titles, beside=self._beside)
            self.draw_above()
            by = self.session.crm.conventions
            page = self._page()
            wide = max(len(self.label(field)) for field, _ in page)
            has_more = bool(self.groups) and not self._shows_more
            headings = sum(bool(heading) for _, heading in page)
            room = self.session.screen.left
            has_headings = self.session.screen.plain or len(page) + 1 + has_more + headings + _AROUND <= room
            entries = [Choice(saves, "save", card=self._beside_save if self.session.screen.side else None)]
            entries += [
                replace(self._entry(field, wide, by), heading=heading if has_headings else "")
                for field, heading in page
            ]
            more = self._more_line()
            about_client = self._beside_client if self.session.screen.side else None
            entries += [Choice(more, _MORE, field=more, card=about_client)] if has_more else []
            keeping = self.kept() if self.lists_kept else ()
            entries += keeping
            try:
                chosen = self._choose(entries, hint, at, room)
            except Cancelled as left:
                leave(self.session.keyboard, left, is_written=self.loses() or self.is_written())
                continue
            except Back:
                if self._shows_more:
                    self._shows_more, at = False, _MORE
                    continue
                if self.loses():
                    chosen = self._leave(saves)
                elif self.is_written():
                    # A question before this form would take what is typed next, unseen where it is for a secret.
                    keep = leave_form(self.session.keyboard, self.kept())
                    if keep is not None and (kept := self._save(keep)) is not None:
                        raise Discarded(kept) from None
                    chosen = ""
                else:
                    raise
                hint = "Ctrl-C twice discards your changes"
            if chosen is _MORE:
                self._shows_more, at = True, None
                continue
            if any(chosen is entry.value for entry in keeping):
                if (kept := self._save(chosen)) is not None:
                    raise Discarded(kept)
                continue
            if chosen == "save":
                done = self._save(save)
                if done is not None:
                    return done
                at = self._refused if any(field.name == self._refused for field in self.fields()) else at
                first = {name for group in self.groups for name in group.names}
                self._shows_more = bool(first) and at not in first if at == self._refused else self._shows_more
                continue
            at = chosen or at
            self._field = next((field for field, _ in page if field.name == chosen), None)
            try:
                if self._field is not None:
                    self.ask(self._field)
                    # Enter goes on: to the next field, and from the last one to saving.
                    names = [field.name for field, _ in self._page()]
                    after = names[names.index(chosen) + 1 :] if chosen in names else []
                    at = after[0] if after else "save"
            except Back:
                pass
            except Cancelled as left:
                leave(self.session.keyboard, left, is_written=self.loses() or self.is_written())

    def _choose(self, entries: Sequence[Choice], hint: str, at: Any, room: int) -> Any:
        """The entry that is chosen. Where they scroll, the way back is among the keys, and always seen. Raises Back."""
        if not self.session.scrolls(entries):
            return self.session.keyboard.choose("", entries, hint=hint, at=at, room=room, narrows=False)
        back = letters.BACK(BACK)
        hint = "   ".join(filter(None, (letters.line([back]), hint)))
        return self.session.keyboard.choose(
            "", entries, back="", hidden=[back], hint=hint, at=at, room=room, narrows=False
        )

    def _entry(self, field: Field, wide: int, by: Conventions) -> Choice:
        """A field to choose, with its label set apart from its value: in a narrow window a value that has no room in
        its column begins right after its label."""
        value = self.shown(field, self.value(field.name))
        if self.session.screen.width < _NARROW and self.session.screen.measure(clean(value)) > self.room(wide):
            wide = len(self.label(field))
        line = self.line(field, wide, by)
        rest = line[wide:]
        changed = rest.startswith(" * ")
        pieces = [("muted", line[:wide]), ("alert" if changed else "", rest[:3]), ("", rest[3:])]
        return Choice(
            line,
            field.name,
            pieces=[piece for piece in pieces if piece[1]],
            field=self.label(field),
            card=partial(self._beside_field, field) if self.session.screen.side else None,
        )

    def _beside(self) -> Pieces:
        """The panel beside a question of the form: for the field that is asked for, or about leaving it."""
        return self._beside_field(self._field) if self._field and self.session.screen.side else self._beside_client()

    def _beside_field(self, field: Field) -> Pieces:
        """The panel beside a field in a wide window: what it takes, the whole of what is cut, and what was stored."""
        screen, by = self.session.screen, self.session.crm.conventions
        value = self.shown(field, self.value(field.name))
        facts = [("Before", data(self.shown(field, self.original.get(field.name)) or "empty"))]
        hint = data(field.help or field.check.hint(by), "muted").wrap(screen.console, side_width(screen))
        heading = [data(self.label(field), "bold"), *hint]
        is_cut = screen.measure(clean(value)) > self.room(max(len(self.label(field)) for field, _ in self._page()))
        pieces = side_card(
            screen, heading, facts if self._is_changed(field) else [], value if is_cut else "", screen.height // 3
        )
        return [*pieces, ("", "\n"), *self._beside_client()]

    def _beside_save(self) -> Pieces:
        """The panel beside saving in a wide window: the fields that were changed."""
        changed = [field for field in self.fields() if self._is_changed(field)]
        facts = [
            (self.label(field), data(self.shown(field, self.value(field.name)) or "empty", "alert"))
            for field in changed
        ]
        pieces = (
            [*side_card(self.session.screen, [Text("Not saved yet", "bold")], facts), ("", "\n")] if changed else []
        )
        return [*pieces, *self._beside_client()]

    def _beside_client(self) -> Pieces:
        """The card of the client that the record is, or belongs to."""
        return self._client_card(self.client_number) if self.client_number else ()

    def _is_changed(self, field: Field) -> bool:
        return field.name in self.changes and bool(self.original)

    def shown(self, field: Field, value: Any) -> str:
        """A value as it is in the form, a linked record by its name; '' for none."""
        if field.name in self.offered:
            return self.offered[field.name][0].get(value or 0, "")
        if isinstance(field.check, Id):
            return self._linked_name(field.check.record, value or 0)
        return field.check.show(value, self.session.crm.conventions) if value not in (None, "", False) else ""

    def room(self, wide: int) -> int:
        """The columns that a value has beside labels of this width."""
        return max(8, min(_SHOWN, self.session.screen.width - self.session.screen.side - wide - 10))

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
            self._refused = error.field if isinstance(error, FieldError) else ""
            return None

    def loses(self) -> bool:
        """Return whether something would be lost that is worth a question."""
        return bool(self.original and (self.changes or self._begun))

    def _leave(self, saves: str) -> str:
        """Ask before what was typed is lost: "save", or '' to stay. Raises Cancelled where it is to be lost."""
        entries = [Choice(saves, "save"), Choice("Discard changes", "leave")]
        try:
            chosen: str = self.session.keyboard.choose("Your changes are not saved yet.", entries, back="Keep editing")
        except Back:
            return ""
        if chosen == "leave":
            raise Cancelled
        return chosen

    def ask(self, field: Field, *, required: bool = False) -> None:
        """Ask for one field; what it holds is in the line to change, and empty clears it. Raises Back."""
        if field.name in self.offered:
            names, nothing = self.offered[field.name]
            entries = [*(Choice(name, number) for number, name in names.items()), Choice(nothing, 0)]
            chosen = self.session.keyboard.choose(f"{field.label}:", entries, at=self.value(field.name))
            self._take(field.name, chosen, 0)
            return
        if isinstance(field.check, Id):
            self._ask_link(field, field.check, required=required or field.name in self.kind.about.needs)
            return
        by = self.session.crm.conventions
        value = self.value(field.name)
        stored = field.check.edit(value, by) if value not in (None, "", (), {}) else ""
        begun = self._begun.pop(field.name, "")
        typed = begun or stored
        extra = field.name == "extra"
        check = self.checks.get(field.name, field.check)
        if field.name in self.times and isinstance(check, Day):
            check = replace(check, timed=True)
        try:
            entered = self.session.prompts.value(
                self.label(field),
                check,
                help=field.help if extra else self.help(field, "" if required else typed),
                typed=typed,
                required=required and not extra,
                default={} if extra else field.check.empty,
                current=value if typed and typed == stored and not extra else None,
                of_record=True,
                begun=bool(begun),
                form=self._place,
            )
        except Back as left:
            if left.typed not in ("", stored):
                self._begun[field.name] = left.typed
            raise
        if extra:
            entered = {**entered, **{name: "" for name in self.original.get("extra", {}) if name not in entered}}
        if isinstance(entered, When):
            self._take(self.times[field.name], entered.time, "")
            entered = entered.day
        self._take(field.name, entered, field.check.empty)

    def _ask_link(self, field: Field, link: Id, *, required: bool) -> None:
        """Ask for the record that a field links to. Raises Back."""
        crm, kind = self.session.crm, BY_NAME[link.record]
        with crm.read() as snapshot:
            current = snapshot.find(kind, self.value(field.name) or 0)
        try:
            chosen = pick(
                crm, self.session.keyboard, kind, self.label(field), help=field.help, required=required, current=current
            )
        except FieldError as error:
            # There is none to choose.
            self.session.fail(error)
            return
        self._take(field.name, chosen.id if chosen else 0, 0)

    def _take(self, name: str, entered: Any, empty: Any) -> None:
        if entered == self.original.get(name, empty):
            self.changes.pop(name, None)
        else:
            self.changes[name] = entered

    def help(self, field: Field, typed: str) -> str:
        """The hint beside a question."""
        hints = [field.help or field.check.hint(self.session.crm.conventions), "empty clears it" if typed else ""]
        return "; ".join(filter(None, hints))

    def line(self, field: Field, wide: int, by: Conventions) -> str:
        """A field as it is in the form."""
        text = self.shown(field, self.value(field.name))
        mark = "*" if self._is_changed(field) else " "
        return f"{self.label(field):<{wide}} {mark} {self.session.screen.fit(text, self.room(wide))}"


def fill_changes(
    session: Session,
    form: type[RecordForm],
    record: AnyRecord,
    title: Callable[[AnyRecord], str],
    save: Callable[[AnyRecord, Mapping[str, Any]], Saved],
) -> tuple[AnyRecord, Saved] | None:
    """Let a person change fields of a record, and settle what clashes with somebody else's changes: the record as it
    was last shown, and what `save` gave; None where nothing was changed, or nothing was left to change. Raises Back and
    Cancelled."""
    changes: dict[str, Any] = {}
    place, name = [*session.place], title(record)
    section = place[: place.index(name)] if name in place else place[:-1] or place

    def saved() -> AnyRecord | Saved:
        return save(original, changes) if changes else original

    while True:
        original = session.crm.get(type(record), record.id)
        try:
            filled = form.of(session, original, changes)
            done = filled.fill(partial(_titled, section, title, original, filled), saved)
        except ConflictError as error:
            try:
                changes = settle_conflict(session, original, error, changes)
            except Back:
                # The form again, with all that was typed.
                continue
            if not changes:
                session.say("Nothing left to change.")
                return None
        else:
            return None if done is original else (original, done)


def _titled(
    section: Sequence[str], title: Callable[[AnyRecord], str], original: AnyRecord, form: RecordForm
) -> Sequence[str]:
    """The breadcrumbs of a form by what is in it by now, below the section that it was opened in."""
    return [*section, title(replace(original, **form.changes)), "Edit"]


def settle_conflict(session: Session, record: Record, error: ConflictError, mine: Mapping[str, Any]) -> dict[str, Any]:
    """Show what clashes side by side, and ask field by field whose value stays; the changes that are
    left to make. Raises Back and Cancelled."""
    labels = {name: field.label for name, field in typed_fields(type(record)).items()}
    clashes = _with_linked_names(session, type(record), error.clashes)
    theirs_stay: dict[str, bool] = {}

    def asks(name: str, theirs: str, yours: str) -> Step:
        def ask() -> None:
            session.page("Someone else changed this too")
            _draw_clashes(session, labels, clashes)
            entries = [
                Choice(f"Keep theirs: {theirs or '(empty)'}", True),
                Choice(f"Use mine: {yours or '(empty)'}", False),
            ]
            theirs_stay[name] = session.keyboard.choose(f"{labels.get(name, name)}:", entries, at=theirs_stay.get(name))

        return ask

    in_steps(session, [asks(name, theirs, yours) for name, (_, theirs, yours) in clashes.items()])
    return {name: value for name, value in mine.items() if not theirs_stay.get(name)}


def _with_linked_names(
    session: Session, kind: type[Record], clashes: Mapping[str, tuple[str, str, str]]
) -> Mapping[str, tuple[str, str, str]]:
    """The clashing values, with linked records by their names."""
    linking = links(kind)

    def shown(name: str, value: str) -> str:
        return _linked_name(session, linking[name].record, value) if name in linking else value

    return {
        name: (shown(name, before), shown(name, theirs), shown(name, mine))
        for name, (before, theirs, mine) in clashes.items()
    }


def _linked_name(session: Session, record: str, number: int | str) -> str:
    """The name of a linked record, '' for none; its number where it has no name, or is not to be seen."""
    if not int(number):
        return ""
    with suppress(CRMError), session.crm.read() as snapshot:
        if linked := snapshot.find(BY_NAME[record], int(number)):
            return called(linked, session.conventions) or line_of(linked, session.conventions)
    return str(number)


def _draw_clashes(session: Session, labels: Mapping[str, str], clashes: Mapping[str, tuple[str, str, str]]) -> None:
    rows = [[Text(clean(value)) for value in (labels.get(name, name), *values)] for name, values in clashes.items()]
    session.screen.print(comparison(("Field", "Before", "Theirs", "Yours"), rows))
    session.screen.print()
