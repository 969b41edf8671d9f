"""The PDF of an invoice, read by other programs; templates that are wrong or hostile; the QR code to pay by phone."""

import dataclasses
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
import segno
from pypdf import PdfReader
from segno import helpers

from crm.errors import FileError
from crm.model.local_taxes import LOCAL_TAXES
from crm.outward.einvoice import check, write
from crm.outward.invoice_pdf import compiling, default_template, make_pdf, make_picture, payment_code
from crm.outward.invoice_pdf.wording import LANGUAGES, wording
from tests.conftest import PROJECT
from tests.support.invoices import CONSULTING, SELLER, invoice, kinds_of_invoices, line


@pytest.fixture(scope="module", autouse=True)
def no_process_stays() -> Iterator[None]:
    yield
    compiling.stop()


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def template(folder: Path, text: str) -> Path:
    path = folder / "ours.typ"
    path.write_text(text, "utf-8")
    return path


def test_an_invoice_is_printed_with_all_its_content() -> None:
    document = kinds_of_invoices()["mixed rates, discounts, part paid"]
    made = make_pdf(document)
    assert (made.is_archival, made.notice) == (True, "")
    text = text_of(made.data)
    for part in (
        "Invoice", "RE-2026-0007", "November 20, 2026", "December 4, 2026", "Beispiel & Söhne GmbH", "Acme <Ltd>",
        "Consulting", "in Berlin", "3.25 h", "316.88", "1.2345", "per 100", "VAT 19 % on 300.58", "57.11", "€405.03",
        "-€100.00", "€305.03", "DE02 1203 0000 0000 2020 51", "Thank you & <see> you soon", "Page 1 of 1",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.slow
def test_every_kind_of_invoice_becomes_an_archival_pdf_in_every_language() -> None:
    for number, (name, document) in enumerate(kinds_of_invoices().items()):
        language = LANGUAGES[number % len(LANGUAGES)]
        made = make_pdf(dataclasses.replace(document, language=language))
        assert made.is_archival, name
        words = wording(language)
        assert words["credit_note" if document.kind == "credit_note" else "invoice"] in text_of(made.data)


def test_every_language_has_every_word() -> None:
    english = wording("en")
    # Written the same in these languages.
    same = {"iban", "bic", "h", "vat_id"}
    for language in LANGUAGES:
        words = wording(f"{language}_XX")
        assert words.keys() == english.keys()
        missing = {name for name in words if language != "en" and words[name] == english[name]}
        assert missing <= same | {"page", "total", "contract", "order", "issued_on", "invoice", "line_total"}, language
    assert wording("xx")["invoice"] == "Invoice"


def test_an_invoice_from_a_country_without_vat_does_not_say_vat() -> None:
    for country in LOCAL_TAXES:
        assert not [text for text in wording("en_US", country).values() if "VAT" in text], country
    assert (wording("en_AU", "AU")["tax"], wording("en_AU", "AU")["customer_vat"]) == ("GST", "Your ABN")
    assert (wording("en_US", "US")["tax"], wording("en_US", "US")["customer_vat"]) == ("Tax", "Your tax ID")
    assert wording("en_US", "DE")["tax"] == wording("en_GB", "GB")["tax"] == "VAT"
    assert wording("de_DE", "US")["tax"] == wording("de_DE")["tax"]


def test_the_embedded_e_invoice_is_found_by_other_programs() -> None:
    from facturx import get_xml_from_pdf

    xml = write(invoice(), "factur-x")
    made = make_pdf(invoice(), xml=xml)
    name, inside = get_xml_from_pdf(io.BytesIO(made.data), check_xsd=True)
    assert (name, inside) == ("factur-x.xml", xml)
    reader = PdfReader(io.BytesIO(made.data))
    assert reader.attachments["factur-x.xml"] == [xml]
    root: Any = reader.trailer["/Root"]
    (attached,) = root["/AF"]
    assert attached.get_object()["/AFRelationship"] == "/Alternative"
    xmp = root["/Metadata"].get_object().get_data().decode()
    for part in (
        "<pdfaid:part>3</pdfaid:part>", "<pdfaid:conformance>B</pdfaid:conformance>",
        "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>",
        "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>",
        "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
    ):  # fmt: skip
        assert part in xmp, part
    checked = check(made.data)
    assert (checked.format, checked.faults) == ("Factur-X / ZUGFeRD (EN 16931), CII", ())
    assert check(made.data).total == "119.00"


def test_the_same_invoice_gives_the_same_bytes_in_another_process() -> None:
    xml = write(invoice(), "factur-x")
    first = make_pdf(invoice(), xml=xml).data
    compiling.stop()
    assert make_pdf(invoice(), xml=xml).data == first
    assert make_pdf(invoice(number="RE-2"), xml=xml).data != first


def test_text_that_looks_like_code_is_printed_as_text() -> None:
    hostile = '#panic("x") $x^2$ *b* _i_ @ref <label> `raw` #image("/etc/passwd") \\ // /* = Head'
    document = invoice(
        line(hostile, "1", description=hostile),
        buyer=dataclasses.replace(SELLER, name=hostile),
        notes=hostile,
        terms=hostile,
        number="RE-#panic()",
    )
    text = " ".join(text_of(make_pdf(document).data).split())
    assert text.count('#panic("x") $x^2$ *b* _i_ @ref <label> `raw` #image("/etc/passwd")') >= 4
    assert "RE-#panic()" in text


def test_bidirectional_control_characters_are_removed() -> None:
    turned = "pay \u202e001\u202c \u2066x\u2069 \u200fy"
    text = text_of(make_pdf(invoice(line(turned, "1"), notes=turned)).data)
    assert "pay 001 x y" in text
    assert not {"\u202e", "\u202c", "\u2066", "\u2069", "\u200f"} & set(text)


def test_a_character_without_a_font_is_reported() -> None:
    xml = write(invoice(), "factur-x")
    made = make_pdf(invoice(notes="Hello \U0010fffd world"), xml=xml)
    assert not made.is_archival
    assert "\U0010fffd" in made.notice
    assert "does not meet the standard for archiving (PDF/A)" in made.notice
    assert "Hello" in text_of(made.data)
    # A program still finds the e-invoice.
    assert PdfReader(io.BytesIO(made.data)).attachments["factur-x.xml"] == [xml]
    several = make_pdf(invoice(notes="\U0010fffd \U0010fffc \U0010fffd"))
    assert "can print \U0010fffd, \U0010fffc, which are missing" in several.notice


@pytest.mark.slow
def test_many_lines_run_over_pages_with_repeated_headings() -> None:
    document = invoice(*[line(f"Part {number}", "1.10") for number in range(1, 121)], language="de")
    pages = PdfReader(io.BytesIO(make_pdf(document).data)).pages
    assert len(pages) >= 3
    assert all("Bezeichnung" in page.extract_text() for page in list(pages)[:3])
    assert f"Seite 2 von {len(pages)}" in pages[1].extract_text()
    assert "157,08" in pages[-1].extract_text()


def test_the_paper_follows_the_country_of_the_seller() -> None:
    american = dataclasses.replace(SELLER, country="US")
    for document, width in ((invoice(language="en_US"), 595), (invoice(seller=american, language="de_DE"), 612)):
        page = PdfReader(io.BytesIO(make_pdf(document).data)).pages[0]
        assert round(float(page.mediabox.width)) == width


def test_a_draft_says_that_it_is_one_and_asks_for_nothing() -> None:
    text = text_of(make_pdf(invoice(number="", state="draft")).data)
    assert "Draft" in text
    assert "Please pay" not in text
    assert "Cancelled" in text_of(make_pdf(invoice(state="cancelled", credited=D("119.00"))).data)


def test_a_paid_and_credited_invoice_shows_the_buyers_credit() -> None:
    """Total, payments, credit notes and credit come to the amount that is due."""
    document = invoice(state="credited", paid=D("119.00"), credited=D("119.00"))
    printed = " ".join(text_of(make_pdf(document).data).split())
    words = printed[printed.index("Paid") :].replace("\u2212", "-")
    assert [word for word in ("Credited", "Your credit", "Amount due") if word not in words] == []
    assert "119.00" in words[words.index("Your credit") : words.index("Amount due")]
    assert "Your credit" not in text_of(make_pdf(invoice(paid=D("119.00"), state="paid")).data)


def test_a_paid_invoice_says_so_and_has_no_code() -> None:
    text = text_of(make_pdf(invoice(paid=D("119.00"), state="paid")).data)
    assert "Paid in full. Thank you." in text
    assert "Scan to pay" not in text


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("= Head\n\n#let x = \n", "line 3"),
        ("Hello\n#unknown-thing", "line 2: unknown variable: unknown-thing"),
        ('#read("/etc/passwd")', "line 1"),
        ('#read("../../../../etc/passwd")', "line 1"),
        ('#import "@preview/cetz:0.3.0": *', "line 1"),
        ('Hi\n#panic("stop")', "line 2: panicked"),
        ("\\u{ff}\n#{", "line 2"),
    ],
)
def test_a_template_with_a_fault_names_its_line(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(FileError, match=r"ours\.typ cannot be used, " + error):
        make_pdf(invoice(), template=template(tmp_path, text))
    assert make_pdf(invoice()).is_archival


def test_a_template_that_never_ends_is_stopped(tmp_path: Path) -> None:
    endless = "#let f(n) = { for a in range(100000) { for b in range(100000) { n += 1 } } }\n#f(0)"
    with pytest.raises(FileError, match=r"not ready after 0\.5 seconds"):
        make_pdf(invoice(), template=template(tmp_path, endless), seconds=0.5)
    assert make_pdf(invoice()).is_archival


def test_a_template_of_the_team_with_its_logo_is_used(tmp_path: Path) -> None:
    picture = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'
    (tmp_path / "logo.svg").write_text(picture)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "stamp.png").write_bytes(make_picture(invoice()))
    pictures = '#image("logo.svg", alt: "")\n#image("stamp.png", alt: "")'
    ours = f"#let invoice = json(bytes(sys.inputs.data))\n{pictures}\nOURS #invoice.number"
    xml = write(invoice(), "factur-x")
    made = make_pdf(invoice(), xml=xml, template=template(tmp_path, ours))
    assert text_of(made.data).strip() == "OURS RE-2026-0007"
    assert check(made.data).faults == ()
    with pytest.raises(FileError, match="line 1"):
        make_pdf(invoice(), template=template(tmp_path, '#read("secret.txt")'))
    with pytest.raises(FileError, match="cannot be read"):
        make_pdf(invoice(), template=tmp_path / "none.typ")


def test_the_built_in_template_can_be_copied_and_used(tmp_path: Path) -> None:
    copy = template(tmp_path, default_template())
    assert make_pdf(invoice(), template=copy).data == make_pdf(invoice()).data
    assert make_picture(invoice()).startswith(b"\x89PNG")


def test_a_template_sees_no_secrets_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    compiling.stop()
    monkeypatch.setenv("CRM_SMTP_PASSWORD", "hunter2")
    make_pdf(invoice())
    child = compiling._child
    assert child is not None
    environment = Path(f"/proc/{child._process.pid}/environ")
    if environment.exists():
        assert b"hunter2" not in environment.read_bytes()


def test_nothing_is_left_of_a_process_that_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiling.stop()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    make_pdf(invoice())
    assert len(list(tmp_path.iterdir())) == 1
    compiling.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_was_killed_is_started_again() -> None:
    make_pdf(invoice())
    child = compiling._child
    assert child is not None
    child._process.kill()
    child._process.wait()
    assert make_pdf(invoice()).is_archival


@pytest.mark.slow
def test_typst_is_loaded_by_the_process_that_compiles_alone_and_ends_with_the_program() -> None:
    program = (
        "import sys, os; from tests.support.invoices import invoice; from crm.outward.invoice_pdf import make_pdf;"
        "import crm.outward.invoice_pdf.compiling as c; assert 'typst' not in sys.modules; make_pdf(invoice());"
        "assert 'typst' not in sys.modules; print(c._child._process.pid)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        check=True,
        text=True,
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def blocks(text: str) -> list[list[bool]]:
    """The dark places of a code that is drawn in half blocks."""
    halves = {"█": (False, False), "▀": (False, True), "▄": (True, False), " ": (True, True)}
    rows: list[list[bool]] = []
    for drawn in text.split("\n"):
        pairs = [halves[sign] for sign in drawn]
        rows += [[upper for upper, _ in pairs], [lower for _, lower in pairs]]
    return rows


def test_a_phone_reads_the_transfer_from_the_screen() -> None:
    document = invoice(paid=D("19.01"), payment_reference="RE-2026-0007 Büro")
    # As the guideline has it: version, encoding, transfer, BIC, name, IBAN, amount, purpose, reference, text.
    payload = (
        "BCD\n002\n1\nSCT\nBYLADEM1001\nBeispiel & Söhne GmbH\nDE02120300000000202051\nEUR99.99\n\n\nRE-2026-0007 Büro"
    )
    code = segno.make(payload, error="m", boost_error=False, encoding="utf-8", micro=False, eci=False, mask=3)
    dark = [[bool(place) for place in row] for row in code.matrix_iter(border=2)]
    assert blocks(payment_code(document))[: len(dark)] == dark
    # The library's own writer of these codes has the same in it; which mask it takes is its own matter.
    theirs = helpers.make_epc_qr(
        "Beispiel & Söhne GmbH", "DE02120300000000202051", D("99.99"), text="RE-2026-0007 Büro", bic="BYLADEM1001",
        encoding="utf-8",
    )  # fmt: skip
    assert segno.make(payload, error="m", boost_error=False, encoding="utf-8", micro=False, mask=theirs.mask) == theirs


@pytest.mark.parametrize(
    "changes",
    [
        {"number": ""},
        {"kind": "credit_note"},
        {"currency": "USD"},
        {"iban": ""},
        {"iban": "DE02120300000000202052"},
        {"paid": D("119.00")},
        {"paid": D("200.00")},
    ],
)
def test_an_invoice_without_an_amount_due_has_no_payment_code(changes: dict[str, Any]) -> None:
    assert payment_code(invoice(**changes)) == ""


def test_a_name_and_a_text_of_any_length_fit_the_code() -> None:
    long = "Ärztehaus " * 40
    document = invoice(CONSULTING, account_holder=long, payment_reference=long)
    assert payment_code(document)
    assert make_pdf(document).is_archival
