"""The result of a command on screen: one renderer for each type of result."""

import dataclasses
from collections.abc import Iterable, Sequence
from functools import singledispatch
from importlib import import_module
from typing import Any

from rich.text import Text

from crm.commands.bulk import GroupReport, counted
from crm.commands.clients import ClientCard
from crm.commands.copying import CopyReport
from crm.commands.exporting import ExportReport
from crm.commands.groups import how_many
from crm.commands.history import TakenBack
from crm.commands.rules import MoveCount, RulesReport, Why
from crm.commands.sales import SaleReport
from crm.commands.settings import SettingShown
from crm.commands.store import CheckReport, FileWritten, LiveReport
from crm.commands.today import TodayReport
from crm.model import Client, Conventions, Record, Sale, StatusRule, View
from crm.model.encoding import plain
from crm.model.places import as_told
from crm.rules import rule_text
from crm.terminal import cards, tables, today
from crm.terminal.screen import Screen, clean, data, status_style

_LISTED = 200
_LATE = {
    "Agenda": "crm.terminal.agenda",
    "Captured": "crm.terminal.capture",
    "Contact": "crm.terminal.contacts",
    "ContactCard": "crm.terminal.contacts",
    "Interaction": "crm.terminal.interactions",
    "Timeline": "crm.terminal.timeline",
    "TileShown": "crm.terminal.arranging",
    "AgendaItem": "crm.terminal.agenda",
    "Colleague": "crm.terminal.people",
    "FollowUpShown": "crm.terminal.follow_up_cards",
    "FollowUpList": "crm.terminal.follow_up_cards",
    "FollowUpDone": "crm.terminal.follow_up_cards",
    "FollowUpGone": "crm.terminal.follow_up_cards",
    "ImportReport": "crm.terminal.imported",
    "WholeStoreReport": "crm.terminal.imported",
    "TakeOverReport": "crm.terminal.spreadsheets",
    "SpreadsheetReport": "crm.terminal.spreadsheets",
    "StoreChosen": "crm.terminal.spreadsheets",
    **dict.fromkeys(("Message", "MessageCard", "Sent"), "crm.terminal.message_cards"),
    **dict.fromkeys(("LeftOut", "MailingCount", "MailingReport", "TestSent"), "crm.terminal.mailing_cards"),
    **dict.fromkeys(("Template", "TemplatePreview"), "crm.terminal.templates"),
    **dict.fromkeys(("Adopted", "Fetched", "Stranger"), "crm.terminal.incoming"),
    **dict.fromkeys(("Due", "Occasion"), "crm.terminal.greetings"),
    "OneTimePassword": "crm.terminal.users",
    "UserShown": "crm.terminal.users",
    "SessionShown": "crm.terminal.users",
    "Profile": "crm.terminal.profile",
    "Report": "crm.terminal.reports",
    "TransactionShown": "crm.terminal.changed",
    **dict.fromkeys(
        ("Board", "Deal", "DealCard", "DealList", "DealMoved", "DealShown", "DealWon", "Stage"),
        "crm.terminal.deal_cards",
    ),
}


def show(screen: Screen, result: Any, by: Conventions) -> None:
    """Shows what a command returned. Register a renderer for a new type with `drawn.register`; where the
    type's own module is loaded late, name the module that does so in `_LATE`."""
    one = result[0] if isinstance(result, list) and result else result
    if module := _LATE.get(type(one).__name__):
        import_module(module)
    drawn(result, screen, by)


@singledispatch
def drawn(result: Any, screen: Screen, by: Conventions) -> None:
    """A result of a type that has no renderer of its own: its names and values."""
    if result is None:
        return
    if dataclasses.is_dataclass(result):
        values = plain(result)
        cards.draw_pairs(screen, {name: value for name, value in values.items() if not isinstance(value, list | dict)})
        for each in dataclasses.fields(result):
            if isinstance(part := getattr(result, each.name), list | tuple) and part:
                screen.print(Text(each.name.replace("_", " ").capitalize(), "bold"))
                drawn(list(part), screen, by)
        return
    screen.print(data(result, lines=True))


@drawn.register(list)
@drawn.register(tuple)
def _(result: Sequence[Any], screen: Screen, by: Conventions) -> None:
    if not result:
        screen.print(Text("Nothing there.", "dim"))
        return
    columns = tables.COLUMNS.get(type(result[0]))
    if columns is None:
        for each in result[:_LISTED]:
            screen.print(data(each))
        return
    screen.print(tables.table(columns, result[:_LISTED], by, screen.width))
    if len(result) > _LISTED:
        screen.print(Text(f"and {by.number(len(result) - _LISTED)} more", "dim"))


@drawn.register
def _(result: Client, screen: Screen, by: Conventions) -> None:
    cards.draw_client(screen, result, by)


@drawn.register
def _(result: ClientCard, screen: Screen, by: Conventions) -> None:
    cards.draw_card(screen, result, by)


@drawn.register
def _(result: SaleReport, screen: Screen, by: Conventions) -> None:
    cards.draw_sale(screen, result, by)


@drawn.register
def _(result: Why, screen: Screen, by: Conventions) -> None:
    cards.draw_why(screen, result, by)


@drawn.register
def _(result: TodayReport, screen: Screen, by: Conventions) -> None:
    today.draw(screen, result, by)


@drawn.register
def _(result: StatusRule, screen: Screen, _by: Conventions) -> None:
    off = "" if result.active else "  (switched off)"
    screen.print(data(f"{result.position}. {rule_text(result.status, result.when)}{off}"))


@drawn.register(Sale)
@drawn.register(View)
def _(result: Record, screen: Screen, by: Conventions) -> None:
    drawn([result], screen, by)


@drawn.register
def _(result: SettingShown, screen: Screen, _by: Conventions) -> None:
    screen.print(Text(f"{result.label}: ").append(clean(result.value), "bold"))


@drawn.register
def _(result: FileWritten, screen: Screen, _by: Conventions) -> None:
    done = Text(f"{screen.sign('✓', 'OK:')} {result.what[:1].upper()}{result.what[1:]}: ", "green")
    screen.print(done.append(clean(as_told(result.file)), "bold"))


@drawn.register
def _(result: ExportReport, screen: Screen, by: Conventions) -> None:
    many = "records" if result.what == "all" else result.what
    written = how_many(result.records, many.removesuffix("s"), many, by)
    done = Text(f"{screen.sign('✓', 'OK:')} {written} in ", "green")
    screen.print(done.append(clean(as_told(result.file)), "bold"))


@drawn.register
def _(result: GroupReport, screen: Screen, by: Conventions) -> None:
    if not result.clients + result.unchanged:
        screen.print("No client fits; nothing was changed.")
        return
    told = [f"{how_many(result.clients, 'client', 'clients', by)} {result.done}", *counted(result.along, by)]
    if result.unchanged:
        told.append(f"{by.number(result.unchanged)} {'was' if result.unchanged == 1 else 'were'} so already")
    if result.moved:
        told.append(f"{by.number(result.moved)} {'has' if result.moved == 1 else 'have'} another status now")
    screen.print(Text(f"{screen.sign('✓', 'OK:')} {', '.join(told)}", "green"))


@drawn.register
def _(result: RulesReport, screen: Screen, by: Conventions) -> None:
    if not result.clients:
        screen.print("Nobody moves: every client has the status that the rules give.")
        return
    who = f"{by.number(result.clients)} {'client' if result.clients == 1 else 'clients'}"
    verb = "moved" if result.applied else "would move"
    screen.print(Text(f"{who} {verb}:", "bold"))
    for line in _counts(result.counts, screen, by):
        screen.print(line)
    screen.print()
    screen.print(tables.table(tables.MOVES, result.moves[: max(3, screen.left - 15)], by, screen.width))


def _counts(counts: Iterable[MoveCount], screen: Screen, by: Conventions) -> Iterable[Text]:
    for each in counts:
        line = Text(f"  {by.number(each.clients):>7}  ", "bold").append(
            clean(each.before or "none"), status_style(each.before)
        )
        line.append(f" {screen.sign('→', '->')} ", "default")
        yield line.append(clean(each.after or "none"), status_style(each.after))


@drawn.register
def _(result: TakenBack, screen: Screen, by: Conventions) -> None:
    told = Text(f"{screen.sign('✓', 'OK:')} Taken back: ", "green").append(clean(result.undone.what), "bold")
    screen.print(told)
    if result.records:
        screen.print(tables.table(tables.CHANGES, result.records[:8], by, screen.width))


@drawn.register
def _(result: LiveReport, screen: Screen, by: Conventions) -> None:
    signs = {True: ("✓", "yes:", "green"), False: ("✗", "NO:", "bold red"), None: ("?", "?", "yellow")}
    for proof in result.proofs:
        sign, plain_sign, style = signs[proof.held]
        line = Text(f"{screen.sign(sign, plain_sign)} ", style).append(clean(proof.what), "default")
        screen.print(line.append(f" ({clean(proof.seen)})", "dim"))
    screen.print()
    if result.failed:
        told = "Not everything held; docs/google-sheets.md says what the store does then."
        screen.print(Text(told, "bold red"))
    else:
        held = by.number(len(result.proofs))
        screen.print(Text(f"{screen.sign('✓', 'OK:')} All {held} things that the store relies on held.", "green"))


@drawn.register
def _(result: CopyReport, screen: Screen, by: Conventions) -> None:
    screen.print(tables.table(tables.FIGURES, result.figures, by, screen.width))
    if result.failed:
        screen.print(Text("The copy differs from the store it was made of; do not use it.", "bold red"))
    else:
        copied = Text(f"{screen.sign('✓', 'OK:')} Copied to ", "green")
        screen.print(copied.append(clean(as_told(result.copy)), "default"))


@drawn.register
def _(result: CheckReport, screen: Screen, by: Conventions) -> None:
    if not result.wrong:
        screen.print(Text(f"{screen.sign('✓', 'OK:')} Everything agrees.", "green"))
    for title, findings, style in (("Wrong", result.wrong, "bold red"), ("Worth a look", result.odd, "bold yellow")):
        if findings:
            screen.print(Text(f"{title}: {by.number(len(findings))}", style))
            screen.print(tables.table(tables.FINDINGS, findings[: max(3, screen.left - 15)], by, screen.width))
