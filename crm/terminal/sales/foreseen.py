"""The client's new total and status, shown before a sale is saved."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from rich.text import Text

from crm.commands.sales.sales import SaleReport, foreseen_text, moved_text, recorded
from crm.errors import CRMError, SignedOutError
from crm.model import Client, Sale
from crm.repository import Transaction
from crm.terminal.drawing.screen import clean
from crm.terminal.toolkit.session import Session

_Preview = TypeVar("_Preview")


def foresee_sale(session: Session, client: int, amount: Decimal, on: date | None) -> None:
    """Draw what a new sale will bring."""
    sale = Sale(client=client, on=on or session.crm.today, amount=amount, user=session.crm.me)
    draw_foreseen(session, lambda tx: recorded(tx, sale))


def _foreseen(look_ahead: Callable[[], _Preview]) -> _Preview | None:
    """A preview; None where there is none, and doing it will say why."""
    try:
        return look_ahead()
    except SignedOutError:
        raise
    except CRMError:
        return None


def foreseen_line(session: Session, change: Callable[[Transaction], SaleReport]) -> str:
    """The preview of a change of a sale, in a line; '' where it is unknown."""
    report = _foreseen(lambda: session.crm.foresee(change))
    return foreseen_text(report, session.crm.conventions) if report else ""


def foreseen_move(session: Session, sale: Sale, to: Client) -> Sequence[str]:
    """The preview of moving a sale, a line for each of the two clients; nothing where it cannot be told."""
    return _foreseen(lambda: moved_text(session.crm, sale, to)) or ()


def draw_foreseen(session: Session, change: Callable[[Transaction], SaleReport]) -> None:
    """Draw what a change of a sale will bring, in bold where the status changes; nothing where it cannot be told."""
    report = _foreseen(lambda: session.crm.foresee(change))
    if report is None:
        return
    moves = report.status.before != report.status.after
    sentence = clean(foreseen_text(report, session.crm.conventions))
    session.screen.print(Text(sentence, "bold" if moves else "muted"))
