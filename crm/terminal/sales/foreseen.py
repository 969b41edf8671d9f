"""The client's new total and status, shown before a sale is saved."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from rich.text import Text

from crm.commands.sales.sales import SaleReport, foreseen, foreseen_text, recorded
from crm.errors import CRMError, SignedOutError
from crm.model import Sale
from crm.repository import Transaction
from crm.terminal.drawing.screen import clean
from crm.terminal.toolkit.session import Session


def foresee_sale(session: Session, client: int, amount: Decimal, on: date | None) -> None:
    """Draws what a new sale will bring."""
    sale = Sale(client=client, on=on or session.crm.today, amount=amount, user=session.crm.me)
    draw_foreseen(session, lambda tx: recorded(tx, sale))


def draw_foreseen(session: Session, change: Callable[[Transaction], SaleReport]) -> None:
    """Draws what a change of a sale will bring, in bold where the status changes; nothing where it cannot be told."""
    try:
        report = foreseen(session.crm, change)
    except SignedOutError:
        raise
    except CRMError:
        # Saving will say why.
        return
    moves = report.status.before != report.status.after
    sentence = clean(foreseen_text(report, session.crm.conventions))
    session.screen.print(Text(sentence, "bold" if moves else "muted"))
