"""An import before it is carried out: the file as it was understood, and what the person corrected."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crm.commands.data.exported_tables import TABLES, heading_of
from crm.commands.data.importing.delimiters import DELIMITERS
from crm.errors import FieldError, FileError, UsageError
from crm.files import Match, Source, match_columns, open_source, retargeted
from crm.files.column_names import plain_words
from crm.files.columns import SEVERAL
from crm.model import (
    Adjustment,
    Allocation,
    Client,
    Conventions,
    Invoice,
    InvoiceLine,
    Payment,
    Reminder,
    Sale,
    Service,
    fields,
    typed_fields,
)
from crm.model.folding import words
from crm.model.local_labels import PLACE_IN_ONE

KINDS = {"clients": Client, "sales": Sale}
_BILLS = frozenset((Service, Invoice, InvoiceLine, Adjustment, Payment, Allocation, Reminder))
_DELIMITER_WORDS = {sign: word for word, sign in DELIMITERS.items()}

# How bank statements and ledgers call two columns of amounts, of which a row has one.
_MONEY_OUT = frozenset(
    ("debit", "debits", "debit amount", "withdrawal", "withdrawals", "money out", "paid out", "soll", "debe", "dare")
)
_MONEY_IN = frozenset(
    ("credit", "credits", "credit amount", "deposit", "deposits", "money in", "paid in", "haben", "haber", "avere")
)
# Of a client that a file of sales may tell something about.
_CLIENT_OF_SALE = ("first_name", "last_name", "company", "email", "phone")


@dataclass(frozen=True)
class ImportDraft:
    """A file to import as `what` ('clients' or 'sales'): which column goes to which field, how records that
    are there already are recognised (`match`, '' for any way), and what is done with them (`mode`)."""

    file: Path
    what: str
    source: Source
    matches: Sequence[Match]
    match: str = ""
    mode: str = "both"
    create_clients: bool = False
    # The order of dates that a person chose, the choices as the program detected them, and whether those of the last
    # import of such a file were taken.
    dates: str = ""
    detected: str = ""
    is_recalled: bool = False

    @property
    def choices(self) -> str:
        """The choices that are remembered for files with these headings, in JSON."""
        columns = [[match.target, match.rank] for match in self.matches]
        return json.dumps({"what": self.what, "columns": columns, "dates": self.dates, "match": self.match})

    @property
    def read_as(self) -> str:
        """The way the file was read: kind, encoding and delimiter, which of several sheets, and whether it has a
        header."""
        source = self.source
        header = "with a header" if source.has_header else "without a header"
        if source.has_header and source.header_line > 1:
            header += f" in line {source.header_line}"
        sheet = f"sheet {source.sheet} (not read: {', '.join(source.other_sheets)})" if source.other_sheets else ""
        hidden = " and ".join(
            f"{count} hidden {noun if count == 1 else noun + 's'}"
            for count, noun in ((source.hidden_rows, "row"), (source.hidden_columns, "column"))
            if count
        )
        hidden = f"{hidden} read too" if hidden else ""
        separated = (
            f"separated by {_DELIMITER_WORDS.get(source.delimiter, source.delimiter)}" if source.delimiter else ""
        )
        recalled = "columns as last time" if self.is_recalled else ""
        return ", ".join(
            filter(None, (source.kind.upper(), source.encoding, separated, sheet, header, hidden, recalled))
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """The reasons why something of the file is not read that one might expect, in sentences."""
        sides = [column for column, words_ in self._unread.items() if words_ in _MONEY_OUT | _MONEY_IN]
        linking = [column for column, words_ in self._unread.items() if words_.startswith("associated ")]
        notes = []
        if empty := self.source.without_results:
            columns = f"Column {empty[0]} holds" if len(empty) == 1 else f"Columns {', '.join(empty)} hold"
            notes.append(
                f"{columns} formulas without results: open the file in a spreadsheet program, save it, and import it"
                " again."
            )
        if column := self.in_foreign_currency:
            notes.append(
                f"The name of the column {column} has a currency that is not yours, so its amounts are refused."
                " You can have them read in your currency (in the shell: `--own-currency`)."
            )
        if len(sides) > 1:
            notes.append(
                f"{' and '.join(sides)} are not read: a sale has one amount, and these columns are money out and in."
            )
        if linking:
            notes.append(
                f"{', '.join(linking)}: these point to records in the other program, and are not imported."
                + (" A sale finds its client by name, company or e-mail address." if self.what == "sales" else "")
            )
        return tuple(notes)

    @property
    def in_foreign_currency(self) -> str:
        """The column of amounts whose name tells another currency than the team's; '' for none."""
        return next((match.column for match in self.matches if match.target == "amount" and match.currency), "")

    @property
    def money_in(self) -> str:
        """The column that could be the amount of sales, where those of money out and in are not read; '' elsewhere."""
        out = [column for column, words_ in self._unread.items() if words_ in _MONEY_OUT]
        come_in = [column for column, words_ in self._unread.items() if words_ in _MONEY_IN]
        return (come_in or out[::-1])[0] if len(out) + len(come_in) > 1 else ""

    @property
    def _unread(self) -> Mapping[str, str]:
        """The columns that go nowhere, each in plain words."""
        return {match.column: plain_words(match.column) for match in self.matches if not match.target}

    @property
    def targets(self) -> Mapping[str, str]:
        """The targets for a column, with words for each; '' is nowhere."""
        return targets(self.what)

    def with_target(self, column: int, target: str) -> "ImportDraft":
        """The draft with another target for a column. Whichever had that target before goes nowhere, unless several may
        have it: then those that a person chose come first, each after the ones before it in the file."""
        own = self.what == "clients" and target.startswith("extra:") and target.removeprefix("extra:").strip()
        if target not in self.targets and not own:
            raise FieldError(f"no field {target}; use one of {', '.join(filter(None, self.targets))}")
        matches = list(self.matches)
        matches[column] = retargeted(matches[column], target)
        others = [at for at, match in enumerate(matches) if target and match.target == target]
        # A person's choices in the order of the file, then the program's in theirs.
        others.sort(key=lambda at: (True, matches[at].rank) if matches[at].by else (False, at))
        for rank, at in enumerate(others):
            is_kept = at == column or target in SEVERAL
            matches[at] = replace(matches[at], rank=rank) if is_kept else retargeted(matches[at], "")
        return replace(self, matches=matches)

    def with_date_order(self, order: str) -> "ImportDraft":
        """The draft with all its dates read in one order: 'ymd', 'dmy' or 'mdy'."""
        return replace(self, matches=[replace(match, date_order=order) for match in self.matches], dates=order)

    def in_own_currency(self) -> "ImportDraft":
        """The draft with its amounts in the team's currency, whatever the names of their columns tell."""
        return replace(self, matches=[replace(match, currency="") for match in self.matches])

    def mapped(self, written: Sequence[str], by: Conventions) -> "ImportDraft":
        """The draft with columns mapped as on the command line: column=field each. Raises UsageError."""
        draft = self
        for text in written:
            column, equals, target = text.rpartition("=")
            folded = [name.casefold() for name in draft.source.columns]
            if not equals or column.strip().casefold() not in folded:
                raise UsageError(f"--map {text}: no such column. The columns are {', '.join(draft.source.columns)}.")
            target = target.strip() if target.startswith("extra:") else target.strip().replace("-", "_")
            draft = draft.with_target(folded.index(column.strip().casefold()), target)
        return draft


def targets(what: str) -> dict[str, str]:
    """The targets for a column of a file of clients or sales, with words for each."""
    if what == "clients":
        return {
            "": "(leave out)",
            "name": "Whole name",
            **{name: field.label for name, field in typed_fields(Client).items()},
            "address.more": "Address: another line",
            "place": PLACE_IN_ONE,
            **{f"date_of_birth.{part}": f"Date of birth: {part}" for part in ("year", "month", "day")},
            "opt_out": "Has opted out of mailings (yes, or a date)",
        }
    of_sale = {
        "client": "Client (reference, name or e-mail)",
        **{name: fields(Sale)[name].label for name in ("on", "amount", "note")},
        "reference": "Reference (number of the order or invoice)",
    }
    of_sale |= {"currency": "Currency (another one is refused)", "status": "Status (what was cancelled is refused)"}
    of_sale["client.name"] = "Client: whole name"
    of_client = {f"client.{name}": f"Client: {fields(Client)[name].label}" for name in _CLIENT_OF_SALE}
    return {"": "(leave out)", **of_sale, **of_client}


def drafted(
    file: Path,
    what: str | Callable[[Source], str],
    by: Conventions,
    *,
    encoding: str = "",
    delimiter: str = "",
    header: bool | None = None,
    sheet: str = "",
    own_fields: Sequence[str] = (),
) -> ImportDraft:
    """A draft of importing a file, everything about it detected; `what` '' looks whether it holds sales, and a function
    is asked with the opened file. Columns that are called like one of the team's `own_fields` go there.

    Raises FileError for a file that cannot be read as a table.
    """
    source = open_source(file, encoding=encoding, delimiter=delimiter, header=header, sheet=sheet)
    _refuse_bills(file, source)
    as_sales = match_columns(source.columns, source.sample, Sale, by)
    as_clients = match_columns(source.columns, source.sample, Client, by)
    detected = "sales" if _are_sales(as_sales, as_clients) else "clients"
    what = what(source) if callable(what) else what
    matches = _without_sides(as_sales if (what or detected) == "sales" else as_clients)
    if (what or detected) == "clients":
        matches = _with_own_fields(matches, own_fields)
    draft = ImportDraft(file, what or detected, source, matches)
    return replace(draft, detected=draft.choices if draft.what == detected else "")


def _refuse_bills(file: Path, source: Source) -> None:
    """Raise FileError for an export of invoices or payments: they are no sales, and are not imported."""
    # Of two columns of one name the second has got a number.
    columns = [re.sub(r" \(2\)$", "", column) for column in source.columns]
    for plural, kind in TABLES.items():
        # The first column was called otherwise in older exports.
        if kind in _BILLS and columns[1:] == heading_of(kind)[1:]:
            raise FileError(
                f"{file.name} is an export of {plural.replace('-', ' ')}, and these cannot be imported: they are"
                " neither clients nor sales. Nothing was changed. To take everything to another store:"
                " `export FILE.json`, and `import FILE.json` there."
            )


def _without_sides(matches: Sequence[Match]) -> Sequence[Match]:
    """The matches, where of money out and money in neither is the amount of a sale: nobody can tell which."""
    names = {plain_words(match.column) for match in matches}
    if not (names & _MONEY_OUT and names & _MONEY_IN):
        return matches
    return [
        retargeted(match, "") if plain_words(match.column) in _MONEY_OUT | _MONEY_IN else match for match in matches
    ]


# Words in the names of columns that only lists of sales have.
_OF_SALES = words(
    "order invoice deal transaction receipt financial paid payment sold charge quantity lineitem bestellung rechnung"
    " beleg facture commande factura pedido fattura ordine factuur"
)
# What only lists of clients tell.
_OF_CLIENTS = frozenset(("date_of_birth", "phone", "address", "city", "postcode", "tags", "first_name", "last_name"))


def _are_sales(as_sales: Sequence[Match], as_clients: Sequence[Match]) -> bool:
    """Return whether each row is a sale: it has a date, an amount and a client, and is no list of clients with what
    they spent."""
    targets = {match.target for match in as_sales if match.by == "name"}
    of_client = any(target == "client" or target.startswith("client.") for target in targets)
    if not {"on", "amount"} <= targets or not of_client:
        return {"client", "amount"} <= {match.target for match in as_sales}
    in_names = {word for match in as_sales for word in plain_words(match.column).split()}
    return bool(in_names & _OF_SALES) or not _OF_CLIENTS & {match.target for match in as_clients}


def _with_own_fields(matches: Sequence[Match], own_fields: Sequence[str]) -> list[Match]:
    """The matches, where columns without a field go to fields of the team's own: those that some client has, and in an
    export of ours all that are no field of a client."""
    named = {name.casefold(): name for name in own_fields}
    labels = {field.label for field in fields(Client).values()}
    exported = {"Number", "Reference", "Kind", "First name", "Last name", "Total spend"} <= {
        match.column for match in matches
    }
    targeted = []
    for match in matches:
        name = named.get(match.column.casefold(), "")
        if exported and match.column not in {*labels, "Number"}:
            # The second of two columns of one name is the own field.
            name = re.sub(r" \(2\)$", "", match.column)
        taken = match.target and not (exported and name)
        targeted.append(match if taken or not name else retargeted(match, f"extra:{name}"))
    return targeted
