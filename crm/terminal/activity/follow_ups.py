"""Follow-ups at the menu: the list of them, the page of one, adding, editing and putting off."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from crm.commands.activity.follow_up_lists import FollowUpShown
from crm.commands.activity.follow_ups import DUE, FollowUpList
from crm.commands.client_selection import pluralize
from crm.commands.registry import Command, named
from crm.model import Client, Conventions, Deal, Field, FollowUp, typed_fields
from crm.model.fields import Check
from crm.model.written_dates import When, read_when
from crm.repository import Query
from crm.terminal.activity.rendering import LISTED_FOLLOW_UPS, follow_up_side
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import tables
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.forms import RecordForm, fill_changes
from crm.terminal.toolkit.latest import latest_with
from crm.terminal.toolkit.lists import list_page
from crm.terminal.toolkit.marking import MarkingPage
from crm.terminal.toolkit.pages import Pieces, draw_above_client, draw_side_card, flow, record_flow
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Aside, Session
from crm.terminal.toolkit.steps import in_steps

_ORDER = ("what", "due_on", "due_time", "user", "deal", "every")
# What the commands call the fields.
_PARAMETERS: Mapping[str, str] = {"due_on": "due", "due_time": "time", "user": "for_"}


class FollowUpForm(RecordForm):
    """A follow-up of a client on its way; the deal is one of the client's open ones."""

    # Asked before the form is shown.
    asked_first: ClassVar[Sequence[str]] = ("what", "due_on")
    needed = frozenset(("what",))
    checks: ClassVar[Mapping[str, Check]] = {"due_on": DUE}
    times: ClassVar[Mapping[str, str]] = {"due_on": "due_time"}

    def __init__(self, session: Session, client: Client, original: Mapping[str, Any], changes: dict[str, Any]) -> None:
        super().__init__(session, FollowUp, original, changes)
        self.client_number = client.id
        about = {"id": original["deal"]} if original.get("deal") else None
        with session.crm.read() as snapshot:
            deals = snapshot.find_all(Deal, Query({"client": client.id, "closed_on": None}))
            deals += snapshot.find_all(Deal, Query(about)) if about else []
        self.offered = {"deal": ({deal.id: deal.title for deal in deals}, "None")} if deals else {}

    @classmethod
    def of(cls, session: Session, record: FollowUp, changes: dict[str, Any]) -> RecordForm:
        client = session.crm.get(Client, record.client)
        return cls(session, client, {name: getattr(record, name) for name in _ORDER}, changes)

    def fields(self) -> Sequence[Field]:
        known = typed_fields(FollowUp)
        return [known[name] for name in _ORDER if name != "deal" or "deal" in self.offered]

    def ask(self, field: Field, *, required: bool = False) -> None:
        # What is there to be done stays to be done, and by a day.
        kept = bool(self.original) and field.name in self.asked_first
        super().ask(field, required=required or kept)

    def shown(self, field: Field, value: Any) -> str:
        text = super().shown(field, value)
        # Whether "next friday" was read as it was meant shows only here.
        return f"{self.session.conventions.weekday(value)}, {text}" if field.name == "due_on" and value else text

    def line(self, field: Field, wide: int, by: Conventions) -> str:
        if field.name == "every" and not self.value("every"):
            return f"{field.label:<{wide}}".rstrip()
        return super().line(field, wide, by)


def as_given(session: Session, changes: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """The answers as the commands take them: `follow-ups add` the deal itself, `follow-ups edit` its number."""
    arguments = {_PARAMETERS.get(name, name): value for name, value in changes.items()}
    if new and arguments.get("deal"):
        arguments["deal"] = session.crm.get(Deal, arguments["deal"])
    elif new:
        arguments.pop("deal", None)
    return arguments


@list_page
class FollowUpsPage(MarkingPage):
    """Follow-ups by when they are due: mine, everyone's, or those of one client."""

    title = "Follow-ups"
    purpose = "A follow-up says what to do next for a client, and by when. Today shows it when it is due."
    lettered: Mapping[str, letters.Letter] = {
        "follow-ups edit": letters.EDIT,
        "follow-ups done": letters.DONE,
        "follow-ups snooze": letters.SNOOZE,
        "follow-ups assign": letters.REASSIGN,
        "follow-ups delete": letters.DELETE,
    }
    kind = FollowUp
    nouns = ("follow-up", "follow-ups")
    of_marked: Mapping[str, letters.Letter] = {
        words: letter for words, letter in lettered.items() if words != "follow-ups edit"
    }
    plural = "open follow-ups"
    command = "follow-ups list"
    holds = "follow_up"
    sorts: Mapping[str, str] = {"Due": "due_on", "For": "user", "What": "what"}
    filter_by: Mapping[str, str] = {
        "overdue": "Overdue", "due": "Due by", "client": "Client", "for_": "Assigned to",
        "repeating": "Repeating", "done": "Done",
    }  # fmt: skip
    left_out = ("done", "done")
    # What is done is not overdue.
    rivals = (frozenset(("mine", "for_")), frozenset(("overdue", "done")))
    lasting = frozenset(("mine",))
    result: FollowUpList

    def __init__(self, session: Session, **filters: Any) -> None:
        super().__init__(session, **filters)
        # With nothing to do one sees at once what others have.
        if not self.filters and named(self.command)(session.crm, mine=True, limit=0).count:
            self.filters = {"mine": True}

    @property
    def columns(self) -> Sequence[tables.Column]:  # type: ignore[override]
        """The columns; where all are for one person their name would be in each row."""
        one = self.filters.keys() & {"mine", "for_"}
        return [column for column in LISTED_FOLLOW_UPS if not (one and column.title == "For")]

    def listed(self) -> Sequence[Any]:
        return self.result.follow_ups

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        rows = super().rows(limit, offset)
        self.counted = self.result.count
        return rows

    def count(self) -> int:
        return self.result.count

    def start_with(self, command: Command, records: Sequence[Any]) -> None:
        _MANY[command.words](self.session, records)

    def act_on_marked(self) -> None:
        _act_on(self.session, self.still_marked())

    def act_on_all(self) -> None:
        _act_on(self.session, [row.follow_up for row in self.rows(self.counted, 0)])

    def narrowed(self) -> str:
        owner = [] if "mine" in self.filters else ["everyone's"]
        late = self.result.overdue if self.result else 0
        parts = [*owner, super().narrowed(), f"{self.session.crm.conventions.number(late)} overdue" if late else ""]
        parts += self.marks_in_words()
        return ", ".join(filter(None, parts))

    def card(self, row: FollowUpShown) -> Sequence[tuple[str, str]]:
        follow_up = follow_up_side(self.session.screen, row, self.session.conventions)
        return draw_above_client(self.session, follow_up, row.client.id)

    def keys(self) -> Sequence[Choice]:
        add_one = letters.NEW(self.starts("follow-ups add"), "follow-up")
        export = letters.EXPORT(lambda: self.session.start(named("follow-ups export")))
        keys = [add_one, self.filter_key(), self.mine_key()]
        at = 0 if self.marking else len(keys)
        keys[at:at] = self.mark_keys()
        return [*keys, *self.marked_keys(), export]


@flow("follow-ups edit-many")
@flow("follow-ups delete-many")
def change_many(session: Session, **_: Any) -> None:
    """The list, in which several are marked first."""
    session.say(f"Mark the follow-ups with space, then press {letters.GROUP.key}.", "muted")
    FollowUpsPage(session).show()


@record_page(FollowUp)
class FollowUpPage(RecordPage[FollowUp, FollowUpShown]):
    """A follow-up and what can be done with it; it is left once that is done."""

    command = "follow-ups show"
    once = True

    def crumbs(self) -> Sequence[str]:
        return ["Follow-ups", self.card.client.name]

    def draw_above(self) -> None:
        self.draw()
        latest_with(self.session, self.card.client, len(self.entries()))
        self.session.screen.print()

    def beside(self) -> Pieces:
        return draw_side_card(self.session, Client, self.record.client)

    def keys(self) -> Sequence[Choice]:
        changes = [] if self.record.done_on else [letters.EDIT(self._edit())]
        return [*changes, letters.DELETE(lambda: _delete(self.session, self.card))]

    def entries(self) -> Sequence[Choice]:
        session, item = self.session, self.card
        client, deal = item.client, item.deal
        log = named("interactions add")
        entries = []
        if not self.record.done_on:
            entries.append(
                Choice("Done", lambda: session.tell(session.call("follow-ups done", follow_up=item.follow_up)))
            )
            entries.append(Choice("Snooze", lambda: put_off(session, item)))
            entries.append(Choice("Log a call", Aside(lambda: session.start(log, client=client, kind="call"))))
        entries.append(Choice("Open the client", Aside(lambda: session.open(client))))
        if deal:
            entries.append(Choice("Open the deal", Aside(lambda: session.open(deal))))
        if self.record.done_on:
            entries.append(Choice("Reopen", lambda: _reopen(session, item)))
        else:
            entries.append(Choice("Reassign", lambda: _hand_over(session, item)))
            entries.append(Choice("Edit", self._edit()))
        return [*entries, Choice("Delete", lambda: _delete(session, item))]

    def _edit(self) -> Aside:
        return Aside(lambda: edit(self.session, self.record))


def _reopen(session: Session, item: FollowUpShown) -> None:
    _confirm_done(session, "Reopened", session.call("follow-ups reopen", follow_up=item.follow_up))


def _hand_over(session: Session, item: FollowUpShown) -> None:
    to = session.prompts.ask(named("follow-ups assign").parameters["to"])
    after = session.call("follow-ups assign", follow_up=item.follow_up, to=to)
    _confirm_done(session, f"Reassigned to {after.follow_up.user}", after)


def _delete(session: Session, item: FollowUpShown) -> None:
    session.tell(session.call("follow-ups delete", follow_up=item.follow_up))


def put_off(session: Session, item: FollowUpShown) -> None:
    """Ask until when, and put a follow-up off. Raises Back."""
    after = session.call("follow-ups snooze", follow_up=item.follow_up, until=_ask_until(session))
    _confirm_done(session, f"Snoozed until {session.conventions.day(after.follow_up.due_on)}", after)


def _ask_until(session: Session) -> date | When:
    """The day until which something is put off, with a time if one is typed. Raises Back."""
    by = session.crm.conventions
    days = {words: read_when(words, by, "ahead").day for words in ("tomorrow", "next week")}
    entries = [Choice(f"{words.capitalize()}, {by.day(day)}", day) for words, day in days.items()]
    until = session.keyboard.choose("Until:", [*entries, Choice("Another day", None)])
    asked = named("follow-ups snooze").parameters["until"]
    day: date | When = until if until is not None else session.prompts.ask(asked)
    return day


def _act_on(session: Session, follow_ups: Sequence[FollowUp]) -> None:
    """Ask what is done with follow-ups, and do it. Raises Back."""
    count = pluralize(len(follow_ups), "follow-up", "follow-ups", session.crm.conventions)
    entries = [Choice(FollowUpsPage.of_marked[words].word, act) for words, act in _MANY.items()]
    session.keyboard.choose(f"{count}:", entries)(session, follow_ups)


def _done_many(session: Session, follow_ups: Sequence[FollowUp]) -> None:
    session.tell(session.call("follow-ups edit-many", follow_ups=follow_ups, done=True))


def _put_off_many(session: Session, follow_ups: Sequence[FollowUp]) -> None:
    session.page("Follow-ups", letters.SNOOZE.word)
    session.tell(session.call("follow-ups edit-many", follow_ups=follow_ups, until=_ask_until(session)))


def _hand_over_many(session: Session, follow_ups: Sequence[FollowUp]) -> None:
    session.page("Follow-ups", letters.REASSIGN.word)
    to = session.prompts.ask(named("follow-ups assign").parameters["to"])
    session.tell(session.call("follow-ups edit-many", follow_ups=follow_ups, to=to))


def _delete_many(session: Session, follow_ups: Sequence[FollowUp]) -> None:
    session.page("Follow-ups", letters.DELETE.word)
    session.tell(session.call("follow-ups delete-many", follow_ups=follow_ups))


# What is done with several of them, by the command for one.
_MANY: Mapping[str, Callable[[Session, Sequence[FollowUp]], None]] = {
    "follow-ups done": _done_many,
    "follow-ups snooze": _put_off_many,
    "follow-ups assign": _hand_over_many,
    "follow-ups delete": _delete_many,
}


@record_flow("follow-ups add")
def add(session: Session, client: Client, deal: Deal | None = None) -> None:
    """Ask what is to be done and by when, then save or fill in more; from the page of an open deal it is about that."""
    about = {"deal": deal.id} if deal is not None and deal.closed_on is None else {}
    form = FollowUpForm(session, client, {}, {"user": session.crm.me, **about})
    crumbs = session.path_to("Add a follow-up", "follow-ups", client.name)

    def fill() -> Any:
        return form.fill(crumbs, lambda: _add(session, client, form.changes))

    steps = [*form.steps(FollowUpForm.asked_first, *crumbs), fill]
    _confirm_done(session, "Added", in_steps(session, steps, form.is_written))
    session.say_next("follow-ups add")


def _add(session: Session, client: Client, changes: Mapping[str, Any]) -> FollowUpShown:
    added: FollowUpShown = session.call("follow-ups add", client=client, **as_given(session, changes, new=True))
    return added


@record_flow("follow-ups edit")
def edit(session: Session, follow_up: FollowUp) -> None:
    """The fields by number with the old values to change; a clash with somebody else's change is settled."""

    def save(was: FollowUp, changes: Mapping[str, Any]) -> FollowUpShown:
        saved: FollowUpShown = session.call("follow-ups edit", follow_up=was, **as_given(session, changes, new=False))
        return saved

    item: FollowUpShown = named("follow-ups show")(session.crm, follow_up=follow_up)
    if edited := fill_changes(session, FollowUpForm, item.follow_up, lambda _: item.client.name, save):
        _confirm_done(session, "Saved", edited[1])


@record_flow("follow-ups snooze")
def snooze(session: Session, follow_up: FollowUp) -> None:
    """A follow-up that is put off."""
    session.page("Follow-ups", "Snooze", client=follow_up.client)
    put_off(session, named("follow-ups show")(session.crm, follow_up=follow_up))


def _confirm_done(session: Session, done: str, item: FollowUpShown) -> None:
    session.done(f"{done}: {item.follow_up.what} ({item.client.name}), {item.when(session.conventions)}")
