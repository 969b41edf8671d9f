"""Terms of EN 16931 that CII and UBL share: identifiers, codes, and the figures of a document in an e-invoice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from lxml import etree

from crm.invoicing.document import CREDIT_NOTE, NOTHING, DocumentLine, InvoiceDocument, Party
from crm.model.fields import visible
from crm.model.iban import bare_iban
from crm.model.money import decimals_of, rounded

EN16931: Final = "urn:cen.eu:en16931:2017"
XRECHNUNG: Final = f"{EN16931}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
PEPPOL: Final = f"{EN16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROCESS: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
INVOICE_CODE: Final = "380"
CREDIT_NOTE_CODE: Final = "381"
# Codes of the reason why there is no tax (VATEX); what is exempt has none of its own.
REASON_CODES: Final[Mapping[str, str]] = {
    "AE": "VATEX-EU-AE",
    "K": "VATEX-EU-IC",
    "G": "VATEX-EU-G",
    "O": "VATEX-EU-O",
}
NOT_SUBJECT: Final = "O"
_SEPA_TRANSFER, _TRANSFER = "58", "30"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A discount or a charge of a line, positive and net."""

    is_charge: bool
    amount: Decimal

    @property
    def reason(self) -> str:
        """An e-invoice wants one for each."""
        return "Charge" if self.is_charge else "Discount"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetLine:
    """A line with a net price that is not below zero, as e-invoices want it: round(quantity x price / basis) -
    discounts + charges is exactly its net."""

    line: DocumentLine
    quantity: Decimal
    price: Decimal
    basis: Decimal
    extras: tuple[Extra, ...]


class Nodes:
    """A maker of elements: `add` puts one with its text into another, and leaves out what is empty."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self._spaces = namespaces

    def root(self, name: str) -> "etree._Element":
        """The element around everything."""
        return etree.Element(self._tag(name), nsmap=dict(self._spaces))

    def inside(self, parent: "etree._Element", *names: str) -> "etree._Element":
        """A new element for each name, each in the one before."""
        for name in names:
            parent = etree.SubElement(parent, self._tag(name))
        return parent

    def add(self, parent: "etree._Element", name: str, text: str, **attributes: str) -> None:
        """An element with a text, without control characters and marks that turn text around; none without a text."""
        if cleaned := visible(text).strip():
            etree.SubElement(parent, self._tag(name), attributes).text = cleaned

    def _tag(self, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        return f"{{{self._spaces[prefix or None]}}}{local}"  # type: ignore[index]


def as_bytes(root: "etree._Element") -> bytes:
    """The file: the same for the same document."""
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data


def amount(value: Decimal) -> str:
    """Money, with two decimals at most."""
    return f"{rounded(value, 2):.2f}"


def number(value: Decimal) -> str:
    """A quantity, a price or a rate without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_credit_note(document: InvoiceDocument) -> bool:
    """Return whether it is a credit note."""
    return document.kind == CREDIT_NOTE


def paid(document: InvoiceDocument) -> Decimal:
    """The amount paid already (BT-113); what is beyond the total is credit of the buyer, and no part of the invoice."""
    return min(document.paid + document.credited, max(document.total, NOTHING))


def terms_of(document: InvoiceDocument) -> str:
    """The terms of payment (BT-20); a credit note says what becomes of its amount."""
    if document.terms or not is_credit_note(document):
        return document.terms
    return f"Set off against invoice {document.corrects_number}" if document.corrects_number else "Set off"


def payment_means_code(document: InvoiceDocument) -> str:
    """The means of payment (BT-81): a SEPA transfer for euro, else a transfer; '' without an account."""
    if not document.iban:
        return ""
    return _SEPA_TRANSFER if document.currency == "EUR" else _TRANSFER


def account(document: InvoiceDocument) -> str:
    """The account to pay to (BT-84)."""
    return bare_iban(document.iban)


def is_not_subject(document: InvoiceDocument) -> bool:
    """Return whether it is an invoice without VAT, on which no VAT id may stand (BR-O-02)."""
    return any(group.category == NOT_SUBJECT for group in document.taxes)


def seller_number(document: InvoiceDocument) -> str:
    """A number for a seller that has neither a VAT id on the document nor one in a register (BT-29, for BR-CO-26)."""
    seller = document.seller
    has_another = seller.registration or (seller.vat_id and not is_not_subject(document))
    return "" if has_another else seller.tax_number


def delivery_of(document: InvoiceDocument) -> Party | None:
    """The place of delivery, where an e-invoice has to say so: intra-Community supply always does (BR-IC-12)."""
    if document.delivery is None and any(group.category == "K" for group in document.taxes):
        return document.buyer
    return document.delivery


def day(value: date | None) -> str:
    """A date as UBL has it."""
    return value.isoformat() if value else ""


def net_lines(document: InvoiceDocument) -> Iterator[NetLine]:
    """The lines with net prices, also where the document has gross ones."""
    decimals = decimals_of(document.currency)
    for line in document.lines:
        yield _with_net_price(line, decimals) if document.prices_are_gross else _net_line(line, decimals)


def _net_line(line: DocumentLine, decimals: int) -> NetLine:
    sign = -1 if line.price < 0 else 1
    extras = _extras(line, Fraction(1), decimals)
    return NetLine(
        line=line, quantity=line.quantity * sign, price=line.price * sign, basis=line.basis, extras=extras
    )  # fmt: skip


def _with_net_price(line: DocumentLine, decimals: int) -> NetLine:
    """A gross line: its net price where four decimals of it make the net, else the net as the price of it all."""
    factor = 1 + Fraction(line.rate) / 100
    extras = _extras(line, factor, decimals)
    before = line.net - sum((extra.amount if extra.is_charge else -extra.amount for extra in extras), NOTHING)
    price = rounded(Fraction(line.price) / factor, 4)
    if price >= 0 and rounded(Fraction(line.quantity) * Fraction(price) / Fraction(line.basis), decimals) == before:
        return NetLine(line=line, quantity=line.quantity, price=price, basis=line.basis, extras=extras)
    basis = abs(line.quantity) or Decimal(1)
    return NetLine(
        line=line, quantity=basis if before >= 0 else -basis, price=abs(before), basis=basis, extras=extras
    )  # fmt: skip


def _extras(line: DocumentLine, factor: Fraction, decimals: int) -> tuple[Extra, ...]:
    signed = [-rounded(Fraction(discount) / factor, decimals) for discount in line.discounts]
    signed += [rounded(Fraction(charge) / factor, decimals) for charge in line.charges]
    return tuple(Extra(is_charge=part > 0, amount=abs(part)) for part in signed if part)
