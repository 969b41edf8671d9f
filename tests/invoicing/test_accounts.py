"""Numbers, states, payments, credits, reminders and statements: tables of cases first, then properties."""

import dataclasses
import itertools
from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import CRMError, FieldError, RefusedError
from crm.invoicing import numbering
from crm.invoicing.credits import credit_of_amount, credit_of_lines, credited_by_group, line_totals
from crm.invoicing.document import CREDIT_NOTE, Adjustment, DocumentLine, InvoiceDocument, Party
from crm.invoicing.dunning import LEVELS, Level, Overdue, days_overdue, due_reminder, interest_on
from crm.invoicing.payments import OpenInvoice, allocate
from crm.invoicing.state import STATES, state_of
from crm.invoicing.statement import ENTRY_KINDS, Entry, statement
from crm.invoicing.totals import completed

TODAY = date(2027, 3, 31)


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "exactly once"),
        ("RE-{year}", "exactly once"),
        ("{number}{number}", "exactly once"),
        ("{number}-{number:04}", "exactly once"),
        ("RE-{jahr}-{number}", "{jahr} is not known"),
        ("{number.__class__}", "is not known"),
        ("{number:04d}", "is not known"),
        ("RE-{number", "not closed"),
        ("RE-number}", "not closed"),
        ("RE-{{number}}", "not closed"),
        ("=HYPERLINK({number})", "letters from A to Z"),
        ("RE-\u202e{number}", "letters from A to Z"),
        ("RÉ-{number}", "letters from A to Z"),
        ("RE2{number}", "digit right beside"),
        ("{number}2", "digit right beside"),
        ("{year}{number}", "between them"),
        ("{year}-{yy}-{number}", "once at most"),
        ("X" * 50 + "{number}", "at most 40"),
    ],
)
def test_a_pattern_without_unique_numbers_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(FieldError, match=reason):
        numbering.check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "year", "number", "text"),
    [
        ("RE-{year}-{number:04}", 2026, 7, "RE-2026-0007"),
        ("RE-{year}-{number:04}", 2026, 12345, "RE-2026-12345"),
        ("{number}", 2026, 7, "7"),
        ("{yy}/{number:3}", 2026, 7, "26/007"),
        ("{number:06}/{year}", 2031, 1, "000001/2031"),
    ],
)
def test_a_number_is_written_and_read_by_its_pattern(pattern: str, year: int, number: int, text: str) -> None:
    assert numbering.check_pattern(f" {pattern} ") == pattern
    assert numbering.render(pattern, year, number) == text
    assert numbering.read_number(pattern, text) == (year if numbering.is_yearly(pattern) else 0, number)
    assert numbering.read_number(pattern, f"{text}x") is None


def test_numbers_run_without_gap_and_begin_again_with_the_year() -> None:
    pattern, year, last = "RE-{year}-{number:02}", 0, 0
    texts = []
    for day in (date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 1)):
        year, last, text = numbering.next_number(pattern, day, year=year, last=last)
        texts.append(text)
    assert texts == ["RE-2026-01", "RE-2026-02", "RE-2027-01", "RE-2027-02"]
    with pytest.raises(RefusedError, match="already in 2027"):
        numbering.next_number(pattern, date(2026, 12, 31), year=year, last=last)
    assert numbering.next_number("{number}", date(2026, 12, 31), year=2027, last=9)[1:] == (10, "10")
    assert numbering.read_number("RE-{number:04}", "RE-07") is None


@pytest.mark.parametrize(
    ("total", "paid", "credited", "due", "state"),
    [
        ("100", "0", "0", 0, "sent"),
        ("100", "0", "0", 1, "overdue"),
        ("100", "0", "0", None, "sent"),
        ("100", "40", "0", 0, "part paid"),
        ("100", "40", "0", 1, "overdue"),
        ("100", "100", "0", 9, "paid"),
        ("100", "120", "0", 9, "paid"),
        ("100", "60", "40", 9, "paid"),
        ("100", "0", "40", 0, "sent"),
        ("100", "0", "100", 9, "cancelled"),
        ("100", "100", "100", 9, "credited"),
        ("0", "0", "0", 9, "paid"),
        ("-20", "0", "0", 9, "paid"),
    ],
)
def test_the_state_of_an_invoice_follows_its_dates_and_payments(
    total: str, paid: str, credited: str, due: int | None, state: str
) -> None:
    due_on = None if due is None else days_ago(due)
    amounts = {"total": D(total), "paid": D(paid), "credited": D(credited), "due_on": due_on, "today": TODAY}
    assert state_of(is_issued=True, **amounts) == state  # type: ignore[arg-type]
    assert state in STATES
    assert state_of(is_issued=False, **amounts) == "draft"  # type: ignore[arg-type]
    assert state_of(is_issued=True, kind=CREDIT_NOTE, **amounts) == "credited"  # type: ignore[arg-type]


def opened(*amounts: str) -> list[OpenInvoice]:
    """Invoices 1, 2, … of which the first is due last."""
    return [
        OpenInvoice(id=id, open=D(amount), issued_on=days_ago(60), due_on=days_ago(id))
        for id, amount in enumerate(amounts, 1)
    ]


@pytest.mark.parametrize(
    ("amount", "named", "amounts", "credit"),
    [
        ("50", None, {3: "30", 2: "20"}, "0"),
        ("70", None, {3: "30", 2: "20", 1: "10"}, "10"),
        ("5", [1], {1: "5"}, "0"),
        ("15", [1], {1: "10"}, "5"),
        ("25", [1, 3, 1], {1: "10", 3: "15"}, "0"),
        ("25", [9], {}, "25"),
        ("25", [], {}, "25"),
        ("0", None, {}, "0"),
    ],
)
def test_a_payment_pays_the_oldest_due_or_the_named_invoice(
    amount: str, named: list[int] | None, amounts: dict[int, str], credit: str
) -> None:
    allocated = allocate(D(amount), opened("10", "20", "30"), named)
    assert allocated.amounts == {id: D(part) for id, part in amounts.items()}
    assert allocated.credit == D(credit)


_cents = st.integers(1, 20_000).map(lambda cents: D(cents).scaleb(-2))


@given(st.lists(_cents, min_size=1, max_size=5), st.lists(_cents, min_size=1, max_size=4))
def test_payments_in_any_order_and_grouping_end_in_the_same_balances(invoices: list[D], payments: list[D]) -> None:
    def balances(parts: list[D]) -> tuple[dict[int, D], D]:
        left = opened(*map(str, invoices))
        credit = D(0)
        for part in parts:
            allocated = allocate(part, left)
            credit += allocated.credit
            left = [
                dataclasses.replace(invoice, open=invoice.open - allocated.amounts.get(invoice.id, D(0)))
                for invoice in left
            ]
        return {invoice.id: invoice.open for invoice in left}, credit

    at_once = balances([sum(payments, D(0))])
    assert all(balances(list(order)) == at_once for order in itertools.permutations(payments))


_LINES = st.lists(
    st.builds(
        DocumentLine,
        position=st.just(0),
        name=st.just("Work"),
        quantity=st.integers(1, 40_000).map(lambda number: D(number).scaleb(-3)),
        price=st.integers(1, 900_000).map(lambda number: D(number).scaleb(-4)),
        rate=st.sampled_from([D(19), D(7)]),
    ),
    min_size=1,
    max_size=5,
).map(lambda lines: tuple(dataclasses.replace(line, position=number) for number, line in enumerate(lines, 1)))


def invoice_of(lines: tuple[DocumentLine, ...], *adjustments: Adjustment, gross: bool = False) -> InvoiceDocument:
    parties = {"seller": Party(name="We"), "buyer": Party(name="They")}
    return completed(InvoiceDocument(lines=lines, prices_are_gross=gross, **parties), adjustments)


@given(_LINES, st.booleans(), st.permutations(range(1, 6)), st.integers(0, 30))
def test_credits_of_all_lines_one_by_one_make_the_invoice(
    lines: tuple[DocumentLine, ...], gross: bool, order: list[int], percent: int
) -> None:
    invoice = invoice_of(lines, Adjustment(percent=D(percent)), gross=gross)
    notes: list[InvoiceDocument] = []
    for position in order:
        if position <= len(lines):
            part = credit_of_lines(invoice, [position], credited_by_group(notes))
            notes.append(invoice_of(part, gross=True))
    assert sum(note.total for note in notes) == invoice.total


@given(_LINES, st.lists(st.integers(1, 100), min_size=1, max_size=4))
def test_credits_of_amounts_make_the_invoice_and_each_of_its_rates(
    lines: tuple[DocumentLine, ...], parts: list[int]
) -> None:
    invoice = invoice_of(lines)
    notes: list[InvoiceDocument] = []
    left = invoice.total
    for part in [*parts, None]:
        amount = left if part is None else round(left * part / 300, 2)
        if amount > 0:
            notes.append(
                invoice_of(credit_of_amount(invoice, amount, credited_by_group(notes), name="Credit"), gross=True)
            )
            assert notes[-1].total == amount
            left -= amount
    assert credited_by_group(notes) == {
        key: amount
        for group in invoice.taxes
        for key, amount in [((group.category, group.rate), group.base + group.tax)]
        if amount
    }


def test_a_credit_is_never_more_than_what_is_left() -> None:
    invoice = invoice_of((DocumentLine(position=1, name="Desk", quantity=D(3), price=D("33.33"), rate=D(19)),))
    assert line_totals(invoice) == (D("118.99"),)
    half = [invoice_of(credit_of_amount(invoice, D("60"), {}, name="Credit"), gross=True)]
    for refused in (
        lambda: credit_of_amount(invoice, D("59.00"), credited_by_group(half), name="Credit"),
        lambda: credit_of_lines(invoice, [1], credited_by_group(half)),
        lambda: credit_of_lines(invoice, [2], {}),
        lambda: credit_of_amount(invoice, D(0), {}, name="Credit"),
    ):
        with pytest.raises(CRMError):
            refused()


@pytest.mark.parametrize(
    ("overdue", "level"),
    [
        ({"due": 2}, 0),
        ({"due": 3}, 1),
        ({"due": 0}, 0),
        # Overdue for long and never reminded: the first level all the same, and one only.
        ({"due": 99}, 1),
        ({"due": 13, "reminded": 1, "reminded_on": 10}, 0),
        ({"due": 14, "reminded": 1, "reminded_on": 11}, 2),
        ({"due": 99, "reminded": 1, "reminded_on": 7}, 0),
        ({"due": 99, "reminded": 1, "reminded_on": 8}, 2),
        ({"due": 99, "reminded": 1, "reminded_on": 0}, 0),
        ({"due": 99, "reminded": 3, "reminded_on": 60}, 0),
        ({"due": 9, "paid_on": 0}, 0),
        ({"due": 9, "paid_on": 1}, 1),
        ({"due": 9, "promised": 0}, 0),
        ({"due": 9, "promised": 1}, 1),
        ({"due": 9, "not_before": 0}, 1),
        ({"due": 9, "not_before": -1}, 0),
        ({"due": 9, "open": 0}, 0),
        ({"due": None}, 0),
    ],
)
def test_the_due_reminder_level_follows_from_days_and_earlier_reminders(
    overdue: dict[str, int | None], level: int
) -> None:
    def day(name: str) -> date | None:
        days = overdue.get(name)
        return None if days is None else days_ago(days)

    known = Overdue(
        open=D(overdue.get("open", 100) or 0),
        due_on=day("due"),
        reminded=overdue.get("reminded") or 0,
        reminded_on=day("reminded_on"),
        last_paid_on=day("paid_on"),
        promised_on=day("promised"),
        not_before=day("not_before"),
    )
    reminder = due_reminder(known, LEVELS, TODAY)
    assert (reminder.level.number if reminder else 0) == level


def test_a_reminder_asks_for_fee_and_interest_by_a_new_day() -> None:
    level = Level(number=1, days=3, fee=D("5.00"), interest=D("9.12"), term=10)
    reminder = due_reminder(Overdue(open=D("1234.56"), due_on=days_ago(30)), [level], TODAY)
    assert reminder is not None
    # 1234.56 x 9.12 / 100 x 30 / 365 = 9.2541…
    assert (reminder.fee, reminder.interest, reminder.days_overdue) == (D("5.00"), D("9.25"), 30)
    assert reminder.new_due_on == date(2027, 4, 10)
    assert interest_on(D("100"), D("5"), -3) == 0
    assert due_reminder(Overdue(open=D(1), due_on=days_ago(30)), [], TODAY) is None


def test_nothing_is_overdue_on_the_day_it_is_due() -> None:
    assert [days_overdue(day, TODAY) for day in (None, days_ago(-1), TODAY, days_ago(1))] == [0, 0, 0, 1]


def test_a_statement_has_the_balance_after_each_entry() -> None:
    entries = [
        Entry(on=days_ago(10), kind="payment", reference="transfer", amount=D(30)),
        Entry(on=days_ago(10), kind="invoice", reference="RE-2", amount=D(50)),
        Entry(on=days_ago(40), kind="invoice", reference="RE-1", amount=D(100)),
        Entry(on=days_ago(5), kind="credit note", reference="GS-1", amount=D(20)),
        Entry(on=days_ago(2), kind="refund", reference="refund", amount=D(7)),
        Entry(on=days_ago(-1), kind="invoice", reference="RE-3", amount=D(999)),
    ]
    account = statement(entries, since=days_ago(30), until=TODAY)
    assert (account.opening, account.closing) == (100, 107)
    assert [(line.entry.reference, line.change, line.balance) for line in account.lines] == [
        ("RE-2", 50, 150), ("transfer", -30, 120), ("GS-1", -20, 100), ("refund", 7, 107),
    ]  # fmt: skip
    assert statement([], until=TODAY).closing == 0


@given(
    st.lists(
        st.builds(
            Entry,
            on=st.integers(0, 90).map(days_ago),
            kind=st.sampled_from(ENTRY_KINDS),
            reference=st.just(""),
            amount=_cents,
        )
    ),
    st.integers(0, 90),
)
def test_the_balance_of_a_statement_follows_from_the_previous_one(entries: list[Entry], days: int) -> None:
    since = days_ago(days)
    account = statement(entries, since=since, until=TODAY)
    before = statement(entries, until=since - timedelta(days=1))
    assert account.opening == before.closing
    assert account.closing == account.opening + sum(line.change for line in account.lines)
    assert statement(entries[::-1], since=since, until=TODAY).closing == account.closing


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("RE-{year}-{number:04}", "GS-{year}-{number:04}", False),
        ("RE-{year}-{number:04}", "re-{year}-{number}", True),
        ("RE-{number}", "RE-{year}-{number}", False),
        ("A-{yy}-{number}", "A-{number}-{year}", True),
        ("A-{yy}-{number}", "A-{number}-{year}-X", False),
        ("A-{number:04}", "A-{number:06}", True),
    ],
)
def test_two_patterns_clash_where_they_could_give_the_same_number(one: str, other: str, clash: bool) -> None:
    assert numbering.may_clash(one, other) == numbering.may_clash(other, one) == clash
