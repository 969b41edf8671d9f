"""The result of a command on screen: one renderer for each type of result."""

import dataclasses
from collections.abc import Sequence
from functools import singledispatch
from importlib import import_module
from typing import Any

from rich.text import Text

from crm.model import Client, Conventions, Record, Sale, StatusRule, View
from crm.model.encoding import plain
from crm.terminal import cards, tables
from crm.terminal.screen import Screen, data

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
    "AccountsRecovered": "crm.terminal.users",
    "OneTimePassword": "crm.terminal.users",
    "UserShown": "crm.terminal.users",
    "SessionShown": "crm.terminal.users",
    "Profile": "crm.terminal.profile",
    "Report": "crm.terminal.reports",
    "TransactionShown": "crm.terminal.changed",
    **dict.fromkeys(("ClientCard", "SaleReport", "SaleTakenBack"), "crm.terminal.client_cards"),
    **dict.fromkeys(
        (
            "CheckReport",
            "CopyReport",
            "ExportReport",
            "FileWritten",
            "GroupReport",
            "LiveReport",
            "RulesReport",
            "SettingShown",
            "TakenBack",
            "TodayReport",
            "Why",
        ),
        "crm.terminal.outcomes",
    ),
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
def _(result: StatusRule, screen: Screen, _by: Conventions) -> None:
    # What reads rules is loaded where there is one.
    from crm.rules import rule_text

    off = "" if result.active else "  (switched off)"
    screen.print(data(f"{result.position}. {rule_text(result.status, result.when)}{off}"))


@drawn.register(Sale)
@drawn.register(View)
def _(result: Record, screen: Screen, by: Conventions) -> None:
    drawn([result], screen, by)
