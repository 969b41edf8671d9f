"""The numbers of invoices: a counter for each series, which moves only when a document is issued."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import FieldError, RefusedError
from crm.invoicing.numbering import (
    check_pattern,
    given_already,
    is_yearly,
    letters_of,
    may_clash,
    next_number,
    render,
)
from crm.model import INVOICE_KINDS, Invoice, NumberSeries
from crm.model.encoding import plain
from crm.model.fields import Choice, Line, Whole
from crm.repository import Query, Snapshot, Transaction
from crm.repository.queries import billing

# How the numbers of a team begin that has chosen no pattern, and in German: Rechnung, Gutschrift.
_LETTERS: Mapping[str, str] = {"invoice": "INV", "credit_note": "CN"}
_GERMAN_LETTERS: Mapping[str, str] = {"invoice": "RE", "credit_note": "GS"}
_GERMAN_COUNTRIES = frozenset(("DE", "AT"))


@dataclass(frozen=True, slots=True)
class SeriesShown:
    """A series of numbers, and the number that a document gets that is issued today."""

    series: NumberSeries
    next: str

    @classmethod
    def of(cls, snapshot: Snapshot, series: NumberSeries) -> "SeriesShown":
        """A series as it is shown."""
        # One that is already in a later year goes on in that.
        day = max(snapshot.today, date(max(series.year, 1), 1, 1))
        return cls(series, next_number(series.pattern, day, year=series.year, last=series.last)[2])

    def as_json(self) -> dict[str, Any]:
        """The series' own fields, and the next number."""
        return {**plain(self.series), "next": self.next}


def first_pattern(settings: Mapping[str, str], kind: str) -> str:
    """The pattern of a series for which none was chosen."""
    is_german = settings["language"].startswith("de") or settings["country"] in _GERMAN_COUNTRIES
    return f"{(_GERMAN_LETTERS if is_german else _LETTERS)[kind]}-{{year}}-{{number:04}}"


def series_of(snapshot: Snapshot, settings: Mapping[str, str], kind: str) -> NumberSeries:
    """The series of a kind of document as it is stored, or as it begins."""
    stored = next((series for series in snapshot.find_all(NumberSeries) if series.name == kind), None)
    return stored or NumberSeries(name=kind, pattern=first_pattern(settings, kind))


def take_number(tx: Transaction, settings: Mapping[str, str], kind: str, issued_on: date) -> str:
    """The next number of a series, whose counter moves with it. Raises RefusedError where the series is already in a
    later year."""
    series = series_of(tx, settings, kind)
    year, last, number = next_number(series.pattern, issued_on, year=series.year, last=series.last)
    if billing.is_given(tx, number):
        raise RefusedError(
            f"The number {number} is taken already. Nothing was issued. An admin can give the series another pattern:"
            f' `numbers set {kind} "{first_pattern(settings, kind)}"`, or one that begins with other letters.'
        )
    if series.id:
        tx.change(series, year=year, last=last)
    else:
        tx.add(NumberSeries(name=kind, pattern=series.pattern, year=year, last=last))
    return number


@command("numbers show", title="Numbers", menu="billing settings", nothing="No number series yet.")
def show(crm: CRM) -> list[SeriesShown]:
    """Show how invoices are numbered: the pattern, the last number and the next one of each series."""
    with crm.read() as snapshot:
        return [SeriesShown.of(snapshot, series_of(snapshot, crm.settings, kind)) for kind in INVOICE_KINDS]


@command("numbers set", title="Set the numbers", menu="billing settings", roles=ONLY_ADMIN)
def set_pattern(
    crm: CRM,
    series: Annotated[str, Choice(INVOICE_KINDS), About("Series", "invoice or credit_note", positional=True)],
    pattern: Annotated[str, Line(60), About("Pattern", "like INV-{year}-{number:04}", positional=True)] = "",
    next_: Annotated[
        int | None, Whole(least=1), About("Next", "the next number, to continue those of another program")
    ] = None,
) -> SeriesShown:
    """Set the pattern of a series, or its next number before the first one is given.

    {year} stands for the year, {number} for the number, {number:04} for the number with four digits. With {year} the
    numbers begin at 1 each year. A number is given when an invoice is issued, and never twice.
    """
    if not (pattern or next_):
        raise FieldError("give a pattern or the next number", field="pattern", label="Pattern")
    try:
        checked = check_pattern(pattern) if pattern else ""
    except FieldError as error:
        raise error.at("pattern", "--pattern") from error
    if checked and render(checked, 2026, 1).isdigit():
        raise FieldError("a number with digits only looks like the number of a draft; add letters or a -",
                         field="pattern", label="Pattern")  # fmt: skip

    def change(tx: Transaction) -> SeriesShown:
        current = series_of(tx, crm.settings, series)
        issued = tx.count(Invoice, Query({"kind": series, "state": "issued"}))
        if issued and next_:
            raise RefusedError("This series already has numbers in use, and it must have no gaps. Nothing was changed.")
        new = checked or current.pattern
        if issued and is_yearly(new) != is_yearly(current.pattern):
            raise FieldError(
                "numbers are already in use; keep the year in the pattern, or keep it out", field="pattern",
                label="Pattern",
            )  # fmt: skip
        for other in (series_of(tx, crm.settings, kind) for kind in INVOICE_KINDS if kind != series):
            same_letters = letters_of(new) and letters_of(new) == letters_of(other.pattern)
            if same_letters or may_clash(new, other.pattern):
                raise FieldError(
                    f"{INVOICE_KINDS[other.name]}s have the pattern {other.pattern}, so both could get the same"
                    " number; start this one with other letters", field="pattern", label="Pattern",
                )  # fmt: skip
        year, last = (tx.today.year, next_ - 1) if next_ else (current.year, current.last)
        begins_with = new.partition("{")[0]
        if taken := given_already(new, billing.numbers_beginning(tx, begins_with), year=year, last=last):
            raise FieldError(
                f"{taken} is already in use, and this pattern would use it again; start it with other letters",
                field="pattern", label="Pattern",
            )  # fmt: skip
        values = {"pattern": new}
        if not current.id:
            current = tx.add(NumberSeries(name=series, pattern=new))
        if next_:
            return SeriesShown.of(tx, tx.change(current, **values, year=year, last=last))
        return SeriesShown.of(tx, tx.change(current, **values))

    return crm.transact(change, f"set the numbers of {INVOICE_KINDS[series]}s")
