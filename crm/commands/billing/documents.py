"""An invoice as a document: with both parties, every figure and its state, for the screen, JSON, PDF and XML."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from typing import Any

from crm.commands.billing.own_account import is_of_client, own_credit
from crm.commands.context import CRM
from crm.errors import RefusedError
from crm.invoicing.document import CREDIT_NOTE, DocumentLine, InvoiceDocument, Party
from crm.invoicing.state import state_of
from crm.invoicing.totals import completed
from crm.model import Adjustment, Client, Invoice, InvoiceLine, Message
from crm.model.money import NOTHING, as_written_in, decimals_of
from crm.model.rights import ALL, UPDATE, level
from crm.model.units import PIECE
from crm.model.vat_ids import bare_vat_id, is_other_tax_id
from crm.repository import Snapshot, Transaction, bills
from crm.repository.queries import billing

# What is frozen beside the seller: where is paid to.
BANK = ("iban", "bic", "bank_account", "account_holder")


@dataclass(frozen=True, slots=True)
class InvoiceCard:
    """An invoice as it is shown: the record, its client, its lines and adjustments, and the document they make.
    `corrected` is the number of the invoice that a credit note takes back."""

    invoice: Invoice
    client: Client
    lines: Sequence[InvoiceLine]
    adjustments: Sequence[Adjustment]
    document: InvoiceDocument
    # The credit of the client in its currency, where it could pay of it.
    credit: Decimal = NOTHING
    # The state of the last e-mail with it, '' where there is none.
    message_state: str = ""

    @property
    def state(self) -> str:
        """The state as it is shown everywhere."""
        return self.document.state

    def as_json(self) -> dict[str, Any]:
        """The invoice as scripts read it: money with the decimals of its currency."""
        document, invoice = self.document, self.invoice
        decimals = decimals_of(document.currency)

        def money(amount: Decimal) -> str:
            return f"{as_written_in(amount, document.currency):f}"

        return {
            "id": invoice.id,
            "number": invoice.number,
            "kind": invoice.kind,
            "state": self.state,
            "client": invoice.client,
            "client_name": self.client.name,
            "issued_on": invoice.issued_on,
            "due_on": document.due_on,
            "delivered_on": invoice.delivered_on,
            "sent_on": invoice.sent_on,
            "sendings": invoice.sendings,
            "period_from": invoice.period_from,
            "period_to": invoice.period_to,
            "currency": document.currency,
            "gross": invoice.gross,
            "corrects": document.corrects_number,
            "buyer_reference": document.buyer_reference,
            "order_reference": document.order_reference,
            "notes": document.notes,
            "terms": document.terms,
            "lines": [
                {
                    "position": line.position,
                    "name": line.name,
                    "description": line.description,
                    "quantity": bare(line.quantity),
                    "unit": line.unit,
                    "price": bare(line.price, decimals),
                    "basis": bare(line.basis),
                    "discount": money(sum(line.discounts, Decimal(0))),
                    "charge": money(sum(line.charges, Decimal(0))),
                    "discounts": [money(part) for part in line.discounts],
                    "charges": [money(part) for part in line.charges],
                    "tax_category": line.category,
                    "tax_rate": bare(line.rate),
                    "net": money(line.net),
                }
                for line in document.lines
            ],
            "adjustments": [
                {
                    "id": adjustment.id,
                    "kind": "charge" if adjustment.is_charge else "discount",
                    "amount": money(adjustment.amount) if not adjustment.percent else "",
                    "percent": bare(adjustment.percent) if adjustment.percent else "",
                    "tax_category": adjustment.tax_category,
                    "tax_rate": bare(adjustment.tax_rate) if adjustment.tax_category else "",
                    "reason": adjustment.reason,
                }
                for adjustment in self.adjustments
            ],
            "taxes": [
                {
                    "category": group.category,
                    "rate": bare(group.rate),
                    "base": money(group.base),
                    "tax": money(group.tax),
                    "reason": group.reason,
                }
                for group in document.taxes
            ],
            "net": money(document.net),
            "tax": money(document.tax),
            "total": money(document.total),
            "paid": money(invoice.paid),
            "credited": money(invoice.credited),
            "open": money(invoice.open),
            "overpaid": money(invoice.overpaid),
        }


def bare(number: Decimal, least: int = 0) -> str:
    """A number as a machine writes it, without needless zeros, but with at least so many decimals."""
    plain = f"{number.normalize():f}" if number else "0"
    whole, _, decimals = plain.partition(".")
    decimals = decimals.ljust(least, "0")
    return f"{whole}.{decimals}" if decimals else whole


def seller_of(settings: Mapping[str, str]) -> dict[str, Any]:
    """The team as the seller, and its account, as the settings have them. The
    number of a country without VAT is no VAT id, also in e-invoices."""
    is_no_vat_id = is_other_tax_id(settings["vat_id"], settings["country"])
    party = Party(
        name=settings["company_name"],
        street=settings["company_address"],
        postcode=settings["company_postcode"],
        city=settings["company_city"],
        region=settings["company_region"],
        country=settings["country"],
        vat_id="" if is_no_vat_id else settings["vat_id"],
        tax_number=settings["tax_number"] or (settings["vat_id"] if is_no_vat_id else ""),
        contact=settings["company_name"],
        phone=settings["company_phone"],
        email=settings["company_email"],
        electronic_address=settings["company_email"],
        electronic_scheme="EM" if settings["company_email"] else "",
    )
    return {**asdict(party), **{name: settings.get(name, "") for name in BANK}}


def buyer_of(client: Client) -> Party:
    """A client as the buyer."""
    email, tax_id = client.invoice_email or client.email, bare_vat_id(client.tax_id)
    address, scheme = _electronic_address(client.electronic_address or email)
    return Party(
        name=client.company or client.name,
        contact=client.name if client.company and client.name != client.company else "",
        street=client.address,
        postcode=client.postcode,
        city=client.city,
        region=client.region,
        country=client.country,
        vat_id="" if is_other_tax_id(tax_id, client.country) else tax_id,
        phone=client.phone,
        email=email,
        electronic_address=address,
        electronic_scheme=scheme,
    )


def _electronic_address(written: str) -> tuple[str, str]:
    """An address for e-invoices, and its scheme: 9930:DE123456789, or an e-mail address."""
    if not written or "@" in written:
        return written, "EM" if written else ""
    scheme, _, address = written.partition(":")
    return address, scheme


def _words(frozen: str, *more: str) -> dict[str, Any]:
    """The words of a frozen party, and `more` that are beside it; of a damaged one, what can be read."""
    names = {*(field.name for field in fields(Party)), *more}
    words = {name: value for name, value in bills.party_of(frozen).items() if name in names and isinstance(value, str)}
    return {"name": "", **words}


def format_for(client: Client) -> str:
    """The format of e-invoices that a client needs; '' where a PDF alone will do."""
    return "" if client.invoice_format == "none" else client.invoice_format


def is_beside(client: Client) -> bool:
    """Return whether the e-invoice of a client is a file of its own, and not inside the PDF."""
    return format_for(client) not in ("", "factur-x")


def card_of(crm: CRM, snapshot: Snapshot, invoice: Invoice, before: InvoiceCard | None = None) -> InvoiceCard:
    """An invoice with all that it is shown with; its lines and adjustments are those of the card `before`, where there
    is one."""
    lines, adjustments = (before.lines, before.adjustments) if before else bills.belonging(snapshot, invoice.id)
    client = snapshot.get(Client, invoice.client)
    corrected = snapshot.find(Invoice, invoice.corrects) if invoice.corrects else None
    document = document_of(crm.settings, invoice, client, lines, adjustments, corrected)
    state = shown_state(invoice, snapshot.today)
    document, credit = replace(document, state=state), _credit(crm, snapshot, invoice, client)
    return InvoiceCard(invoice, client, lines, adjustments, document, credit, _message_state(crm, snapshot, invoice))


def _message_state(crm: CRM, snapshot: Snapshot, invoice: Invoice) -> str:
    if not invoice.message or is_of_client(crm):
        return ""
    message = snapshot.find(Message, invoice.message)
    return message.state if message else ""


def _credit(crm: CRM, snapshot: Snapshot, invoice: Invoice, client: Client) -> Decimal:
    """The credit of a client by which a draft or an open invoice could be paid."""
    takes_credit = invoice.kind == "invoice" and (invoice.state == "draft" or invoice.open > NOTHING)
    # The client has the sum of the team's currency beside it.
    if not takes_credit or (invoice.currency == crm.settings["currency"] and not client.credit):
        return NOTHING
    if is_of_client(crm):
        return max(own_credit(snapshot).get(invoice.currency, NOTHING), NOTHING)
    return billing.credit_by_currency(snapshot, [client.id]).get(client.id, {}).get(invoice.currency, NOTHING)


def for_file(crm: CRM, card: InvoiceCard, format: str = "") -> InvoiceCard:
    """The card as a file is made of it: an issued invoice without a buyer's reference gets the one that the client has
    now, and where the format needs addresses for e-invoices, those of both parties that were blank. The caller stores
    them with `keep_filled_in`."""
    if card.invoice.state != "issued" or level(crm.reader.role, Invoice.kind_name, UPDATE) is not ALL:
        return card
    document = card.document
    document = replace(document, buyer_reference=document.buyer_reference or card.client.buyer_reference)
    if format not in ("", "factur-x"):
        seller = Party(**_words(json.dumps(seller_of(crm.settings))))
        document = replace(
            document,
            seller=_with_address(document.seller, seller),
            buyer=_with_address(document.buyer, buyer_of(card.client)),
        )
    return replace(card, document=document)


def _with_address(frozen: Party, now: Party) -> Party:
    """A party as it was on issue, with the address for e-invoices that it has now where it had none."""
    if frozen.electronic_address:
        return frozen
    return replace(frozen, electronic_address=now.electronic_address, electronic_scheme=now.electronic_scheme)


def filled_in(card: InvoiceCard, current: Invoice) -> dict[str, str]:
    """The changes of an issued invoice by which it keeps what is filled in on its card."""
    document = card.document
    changes = {
        "buyer_reference": current.buyer_reference or document.buyer_reference,
        "seller": bills.filled_in(current.seller, json.dumps(asdict(document.seller))),
        "buyer": bills.filled_in(current.buyer, json.dumps(asdict(document.buyer))),
    }
    return {name: value for name, value in changes.items() if value != getattr(current, name)}


def keep_filled_in(tx: Transaction, card: InvoiceCard) -> None:
    """Write what is filled in on the card into its invoice, once; from then on it stays. Raises RefusedError where the
    invoice has got something else since."""
    current = tx.get(Invoice, card.invoice.id)
    if current.state != "issued":
        return
    if changes := filled_in(card, current):
        current = tx.change(current, **changes)
    document, kept = card.document, [Party(**_words(party)) for party in (current.seller, current.buyer)]
    if (current.buyer_reference, *kept) != (document.buyer_reference, document.seller, document.buyer):
        raise RefusedError(
            f"Someone else has just changed the reference or an address of {current.number}. No file was made. Try"
            " again."
        )


def shown_state(invoice: Invoice, today: Any) -> str:
    """The state of an invoice in a word: the same at the desk, on paper and in JSON."""
    return state_of(
        is_issued=invoice.state == "issued",
        total=invoice.total,
        paid=invoice.paid,
        credited=invoice.credited,
        due_on=invoice.due_on,
        today=today,
        kind=invoice.kind,
        used_again=invoice.used_again,
    )


def document_of(
    settings: Mapping[str, str],
    invoice: Invoice,
    client: Client,
    lines: Sequence[InvoiceLine],
    adjustments: Sequence[Adjustment],
    corrected: Invoice | None = None,
) -> InvoiceDocument:
    """The document that an invoice makes: the parties as they were on issue, of a draft as they are now."""
    seller = _words(invoice.seller, *BANK, "language") if invoice.seller else seller_of(settings)
    language = seller.pop("language", "") or settings["language"]
    bank = {name: seller.pop(name, "") for name in BANK}
    buyer = Party(**_words(invoice.buyer)) if invoice.buyer else buyer_of(client)
    document = InvoiceDocument(
        kind=invoice.kind,
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=None if invoice.kind == CREDIT_NOTE else invoice.due_on,
        delivered_on=invoice.delivered_on,
        period_from=invoice.period_from,
        period_to=invoice.period_to,
        currency=invoice.currency,
        prices_are_gross=invoice.gross,
        language=language,
        seller=Party(**seller),
        buyer=buyer,
        lines=tuple(_line(line) for line in lines),
        paid=invoice.paid,
        credited=invoice.credited,
        corrects_number=corrected.number if corrected else "",
        corrects_date=corrected.issued_on if corrected else None,
        # Of an issued invoice it is its own: it does not follow the client.
        buyer_reference=invoice.buyer_reference or ("" if invoice.buyer else client.buyer_reference),
        order_reference=invoice.order_reference,
        exemption_reason=invoice.exemption_reason,
        notes=invoice.notes,
        terms=invoice.terms or ("" if invoice.number else settings["payment_terms"]),
        **bank,
    )
    return completed(document, [bills.adjusted(adjustment) for adjustment in adjustments])


def _line(line: InvoiceLine) -> DocumentLine:
    priced = bills.priced(line)
    return DocumentLine(
        position=line.position,
        name=line.name,
        description=line.description,
        unit=line.unit or PIECE,
        quantity=priced.quantity,
        price=priced.price,
        basis=priced.basis,
        discounts=priced.discounts,
        charges=priced.charges,
        category=priced.category,
        rate=priced.rate,
    )
