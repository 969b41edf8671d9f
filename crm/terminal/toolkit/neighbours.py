"""From one client to the next, in the order of the list that it was opened from."""

from collections.abc import Callable, Sequence

from crm.model import Client
from crm.terminal.console.keyboard import Choice
from crm.terminal.toolkit.session import Session

# The clients of a list, by limit and offset.
Listed = Callable[[int, int], Sequence[Client]]


class Neighbours:
    """The client that is shown, and its place in a list that may change meanwhile; without a list it stands alone."""

    def __init__(self, session: Session, client: Client, listed: Listed | None = None, at: int = 0) -> None:
        self.session = session
        self.client = client
        self._listed = listed
        self._at = at

    def choices(self) -> list[Choice]:
        """The keys that lead on; their values are actions."""
        if self._listed is None:
            return []
        return [
            Choice("Next client", lambda: self.step(1), ">"),
            Choice("Previous client", lambda: self.step(-1), "<"),
        ]

    def step(self, by: int) -> None:
        """Goes on to the next client (1) or back to the one before (-1); says so where there is none."""
        if self._listed is None:
            return
        first = max(0, self._at - 1)
        around = [each.id for each in self._listed(3, first)]
        # Where it has left the list, the one after it has moved up.
        stays = self.client.id in around
        wanted = first + around.index(self.client.id) + by if stays else self._at + min(by, 0)
        found = self._listed(1, wanted) if wanted >= 0 else []
        if found:
            self._at, self.client = wanted, found[0]
        else:
            self.session.say(f"This is the {'last' if by > 0 else 'first'} client of the list.", "dim")
