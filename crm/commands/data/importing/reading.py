"""The rows of a file as checked values: what can be stored, what is odd, and what is refused."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any

from crm.commands.data.importing.draft import ImportDraft
from crm.errors import FieldError
from crm.files import Mapped, Mapper, Match, Row
from crm.files.column_names import plain_words
from crm.model import Client, Conventions, Field, Sale, fields
from crm.model.conventions import DATE_ORDERS
from crm.model.fields import Line
from crm.model.fields.addresses import is_plain_number
from crm.model.folding import words

BATCH = 1000
# So many texts of a column are remembered.
_REMEMBERED = 4096
_OWN = Line(2000)
# What a mapper makes other fields of.
_OF_MAPPER = frozenset(
    (
        "",
        "name",
        "client.name",
        "currency",
        "status",
        "address.more",
        "place",
        "opt_out",
        *(f"date_of_birth.{part}" for part in ("year", "month", "day")),
    )
)
_CAME_TO_NOTHING = words(
    "refunded voided void cancelled canceled failed declined expired draft deleted lost verloren perdu perdido perso"
    " rejected uncollectible storniert"
    " annulliert abgebrochen entwurf annulé annulée remboursé échoué cancelado anulado reembolsado annullato rimborsato"
    " geannuleerd mislukt"
)
_OF_DEALS = words("deal deals opportunity")
_WON = re.compile(r"\b(?:(?:closed)?won|gewonnen|gagnee?|ganad[ao]|vint[ao]|ganh[ao])\b")
# What a row is where it takes a sale back.
_GIVEN_BACK = re.compile(
    r"\b(?:refunds?|credit (?:note|memo)|chargeback|reversal|return|gutschrift|storno\w*|ruckerstattung|erstattung"
    r"|avoir|remboursement|nota de credito|nota di credito|reembolso|devolucion|rimborso|creditnota|terugbetaling)\b"
)
# What a row of bookkeeping is where it is about something else than a sale.
_NO_INVOICE = re.compile(
    r"(?:supplier |vendor |purchase )?bill|(?:purchase|supplier) invoice"
    r"|(?:(?:sales|purchase) )?(?:overpayment|prepayment)"
    r"|quote|estimate|expense|eingangsrechnung"
)


@dataclass(slots=True)
class Checked:
    """One row, checked: the values of its fields that are filled, the client's own among a sale's, and why
    it is refused ('' where it is not). `doubts` are fields that are kept and worth a look: (field, value, why);
    `unread` are those whose value is no address or number. `opted_out` is whether it says that somebody has opted out
    elsewhere."""

    row: Row
    values: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    doubts: list[tuple[str, str, str]] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    refused: str = ""
    opted_out: bool = False


# The values of a row, and those of its client.
_Values = tuple[dict[str, Any], dict[str, Any]]
# No value, and a value that is not sure to be right.
_BLANK, _UNSURE = object(), object()


def _filled(names: Sequence[str | None], values: Sequence[Any]) -> dict[str, Any]:
    return {name: value for name, value in zip(names, values, strict=True) if name and value is not _BLANK}


@dataclass(slots=True)
class TwoOrders:
    """A column whose dates are in two orders of day and month: the one it is read in, the lines whose dates can only be
    meant in the other, and how many could be either."""

    order: str
    others: list[int] = field(default_factory=list)
    unclear: int = 0


class Reader:
    """A check of the rows of a draft, a batch at a time. A row comes in without a value that cannot be read and is not
    needed; with `lenient` without any, unless there is no record without it."""

    def __init__(self, draft: ImportDraft, by: Conventions, *, lenient: bool = False) -> None:
        self._draft = draft
        self._lenient = lenient
        self._by = by
        self._mapper = Mapper(draft.matches, by)
        # The columns whose dates are in two orders of day and month, as far as the file has been read.
        self.two_orders: dict[str, TwoOrders] = {}
        deals = any(not _OF_DEALS.isdisjoint(plain_words(match.column).split()) for match in draft.matches)
        # A deal that has not come to its last stage is no sale yet.
        is_staged = any(match.target == "status" and "stage" in plain_words(match.column) for match in draft.matches)
        self._must_be_won = deals and is_staged
        # An invoice that is open is a sale, a deal is none yet.
        self._no_sale = _CAME_TO_NOTHING | {"open", "offen"} if deals else _CAME_TO_NOTHING
        self._pieces = _pieces(draft)
        # What texts of each column were read as.
        self._known: dict[str, dict[str, Any]] = {}
        self._targets = {target: _target(draft.what, target) for target in draft.targets if target not in _OF_MAPPER}

    def batches(self) -> Iterator[list[Checked]]:
        """All rows of the file, in order."""
        rows = self._draft.source.rows()
        while batch := list(islice(rows, BATCH)):
            mapped = self._mapper.rows([row.cells for row in batch if not row.problem])
            read = zip(mapped, self._read_by_column([row.fields for row in mapped]), strict=True)
            yield [
                Checked(row, refused=row.problem) if row.problem else self._checked(row, *next(read)) for row in batch
            ]

    def _read_by_column(self, rows: Sequence[Mapping[str, str]]) -> Iterable["_Values | None"]:
        """The values of rows; None for one with a value that has to be looked at by itself."""
        names = list(self._mapper.blank)
        # Others have a field that the cells of that row alone gave them.
        alike = [len(row) == len(names) for row in rows]
        texts = zip(*(row.values() for row, is_alike in zip(rows, alike, strict=True) if is_alike), strict=True)
        columns = {name: self._read_column(name, column) for name, column in zip(names, texts, strict=False)}
        columns.pop("status", None)
        known = [self._targets[name] for name in columns]
        of_record = [None if of_client else field.name for of_client, field in known]
        of_client = (
            [field.name if of_client else None for of_client, field in known] if self._draft.what == "sales" else []
        )
        read = zip(*columns.values(), strict=True) if columns else iter(lambda: (), None)
        for is_alike in alike:
            values = next(read) if is_alike else (_UNSURE,)
            yield (
                None
                if _UNSURE in values
                else (_filled(of_record, values), _filled(of_client, values) if of_client else {})
            )

    def _read_column(self, target: str, texts: Sequence[str]) -> Sequence[Any]:
        """The values of a column: _BLANK where there is none, _UNSURE where one is to be looked at by itself."""
        if target == "status":
            return texts
        _, described = self._targets[target]
        if (values := described.check.read_all(texts, self._by)) is not None:
            return [value or _BLANK for value in values] if "" in values else values
        known = self._known.setdefault(target, {})
        if len(known) > _REMEMBERED:
            known.clear()
        for text in set(texts).difference(known):
            known[text] = self._read(described, text)
        return [known[text] for text in texts]

    def _read(self, described: Field, text: str) -> Any:
        if not text or text.isspace():
            return _BLANK
        if described.name == "phone" and "country" in self._mapper.blank and not is_plain_number(text):
            # It depends on the country of the row.
            return _UNSURE
        try:
            value = described.check.read(text, self._by)
        except FieldError:
            return _UNSURE
        return _UNSURE if described.check.keeps_unreadable and described.check.doubt(value, self._by) else value

    def _checked(self, row: Row, mapped: Mapped, read: "_Values | None") -> Checked:
        checked = Checked(row, opted_out=mapped.opted_out)
        statuses = mapped.fields.pop("status", "").splitlines()
        for status in statuses:
            if status.casefold() in self._no_sale or _GIVEN_BACK.search(plain_words(status)):
                checked.refused = f"its status is {status}, so it is not a sale"
                return checked
            if _NO_INVOICE.fullmatch(plain_words(status)):
                checked.refused = f"it is a “{status}”, which is not a sale"
                return checked
        if self._must_be_won and not any(_WON.search(plain_words(status)) for status in statuses):
            checked.refused = f"this deal is not won: its stage is {statuses[0] if statuses else 'empty'}"
            return checked
        if self._pieces is not None and (pieces := row.cells[self._pieces].strip()).isdigit() and int(pieces) > 1:
            checked.refused = (
                f"it has {pieces} pieces and the price of one: write the total, or choose the column with the total"
                " as the amount"
            )
            return checked
        try:
            if read is not None:
                checked.values, checked.client = read
            else:
                self._read_fields(checked, mapped.fields)
            checked.doubts += mapped.doubts
            for target, match, cell, doubt in mapped.unclear_dates:
                self._check_order(checked, target, match, cell, is_other=doubt == "other")
            if mapped.extra:
                checked.values["extra"] = {name: _OWN.read(text, self._by) for name, text in mapped.extra.items()}
        except FieldError as error:
            checked.refused = str(error)
        return checked

    def _read_fields(self, checked: Checked, fields: Mapping[str, str]) -> None:
        """Read a row field by field. Raises FieldError for a value without which it is refused."""
        row_country = self._conventions_of(fields.get("country", ""))
        for target, text in fields.items():
            if text and not text.isspace():
                of_client, described = self._targets[target]
                values = checked.client if of_client else checked.values
                by = self._by
                if described.name == "phone" and row_country is not None:
                    by = self._of_number(described, text, row_country)
                try:
                    values[described.name] = value = described.check.read(text, by)
                except FieldError as error:
                    is_needed = described.name in _NEEDED and not self._lenient
                    if not is_needed and not described.check.keeps_unreadable:
                        checked.doubts.append((described.name, text, f"left out: {error.reason}"))
                    else:
                        values[described.name] = self._kept(checked, described, text, error)
                else:
                    if described.check.keeps_unreadable and (doubt := described.check.doubt(value, by)):
                        checked.doubts.append((described.name, value, doubt))

    def _check_order(self, checked: Checked, target: str, match: Match, cell: str, *, is_other: bool) -> None:
        """Keep in mind a date of a column that has day and month in two orders."""
        of_client, described = self._targets[target]
        if described.name not in (checked.client if of_client else checked.values):
            return
        order = {"dmy": "mdy", "mdy": "dmy"}[match.date_order] if is_other else match.date_order
        why = "written in a different order from the rest of the column" if is_other else "could be read either way"
        checked.doubts.append((described.name, cell.strip(), f"{why}: read as {DATE_ORDERS[order]}"))
        orders = self.two_orders.setdefault(match.column, TwoOrders(match.date_order))
        if is_other:
            orders.others.append(checked.row.number)
        else:
            orders.unclear += 1

    @cached_property
    def _conventions_of(self) -> Callable[[str], Conventions | None]:
        """Give the conventions for the phone number of a row that names a country of its own; None where it does
        not. A file names few countries."""

        @lru_cache(maxsize=1000)
        def conventions_of(text: str) -> Conventions | None:
            try:
                country = _CLIENT["country"].check.read(text, self._by)
            except FieldError:
                return None
            return replace(self._by, country=country) if country and country != self._by.country else None

        return conventions_of

    def _of_number(self, described: Field, text: str, row_country: Conventions) -> Conventions:
        """The conventions by which a phone number of a row from another country is read: with a 0 in front those of
        that country, else those of the team, where they can be."""
        if is_plain_number(text):
            # It has its country in front.
            return self._by
        orders = (row_country, self._by) if text.lstrip(" (").startswith("0") else (self._by, row_country)
        return next((by for by in orders if _reads(described, text, by)), self._by)

    def _kept(self, checked: Checked, described: Field, text: str, error: FieldError) -> str:
        """A value that cannot be read, kept as it was typed where that is worth something; else raises FieldError."""
        if not described.check.keeps_unreadable:
            raise error.at(described.name, described.label) from error
        # Half of a phone number may still be all there is of a client.
        kept = Line(60 if described.name == "phone" else 254).read(text, self._by)
        checked.doubts.append((described.name, kept, error.reason))
        checked.unread.add(described.name)
        return kept


def _reads(described: Field, text: str, by: Conventions) -> bool:
    try:
        value = described.check.read(text, by)
    except FieldError:
        return False
    return not described.check.doubt(value, by)


def _target(what: str, target: str) -> tuple[bool, Field]:
    """The target of a column: whether it is of the client of a sale, and the field."""
    if what == "clients":
        return False, _CLIENT[target]
    if target == "client":
        return True, _CLIENT["reference"]
    of_client = target.removeprefix("client.")
    return (True, _CLIENT[of_client]) if of_client != target else (False, _SALE[target])


def _pieces(draft: ImportDraft) -> int | None:
    """The place of the column that says how many pieces were sold, where the amount may be the price of one."""
    amount = next((match for match in draft.matches if match.target == "amount"), None)
    if amount is None or amount.by != "name" or _PRICES.isdisjoint(plain_words(amount.column).split()):
        return None
    if not _ALL.isdisjoint(plain_words(amount.column).split()):
        return None
    places = (at for at, match in enumerate(draft.matches) if plain_words(match.column) in _PIECES)
    return next(places, None)


_PRICES = words("price preis prix precio prezzo prijs preco")
_ALL = words("total gesamt gesamtpreis totale totaal order paid")
_PIECES = (
    "quantity", "qty", "pieces", "units", "menge", "anzahl", "stuck", "quantite", "cantidad", "quantita", "aantal",
    "quantidade", "lineitem quantity", "item quantity",
)  # fmt: skip
# A row in which one of these cannot be read is refused. A consent that cannot be read may be a no.
_NEEDED = frozenset(("first_name", "last_name", "company", "reference", "marketing_consent", "amount", "on"))
_CLIENT = fields(Client)
_SALE = fields(Sale)


def refused_columns(draft: ImportDraft) -> Sequence[str]:
    """The header of the file of refused rows: the columns as they were, and the reason."""
    return [*draft.source.columns, "Reason it was refused"]
