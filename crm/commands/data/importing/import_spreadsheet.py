"""Adoption of a list of clients in a tab of the spreadsheet, imported as one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from crm.commands.context import CRM
from crm.commands.data.importing.clients import ClientImport
from crm.commands.data.importing.draft import ImportDraft
from crm.commands.data.importing.matching import Known, keys_of
from crm.commands.data.importing.reading import Checked, Reader
from crm.commands.data.importing.report import Doubt, Refusal, Tally
from crm.errors import FieldError, FileError
from crm.files import GridSource, Match, Row, match_columns, plain_amount, spend_column
from crm.files.column_names import plain_words
from crm.model import Client, Conventions, Record, Sale, fields
from crm.repository import Table, Transaction
from crm.repository.queries.sales import clients_with_sales

OPENING = "Opening balance"
_NAMES = {"name", "first_name", "last_name", "company"}


@dataclass(frozen=True, slots=True)
class TakeOverReport:
    """The result of taking a list over, or of a dry run (`applied` False). `columns` says where each column goes, in
    words. Counts are rows of the tab; `had_sales` are clients that were there with sales, who get no opening sale."""

    applied: bool
    tab: str
    columns: Mapping[str, str]
    rows: int
    new: int
    updated: int
    unchanged: int
    refused: int
    flagged: int
    opening_sales: int
    opening_total: Decimal
    had_sales: int
    refusals: Sequence[Refusal]
    doubts: Sequence[Doubt]
    first_records: Sequence[Record]
    joined: int = 0
    conflicting: int = 0
    left_out: Sequence[str] = ()


@dataclass(frozen=True)
class TakeOver:
    """A list of clients as it is understood: `spend` is the place of the column with what each has spent."""

    title: str
    draft: ImportDraft
    spend: int | None
    # How its phone numbers and dates are read.

    @property
    def left_out(self) -> list[str]:
        """The columns that hold something and go nowhere, but for a status, which the rules decide."""
        filled = {place for row in self.draft.source.sample for place, cell in enumerate(row) if cell.strip()}
        return [
            match.column
            for place, match in enumerate(self.draft.matches)
            if not match.target and place != self.spend and place in filled and not _is_status(match)
        ]

    def with_own_fields(self) -> "TakeOver":
        """The list with a field of the team's own for each column that is left out."""
        draft = self.draft
        for place, match in enumerate(draft.matches):
            if match.column in self.left_out:
                draft = draft.with_target(place, f"extra:{match.column}")
        return replace(self, draft=draft)

    @property
    def columns(self) -> dict[str, str]:
        """The target of each column, in words."""
        return {match.column: self._goes_to(place, match) for place, match in enumerate(self.draft.matches)}

    def _goes_to(self, place: int, match: Match) -> str:
        if place == self.spend:
            return "an opening sale"
        if match.target.startswith("extra:"):
            return "a field of your own"
        if match.target:
            return self.draft.targets[match.target]
        return "(left out: the rules decide it)" if _is_status(match) else "(left out)"


def _is_status(match: Match) -> bool:
    return plain_words(match.column) == "status"


def recognised(table: Table, crm: CRM) -> TakeOver | None:
    """The list of clients in a tab, whatever the order and language of its columns; None where it holds none."""
    by = crm.conventions
    try:
        source = GridSource(table.title, table.rows)
    except FileError:
        return None
    matches = match_columns(source.columns, source.sample, Client, by)
    spend = spend_column(matches, source.sample)
    targets = {match.target for match in matches} - {""}
    known = len(targets) + (spend is not None)
    if not source.has_header or not source.sample or not targets & _NAMES or known < 2:
        return None
    return TakeOver(table.title, ImportDraft(Path(table.title), "clients", source, matches), spend)


class _OnlyPreview(Exception):
    """The exception that rolls the transaction of a preview back."""


def take_over(crm: CRM, listed: TakeOver, *, preview: bool = False) -> TakeOverReport:
    """Add the clients of the list, and a sale of today for what each has spent; with `preview` say what that would
    do and change nothing. The tab itself stays as it is."""
    with ExitStack() as opened:
        tell = opened.enter_context(crm.progress("Reading" if preview else "Importing"))
        runs: list[_Run] = []

        def change(tx: Transaction) -> None:
            runs.append(_Run(tx, listed, crm.conventions))
            opened.enter_context(closing(runs[-1].tally))
            for batch in Reader(listed.draft, crm.conventions, lenient=True).batches():
                runs[-1].take(batch)
                tell(*listed.draft.source.progress())
            runs[-1].open_balances()
            if preview:
                raise _OnlyPreview

        try:
            crm.transact(change, f"imported the clients in the tab {listed.title}")
        except _OnlyPreview:
            return runs[-1].report(applied=False)
        return runs[-1].report(applied=True)


@dataclass
class _Tally(Tally):
    """A record of every row that was refused."""

    refused_rows: set[int] = field(default_factory=set)

    def refuse(self, row: Row, reason: str) -> None:
        super().refuse(row, reason)
        self.refused_rows.add(row.number)


class _Run:
    """One attempt at it, within a transaction."""

    def __init__(self, tx: Transaction, listed: TakeOver, by: Conventions) -> None:
        self._tx = tx
        self._listed = listed
        self._by = by
        self.tally = _Tally(listed.draft)
        self._clients = ClientImport(tx, listed.draft, self.tally, by)
        self._spent: list[tuple[Checked, Decimal]] = []
        self._with_sales = clients_with_sales(tx)
        self._opening: dict[int, Decimal] = {}
        self._had_sales: set[int] = set()

    def take(self, batch: Sequence[Checked]) -> None:
        """The clients of some rows, and what they have spent."""
        self.tally.count(batch)
        for row in batch:
            if not row.refused and (spent := self._spend(row)):
                self._spent.append((row, spent))
        self._clients.take(batch)

    def _spend(self, checked: Checked) -> Decimal:
        """The amount spent by a row; a row in which that cannot be read is refused as a whole."""
        place = self._listed.spend
        text = checked.row.cells[place].strip() if place is not None else ""
        if not text:
            return Decimal()
        mark = self._listed.draft.matches[place or 0].decimal_mark or "."
        try:
            spent: Decimal = fields(Sale)["amount"].check.read(plain_amount(text, mark), self._by)
        except FieldError as error:
            checked.refused = f"{self._listed.draft.matches[place or 0].column}: {error.reason}"
            return Decimal()
        return spent

    def open_balances(self) -> None:
        """One sale for each client who had none: of all that the list says of the client. A row that is there twice
        counts once."""
        taken = [(row, spent) for row, spent in self._spent if row.row.number not in self.tally.refused_rows]
        seen: set[tuple[str, ...]] = set()
        for batch in _pieces(taken, 1000):
            known = Known(self._tx, [row.values for row, _ in batch])
            for row, spent in batch:
                client = known.same(row.values, keys_of(row.values))
                if client is None or row.row.cells in seen:
                    continue
                seen.add(row.row.cells)
                if client.id in self._with_sales:
                    self._had_sales.add(client.id)
                else:
                    self._opening[client.id] = self._opening.get(client.id, Decimal()) + spent
        sales = [
            Sale(client=client, on=self._tx.today, amount=amount, note=OPENING)
            for client, amount in self._opening.items()
        ]
        if sales:
            self._tx.add_all(sales)

    def report(self, *, applied: bool) -> TakeOverReport:
        """The report of the run."""
        tally = self.tally
        return TakeOverReport(
            applied,
            self._listed.title,
            self._listed.columns,
            tally.rows,
            tally.new,
            tally.updated,
            tally.unchanged,
            tally.refused,
            tally.flagged,
            len(self._opening),
            sum(self._opening.values(), Decimal()),
            len(self._had_sales),
            tally.refusals,
            tally.doubts,
            tally.first_records,
            tally.joined,
            tally.conflicting,
            self._listed.left_out,
        )


def _pieces(rows: Sequence[tuple[Checked, Decimal]], size: int) -> Iterable[Sequence[tuple[Checked, Decimal]]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
