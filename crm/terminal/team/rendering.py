"""Accounts, sessions and the people of the team on screen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from crm.model import Conventions
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import draw_pairs
from crm.terminal.drawing.render import renderer, show
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from crm.commands.team.profile import Profile
    from crm.commands.team.recovery import AccountsRecovered
    from crm.commands.team.users import OneTimePassword, UserShown

NAMES = {"": "none", "totp": "codes by an app", "sms": "codes by SMS"}
USERS: Sequence[tables.Column] = (
    tables.Column("Name", lambda each, _: data(each.name or each.email, "bold"), 0, 8),
    tables.Column("E-mail", lambda each, _: data(each.email), 2, 10),
    tables.Column("Role", lambda each, _: data(each.role), 1),
    tables.Column("Second factor", lambda each, _: data(NAMES.get(each.second_factor, "")), 4),
    tables.Column("Sessions", lambda each, by: data(by.number(each.sessions)), 3, right=True),
    tables.Column("", lambda each, _: Text(_state(each), "yellow"), 1),
)
SESSIONS: Sequence[tables.Column] = (
    tables.Column("No.", lambda each, _: data(each.id, "dim"), 3, right=True),
    tables.Column("Since", lambda each, by: data(by.time(each.since)), 0),
    tables.Column("On", lambda each, _: data(each.device), 1, 8),
    tables.Column("From", lambda each, _: data(each.address), 2, 8),
    tables.Column("", lambda each, _: Text("this one" if each.here else "", "green"), 1),
)
PEOPLE: Sequence[tables.Column] = (
    tables.Column("Name", lambda each, _: data(each.name, "bold"), 0, 8),
    tables.Column("Role", lambda each, _: data(each.role), 5),
    tables.Column("Follow-ups", lambda each, by: data(_some(each.follow_ups, by)), 1, right=True),
    tables.Column("Overdue", lambda each, by: data(_some(each.overdue, by), "bold red"), 2, right=True),
    tables.Column("Deals", lambda each, by: data(_some(each.deals, by)), 3, right=True),
    tables.Column("Clients", lambda each, by: data(_some(each.clients, by)), 4, right=True),
    tables.Column("E-mail", lambda each, _: data(each.email), 6, 10),
)
tables.COLUMNS |= {"Colleague": PEOPLE, "SessionShown": SESSIONS, "UserShown": USERS}


def _state(user: "UserShown") -> str:
    off = "" if user.signing_in else "only named"
    return "changed by hand" if user.changed_by_hand else off if user.active else "off"


def _some(count: int, by: Conventions) -> str:
    return by.number(count) if count else ""


@renderer
def _(result: "UserShown", screen: Screen, by: Conventions) -> None:
    show(screen, [result], by)


@renderer
def _(result: "Profile", screen: Screen, _by: Conventions) -> None:
    draw_pairs(
        screen,
        {
            "Name": result.name,
            "E-mail": result.email,
            "Phone": result.phone,
            "Role": result.role,
            "Second factor": NAMES.get(result.second_factor, result.second_factor),
        },
    )


@renderer
def _(result: "OneTimePassword", screen: Screen, _by: Conventions) -> None:
    whose = f"Temporary password for {clean(result.email)}, shown only now."
    screen.print(Text(f"{whose} It works once; then another is chosen."))
    screen.print(Text(f"  {result.password}", "bold"))


@renderer
def _(result: "AccountsRecovered", screen: Screen, by: Conventions) -> None:
    from crm.commands.team.users import OneTimePassword

    show(screen, OneTimePassword(result.user, result.email, result.name, result.password), by)
    screen.print(Text(result.done))
