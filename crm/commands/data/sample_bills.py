"""The bills of the made-up company of the sample data: services, invoices in every state, and payments."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from crm.commands.billing.issuing import issued_of
from crm.commands.context import CRM
from crm.model import Allocation, Client, Invoice, InvoiceLine, Payment, Service
from crm.model.money import decimals_of, rounded
from crm.model.units import PIECE
from crm.repository import Transaction

# What the company says of itself on its invoices.
SELLER: Mapping[str, str] = {
    "company_address": "Joiners' Lane 7", "company_postcode": "1010", "company_city": "Vienna",
    "company_email": "office@example.com", "company_phone": "", "vat_id": "", "tax_number": "12 345/6789",
    "iban": "AT611904300234573201", "bic": "", "tax_rate": "20",
}  # fmt: skip
_RATE = Decimal("20.00")
_SERVICES = (
    ("Restoration", "HUR", "68.00", "once"), ("Delivery", "KMT", "1.15", "once"),
    ("Assembly", "HUR", "52.00", "once"), ("Care plan", "MON", "19.90", "monthly"),
)  # fmt: skip
# Of each invoice: how many days ago it was issued (None: a draft), the days to pay, what part of it is paid, and its
# lines: what, how much of it, and the price of one.
_INVOICES = (
    (75, 14, "1", (("Restoration of a bureau", "12", "68.00"),)),
    (48, 14, "0", (("Oak table", "1", "1450.00"), ("Delivery", "84", "1.15"))),
    (31, 14, "0.5", (("Walnut chairs", "6", "215.00"),)),
    (20, 14, "0", (("Linen cupboard", "1", "980.00"), ("Assembly", "3", "52.00"))),
    (9, 14, "1", (("Writing desk", "1", "740.00"),)),
    (4, 30, "0", (("Shop counter", "1", "3200.00"), ("Assembly", "8", "52.00"))),
    (None, 0, "0", (("Bookcase", "2", "610.00"),)),
)


def add_bills(crm: CRM, tx: Transaction, clients: Sequence[Client], today: date) -> None:
    """Add services, invoices and payments for some of the clients, the latest of today."""
    units = {name: unit for name, unit, *_ in _SERVICES}
    services = [
        Service(
            name=name, unit=unit, price=Decimal(price), tax_category="S", tax_rate=_RATE, period=period, active=True
        )
        for name, unit, price, period in _SERVICES
    ]
    tx.add_all(services)
    for number, (buyer, (days, term, paid, lines)) in enumerate(zip(clients, _INVOICES, strict=False), start=1):
        client = tx.change(buyer, address=f"Main Street {number}", postcode=f"10{number}0")
        invoice = tx.add(
            Invoice(client=client.id, kind="invoice", state="draft", currency=crm.settings["currency"], user=crm.me)
        )
        bill = [
            InvoiceLine(
                invoice=invoice.id,
                position=position,
                name=name,
                quantity=Decimal(quantity),
                unit=units.get(name.partition(" ")[0], PIECE),
                price=Decimal(price),
                basis=Decimal(1),
                tax_category="S",
                tax_rate=_RATE,
            )
            for position, (name, quantity, price) in enumerate(lines, start=1)
        ]
        tx.add_all(bill)
        if days is not None:
            on = today - timedelta(days=days)
            issued = issued_of(crm, tx, invoice, on, on + timedelta(days=term)).invoice
            tx.settle()
            _pay(tx, tx.get(Invoice, issued.id), Decimal(paid), today, crm.me)


def _pay(tx: Transaction, invoice: Invoice, part: Decimal, today: date, me: str) -> None:
    """A payment of a part of an invoice, a week after it was issued."""
    amount = rounded(invoice.total * part, decimals_of(invoice.currency))
    if not amount or invoice.issued_on is None:
        return
    payment = tx.add(
        Payment(
            client=invoice.client,
            kind="payment",
            on=min(today, invoice.issued_on + timedelta(days=7)),
            amount=amount,
            currency=invoice.currency,
            method="bank transfer",
            reference=invoice.number,
            user=me,
        )
    )
    tx.add(Allocation(payment=payment.id, invoice=invoice.id, amount=amount))
    tx.settle()
