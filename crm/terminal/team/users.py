"""Accounts at the menu: the list of them, and what can be done with one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rich.text import Text

from crm.commands.registry import named
from crm.commands.team.users import OneTimePassword, SessionShown, UserShown
from crm.model import Client, User
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing.cards import draw_pairs
from crm.terminal.drawing.render import show
from crm.terminal.team.rendering import NAMES, SESSIONS, USERS, keys_of
from crm.terminal.team.signing_in import chosen_password, sign_in_first
from crm.terminal.toolkit import letters, sections
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import UNCHANGED, Session
from crm.terminal.toolkit.steps import Answers, Step, in_steps


class UsersPage(ListPage):
    """All accounts."""

    title = "Accounts"
    purpose = "An account lets a person sign in. With the first one, everyone who uses this data has to sign in."
    columns = USERS
    is_by_name = True
    command = "users list"

    def keys(self) -> Sequence[Choice]:
        return [letters.NEW(lambda: add(self.session), "account")]

    def open(self, row: Any) -> None:
        user = self.session.crm.get(User, row.id)
        self.session.open(user)


class SessionsPage(ListPage):
    """The open sessions of somebody."""

    plural = "open sessions"
    purpose = "Devices on which this person is signed in appear here."
    columns = SESSIONS

    def __init__(self, session: Session, user: User) -> None:
        super().__init__(session)
        self.user = user

    def rows(self, limit: int, offset: int) -> Sequence[Any]:
        sessions: list[SessionShown] = named("users sessions")(self.session.crm, self.user)
        return sessions[offset : offset + limit]

    def crumbs(self) -> Sequence[str]:
        return ["Accounts", self.user.name or self.user.email, "Open sessions"]

    def keys(self) -> Sequence[Choice]:
        return [letters.END(self._sign_out, "all sessions")]

    def open(self, row: Any) -> None:
        self.session.say("You can only end all sessions of another person at once: press d.")

    def _sign_out(self) -> None:
        self.session.call("users sign-out", user=self.user)
        self.session.done("Signed out everywhere.")


@flow("users list")
@flow("users edit")
@flow("users deactivate")
@flow("users activate")
@flow("users reset-password")
@flow("users reset-second-factor")
@flow("users vouch")
@flow("users sign-out")
@flow("users sessions")
def users(session: Session, **_: Any) -> None:
    """The accounts, from which one is chosen; without any, the way to the first."""
    if _listed(session):
        UsersPage(session).show()
        return
    first = Choice("Add the first account", lambda: add(session))
    session.menu(["Team"], lambda: [first, *sections.entries(session, "team")], once=True)


@flow("users add")
def add(session: Session, **_: Any) -> None:
    """A new account; the first one is an admin's."""
    if not _listed(session):
        session.say(
            "The first account is your own, with the rights of an admin. From then on, everyone who uses this data has"
            " to sign in.",
            "warning",
        )
    _add(session)


def _listed(session: Session) -> bool:
    """Return whether there are accounts that let anybody in."""
    accounts: list[UserShown] = named("users list")(session.crm)
    return any(account.signing_in for account in accounts)


def _add(session: Session) -> None:
    """Ask for a new account, which gets a one-time password; the first one is made by `_add_first`."""
    if not _listed(session):
        _add_first(session)
        return
    command, answers = named("users add"), Answers(session)
    asked = [command.parameters[name] for name in ("email", "name")]
    asked.append(replace(command.parameters["role"], default="staff"))

    def done() -> Any:
        # A client may have been named before the role was changed.
        arguments = {name: value for name, value in answers.values.items() if name != "client"}
        if arguments["role"] == "client":
            arguments["client"] = answers.values["client"]
        return session.call("users add", **arguments)

    def steps() -> list[Step]:
        client_parameter = [command.parameters["client"]] if answers.values.get("role") == "client" else []
        return [*answers.steps([*asked, *client_parameter], lambda: session.page("Accounts", "New")), done]

    _show_password(session, in_steps(session, steps, answers.is_written))


def _add_first(session: Session) -> None:
    """Ask for the first account, an admin, with a password chosen here, and sign it in."""
    command, answers = named("users add"), Answers(session)
    asked = [command.parameters[name] for name in ("email", "name")]
    password = ""

    def ask_password() -> None:
        nonlocal password
        words = [str(value) for value in answers.values.values()]
        session.page("Accounts", "Your account", "Your password")
        password = chosen_password(
            session, "Password", lambda typed: session.crm.accounts.check_new_password(typed, *words)
        )

    def done() -> Any:
        # To compute what is kept of a password takes seconds on a slow machine.
        session.page("Accounts", "Your account")
        session.screen.print(Text("One moment, your account is being made.", "muted"))
        return session.call("users add", **answers.values, role="admin", password=password, again=password)

    def page() -> None:
        session.page("Accounts", "Your account")

    steps = answers.steps(asked, page)
    made = in_steps(session, [*steps, ask_password, done], answers.is_written)
    sign_in_first(session, made.email, password)


def _show_password(session: Session, made: OneTimePassword) -> None:
    """A one-time password, until the person has written it down."""

    def draw() -> None:
        session.page("Accounts", made.name or made.email)
        show(session.screen, made, session.conventions)

    session.show_once(draw)


@record_page(User)
class AccountPage(RecordPage[User, UserShown]):
    """An account, and what can be done with it."""

    def read(self) -> UserShown:
        user = self.current()
        listed: list[UserShown] = named("users list")(self.session.crm)
        return next(account for account in listed if account.id == user.id)

    def current(self) -> User:
        return self.session.crm.get(User, self.record.id)

    def crumbs(self) -> Sequence[str]:
        return ["Accounts", self.card.name or self.card.email]

    def draw(self) -> None:
        account = self.card
        draw_pairs(
            self.session.screen,
            {
                "E-mail": account.email,
                "Phone": account.phone,
                "Role": account.role + ("" if account.active else ", deactivated"),
                "Seal": "broken: changed outside the program, cannot sign in" if account.changed_by_hand else "",
                "Second factor": NAMES.get(account.second_factor, account.second_factor),
                "Open sessions": account.sessions,
                "Keys": keys_of(account),
            },
        )

    def entries(self) -> Sequence[Choice]:
        session, account, user = self.session, self.card, self.record
        if account.changed_by_hand:
            return [Choice("Reactivate and choose a role", lambda: _vouch(session, user))]
        changes = [
            Choice(f"Change {label}", lambda name=name: _change(session, user, name))
            for name, label in (("name", "name"), ("email", "e-mail"), ("phone", "phone"), ("role", "role"))
        ]
        password = "New one-time password" if account.signing_in else "Enable sign-in with a one-time password"
        more = []
        if account.second_factor:
            more.append(Choice("Reset the second factor", self._calls("users reset-second-factor")))
        if account.sessions:
            more.append(Choice("Sign out everywhere", self._calls("users sign-out")))
            more.append(Choice("Open sessions", lambda: SessionsPage(session, user).show()))
        turn = ("Deactivate", "users deactivate") if account.active else ("Reactivate", "users activate")
        return [
            *changes,
            Choice(password, lambda: _show_password(session, session.call("users reset-password", user=user))),
            *more,
            Choice(turn[0], self._calls(turn[1])),
        ]

    def _calls(self, words: str) -> Callable[[], None]:
        """The action that calls a command about the account, or about several."""
        session, subject = self.session, named(words).required_subject
        user: Any = (self.record,) if subject.many else self.record
        return lambda: session.tell(session.call(words, **{subject.name: user}))


def _vouch(session: Session, user: User) -> None:
    role = session.prompts.ask(named("users vouch").parameters["role"])
    _show_password(session, session.call("users vouch", user=user, role=role))


def _change(session: Session, user: User, name: str) -> None:
    """Ask for a new value of one field."""
    parameter = named("users edit").parameters[name]
    session.page("Accounts", user.name or user.email)
    changes: dict[str, Any] = {name: session.prompts.ask(parameter, typed=str(getattr(user, name)))}
    if changes[name] is None:
        return
    if changes[name] == "client" and user.role != "client":
        changes["client"] = session.prompts.ask(named("users add").parameters["client"])
        if not isinstance(changes["client"], Client):
            return
    client = changes.get("client")
    if changes[name] == getattr(user, name) and (client is None or client.id == user.client):
        session.say(UNCHANGED)
        return
    session.tell(session.call("users edit", user=user, **changes))
