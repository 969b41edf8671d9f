"""Made-up invoices of many kinds, for tests that write, check and print them."""

import dataclasses
from collections.abc import Mapping
from datetime import date
from decimal import Decimal as D
from typing import Any

from crm.invoicing.document import CREDIT_NOTE, Adjustment, DocumentLine, InvoiceDocument, Party
from crm.invoicing.totals import completed

SELLER = Party(
    name="Beispiel & Söhne GmbH",
    street="Lindenstraße 5",
    postcode="10969",
    city="Berlin",
    country="DE",
    vat_id="DE123456789",
    contact="Anna Beispiel",
    phone="+49 30 1234567",
    email="billing@example.com",
    electronic_address="DE123456789",
    electronic_scheme="9930",
)
BUYER = Party(
    name="Acme <Ltd>",
    street="Rue de la Paix 1",
    postcode="75002",
    city="Paris",
    country="FR",
    vat_id="FR12345678901",
    email="invoices@example.org",
    electronic_address="FR12345678901",
    electronic_scheme="9957",
)
CONSULTING = DocumentLine(position=1, name="Consulting", price=D("100"), rate=D(19), unit="HUR")


def invoice(*lines: DocumentLine, adjustments: tuple[Adjustment, ...] = (), **changes: Any) -> InvoiceDocument:
    """An invoice of which nothing is missing for any format; without lines it has one over 100.00 and 19 %."""
    numbered = tuple(
        dataclasses.replace(line, position=number) for number, line in enumerate(lines or (CONSULTING,), 1)
    )
    fields: dict[str, Any] = {
        "number": "RE-2026-0007",
        "issued_on": date(2026, 11, 20),
        "due_on": date(2026, 12, 4),
        "delivered_on": date(2026, 11, 18),
        "seller": SELLER,
        "buyer": BUYER,
        "buyer_reference": "04011000-12345-67",
        "iban": "DE02120300000000202051",
        "bic": "BYLADEM1001",
        "state": "sent",
        **changes,
    }
    return completed(InvoiceDocument(lines=numbered, **fields), adjustments)


def line(name: str, price: str, rate: str = "19", category: str = "S", **changes: Any) -> DocumentLine:
    return DocumentLine(position=0, name=name, price=D(price), rate=D(rate), category=category, **changes)


def kinds_of_invoices() -> Mapping[str, InvoiceDocument]:
    """Invoices of many kinds, by what is special about them."""
    return {
        "plain": invoice(),
        "mixed rates, discounts, part paid": invoice(
            line("Consulting", "97.50", quantity=D("3.25"), unit="HUR", description="On site,\nin Berlin"),
            line("Books", "12.99", "7", quantity=D(4), discounts=(D("5.00"),), charges=(D("1.50"),), item_number="B-7"),
            line("Screws", "1.2345", quantity=D(1000), basis=D(100)),
            adjustments=(Adjustment(percent=D(10), reason="Loyalty"), Adjustment(is_charge=True, amount=D("4.90"))),
            paid=D("100.00"),
            order_reference="PO-4711",
            notes="Thank you & <see> you \u202esoon",
        ),
        "credit note": invoice(
            kind=CREDIT_NOTE, number="GS-2026-0001", corrects_number="RE-2026-0006", corrects_date=date(2026, 11, 2)
        ),
        "reverse charge": invoice(line("Consulting", "1000", "0", "AE")),
        "exempt": invoice(line("Course", "250", "0", "E"), exemption_reason="§ 4 Nr. 21 UStG"),
        "export": invoice(
            line("Machine", "9999.99", "0", "G"),
            buyer=dataclasses.replace(
                BUYER, country="CH", vat_id="", electronic_address="CHE123456788", electronic_scheme="9927"
            ),
        ),
        "intra-Community": invoice(line("Machine", "500", "0", "K", quantity=D(3))),
        "negative line": invoice(line("Table", "80", quantity=D(2)), line("Return", "-30"), line("Rest", "5")),
        "overpaid": invoice(paid=D("150.00"), state="paid"),
        "zero rate": invoice(line("Book", "20", "0", "Z")),
        "Canary Islands": invoice(line("Fruit", "20", "7", "L"), line("Book", "5", "0", "Z")),
        "Ceuta": invoice(line("Fruit", "20", "4", "M")),
        "several discounts on a line, a long price": invoice(
            line("Power", "6123.2374", quantity=D(616290), basis=D(100000), unit="KWH"),
            line("Table", "80", quantity=D(2), discounts=(D("5.00"), D("2.50")), charges=(D(1), D(1))),
        ),
        "not subject": invoice(
            line("Fee", "20", "0", "O"), seller=dataclasses.replace(SELLER, registration="HRB 12345 B")
        ),
        "small business": invoice(
            line("Design", "300", "0", "E"),
            seller=dataclasses.replace(SELLER, vat_id="", tax_number="12/345/67890"),
            exemption_reason="§ 19 UStG",
        ),
        "gross prices": invoice(
            line("Mug", "10.04", quantity=D(3), discounts=(D("0.12"),)),
            line("Book", "1.96", "7", quantity=D(-1)),
            line("Card", "0.04", "7", quantity=D("2.5")),
            adjustments=(Adjustment(percent=D("3.5")), Adjustment(amount=D("1.00"))),
            prices_are_gross=True,
        ),
        "delivered elsewhere, a period": invoice(
            delivery=Party(name="Warehouse", street="Dock 1", postcode="20095", city="Hamburg", country="DE"),
            delivered_on=None,
            period_from=date(2026, 10, 1),
            period_to=date(2026, 10, 31),
            credited=D("19.00"),
            terms="2 % within 7 days",
        ),
        "yen": invoice(line("Tea", "33.4", "10", quantity=D(30)), currency="JPY"),
    }  # fmt: skip
