"""The law on invoices, and how much of it a document lacks: Directive 2006/112/EC art. 226 and EN 16931."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crm.invoicing.document import CATEGORIES, CREDIT_NOTE, NEVER_ZERO, TAXED, InvoiceDocument, Party, TaxGroup
from crm.invoicing.electronic_address import in_peppol
from crm.model.iban import is_iban
from crm.model.local_labels import local_label
from crm.model.local_taxes import LOCAL_TAXES
from crm.model.money import NOTHING, decimals_of
from crm.model.vat_ids import is_like_vat_id, vat_id_like

_COUNTRY = re.compile(r"[A-Z]{2}")
_XRECHNUNG = ("xrechnung-cii", "xrechnung-ubl")
# An e-invoice has two decimals at most, whatever the currency.
_EINVOICE_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is missing. `of` says where it is filled in: `seller` (the settings), `buyer` (the client),
    `delivery`, `line` or `invoice`; `field` is the field of Party, DocumentLine or InvoiceDocument; `line` is the
    position of a line, else 0; `sentence` says it to a person. In place of a VAT ID a tax number may do."""

    of: str
    field: str
    sentence: str
    line: int = 0
    or_tax_number: bool = False


def missing(document: InvoiceDocument, format: str = "") -> tuple[Missing, ...]:
    """All that is missing before the document may be issued, the seller's first; `format` is one of
    `crm.outward.einvoice.FORMATS` where it is to be sent as an e-invoice, which asks for more. `document` is as
    `totals.completed` makes it; it needs no number and no date yet."""
    categories = {line.category for line in document.lines} | {part.category for part in document.adjustments}
    lacks = [
        *_of_seller(document, categories, has_format=bool(format)),
        *_of_buyer(document, categories),
        *_of_lines(document),
        *_of_invoice(document, categories),
    ]
    if format:
        lacks += _for_einvoice(document, format)
    order = ("seller", "buyer", "delivery", "line", "invoice")
    return tuple(sorted(dict.fromkeys(lacks), key=lambda lack: order.index(lack.of)))


def _of_seller(document: InvoiceDocument, categories: set[str], *, has_format: bool) -> Iterator[Missing]:
    seller = document.seller
    yield from _name_and_address("seller", "your", seller)
    local = LOCAL_TAXES.get(seller.country)
    if local and not (local.is_on_invoices or has_format):
        # An invoice needs no number there, an e-invoice does.
        pass
    elif "O" in categories:
        if not (seller.tax_number or seller.registration):
            yield Missing("seller", "tax_number", "your tax number or your number in a register")
    elif not (seller.vat_id or seller.tax_number):
        yield Missing("seller", "vat_id", f"your {_vat_id_label(seller)} or your tax number", or_tax_number=True)
    if categories & {"AE", "K", "G"} and not seller.vat_id:
        yield Missing(
            "seller", "vat_id", f"your {_vat_id_label(seller)} ({_named(categories & {'AE', 'K', 'G'})} needs it)"
        )
    yield from _vat_id("seller", "your", seller)
    if document.iban and not is_iban(document.iban):
        yield Missing("seller", "iban", "a valid IBAN: the check digits of this one are wrong")


def _of_buyer(document: InvoiceDocument, categories: set[str]) -> Iterator[Missing]:
    buyer = document.buyer
    yield from _name_and_address("buyer", "the client's", buyer)
    if categories & {"AE", "K"} and not buyer.vat_id:
        yield Missing("buyer", "vat_id", f"the client's VAT ID ({_named(categories & {'AE', 'K'})} needs it)")
    yield from _vat_id("buyer", "the client's", buyer)


def _name_and_address(of: str, whose: str, party: Party) -> Iterator[Missing]:
    if not party.name.strip():
        yield Missing(of, "name", f"{whose} name")
    if not (party.street.strip() or party.extra_line.strip()):
        yield Missing(of, "street", f"{whose} address")
    if not party.city.strip():
        yield Missing(of, "city", f"{whose} city")
    if not _COUNTRY.fullmatch(party.country):
        yield Missing(of, "country", f"{whose} country")


def _vat_id_label(party: Party) -> str:
    """The name of the number in the party's country: VAT ID, tax ID in the US, ABN in Australia."""
    label = local_label("VAT ID", party.country)
    return label if label[1:2].isupper() else f"{label[:1].lower()}{label[1:]}"


def _vat_id(of: str, whose: str, party: Party) -> Iterator[Missing]:
    if party.vat_id and not is_like_vat_id(party.vat_id):
        like = vat_id_like(party.vat_id, party.country)
        yield Missing(of, "vat_id", f"{whose} {_vat_id_label(party)} with its country and without blanks, like {like}")


def _of_lines(document: InvoiceDocument) -> Iterator[Missing]:
    if not document.lines:
        yield Missing("invoice", "lines", "at least one line")
    for line in document.lines:
        at = f"in line {line.position}"
        if not line.name.strip():
            yield Missing("line", "name", f"what was sold, {at}", line.position)
        if line.category not in CATEGORIES:
            yield Missing("line", "category", f"a tax category, {at}", line.position)
        elif line.category in NEVER_ZERO and line.rate <= 0:
            yield Missing("line", "rate", f"a tax rate, {at} (or the category: exempt, zero rate, …)", line.position)
        elif line.category not in TAXED and line.rate:
            word = CATEGORIES[line.category]
            yield Missing("line", "rate", f"the rate 0, {at}: {word} has no tax", line.position)


def _rate_words(group: TaxGroup) -> str:
    """The tax of a group in words: 7 %, exempt."""
    return f"{group.rate.normalize():f} %" if group.category in TAXED else CATEGORIES.get(group.category, "one tax")


def _of_invoice(document: InvoiceDocument, categories: set[str]) -> Iterator[Missing]:
    if "E" in categories and not document.exemption_reason.strip():
        yield Missing("invoice", "exemption_reason", "why it is exempt from tax (the law or the article)")
    if "K" in categories:
        if not (document.delivered_on or document.period_from or document.period_to):
            yield Missing("invoice", "delivered_on", "the day of delivery (intra-Community supply needs it)")
        if not _COUNTRY.fullmatch((document.delivery or document.buyer).country):
            yield Missing("delivery", "country", "the country that it was delivered to")
    if "B" in categories and (document.seller.country, document.buyer.country) != ("IT", "IT"):
        yield Missing("invoice", "lines", "both addresses in Italy (split payment is Italian)")
    if {"B", "S"} <= categories:
        yield Missing("invoice", "lines", "an invoice of its own for split payment")
    if "O" in categories and len(categories) > 1:
        yield Missing("invoice", "lines", "an invoice of its own for what is not subject to tax")
    # A total below 0 is refused by itself.
    for group in () if document.number or document.total < 0 else document.taxes:
        lines = sum(
            (line.net for line in document.lines if (line.category, line.rate) == (group.category, group.rate)), NOTHING
        )
        if group.base < 0 <= lines:
            sentence = f"a discount on {_rate_words(group)} that is not more than its lines come to"
            yield Missing("invoice", "adjustments", sentence)
    if document.kind == CREDIT_NOTE and not document.corrects_number:
        yield Missing("invoice", "corrects_number", "the invoice that it corrects")
    if document.period_from and document.period_to and document.period_to < document.period_from:
        yield Missing("invoice", "period_to", "an end of the period that is not before its beginning")
    if document.issued_on and document.due_on and document.due_on < document.issued_on:
        yield Missing("invoice", "due_on", "a due date that is not before the issue date")


def _for_einvoice(document: InvoiceDocument, format: str) -> Iterator[Missing]:
    seller, buyer = document.seller, document.buyer
    if decimals_of(document.currency) > _EINVOICE_DECIMALS:
        yield Missing(
            "invoice", "currency", f"a currency with two decimals at most, as e-invoices have (not {document.currency})"
        )
    is_due = document.open > 0 and document.kind != CREDIT_NOTE
    if is_due and not (document.due_on or document.terms.strip()):
        yield Missing("invoice", "due_on", "a due date or payment terms")
    addressed = in_peppol if format == "peppol" else lambda party: party
    for of, whose, party in (("seller", "your", addressed(seller)), ("buyer", "the client's", addressed(buyer))):
        has_address = bool(party.electronic_address and party.electronic_scheme)
        if format == "peppol" and (not has_address or party.electronic_scheme == "EM"):
            # The client's VAT ID stays as it was on issue; where e-invoices go can still be filled in.
            field = "vat_id" if of == "seller" else "electronic_address"
            yield Missing(of, field, f"{whose} {_vat_id_label(party)}, or an address in Peppol")
        elif format in _XRECHNUNG and not has_address:
            yield Missing(of, "electronic_address", f"{whose} e-mail address, or another address for e-invoices")
    if format == "peppol" and not (document.buyer_reference or document.order_reference):
        yield Missing("invoice", "buyer_reference", "the buyer's reference or order number")
    for line in document.lines:
        if line.category in TAXED and line.rate <= 0:
            sentence = f"a rate above 0 in line {line.position}, as e-invoices need it for {CATEGORIES[line.category]}"
            yield Missing("line", "rate", sentence, line.position)
        begins, ends = line.period_from or line.period_to, line.period_to or line.period_from
        is_early = begins and document.period_from and begins < document.period_from
        is_late = ends and document.period_to and ends > document.period_to
        if format != "factur-x" and (is_early or is_late):
            sentence = f"a period in line {line.position} that lies within that of the invoice"
            yield Missing("line", "period_from", sentence, line.position)
    # Within Germany, Peppol asks for the same as XRechnung.
    if format not in _XRECHNUNG and not (format == "peppol" and seller.country == buyer.country == "DE"):
        return
    # For Peppol one of the two is enough, and if both are missing that is said above.
    if not document.buyer_reference and (format != "peppol" or document.order_reference):
        yield Missing("invoice", "buyer_reference", "the buyer's reference (Leitweg-ID)")
    for field, what in (("contact", "contact person"), ("phone", "phone number"), ("email", "e-mail address")):
        if not getattr(seller, field):
            yield Missing("seller", field, f"your {what}")
    for of, whose, address in (
        ("seller", "your", seller),
        ("buyer", "the client's", buyer),
        ("delivery", "the delivery's", document.delivery or buyer),
    ):
        if not address.postcode and (of != "delivery" or document.delivery):
            yield Missing(of, "postcode", f"{whose} postcode")
    if document.delivery and not document.delivery.city:
        yield Missing("delivery", "city", "the delivery's city")
    if not document.iban:
        yield Missing("seller", "iban", "your IBAN")


def _named(categories: set[str]) -> str:
    return " and ".join(CATEGORIES[category] for category in CATEGORIES if category in categories)
