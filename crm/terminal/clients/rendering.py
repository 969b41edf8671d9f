"""Clients, contacts, views and rules on screen: in lists, one whole, and what was done to many."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from crm.commands.clients.reasons import reason_words, values_words
from crm.model import Client, Contact, Conventions, FollowUp, StatusRule, View, fields
from crm.model.local_labels import local_label
from crm.model.postal_addresses import town_line
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import (
    badge,
    beside,
    draw_timeline,
    label_width,
    labelled,
    pairs,
    side_card,
    side_width,
    with_number,
)
from crm.terminal.drawing.links import link_of, linked, mail_link, phone_link, web_link
from crm.terminal.drawing.render import renderer, show
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.drawing.theme import status_style

if TYPE_CHECKING:
    from crm.commands.clients.bulk import GroupReport
    from crm.commands.clients.clients import ClientCard
    from crm.commands.clients.contacts import ContactCard
    from crm.commands.clients.rules import MoveCount, RulesReport, Why

# Told by the heading, or by the line on the status.
_HEADING = frozenset(("kind", "first_name", "last_name", "status", "status_reason", "status_pinned_until"))
_HEADING_TOO = frozenset(
    ("status_before", "status_since", "notes", "extra", "total_spend", "sales_count", "first_sale_on", "last_sale_on")
)


# What a click leads to: a mail, a call.
_LINKED = frozenset(("email", "phone"))
# What one looks for first on a card.
_REACHED_FIRST = ("email", "phone")
_REACHED = (*_REACHED_FIRST, "company", "city", "region", "country", "owner", "tags")
_ADDRESS = frozenset(("address", "postcode", "city", "region", "country"))
# What one wants to know of a client beside the list.
_BESIDE = (
    "email", "phone", "company", "address", "owner", "tags", "source", "last_sale_on", "last_contact_on",
    "date_of_birth",
)  # fmt: skip


def _of_client(column: tables.Column) -> tables.Column:
    """The same column of what a search found."""
    return replace(column, text=lambda row, by: column.text(row.client, by))


CLIENTS: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: tables.number(row.id), 3, right=True),
    tables.Column("Name", lambda row, _: data(row.name), 0, 11),
    tables.Column("Company", lambda row, _: data(row.company if row.kind == "person" else ""), 6, 12),
    tables.Column("Status", lambda row, _: tables.status(row.status), 1, 9),
    tables.Column("Spent", lambda row, by: data(by.money(row.total_spend)), 2, right=True),
    tables.Column("E-mail", lambda row, _: data(row.email), 5, 18),
    tables.Column("City", lambda row, _: data(row.city), 7, 8),
    tables.Column("Last sale", lambda row, by: data(by.day(row.last_sale_on)), 4),
    tables.Column("Tags", lambda row, _: data(", ".join(row.tags)), 8, 8),
    tables.Column("Next follow-up", lambda row, by: data(by.day(row.next_follow_up_on)), 9),
    tables.Column("Last contact", lambda row, by: data(by.day(row.last_contact_on)), 10),
)
# The same in the list of the menu, where the number is on the card, and the card has the rest.
LISTED: Sequence[tables.Column] = (
    tables.Column("Name", lambda row, _: data(row.name, "bold"), 0, 16),
    tables.Column("Status", lambda row, _: tables.status(row.status), 1, 7),
    tables.Column("Spent", lambda row, by: data(by.money(row.total_spend)), 2, right=True, money=True),
    tables.Column("Last sale", lambda row, by: data(by.day(row.last_sale_on)), 3, word="sale"),
    tables.Column("Company", lambda row, _: data(row.company if row.kind == "person" else ""), 5, 12),
    tables.Column("City", lambda row, _: data(row.city), 7, 8),
    tables.Column("E-mail", lambda row, _: data(row.email), 6, 18),
    tables.Column("Tags", lambda row, _: data(", ".join(row.tags)), 8, 8),
    tables.Column("Last contact", lambda row, by: data(by.day(row.last_contact_on)), 9, word="contact"),
)
_FOUND: Sequence[tables.Column] = (
    *(_of_client(column) for column in CLIENTS),
    tables.Column("Through", lambda row, _: data(row.through, "bold"), 1, 8),
)
RULES: Sequence[tables.Column] = (
    tables.Column("", lambda row, _: data(f"{row.position}.", "muted"), 2, right=True),
    tables.Column("Status", lambda row, _: tables.status(row.status), 0, 7),
    tables.Column("When", lambda row, _: data(row.when or "otherwise"), 1, 12),
    tables.Column("", lambda row, _: Text("" if row.active else "off", "warning"), 3),
)
VIEWS: Sequence[tables.Column] = (
    tables.Column("Name", lambda row, _: data(row.name, "bold"), 0, 8),
    tables.Column("Condition", lambda row, _: data(row.condition), 1, 12),
    tables.Column("Sort", lambda row, _: data(row.sort), 2, 6),
)
_MOVES: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.client, "muted"), 4, right=True),
    tables.Column("Client", lambda row, _: data(row.name), 0, 8),
    tables.Column("From", lambda row, _: tables.status(row.before), 1, 5),
    tables.Column("To", lambda row, _: tables.status(row.after), 2, 5),
    tables.Column("Because", lambda row, by: data(reason_words(row.reason, by), "muted"), 5, 16),
)
CONTACTS: Sequence[tables.Column] = (
    tables.Column("Name", lambda row, _: data(row.name, "bold"), 0, 10),
    tables.Column("", lambda row, _: Text("primary" if row.is_primary else "", "muted"), 2),
    tables.Column("Role", lambda row, _: data(row.role), 5, 6),
    tables.Column("E-mail", lambda row, _: data(row.email), 3, 12),
    tables.Column("Phone", lambda row, by: data(fields(Contact)["phone"].check.show(row.phone, by)), 4),
)
_CONTACTS: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 6, right=True),
    *CONTACTS,
    tables.client_column(5),
)
tables.COLUMNS |= {
    "crm.model.clients.Client": CLIENTS,
    "crm.model.clients.Contact": _CONTACTS,
    "crm.commands.clients.clients.Found": _FOUND,
    "crm.model.clients.StatusRule": RULES,
    "crm.repository.StatusMove": _MOVES,
    "crm.model.clients.View": VIEWS,
}


# How the reason of a pinned status begins.
_BY_HAND = "Pinned by hand"


def client_heading(screen: Screen, client: Client, by: Conventions, *, why: bool = True) -> Text:
    """The client's name and status, what was sold, and `why` the status is this one; a pin is always named."""
    status = badge(client.status or "no status", status_style(client.status) or "bold")
    number = f"  no. {client.id}  "
    heading = data(client.name, "bold")
    heading.truncate(max(8, screen.width - len(number) - status.cell_len), overflow="ellipsis")
    heading.append(number, "muted").append_text(status)
    heading = beside(screen, heading, _sold(client, by))
    reason = client.status_reason.removeprefix(f"{client.status} ")
    words = data(reason_words(client.status_reason, by) if why and reason != "otherwise" else "", "muted")
    if client.status_pinned_until and reason.startswith(_BY_HAND):
        words = Text(f"{_BY_HAND} {_until(client, by)}", "warning")
    elif client.status_pinned_until:
        words.append(f"{'  ' if words else ''}(pinned {_until(client, by)})", "warning")
    return Text("\n").join(filter(None, (heading, words)))


def _sold(client: Client, by: Conventions, *, latest: bool = True) -> Text:
    if not client.sales_count:
        return Text(f"No {by.spend_counts} yet", "muted")
    sold = Text(by.money(client.total_spend), "money")
    sold.append(f" in {by.in_total(client.sales_count)}", "default")
    is_dated = latest and client.last_sale_on
    return sold.append(f", latest {by.day(client.last_sale_on)}" if is_dated else "", "default")


def client_side(screen: Screen, client: Client, next_one: FollowUp | None, by: Conventions) -> list[tuple[str, str]]:
    """A client beside the list: who it is, what was sold, what is next, and how to reach it."""
    known = fields(Client)
    status = badge(client.status or "no status", status_style(client.status) or "bold")
    step = Text()
    if next_one:
        late = next_one.due_on < by.today
        step = data(f"{'! ' if late else ''}{by.day(next_one.due_on)} {next_one.what}", "overdue" if late else "")
    values = {name: known[name].check.show(getattr(client, name), by) for name in _BESIDE}
    # All of an address is in one place, as on the card.
    values["address"] = address_line(client, by)
    facts = [(local_label(known[name].label, by.country), data(value)) for name, value in values.items()]
    heading = [data(client.name, "bold"), status, _sold(client, by, latest=False)]
    # Below a question there are few lines, but wide ones.
    line = Text("  ").join(heading)
    heading = heading if screen.side or line.cell_len > side_width(screen) else [line]
    return side_card(screen, heading, [("Next step", step), *facts], client.notes)


def _until(client: Client, by: Conventions) -> str:
    until = fields(Client)["status_pinned_until"].check.show(client.status_pinned_until, by)
    return until if until.startswith("until") else f"until {until}"


def draw_client(
    screen: Screen,
    client: Client,
    by: Conventions,
    doubts: Mapping[str, str] | None = None,
    hidden: Collection[str] = (),
    most: int | None = None,
) -> None:
    """Draw the card of a client, its fields on so many lines at most; those that are `hidden` stand elsewhere."""
    screen.print(client_heading(screen, client, by))
    draw_fields(screen, client, by, doubts, hidden, most)


def draw_fields(
    screen: Screen,
    client: Client,
    by: Conventions,
    doubts: Mapping[str, str] | None = None,
    hidden: Collection[str] = (),
    most: int | None = None,
) -> int:
    """Draw the fields of a client, as on its card. Returns the width of the labels at the left."""
    doubts = doubts or {}
    rows = []
    known = fields(Client)
    if most is not None and client.address:
        # Where there is little room, an address is one line.
        hidden = {*hidden, *_ADDRESS}
    # Where there is room for few, the company of a person comes first: it tells who it is.
    order = _REACHED if most is None else ("company", *_REACHED)
    for name in dict.fromkeys([*order, *(name for name in known)]):
        field, value = known[name], getattr(client, name)
        if (
            name in _HEADING | _HEADING_TOO
            or name in hidden
            or value in ("", None, (), False)
            or (name == "company" and client.kind == name)
        ):
            continue
        cell = data(field.check.show(value, by))
        if name in _LINKED:
            linked(cell, link_of(name, value))
        if name in doubts:
            cell.append(f" {screen.sign('⚠', '!')} {clean(doubts[name])}", "warning")
        rows.append((field.label if screen.piped else local_label(field.label, by.country), cell))
    if most is not None and client.address:
        place = reached_by(client) - 1
        rows.insert(place, (known["address"].label, data(address_line(client, by))))
    rows += [(clean(name), linked(data(value), web_link(value))) for name, value in client.extra.items()]
    screen.print(pairs(rows, screen.width, most))
    if client.notes and "notes" not in hidden:
        notes = data(
            client.notes if most is None else screen.sign(" · ", " - ").join(client.notes.splitlines()),
            "note",
            lines=True,
        )
        if most is not None:
            notes.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
        screen.print(notes)
    return label_width(rows, screen.width, most)


def address_line(client: Client, by: Conventions) -> str:
    """The street, the town and the country of a client on one line."""
    country = fields(Client)["country"].check.show(client.country, by) if client.country else ""
    town = town_line(client.country, client.postcode, client.city, client.region)
    return " ".join(", ".join(filter(None, (client.address, town, country))).split())


def reached_by(client: Client) -> int:
    """The number of lines of a card that say where a person works and how a client is reached."""
    works_at = client.kind == "person" and bool(client.company)
    return works_at + sum(bool(getattr(client, name)) for name in (*_REACHED_FIRST, "address"))


def billing_line(screen: Screen, card: "ClientCard", by: Conventions, wide: int = 0) -> Text | None:
    """The debt, the credit and the last payment of a client, on one line behind a label as `wide` as those above; None
    where there are none of these."""
    if card.billing is None:
        return None
    parts = []
    for currency, still, overdue in card.billing.open:
        own = replace(by, currency=currency or by.currency)
        if overdue != still:
            parts.append(Text(f"open {own.money(still)}", "bold"))
        if overdue:
            parts.append(Text(f"! overdue {own.money(overdue)}", "overdue"))
    for currency, credit in card.billing.credit.items():
        parts.append(Text(f"credit {replace(by, currency=currency or by.currency).money(credit)}", "default"))
    if last := card.billing.last_payment:
        amount = replace(by, currency=last.currency or by.currency).money(last.amount)
        parts.append(Text(f"paid {amount} {by.near_day(last.on)}", "default"))
    if not parts:
        return None

    def joined() -> Text:
        return Text(labelled("Billing", wide), "muted").append_text(Text(" · ", "muted").join(parts))

    # What does not fit is left out: an amount is never cut.
    while len(parts) > 1 and joined().cell_len > screen.width:
        parts.pop()
    line = joined()
    line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
    return line


def on_line(screen: Screen, label: str, words: str, wide: int = 0) -> Text:
    """Words below the fields of a card, on one line behind their label, as `wide` as those above."""
    line = Text(labelled(label, wide), "muted").append(clean(words), "default")
    line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
    return line


def next_line(screen: Screen, follow_up: FollowUp, by: Conventions, wide: int = 0) -> Text:
    """The next thing to do with a client, on one line behind a label as `wide` as those above."""
    late = (by.today - follow_up.due_on).days
    line = Text(labelled("Next", wide), "muted")
    words = f"{'! ' if late > 0 else ''}{by.day(follow_up.due_on)} {by.time_of_day(follow_up.due_time)}".rstrip()
    line.append(f"{words}  ", "overdue" if late > 0 else "bold").append(clean(follow_up.what), "default")
    line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
    return line


def draw_contacts(screen: Screen, contacts: Sequence[Contact], by: Conventions, most: int | None = None) -> None:
    """The people at a client, the primary one first, each on a line."""
    for contact in contacts[:most]:
        screen.print(contact_line(screen, contact, by))
    if most is not None and len(contacts) > most:
        screen.print(Text(f"and {by.number(len(contacts) - most)} more contacts", "muted"))


def contact_line(screen: Screen, contact: Contact, by: Conventions) -> Text:
    """A contact on one line that fits: the sign of the primary one, the name, what they do, how they are reached."""
    line = Text(f"{screen.sign('★', '*')} " if contact.is_primary else "  ", "alert")
    line.append(clean(contact.name), "bold")
    if contact.role:
        line.append(f", {clean(contact.role)}", "default")
    phone = fields(Contact)["phone"].check.show(contact.phone, by)
    for reached, link in ((contact.email, mail_link(contact.email)), (phone, phone_link(contact.phone))):
        if reached:
            line.append(" · " if screen.unicode else " - ", "muted").append_text(linked(data(reached, "muted"), link))
    line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
    return line


def draw_contact(screen: Screen, card: "ContactCard", by: Conventions) -> None:
    """A contact: who it is, what they do, how they are reached, and what is odd about that."""
    contact = card.contact
    heading = data(contact.name, "bold")
    heading.truncate(screen.width - 8, overflow="ellipsis")
    screen.print(with_number(screen, heading, f"no. {contact.id}"))
    primary = ", primary contact" if contact.is_primary else ""
    screen.print(Text(clean(f"{contact.role or 'Contact'} of {card.client.name}{primary}"), "muted"))
    rows = []
    for name in ("email", "phone"):
        if value := getattr(contact, name):
            field = fields(Contact)[name]
            cell = linked(data(field.check.show(value, by)), link_of(name, value))
            if name in card.doubts:
                cell.append(f" {screen.sign('⚠', '!')} {clean(card.doubts[name])}", "warning")
            rows.append((field.label, cell))
    if rows:
        screen.print(pairs(rows, screen.width))
    if contact.notes:
        screen.print(data(contact.notes, "note", lines=True))


@renderer(Client)
def _(result: Client, screen: Screen, by: Conventions) -> None:
    from crm.commands.clients.clients import doubts

    draw_client(screen, result, by, doubts(result, by))


@renderer("crm.commands.clients.clients.ClientCard")
def _(result: "ClientCard", screen: Screen, by: Conventions) -> None:
    draw_client(screen, result.client, by, result.doubts, ("open_amount", "credit") if result.billing else ())
    if billed := billing_line(screen, result, by):
        screen.print(billed)
    if result.contacts:
        screen.print()
        draw_contacts(screen, result.contacts, by)
    screen.print()
    draw_timeline(screen, result.timeline, by)


@renderer(Contact)
def _(result: Contact, screen: Screen, by: Conventions) -> None:
    show(screen, [result], by)


@renderer("crm.commands.clients.contacts.ContactCard")
def _(result: "ContactCard", screen: Screen, by: Conventions) -> None:
    draw_contact(screen, result, by)
    screen.print()
    screen.print(client_heading(screen, result.client, by))


@renderer(View)
def _(result: View, screen: Screen, by: Conventions) -> None:
    show(screen, [result], by)


@renderer(StatusRule)
def _(result: StatusRule, screen: Screen, _by: Conventions) -> None:
    # What reads rules is loaded where there is one.
    from crm.rules import rule_text

    off = "" if result.active else "  (switched off)"
    screen.print(data(f"{result.position}. {rule_text(result.status, result.when)}{off}"))


@renderer("crm.commands.clients.rules.Why")
def _(why: "Why", screen: Screen, by: Conventions) -> None:
    client = why.client
    screen.print(
        data(client.name, "bold").append(": ", "default").append(clean(client.status), status_style(client.status))
    )
    if not any(trace.fits for trace in why.rules) or why.pinned_until:
        screen.print(data(reason_words(why.reason, by)))
    if why.pinned_until:
        screen.print(Text(f"Pinned {_until(client, by)}. Rules do not apply while it is pinned.", "warning"))
    decided = False
    for trace in why.rules:
        decides = trace.fits and not decided
        decided = decided or trace.fits
        # A rule after the one that decides is not asked.
        sign = screen.sign("✓", "+") if decides else screen.sign("✗", "-") if not trace.fits else " "
        line = Text(f" {sign} ", "gained" if decides else "muted").append(
            clean(reason_words(trace.text, by)), "bold" if decides else "muted"
        )
        if trace.values:
            line.append(f"  {clean(values_words(trace.values, by))}", "muted")
        screen.print(line)


@renderer("crm.commands.clients.rules.RulesReport")
def _(result: "RulesReport", screen: Screen, by: Conventions) -> None:
    if not result.clients:
        screen.print("No changes: every client already has the status the rules give.")
        return
    who = f"{by.number(result.clients)} {'client' if result.clients == 1 else 'clients'}"
    verb = "changed status" if result.applied else "would change status"
    screen.print(Text(f"{who} {verb}:", "bold"))
    for line in _counts(result.counts, screen, by):
        screen.print(line)
    screen.print()
    # What is printed line by line goes on as long as it likes.
    moves = result.moves if screen.plain else result.moves[: max(3, screen.left - 16)]
    screen.print(tables.table(_MOVES, moves, by, screen.width))
    if more := result.clients - len(moves):
        screen.print(Text(f"and {by.number(more)} more", "muted"))


def _counts(counts: "Iterable[MoveCount]", screen: Screen, by: Conventions) -> Iterable[Text]:
    for count in counts:
        line = Text(f"  {by.number(count.clients):>7}  ", "bold").append(
            clean(count.before or "none"), status_style(count.before)
        )
        line.append(f" {screen.sign('→', '->')} ", "default")
        yield line.append(clean(count.after or "none"), status_style(count.after))


@renderer("crm.commands.clients.bulk.GroupReport")
def _(result: "GroupReport", screen: Screen, by: Conventions) -> None:
    if not result.clients + result.unchanged:
        screen.print("No matches. Nothing was changed.")
        return
    from crm.commands.client_selection import pluralize
    from crm.commands.clients.bulk import counted

    parts = [f"{pluralize(result.clients, 'client', 'clients', by)} {result.done}", *counted(result.along, by)]
    if result.unchanged:
        parts.append(f"{by.number(result.unchanged)} unchanged")
    if result.moved:
        parts.append(f"{by.number(result.moved)} with a new status")
    screen.print(Text(f"{screen.sign('✓', 'OK:')} {', '.join(parts)}", "success"))
