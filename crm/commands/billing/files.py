"""Invoices as files: PDF and e-invoices, and a look at an e-invoice of somebody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from crm.atomic_write import atomic_write
from crm.commands.billing.documents import InvoiceCard, card_of, filled_in, for_file, format_for, keep_filled_in
from crm.commands.billing.issuing import lacking, stays
from crm.commands.billing.lines import TheInvoice
from crm.commands.billing.own_account import is_of_client
from crm.commands.context import CRM
from crm.commands.file_output import confirm_overwrite, ending_of
from crm.commands.registry import EVERYBODY, About, command
from crm.errors import FileError, RefusedError
from crm.invoicing.document import InvoiceDocument
from crm.invoicing.requirements import Missing, missing
from crm.model import FILLED_AFTER_ISSUE, Client, Invoice
from crm.model.fields import Choice
from crm.model.local_taxes import LOCAL_TAXES
from crm.model.paths import display_path, path_of
from crm.outward.einvoice import FORMATS, check, write
from crm.outward.einvoice.faults import Checked
from crm.outward.invoice_pdf import make_pdf, payment_code

# More is no invoice, and is not read.
_LARGEST = 30_000_000
# What is filled in after the issue.
_FILLED_IN = FILLED_AFTER_ISSUE | {"electronic_address"}


@dataclass(frozen=True, slots=True)
class InvoiceFile:
    """A file that was written: of which invoice, and what to know of it."""

    file: Path
    number: str
    notice: str = ""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """An e-invoice of somebody else, and what is wrong with it."""

    file: Path
    checked: Checked

    @property
    def exit_code(self) -> int:
        """The exit code of the shell: 1 if the invoice has faults."""
        return int(bool(self.checked.faults))


@dataclass(frozen=True, slots=True)
class PaymentCode:
    """The code by which a phone pays what is open on an invoice, as text for the screen."""

    number: str
    amount: Decimal
    currency: str
    code: str


def file_name(card: InvoiceCard, ending: str) -> str:
    """The name of a file that an invoice gets: its number, with signs that a file can have."""
    name = card.invoice.number or f"draft-{card.invoice.id}"
    return "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in name) + ending


def _place(to: Path | None, card: InvoiceCard, ending: str) -> Path:
    """The place where a file is written: in a folder, it is named after the invoice. Raises FieldError for a name with
    another ending."""
    if to is None or to.is_dir():
        return (to or Path()) / file_name(card, ending)
    ending_of(to, (ending,), field="to", label="To")
    return to


def pdf_of(crm: CRM, card: InvoiceCard) -> tuple[bytes, str]:
    """The PDF of an invoice from the team's template, with the e-invoice inside where it has all that one needs and the
    client wants no other, and what to know of it."""
    document, xml, notices = card.document, b"", []
    if card.invoice.state == "issued" and card.client.invoice_format in ("", "factur-x"):
        if notice := einvoice_notice(card):
            # A client can fill in nothing.
            notices += [] if is_of_client(crm) else [notice]
        elif not missing(document, "factur-x"):
            xml = write(document, "factur-x")
    template = crm.settings["invoice_template"]
    made = make_pdf(document, xml=xml, template=path_of(template) if template else None)
    return made.data, " ".join([*notices, *([made.notice] if made.notice else [])])


def einvoice_notice(card: InvoiceCard) -> str:
    """The reason why the PDF of an issued invoice has no e-invoice inside, '' where it has one, or nobody expects
    one."""
    lacks = lacks_for_einvoice(card.client, card.document)
    if not lacks:
        return ""
    lacking = f"No e-invoice is inside. Missing: {'; '.join(lack.sentence for lack in lacks)}."
    if not card.client.invoice_format:
        return f"The PDF can be sent as it is. {lacking}"
    return f"{lacking}{_afterwards(lacks, card, named=False)}"


def lacks_for_einvoice(client: Client, document: InvoiceDocument) -> Sequence[Missing]:
    """Everything that the e-invoice in the PDF of an invoice lacks; nothing where nobody expects one: the client wants
    none inside, or says nothing and the team is in a country without VAT."""
    is_expected = not client.invoice_format and document.seller.country not in LOCAL_TAXES
    return missing(document, "factur-x") if is_expected or client.invoice_format == "factur-x" else ()


def _afterwards(lacks: Sequence[Missing], card: InvoiceCard, otherwise: str = "", *, named: bool = True) -> str:
    """The sentence that says what helps where something is missing that an issued invoice does not take any more;
    the commands for it are `named` where it is not seen in the menu, too."""
    parties = {"seller": card.document.seller, "buyer": card.document.buyer}
    addressed = [of for of, party in parties.items() if party.electronic_address]
    if all(lack.field in _FILLED_IN and lack.of not in addressed for lack in lacks):
        return otherwise
    number = card.invoice.number
    credited = f"credit it (`invoices credit {number}`)" if named else "credit it"
    copy = f" (`invoices copy {number}`)" if named else ""
    if any(lack.field == "currency" for lack in lacks):
        again = f"{credited} and draft it again in another currency"
    elif any(map(stays, lacks)):
        again = f"{credited}, copy it{copy}, and correct the copy before you issue it"
    else:
        again = f"fill this in, then {credited} and issue a copy of it{copy}"
    return f" {number} stays as it was issued: {again}."


def einvoice_of(card: InvoiceCard, format: str) -> bytes:
    """An issued invoice as XML in a format. Raises RefusedError, naming what is missing."""
    if lacks := missing(card.document, format):
        sentence = f"It cannot be written as {format} yet"
        raise RefusedError(lacking(lacks, sentence, _afterwards(lacks, card, " Nothing was changed."), is_issued=True))
    return write(card.document, format)


@command("invoices pdf", title="Make a PDF", roles=EVERYBODY)
def pdf(
    crm: CRM,
    invoice: TheInvoice,
    to: Annotated[
        Path | None,
        About("To", "the file, or a folder; named after the number by default", makes=(".pdf",), names_file=True),
    ] = None,
    yes: bool = False,
) -> InvoiceFile:
    """Write an invoice as a PDF, with an e-invoice inside that programs can read. A draft is marked as a draft."""
    card = _read(crm, invoice)
    file = _place(to, card, ".pdf")
    confirm_overwrite(file, yes)
    data, notice = pdf_of(crm, card)
    _keep_filled_in(crm, card)
    _write(file, data)
    return InvoiceFile(file, card.invoice.number, notice)


@command("invoices xml", title="Make an e-invoice")
def xml(
    crm: CRM,
    invoice: TheInvoice,
    format: Annotated[
        str, Choice(FORMATS), About("Format", f"the client's by default, otherwise factur-x: {', '.join(FORMATS)}")
    ] = "",
    to: Annotated[
        Path | None,
        About("To", "the file, or a folder; named after the number by default", makes=(".xml",), names_file=True),
    ] = None,
    yes: bool = False,
) -> InvoiceFile:
    """Write an issued invoice as an e-invoice, or name what the format needs and is missing."""
    card = _read(crm, invoice)
    if card.invoice.state == "draft":
        raise RefusedError("A draft cannot be an e-invoice. Issue it first.")
    chosen = format or format_for(card.client) or "factur-x"
    card = for_file(crm, card, chosen)
    data = einvoice_of(card, chosen)
    file = _place(to, card, ".xml")
    confirm_overwrite(file, yes)
    _keep_filled_in(crm, card)
    _write(file, data)
    return InvoiceFile(file, card.invoice.number)


@command("invoices qr", title="Show the code to pay by phone", roles=EVERYBODY)
def qr(crm: CRM, invoice: TheInvoice) -> PaymentCode:
    """Show the code that a banking app reads from the screen: account, open amount and number (EPC, in euro)."""
    document = _read(crm, invoice).document
    code = payment_code(document)
    if not code and is_of_client(crm):
        raise RefusedError(
            "No payment code for this invoice. A code needs an unpaid invoice in euro. Ask us how to pay it."
        )
    if not code:
        raise RefusedError(
            "No payment code for this invoice. A code needs an issued, unpaid invoice in euro, and your IBAN"
            " (`settings set iban`)."
        )
    return PaymentCode(document.number, document.open, document.currency, code)


@command("invoices check", title="Check an e-invoice", menu="invoices", hint="Read one that you received")
def check_file(crm: CRM, file: Annotated[Path, About("File", "XML, or a PDF", positional=True)]) -> CheckedFile:
    """Read an e-invoice that you received, as XML or inside a PDF, and say what is wrong with it."""
    crm.demand_session()
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except OSError as error:
        raise FileError(f"{display_path(file)} cannot be read: {error.strerror}.") from error
    if len(data) > _LARGEST:
        raise FileError(f"{display_path(file)} is too large for an invoice.")
    return CheckedFile(file, check(data))


def _read(crm: CRM, invoice: Invoice) -> InvoiceCard:
    with crm.read() as snapshot:
        return for_file(crm, card_of(crm, snapshot, snapshot.get(Invoice, invoice.id)))


def _keep_filled_in(crm: CRM, card: InvoiceCard) -> None:
    if card.invoice.state == "issued" and (filled := filled_in(card, card.invoice)):
        what = "the buyer's reference" if "buyer_reference" in filled else "the address for e-invoices"
        crm.transact(lambda tx: keep_filled_in(tx, card), f"wrote {what} into {card.invoice.number}")


def _write(file: Path, data: bytes) -> None:
    try:
        with atomic_write(file) as opened:
            opened.write(data)
    except OSError as error:
        raise FileError(
            f"{display_path(file)} could not be written: {error.strerror}. The invoice stays as it is."
        ) from error
