"""One's own account at the menu."""

from collections.abc import Sequence
from typing import Any

from crm.commands.registry import named
from crm.commands.team.profile import Profile
from crm.errors import SignedOutError
from crm.model import SignIn, User
from crm.terminal.console.keyboard import Choice
from crm.terminal.team.rendering import SESSIONS
from crm.terminal.team.second_factor import change, prove
from crm.terminal.team.signing_in import new_password
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.record_page import RecordPage
from crm.terminal.toolkit.session import Session


class SessionsPage(ListPage):
    """One's own open sessions, of which others than this one can be ended."""

    title = "My sessions"
    plural = "other sessions"
    purpose = "Other devices on which you are signed in appear here. You can sign them out."
    columns = SESSIONS
    command = "profile sessions"

    def keys(self) -> Sequence[Choice]:
        return [letters.END(self._end_others, "all others")]

    def open(self, row: Any) -> None:
        session = self.session
        if row.here:
            session.say("This is your current session. To end it, choose Sign out under My account.")
            return
        session.page("My sessions", row.device or row.address)
        session.confirm("", "End this session", destructive=True)
        session.call("profile end-session", session=session.crm.get(SignIn, row.id))
        session.say("Session ended.", "success")

    def _end_others(self) -> None:
        self.session.call("profile sign-out-everywhere")
        self.session.say("All other sessions ended.", "success")


class ProfilePage(RecordPage[User, Profile]):
    """One's own account, and everything that can be changed about it."""

    def read(self) -> Profile:
        profile: Profile = named("profile show")(self.session.crm)
        return profile

    def current(self) -> User:
        return self.record

    def crumbs(self) -> Sequence[str]:
        return ["My account"]

    def entries(self) -> Sequence[Choice]:
        session = self.session
        return [
            Choice("Change my name", lambda: _edit(session, "name")),
            Choice("Change my phone", lambda: _edit(session, "phone", password=prove(session, "My account"))),
            Choice("Change my password", lambda: new_password(session)),
            Choice("Second factor", lambda: change(session)),
            Choice("My sessions", lambda: SessionsPage(session).show()),
            Choice("Sign out", lambda: _sign_out(session)),
        ]


@flow("profile show")
@flow("profile edit")
@flow("profile password")
@flow("profile sessions")
@flow("profile end-session")
@flow("profile sign-out-everywhere")
def profile(session: Session, **_: Any) -> None:
    """The page of the user's own account."""
    ProfilePage(session, User(id=session.crm.accounts.me)).show()


def _sign_out(session: Session) -> None:
    """End this session, and lead to the sign-in."""
    accounts = session.crm.accounts
    accounts.end(accounts.session)
    raise SignedOutError(asked=True)


def _edit(session: Session, name: str, **more: Any) -> None:
    me: Profile = named("profile show")(session.crm)
    session.page("My account")
    value = session.prompts.ask(named("profile edit").parameters[name], typed=getattr(me, name))
    session.done("Saved.", changed=session.call("profile edit", **{name: value or ""}, **more) != me)
