"""PDF/A-3b conformance of invoices: every rule is kept, and a broken rule is found."""

import shutil
import subprocess
from pathlib import Path

import pytest

from crm.outward.einvoice import write
from crm.outward.invoice_pdf import make_pdf
from tests.support.invoices import invoice, kinds_of_invoices
from tests.support.pdf_a import pdf_a_faults


@pytest.mark.many(2)
@pytest.mark.parametrize("name", kinds_of_invoices())
def test_an_invoice_of_each_kind_is_pdf_a(name: str, tmp_path: Path) -> None:
    document = kinds_of_invoices()[name]
    for xml in (write(document, "factur-x"), b""):
        made = make_pdf(document, xml=xml)
        assert (made.is_archival, pdf_a_faults(made.data)) == (True, [])
        if (qpdf := shutil.which("qpdf")) is None:
            continue
        (tmp_path / "invoice.pdf").write_bytes(made.data)
        checked = subprocess.run([qpdf, "--check", tmp_path / "invoice.pdf"], check=False, capture_output=True)
        assert (checked.returncode, checked.stderr) == (0, b"")


# What is written instead of what, as long as it, so that the places of objects stay.
_BROKEN = {
    "6.1.2": (b"%PDF-1.7", b"%PDF-2.0"),
    "6.1.3": (b"/ID", b"/IX"),
    "6.2.3": (b"/GTS_PDFA1", b"/GTS_PDFX1"),
    "6.2.11.3": (b"/ToUnicode", b"/ToUnicodf"),
    "6.2.11.4": (b"/FontFile", b"/FontFold"),
    "6.6.2.3": (b"<pdfaProperty:name>Version<", b"<pdfaProperty:name>Versiom<"),
    "6.6.4": (b"<pdfaid:part>3<", b"<pdfaid:part>2<"),
    "6.8: a file": (b"/AF[", b"/AG["),
    "6.8: the names": (b"/AFRelationship", b"/AFRelationshiq"),
    "6.8: the type": (b"/Subtype/text#2Fxml", b"/Subtypf/text#2Fxml"),
}


def test_a_broken_pdf_a_rule_is_found() -> None:
    data = make_pdf(invoice(), xml=write(invoice(), "factur-x")).data
    missed = []
    for rule, (whole, broken) in _BROKEN.items():
        changed = data.replace(whole, broken)
        assert changed != data, rule
        if not any(fault.startswith(rule) for fault in pdf_a_faults(changed)):
            missed.append(rule)
    assert missed == []
