"""Import of clients and sales from files: detected, corrected, previewed, and then one transaction."""

from collections.abc import Callable
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from crm.commands.context import CRM
from crm.commands.data.importing.delimiters import DELIMITERS
from crm.commands.record_names import linked_names
from crm.commands.registry import About, command
from crm.errors import FieldError, FileError
from crm.model import Sale
from crm.model.conventions import DATE_ORDERS
from crm.model.fields import Choice, Line
from crm.repository import Transaction

# What reads files is loaded when a file is imported: the menu must be there at once.
if TYPE_CHECKING:
    from crm.commands.data.full_export import WholeStoreReport
    from crm.commands.data.importing.draft import ImportDraft
    from crm.commands.data.importing.report import ImportReport, Tally

_WHAT = {"clients": "Clients", "sales": "Sales", "all": "A whole store, from a JSON export"}
# By what known clients are recognised; '' is by everything that a row tells.
MATCHES = {
    "": "anything that identifies them",
    "reference": "reference",
    "email": "e-mail",
    "phone": "phone",
    "name": "name",
}
_MATCHES_NAMED = {value: words for value, words in MATCHES.items() if value}
# What is done with rows that refer to somebody known, and with the others.
MODES = {
    "both": "add new ones and update existing ones",
    "add": "only add new ones",
    "update": "only update existing ones",
}


@command("import", title="Import a file", menu="data", hint="Clients, sales and more from a file")
def import_file(
    crm: CRM,
    file: Annotated[Path, About("File", "CSV, Excel, vCard or JSON; - is standard input", positional=True)],
    as_: Annotated[
        str, Choice(_WHAT), About("As", "clients, sales, or all for a JSON export; detected by default")
    ] = "",
    map: Annotated[list[str], Line(300), About("Map", "column=field; extra:NAME for a field of your own")] = [],  # noqa: B006
    match: Annotated[
        str,
        Choice(_MATCHES_NAMED),
        About("Match", "how existing clients are matched: reference, email, phone, name"),
    ] = "",
    mode: Annotated[str, Choice(MODES), About("Mode", "add, update or both")] = "both",
    create_clients: Annotated[bool, About("Create clients", "for sales whose client does not exist yet")] = False,
    preview: Annotated[bool, About("Preview", "show what would happen and change nothing")] = False,
    encoding: Annotated[str, Line(40), About("Encoding", "of a text file, if it is detected wrongly")] = "",
    delimiter: Annotated[
        str, Choice(DELIMITERS), About("Delimiter", "comma, semicolon, tab or bar, if it is detected wrongly")
    ] = "",
    header: Annotated[
        bool | None, About("Header", "whether the first row names the columns, if it is detected wrongly")
    ] = None,
    sheet: Annotated[str, Line(40), About("Sheet", "of a workbook; the first with a table by default")] = "",
    dates: Annotated[str, Choice(DATE_ORDERS), About("Dates", "dmy, mdy or ymd, if they are read wrongly")] = "",
    own_currency: Annotated[
        bool, About("Own currency", "read amounts in your currency, even if the name of their column has another")
    ] = False,
    new_columns: Annotated[
        bool, About("New columns", "detect them again, even if you chose them for a file with the same headings")
    ] = False,
) -> "ImportReport | WholeStoreReport":
    """Import clients or sales from a file; importing the same file again adds nothing.

    It detects the encoding, the delimiter, the header, what the columns mean and the order of dates. What you choose
    instead is remembered for files with the same headings. Rows that cannot
    be imported go to a file beside it, with the reason, and values to check go to another. `history undo` undoes a
    whole import.
    """
    if as_ == "all" or (not as_ and file.suffix.lower() == ".json"):
        from crm.commands.data.full_export import read_whole_store

        return read_whole_store(crm, file, preview=preview)
    from crm.files.standard_input import is_standard_input, kept_input

    with kept_input() if is_standard_input(file) else nullcontext(file) as read:
        draft = begin(
            crm, read, as_, encoding=encoding, delimiter=delimiter, header=header, sheet=sheet, new_columns=new_columns
        )
        if read != file:
            # What is refused goes to a file in the folder that one is in.
            draft = replace(draft, file=Path(read.name))
        draft = draft.mapped(map, crm.conventions)
        if dates:
            draft = draft.with_date_order(dates)
        if own_currency:
            draft = draft.in_own_currency()
        # What was remembered may need a column that is read as something else now.
        recalled = draft.match if {one.target for one in draft.matches} & _identifying(draft.what, draft.match) else ""
        draft = decided(draft, match=match or recalled, mode=mode, create_clients=create_clients)
        return run(crm, draft, preview=preview)


def begin(
    crm: CRM,
    file: Path,
    what: str = "",
    *,
    encoding: str = "",
    delimiter: str = "",
    header: bool | None = None,
    sheet: str = "",
    new_columns: bool = False,
) -> "ImportDraft":
    """The file as it is understood, to be corrected: as one with its headings was imported the last time, unless its
    columns are to be detected as `new_columns`. Raises FileError for one that cannot be read."""
    from crm.commands.data.importing.draft import drafted
    from crm.commands.data.importing.layouts import as_last_time, remembered_kind
    from crm.repository.queries.clients import own_fields

    sign = DELIMITERS.get(delimiter, delimiter)
    how: dict[str, Any] = {"encoding": encoding, "delimiter": sign, "header": header, "sheet": sheet}
    with crm.read() as snapshot:
        how["own_fields"] = own_fields(snapshot)
        if new_columns:
            return drafted(file, what, crm.conventions, **how)
        kind = what or (lambda source: remembered_kind(snapshot, source))
        return as_last_time(snapshot, drafted(file, kind, crm.conventions, **how))


def decided(
    draft: "ImportDraft", *, match: str = "", mode: str = "both", create_clients: bool = False
) -> "ImportDraft":
    """The draft with what the person decided."""
    return replace(draft, match=match, mode=mode or "both", create_clients=create_clients)


class _OnlyPreview(Exception):
    """The exception that rolls the transaction of a preview back."""


def run(crm: CRM, draft: "ImportDraft", *, preview: bool = False, whole: bool = False) -> "ImportReport":
    """Carry a draft out, as one transaction; with `preview` say what it would do and change nothing. The report has the
    first rows that were refused or are doubtful, or with `whole` all of them."""
    _refuse_pointless(draft)
    from crm.commands.data.importing.layouts import remember
    from crm.commands.data.importing.report import Tally

    with ExitStack() as opened:
        tell = opened.enter_context(crm.progress("Reading" if preview else "Importing"))
        tallies: list[Tally] = []

        def change(tx: Transaction) -> None:
            tallies.append(opened.enter_context(closing(Tally(draft, whole=whole))))
            _carry_out(tx, tallies[-1], crm, tell)
            if not tallies[-1].rows:
                raise FileError(f"{draft.file.name} has a heading, but no rows below it. Nothing was imported.")
            if preview:
                raise _OnlyPreview
            if tallies[-1].changed:
                remember(tx, draft)

        try:
            crm.transact(change, f"imported {draft.what} from {draft.file.name}")
        except _OnlyPreview:
            tally = tallies[-1]
            return tally.report(
                applied=False, refused_file=tally.refused_file(write=False), doubts_file=tally.doubts_file(write=False)
            )
        try:
            refused_file = tallies[-1].refused_file(write=True)
            doubts_file = tallies[-1].doubts_file(write=True)
        except FileError as error:
            raise FileError(
                f"The file was imported, but the refused rows and the rows to check could not be saved."
                f" {error.sentence} To get them, undo the import, and import a copy of the file from another folder."
            ) from error
        return tallies[-1].report(applied=True, refused_file=refused_file, doubts_file=doubts_file)


class NoColumnError(FileError):
    """A file to import without a column for what every record needs (`needs`: a name, the date of a sale). Its sentence
    ends with the options of the shell; `fault` does not."""

    def __init__(self, draft: "ImportDraft", needs: str, how: str) -> None:
        self.fault = f"No column of {draft.file.name} is {needs}."
        self.needs = needs
        self.notes = "".join(f" {note}" for note in draft.notes)
        amount = f" --as sales --map {draft.money_in}=amount imports {draft.money_in}." if draft.money_in else ""
        super().__init__(f"{self.fault} {how}{self.notes}{amount}")


def _refuse_pointless(draft: "ImportDraft") -> None:
    targets = {match.target for match in draft.matches}
    if draft.what == "clients" and not targets & {"name", "first_name", "last_name", "company", "email", "phone"}:
        how = (
            f"Columns are {', '.join(draft.source.columns)}."
            " Say which with --map COLUMN=name (or first_name, last_name, company)."
        )
        raise NoColumnError(draft, "a name", how)
    for target, words in {"on": "date", "amount": "amount"}.items():
        if draft.what == "sales" and target not in targets:
            raise NoColumnError(draft, f"the {words} of a sale", f"Say which with --map COLUMN={target}.")
    if draft.what == "sales" and draft.mode == "update":
        raise FieldError("sales are added, never updated", field="mode", label="Mode")
    if draft.match and not targets & _identifying(draft.what, draft.match):
        raise FieldError(f"no column holds the client's {draft.match}", field="match", label="Match")


def _identifying(what: str, match: str) -> set[str]:
    """The targets of columns that tell a client by its `match`."""
    names = {"first_name", "last_name", "company"} if match == "name" else {match}
    if what == "sales":
        names |= {"name"} if match == "name" else set()
        return {"client"} if match == "reference" else {f"client.{name}" for name in names}
    return names | {"name"} if match == "name" else names


def _carry_out(tx: Transaction, tally: "Tally", crm: CRM, tell: Callable[[int, int], None]) -> None:
    from crm.commands.data.importing.clients import ClientImport
    from crm.commands.data.importing.reading import Reader
    from crm.commands.data.importing.sales import SaleImport

    draft = tally.draft
    # One day for all rows.
    by = replace(crm.conventions, clock=tx.clock)
    taking = ClientImport(tx, draft, tally, by) if draft.what == "clients" else SaleImport(tx, draft, tally, by)
    reader = Reader(draft, by)
    tally.two_orders = reader.two_orders
    for batch in reader.batches():
        tally.count(batch)
        taking.take(batch)
        tell(*draft.source.progress())
    first_sales = [record for record in tally.first_records if isinstance(record, Sale)]
    tally.client_names = linked_names(tx, first_sales, "client", by)
