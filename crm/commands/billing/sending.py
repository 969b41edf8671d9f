"""Invoices and receipts on their way to the client: through the outbox, which sends each message once."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from crm.commands.billing.documents import InvoiceCard, card_of, for_file, format_for, is_beside, keep_filled_in
from crm.commands.billing.files import einvoice_notice, einvoice_of, file_name, pdf_of
from crm.commands.billing.lines import TheInvoice
from crm.commands.billing.payments import PaymentCard
from crm.commands.billing.payments import card_of as payment_card_of
from crm.commands.context import CRM
from crm.commands.mail import outbox, sms
from crm.commands.mail.composing import Addressees, Preview, Written, attached, previewed
from crm.commands.mail.merge_fields import ProseWithFields
from crm.commands.mail.messages import MessageCard, tried
from crm.commands.registry import About, command
from crm.errors import FieldError, Question, RefusedError, confirmation
from crm.model import CHANNELS, WAITING, Conventions, Invoice, Message, Payment, Template
from crm.model.fields import Choice
from crm.repository import Snapshot, Transaction

To = Annotated[tuple[str, ...], Addressees(), About("To", "the address for invoices, or the client's, by default")]
CC = Annotated[tuple[str, ...], Addressees(), About("CC", "who gets a copy, visible to all")]
BCC = Annotated[tuple[str, ...], Addressees(), About("BCC", "who gets a hidden copy")]


def plain_text(text: str) -> str:
    """A text whose braces are none of a template's fields."""
    return text.replace("{", "{{").replace("}", "}}")


def as_body(text: str) -> str:
    """A text as the body of an e-mail in which no sign means anything but the - before an entry of a list: what is in
    records is text, and no link."""
    from crm.outward.markdown import escaped

    lines = ((line[:2], line[2:]) if line.startswith("- ") else ("", line) for line in text.split("\n"))
    return plain_text("\n".join(begin + escaped(rest) for begin, rest in lines))


def in_currency(by: Conventions, currency: str) -> Conventions:
    """The team's conventions with the currency of a document."""
    return by if currency in ("", by.currency) else replace(by, currency=currency)


@command("invoices send", title="Send an invoice")
def send(
    crm: CRM,
    invoice: TheInvoice,
    to: To = (),
    cc: CC = (),
    bcc: BCC = (),
    template: Annotated[
        Template | None, About("Template", "its number or name; a short standard text by default")
    ] = None,
    text: Annotated[str, ProseWithFields(), About("Text", "instead of the template's")] = "",
    again: Annotated[bool, About("Again", "even if it was already sent")] = False,
    yes: bool = False,
) -> MessageCard:
    """Send an issued invoice by e-mail as a PDF, after a preview: with the e-invoice inside, or beside it where
    the client needs XRechnung or Peppol."""
    outbox.refuse_unsendable(crm)
    with crm.read() as snapshot:
        current = card_of(crm, snapshot, snapshot.get(Invoice, invoice.id))
        card = for_file(crm, current, format_for(current.client))
        if card.invoice.state == "draft":
            raise RefusedError("A draft cannot be sent. Issue it first.")
        _refuse_second_e_mail(crm, snapshot, card.invoice, again=again)
        written = Written(
            client=card.client, template=template, body=text or ("" if template else _invoice_text(crm, card)),
            subject="" if template else plain_text(_title(crm, card)),
            to=to or tuple(filter(None, [card.client.invoice_email])), cc=cc, bcc=bcc,
        )  # fmt: skip
        preview = previewed(crm, snapshot, written)
    # Before anything is asked: what is missing for the format of the client is named.
    xml = einvoice_of(card, format_for(card.client)) if is_beside(card.client) else b""
    if not yes:
        files = [file_name(card, ending) for ending in (".pdf", *([".xml"] if xml else []))]
        attached_line = f"Attached: {', '.join(files)}"
        if notice := einvoice_notice(card):
            attached_line = f"{attached_line}\n{notice}"
        question = f"{preview.full_text}\n\n{attached_line}\n\nSend this to {card.client.name}?"
        raise confirmation(question, "Send it", destructive=True)
    draft = replace(preview.draft, attachments=_attached_files(crm, card, xml))

    def change(tx: Transaction) -> Message:
        current = tx.get(Invoice, card.invoice.id)
        _refuse_second_e_mail(crm, tx, current, again=again and current.message == card.invoice.message)
        keep_filled_in(tx, card)
        current = tx.get(Invoice, card.invoice.id)
        queued = outbox.queue(tx, crm, draft)
        tx.change(current, message=queued.id)
        return queued

    return tried(crm, crm.transact(change, f"sent {card.invoice.number} to {card.client.name}"))


def _refuse_second_e_mail(crm: CRM, snapshot: Snapshot, invoice: Invoice, *, again: bool) -> None:
    """Refuse to send an invoice whose e-mail is still on its way, and ask whether one that was sent, or may have been,
    is sent `again`; `--yes` alone does not answer that."""
    message = snapshot.find(Message, invoice.message) if invoice.message else None
    if message is not None and message.state in WAITING:
        raise RefusedError(
            f"The e-mail with {invoice.number} is waiting in the outbox. `email outbox` sends it. Nothing was sent now."
        )
    if again:
        return
    if message is not None and message.state == "unsure":
        asked = f"{invoice.number} may have been sent already. Ask the client first. Nothing was sent now."
    elif invoice.sent_on:
        times = f" {invoice.sendings} times, last" if invoice.sendings > 1 else ""
        day = crm.conventions.day(invoice.sent_on)
        asked = f"{invoice.number} was already sent,{times} on {day}. Nothing was sent now."
    else:
        return
    raise Question(
        asked,
        parameter="again",
        choices={"yes": "Send it again"},
        kind="duplicates",
        destructive=True,
    )


def _attached_files(crm: CRM, card: InvoiceCard, xml: bytes) -> tuple[str, ...]:
    """The PDF of an invoice, and the e-invoice where there is one beside it, as a message has them attached."""
    with tempfile.TemporaryDirectory(prefix="crm-") as folder:
        file = Path(folder) / file_name(card, ".pdf")
        file.write_bytes(pdf_of(crm, card)[0])
        files = [file]
        if xml:
            files.append(Path(folder) / file_name(card, ".xml"))
            files[-1].write_bytes(xml)
        return attached(crm, files)


def _title(crm: CRM, card: InvoiceCard) -> str:
    noun = "Credit note" if card.invoice.kind == "credit_note" else "Invoice"
    company = crm.settings["company_name"]
    return f"{noun} {card.invoice.number}{f' from {company}' if company else ''}"


def _invoice_text(crm: CRM, card: InvoiceCard) -> str:
    by = in_currency(crm.conventions, card.invoice.currency)
    noun = "credit note" if card.invoice.kind == "credit_note" else "invoice"
    due = f", due on {by.day(card.document.due_on)}" if card.document.due_on and card.invoice.open > 0 else ""
    text = f"Please find attached {noun} {card.invoice.number} for {by.money(card.invoice.total)}{due}."
    return as_body(f"Dear Sir or Madam,\n\n{text}\n\nKind regards\n\n{crm.settings['company_name'] or crm.me}")


@command("receipts send", title="Send a receipt", menu="payments", hint="Confirm a payment by e-mail")
def send_receipt(
    crm: CRM,
    payment: Annotated[Payment, About("Payment", "its number", positional=True)],
    by: Annotated[str, Choice(CHANNELS), About("By", "email or sms")] = "email",
    to: To = (),
    yes: bool = False,
) -> MessageCard:
    """Send a receipt for a payment, once by e-mail and once by SMS."""
    by = by or "email"
    outbox.refuse_unsendable(crm, by)
    with crm.read() as snapshot:
        card = payment_card_of(crm, snapshot, snapshot.get(Payment, payment.id))
        _refuse_second(card.payment, by)
        preview: Preview | sms.SmsPreview
        if by == "sms":
            text = plain_text(_receipt_line(crm, card))
            preview = sms.previewed(crm, snapshot, card.client, text, None, next(iter(to), ""))
        else:
            company = crm.settings["company_name"]
            written = Written(
                client=card.client, subject=plain_text(f"Receipt{f' from {company}' if company else ''}"),
                body=as_body(_receipt_text(crm, card)),
                to=to or tuple(filter(None, [card.client.invoice_email])),
            )  # fmt: skip
            preview = previewed(crm, snapshot, written)
    if not yes:
        question = f"{preview.full_text}\n\nSend this to {card.client.name}?"
        raise confirmation(question, "Send it", destructive=True)
    draft = preview.draft

    def change(tx: Transaction) -> Message:
        current = tx.get(Payment, payment.id)
        _refuse_second(current, by)
        ways = [way for way in current.receipts.split(", ") if way]
        tx.change(current, receipts=", ".join([*ways, by]))
        return outbox.queue(tx, crm, draft)

    return tried(crm, crm.transact(change, f"sent a receipt to {card.client.name}"))


def _refuse_second(payment: Payment, by: str) -> None:
    if by in payment.receipts.split(", "):
        raise RefusedError(f"A receipt for payment {payment.id} was sent by {CHANNELS[by]} already. Nothing was sent.")
    if payment.kind == "refund":
        raise FieldError("a refund has no receipt", field="payment", label="Payment")


def _receipt_line(crm: CRM, card: PaymentCard) -> str:
    by = in_currency(crm.conventions, card.payment.currency)
    numbers = ", ".join(invoice.number for invoice, _ in card.parts)
    what = f" for {numbers}" if numbers else ""
    thanks = f"Thank you. We received {by.money(card.payment.amount)} on {by.day(card.payment.on)}{what}."
    return f"{thanks} {crm.settings['company_name']}".rstrip()


def _receipt_text(crm: CRM, card: PaymentCard) -> str:
    by = in_currency(crm.conventions, card.payment.currency)
    lines: list[str] = [_receipt_line(crm, card), ""]
    lines += [f"- {invoice.number}: {by.money(amount)}" for invoice, amount in card.parts]
    if card.payment.left > 0:
        lines.append(f"- credit: {by.money(card.payment.left)}")
    return "\n".join(lines)
