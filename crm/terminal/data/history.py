"""The history at the menu: listed and narrowed, one transaction opened, written to a file, taken back."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.data.demo import made_sample
from crm.commands.data.history import TransactionShown, can_be_undone, undo_preview, undo_title_of
from crm.commands.registry import named
from crm.model import Client
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.data.rendering import HISTORY_WITHOUT_NUMBERS, draw_transaction
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session

# A page shows no more than fits.
_RECORDS = 30
# What names a change above its page.
_NAME = 50
# A change of one record, such as a sale with the totals and the status of its client, touches no more.
_FEW = 5


class HistoryPage(ListPage):
    """The history, newest first: all of it, or what touches a client."""

    title = "History"
    purpose = "Every change appears here, with who made it and when. You can undo it here."
    columns = HISTORY_WITHOUT_NUMBERS
    command = "history list"
    sorts: Mapping[str, str] = {"When": "at", "Who": "user", "What": "what"}
    filter_by: Mapping[str, str] = {
        "client": "Client",
        "about": "Type of record",
        "by": "Done by",
        "since": "From date",
        "until": "To date",
        "text": "Text",
        "only": "Undone or not",
    }

    def open(self, row: Any) -> None:
        transaction_page(self.session, row.id)

    def filter_text(self, name: str, value: Any) -> str:
        text = super().filter_text(name, value)
        return text.removeprefix(f"{name} ") if name in ("about", "only") else text

    def keys(self) -> Sequence[Choice]:
        return [self.filter_key(), letters.EXPORT(lambda: export(self.session, **self.filters))]


def transaction_page(session: Session, number: int) -> None:
    """One transaction, and taking it back. Raises Back."""
    report: TransactionShown = session.call("history show", transaction=number, limit=_RECORDS)

    def above() -> None:
        # Below stand the two entries and the hint.
        draw_transaction(session.screen, report, session.crm.conventions, session.screen.left - 5)
        session.screen.print()

    done_for_good = report.entry.undone_by is not None or made_sample(session.crm, number)
    entry = report.entry
    stays = not (done_for_good or entry.is_undo or can_be_undone(session.crm, number))
    word = letters.REDO.word if entry.is_undo else letters.UNDO.word

    def undo() -> None:
        if done_for_good:
            session.say(f"{entry.first_words} was undone already." if entry.undone_by else "Sample data stays.")
            raise Back
        if stays:
            # It is refused, with the reason.
            session.tell(session.call("history undo", transaction=number))
            return
        session.page(*session.place, word)
        question = "\n".join((f"{word}: {undo_title_of(session.crm, entry)}?", *undo_preview(session.crm, entry)))
        # What changed many records is not undone by Enter alone.
        session.confirm(question, f"{word} it", destructive=entry.changes > _FEW)
        session.tell(session.call("history undo", transaction=number))

    entries: list[Choice] = []
    keys: list[Choice] = []
    if session.offers(named("history undo")):
        entries = [] if done_for_good or stays else [Choice(f"{word} this", undo, instant=True)]
        keys = [letters.UNDO(undo, "this" if not entry.is_undo else "")]
    session.menu(
        ["History", session.screen.fit(entry.first_words, _NAME)], lambda: entries, above=above, keys=keys, once=True
    )


@flow("history list")
@flow("history undo")
def history(session: Session, client: Client | None = None, **_: Any) -> None:
    """The history as a list, of one client where it is named, from which one is taken back; the last change is
    first."""
    HistoryPage(session, client=client).show()


@flow("history show")
def show(session: Session, transaction: int | None = None, **_: Any) -> None:
    """One transaction, by its number."""
    transaction_page(session, transaction or session.prompts.ask(named("history show").parameters["transaction"]))


@flow("history export")
def export(session: Session, **filters: Any) -> None:
    """The history, or what of it is listed, in a file."""
    command = named("history export")
    session.page("History", command.title)
    file = session.prompts.ask(command.parameters["file"])
    session.tell(session.prompts.run(command, {"file": file, **filters}))
