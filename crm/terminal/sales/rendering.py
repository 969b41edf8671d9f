"""Sales, deals and stages on screen: in lists, a deal whole with its history, and what became of one."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from crm.commands.clients.reasons import reason_words
from crm.model import OUTCOMES, Client, Conventions, Deal, Sale, Stage
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import badge, beside, pairs, side_card
from crm.terminal.drawing.render import renderer, show, show_as_row
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.drawing.theme import status_style

if TYPE_CHECKING:
    from crm.commands.sales.board import Board
    from crm.commands.sales.deals import DealCard, DealList
    from crm.commands.sales.outcomes import DealMoved, DealWon
    from crm.commands.sales.pipeline import DealShown, StageSum
    from crm.commands.sales.sales import SaleReport

# In fewer columns a message says no more than what has changed.
_NARROW = 60
WHAT_A_DEAL_IS = "A deal is a sale you are working on, with a title, a value and a stage."


def days(count: int, by: Conventions) -> str:
    """A number of days in words."""
    return "1 day" if count == 1 else f"{by.number(count)} days"


def _close(item: "DealShown", by: Conventions) -> Text:
    """The day of the expected close, marked also for who sees no colour; of a closed deal the day on which it was."""
    on = item.deal.closed_on or item.deal.expected_close_on
    return data(f"{by.day(on)}{' !' if item.overdue else ''}", "warning" if item.overdue else "")


def sale_side(screen: Screen, sale: Sale, by: Conventions) -> list[tuple[str, str]]:
    """A sale beside the list, with all of its note and without its client."""
    facts = [("Date", data(by.day(sale.on))), ("No.", data(sale.id))]
    return side_card(screen, [Text(by.money(sale.amount), "money")], facts, sale.note)


def draw_sale_card(screen: Screen, sale: Sale, client: Client, deal: Deal | None, by: Conventions) -> None:
    """A sale with all that is known of it, and where its client stands."""
    sold = Text(by.money(sale.amount), "money").append(f"  no. {sale.id}", "muted")
    standing = Text(f"{by.money(client.total_spend)} in {by.in_total(client.sales_count)}")
    screen.print(beside(screen, sold, standing))
    who = data(client.name, "bold")
    facts = [
        ("Client", who.append("  ").append_text(badge(client.status, status_style(client.status)))),
        ("Date", data(by.day(sale.on))),
        ("Deal", data(deal.title if deal else "")),
        ("Reference", data(sale.reference)),
        ("Recorded by", data(sale.user)),
        ("Note", data(sale.note)),
    ]
    screen.print(pairs([(label, value) for label, value in facts if value.plain], screen.width))


def deal_side(screen: Screen, item: "DealShown", by: Conventions) -> list[tuple[str, str]]:
    """A deal beside the list, without its client."""
    deal = item.deal
    value = Text(by.money(deal.value), "money")
    if item.stage.outcome == "open":
        value.append(f", weighted {by.money(by.rounded(item.weighted))}", "default")
    facts = [(label, fact) for label, fact in _facts(item, by) if label != "Client"]
    return side_card(screen, [data(deal.title, "bold"), value], facts, deal.notes)


DEALS: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.deal.id, "muted"), 4, right=True),
    tables.Column("Stage", lambda row, _: data(row.stage.name), 3, 9),
    tables.Column("Deal", lambda row, _: data(row.deal.title, "bold"), 0, 10),
    tables.Column("Client", lambda row, _: data(row.client), 2, 8),
    tables.Column("Value", lambda row, by: data(by.money(row.deal.value)), 1, right=True, money=True),
    tables.Column("Days", lambda row, by: data(by.number(row.days)), 6, right=True, unit=("day", "days")),
    tables.Column("Close", _close, 4),
    tables.Column("Owner", lambda row, _: data(row.deal.owner), 7, 5),
)
_BARE: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id or "", "muted"), 1, right=True),
    tables.Column("Deal", lambda row, _: data(row.title, "bold"), 0, 10),
    tables.Column("Value", lambda row, by: data(by.money(row.value)), 1, right=True),
    tables.Column("Expected close", lambda row, by: data(by.day(row.expected_close_on)), 2),
    tables.Column("Owner", lambda row, _: data(row.owner), 3, 5),
)
STAGES: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id or "", "muted"), 3, right=True),
    tables.Column("Stage", lambda row, _: data(row.name, "bold"), 0, 8),
    tables.Column("Probability", lambda row, _: data(f"{row.probability} %"), 1, right=True),
    tables.Column("", lambda row, _: data("" if row.outcome == "open" else OUTCOMES[row.outcome], "muted"), 2),
)
_SUMS: Sequence[tables.Column] = (
    tables.Column("Stage", lambda row, _: data(row.stage.name, "bold"), 0, 8),
    tables.Column("Deals", lambda row, by: data(by.number(row.deals)), 1, right=True),
    tables.Column("Value", lambda row, by: data(by.money(row.value)), 2, right=True),
    tables.Column("Weighted", lambda row, by: data(by.money(by.rounded(row.weighted))), 3, right=True),
)
_TIMES_IN_STAGES: Sequence[tables.Column] = (
    tables.Column("Stage", lambda row, _: data(row.stage), 0, 8),
    tables.Column("Since", lambda row, by: data(by.day(row.since)), 1),
    tables.Column("Days", lambda row, by: data("" if row.days is None else by.number(row.days)), 1, right=True),
    tables.Column("By", lambda row, _: data(row.user, "muted"), 2, 5),
)
SALES: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: tables.number(row.id), 2, right=True),
    tables.Column("Date", lambda row, by: data(by.day(row.on)), 0),
    tables.client_column(3),
    tables.Column("Amount", lambda row, by: data(by.money(row.amount)), 1, right=True, money=True),
    tables.Column("Reference", lambda row, _: data(row.reference), 5, 8),
    tables.Column("Note", lambda row, _: data(row.note), 4, 6),
)
tables.COLUMNS |= {
    "crm.commands.sales.pipeline.DealShown": DEALS,
    "crm.model.sales.Deal": _BARE,
    "crm.model.sales.Sale": SALES,
    "crm.model.sales.Stage": STAGES,
    "crm.commands.sales.pipeline.StageSum": _SUMS,
}


for _kind in (Deal, Sale, Stage):
    renderer(_kind)(show_as_row)


@renderer("crm.commands.sales.deals.DealList")
def _(result: "DealList", screen: Screen, by: Conventions) -> None:
    show(screen, list(result.deals), by)
    if result.deals:
        screen.print(Text(added_up(result, by), "muted"))


def added_up(deals: "DealList", by: Conventions) -> str:
    """The number of deals, and what they come to."""
    count = f"{by.number(deals.count)} {'deal' if deals.count == 1 else 'deals'}"
    return f"{count}, {by.money(deals.value)}, weighted {by.money(by.rounded(deals.weighted))}"


@renderer("crm.commands.sales.deals.DealCard")
def _(result: "DealCard", screen: Screen, by: Conventions) -> None:
    draw_heading(screen, result, by)
    draw_history(screen, result, by)


def draw_heading(screen: Screen, card: "DealCard", by: Conventions) -> None:
    """Draw a deal: its title and value, then what is known of it, each with its label."""
    deal = card.item.deal
    value = Text(by.money(deal.value), "money")
    if deal.closed_on is None:
        value.append(f"  weighted {by.money(by.rounded(card.item.weighted))}", "muted")
    title = data(deal.title, "bold")
    title.truncate(screen.width - 8, overflow="ellipsis" if screen.unicode else "crop")
    screen.print(beside(screen, title.append(f"  no. {deal.id}", "muted"), value))
    screen.print(pairs([row for row in _facts(card.item, by) if row[1].plain], screen.width))
    if deal.notes:
        screen.print(data(deal.notes, "note", lines=True))


def _facts(item: "DealShown", by: Conventions) -> list[tuple[str, Text]]:
    """The fields of a deal that are filled in, each with its label."""
    deal = item.deal
    close = data(f"{by.day(deal.expected_close_on)}, overdue !", "warning") if item.overdue else _close(item, by)
    return [
        ("Client", data(item.client, "bold")),
        ("Stage", data(_stage_text(item, by))),
        ("Expected close" if deal.closed_on is None else "Closed", close),
        ("Lost because", data(deal.lost_reason)),
        ("Owner", data(deal.owner)),
    ]


def _stage_text(item: "DealShown", by: Conventions) -> str:
    """The stage of a deal; of an open one how likely it is won, and how long it has been there."""
    if item.deal.closed_on is not None:
        return item.stage.name
    since = f"for {days(item.days, by)}" if item.days else "since today"
    return f"{item.stage.name}, {item.stage.probability} %, {since}"


def draw_history(screen: Screen, card: "DealCard", by: Conventions, most: int | None = None) -> None:
    """The stages that it was in, the sales and the follow-ups, or the last lines of all that."""
    if most is None or most > len(card.times_in_stages) + 1:
        screen.print()
        screen.print(tables.table(_TIMES_IN_STAGES, card.times_in_stages, by, screen.width))
    lines = [f"Sale {sale.id}: {by.money(sale.amount)} {by.on_day(sale.on)}" for sale in card.sales]
    for follow_up in card.follow_ups:
        state = f"done {by.on_day(follow_up.done_on)}" if follow_up.done_on else f"due {by.on_day(follow_up.due_on)}"
        lines.append(f"{follow_up.what} ({', '.join(filter(None, (follow_up.user, state)))})")
    room = len(lines) if most is None else max(0, most - len(card.times_in_stages) - 2)
    if lines[:room]:
        screen.print()
    for line in lines[:room]:
        screen.print(Text(screen.cut(line)))


@renderer("crm.commands.sales.outcomes.DealMoved")
def _(result: "DealMoved", screen: Screen, by: Conventions) -> None:
    done = f"{screen.sign('✓', 'OK:')} Moved to {clean(result.stage.name)}: "
    screen.print(Text(done, "success").append(clean(result.deal.title), "bold"))
    for taken_back in result.taken_back:
        show(screen, taken_back, by)


@renderer("crm.commands.sales.outcomes.DealWon")
def _(result: "DealWon", screen: Screen, by: Conventions) -> None:
    done = Text(f"{screen.sign('✓', 'OK:')} Won: ", "success").append(clean(result.deal.title), "bold")
    screen.print(done)
    _draw_sale(screen, result, by)


@renderer("crm.commands.sales.board.Board")
def _(result: "Board", screen: Screen, by: Conventions) -> None:
    """The deals stage by stage, where there is no board to move about on."""
    screen.print(tables.table(_SUMS, [column.sum for column in result.columns], by, screen.width))
    for column in result.columns:
        if column.deals:
            screen.print()
            screen.print(stage_line(column.sum, by))
            draw_deals(screen, column.deals, by)


def stage_line(summed: "StageSum", by: Conventions) -> Text:
    """A stage with its count and its sum."""
    line = data(summed.stage.name, "bold")
    return line.append(f"  {by.number(summed.deals)} · {by.money(summed.value)}", "muted")


def draw_deals(screen: Screen, deals: "Iterable[DealShown]", by: Conventions) -> None:
    """The deals of one stage, each with its number."""
    columns = [column for column in DEALS if column.title != "Stage"]
    screen.print(tables.table(columns, list(deals), by, screen.width))


@renderer("crm.commands.sales.sales.SaleReport")
def _(result: "SaleReport", screen: Screen, by: Conventions) -> None:
    _draw_sale(screen, result, by)


def _draw_sale(screen: Screen, report: "SaleReport", by: Conventions) -> None:
    """A sale recorded or taken back, the client's new total, and the status before and after where it changed."""
    client, status = report.client, report.status
    from crm.commands.sales.sales import SaleEdited, SaleTakenBack, not_counted

    done = "Sale"
    if isinstance(report, SaleTakenBack):
        done = "Deleted sale"
    elif isinstance(report, SaleEdited):
        done = "Changed sale"
    # In a narrow window as few lines as possible: below stands what it is about.
    narrow = screen.width < _NARROW and not screen.plain
    line = Text(f"{screen.sign('✓', 'OK:')} {done}{'' if narrow else f' {report.sale.id}'}: ", "success")
    line.append(by.money(report.sale.amount), "bold")
    if not narrow:
        line.append(" to ", "default").append(clean(client.name), "bold")
    screen.print(line.append(f" {by.on_day(report.sale.on)}", "default"))
    total = Text("  Total now ").append(by.money(client.total_spend), "bold")
    total.append("" if narrow else f" in {by.in_total(client.sales_count)}")
    if status.before == status.after:
        total.append(", still ").append(clean(status.after or "without a status"), status_style(status.after))
    if not narrow or status.before == status.after:
        screen.print(total)
    if note := not_counted(by):
        screen.print(Text(f"  {note}", "warning"))
    if status.before != status.after:
        moved = Text(f"  {screen.sign('★', '*')} Status: ", "bold").append(clean(status.before or "none"))
        moved.append(f" {screen.sign('→', '->')} ").append(clean(status.after or "none"), status_style(status.after))
        screen.print(moved)
    if status.before != status.after and not narrow:
        screen.print(data(f"    {reason_words(status.reason, by)}", "muted"))
