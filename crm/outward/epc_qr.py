"""The EPC code of a SEPA transfer (EPC069-12): a phone that sees it fills in the transfer."""

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from crm.invoicing.document import CREDIT_NOTE, InvoiceDocument
from crm.model.fields import visible
from crm.model.iban import bare_iban, is_iban

if TYPE_CHECKING:
    from segno import QRCode

_MOST = Decimal("999999999.99")
_MASK = 3
_DARK = re.compile(b"\x01+")
_LONGEST_NAME = 70
_LONGEST_TEXT = 140


def epc_code(document: InvoiceDocument) -> "QRCode | None":
    """The code that pays what is open; None where there is nothing to pay by it: not in euro, nothing open, a draft or
    a credit note, no or a wrong IBAN."""
    is_payable = document.number and document.kind != CREDIT_NOTE and document.currency == "EUR"
    if not is_payable or not Decimal(0) < document.open <= _MOST or not is_iban(document.iban):
        return None
    import segno

    bic = "".join(document.bic.split()).upper()
    name = _line(document.account_holder or document.seller.name, _LONGEST_NAME)
    text = _line(document.payment_reference or document.number, _LONGEST_TEXT)
    amount = f"EUR{document.open:.2f}"
    # Version, encoding (UTF-8), transfer; then purpose and structured reference, which stay empty before the text.
    payload = "\n".join(("BCD", "002", "1", "SCT", bic, name, bare_iban(document.iban), amount, "", "", text))
    # All masks are read by every phone, and to weigh them against each other takes as long as the page.
    return segno.make(payload, error="m", boost_error=False, micro=False, encoding="utf-8", mask=_MASK)


def as_svg(code: "QRCode") -> str:
    """The code as a picture for the PDF: a stroke for each dark run of a row."""
    strokes = [
        f"M{run.start()} {row + 0.5}h{run.end() - run.start()}"
        for row, places in enumerate(code.matrix)
        for run in _DARK.finditer(places)
    ]
    size = len(code.matrix)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" class="segno">'
        f'<path class="qrline" stroke="#000" d="{"".join(strokes)}"/></svg>'
    )


def as_text(code: "QRCode") -> str:
    """The code for a terminal, in half blocks, without colours: light on dark and dark on light it can be read."""
    rows = [list(row) for row in code.matrix_iter(border=2)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    # A light place is drawn, so that on a dark screen the code is dark on light.
    signs = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    lines = (
        "".join(signs[bool(upper), bool(lower)] for upper, lower in zip(first, second, strict=True))
        for first, second in zip(rows[::2], rows[1::2], strict=True)
    )
    return "\n".join(lines)


def _line(text: str, longest: int) -> str:
    return " ".join(visible(text).split())[:longest].strip()
