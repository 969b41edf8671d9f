"""Reminder levels as a team sets them: days, text, fee, interest and due date; and clients who get no reminders."""

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from crm.errors import FieldError, NotFoundError, Question, RefusedError
from crm.model import Message, Reminder, ReminderLevel
from crm.repository import Query
from tests.commands.billing.conftest import BillingDesk
from tests.commands.billing.test_billing_mail import MailedDesk, mailed
from tests.support.clocks import TODAY

__all__ = ["mailed"]


def text_of(desk: MailedDesk, number: int = -1) -> str:
    return str(desk.mail.post.taken[number].get_body(("plain",)).get_content())


def test_levels_are_those_of_the_program_until_one_is_set(mailed: MailedDesk) -> None:
    assert [(level.number, level.days, level.term) for level in mailed("reminders levels list")] == [
        (1, 3, 7), (2, 14, 7), (3, 28, 7),
    ]  # fmt: skip
    mailed("reminders levels set", 2, fee=D(5), interest=D(9))
    mailed("reminders levels set", 4, days=60, term=3)
    levels = mailed("reminders levels list")
    assert [(level.number, level.days, level.fee, level.interest, level.term) for level in levels] == [
        (1, 3, D(0), D(0), 7), (2, 14, D(5), D(9), 7), (3, 28, D(0), D(0), 7), (4, 60, D(0), D(0), 3),
    ]  # fmt: skip
    assert len(mailed("reminders levels remove", 4)) == 3


@pytest.mark.parametrize(
    ("level", "values", "error", "reason"),
    [
        (5, {"days": 90}, NotFoundError, "The next new one is 4"),
        (4, {"fee": D(1)}, FieldError, "after how many days"),
        (2, {"days": 28}, FieldError, "level 3 has to come later than level 2"),
        (2, {"days": 3}, FieldError, "level 2 has to come later than level 1"),
        (1, {}, FieldError, "name at least one field"),
    ],
)
def test_a_level_that_cannot_be_is_refused(
    mailed: MailedDesk, level: int, values: dict[str, object], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        mailed("reminders levels set", level, **values)
    with pytest.raises(RefusedError, match="Only the last level"):
        mailed("reminders levels remove", 1)
    assert [level.id for level in mailed("reminders levels list")] == [0, 0, 0]


def transaction(desk: BillingDesk) -> int:
    """The number of the last transaction."""
    with desk.crm.read() as snapshot:
        return snapshot.history(limit=1)[0].id


def test_undo_leaves_no_gap_between_levels_and_no_level_out_of_order(desk: BillingDesk) -> None:
    desk("reminders levels set", 1, fee=D(1))
    first = transaction(desk)
    desk("reminders levels set", 4, days=60)
    desk("reminders levels set", 2, days=20)
    moved = transaction(desk)
    desk("reminders levels set", 1, days=15)
    with pytest.raises(RefusedError, match="level 2 has to come later than level 1: 15 and 14"):
        desk("history undo", moved)
    for _ in range(2):
        desk("history undo")
    with pytest.raises(RefusedError, match="level 1 is missing"):
        desk("history undo", first)
    assert [(level.number, level.days) for level in desk("reminders levels list")] == [
        (1, 3),
        (2, 14),
        (3, 28),
        (4, 60),
    ]
    assert desk.sound()


def test_levels_with_a_gap_are_found_by_the_check_and_mended_from_the_lowest(desk: BillingDesk) -> None:
    def leave_a_gap(tx: Any) -> None:
        """As a row that was deleted by hand in the spreadsheet does, or a backup with one."""
        tx.is_restoring = True
        for number, days in ((2, 14), (4, 28)):
            tx.add(ReminderLevel(number=number, days=days, term=7))

    desk.store.change(leave_a_gap)
    assert [wrong for wrong in desk.store.wrong() if "reminders are wrong" in wrong] == [
        "The levels of reminders are wrong: level 1 is missing.",
        "The levels of reminders are wrong: level 3 is missing.",
    ]  # fmt: skip
    with pytest.raises(RefusedError, match="Only the last level can be removed: 4"):
        desk("reminders levels remove", 2)
    desk("reminders levels set", 2, fee=D(2))
    with pytest.raises(NotFoundError, match="The next new one is 1"):
        desk("reminders levels set", 3, days=20)
    desk("reminders levels set", 1, days=5)
    assert [level.number for level in desk("reminders levels remove", 4)] == [1, 2]
    assert desk.sound()


def test_fee_and_interest_are_only_on_the_reminder_and_below_the_statement(mailed: MailedDesk) -> None:
    mailed("reminders levels set", 1, fee=D("4.50"), interest=D("7.3"), term=10, subject="Please pay, {name}",
           text="Hello {name},\n\n**this** is open:")  # fmt: skip
    first, second = mailed.late(20), mailed.late(10, "Other 50 19%")
    (due,) = mailed("reminders preview")
    # 119.00 x 7.3 % x 20 / 365 and 59.50 x 7.3 % x 10 / 365; the fee once.
    (asked,) = due.asked
    assert (asked.fee, asked.interest, asked.open) == (D("4.50"), D("0.48") + D("0.12"), D("178.50"))
    with pytest.raises(Question, match=r"of €178\.50, with fees of €4\.50 and interest of €0\.60"):
        mailed("reminders run")
    mailed("reminders run", yes=True)
    text = text_of(mailed)
    assert mailed.subjects() == ["Please pay, Acme {x}"]
    assert text.startswith("Hello Acme {x},")
    assert "fee €4.50, interest €0.48" in text
    assert "Total: €183.60." in text
    assert mailed.crm.conventions.day(TODAY + timedelta(days=10)) in text
    with mailed.crm.read() as snapshot:
        kept = {reminder.invoice: reminder for reminder in snapshot.find_all(Reminder, Query())}
    assert [(kept[invoice.id].fee, kept[invoice.id].interest) for invoice in (first, second)] == [
        (D("4.50"), D("0.48")), (D("0.00"), D("0.12")),
    ]  # fmt: skip
    assert [mailed.invoice(invoice).open for invoice in (first, second)] == [D("119.00"), D("59.50")]
    account = mailed("statements show", mailed.acme)
    assert (account.statement.closing, account.fees, account.interest) == (D("178.50"), D("4.50"), D("0.60"))
    mailed("statements send", mailed.acme, yes=True)
    assert "also asked for fees of €4.50 and interest of €0.60" in text_of(mailed)
    mailed("payments add", mailed.acme, D("178.50"))
    assert mailed("statements show", mailed.acme).fees == 0


def test_a_statement_says_what_the_last_reminder_up_to_its_end_asked_for(mailed: MailedDesk) -> None:
    mailed("reminders levels set", 1, fee=D(10))
    earlier, later, third = (mailed.late(days, "Late 100 19%") for days in (30, 10, 9))

    def write(tx: Any) -> Any:
        return tx.add_all([Message(client=mailed.acme.id, direction="out", on=TODAY) for _ in range(2)])

    first, second = mailed.crm.transact(write, "wrote")
    for invoice, days, message, fee in (
        (earlier, 19, first, 5), (later, 1, second, 10), (third, 1, second, 0),
    ):  # fmt: skip
        on = TODAY - timedelta(days=days)

        def remind(tx: Any, invoice: Any = invoice, on: Any = on, message: int = message, fee: int = fee) -> None:
            tx.add(Reminder(invoice=invoice.id, level=1, on=on, fee=D(fee), message=message, user="anna"))
            tx.change(tx.get(type(invoice), invoice.id), reminded=1, reminded_on=on)

        mailed.crm.transact(remind, "reminded")
    assert mailed("statements show", mailed.acme).fees == 10
    assert mailed("statements show", mailed.acme, until=TODAY - timedelta(days=5)).fees == 5
    assert mailed("statements show", mailed.acme, until=TODAY - timedelta(days=25)).fees == 0
    mailed("payments add", mailed.acme, D(119), invoice=[later])
    assert mailed("statements show", mailed.acme).fees == 10


def test_a_client_without_reminders_gets_none(mailed: MailedDesk) -> None:
    mailed("clients edit", mailed.acme, {"no_reminders": True})
    mailed.late(20)
    (due,) = mailed("reminders preview")
    assert due.hindered == "gets no reminders, as set for this client"
    done = mailed("reminders run", yes=True)
    assert (done.reminded, done.left_out, done.exit_code, mailed.mail.post.taken) == ([], [], 0, [])
