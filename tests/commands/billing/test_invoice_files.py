"""Invoices as files: the PDF with its e-invoice, each e-invoice format, and clear errors for what is missing."""

import io
import re
from pathlib import Path

import pytest
from pypdf import PdfReader

from crm.commands.billing.files import CheckedFile
from crm.config import TEAM
from crm.errors import CRMError, FieldError, Question, RefusedError
from crm.model import Client, fields
from tests.commands.billing.conftest import BillingDesk


def test_an_invoice_is_written_in_each_format_and_found_without_faults(one_desk: BillingDesk, tmp_path: Path) -> None:
    desk = one_desk
    desk("clients edit", desk.acme, {"buyer_reference": "04011000-12345-34", "email": "buy@example.com"})
    for name, value in (("company_email", "us@example.com"), ("company_phone", "+49 30 1"), ("company_postcode", "1")):
        desk("settings set", name, value)
    desk.crm.forget_settings()
    invoice = desk.issued("3 h Consulting 100 19%", "2 x Table 49.90 7%", discount="10%")
    for format_ in ("factur-x", "xrechnung-cii", "xrechnung-ubl"):
        file = tmp_path / f"{format_}.xml"
        desk("invoices xml", invoice, format_, file)
        checked: CheckedFile = desk("invoices check", file)
        assert (checked.checked.faults, checked.exit_code) == ((), 0), format_
        assert (checked.checked.number, checked.checked.total) == (invoice.number, "417.41")
    with pytest.raises(RefusedError, match=r"cannot be written as peppol yet. Missing: .*Peppol"):
        desk("invoices xml", invoice, "peppol", tmp_path / "peppol.xml")
    pdf = tmp_path / "invoice.pdf"
    desk("invoices pdf", invoice, pdf)
    assert desk("invoices check", pdf).checked.number == invoice.number
    with pytest.raises(Question, match="already exists"):
        desk("invoices pdf", invoice, pdf)
    with pytest.raises(CRMError, match="could not be written"):
        desk("invoices pdf", invoice, tmp_path / "missing" / "invoice.pdf")


def test_a_draft_has_no_e_invoice(one_desk: BillingDesk, tmp_path: Path) -> None:
    draft = one_desk.draft()
    with pytest.raises(RefusedError, match="A draft cannot be an e-invoice"):
        one_desk("invoices xml", draft)
    file = one_desk("invoices pdf", draft, tmp_path / "draft.pdf").file
    assert file.read_bytes().startswith(b"%PDF")
    with pytest.raises(CRMError):
        one_desk("invoices check", file)


def test_the_code_to_pay_by_is_shown_while_something_is_open(one_desk: BillingDesk) -> None:
    desk = one_desk
    with pytest.raises(RefusedError, match="No payment code"):
        desk("invoices qr", desk.draft())
    desk("settings set", "iban", "DE02120300000000202051")
    invoice = desk.issued()
    code = desk("invoices qr", invoice)
    assert (code.number, f"{code.amount:.2f}", code.currency) == (invoice.number, "357.00", "EUR")
    assert set(code.code) <= set("█▀▄ \n")
    desk("invoices credit", invoice)
    with pytest.raises(RefusedError, match="A code needs an"):
        desk("invoices qr", invoice)


def test_a_template_of_the_team_is_used_and_its_fault_leaves_no_file(one_desk: BillingDesk, tmp_path: Path) -> None:
    desk, template = one_desk, tmp_path / "ours.typ"
    template.write_text("Ours #json(bytes(sys.inputs.data)).number")
    desk("settings set", "invoice_template", str(template))
    desk.crm.forget_settings()
    invoice = desk.issued()
    file = desk("invoices pdf", invoice, tmp_path / "invoice.pdf").file
    assert f"Ours {invoice.number}" in PdfReader(io.BytesIO(file.read_bytes())).pages[0].extract_text()
    template.write_text("Hello\n#nothing")
    with pytest.raises(CRMError, match=r"ours\.typ cannot be used, line 2"):
        desk("invoices pdf", invoice, tmp_path / "other.pdf")
    assert not (tmp_path / "other.pdf").exists()
    assert desk.again(invoice) == invoice


def test_following_the_message_about_a_missing_field_makes_a_valid_e_invoice(
    one_desk: BillingDesk, tmp_path: Path
) -> None:
    desk = one_desk
    desk("settings set", "iban", "DE89370400440532013000")
    desk("settings set", "company_postcode", "1")
    desk.crm.forget_settings()
    invoice = desk.issued()
    file = tmp_path / "e.xml"
    with pytest.raises(RefusedError) as refused:
        desk("invoices xml", invoice, "xrechnung-cii", file)
    named_ = set(re.findall(r"settings set (\w+)", str(refused.value)))
    assert {"company_phone", "company_email"} <= named_ <= {option.name for option in TEAM}
    options = {name.replace("-", "_") for name in re.findall(r"clients edit … --([a-z-]+)", str(refused.value))}
    assert {"buyer_reference", "invoice_email"} <= options <= set(fields(Client))
    values = {"company_phone": "+49 30 1", "company_email": "us@example.com", "company_postcode": "1"}
    for name in named_:
        desk("settings set", name, values[name])
    desk.crm.forget_settings()
    desk("clients edit", desk.acme, {"buyer_reference": "04011000-12345-34", "invoice_email": "b@example.com"})
    # What was issued stays: its telephone number too.
    with pytest.raises(RefusedError, match="stays as it was issued") as refused:
        desk("invoices xml", invoice, "xrechnung-cii", file)
    assert {f"invoices credit {invoice.number}", f"invoices copy {invoice.number}"} <= set(
        re.findall(r"`([^`]+)`", str(refused.value))
    )
    desk("invoices credit", invoice)
    again = desk("invoices issue", desk("invoices copy", invoice).invoice).invoice
    text = desk("invoices xml", again, "xrechnung-cii", file).file.read_text("utf-8")
    assert "04011000-12345-34" in text
    assert "+49 30 1" in text


@pytest.mark.parametrize("currency", ["KWD", "CLF"])
def test_an_issued_invoice_in_an_unsupported_currency_gets_a_way_out(
    one_desk: BillingDesk, tmp_path: Path, currency: str
) -> None:
    desk = one_desk
    invoice = desk.issued("Talk 10 0%", currency=currency)
    with pytest.raises(RefusedError) as refused:
        desk("invoices xml", invoice, "factur-x", tmp_path / "e.xml")
    notice = desk("invoices pdf", invoice, tmp_path / "e.pdf").notice
    assert re.findall(r"`([^`]+)`", str(refused.value)) == [f"invoices credit {invoice.number}"]
    assert str(refused.value).endswith("and draft it again in another currency.")
    # Nobody needs the e-invoice of a client who has said nothing: the invoice is as it should be.
    assert notice.startswith("The PDF can be sent as it is. No e-invoice is inside. Missing: a currency")
    desk("clients edit", desk.acme, {"invoice_format": "factur-x"})
    assert desk("invoices pdf", invoice, tmp_path / "e.pdf", yes=True).notice.endswith(
        "stays as it was issued: credit it and draft it again in another currency."
    )
    draft = desk.draft("Talk 10 0%", currency=currency)
    with pytest.raises(RefusedError, match=r"`invoices add … --currency`\). Nothing was changed"):
        desk("invoices issue", draft)


def test_later_changes_of_client_or_team_do_not_change_an_issued_invoice(one_desk: BillingDesk, tmp_path: Path) -> None:
    desk = one_desk
    invoice = desk.issued()

    def written() -> tuple[bytes, bytes, object]:
        pdf = desk("invoices pdf", invoice, tmp_path / "a.pdf", yes=True).file.read_bytes()
        xml = desk("invoices xml", invoice, "factur-x", tmp_path / "a.xml", yes=True).file.read_bytes()
        return pdf, xml, desk("invoices show", invoice).as_json() | {"client_name": ""}

    before = written()
    desk(
        "clients edit",
        desk.acme,
        {
            "last_name": "Smith", "company": "Other", "phone": "+43 1 2", "email": "a@example.com", "address": "Weg 9",
            "invoice_email": "b@example.com", "electronic_address": "0088:9482348239847", "tax_id": "ATU12345678",
            "city": "Graz", "postcode": "8010", "region": "Styria", "payment_days": 3,
        },
    )  # fmt: skip
    for name, value in (("company_email", "us@example.com"), ("company_phone", "+49 30 1"), ("company_name", "Us")):
        desk("settings set", name, value)
    desk.crm.forget_settings()
    assert written() == before
    assert desk("check").wrong == []


@pytest.mark.parametrize(("door", "format_"), [("xml", "xrechnung-ubl"), ("xml", "factur-x"), ("pdf", "")])
def test_the_first_file_keeps_the_reference_that_the_client_has_and_no_later_one_has_another(
    one_desk: BillingDesk, tmp_path: Path, door: str, format_: str
) -> None:
    desk = one_desk
    desk("clients edit", desk.acme, {"email": "buy@example.com"})
    for name, value in (("company_email", "us@example.com"), ("company_phone", "+49 30 1"), ("company_postcode", "1")):
        desk("settings set", name, value)
    desk.crm.forget_settings()
    invoice = desk.issued()
    desk("clients edit", desk.again(desk.acme), {"buyer_reference": "AAA-111"})
    assert (desk("invoices show", invoice).document.buyer_reference, desk.again(invoice)) == ("", invoice)
    desk(f"invoices {door}", invoice, *([format_] if format_ else []), to=tmp_path / f"first.{door}")
    desk("clients edit", desk.again(desk.acme), {"buyer_reference": "BBB-222"})
    assert desk("invoices show", invoice).as_json()["buyer_reference"] == "AAA-111"
    text = desk("invoices xml", invoice, "xrechnung-cii", tmp_path / "second.xml").file.read_text("utf-8")
    assert "AAA-111" in text
    assert "BBB-222" not in text
    with pytest.raises(CRMError, match="cannot be changed"):
        desk("invoices edit", desk.again(invoice), {"buyer_reference": "CCC-333"})
    assert desk("check").wrong == []


def test_a_refused_file_does_not_fill_in_a_blank_reference(one_desk: BillingDesk, tmp_path: Path) -> None:
    desk = one_desk
    invoice = desk.issued()
    desk("clients edit", desk.acme, {"buyer_reference": "AAA-111"})
    with pytest.raises(RefusedError, match="cannot be written"):
        desk("invoices xml", invoice, "peppol", tmp_path / "e.xml")
    assert desk.again(invoice).buyer_reference == ""


def test_the_format_of_the_client_is_the_default(one_desk: BillingDesk, tmp_path: Path) -> None:
    desk = one_desk
    values = {"tax_id": "ATU12345678", "buyer_reference": "PO-7", "email": "buy@example.com"}
    desk("clients edit", desk.acme, values)
    for name, value in (("company_email", "us@example.com"), ("company_phone", "+49 30 1"), ("company_postcode", "1")):
        desk("settings set", name, value)
    desk.crm.forget_settings()
    invoice = desk.issued()
    formats = {}
    for wanted in ("", "factur-x", "xrechnung-cii", "peppol", "none"):
        desk("clients edit", desk.again(desk.acme), {"invoice_format": wanted})
        file = desk("invoices xml", invoice, to=tmp_path / f"for-{wanted}.xml").file
        formats[wanted] = desk("invoices check", file).checked.format
    assert formats == {
        "": "Factur-X / ZUGFeRD (EN 16931), CII", "factur-x": "Factur-X / ZUGFeRD (EN 16931), CII",
        "xrechnung-cii": "XRechnung 3, CII", "peppol": "Peppol BIS Billing 3, UBL",
        "none": "Factur-X / ZUGFeRD (EN 16931), CII",
    }  # fmt: skip


def test_an_issued_invoice_takes_a_missing_address_and_reference_and_nothing_else(
    one_desk: BillingDesk, tmp_path: Path
) -> None:
    desk = one_desk
    invoice = desk.issued()
    with pytest.raises(RefusedError, match="an address in Peppol"):
        desk("invoices xml", invoice, "peppol", tmp_path / "peppol.xml")
    desk("clients edit", desk.acme, {"electronic_address": "0088:9482348239847"})
    desk("invoices edit", invoice, {"order_reference": "PO-1"})
    for values in (
        {"order_reference": "PO-2"},
        {"order_reference": ""},
        {"notes": "x"},
        {"buyer_reference": "", "terms": "x"},
    ):
        with pytest.raises(CRMError, match=r"cannot be changed|stays as it is"):
            desk("invoices edit", desk.again(invoice), values)
    text = desk("invoices xml", invoice, "peppol", tmp_path / "peppol.xml").file.read_text("utf-8")
    assert '<cbc:EndpointID schemeID="0088">9482348239847</cbc:EndpointID>' in text
    assert "<cbc:ID>PO-1</cbc:ID>" in text
    # The address that the file has is that of the invoice from now on.
    desk("clients edit", desk.again(desk.acme), {"electronic_address": "0088:5790000436057"})
    again = desk("invoices xml", desk.again(invoice), "peppol", tmp_path / "again.xml")
    assert again.file.read_text("utf-8") == text
    desk("history undo", yes=True)
    desk("history undo", yes=True)
    assert desk.again(invoice).order_reference == "PO-1"
    assert desk.sound()


def test_a_file_has_the_ending_of_its_kind_and_in_a_folder_its_own_name(one_desk: BillingDesk, tmp_path: Path) -> None:
    invoice = one_desk.issued()
    for words, ending, wrong in (
        ("invoices pdf", ".pdf", ("x.xml", "noext", "x.pdf.txt", "0")),
        ("invoices xml", ".xml", ("x.pdf", "noext")),
    ):
        for name in wrong:
            with pytest.raises(FieldError, match=f"the file's name must end in {ending}") as refused:
                one_desk(words, invoice, to=tmp_path / name)
            assert refused.value.field == "to"
        assert one_desk(words, invoice, to=tmp_path).file == tmp_path / f"{invoice.number}{ending}"
        assert one_desk(words, invoice, to=tmp_path / f"x{ending.upper()}").file.is_file()
    assert len(list(tmp_path.iterdir())) == 4


def test_an_account_without_iban_is_on_the_invoice(one_desk: BillingDesk, tmp_path: Path) -> None:
    desk = one_desk
    desk("settings set", "iban", "")
    desk("settings set", "bank_account", "Sort code 12-34-56, account 12345678")
    desk.crm.forget_settings()
    issued = desk.issued("Talk 100 19%")
    desk("settings set", "bank_account", "Sort code 65-43-21, account 87654321")
    desk.crm.forget_settings()
    # An issued invoice keeps the account that it was issued with.
    assert desk("invoices show", issued).document.bank_account == "Sort code 12-34-56, account 12345678"
    file = desk("invoices pdf", issued, tmp_path / "one.pdf").file
    text = "\n".join(page.extract_text() for page in PdfReader(file).pages)
    assert "Sort code 12-34-56, account 12345678" in text
    assert "IBAN" not in text
