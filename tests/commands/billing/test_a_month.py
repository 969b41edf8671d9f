"""A month of a made-up company, played through the shell: every figure is what plain arithmetic makes of the inputs."""

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from crm.shell import run
from tests.commands.billing.test_billing_mail import MailedDesk
from tests.commands.billing.test_billing_mail import mailed as mailed

# The inputs: hours at a price, pieces at a price, a discount and the rates in percent, and what came in.
HOURS, HOURLY, PIECES, PRICE = Decimal("7.5"), Decimal("95.00"), Decimal(3), Decimal("24.90")
DISCOUNT, HIGH, LOW, PAID = Decimal(3), Decimal(19), Decimal(7), Decimal("300.00")


class Left:
    """A repository that stays open when a command line ends."""

    def __init__(self, repository: Any) -> None:
        self._repository = repository

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repository, name)

    def close(self) -> None:
        pass


def shell_of(desk: MailedDesk) -> Callable[..., Any]:
    """Run command lines on the store of a desk: the JSON that they answer, or their text with `json=False`."""
    crm = replace(desk.crm, repository=Left(desk.crm.repository))  # type: ignore[arg-type]

    def did(*words: str, as_json: bool = True) -> Any:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*words, *(["--json"] if as_json else [])], {"CRM_USER": "anna"}, lambda *_, **__: crm)
        assert code == 0, (words, err.getvalue())
        return json.loads(out.getvalue()) if as_json else out.getvalue() + err.getvalue()

    return did


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_a_month_in_the_shell_has_the_figures_of_plain_arithmetic(mailed: MailedDesk) -> None:
    did = shell_of(mailed)
    acme = mailed.acme.company
    did("services", "add", "Consulting", "--price", f"{HOURLY}", "--unit", "hour", "--tax-rate", f"{HIGH}")
    did("services", "add", "Handbook", "--price", f"{PRICE}", "--tax-rate", f"{LOW}")
    did("clients", "add", "--company", "Beta", "--address", "Weg 2", "--city", "Wien", "--country", "AT")
    lines = ("--line", f"{HOURS} h Consulting", "--line", f"{PIECES} x Handbook")
    draft = did("invoices", "add", acme, *lines, "--discount", f"{DISCOUNT}%")
    did("invoices", "add", "Beta", "--line", "2 h Consulting")

    # Hours and pieces, a discount shared over both rates, and the tax of each.
    high, low = cents(HOURS * HOURLY), cents(PIECES * PRICE)
    discount = cents((high + low) * DISCOUNT / 100)
    of_high = cents(high * DISCOUNT / 100)
    bases = {HIGH: high - of_high, LOW: low - (discount - of_high)}
    taxes = {rate: cents(base * rate / 100) for rate, base in bases.items()}
    net, tax = sum(bases.values()), sum(taxes.values())
    total = net + tax
    groups = {Decimal(group["rate"]): (Decimal(group["base"]), Decimal(group["tax"])) for group in draft["taxes"]}
    assert groups == {rate: (bases[rate], taxes[rate]) for rate in bases}
    assert [Decimal(draft[name]) for name in ("net", "tax", "total")] == [net, tax, total]
    assert (draft["state"], draft["number"], draft["open"]) == ("draft", "", "0.00")

    issued = did("invoices", "issue", f"{draft['id']}", "--on", "2026-11-02", "--due", "2026-11-12")
    number = issued["number"]
    assert (issued["state"], Decimal(issued["open"])) == ("overdue", total)
    paid = did("payments", "add", acme, f"{PAID}", "--on", "2026-11-10", "--reference", "bank 1")
    assert [(part["number"], Decimal(part["open"])) for part in paid["allocations"]] == [(number, total - PAID)]
    credited = bases[LOW] + taxes[LOW]
    note = did("invoices", "credit", number, "--line", "2", "--reason", "sent back", "--on", "2026-11-15")
    still = total - PAID - credited
    assert [Decimal(note[name]) for name in ("net", "tax", "total")] == [bases[LOW], taxes[LOW], credited]
    known = did("invoices", "show", number)
    figures = [Decimal(known[name]) for name in ("total", "paid", "credited", "open")]
    assert figures == [total, PAID, credited, still]

    (owed,) = did("unpaid", "list")
    assert [Decimal(owed[name]) for name in ("open", "overdue", "to_30")] == [still] * 3
    assert f"Total: €{still} open, €{still} overdue" in did("unpaid", "list", as_json=False)
    (reminding,) = did("reminders", "preview")
    assert (reminding["level"], Decimal(reminding["amounts"][0]["open"])) == (1, still)
    did("reminders", "run", "--yes")
    assert did("reminders", "preview") == []
    did("receipts", "send", f"{paid['id']}", "--yes")
    did("statements", "send", acme, "--since", "2026-11-01", "--yes")
    mails = [mail.get_body(("plain",)).get_content() for mail in mailed.mail.post.taken]  # type: ignore[union-attr]
    reminder, receipt, statement = mails
    assert f"€{still}" in reminder
    assert f"€{PAID}" in receipt
    for amount in (total, PAID, credited, still):
        assert f"€{amount}" in statement
    account = did("statements", "show", acme, "--since", "2026-11-01")["statement"]
    assert [Decimal(line["balance"]) for line in account["lines"]] == [total, total - PAID, still]
    assert Decimal(account["closing"]) == still

    by_rate = {row["tax"]: row for row in did("reports", "taxes", "--since", "2026-11-01")["rows"]}
    assert [Decimal(by_rate["19 %"][name]) for name in ("net", "amount")] == [bases[HIGH], taxes[HIGH]]
    assert [Decimal(by_rate["7 %"][name]) for name in ("net", "amount")] == [0, 0]
    (month,) = did("reports", "invoiced", "--since", "2026-11-01")["rows"]
    figures = [Decimal(month[name]) for name in ("invoiced", "paid", "credited", "refunded")]
    assert figures == [total, PAID, credited, 0]
    rows = did("reports", "bookkeeping", "--since", "2026-11-01")["rows"]
    assert sum(Decimal(row["amount"]) for row in rows if row["type"] != "payment") == total - credited
    assert [Decimal(row["amount"]) for row in rows if row["type"] == "payment"] == [PAID]
    client = did("clients", "show", acme)
    assert (Decimal(client["open_amount"]), Decimal(client["credit"])) == (still, 0)
    assert [Decimal(row["open"]) for row in client["billing"]["open"]] == [still]
    # It ends with 1 where anything is wrong.
    did("check")
