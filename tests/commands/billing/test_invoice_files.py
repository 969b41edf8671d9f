"""Invoices as files: the PDF with its e-invoice, each format of e-invoice, and what is missing named."""

from pathlib import Path

import pytest

from crm.commands.billing.files import CheckedFile
from crm.errors import CRMError, Question, RefusedError
from tests.commands.billing.conftest import BillingDesk
from tests.conftest import STORES, _new_store


@pytest.fixture
def one_desk(tmp_path: Path) -> BillingDesk:
    with _new_store(STORES["sqlite"]) as store:
        yield BillingDesk(store, tmp_path)  # type: ignore[misc]


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
    with pytest.raises(Question, match="is there already"):
        desk("invoices pdf", invoice, pdf)
    with pytest.raises(CRMError, match="could not be written"):
        desk("invoices pdf", invoice, tmp_path / "missing" / "invoice.pdf")


def test_a_draft_is_no_einvoice_and_its_pdf_has_none(one_desk: BillingDesk, tmp_path: Path) -> None:
    draft = one_desk.draft()
    with pytest.raises(RefusedError, match="A draft is no e-invoice"):
        one_desk("invoices xml", draft)
    file = one_desk("invoices pdf", draft, tmp_path / "draft.pdf").file
    assert file.read_bytes().startswith(b"%PDF")
    with pytest.raises(CRMError):
        one_desk("invoices check", file)
