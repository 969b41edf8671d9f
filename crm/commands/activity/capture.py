"""Quick capture: a line such as `call Acme, wants a quote, fri 10:00` becomes an interaction, a sale, or a plan,
and a dated follow-up."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar

from crm.commands.activity.note_words import NO_NAMES, PLANS
from crm.commands.activity.quick_notes import (
    AGREED,
    OFFERED,
    PAID,
    QUOTE_SENT,
    QuickNote,
    UnreadDayError,
    masked,
    read_notes,
    sum_alone,
)
from crm.commands.billing.payments import TRANSFER, ask_about_double, recorded
from crm.commands.context import CRM
from crm.commands.matching import begins, called, spelt_alike
from crm.commands.registry import About, command
from crm.commands.repeating import moves, repeating
from crm.commands.sales.outcomes import deals_to_win, marked_as_won
from crm.commands.sales.sales import foreseen_text
from crm.commands.sales.sales import recorded as recorded_sale
from crm.errors import CRMError, FieldError, Question, confirmation
from crm.files.names import split_name, with_capitals
from crm.model import INTERACTIONS, Client, Contact, Conventions, Deal, FollowUp, Interaction, Payment, Sale, named
from crm.model.clients import KINDS
from crm.model.fields import Choice, Day, Flag, Id, Line
from crm.model.folding import fold
from crm.model.rights import ALL, CREATE, UPDATE, level
from crm.model.written_dates import When
from crm.repository import Snapshot, Transaction

_SEARCHED = 20
# A name that is not known ends before the first of them.
_ENDS_NAME = re.compile(r"[,;:\n]")
_MARKS = ".,;:!?()"
_OFFERED = 8
# Of a shorter name that is misspelt too many others could be meant.
_LONG = 6
# Between a person and where they work; a company may have an "of" in its name.
_AT_COMPANY = re.compile(r"(?<=\S) (?:from|at|@) (?=\S)", re.IGNORECASE)
_OF_COMPANY = re.compile(r"(?<=\S) (?:from|of|at|@) (?=\S)", re.IGNORECASE)
_EXAMPLE = "call Acme, wants a quote, fri 10:00"
# A planned sale has other words than a past one.
_PLANNED: Mapping[str, str] = {"Sold": "Sale", "Bought": "Order", "Ordered": "Order", "Paid": "Payment"}
_HAPPENED: Mapping[str, str] = {"call": "Call", "meeting": "Meeting", "email": "E-mail", "sms": "Text message"}
# Texts that do not say whether it is done.
_SAYS_NOTHING = ("", "back", "asap", "soon", "urgent", "urgently")
# Behind the client whose deal is won: nothing more.
_ONLY_DEAL = re.compile(r"(?:the |our )?(?:deal|contract|order)", re.IGNORECASE)
# Behind "paid": all that is open.
_ALL_PAID = re.compile(
    r"(?:(?:the|all|his|her|its|their|our|my) )*(?:invoices?|bills?)|(?:(?:invoices?|bills?) )?in full|everything|all",
    re.IGNORECASE,
)
# Paid before anything is invoiced.
_DEPOSIT = re.compile(
    r"\b(?:deposit|down ?payment|pre-?payment|retainer|instal?lment|(?:in )?advance|on account|up ?front)\b",
    re.IGNORECASE,
)
_EXAMPLE_OF_SUM = "Acme, $4,500 for 3 tables"
# A longer name is likelier to be a sentence.
_MOST_NEW_WORDS = 4
# So many words may name a client in the midst of a line, and so far into it are looked at.
_MOST_MENTION_WORDS, _MOST_LINE_WORDS, _LEAST_MENTION = 3, 14, 3
# What is before a client rather than before a thing.
_LEADS_TO_NAME = frozenset(("to", "with", "for", "at"))
# Beside a client a name may be shorter.
_LEAST_NAME = 2
# Before a second client: emailed Jo & Bob.
_AND = re.compile(r"(?:and|und|&|\+)\s+(?=\S)", re.IGNORECASE)
_POSSESSIVE = re.compile("['\u2019]s?$")
_Added = TypeVar("_Added", Interaction, FollowUp, Sale, Deal)
_NAME, _TITLE, _SUBJECT, _WHAT = 200, 200, 300, 500


TEXT = "text"


class _DayInNote(Day):
    """A day instead of one that cannot be read, or the word for leaving that in the text."""

    def read(self, typed: str, by: Conventions) -> Any:
        return TEXT if typed.strip().casefold() == TEXT else super().read(typed, by)

    def show(self, value: Any, by: Conventions) -> str:
        return TEXT if value == TEXT else super().show(value, by)


_DAY = Day()


class NoClientError(FieldError):
    """A line that names no client, as far as can be seen; a person says who it is."""


@dataclass(frozen=True, slots=True)
class Captured:
    """The reading of a line: an interaction with a client, perhaps with one of its contacts, or a sale to it, a payment
    or a deal, and a follow-up where the line says when. What is only planned is a follow-up alone. `client` has no
    number where it is new; `misspelt` is what was written for it where it is called otherwise. `left_out` says why what
    was sold or offered is neither a sale nor a deal, `won` is the deal that is won with the sale, `moves` says which
    follow-ups that repeat the contact moves, and `others` names other clients who are beside the client."""

    client: Client
    contact: Contact | None
    interaction: Interaction | None
    follow_up: FollowUp | None
    sale: Sale | None = None
    deal: Deal | None = None
    payment: Payment | None = None
    misspelt: str = ""
    is_new_contact: bool = False
    left_out: str = ""
    won: Deal | None = None
    moves: Sequence[str] = ()
    others: str = ""


@command("capture", title="Quick note")
def capture(
    crm: CRM,
    line: Annotated[str, Line(2000), About("Note", f"like: {_EXAMPLE}", positional=True)],
    client: Annotated[
        int | None, Id("client"), About("Client", "its number, if several match; 0 for a new one")
    ] = None,
    add: Annotated[str, Choice(KINDS), About("Add", "a client that is not found, as a person or a company")] = "",
    sale: Annotated[bool | None, Flag(), About("Sale", "whether to record the sum in the note as a sale")] = None,
    deal: Annotated[bool | None, Flag(), About("Deal", "whether to add the sum in the note as a deal")] = None,
    won: Annotated[
        int | None,
        Id("deal"),
        About("Won deal", "the open deal that was won for the sum: its number or title; 0 for none"),
    ] = None,
    payment: Annotated[
        bool | None, Flag(), About("Payment", "whether the sum in the note pays the open invoices of the client")
    ] = None,
    done: Annotated[
        bool | None, Flag(), About("Done", "whether a call or meeting without a date was today, or is still to do")
    ] = None,
    day: Annotated[
        date | When | str | None,
        _DayInNote(past=False, timed=True),
        About("Day", "like fri 10:00, for one in the note that cannot be read; text keeps that as text"),
    ] = None,
    duplicate_ok: Annotated[bool, About("Record anyway", "even if the same payment is already recorded")] = False,
    yes: bool = False,
) -> Captured:
    """Log a call, meeting, e-mail, text message or note from one line, with a follow-up if the line has a date.

    Start with what it was (call, met, lunch with, mail, whatsapp; otherwise it is a note), then the client or one of
    its contacts, then the text; `Sven called, wants more` works too. A date in the past says when it was: yesterday,
    last fri, Nov 13. A date in the future says when to follow up, or when a meeting will be: fri 10:00, tomorrow 9,
    12/24, in two weeks, end of month. If the line has a sum, it asks what to record: a sale (`sold Acme 3
    tables for 300`), a deal (`offered Acme 3 tables for 300`), a payment (`Acme paid 300`, if the client has open
    invoices, or for a deposit), or the deal that was won (`closed Acme for 45k`). You see what was understood before it
    is saved.
    """
    by = crm.conventions
    notes = _read(line, day, by)
    if not any(any(note.beginnings()) for note in notes):
        raise FieldError(f"say with whom, like: {_EXAMPLE}", field="line", label="Note")

    kept = {"sale": sale, "deal": deal, "payment": payment, "done": done}

    def change(tx: Transaction) -> Captured:
        understood = _understood(crm, tx, notes, client, add, kept, yes, won)
        if (paid := understood.payment) is not None and not duplicate_ok:
            of_payment = paid.currency or crm.settings["currency"]
            ask_about_double(tx, understood.client, paid.amount, of_payment, paid.on or tx.today, None)
        before = repeating(tx, understood.client.id) if understood.client.id and understood.interaction else {}
        if not yes:
            if before and understood.interaction is not None:
                # Not kept: the question ends this transaction.
                tx.add(dataclasses.replace(understood.interaction, client=understood.client.id))
                tx.settle()
                moved = moves(before, repeating(tx, understood.client.id), by)
                understood = dataclasses.replace(understood, moves=moved)
            lines = [captured_summary(understood, by)]
            lines += [] if understood.follow_up else ["No follow-up (no future date found)."]
            if understood.sale is not None and understood.client.id:
                # Not kept: the question ends this transaction.
                sold = dataclasses.replace(understood.sale, client=understood.client.id)
                lines.append(foreseen_text(recorded_sale(tx, sold), by))
            raise confirmation("\n".join([*lines, "Save it?"]), "Save")
        company = understood.client if understood.client.id else tx.add(understood.client)
        if understood.is_new_contact and understood.contact:
            contact = tx.add(dataclasses.replace(understood.contact, client=company.id))
            about = understood.interaction and dataclasses.replace(understood.interaction, contact=contact.id)
            understood = dataclasses.replace(understood, contact=contact, interaction=about)

        def added(record: _Added | None) -> _Added | None:
            return tx.add(dataclasses.replace(record, client=company.id)) if record else None

        saved = dataclasses.replace(
            understood,
            interaction=added(understood.interaction),
            sale=added(understood.sale),
            deal=added(understood.deal),
            won=marked_as_won(tx, understood.won, understood.sale.amount)
            if understood.won and understood.sale
            else None,
        )
        if understood.payment is not None:
            paid = dataclasses.replace(understood.payment, client=company.id, currency=crm.settings["currency"])
            saved = dataclasses.replace(saved, payment=recorded(crm, tx, paid).payment)
        if (due := understood.follow_up) is not None:
            of_deal = saved.deal or saved.won
            due = dataclasses.replace(due, deal=of_deal.id if of_deal else 0)
            saved = dataclasses.replace(saved, follow_up=added(due))
        tx.settle()
        moved = moves(before, repeating(tx, company.id), by) if before else ()
        return dataclasses.replace(saved, client=tx.get(Client, company.id), moves=moved)

    return crm.transact(change, f"noted: {' '.join(line.split())}"[:200])


def _read(line: str, day: date | When | str | None, by: Conventions) -> list[QuickNote]:
    """The ways to read a line. A day in it that cannot be read is text, or is replaced by the `day` that a person gave;
    that is behind the line where there is none. Raises Question where nobody has said."""
    in_text: list[str] = []
    instead = "" if day is None or day == TEXT else _DAY.edit(day, by)
    is_used = False
    while True:
        try:
            notes = list(read_notes(line, by, in_text))
        except UnreadDayError as unread:
            if day is None:
                raise Question(
                    f"“{unread.written}” cannot be read as a day.",
                    parameter="day",
                    choices={"": "Pick a day", TEXT: "Keep it as text"},
                ) from None
            if instead and not is_used and unread.written in line:
                line, is_used = line.replace(unread.written, instead, 1), True
            elif piece := _unread_piece(masked(line, in_text), unread.written):
                in_text.append(piece)
            else:
                raise
        else:
            if not instead or is_used:
                return notes
            line, is_used = f"{line}, {instead}", True


def _unread_piece(line: str, written: str) -> str:
    """The most words of a day that cannot be read which stand together in the line; they may stand apart in it, as in
    `sent Bob on monday the quote second week of january`. '' where none of them does."""
    words = written.split(" ")
    pieces = (
        " ".join(words[start : start + count])
        for count in range(len(words), 0, -1)
        for start in range(len(words) - count + 1)
    )
    return next((piece for piece in pieces if piece and piece in line), "")


def _understood(
    crm: CRM,
    snapshot: Snapshot,
    notes: Sequence[QuickNote],
    number: int | None,
    add: str,
    kept: Mapping[str, bool | None],
    sure: bool,
    won: int | None,
) -> Captured:
    """Read a line, before anything is saved. Raises Question where it could mean nobody or several, where it is not
    said whether a sum is `kept` as a sale, a deal or a payment, or whether a call is done. Where one is `sure`, one who
    is called much like it is taken for who is meant, and a call for done."""
    contact: Contact | None = None
    misspelt = ""
    if number:
        client = snapshot.get(Client, number)
        note, text, contact = _rest_and_contact(snapshot, notes, client)
        person, companies = _at_known_company(snapshot, note) if contact is None else ("", [])
        if any(company.id == client.id for company, _ in companies):
            contact, text = Contact(client=client.id, name=person[:_NAME]), note.apart()[1]
    elif add:
        note = notes[0]
        client, contact, text = _new(note, add)
    elif (candidates := _named_first(snapshot, notes)) is not None:
        if len(candidates.clients) > 1:
            raise _several(candidates.clients)
        note, text, ((client, contact),) = candidates.note, candidates.text, candidates.clients
    elif number is None and (at_company := _at_known_company(snapshot, notes[0]))[1]:
        raise _contact_of(*at_company)
    elif (
        number is None
        and not _begins_with_no_name(notes[0])
        and (candidates := _candidates(snapshot, notes, _alike)) is not None
    ):
        if not sure or len(candidates.clients) > 1 or len(candidates.name) < _LONG:
            raise _which(candidates)
        note, text, ((client, contact),) = candidates.note, candidates.text, candidates.clients
        misspelt = candidates.name
    elif number is None and (candidates := _mentioned(snapshot, notes[0])) is not None:
        if len(candidates.clients) > 1:
            raise _several(candidates.clients)
        note, text, ((client, contact),) = candidates.note, candidates.text, candidates.clients
    elif notes[0].is_sum_first:
        raise FieldError(f"say with whom, like: {_EXAMPLE_OF_SUM}", field="line", label="Note")
    else:
        raise _nobody(notes[0])
    note = note.with_text(text)
    text, others = _with_others(snapshot, client, text)
    is_done_unknown = note.has_happened is None and note.due_on is None and text.casefold() in _SAYS_NOTHING
    if is_done_unknown and kept["done"] is None and not sure:
        raise Question(
            f"{_HAPPENED[note.kind]} with {client.name}: is it done, or still to do?",
            parameter="done",
            choices={"yes": "Done today", "no": "Still to do: add a follow-up for today"},
        )
    if is_done_unknown and kept["done"] is False:
        note = dataclasses.replace(note, due_on=crm.today, waits="always")
    note, text = _with_payment(crm, client, note, text, kept)
    becomes = "deal" if note.label in (OFFERED, QUOTE_SENT) else "sale"
    # What is only planned is no sale yet.
    has_sum = note.amount is not None and note.waits != "always"
    by = crm.conventions
    may_pay_ahead = has_sum and _may_pay_ahead(crm, client, note, kept)
    is_likely = not sure if kept["sale"] is False else bool(_DEPOSIT.search(text))
    if note.amount is not None and may_pay_ahead and is_likely:
        raise Question(
            f"{client.name} has no open invoices. Record a payment of {by.money(note.amount)} for later invoices?",
            parameter="payment",
            choices={
                "yes": "Record a payment",
                "no": "Only note it down" if kept["sale"] is False else "A sale, or only a note",
            },
        )
    if note.amount is not None and has_sum and _may_pay(crm, client, note, kept):
        if kept["payment"] is None:
            raise Question(
                f"{client.name} has open invoices of {by.money(client.open_amount)}. Record a payment of"
                f" {by.money(note.amount)}?",
                parameter="payment",
                choices={"yes": "Record a payment", "no": "Something else"},
            )
        becomes = "payment"
    if won and (becomes != "sale" or not has_sum):
        raise FieldError("this note has no sum that a deal was won for", field="won", label="Won deal")
    won_deal = _won_deal(crm, snapshot, client, note, kept, won) if becomes == "sale" and has_sum else None
    if won_deal is not None:
        kept = {**kept, "sale": True}
    if note.amount is not None and has_sum and kept[becomes] is None:
        sum_, name = by.money(note.amount), client.name or "them"
        raise Question(
            f"Add a deal of {sum_} with {name}?" if becomes == "deal" else f"Record a sale of {sum_} to {name}?",
            parameter=becomes,
            choices={
                "yes": "Add the deal" if becomes == "deal" else "Record the sale",
                "no": "A payment for later invoices, or only a note" if may_pay_ahead else "Only note it down",
            },
        )
    is_new = contact is not None and not contact.id
    left_out = f"No {becomes}: {note.no_sum}." if note.no_sum and note.amount is None else ""
    captured = Captured(
        client, contact, None, None, misspelt=misspelt, is_new_contact=is_new, left_out=left_out, won=won_deal,
        others=others,
    )  # fmt: skip
    return _filled(crm, captured, note, text, becomes if kept[becomes] and has_sum else "")


def _won_deal(
    crm: CRM, snapshot: Snapshot, client: Client, note: QuickNote, kept: Mapping[str, bool | None], won: int | None
) -> Deal | None:
    """The open deal of a client that is won for the sum of a note. Raises Question where the note says that something
    was agreed, the client has such deals and nobody has said which."""
    by = crm.conventions
    if won == 0 or not client.id:
        return None
    deals = {str(deal.id): deal for deal in deals_to_win(snapshot, client.id)}
    if won is not None:
        if str(won) not in deals:
            raise FieldError(f"{client.name} has no open deal {won}", field="won", label="Won deal")
        return deals[str(won)]
    may_win = level(crm.reader.role, Deal.kind_name, UPDATE) is ALL
    if note.amount is None or note.label not in AGREED or kept["sale"] is not None or not deals or not may_win:
        return None
    offered = {
        number: f"Mark as won: {deal.title}, {by.money(deal.value)}" for number, deal in [*deals.items()][:_OFFERED]
    }
    raise Question(
        f"{client.name} has {'an open deal' if len(deals) == 1 else 'open deals'}."
        f" Was {'it' if len(deals) == 1 else 'one of them'} won for {by.money(note.amount)}?",
        parameter="won",
        choices={**offered, "0": "No, it is something else"},
        records=[*deals.values()][:_OFFERED],
    )


def _with_payment(
    crm: CRM, client: Client, note: QuickNote, text: str, kept: Mapping[str, bool | None]
) -> tuple[QuickNote, str]:
    """The note of a client with open invoices, and its text, as those of a payment, where the text is nothing but a
    sum, or says that the invoices are paid."""
    if note.amount is not None or note.due_on or kept["payment"] is False:
        return note, text
    amount, rest = None, text
    if note.label == PAID and _ALL_PAID.fullmatch(text):
        amount = client.open_amount
    elif note.kind == "note" and not note.label:
        amount, rest = sum_alone(text, crm.conventions), ""
    paid = dataclasses.replace(note, label=PAID, amount=amount)
    return (paid, rest) if amount is not None and _may_pay(crm, client, paid, kept) else (note, text)


def _may_pay(crm: CRM, client: Client, note: QuickNote, kept: Mapping[str, bool | None]) -> bool:
    """Return whether a sum that was paid may be a payment: somebody says so, or nobody has said otherwise and
    the client has open invoices."""
    if kept["payment"] is not None:
        return kept["payment"]
    return note.label == PAID and kept["sale"] is None and client.open_amount > 0 and _may_record_payment(crm)


def _may_pay_ahead(crm: CRM, client: Client, note: QuickNote, kept: Mapping[str, bool | None]) -> bool:
    """Return whether a sum that was paid may be a payment of a client who has no open invoices yet, and nobody has said
    what it is."""
    is_undecided = kept["payment"] is None and not kept["sale"]
    return note.label == PAID and is_undecided and client.open_amount <= 0 and _may_record_payment(crm)


def _may_record_payment(crm: CRM) -> bool:
    return level(crm.reader.role, Payment.kind_name, CREATE) is ALL


def _filled(crm: CRM, captured: Captured, note: QuickNote, text: str, becomes: str) -> Captured:
    """The note as it is to be saved, with the interaction, or the sale, payment or deal that its sum `becomes`, and
    the follow-up."""
    sale = deal = payment = interaction = follow_up = None
    if note.amount is not None and not becomes:
        text = f"{text} for {crm.conventions.money(note.amount)}" if text else crm.conventions.money(note.amount)
    label = _PLANNED.get(note.label, note.label) if note.is_planned(text) else note.label
    about = ": ".join(filter(None, (label, text)))
    on = note.on or crm.today
    if note.until:
        hours = f"until {crm.conventions.time_of_day(note.until)}"
        text, about = (f"{words} ({hours})" if words else hours for words in (text, about))
    if note.amount is not None and becomes == "deal":
        deal = Deal(title=_first_line(text, _TITLE) or OFFERED, value=note.amount, owner=crm.me)
    elif note.amount is not None and becomes == "payment":
        payment = Payment(
            kind="payment", on=on, amount=note.amount, method=TRANSFER, note=_first_line(text, _WHAT), user=crm.me
        )
    elif note.amount is not None and becomes == "sale":
        won = captured.won
        what = ": ".join(filter(None, (won.title, "" if _ONLY_DEAL.fullmatch(text) else text))) if won else text
        sale = Sale(on=on, amount=note.amount, note=_first_line(what, _WHAT), user=crm.me, deal=won.id if won else 0)
    elif not note.is_planned(text):
        subject = _first_line(about, _SUBJECT)
        interaction = Interaction(
            contact=captured.contact.id if captured.contact else 0,
            kind=note.kind,
            on=on,
            time=note.time,
            subject=subject,
            body="" if " ".join(about.split()) == subject else about,
            user=crm.me,
        )
    if note.due_on:
        what = note.label or ("Follow up" if note.kind == "note" else INTERACTIONS[note.kind].capitalize())
        if text and not label and note.kind != "note" and note.is_planned(text):
            # Nothing else says what is planned.
            about = f"{what}: {text}"
        follow_up = FollowUp(
            user=crm.me,
            due_on=note.due_on,
            due_time=note.due_time,
            what=_first_line(about if text else f"{what}: {captured.client.name}", _WHAT),
        )
    return dataclasses.replace(
        captured, interaction=interaction, sale=sale, deal=deal, payment=payment, follow_up=follow_up
    )


def _first_line(text: str, longest: int) -> str:
    line = " ".join(text.partition("\n")[0].split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


# Clients who may be meant, each with the contact who leads to it.
_Clients = list[tuple[Client, Contact | None]]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The clients that a note may be about, by the name that was written, and the rest of its text."""

    note: QuickNote
    name: str
    text: str
    clients: _Clients


def _candidates(
    snapshot: Snapshot, notes: Sequence[QuickNote], find: Callable[[Snapshot, str], _Clients]
) -> _Candidates | None:
    """The clients found by the longest beginning that finds any, in the likeliest reading of the line."""
    for note in notes:
        for begun, rest in note.beginnings():
            is_count = note.is_sum_first and begun.isdigit()
            if not is_count and (clients := find(snapshot, begun)):
                return _Candidates(note, begun, rest, clients)
    return None


def _named_first(snapshot: Snapshot, notes: Sequence[QuickNote]) -> _Candidates | None:
    """The clients that a line names where it begins; of one that begins with a verb or the like, those that it names in
    full further on: a client may be called much like a verb."""
    if _begins_with_no_name(notes[0]) and (mentioned := _mentioned(snapshot, notes[0])) is not None:
        return mentioned
    candidates = _candidates(snapshot, notes, _called)
    return _with_misspelt_end(snapshot, candidates) if candidates is not None else None


def _with_others(snapshot: Snapshot, client: Client, text: str) -> tuple[str, str]:
    """The text behind a client, with the full names of others who are named beside it, as in `emailed Jo & Bob the
    prices`; and the names of those who are clients of their own."""
    people: list[str] = []
    others: list[str] = []
    rest = text
    while lead := _AND.match(rest):
        behind = rest[lead.end() :]
        for word in reversed(list(re.finditer(r"\S+", behind))[:_MOST_MENTION_WORDS]):
            name = behind[: word.end()].strip(f"{_MARKS} ")
            pairs = [] if _has_no_name(name) else [pair for pair in _called(snapshot, name) if _is_named(*pair, name)]
            if pairs:
                break
        else:
            break
        full = {contact.name if contact else candidate.name for candidate, contact in pairs}
        people.append(full.pop() if len(full) == 1 else name)
        others += [] if any(candidate.id == client.id for candidate, _ in pairs) else people[-1:]
        rest = behind[word.end() :].strip(" ,;:")
    if not people:
        return text, ""
    return ", ".join(filter(None, (f"with {' and '.join(people)}", rest))), " and ".join(others)


def _has_no_name(words: str) -> bool:
    """Return whether words are too short for a name, or begin or end with one that names nobody."""
    plain = words.split()
    return len(words) < _LEAST_NAME or not NO_NAMES.isdisjoint((plain[0], plain[-1]))


def _begins_with_no_name(note: QuickNote) -> bool:
    """Return whether a line begins with a word that names nobody, in small letters."""
    return note.body.partition(" ")[0].strip(_MARKS) in NO_NAMES


@dataclass(frozen=True, slots=True)
class _Mention:
    """A run of words that names clients. It `is_clear` where it has several words, a capital, or follows `to`, `with`
    and the like; one everyday word may name nobody: the price, in may."""

    name: str
    clients: _Clients
    is_clear: bool


def _mentioned(snapshot: Snapshot, note: QuickNote) -> _Candidates | None:
    """The clients that a line names somewhere, by whole words of their names, as in `chase globex corp for the
    contract`; all of the line is text. A clear mention comes before one that may be an everyday word."""
    words = note.body.split()[:_MOST_LINE_WORDS]
    bare = [_POSSESSIVE.sub("", word.strip(_MARKS)) for word in words]
    mentions: list[_Mention] = []
    taken: set[int] = set()
    for count in range(_MOST_MENTION_WORDS, 0, -1):
        for start in range(len(words) - count + 1):
            places = range(start, start + count)
            name = " ".join(bare[start : start + count])
            ends = {bare[start], bare[start + count - 1]}
            is_apart = any(word[-1] in _MARKS for word in words[start : start + count - 1])
            if is_apart or ends & NO_NAMES or len(name) < _LEAST_MENTION or not name[-1].isalpha():
                continue
            if not taken.isdisjoint(places):
                continue
            if clients := [pair for pair in _called(snapshot, name) if _is_named(*pair, name)]:
                has_capital = start > 0 and name[0].isupper()
                is_led_to = start > 0 and bare[start - 1].lower() in _LEADS_TO_NAME
                mentions.append(_Mention(name, clients, count > 1 or has_capital or is_led_to))
                taken.update(places)
    if not mentions:
        return None
    clients = _common(mentions)
    if not clients and (clear := [mention for mention in mentions if mention.is_clear]):
        mentions = clear
        clients = _common(mentions)
    if not clients:
        clients = list({client.id: (client, contact) for mention in mentions for client, contact in mention.clients}
                       .values())  # fmt: skip
    is_plan = bool(note.due_on) and bare[0].lower() in PLANS and not note.label
    planned = dataclasses.replace(note, waits="always") if is_plan else note
    return _Candidates(planned, mentions[0].name, note.body, clients)


def _common(mentions: Sequence[_Mention]) -> _Clients:
    """The clients that all mentions name, as in `Jo at Acme`, each with the contact if one is named."""
    numbers = set.intersection(*({client.id for client, _ in mention.clients} for mention in mentions))
    pairs: dict[int, tuple[Client, Contact | None]] = {}
    for mention in mentions:
        for client, contact in mention.clients:
            if client.id in numbers and (client.id not in pairs or (contact and not pairs[client.id][1])):
                pairs[client.id] = client, contact
    return list(pairs.values())


def _is_named(client: Client, contact: Contact | None, name: str) -> bool:
    """Return whether each word of a name is a whole one of the client, or of the contact who leads to it. A later word
    of a company, Corp or Systems, alone does not name it."""
    people, company = f"{client.first_name} {client.last_name}", client.company
    words = fold(name).split()
    if len(words) == 1:
        company = company.partition(" ")[0]
    return set(words) <= set(fold(contact.name if contact else f"{people} {company}").split())


def _with_misspelt_end(snapshot: Snapshot, candidates: _Candidates) -> _Candidates:
    """The same with more of the name, where some of those who were found are called much like that: Greta Galanys."""
    known = {client.id for client, _ in candidates.clients}
    for begun, rest in candidates.note.beginnings():
        if len(begun) <= len(candidates.name):
            break
        if not _ENDS_NAME.search(begun) and (
            alike := [pair for pair in _alike(snapshot, begun) if pair[0].id in known]
        ):
            return _Candidates(candidates.note, begun, rest, alike)
    return candidates


def _called(snapshot: Snapshot, text: str) -> _Clients:
    """Clients that are called so, or have a contact who is; of several the one that is called exactly so."""
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 10 and (one := snapshot.find(Client, int(number))):
        return [(one, None)]
    alike = snapshot.search(text, _SEARCHED)
    names = {client.id: f"{client.first_name} {client.last_name} {client.company}" for client in alike}
    matches: _Clients = [
        (client, None) for client in alike if begins(names[client.id], text) or client.email == text.lower()
    ]
    exact = [pair for pair in matches if fold(pair[0].name) == fold(text)]
    if not matches:
        contacts: Mapping[int, Contact] = called(snapshot, alike, text)
        matches = [(client, contacts[client.id]) for client in alike if client.id in contacts]
        exact = [pair for pair in matches if pair[1] and fold(pair[1].name) == fold(text)]
    return exact if len(exact) == 1 else matches


def _alike(snapshot: Snapshot, text: str) -> _Clients:
    """Clients that are called much like it, or have a contact who is, as search finds them."""
    return spelt_alike(snapshot, snapshot.search(text, _SEARCHED), text)


def _rest_and_contact(
    snapshot: Snapshot, notes: Sequence[QuickNote], client: Client
) -> tuple[QuickNote, str, Contact | None]:
    """The reading and its text once it is known which client is meant, and the contact where one is named."""
    for find in (_called, _alike):
        for note in notes:
            for begun, rest in note.beginnings():
                for candidate, contact in find(snapshot, begun):
                    if candidate.id == client.id:
                        return note, rest, contact
    name, rest = notes[0].apart()
    # Of a line that names nobody all is text.
    return notes[0], rest if _may_be_new(name) else notes[0].body, None


def _new(note: QuickNote, kind: str) -> tuple[Client, Contact | None, str]:
    """A client that is not known yet, named as the line begins, the contact at a new company where one is named, and
    the rest of the text."""
    name, text = note.apart()
    person, company = _person_and_company(name, kind)
    if kind == "company":
        contact = Contact(client=0, name=person[:_NAME]) if company and person else None
        return named(Client(kind=kind, company=(company or person)[:_NAME])), contact, text
    first, last = split_name(person) if " " in person else ("", person)
    return (
        named(Client(kind=kind, first_name=first[:_NAME], last_name=last[:_NAME], company=company[:_NAME])),
        None,
        text,
    )


def _person_and_company(name: str, kind: str) -> tuple[str, str]:
    """A person and where they work, of `jane doe from acme`; without a company, whose name may have an `of` in it, the
    whole name."""
    between = _AT_COMPANY if kind == "company" else _OF_COMPANY
    person, company = between.split(name, 1) if between.search(name) else (name, "")
    return with_capitals(person), with_capitals(company)


def _at_known_company(snapshot: Snapshot, note: QuickNote) -> tuple[str, _Clients]:
    """A person who is not known, and the clients that the company is where the line names one."""
    name, _ = note.apart()
    person, company = _person_and_company(name, "company")
    return (person, _called(snapshot, company)) if company and _may_be_new(name) else ("", [])


def _may_be_new(name: str) -> bool:
    """Return whether what is where the client is named may be the name of a new one, not a sentence."""
    words = name.split()
    is_short = all(len(part.split()) <= _MOST_NEW_WORDS for part in _OF_COMPANY.split(name))
    return bool(words) and is_short and words[0].strip(_MARKS) not in NO_NAMES


def _nobody(note: QuickNote) -> CRMError:
    name, _ = note.apart()
    if not _may_be_new(name):
        return NoClientError(
            f"no client was recognised in this note; begin with what was done and the client, like: {_EXAMPLE}",
            label="Note",
        )
    (person, company), whole = _person_and_company(name, "person"), _person_and_company(name, "company")
    if not company:
        return Question(
            f"No client is called {name}.",
            parameter="add",
            choices={"company": "Add it as a company", "person": "Add it as a person"},
        )
    as_company = f"{whole[1]} as a company, with {whole[0]} as its contact" if whole[1] else f"{whole[0]} as a company"
    return Question(
        f"No client is called {name}.",
        parameter="add",
        choices={"person": f"Add {person} of {company} as a person", "company": f"Add {as_company}"},
    )


def _several(candidates: _Clients) -> Question:
    offered = {str(client.id): _line(client, contact) for client, contact in candidates[:_OFFERED]}
    return Question(
        f"{len(candidates)} matches. Which one?" if len(candidates) < _SEARCHED else "Many matches. Which one?",
        parameter="client",
        choices=offered,
        records=[client for client, _ in candidates],
    )


def _contact_of(person: str, companies: _Clients) -> Question:
    """Ask whether a person who is not known is a contact of a company that is."""
    offered = {
        str(client.id): f"{_line(client, contact)}, with {person} as a new contact"
        for client, contact in companies[:_OFFERED]
    }
    return Question(
        f"No client is called {person}.",
        parameter="client",
        choices={**offered, "0": "Add it as a new client"},
        records=[client for client, _ in companies],
    )


def _which(candidates: _Candidates) -> Question:
    """Ask whether one of those who are called much like it is meant."""
    offered = {str(client.id): _line(client, contact) for client, contact in candidates.clients[:_OFFERED]}
    return Question(
        f"No client is called {candidates.name}. Did you mean this one?"
        if len(offered) == 1
        else f"No client is called {candidates.name}. Did you mean one of these?",
        parameter="client",
        choices={**offered, "0": "Add it as a new client"},
        records=[client for client, _ in candidates.clients],
    )


def _line(client: Client, contact: Contact | None) -> str:
    """A client in short, enough to tell it from others."""
    who = f"{client.name} — {contact.name}" if contact else client.name
    company = client.company if client.company != client.name else ""
    return " · ".join(filter(None, (who, company, client.city, client.email, f"no. {client.id}")))


def captured_summary(captured: Captured, by: Conventions) -> str:
    """The reading of a line, each thing on a line of its own; days are whole, as people check them here."""
    client, interaction, due, sale = captured.client, captured.interaction, captured.follow_up, captured.sale
    lines = [] if client.id else [f"New {client.kind}: {client.name}"]
    if not client.id and client.kind == "person" and client.company:
        lines[0] += f", company {client.company}"
    if captured.is_new_contact and captured.contact:
        lines = [f"{lines[0] if lines else client.name}, new contact {captured.contact.name}"]
    if captured.misspelt:
        lines.append(f"{captured.misspelt} was read as {client.name}")
    if interaction:
        kind = INTERACTIONS[interaction.kind]
        who = f"{captured.contact.name} of {client.name}" if captured.contact else client.name
        text = interaction.subject or interaction.body
        at = f" at {by.time_of_day(interaction.time)}" if interaction.time else ""
        lines.append(_sentence(f"{kind[:1].upper()}{kind[1:]} with {who}, {by.whole_day(interaction.on)}{at}", text))
    elif captured.deal:
        lines.append(f"Deal of {by.money(captured.deal.value)} with {client.name}: {captured.deal.title}")
    elif captured.payment:
        paid = captured.payment
        lines.append(
            _sentence(
                f"Payment of {by.money(paid.amount)} from {client.name}, {by.whole_day(paid.on or by.today)}", paid.note
            )
        )
    elif sale:
        if captured.won:
            lines.append(f"Deal won: {captured.won.title} ({by.money(captured.won.value)})")
        lines.append(_sentence(f"Sale of {by.money(sale.amount)} to {client.name}, {by.whole_day(sale.on)}", sale.note))
    else:
        lines.append(f"Planned with {client.name}; nothing is logged yet")
    if captured.left_out:
        lines.append(captured.left_out)
    if captured.others:
        lines.append(f"This note is for {client.name} only. For {captured.others}, write another one.")
    if due:
        at = f" at {by.time_of_day(due.due_time)}" if due.due_time else ""
        day = f"{by.weekday(due.due_on)}, {by.whole_day(due.due_on)}"
        lines.append(f"Follow-up on {day}{at}, for {due.user or 'nobody'}: {due.what}")
    lines += captured.moves
    return "\n".join(lines)


def _sentence(what: str, text: str) -> str:
    return f"{what}: {text}" if text else what
