"""Legal requirements of an invoice: each missing part is named with the field where it belongs."""

import dataclasses
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from crm.invoicing.document import DocumentLine, InvoiceDocument
from crm.invoicing.requirements import missing
from crm.invoicing.totals import completed
from crm.model.iban import grouped_iban, is_iban
from tests.support.invoices import BUYER, SELLER, invoice


def fields(document: InvoiceDocument, format: str = "") -> set[str]:
    return {f"{lack.of}.{lack.field}" for lack in missing(document, format)}


def changed(document: InvoiceDocument, **changes: Any) -> InvoiceDocument:
    """The invoice with other fields: seller__name and buyer__name are those of the parties, line__name of its line."""
    for name in ("seller", "buyer"):
        of_party = {key.partition("__")[2]: changes.pop(key) for key in [*changes] if key.startswith(f"{name}__")}
        changes[name] = dataclasses.replace(getattr(document, name), **of_party)
    of_line = {key.partition("__")[2]: changes.pop(key) for key in [*changes] if key.startswith("line__")}
    lines = tuple(dataclasses.replace(line, **of_line) for line in document.lines)
    return completed(dataclasses.replace(document, **{"lines": lines, **changes}))


@pytest.mark.parametrize("format", ["", "factur-x", "xrechnung-cii", "xrechnung-ubl", "peppol"])
def test_nothing_is_missing_on_a_complete_invoice(format: str) -> None:
    assert missing(invoice(), format) == ()


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"seller__name": " "}, {"seller.name"}),
        ({"seller__street": ""}, {"seller.street"}),
        ({"seller__city": ""}, {"seller.city"}),
        ({"seller__country": "Germany"}, {"seller.country"}),
        ({"seller__vat_id": ""}, {"seller.vat_id"}),
        ({"seller__vat_id": "", "seller__tax_number": "12/345/67890"}, set()),
        ({"seller__vat_id": "123456789"}, {"seller.vat_id"}),
        ({"iban": "DE02120300000000202052"}, {"seller.iban"}),
        ({"iban": ""}, set()),
        ({"buyer__name": ""}, {"buyer.name"}),
        ({"buyer__street": "", "buyer__city": ""}, {"buyer.street", "buyer.city"}),
        ({"buyer__vat_id": ""}, set()),
        ({"lines": ()}, {"invoice.lines"}),
        ({"line__name": ""}, {"line.name"}),
        ({"line__rate": D(0)}, {"line.rate"}),
        ({"line__category": "X"}, {"line.category"}),
        ({"line__category": "E"}, {"line.rate", "invoice.exemption_reason"}),
        ({"line__category": "E", "line__rate": D(0)}, {"invoice.exemption_reason"}),
        ({"line__category": "E", "line__rate": D(0), "exemption_reason": "§ 19 UStG"}, set()),
        ({"line__category": "Z", "line__rate": D(0)}, set()),
        ({"line__category": "AE", "line__rate": D(0)}, set()),
        ({"line__category": "AE", "line__rate": D(0), "buyer__vat_id": ""}, {"buyer.vat_id"}),
        (
            {"line__category": "G", "line__rate": D(0), "seller__vat_id": "", "seller__tax_number": "1"},
            {"seller.vat_id"},
        ),
        ({"line__category": "K", "line__rate": D(0), "delivered_on": None}, {"invoice.delivered_on"}),
        ({"line__category": "O", "line__rate": D(0)}, {"seller.tax_number"}),
        ({"kind": "credit_note"}, {"invoice.corrects_number"}),
        ({"kind": "credit_note", "corrects_number": "RE-1"}, set()),
        ({"due_on": date(2026, 11, 1)}, {"invoice.due_on"}),
        ({"period_from": date(2026, 11, 2), "period_to": date(2026, 11, 1)}, {"invoice.period_to"}),
    ],
)
def test_missing_legal_requirements_are_named(changes: dict[str, Any], lacking: set[str]) -> None:
    assert fields(changed(invoice(), **changes)) == lacking


@pytest.mark.parametrize(("country", "sentence"), [("NZ", "your GST number or"), ("DE", "your VAT ID or")])
def test_the_tax_number_of_a_seller_has_its_national_name(country: str, sentence: str) -> None:
    (lack,) = missing(changed(invoice(), seller__country=country, seller__vat_id="", seller__tax_number=""))
    assert lack.sentence.startswith(sentence)


def test_a_country_whose_invoices_need_no_tax_number_asks_for_none() -> None:
    bare = changed(invoice(), seller__country="US", seller__vat_id="", seller__tax_number="")
    assert not missing(bare)
    assert "seller.vat_id" in fields(bare, "factur-x")


@pytest.mark.parametrize(
    ("format", "changes", "lacking"),
    [
        ("xrechnung-ubl", {"buyer_reference": ""}, {"invoice.buyer_reference"}),
        ("xrechnung-cii", {"seller__phone": "", "seller__contact": ""}, {"seller.phone", "seller.contact"}),
        ("xrechnung-cii", {"iban": ""}, {"seller.iban"}),
        ("xrechnung-cii", {"buyer__postcode": ""}, {"buyer.postcode"}),
        ("peppol", {"buyer_reference": ""}, {"invoice.buyer_reference"}),
        ("peppol", {"buyer_reference": "", "order_reference": "4711"}, set()),
        # The VAT id is an address too; in XRechnung it would have to be said.
        ("peppol", {"buyer__electronic_address": ""}, set()),
        ("xrechnung-ubl", {"buyer__electronic_address": ""}, {"buyer.electronic_address"}),
        ("peppol", {"buyer__electronic_address": "", "buyer__vat_id": ""}, {"buyer.electronic_address"}),
        ("peppol", {"buyer__electronic_scheme": "EM"}, set()),
        ("peppol", {"buyer__electronic_scheme": "EM", "buyer__vat_id": "SE123456789001"}, {"buyer.electronic_address"}),
        ("factur-x", {"buyer__electronic_address": "", "iban": ""}, set()),
        ("factur-x", {"due_on": None, "terms": ""}, {"invoice.due_on"}),
        ("factur-x", {"due_on": None, "terms": "", "paid": D("119.00")}, set()),
        ("factur-x", {"currency": "KWD"}, {"invoice.currency"}),
        ("peppol", {"seller__phone": "", "iban": ""}, set()),
        ("peppol", {"seller__phone": "", "iban": "", "buyer__country": "DE"}, {"seller.phone", "seller.iban"}),
        (
            "peppol",
            {"period_from": date(2026, 10, 1), "line__period_from": date(2026, 9, 30)},
            {"line.period_from"},
        ),
        ("xrechnung-ubl", {"period_to": date(2026, 10, 1), "line__period_to": date(2026, 10, 2)}, {"line.period_from"}),
    ],
)
def test_missing_requirements_of_a_format_are_named(format: str, changes: dict[str, Any], lacking: set[str]) -> None:
    assert fields(changed(invoice(), **changes), format) == lacking


def test_all_missing_parts_are_listed_with_the_seller_first() -> None:
    bare = dataclasses.replace(SELLER, name="", street="", vat_id="")
    lines = tuple(DocumentLine(position=number, name="", rate=D(19)) for number in (1, 2))
    lacks = missing(completed(InvoiceDocument(seller=bare, buyer=dataclasses.replace(BUYER, city=""), lines=lines)))
    assert [(lack.of, lack.field, lack.line) for lack in lacks] == [
        ("seller", "name", 0), ("seller", "street", 0), ("seller", "vat_id", 0), ("buyer", "city", 0),
        ("line", "name", 1), ("line", "name", 2),
    ]  # fmt: skip


def test_a_line_not_subject_to_tax_is_not_mixed_with_others() -> None:
    lines = tuple(
        DocumentLine(position=number, name="Fee", price=D(5), category=category)
        for number, category in enumerate("OZ", 1)
    )
    document = changed(invoice(), lines=lines, seller__registration="HRB 1")
    assert fields(document) == {"invoice.lines"}


@pytest.mark.parametrize(
    ("iban", "is_right"),
    [
        ("DE02 1203 0000 0000 2020 51", True),
        ("de02120300000000202051", True),
        ("GB82 WEST 1234 5698 7654 32", True),
        ("DE02120300000000202052", False),
        ("DE02", False),
        ("", False),
        ("DE0212030000000020205\u0661", False),
    ],
)
def test_ibans_are_checked(iban: str, is_right: bool) -> None:
    assert is_iban(iban) == is_right
    assert grouped_iban("de02120300000000202051") == "DE02 1203 0000 0000 2020 51"
