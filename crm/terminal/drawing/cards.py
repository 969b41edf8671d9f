"""One thing shown whole: a client's card, a sale that was recorded, why a client has its status."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from crm.model import Client, Contact, Conventions, fields
from crm.terminal.drawing.screen import Screen, clean, data, status_style

if TYPE_CHECKING:
    from crm.commands.activity.timeline_entries import Entry
    from crm.commands.clients.clients import ClientCard
    from crm.commands.clients.contacts import ContactCard
    from crm.commands.clients.rules import Why
    from crm.commands.sales.sales import SaleReport

_TWO_WIDE = 76
# Told by the heading, or by the line on the status.
_HEADING = frozenset(("kind", "first_name", "last_name", "status", "status_reason", "status_pinned_until"))
_HEADING_TOO = frozenset(
    ("status_before", "status_since", "notes", "extra", "total_spend", "sales_count", "first_sale_on", "last_sale_on")
)


def client_heading(screen: Screen, client: Client, by: Conventions) -> None:
    """Who it is, the status and its reason, and what was sold."""
    heading = data(client.name, "bold")
    heading.truncate(screen.width - 8, overflow="ellipsis")
    screen.print(heading.append(f"  no. {client.id}", "dim"))
    status = data(client.status or "no status", status_style(client.status) or "bold")
    if client.status_reason:
        status.append(f"  {clean(client.status_reason)}", "dim")
    if client.status_pinned_until:
        status.append(f"  (pinned {_until(client, by)})", "yellow")
    screen.print(status)
    sold = Text(by.money(client.total_spend), "bold")
    sold.append(f" in {by.number(client.sales_count)} {'sale' if client.sales_count == 1 else 'sales'}")
    if client.last_sale_on:
        sold.append(f", the last on {by.day(client.last_sale_on)}")
    screen.print(sold if client.sales_count else Text("No sales yet", "dim"))


def _until(client: Client, by: Conventions) -> str:
    shown = fields(Client)["status_pinned_until"].check.show(client.status_pinned_until, by)
    return shown if shown.startswith("until") else f"until {shown}"


def draw_client(screen: Screen, client: Client, by: Conventions, doubts: Mapping[str, str] | None = None) -> None:
    """The card of a client."""
    client_heading(screen, client, by)
    doubts = doubts or {}
    rows = []
    for name, field in fields(Client).items():
        value = getattr(client, name)
        if (
            name in _HEADING | _HEADING_TOO
            or value in ("", None, (), False)
            or (name == "company" and client.kind == name)
        ):
            continue
        shown = data(field.check.show(value, by))
        if name in doubts:
            shown.append(f" {screen.sign('⚠', '!')} {clean(doubts[name])}", "yellow")
        rows.append((field.label, shown))
    rows += [(clean(name), data(value)) for name, value in client.extra.items()]
    screen.print(_pairs(rows, screen.width))
    if client.notes:
        screen.print(data(client.notes, "italic", lines=True))


def _pairs(rows: Iterable[tuple[str, Text]], width: int) -> Table:
    """Labels and values, in two pairs of columns where there is room."""
    rows = list(rows)
    side_by_side = 2 if width >= _TWO_WIDE and len(rows) > 3 else 1
    label = min(max([len(name) for name, _ in rows], default=1), width // 3)
    drawn = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=False)
    for _ in range(side_by_side):
        drawn.add_column(width=label, style="dim", overflow="ellipsis", no_wrap=True)
        drawn.add_column(width=width // side_by_side - label - 2, overflow="fold")
    lines = -(-len(rows) // side_by_side)
    for at in range(lines):
        drawn.add_row(*(piece for place in range(at, len(rows), lines) for piece in rows[place]))
    return drawn


def draw_contacts(screen: Screen, contacts: Sequence[Contact], by: Conventions, most: int | None = None) -> None:
    """The people at a client, the primary one first, each on a line."""
    for contact in contacts[:most]:
        screen.print(contact_line(screen, contact, by))
    if most is not None and len(contacts) > most:
        screen.print(Text(f"and {by.number(len(contacts) - most)} more contacts", "dim"))


def contact_line(screen: Screen, contact: Contact, by: Conventions) -> Text:
    """A contact on one line that fits: the sign of the primary one, the name, what they do, how they are reached."""
    line = Text(f"{screen.sign('★', '*')} " if contact.is_primary else "  ", "bold yellow")
    line.append(clean(contact.name), "bold")
    if contact.role:
        line.append(f", {clean(contact.role)}", "default")
    for reached in filter(None, (contact.email, fields(Contact)["phone"].check.show(contact.phone, by))):
        line.append(f" · {clean(reached)}" if screen.unicode else f" - {clean(reached)}", "dim")
    line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
    return line


def draw_contact(screen: Screen, card: "ContactCard", by: Conventions) -> None:
    """A contact: who it is, what they do, how they are reached, and what is odd about that."""
    contact = card.contact
    heading = data(contact.name, "bold")
    heading.truncate(screen.width - 8, overflow="ellipsis")
    screen.print(heading.append(f"  no. {contact.id}", "dim"))
    primary = ", primary contact" if contact.is_primary else ""
    screen.print(Text(clean(f"{contact.role or 'Contact'} of {card.client.name}{primary}"), "dim"))
    rows = []
    for name in ("email", "phone"):
        if value := getattr(contact, name):
            field = fields(Contact)[name]
            shown = data(field.check.show(value, by))
            if name in card.doubts:
                shown.append(f" {screen.sign('⚠', '!')} {clean(card.doubts[name])}", "yellow")
            rows.append((field.label, shown))
    if rows:
        screen.print(_pairs(rows, screen.width))
    if contact.notes:
        screen.print(data(contact.notes, "italic", lines=True))


def draw_timeline(screen: Screen, timeline: "Iterable[Entry]", by: Conventions, most: int | None = None) -> None:
    """What happened, newest first; on `most` lines, each cut where it is too long, or all of it."""
    entries = list(timeline)
    for entry in entries[:most]:
        line = Text(f"{by.day(entry.on)}  ", "dim").append_text(entry_line(entry, by))
        if most is not None:
            line.truncate(screen.width, overflow="ellipsis" if screen.unicode else "crop")
        screen.print(line)
    if most is not None and len(entries) > most:
        screen.print(Text(f"and {len(entries) - most} more", "dim"))


def entry_line(entry: "Entry", by: Conventions) -> Text:
    """What happened, without its day."""
    line = Text()
    if entry.amount is not None:
        line.append(by.money(entry.amount), "bold green").append("  ")
    return line.append(clean(entry.what), "default")


def draw_card(screen: Screen, card: "ClientCard", by: Conventions) -> None:
    """A client with its contacts and the timeline."""
    draw_client(screen, card.client, by, card.doubts)
    if card.contacts:
        screen.print()
        draw_contacts(screen, card.contacts, by)
    screen.print()
    draw_timeline(screen, card.timeline, by)


def draw_sale(screen: Screen, report: "SaleReport", by: Conventions) -> None:
    """A sale recorded or taken back, the client's new total, and the status before and after where it changed."""
    client, status = report.client, report.status
    from crm.commands.sales.sales import SaleTakenBack

    done = "Took back sale" if isinstance(report, SaleTakenBack) else "Sale"
    line = Text(f"{screen.sign('✓', 'OK:')} {done} {report.sale.id}: ", "green").append(
        by.money(report.sale.amount), "bold"
    )
    line.append(" to ", "default").append(clean(client.name), "bold").append(f" on {by.day(report.sale.on)}", "default")
    screen.print(line)
    total = Text("  Total now ").append(by.money(client.total_spend), "bold")
    screen.print(total.append(f" in {by.number(client.sales_count)} {'sale' if client.sales_count == 1 else 'sales'}"))
    if status.before != status.after:
        moved = Text(f"  {screen.sign('★', '*')} Status: ", "bold").append(clean(status.before or "none"))
        moved.append(f" {screen.sign('→', '->')} ").append(clean(status.after or "none"), status_style(status.after))
        screen.print(moved)
        screen.print(data(f"    {status.reason}", "dim"))
    else:
        screen.print(
            Text("  Status ", "dim").append(clean(status.after), status_style(status.after)).append(" as before", "dim")
        )


def draw_why(screen: Screen, why: "Why", by: Conventions) -> None:
    """The reason of a status, and what each rule says."""
    client = why.client
    screen.print(
        data(client.name, "bold").append(": ", "default").append(clean(client.status), status_style(client.status))
    )
    screen.print(data(why.reason))
    if why.pinned_until:
        screen.print(Text(f"Pinned {_until(client, by)}; the rules do not count so long.", "yellow"))
    decided = False
    for trace in why.rules:
        decides = trace.fits and not decided
        decided = decided or trace.fits
        sign = screen.sign("✓", "+") if trace.fits else screen.sign("✗", "-")
        line = Text(f" {sign} ", "bold green" if decides else "dim").append(
            clean(trace.text), "bold" if decides else "dim"
        )
        if trace.values:
            line.append("  " + ", ".join(f"{name} {clean(value)}" for name, value in trace.values), "dim")
        screen.print(line)


def draw_pairs(screen: Screen, values: Mapping[str, Any]) -> None:
    """Any report, as its names and values."""
    rows = [
        (name.replace("_", " ").capitalize(), data(value)) for name, value in values.items() if value not in (None, "")
    ]
    screen.print(_pairs(rows, screen.width))
