"""Accounts, sessions and the people of the team on screen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from crm.model import Conventions
from crm.terminal.drawing import tables
from crm.terminal.drawing.cards import draw_pairs
from crm.terminal.drawing.render import renderer, show, show_as_row
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from crm.commands.team.keys import KeyMade, KeyShown
    from crm.commands.team.profile import Profile
    from crm.commands.team.recovery import AccountsRecovered
    from crm.commands.team.users import FirstAccount, OneTimePassword, UserShown

NAMES = {"": "none", "totp": "codes by an app", "sms": "codes by SMS"}
USERS: Sequence[tables.Column] = (
    tables.Column("Name", lambda row, _: data(row.name or row.email, "bold"), 0, 8),
    tables.Column("E-mail", lambda row, _: data(row.email), 2, 10),
    tables.Column("Role", lambda row, _: data(row.role), 1),
    tables.Column("Second factor", lambda row, _: data(NAMES.get(row.second_factor, "")), 4, word="second factor"),
    tables.Column(
        "Sessions", lambda row, by: data(by.number(row.sessions)), 3, right=True, unit=("session", "sessions")
    ),
    tables.Column("", lambda row, _: Text(_state(row), "warning"), 1),
    tables.Column("Keys", lambda row, _: data(keys_of(row)), 5, 8, wraps=True),
)
SESSIONS: Sequence[tables.Column] = (
    tables.Column("No.", lambda row, _: data(row.id, "muted"), 3, right=True),
    tables.Column("Since", lambda row, by: data(by.time(row.since)), 0),
    tables.Column("On", lambda row, _: data(row.device), 1, 8),
    tables.Column("From", lambda row, _: data(row.address), 2, 8),
    tables.Column("", lambda row, _: Text("this one" if row.here else "", "success"), 1),
)
KEYS: Sequence[tables.Column] = (
    tables.Column("Name", lambda row, _: data(row.name, "bold"), 0, 8),
    tables.Column("Allows", lambda row, _: data(row.may), 1),
    tables.Column("Last used", lambda row, by: data(by.day(row.last_used_on) or "never"), 2),
    tables.Column("Expires", lambda row, by: _expiry(row, by), 3),
    tables.Column("Created by", lambda row, _: data(row.by), 4, 8),
    tables.Column("Created on", lambda row, by: data(by.day(row.made_on)), 5),
)
PEOPLE: Sequence[tables.Column] = (
    tables.Column("Name", lambda row, _: data(row.name, "bold"), 0, 8),
    tables.Column("Role", lambda row, _: data(row.role), 5),
    tables.Column("Follow-ups", lambda row, by: data(_some(row.follow_ups, by)), 1, right=True),
    tables.Column("Overdue", lambda row, by: data(_some(row.overdue, by), "overdue"), 2, right=True),
    tables.Column("Deals", lambda row, by: data(_some(row.deals, by)), 3, right=True),
    tables.Column("Clients", lambda row, by: data(_some(row.clients, by)), 4, right=True),
    tables.Column("E-mail", lambda row, _: data(row.email), 6, 10),
)
tables.COLUMNS |= {
    "crm.commands.team.keys.KeyShown": KEYS,
    "crm.commands.team.people.Colleague": PEOPLE,
    "crm.commands.team.users.SessionShown": SESSIONS,
    "crm.commands.team.users.UserShown": USERS,
}


def _state(user: "UserShown") -> str:
    off = "" if user.signing_in else "no sign-in"
    return "changed by hand" if user.changed_by_hand else off if user.active else "off"


def keys_of(user: "UserShown") -> str:
    """The keys for unattended commands that somebody made, and which of them have stopped."""
    return ", ".join([*user.keys, *(f"{name} (stopped)" for name in user.stopped_keys)])


def _expiry(key: "KeyShown", by: Conventions) -> Text:
    over = "expired" if key.expired else "stopped" if key.stopped else ""
    return Text(over, "warning") if over else data(by.day(key.expires_on) or "never")


def _some(count: int, by: Conventions) -> str:
    return by.number(count) if count else ""


renderer("crm.commands.team.users.UserShown")(show_as_row)


@renderer("crm.commands.team.profile.Profile")
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


@renderer("crm.commands.team.users.OneTimePassword")
def _(result: "OneTimePassword", screen: Screen, _by: Conventions) -> None:
    heading = f"Temporary password for {clean(result.email)}, shown only now."
    screen.print(Text(f"{heading} It works for a week. They choose their own at the first sign-in."))
    screen.print(Text(f"  {result.password}", "bold"))
    if result.note:
        screen.print(result.note)


@renderer("crm.commands.team.users.FirstAccount")
def _(result: "FirstAccount", screen: Screen, _by: Conventions) -> None:
    screen.print(Text(f"The account of {clean(result.name)} is ready, with the role admin."))
    screen.print("You are signed in on this computer.")
    screen.print("From now on, everyone who uses this data has to sign in.")


@renderer("crm.commands.team.keys.KeyMade")
def _(result: "KeyMade", screen: Screen, _by: Conventions) -> None:
    screen.print(Text(f"Key {clean(result.name)}, shown only now."))
    screen.print(Text(f"  {result.secret}", "bold"))
    screen.print("Save it in a file that only its owner can read, and set CRM_KEY_FILE to that file.")


@renderer("crm.commands.team.recovery.AccountsRecovered")
def _(result: "AccountsRecovered", screen: Screen, by: Conventions) -> None:
    from crm.commands.team.users import OneTimePassword

    show(screen, OneTimePassword(result.user, result.email, result.name, result.password), by)
    screen.print(Text(result.done))
