"""The result of a command on screen: one renderer for each type of result."""

import dataclasses
from collections.abc import Sequence
from functools import singledispatch
from importlib import import_module
from typing import Any

from rich.text import Text

from crm.model import Client, Conventions, Record, Sale, StatusRule, View
from crm.model.encoding import plain
from crm.terminal.drawing import cards, tables
from crm.terminal.drawing.screen import Screen, data

_LISTED = 200
_LATE = {
    "Agenda": "crm.terminal.activity.agenda",
    "Captured": "crm.terminal.activity.capture",
    "Contact": "crm.terminal.clients.contacts",
    "ContactCard": "crm.terminal.clients.contacts",
    "Interaction": "crm.terminal.activity.interactions",
    "Timeline": "crm.terminal.activity.timeline",
    "TileShown": "crm.terminal.home.dashboard_editor",
    "AgendaItem": "crm.terminal.activity.agenda",
    "Colleague": "crm.terminal.team.people",
    "FollowUpShown": "crm.terminal.activity.rendering",
    "FollowUpList": "crm.terminal.activity.rendering",
    "FollowUpDone": "crm.terminal.activity.rendering",
    "FollowUpGone": "crm.terminal.activity.rendering",
    "ImportReport": "crm.terminal.data.rendering",
    "WholeStoreReport": "crm.terminal.data.rendering",
    "TakeOverReport": "crm.terminal.data.spreadsheet_rendering",
    "SpreadsheetReport": "crm.terminal.data.spreadsheet_rendering",
    "StoreChosen": "crm.terminal.data.spreadsheet_rendering",
    **dict.fromkeys(("Message", "MessageCard", "Sent"), "crm.terminal.mail.rendering"),
    **dict.fromkeys(("LeftOut", "MailingCount", "MailingReport", "TestSent"), "crm.terminal.mail.mailing_rendering"),
    **dict.fromkeys(("Template", "TemplatePreview"), "crm.terminal.mail.templates"),
    **dict.fromkeys(("Adopted", "Fetched", "Stranger"), "crm.terminal.mail.inbox"),
    **dict.fromkeys(("Due", "Occasion"), "crm.terminal.mail.greetings"),
    "AccountsRecovered": "crm.terminal.team.users",
    "OneTimePassword": "crm.terminal.team.users",
    "UserShown": "crm.terminal.team.users",
    "SessionShown": "crm.terminal.team.users",
    "Profile": "crm.terminal.team.profile",
    "Report": "crm.terminal.reports.rendering",
    "TransactionShown": "crm.terminal.data.change_rendering",
    **dict.fromkeys(("ClientCard", "SaleReport", "SaleTakenBack"), "crm.terminal.clients.rendering"),
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
        "crm.terminal.sales.outcomes",
    ),
    **dict.fromkeys(
        ("Board", "Deal", "DealCard", "DealList", "DealMoved", "DealShown", "DealWon", "Stage"),
        "crm.terminal.sales.rendering",
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
