"""The parser of e-invoices from others: files that are none, hostile files, and errors in a tax category."""

import dataclasses
import io
import re
import zlib
from decimal import Decimal as D

import pytest
from pypdf import PdfWriter

from crm.errors import FileError
from crm.outward.einvoice import FORMATS, check, write
from tests.support.invoices import BUYER, SELLER, invoice, line

_BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><x>&b;</x></Invoice>"""
_OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE i [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><ID>&x;</ID></Invoice>"""


def pdf_with(**attachments: bytes) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    for name, data in attachments.items():
        writer.add_attachment(name, data)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither XML nor a PDF"),
        (b"Invoice 1, 100 EUR", "neither XML nor a PDF"),
        (b"\x00\xff" * 50, "neither XML nor a PDF"),
        (b"<Invoice", "neither XML nor a PDF"),
        (b"PK\x03\x04", "neither XML nor a PDF"),
        (b"<html><body>Invoice</body></html>", "it begins with html"),
        (b"<Invoice/>", "it begins with Invoice"),
        (b"<Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'/>", "it begins with Order"),
        (_BOMB, "DOCTYPE"),
        (_OUTSIDE, "DOCTYPE"),
        (b"%PDF-1.7\n", "no e-invoice inside"),
        (pdf_with(), "no e-invoice inside"),
        (pdf_with(notes=b"<Invoice>"), "no e-invoice inside"),
        (b"%PDF-1.7\n1 0 obj\n<< /Length 9 >>\nstream\n" + zlib.compress(b"x" * 99), "no e-invoice inside"),
        (b"%PDF-1.7\ntrailer << /Encrypt 1 0 R >>", "encrypted"),
    ],
)
def test_a_file_without_an_e_invoice_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FileError, match=reason):
        check(data)


@pytest.mark.parametrize("format", FORMATS)
def test_an_invoice_is_read_from_xml_and_from_a_pdf(format: str) -> None:
    data = write(invoice(), format)
    for file in (data, b"\xef\xbb\xbf" + data, pdf_with(other=b"<a/>", invoice=data), data.decode().encode("utf-16")):
        file = file if file[:2] != b"\xff\xfe" else data.decode().replace("UTF-8", "UTF-16").encode("utf-16")
        checked = check(file)
        assert (checked.number, checked.seller, checked.buyer) == (
            "RE-2026-0007",
            "Beispiel & Söhne GmbH",
            "Acme <Ltd>",
        )
        assert (checked.issued_on, checked.currency, checked.total) == ("2026-11-20", "EUR", "119.00")
        assert checked.faults == ()


def test_each_format_is_called_by_its_name() -> None:
    assert [check(write(invoice(), format)).format for format in FORMATS] == [
        "Factur-X / ZUGFeRD (EN 16931), CII", "XRechnung 3, CII", "XRechnung 3, UBL", "Peppol BIS Billing 3, UBL",
    ]  # fmt: skip
    other = write(invoice(), "peppol").replace(b"urn:fdc:peppol.eu:2017:poacc:billing:3.0", b"urn:somebody")
    assert check(other).format == "UBL that follows no known rules"


def test_text_of_an_e_invoice_is_shown_as_plain_text() -> None:
    data = write(invoice(number="RE\u202e1", seller=dataclasses.replace(SELLER, name="A" * 5000)), "peppol")
    checked = check(data.replace(b"Acme", "&#x9b;31m\u202e[bold]Acme".encode()))
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", checked.number + checked.buyer)
    assert len(checked.seller) < 300


@pytest.mark.parametrize("format", ["factur-x", "xrechnung-ubl"])
@pytest.mark.parametrize(
    ("category", "remove", "rules"),
    [
        ("AE", ("buyer",), {"BR-AE-02"}),
        ("AE", ("seller",), {"BR-AE-02", "BR-CO-26"}),
        ("K", ("buyer",), {"BR-IC-02"}),
        ("K", ("delivery",), {"BR-IC-12"}),
        ("K", ("day",), {"BR-IC-11"}),
        ("G", ("seller",), {"BR-G-02", "BR-CO-26"}),
        ("E", ("reason",), {"BR-E-10"}),
        ("AE", ("reason",), {"BR-AE-10"}),
        ("AE", ("rate",), {"BR-AE-05", "BR-AE-01", "BR-AE-08"}),
        ("S", ("rate 0",), {"BR-S-05", "BR-CO-17"}),
    ],
)
def test_missing_parts_of_a_tax_category_are_named(
    format: str, category: str, remove: tuple[str, ...], rules: set[str]
) -> None:
    document = invoice(line("Machine", "500", "19" if category == "S" else "0", category), exemption_reason="Because")
    parties = {"seller": SELLER, "buyer": BUYER}
    for name in {"seller", "buyer"} & {*remove}:
        document = dataclasses.replace(document, **{name: dataclasses.replace(parties[name], vat_id="")})
    if "day" in remove:
        document = dataclasses.replace(document, delivered_on=None)
    if "reason" in remove:
        document = dataclasses.replace(
            document, taxes=tuple(dataclasses.replace(tax, reason="") for tax in document.taxes)
        )
    if {"rate", "rate 0"} & {*remove}:
        rate = D(0) if "rate 0" in remove else D(19)
        document = dataclasses.replace(
            document, lines=tuple(dataclasses.replace(part, rate=rate) for part in document.lines)
        )
        if "rate 0" in remove:
            document = dataclasses.replace(
                document, taxes=tuple(dataclasses.replace(tax, rate=rate) for tax in document.taxes)
            )
    data = write(document, format).decode()
    if "reason" in remove:
        data = re.sub(r"<[a-z]+:(Tax)?ExemptionReasonCode>.*?</.*?>", "", data)
    if "delivery" in remove:
        data = re.sub(r"<ram:ShipToTradeParty>.*?</ram:ShipToTradeParty>", "", data, flags=re.DOTALL)
        data = re.sub(r"<cac:DeliveryLocation>.*?</cac:DeliveryLocation>", "", data, flags=re.DOTALL)
    found = {fault.rule for fault in check(data.encode()).faults}
    assert found == rules


@pytest.mark.parametrize(
    ("pattern", "text", "rule", "sentence"),
    [
        (r"(<cbc:PriceAmount[^>]*>)[^<]*", "-100", "BR-27", "Line 1: the price, -100, is below zero."),
        (r"(<cbc:PriceAmount[^>]*>)[^<]*", "1e5", "number", "Line 1: the price, 1e5, is not a number."),
        (r"(<cbc:PriceAmount[^>]*>)[^<]*", "٣", "number", "Line 1: the price, ٣, is not a number."),
        (r"(<cbc:IssueDate>)[^<]*", "2026-02-30", "BR-03", "The date of issue, 2026-02-30, is not a date."),
        (r"(<cac:PayeeFinancialAccount>\s*<cbc:ID>)[^<]*", "DE02120300000000202052", "IBAN",
         "The IBAN DE02120300000000202052 is mistyped: its check digits do not match."),
        (r"(<cac:TaxSubtotal>.*?<cbc:TaxAmount[^>]*>)[^<]*", "19.02", "BR-CO-17",
         "standard rate 19 %: 100.00 x 19 % is 19.00, not 19.02."),
        (r"(<cbc:TaxInclusiveAmount[^>]*>)[^<]*", "120.00", "BR-CO-15",
         "Net + tax come to 119.00, but the invoice says 120.00 as the total."),
        (r"(<cbc:InvoiceTypeCode>)[^<]*", "999", "BR-CL-01", "999 is not a kind of invoice."),
        (r"(unitCode=)\"HUR\"", '""', "BR-23", "Line 1 has no unit."),
        (r"(unitCode=)\"HUR\"", '"hours"', "BR-CL-23", "Line 1: hours is not the code of a unit."),
        (r"(unitCode=)\"HUR\"", '"hur"', "BR-CL-23", "Line 1: hur is not the code of a unit."),
        (r"(<cbc:PriceAmount[^>]*>[^<]*</cbc:PriceAmount>)", '<cbc:BaseQuantity unitCode="FOO">1</cbc:BaseQuantity>',
         "BR-CL-23", "Line 1: FOO is not the code of a unit."),
        (r"(<cbc:PaymentMeansCode>)[^<]*", "0", "BR-CL-16", "0 is not the code of a means of payment."),
        (r"(<cbc:PaymentMeansCode>)[^<]*", "", "BR-49", "A means of payment has no code."),
        (r"(<cbc:EndpointID schemeID=)\"[^\"]*\"", '"em"', "BR-CL-25",
         "em is not a scheme of electronic addresses (seller)."),
        (r"(CustomerParty>.*?<cbc:EndpointID) schemeID=\"[^\"]*\"", "", "BR-63",
         f"The electronic address of the buyer, {BUYER.electronic_address}, has no scheme."),
    ],
)  # fmt: skip
def test_a_fault_is_reported_with_a_clear_message(pattern: str, text: str, rule: str, sentence: str) -> None:
    data, times = re.subn(
        pattern, rf"\g<1>{text}", write(invoice(), "xrechnung-ubl").decode(), count=1, flags=re.DOTALL
    )
    assert times == 1
    faults = check(data.encode()).faults
    assert (rule, sentence) in {(fault.rule, fault.sentence) for fault in faults}


def test_peppol_accepts_no_e_mail_address() -> None:
    """Other formats accept one."""
    for format in FORMATS:
        data = re.sub(r'schemeID="99\d\d"', 'schemeID="EM"', write(invoice(), format).decode())
        found = {(fault.rule, fault.sentence) for fault in check(data.encode()).faults}
        assert found == (
            {("PEPPOL-EN16931-CL008", f"EM is not a scheme of addresses in Peppol ({who}).") for who in
             ("seller", "buyer")} if format == "peppol" else set()
        ), format  # fmt: skip
