"""Invoices at the menu: the list of them, and one with its lines and what can be done with it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from rich.text import Text

from crm.commands.billing.documents import InvoiceCard, format_for, is_beside
from crm.commands.billing.files import lacks_for_einvoice
from crm.commands.billing.issuing import CLIENT_FIELDS, SETTINGS, foreseen, says_how_to_pay, untaxed_lines
from crm.commands.billing.payments import paid_on
from crm.commands.billing.services import usual_rate
from crm.commands.registry import named
from crm.config import TEAM
from crm.invoicing.requirements import Missing, missing
from crm.model import FILLED_AFTER_ISSUE, Client, Deal, Field, Invoice, Reminder, Service, typed_fields
from crm.model.fields import Check, Day
from crm.model.local_labels import local_label
from crm.model.rights import CLIENT
from crm.model.units import unit_beside
from crm.model.vat_ids import country_of_vat_id
from crm.repository import Query
from crm.terminal.billing.choosing import choose_invoice
from crm.terminal.billing.picking import service_line
from crm.terminal.billing.rendering import (
    LISTED_INVOICES,
    adjustment_words,
    draw_invoice,
    draw_seller,
    invoice_name,
    invoice_side,
    money_in,
)
from crm.terminal.console.keyboard import BACK, Back, Choice, yes_or_no
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.lists import ListPage, list_page, own_list
from crm.terminal.toolkit.pages import Pieces, draw_side_card, record_flow, unless_refused
from crm.terminal.toolkit.picking import pick
from crm.terminal.toolkit.record_actions import deletes, edits
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import AROUND_MENU, Session
from crm.terminal.toolkit.steps import Answers, Step, in_steps


@list_page
class InvoicesPage(ListPage):
    """Invoices, drafts and credit notes, the newest first."""

    title = "Invoices"
    purpose = "An invoice starts as a draft. When you issue it, it gets its number and can be sent."
    lettered: Mapping[str, letters.Letter] = {
        "invoices edit": letters.EDIT,
        "invoices delete": letters.DELETE,
        "invoices send": letters.MAIL,
    }
    command = "invoices list"
    holds = "invoice"
    columns = LISTED_INVOICES
    sorts: Mapping[str, str] = {"Number": "number", "Due": "due_on", "Total": "total", "Open": "open"}
    downwards = frozenset(("total", "open"))
    filter_by: Mapping[str, str] = {
        "state": "Status", "client": "Client", "number": "Number", "since": "From date", "until": "To date",
        "over": "Total of at least", "under": "Total of at most",
    }  # fmt: skip

    def keys(self) -> Sequence[Choice]:
        add = letters.NEW(self.starts("invoices add"), "invoice")
        return [add, self.filter_key()]

    def card(self, row: Any) -> Pieces:
        return unless_refused(lambda: _beside(self.session, row.invoice))


@own_list
class OwnInvoicesPage(InvoicesPage):
    """One's own invoices; one opens with what a client can do with it."""

    title = "My invoices"
    purpose = "Invoices that we send you appear here."
    hides = ("Client",)
    # Nothing that the team notes is beside them.
    card = ListPage.card
    filter_by: Mapping[str, str] = {}

    def keys(self) -> list[Choice]:
        return []


def _beside(session: Session, invoice: Invoice) -> Pieces:
    """The payments and reminders of an invoice, and its client; a client sees no notes of the team."""
    if session.crm.reader.role == CLIENT:
        return ()
    with session.crm.read() as snapshot:
        payments = paid_on(snapshot, invoice)
        reminders = snapshot.find_all(Reminder, Query({"invoice": invoice.id}))
    of_invoice = invoice.state == "issued" and invoice.kind == "invoice"
    screen, by = session.screen, session.conventions
    pieces = invoice_side(screen, invoice, payments, reminders, by) if of_invoice else []
    return [*pieces, *draw_side_card(session, Client, invoice.client)]


class InvoiceForm(RecordForm):
    """A draft that is changed; its client and its lines are changed beside it."""

    checks: ClassVar[Mapping[str, Check]] = {"due_on": Day(past=False, from_today=True)}

    def fields(self) -> Sequence[Field]:
        return [field for name, field in typed_fields(Invoice).items() if name != "client"]


@record_page(Invoice)
class InvoicePage(RecordPage[Invoice, InvoiceCard]):
    """An invoice, and what can be done with it as it is."""

    command = "invoices show"
    about = (
        "An invoice and what you can do with it. A draft can be changed or deleted. Once issued it has its number and"
        " stays as it is: a mistake is corrected by a credit note."
    )

    def crumbs(self) -> Sequence[str]:
        return ["Invoices", invoice_name(self.record, self.card.client.name)]

    def draw(self) -> None:
        """Draw the invoice, with its figures below each other where the entries have room below them."""
        session = self.session
        screen, by = session.screen, session.conventions
        stacked = partial(draw_invoice, self.card, screen, by, stacked=True)
        below = len(self.entries()) + AROUND_MENU + 1 + session.lines_below
        if not screen.plain and screen.drawn([stacked]).count("\n") + below <= screen.left:
            stacked()
        else:
            draw_invoice(self.card, screen, by)

    def keys(self) -> Sequence[Choice]:
        draft = {"invoices edit": letters.EDIT, "invoices delete": letters.DELETE}
        acts = draft if self.record.state == "draft" else {"invoices send": letters.MAIL}
        lettered = [letter(self.starts(words)) for words, letter in acts.items() if self._offers(words)]
        return [*super().keys(), *lettered]

    def beside(self) -> Pieces:
        return _beside(self.session, self.record)

    def _has_code(self) -> bool:
        """Return whether a phone can pay it: something is open in euro, and there is an account."""
        return self.record.open > 0 and self.card.document.currency == "EUR" and bool(self.card.document.iban)

    def _of_client(self) -> Sequence[Choice]:
        """The entries for the client whose invoice it is."""
        code = [Choice("Show the code to pay by phone", self.starts("invoices qr"))] if self._has_code() else []
        return [Choice("Make a PDF", self.starts("invoices pdf")), *code]

    def _reminding(self) -> Sequence[Choice]:
        """The entries about reminders of an overdue invoice."""
        return [
            Choice("Note a promise to pay", self.starts("reminders promise")),
            Choice("Skip a reminder", self.starts("reminders skip")),
        ]

    def entries(self) -> Sequence[Choice]:
        session, card, record = self.session, self.card, self.record
        client = Choice("Open the client", lambda: session.open(card.client))
        if record.state == "draft":
            return [
                Choice("Add a line", self.starts("invoices lines add")),
                *([Choice("Change the lines", lambda: _lines(session, record))] if card.lines else []),
                Choice("Discount or charge on the whole invoice", lambda: _adjust(session, record)),
                Choice("Issue it", self.starts("invoices issue")),
                Choice("Edit dates, texts and references", self.starts("invoices edit")),
                Choice("Copy", self.starts("invoices copy")),
                client,
                Choice("Delete the draft", self.starts("invoices delete")),
            ]
        document = card.document
        if not session.offers(named("invoices send")):
            return self._of_client()
        credits = [
            Choice("Credit everything left on it", self.starts("invoices credit")),
            Choice("Credit one of its lines", lambda: _credit_lines(session, card)),
            Choice("Credit an amount", lambda: _credit_amount(session, record)),
        ]
        # What a client needs beside the PDF.
        beside = is_beside(card.client)
        blank = [name for name in sorted(FILLED_AFTER_ISSUE) if not getattr(document, name)] if beside else []
        return [
            *([Choice("Use the client's credit", lambda: _use_credit(session, card))] if card.credit else []),
            *([Choice("Record a payment", lambda: _pay(session, card))] if record.open > 0 else []),
            *(self._reminding() if card.state == "overdue" else []),
            Choice("Send it by e-mail", self.starts("invoices send")),
            Choice("Make a PDF", self.starts("invoices pdf")),
            *([Choice("Make the e-invoice", self.starts("invoices xml"))] if beside else []),
            *(
                [Choice("Fill in the client's references", lambda: _references(session, record, blank))]
                if blank
                else []
            ),
            *([Choice("Show the code to pay by phone", self.starts("invoices qr"))] if self._has_code() else []),
            *(credits if record.kind == "invoice" and record.credited < record.total else []),
            Choice("Copy into a new draft", self.starts("invoices copy")),
            Choice("Memo for your team", lambda: _memo(session, record)),
            client,
        ]


def _say(session: Session, card: InvoiceCard, what: str) -> None:
    name = invoice_name(card.invoice, card.client.name)
    session.done(f"{what} {name if card.invoice.number else name.replace('Draft', 'draft', 1)}.")


_choose_draft = partial(choose_invoice, "draft")
_DRAFTING = "Starts a draft with its first line. Nothing is final or sent: you can change or delete the draft."


@record_flow("invoices add")
def add(session: Session, client: Client, deal: Deal | None = None) -> None:
    """The first line of an invoice to a client, unless it is for a deal; the draft opens."""
    if deal is None:
        session.page("Invoices", client.name, "First line", purpose=_DRAFTING)
        line = _line(session)
        if "line" in line:
            card: InvoiceCard = session.call("invoices add", client=client, line=[line["line"]])
        else:
            # The prices of the draft are of the kind that its first service has.
            service, quantity = line["service"], line["quantity"]
            card = session.call(
                "invoices add", client=client, service=[service], quantity=quantity, gross=service.gross
            )
    else:
        card = session.call("invoices add", client=client, deal=deal)
    session.done(f"Drafted an invoice for {card.client.name}.")
    session.open(card.invoice)


@record_flow("invoices lines add", _choose_draft)
def add_line(session: Session, invoice: Invoice) -> None:
    """A line in its typed form."""
    session.page("Invoices", f"Draft {invoice.id}", "Add a line")
    session.call("invoices lines add", invoice=invoice, **_line(session, invoice))


# So many services are offered at once.
_SERVICES = 30


def _line(session: Session, draft: Invoice | None = None) -> Mapping[str, Any]:
    """A line as `invoices lines add` takes it: one of the services, and how much of it, or a typed one. Those are
    offered whose price goes with those of the draft."""
    crm = session.crm
    listed = named("services list")(crm, limit=_SERVICES)
    services = [service for service in listed if draft is None or service.gross == draft.gross]
    if not listed:
        return {"line": _typed_line(session)}
    entries: list[Choice] = [Choice("Type a line", None)]
    entries += [Choice(service_line(service, crm.conventions), service) for service in services]
    entries += [Choice("Another service", "another")] if len(listed) == _SERVICES else []
    chosen = session.keyboard.choose("What is it for?", entries)
    if chosen is None:
        return {"line": _typed_line(session)}
    if chosen == "another":
        chosen = pick(crm, session.keyboard, Service, "Service")
    check = named("invoices lines add").parameters["quantity"].value_check
    unit = unit_beside(chosen.unit, Decimal(2))
    quantity = session.prompts.value(f"Quantity{f', in {unit}' if unit else ''}", check, typed="1", required=True)
    return {"service": chosen, "quantity": quantity}


def _typed_line(session: Session) -> str:
    check = named("invoices lines add").parameters["line"].value_check
    line: str = session.prompts.value("Line, like 3 h Consulting 100", check, required=True)
    return line


@record_flow("invoices lines edit", _choose_draft)
@record_flow("invoices lines remove", _choose_draft)
@record_flow("invoices lines move", _choose_draft)
def lines_flow(session: Session, invoice: Invoice) -> None:
    """The lines of a draft, one of which is chosen."""
    _lines(session, invoice)


_CHANGES: Mapping[str, str] = {
    "price": "Change the price",
    "quantity": "Change the quantity",
    "name": "Change the name",
    "move": "Move it",
    "remove": "Remove it",
}


def _lines(session: Session, invoice: Invoice) -> None:
    """Ask for a line, then for what becomes of it. Raises Back."""
    card: InvoiceCard = named("invoices show")(session.crm, invoice)
    chosen: dict[str, Any] = {}

    def asks(name: str, question: str, entries: Sequence[Choice]) -> Step:
        def ask() -> None:
            session.page("Invoices", f"Draft {invoice.id}", "Lines")
            chosen[name] = session.keyboard.choose(question, entries, at=chosen.get(name))

        return ask

    steps = [
        asks("position", "Which line?", [Choice(f"{line.name}", line.position) for line in card.lines]),
        asks("what", "What?", [Choice(words, what) for what, words in _CHANGES.items()]),
        lambda: _change_line(session, invoice, card, **chosen),
    ]
    in_steps(session, steps)


def _change_line(session: Session, invoice: Invoice, card: InvoiceCard, position: int, what: str) -> None:
    if what == "remove":
        session.call("invoices lines remove", invoice=invoice, position=position)
    elif what == "move":
        places = [Choice(f"Position {at}", at) for at in range(1, len(card.lines) + 1)]
        to = session.keyboard.choose("To which position?", places, at=position)
        session.call("invoices lines move", invoice=invoice, position=position, to=to)
    else:
        parameter = named("invoices lines edit").parameters[what]
        value = session.prompts.value(parameter.label, parameter.value_check, required=True)
        session.call("invoices lines edit", invoice=invoice, position=position, **{what: value})


@record_flow("invoices adjustments add", _choose_draft)
@record_flow("invoices adjustments remove", _choose_draft)
@record_flow("invoices adjustments list", _choose_draft)
def adjust_flow(session: Session, invoice: Invoice) -> None:
    """The discounts and charges of a draft."""
    _adjust(session, invoice)


def _adjust(session: Session, invoice: Invoice) -> None:
    by = session.crm.conventions
    session.page("Invoices", f"Draft {invoice.id}", "Discounts and charges")
    existing = named("invoices adjustments list")(session.crm, invoice)
    entries = [Choice("Add a discount", "discount"), Choice("Add a charge", "charge")]
    entries += [
        Choice(f"Remove: {adjustment_words(item.adjustment, by, item.currency)}", item.adjustment) for item in existing
    ]
    chosen = session.keyboard.choose("", entries)
    if chosen in ("discount", "charge"):
        parameter = named("invoices adjustments add").parameters[chosen]
        value = session.prompts.value(f"{parameter.label}, like 10% or 25", parameter.value_check, required=True)
        session.call("invoices adjustments add", invoice=invoice, **{chosen: value})
    else:
        session.call("invoices adjustments remove", invoice=invoice, adjustment=chosen)


_ISSUING = (
    "Issuing gives a draft its number and its date, and makes it final. Nothing is sent: send the invoice or make"
    " its PDF afterwards."
)


@record_flow("invoices issue", _choose_draft)
def issue(session: Session, invoice: Invoice) -> None:
    """Say what it comes to, and that it stays as it is from then on."""
    card: InvoiceCard = named("invoices show")(session.crm, invoice)
    session.page("Invoices", f"Draft {invoice.id}", "Issue", purpose=_ISSUING)
    number, due = foreseen(session.crm, card.invoice)
    as_of_today = replace(card.document, issued_on=session.crm.today, due_on=due)
    if lacks := missing(as_of_today, format_for(card.client)):
        _fill_in(session, card, lacks)
        return
    draw_invoice(card, session.screen, session.conventions)
    draw_seller(card.document.seller, session.screen, session.crm.conventions)
    session.screen.print()
    by_when = f", and is due {session.conventions.on_day(due)}" if due else ""
    question = f"It gets the next number, {number}{by_when}. Afterwards it cannot be changed or deleted, only credited."
    untaxed = untaxed_lines(session.crm, card)
    doubts: dict[str, Sequence[str]] = {}
    if untaxed:
        doubts["No tax is charged: no tax rate is set (Settings), so it is 0 %."] = ("tax_rate",)
    if not says_how_to_pay(as_of_today):
        no_way = "It does not say how to pay: no bank account and no payment terms are set (Settings)."
        doubts[no_way] = ("iban", "bank_account", "payment_terms")
    # What the format of the client needs has been asked for.
    if beyond := lacks_for_einvoice(card.client, as_of_today):
        sentences = "; ".join(lack.sentence for lack in beyond)
        doubts[f"Its PDF will have no e-invoice inside. Missing: {sentences}."] = ()
    if not doubts:
        session.confirm(question, "Issue it", destructive=True)
    elif key := _set_first(session, doubts, question):
        with suppress(Back):
            session.start(named("settings set"), key=key)
            if key == "tax_rate" and (rate := usual_rate(session.crm)):
                for position in untaxed:
                    session.call("invoices lines edit", invoice=invoice, position=position, tax_rate=rate)
        issue(session, invoice)
        return
    issued: InvoiceCard = session.call("invoices issue", invoice=invoice)
    _say(session, issued, "Issued")
    if issued.credit:
        session.page("Invoices", issued.invoice.number, "Issued")
        entries = [Choice("Use it", True), Choice("Not now", False)]
        if session.keyboard.choose(_credit_question(session, issued), entries):
            session.tell(session.call("payments use-credit", invoice=issued.invoice))


def _set_first(session: Session, doubts: Mapping[str, Sequence[str]], question: str) -> str:
    """Ask whether to issue an invoice all the same, with what is doubtful and the settings that would mend it: '' for
    yes, or the setting that is set first. Raises Back."""
    entries = [Choice("Issue it", "")]
    if _may_set(session):
        country = session.crm.conventions.country
        labels = {option.name: local_label(option.label, country) for option in TEAM}
        entries += [Choice(f"Set first: {labels[key]}", key) for keys in doubts.values() for key in keys]
    lacks = "\n".join(doubts)
    chosen: str = session.keyboard.choose(
        f"{lacks}\n\n{question}", entries, back="No, go back", hidden=yes_or_no(""), at=BACK
    )
    return chosen


def _fill_in(session: Session, card: InvoiceCard, lacks: Sequence[Missing]) -> None:
    """Say what is missing before a draft can be issued, by the names that it has in the menu, and lead to where it
    is filled in."""
    settings, client, line, draft = (
        Choice("Open the settings", lambda: session.start(named("settings list"))),
        Choice(f"Edit {card.client.name}", lambda: session.start(named("clients edit"), client=card.client))
        if session.offers(named("clients edit"))
        else Choice(f"Open {card.client.name}", lambda: session.open(card.client)),
        Choice("Add a line", lambda: add_line(session, card.invoice)),
        Choice("Edit dates, texts and references", lambda: session.start(named("invoices edit"), invoice=card.invoice)),
    )
    lines: list[str] = []
    entries: list[Choice] = []
    keys: list[str] = []
    labels, country = {option.name: option.label for option in TEAM}, session.crm.conventions.country
    for lack in lacks:
        where, entry = "", draft
        if lack.of == "seller":
            key = SETTINGS.get(lack.field, lack.field)
            label = local_label(labels.get(key, ""), country)
            keys += [key] if key in labels and key not in keys else []
            where, entry = ", ".join(filter(None, ("Settings", label))), settings
        elif lack.of in ("buyer", "delivery"):
            name = CLIENT_FIELDS.get(lack.field, lack.field)
            label = local_label(typed_fields(Client)[name].label, country) if name in typed_fields(Client) else ""
            # The sentence names the client already.
            where, entry = label if lack.of == "buyer" else card.client.name, client
        elif lack.of == "line":
            where, entry = "Change the lines", Choice("Change the lines", lambda: _lines(session, card.invoice))
        elif lack.field == "lines":
            entry = line
        elif lack.field == "adjustments":
            entry = Choice("Discount or charge on the whole invoice", lambda: _adjust(session, card.invoice))
        sentence = lack.sentence.replace("the client's", f"{card.client.name}'s")
        lines.append(f"- {sentence}{f' ({where})' if where else ''}")
        if entry.label not in [other.label for other in entries] and (entry is not settings or _may_set(session)):
            entries.append(entry)
    # A tax number will do, unless the VAT ID is needed for itself.
    of_number = [lack for lack in lacks if (lack.of, lack.field) == ("seller", "vat_id")]
    numbers = ("vat_id", "tax_number") if of_number and all(lack.or_tax_number for lack in of_number) else ()
    is_known = country_of_vat_id(session.crm.settings["vat_id"]) == country
    if keys and not is_known and not session.crm.is_set_by_person("country"):
        # First: what is a tax number depends on it.
        keys.insert(0, "country")
        name = typed_fields(Client)["country"].check.show(country, session.crm.conventions)
        lines.insert(0, f"- your country (Settings, {labels['country']}); so far {name} is assumed")
    if keys and _may_set(session):
        asked = _with_rest_of_address(session, keys)
        fill_in = Choice("Fill in the missing settings", lambda: _ask_settings(session, asked, numbers))
        entries = [fill_in, *(entry for entry in entries if entry is not settings)]
    of_client = [CLIENT_FIELDS[lack.field] for lack in lacks if lack.of == "buyer" and lack.field in CLIENT_FIELDS]
    if of_client and session.offers(named("clients edit")):
        title = f"Fill in what is missing of {card.client.name}"
        place = next(place for place, entry in enumerate(entries) if entry is client)
        entries.insert(place, Choice(title, lambda: _ask_client(session, card.client, of_client)))
    question = "\n".join(("It cannot be issued yet. Missing:", *lines))
    session.keyboard.choose(question, entries)()


# The rest of an address, which an invoice needs no more than the law says, but a letter does.
_REST = ("company_region", "company_postcode")
_REGIONS = ("State", "Province")


def _with_rest_of_address(session: Session, keys: Sequence[str]) -> list[str]:
    """The settings that are asked for, and with an address what else it has in the team's country."""
    known, country = session.crm.settings, session.crm.conventions.country
    of_address = [key for key in keys if key in ("company_address", "company_city")]
    if not of_address:
        return [*keys]
    rest = _REST if local_label("State/Region", country) in _REGIONS else _REST[1:]
    at = keys.index(of_address[-1]) + 1
    return [*keys[:at], *(key for key in rest if not known[key] and key not in keys), *keys[at:]]


def _ask_client(session: Session, client: Client, names: Sequence[str]) -> None:
    """Ask for these fields of a client one after the other, and with its city for the rest of its address."""
    by, answers = session.crm.conventions, dict[str, Any]()
    known = typed_fields(Client)
    rest = ("region", "postcode") if local_label("State/Region", by.country) in _REGIONS else ("postcode",)
    is_of_address = not {"address", "city"}.isdisjoint(names)
    more = [name for name in rest if is_of_address and not getattr(client, name) and name not in names]
    asked = sorted({*names, *more}, key=[*known].index)

    def ask(name: str, after: int) -> None:
        label, check = local_label(known[name].label, by.country), known[name].check
        typed = check.edit(answers.get(name) or (by.country if name == "country" else getattr(client, name)), by)
        session.page(client.name, label, about=f"{after} more" if after else "")
        answers[name] = session.prompts.value(label, check, typed=typed, required=name in names)

    def save() -> None:
        session.call("clients edit", client=client, changes=answers)
        session.done(f"Saved {client.name}.")

    steps = [partial(ask, name, len(asked) - at) for at, name in enumerate(asked, 1)]
    in_steps(session, [*steps, save], lambda: any(answers.values()))


def _ask_settings(session: Session, keys: Sequence[str], either: Sequence[str]) -> None:
    """Ask for these settings one after the other; where one of several will do, which of them first."""
    in_steps(
        session,
        [
            partial(_ask_setting, session, key, either if key in either else (), len(keys) - at)
            for at, key in enumerate(keys, 1)
        ],
    )


def _ask_setting(session: Session, key: str, either: Sequence[str], after: int) -> None:
    if either:
        labels = {option.name: local_label(option.label, session.crm.conventions.country) for option in TEAM}
        entries = [Choice(labels[name], name) for name in either]
        session.page("Settings", " or ".join(entry.label for entry in entries), about=f"{after} more" if after else "")
        key = session.keyboard.choose("Which number do you have?", entries)
    session.start(named("settings set"), key=key, after=after, needed=key not in _REST)


def _may_set(session: Session) -> bool:
    return session.offers(named("settings set"))


edits("invoices edit", InvoiceForm, lambda draft: f"Draft {draft.id}",
      lambda session, _, saved: _say(session, saved, "Saved"), _choose_draft)  # fmt: skip
deletes(InvoicePage, "invoices delete", lambda deleted: f"draft {deleted.id}", _choose_draft)


@record_flow("invoices copy")
def copy(session: Session, invoice: Invoice) -> None:
    """A new draft with the same lines, which opens."""
    card: InvoiceCard = session.call("invoices copy", invoice=invoice)
    _say(session, card, "Copied into")
    session.open(card.invoice)


@record_flow("invoices credit", partial(choose_invoice, "issued"))
def credit(session: Session, invoice: Invoice) -> None:
    """All that is left of an invoice."""
    session.page("Invoices", invoice.number, "Credit")
    reason = _reason(session)
    session.confirm(
        f"This issues a credit note for everything left on {invoice.number}.", "Credit it", destructive=True
    )
    _say(session, session.call("invoices credit", invoice=invoice, reason=reason), "Issued credit note")


def _reason(session: Session) -> str:
    """Ask for the reason of a credit note, which may be left empty."""
    return str(session.prompts.ask(named("invoices credit").parameters["reason"]) or "")


def _credit_lines(session: Session, card: InvoiceCard) -> None:
    session.page("Invoices", card.invoice.number, "Credit a line")
    entries = [Choice(line.name, line.position) for line in card.lines]
    position = session.keyboard.choose("Which line?", entries)
    reason = _reason(session)
    session.confirm("This issues a credit note for the whole of this line.", "Credit it", destructive=True)
    credited = session.call("invoices credit", invoice=card.invoice, line=[position], reason=reason)
    _say(session, credited, "Issued credit note")


def _credit_amount(session: Session, invoice: Invoice) -> None:
    session.page("Invoices", invoice.number, "Credit an amount")
    parameter = named("invoices credit").parameters["amount"]
    amount = session.prompts.value("Amount, tax included", parameter.value_check, required=True)
    reason = _reason(session)
    session.confirm("This issues a credit note for this amount.", "Credit it", destructive=True)
    credited = session.call("invoices credit", invoice=invoice, amount=amount, reason=reason)
    _say(session, credited, "Issued credit note")


@record_flow("payments use-credit", partial(choose_invoice, "open"))
def use_credit(session: Session, invoice: Invoice) -> None:
    """An open invoice, which is paid from the credit of its client."""
    _use_credit(session, named("invoices show")(session.crm, invoice))


def _credit_question(session: Session, card: InvoiceCard) -> str:
    """The question whether the credit of a client is used for an invoice."""
    by, invoice = session.crm.conventions, card.invoice
    credit = money_in(invoice.currency, by, card.credit)
    return f"{card.client.name} has a credit of {credit}. Use it for {invoice.number}?"


def _use_credit(session: Session, card: InvoiceCard) -> None:
    session.confirm(_credit_question(session, card), "Use it")
    session.tell(session.call("payments use-credit", invoice=card.invoice))


def _pay(session: Session, card: InvoiceCard) -> None:
    """Ask for a payment of an invoice, when and how, after its client's credit; what is beyond the open amount is asked
    about."""
    command, invoice = named("payments add"), card.invoice
    by = session.crm.conventions
    if card.credit:
        session.page("Invoices", invoice.number, "Record a payment")
        entries = [Choice("Use the credit", "use"), Choice("Record another payment", "record")]
        if session.keyboard.choose(_credit_question(session, card), entries) == "use":
            session.tell(session.call("payments use-credit", invoice=invoice))
            return
    asked = [command.parameters[name] for name in ("amount", "on", "method", "reference")]
    answers = Answers(session, client=card.client, invoice=[invoice])

    def save() -> None:
        beyond = answers.values["amount"] - invoice.open
        if beyond > 0:
            still, rest = (money_in(invoice.currency, by, amount) for amount in (invoice.open, beyond))
            question = (
                f"Only {still} is open on {invoice.number}. The other {rest} becomes credit for {card.client.name}."
            )
            session.confirm(question, "Record it")
        paid = session.call("payments add", **answers.values)
        session.done("Recorded the payment.")
        session.tell(paid)

    open_amount = command.parameters["amount"].value_check.edit(invoice.open, by)
    steps = answers.steps(
        asked, lambda: session.page("Invoices", invoice.number, "Record a payment"), {"amount": open_amount}
    )
    in_steps(session, [*steps, save], answers.is_written)


def _references(session: Session, invoice: Invoice, blank: Sequence[str]) -> None:
    """The references that were left blank on issue and an e-invoice may need: they are filled in once."""
    session.page("Invoices", invoice.number, "References")
    session.screen.print(
        Text("You can fill them in once. After that they cannot be changed, like the rest of the invoice.", "muted")
    )
    known = typed_fields(Invoice)
    answers = {name: session.prompts.value(known[name].label, known[name].check, help="optional") for name in blank}
    if changes := {name: value for name, value in answers.items() if value}:
        _say(session, session.call("invoices edit", invoice=invoice, changes=changes), "Saved")


def _memo(session: Session, invoice: Invoice) -> None:
    session.page("Invoices", invoice.number, "Memo")
    memo = session.prompts.value("Memo", typed_fields(Invoice)["memo"].check, typed=invoice.memo)
    _say(session, session.call("invoices edit", invoice=invoice, changes={"memo": memo}), "Saved")
