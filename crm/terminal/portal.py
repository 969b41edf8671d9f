"""What a client sees who has signed in: their own details and purchases."""

from rich.text import Text

from crm.commands.registry import named
from crm.errors import Cancelled, NotFoundError
from crm.model import Client
from crm.terminal.cards import draw_client
from crm.terminal.keyboard import Back, Choice, End
from crm.terminal.sales import SalesPage
from crm.terminal.session import Session


class _Purchases(SalesPage):
    """One's own purchases: there is nothing to narrow, and nothing to do with one."""

    title = "My purchases"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.columns = [each for each in self.columns if each.title != "Client"]

    def keys(self) -> list[Choice]:
        return []

    def open(self, row: object) -> None:
        raise Back


def portal(session: Session) -> int:
    """The main menu of a client, until 0 or Ctrl-D."""
    entries = [
        Choice("My purchases", lambda: _Purchases(session).show()),
        Choice("My account", lambda: session.start(named("profile show"))),
        Choice("Exit", None, "0"),
    ]
    while True:
        session.page()
        session.attempt(lambda: _draw_own(session))
        session.screen.print()
        try:
            chosen = session.choose("", entries, back="")
        except End:
            return 0
        except (Back, Cancelled):
            session.say("0 leaves the program.", "dim")
            continue
        if chosen is None:
            return 0
        session.attempt(chosen)


def _draw_own(session: Session) -> None:
    crm = session.crm
    try:
        with crm.read() as snapshot:
            own = snapshot.get(Client, crm.reader.client)
    except NotFoundError:
        session.screen.print(Text("Nothing is kept about you here.", "dim"))
        return
    draw_client(session.screen, own, crm.conventions)
