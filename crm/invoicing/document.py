"""An invoice as it is printed: what a PDF, an e-invoice and a screen are made from.

Amounts are Decimal in major units. Quantities and prices have up to four decimals, rates are per cent (Decimal("19")).
`totals.completed` computes every figure; nothing else may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from crm.model.billing import ABOVE_ZERO, TAX_CATEGORIES, TAXED_CATEGORIES
from crm.model.units import PIECE

INVOICE: Final = "invoice"
CREDIT_NOTE: Final = "credit_note"
KINDS: Final[Mapping[str, str]] = {INVOICE: "invoice", CREDIT_NOTE: "credit note"}

# As a person calls them (UNTDID 5305).
CATEGORIES: Final = TAX_CATEGORIES
# Those that have a rate, and of them those whose rate is never 0.
TAXED: Final = TAXED_CATEGORIES
NEVER_ZERO: Final = ABOVE_ZERO
# What a document says where a category has no tax and nobody has written a reason.
REASONS: Final[Mapping[str, str]] = {
    "AE": "Reverse charge",
    "K": "Intra-Community supply",
    "G": "Export outside the EU",
    "O": "Not subject to VAT",
}
NOTHING: Final = Decimal("0.00")
ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """The seller or the buyer as they are on a document."""

    name: str
    street: str = ""
    extra_line: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    """ISO 3166-1, two letters."""
    vat_id: str = ""
    """The number with its country: DE123456789."""
    tax_number: str = ""
    """The number of the local tax office, where there is no VAT id."""
    registration: str = ""
    """The number in a public register."""
    contact: str = ""
    phone: str = ""
    email: str = ""
    electronic_address: str = ""
    """The address for e-invoices, without its scheme: 9930 and DE123456789 are two fields."""
    electronic_scheme: str = ""
    """A code of the EAS list: 9930, 0088, 0204; EM for an e-mail address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """The figures of a line that the totals need. `price` is for `basis` units: 12.00 for 100 pieces is price 12, basis
    100.

    In a document with gross prices, `price`, `discounts` and `charges` include the tax.
    """

    quantity: Decimal = ONE
    price: Decimal = NOTHING
    basis: Decimal = ONE
    discounts: tuple[Decimal, ...] = ()
    charges: tuple[Decimal, ...] = ()
    category: str = "S"
    rate: Decimal = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine(PricedLine):
    """A line as it is printed. `net` is computed; `amount` is what the line shows: net, or gross with gross prices."""

    position: int
    name: str
    description: str = ""
    unit: str = PIECE
    """A code of UN/ECE Recommendation 20: C62 (piece), HUR (hour), DAY, MON."""
    item_number: str = ""
    period_from: date | None = None
    period_to: date | None = None
    net: Decimal = NOTHING
    amount: Decimal = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """A discount or a charge on the whole document, as somebody enters it: an amount or a percentage (one of them).

    Without a category and a rate it is shared over all tax groups of the lines, in proportion to them.
    """

    is_charge: bool = False
    amount: Decimal | None = None
    percent: Decimal | None = None
    category: str = ""
    rate: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedAdjustment:
    """The part of an adjustment that falls on one tax group. `amount` is net and positive; `shown` is what a person
    sees: the same, or with its tax where prices are gross. `base` and `percent` are there where it was a percentage."""

    is_charge: bool
    amount: Decimal
    category: str
    rate: Decimal
    reason: str = ""
    shown: Decimal = NOTHING
    percent: Decimal | None = None
    base: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxGroup:
    """The tax of one category and rate: `tax` is computed once from `base`."""

    category: str
    rate: Decimal
    base: Decimal
    tax: Decimal
    reason: str = ""
    """The reason why there is no tax, for all categories but S and Z."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """An invoice or a credit note as it is printed. The amounts of a credit note are positive, as on an invoice."""

    kind: str = INVOICE
    number: str = ""
    """Empty for a draft."""
    issued_on: date | None = None
    due_on: date | None = None
    delivered_on: date | None = None
    period_from: date | None = None
    period_to: date | None = None
    currency: str = "EUR"
    prices_are_gross: bool = False
    language: str = "en"
    """A language as Babel names it; it decides the words, numbers and dates of the PDF."""
    state: str = "draft"
    """The state, as `state.state_of` gives it."""

    seller: Party
    buyer: Party
    delivery: Party | None = None
    """The place of delivery, where it is not the buyer's address."""

    lines: tuple[DocumentLine, ...] = ()
    adjustments: tuple[AppliedAdjustment, ...] = ()
    taxes: tuple[TaxGroup, ...] = ()

    line_total: Decimal = NOTHING
    """The sum of the line nets (BT-106)."""
    discount_total: Decimal = NOTHING
    """Discounts on the document, net (BT-107)."""
    charge_total: Decimal = NOTHING
    """Charges on the document, net (BT-108)."""
    net: Decimal = NOTHING
    tax: Decimal = NOTHING
    total: Decimal = NOTHING
    paid: Decimal = NOTHING
    credited: Decimal = NOTHING
    """The total of its credit notes; an e-invoice counts it as paid."""
    open: Decimal = NOTHING

    corrects_number: str = ""
    """The invoice that a credit note corrects."""
    corrects_date: date | None = None
    buyer_reference: str = ""
    """Leitweg-ID, or what the buyer asked for (BT-10)."""
    order_reference: str = ""
    contract_reference: str = ""
    exemption_reason: str = ""
    """The reason why there is no tax, for category E, and instead of the usual sentence for the others."""
    notes: str = ""
    terms: str = ""

    iban: str = ""
    bic: str = ""
    bank_account: str = ""
    """An account without IBAN, as people write it: a sort code and a number."""
    account_holder: str = ""
    """Empty: the seller's name."""
    payment_reference: str = ""
    """The reference that a transfer should name; empty: the number."""
