"""The texts on the PDF of an invoice, in its language: the template lays out and computes nothing."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from crm.invoicing.document import CREDIT_NOTE, REASONS, DocumentLine, InvoiceDocument, Party
from crm.model.fields import visible
from crm.model.iban import grouped_iban
from crm.model.money import decimals_of
from crm.model.postal_addresses import town_line
from crm.model.units import unit_beside
from crm.outward.epc_qr import as_svg, epc_code
from crm.outward.invoice_pdf.wording import wording

# These turn the text around them, so that 100 could be read as 001.
_TURNING = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_LETTER_PAPER = frozenset({"US", "CA", "MX", "PH", "CL", "CO", "VE"})


class _Writer:
    """A writer of amounts, dates and words in the language of a document."""

    def __init__(self, document: InvoiceDocument) -> None:
        from babel import Locale
        from babel.core import UnknownLocaleError

        try:
            self.locale = Locale.parse(document.language or "en")
        except (UnknownLocaleError, ValueError):
            self.locale = Locale("en")
        self.words = wording(str(self.locale), document.seller.country)
        self.currency = document.currency
        self.decimals = decimals_of(document.currency)

    def money(self, value: Decimal) -> str:
        """An amount with its currency."""
        from babel.numbers import format_currency

        return str(
            format_currency(value, self.currency, locale=self.locale, currency_digits=False, format=self._pattern())
        )

    def _pattern(self) -> Any:
        from copy import copy

        pattern = copy(self.locale.currency_formats["standard"])
        pattern.frac_prec = (self.decimals, self.decimals)
        return pattern

    def amount(self, value: Decimal, most: int | None = None) -> str:
        """An amount without its currency; with up to `most` decimals where it has as many."""
        from babel.numbers import format_decimal

        places = "0" * self.decimals + "#" * max((most or self.decimals) - self.decimals, 0)
        pattern = f"#,##0.{places}" if places else "#,##0"
        return str(format_decimal(value, format=pattern, locale=self.locale))

    def number(self, value: Decimal) -> str:
        """A quantity."""
        from babel.numbers import format_decimal

        return str(format_decimal(value, format="#,##0.####", locale=self.locale))

    def rate(self, value: Decimal) -> str:
        """A tax rate."""
        from babel.numbers import format_decimal

        return f"{format_decimal(value, format='0.##', locale=self.locale)} %"

    def day(self, value: date | None) -> str:
        """A date."""
        from babel.dates import format_date

        return str(format_date(value, format="long", locale=self.locale)) if value else ""

    def period(self, begin: date | None, end: date | None) -> str:
        """The period from one day to another."""
        return " \u2013 ".join(part for part in (self.day(begin), self.day(end)) if part)

    def unit(self, code: str, quantity: Decimal) -> str:
        """A unit in the language."""
        name = unit_beside(code, quantity)
        return self.words.get(name, name)


def content(document: InvoiceDocument) -> dict[str, Any]:
    """The texts of the PDF, as the template reads them. `docs/billing.md` lists them for designers."""
    writer = _Writer(document)
    words = writer.words
    is_draft = not document.number
    code = epc_code(document)
    kind = words["credit_note" if document.kind == CREDIT_NOTE else "invoice"]
    is_abroad = document.seller.country != document.buyer.country
    texts = {
        "language": writer.locale.language,
        "paper": "us-letter" if (document.seller.country or writer.locale.territory) in _LETTER_PAPER else "a4",
        "kind": kind,
        "title": f"{kind} {document.number}".strip(),
        "number": document.number,
        "stamp": words["draft"] if is_draft else words["cancelled"] if document.state == "cancelled" else "",
        "seller": _party(document.seller, with_country=is_abroad, writer=writer),
        "buyer": _party(document.buyer, with_country=is_abroad, writer=writer),
        "facts": [list(fact) for fact in _facts(document, writer)],
        "delivery": _delivery(document, writer),
        "columns": {name: words[name] for name in ("position", "name", "quantity", "price", "rate", "amount")},
        "lines": [_line(line, writer) for line in document.lines],
        "sums": [list(row) for row in _sums(document, writer)],
        "total": [words["total"], writer.money(document.total)],
        "settled": [list(row) for row in _settled(document, writer)],
        "open": [words["open"], writer.money(document.open)] if _shows_open(document) else [],
        "remarks": [remark for remark in _remarks(document, writer) if remark],
        "payment": _payment(document, writer),
        "qr": as_svg(code) if code else "",
        "scan": words["scan"],
        "footer": _footer(document, writer),
        "page": words["page"],
        "of": words["of"],
    }
    cleaned: dict[str, Any] = _cleaned(texts)
    return cleaned


def _cleaned(value: Any) -> Any:
    """Every text without control characters and marks that turn it around."""
    if isinstance(value, str):
        return _TURNING.sub("", visible(value))
    if isinstance(value, list):
        return [_cleaned(part) for part in value]
    if isinstance(value, dict):
        return {name: _cleaned(part) for name, part in value.items()}
    return value


def _party(party: Party, *, with_country: bool, writer: _Writer) -> dict[str, Any]:
    town = town_line(party.country, party.postcode, party.city, party.region)
    country = writer.locale.territories.get(party.country, party.country) if with_country else ""
    lines = [party.street, party.extra_line, town, str(country)]
    return {"name": party.name, "lines": [line for line in lines if line]}


def _facts(document: InvoiceDocument, writer: _Writer) -> Iterator[tuple[str, str]]:
    words = writer.words
    # A line break in a date would separate the day from its month.
    for name, text in (
        ("number", document.number),
        ("issued_on", writer.day(document.issued_on)),
        ("due_on", writer.day(document.due_on)),
        ("delivered_on", writer.day(document.delivered_on)),
        ("period", writer.period(document.period_from, document.period_to)),
        ("corrects", document.corrects_number),
        ("reference", document.buyer_reference),
        ("order", document.order_reference),
        ("contract", document.contract_reference),
        ("customer_vat", document.buyer.vat_id),
    ):
        if text:
            yield words[name], text


def _delivery(document: InvoiceDocument, writer: _Writer) -> list[str]:
    if document.delivery is None:
        return []
    place = _party(document.delivery, with_country=True, writer=writer)
    return [writer.words["delivery"], ", ".join([place["name"], *place["lines"]])]


def _line(line: DocumentLine, writer: _Writer) -> dict[str, Any]:
    words = writer.words
    unit = writer.unit(line.unit, line.quantity)
    price = writer.amount(line.price, 4)
    per = f"{words['per']} {writer.number(line.basis)} {writer.unit(line.unit, line.basis)}".strip()
    details = [line.description] if line.description else []
    if line.period_from or line.period_to:
        details.append(writer.period(line.period_from, line.period_to))
    details += [f"{words['discount']}: {writer.amount(-discount)}" for discount in line.discounts if discount]
    details += [f"{words['charge']}: {writer.amount(charge)}" for charge in line.charges if charge]
    return {
        "position": str(line.position),
        "name": line.name,
        "details": details,
        "quantity": f"{writer.number(line.quantity)} {unit}".strip(),
        "price": price if line.basis == 1 else f"{price}\n{per}",
        "rate": writer.rate(line.rate) if line.category != "O" else "\u2013",
        "amount": writer.amount(line.amount),
    }


def _sums(document: InvoiceDocument, writer: _Writer) -> Iterator[tuple[str, str]]:
    """The rows between the lines and the total."""
    words = writer.words
    is_gross = document.prices_are_gross
    if document.adjustments:
        shown_total = sum((line.amount for line in document.lines), Decimal(0))
        yield words["line_total"], writer.amount(shown_total)
    for part in document.adjustments:
        label = part.reason or words["charge" if part.is_charge else "discount"]
        if part.percent is not None:
            label += f" {writer.rate(part.percent)}"
        if len(document.taxes) > 1 and part.category != "O":
            label += f" ({words['tax']} {writer.rate(part.rate)})"
        yield label, writer.amount(part.shown if part.is_charge else -part.shown)
    if not is_gross:
        yield words["net"], writer.amount(document.net)
    for group in document.taxes:
        if group.category == "O":
            continue
        label = f"{words['included' if is_gross else 'tax']} {writer.rate(group.rate)}"
        if len(document.taxes) > 1 or is_gross:
            label += f" {words['on']} {writer.amount(group.base)}"
        yield label, writer.amount(group.tax)


def _settled(document: InvoiceDocument, writer: _Writer) -> Iterator[tuple[str, str]]:
    for name, value in (("paid", document.paid), ("credited", document.credited)):
        if value:
            yield writer.words[name], writer.money(-value)
    # With it the rows come to what is to be paid.
    overpaid = document.paid + document.credited - document.total
    if overpaid > 0 and _shows_open(document):
        yield writer.words["overpaid"], writer.money(overpaid)


def _shows_open(document: InvoiceDocument) -> bool:
    return bool(document.paid or document.credited)


def _remarks(document: InvoiceDocument, writer: _Writer) -> Iterator[str]:
    """The remarks that the law asks for, and those that somebody wrote."""
    for group in document.taxes:
        usual = REASONS.get(group.category, "")
        reason = writer.words.get(group.category, "") if usual else ""
        written = "" if group.reason == usual else group.reason
        yield ": ".join(text for text in (reason, written) if text)
    if document.prices_are_gross and any(group.tax for group in document.taxes):
        yield writer.words["gross_note"]
    yield document.terms
    yield document.notes


def _payment(document: InvoiceDocument, writer: _Writer) -> dict[str, Any]:
    """The payment instructions, where there is something to pay."""
    words = writer.words
    if document.kind == CREDIT_NOTE or not document.number or document.state in ("cancelled", "credited"):
        return {}
    if document.open <= 0:
        return {"text": words["settled"], "rows": []} if document.total > 0 else {}
    sentence = words["by" if document.due_on else "now"]
    rows = []
    if document.iban or document.bank_account:
        rows = [
            [words["holder"], document.account_holder or document.seller.name],
            [words["iban"], grouped_iban(document.iban)],
            [words["bic"], document.bic],
            [words["account"], document.bank_account],
            [words["purpose"], document.payment_reference or document.number],
        ]
    return {
        "title": words["payment"],
        "text": sentence.format(amount=writer.money(document.open), day=writer.day(document.due_on)),
        "rows": [row for row in rows if row[1]],
    }


def _footer(document: InvoiceDocument, writer: _Writer) -> list[list[str]]:
    """The three columns at the foot of each page: who we are, how to reach us, our numbers."""
    seller, words = document.seller, writer.words
    address = _party(seller, with_country=False, writer=writer)
    numbers = [
        f"{words[name]} {text}"
        for name, text in (
            ("vat_id", seller.vat_id),
            ("tax_number", seller.tax_number),
            ("registration", seller.registration),
        )
        if text
    ]
    contact = "" if seller.contact == seller.name else seller.contact
    bank = [f"IBAN {grouped_iban(document.iban)}"] if document.iban else []
    columns = [[seller.name, *address["lines"]], [contact, seller.phone, seller.email], [*numbers, *bank]]
    return [[text for text in column if text] for column in columns]
