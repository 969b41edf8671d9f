"""The PDF of an invoice with its e-invoice inside, beside the bare compilation of the same page by typst."""

import dataclasses
import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median

from benchmarks.made_up import crm_at
from benchmarks.measuring import Result, claim, cpu_of
from crm.commands.billing.files import pdf_of
from crm.commands.registry import named
from crm.files.safe_writing import replacing
from crm.invoicing.document import Adjustment, DocumentLine, InvoiceDocument, Party
from crm.invoicing.totals import completed
from crm.outward.einvoice import write
from crm.outward.invoice_pdf import compiling, default_template, make_pdf
from crm.outward.invoice_pdf.content import content
from crm.outward.invoice_pdf.typst_child import font_files

LIMIT, LIMIT_OF_ISSUE = 2.0, 2.0
_LINES, _RUNS = 5, 25
_SELLER = {
    "company_name": "Example & Sons Ltd", "company_address": "Main Street 1", "company_postcode": "10115",
    "company_city": "Berlin", "country": "DE", "vat_id": "DE123456789", "company_phone": "+49 30 1234567",
    "company_email": "billing@example.com", "iban": "DE02120300000000202051", "currency": "EUR",
}  # fmt: skip


def measure(folder: Path) -> Iterator[Result]:
    """A page with its XML and its code, after the first, which also starts the process that compiles."""
    document = _invoice()
    numbers = itertools.count(1)

    def ours() -> None:
        numbered = dataclasses.replace(document, number=f"RE-{next(numbers)}")
        assert make_pdf(numbered, xml=write(numbered, "factur-x")).is_archival

    bare = _Bare(folder / "bare", document)
    yield claim(
        f"PDF and XML of an invoice of {_LINES} lines",
        ours,
        bare.compile,
        "typst alone, the same page",
        LIMIT,
        clock="wall",
        runs=_RUNS,
    )
    yield from _issued(folder / "issued", document, bare)


def _issued(folder: Path, document: InvoiceDocument, bare: "_Bare") -> Iterator[Result]:
    """An invoice that gets its number, and lies on the disk as PDF and XML when it is done."""
    folder.mkdir()
    crm = crm_at(folder / "store.sqlite3")
    for name, value in _SELLER.items():
        named("settings set")(crm, name, value, recount_ok=True)
    crm.forget_settings()
    buyer = {"company": "Acme Ltd", "address": "Rue 1", "postcode": "75002", "city": "Paris", "country": "FR"}
    client = named("clients add")(crm, buyer)
    lines = [f"{line.quantity} h {line.name} {line.price} {line.rate}%" for line in document.lines]
    drafts = [named("invoices add")(crm, client, lines, discount="5%").invoice for _ in range(_RUNS + 1)]

    def issue() -> None:
        card = named("invoices issue")(crm, drafts.pop())
        with replacing(folder / f"{card.invoice.number}.pdf") as file:
            file.write(pdf_of(crm, card)[0])

    issue()
    pairs = [(_spent(issue), _spent(bare.compile)) for _ in range(_RUNS)]
    (ours, floor), (our_wait, floor_wait) = (
        tuple(median(pair[side][which] for pair in pairs) for side in (0, 1)) for which in (0, 1)
    )
    how = f"CPU with the process that compiles, median of {_RUNS} (wall {our_wait / floor_wait:.2f} x)"
    what = "an invoice of as many lines issued, with its PDF and XML, on the disk"
    yield Result(what, ours, floor, "typst alone, the same page", LIMIT_OF_ISSUE, how)
    crm.repository.close()


def _spent(action: Callable[[], object]) -> tuple[float, float]:
    """The CPU time that an action takes here and in the process that compiles, and how long it lasts."""
    compiler = [compiling._child._process.pid] if compiling._child else []
    used, started = time.process_time() + cpu_of(compiler), time.perf_counter()
    action()
    return time.process_time() + cpu_of(compiler) - used, time.perf_counter() - started


class _Bare:
    """typst with the same template, data and fonts, and nothing else."""

    def __init__(self, folder: Path, document: InvoiceDocument) -> None:
        import typst

        (folder / "fonts").mkdir(parents=True)
        for path in font_files():
            shutil.copy(path, folder / "fonts")
        self._page = folder / "invoice.typ"
        self._page.write_text(default_template(), "utf-8")
        self._fonts = typst.Fonts(include_system_fonts=False, font_paths=[folder / "fonts"])
        self._data = content(document)
        self._numbers = itertools.count(1)
        self._typst = typst

    def compile(self) -> None:
        """One page, of another number each time, since typst remembers what it has laid out."""
        data = self._data | {"number": f"RE-{next(self._numbers)}"}
        compiler = self._typst.Compiler(
            self._page, root=self._page.parent, font_paths=self._fonts, sys_inputs={"data": json.dumps(data)}
        )
        compiler.compile(format="pdf", pdf_standards=["a-3b"], timestamp=0)


def _invoice() -> InvoiceDocument:
    seller = Party(
        name="Example & Sons Ltd", street="Main Street 1", postcode="10115", city="Berlin", country="DE",
        vat_id="DE123456789", contact="Anna Example", phone="+49 30 1234567", email="billing@example.com",
    )  # fmt: skip
    lines = tuple(
        DocumentLine(
            position=number, name=f"Consulting {number}", quantity=Decimal("3.25"), unit="HUR", price=Decimal("97.50"),
            rate=Decimal(19), description="On site",
        )
        for number in range(1, _LINES + 1)
    )  # fmt: skip
    document = InvoiceDocument(
        number="RE-1", issued_on=date(2026, 11, 20), due_on=date(2026, 12, 4), seller=seller, lines=lines,
        buyer=Party(name="Acme Ltd", street="Rue 1", postcode="75002", city="Paris", country="FR"), state="sent",
        iban="DE02120300000000202051",
    )  # fmt: skip
    return completed(document, [Adjustment(percent=Decimal(5))])
