"""Imports on screen: what came in from a file or a spreadsheet, or would come in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from crm.commands.client_selection import pluralize
from crm.config import SHEETS
from crm.model import Conventions
from crm.model.conventions import DATE_ORDERS
from crm.model.fields import Country
from crm.model.paths import display_path
from crm.terminal.drawing import tables
from crm.terminal.drawing.render import columns_of, renderer, show
from crm.terminal.drawing.screen import Screen, clean, data

if TYPE_CHECKING:
    from crm.commands.data.full_export import WholeStoreReport
    from crm.commands.data.importing.import_spreadsheet import TakeOverReport
    from crm.commands.data.importing.report import ImportReport
    from crm.commands.data.sheet_repair import RepairReport
    from crm.commands.data.spreadsheets import SpreadsheetReport, StoreChosen

_REFUSALS = (
    tables.Column("Line", lambda row, _: data(row.row, "muted"), 0, right=True),
    tables.Column("Refused because", lambda row, _: data(row.reason), 1, 20, wraps=True),
)
_DOUBTS = (
    tables.Column("Line", lambda row, _: data(row.row, "muted"), 0, right=True),
    tables.Column("Value", lambda row, _: data(row.value), 1, 12),
    tables.Column("Please check", lambda row, _: data(row.why, "warning"), 0, 16, wraps=True),
)
_UPDATES = (
    tables.Column("Line", lambda row, _: data(row.row, "muted"), 0, right=True),
    tables.Column("Client", lambda row, _: data(row.client), 1, 12),
    tables.Column("Changes", lambda row, _: data(row.changes, "chosen"), 0, 16, wraps=True),
)
# What is below a preview: a blank line, at most four entries, the hint.
_BELOW = 7
_OF_KNOWN = frozenset(("Spent",))
_SHOWN = 5
# A blank line, a title, the heads and two rows.
_LEAST = 5
_UNBOUNDED = 10_000
_JOINED = "joined with an earlier row of the same client"
_OTHER_SALE = "have the reference of a sale with a different date or amount: not added, please check"
_CONFLICTING = "with values that differ from that earlier row: not used, please check"
# From so many doubts of one sort on they are one sentence, where they are most of all.
_SUMMED_UP_FROM = 4
tables.COLUMNS |= {
    "crm.commands.data.importing.report.Refusal": _REFUSALS,
    "crm.commands.data.importing.report.Doubt": _DOUBTS,
    "crm.commands.data.importing.report.ClientUpdate": _UPDATES,
}
# A blank line above; a blank line and a menu of three lines below, or other notes.
_AROUND = 5


def _say_foreign(screen: Screen, number: int, by: Conventions) -> None:
    """Say once what is the same of most rows."""
    line = (
        f"{pluralize(number, 'phone number does', 'phone numbers do', by)} not match the country in the settings,"
        f" {Country().show(by.country, by)}: numbers without a country code are read as numbers of that country."
    )
    screen.print(data(line, "warning"))


def _draw_all(
    screen: Screen, by: Conventions, listed: Sequence[tuple[str, Sequence[Any], int]], names: Mapping[int, str]
) -> None:
    """List below one another, as far as there is room: those that come last are worth the most, and leave the others
    a little where they can. Each has a title, its first records, and how many there are; `names` are the clients'."""
    listed = [entry for entry in listed if entry[1]]
    room = _UNBOUNDED if screen.plain else screen.left - _BELOW
    chosen: list[tuple[str, Table, int]] = []
    for place, (title, records, count) in reversed(list(enumerate(listed))):
        own = room - 1 - bool(title)
        some = records[: len(records) if screen.piped else _SHOWN]
        own -= count > len(some)
        table = _fitting(screen, by, some, own - place * _LEAST, names) or _fitting(screen, by, records[:1], own, names)
        if table is not None:
            chosen.insert(0, (title, table, count))
            room = own - _lines(screen, table)
    for title, table, count in chosen:
        screen.print()
        if title:
            screen.print(Text(title, "muted"))
        screen.print(table)
        if count > table.row_count:
            screen.print(Text(f"and {by.number(count - table.row_count)} more", "muted"))


def _lines(screen: Screen, table: Table) -> int:
    return len(screen.console.render_lines(table, screen.console.options.update(width=screen.width)))


def _fitting(
    screen: Screen, by: Conventions, records: Sequence[Any], room: int, names: Mapping[int, str]
) -> Table | None:
    """The number of records that a table of so many lines holds, None for not even one."""
    # A client who is not there yet has bought nothing.
    known = [column for column in columns_of(type(records[0])) or () if column.title not in _OF_KNOWN]
    columns = tables.with_names(known, {"client": names})
    for count in range(len(records), 0, -1):
        table = tables.table(columns, records[:count], by, screen.width)
        if _lines(screen, table) <= room:
            return table
    return None


def _draw_counts(screen: Screen, counts: Iterable[tuple[int, str, str]], by: Conventions) -> None:
    """The number of rows by what they came to, a line each; what came to nothing has none."""
    counted = [(by.number(number), words, style) for number, words, style in counts if number]
    wide = max((len(number) for number, *_ in counted), default=0)
    for number, words, style in counted:
        screen.print(Text(f"  {number:>{wide}} ", style).append(words, "default"))


def _headed(screen: Screen, head: str, result: "ImportReport | WholeStoreReport") -> None:
    failed = getattr(result, "failed", False)
    line = Text(f"{head}: ", "danger" if failed else "success" if result.applied else "bold")
    screen.print(line.append(clean(display_path(result.file)), "default"))


def _updates(result: "ImportReport") -> str:
    if result.applied:
        return "updated"
    known = "sale" if result.what == "sales" else "client"
    return f"updates an existing {known}" if result.updated == 1 else f"update existing {known}s"


@dataclass(frozen=True)
class _Advice:
    """The ways to correct how columns are read, in the words of the menu or the shell."""

    unused: str
    dates: str
    money_in: str


_IN_SHELL = _Advice(
    "map it to a field of your own (--map)", "(--dates)", "--as sales --map {column}=amount imports {column}."
)
_AT_MENU = _Advice(
    "choose a new field for it under Columns",
    "under Dates",
    "To import {column}, choose A sale under Type of record, and Amount for it under Columns.",
)


@renderer("crm.commands.data.importing.report.ImportReport")
def _(result: "ImportReport", screen: Screen, by: Conventions) -> None:
    _draw_report(result, screen, by, _IN_SHELL)


def draw_at_menu(result: "ImportReport", screen: Screen, by: Conventions) -> None:
    """Draw the report of an import with the entries of the menu where the shell has options."""
    _draw_report(result, screen, by, _AT_MENU)


def _draw_report(result: "ImportReport", screen: Screen, by: Conventions, advice: _Advice) -> None:
    if result.failed:
        head = "Nothing was imported" if result.applied else "This import would add nothing"
    else:
        head = f"{screen.sign('✓', 'OK:')} Imported" if result.applied else "What this import would do"
    _headed(screen, head, result)
    screen.print(data(f"{pluralize(result.rows, 'row', 'rows', by)} read as {result.read_as}", "muted"))
    counts = (
        (result.new, f"new {result.what.removesuffix('s') if result.new == 1 else result.what}", "gained"),
        (
            result.clients_created,
            f"{'client' if result.clients_created == 1 else 'clients'} created for them",
            "success",
        ),
        (result.updated, _updates(result), "chosen"),
        (result.joined, _JOINED, "chosen"),
        (result.conflicting, _OTHER_SALE if result.what == "sales" else _CONFLICTING, "warning"),
        (result.unchanged, "already up to date", "muted"),
        (result.flagged, "with a value to check", "warning"),
        (result.opt_outs_added, "added to the opt-outs: they get no mailings", "warning"),
        (result.opted_out, "say yes to mailings but opted out before: the opt-out is kept", "warning"),
        (result.refused, "refused", "overdue"),
    )
    _draw_counts(screen, counts, by)
    if result.left_out:
        unused = f"import the file again, and {advice.unused}" if result.applied else advice.unused
        # What is no field of a sale is not kept anywhere.
        keeping = f" To keep one, {unused}." if result.what == "clients" else ""
        screen.print(data(f"Columns not used: {', '.join(result.left_out)}.{keeping}", "muted"))
    for order in sorted(set(result.date_orders.values())):
        columns = ", ".join(column for column, read in result.date_orders.items() if read == order)
        how = f"choose another order {advice.dates}"
        if result.applied:
            how = f"undo the import, and {how} when you import again"
        line = f"Dates read as {DATE_ORDERS[order]}: {columns}. If that is wrong, {how}."
        screen.print(data(line, "muted"))
    for note in result.notes:
        screen.print(data(note, "warning"))
    if result.money_in:
        screen.print(data(advice.money_in.format(column=result.money_in), "warning"))
    if not (result.new or result.updated or result.joined or result.refused):
        screen.print("Everything in this file is already here.")
    doubts = result.doubts
    if result.maybe_foreign * 2 > result.flagged and result.maybe_foreign >= _SUMMED_UP_FROM:
        _say_foreign(screen, result.maybe_foreign, by)
        doubts = [doubt for doubt in doubts if not doubt.maybe_foreign]
    refused = ("", result.refusals, result.refused)
    summed_up = 0 if doubts is result.doubts else result.maybe_foreign
    doubtful = ("", doubts, result.doubtful - summed_up)
    if result.applied:
        _draw_all(screen, by, [refused, doubtful], {})
    else:
        first = (
            "The first new ones, as they are stored",
            result.first_records,
            max(result.new, len(result.first_records)),
        )
        updated = ("Existing clients that change", result.updates, max(result.updated, len(result.updates)))
        _draw_all(screen, by, [first, updated, refused, doubtful], result.client_names)
    if not result.applied:
        _say_files(screen, result)
        return
    if result.doubts_file:
        screen.print(data(f"What to check is in {display_path(result.doubts_file)}, with the reason.", "warning"))
    if result.refused_file:
        screen.print(data(f"The refused rows are in {display_path(result.refused_file)}, with the reason.", "warning"))


def _say_files(screen: Screen, result: "ImportReport") -> None:
    """Say which files the import would write beside the one that is imported."""
    files = {"what to check": result.doubts_file, "the refused rows": result.refused_file}
    written = [f"{file.name} ({what})" for what, file in files.items() if file]
    if written:
        screen.print(data(f"Importing also writes, beside the file: {' and '.join(written)}.", "muted"))


@renderer("crm.commands.data.full_export.WholeStoreReport")
def _(result: "WholeStoreReport", screen: Screen, by: Conventions) -> None:
    head = f"{screen.sign('✓', 'OK:')} Read" if result.applied else "What this file holds"
    _headed(screen, head, result)
    for name, number in result.objects.items():
        screen.print(data(f"{by.number(number):>9} {name}"))
    if result.done:
        screen.print(data(result.done, "warning"))


@renderer("crm.commands.data.spreadsheets.SpreadsheetReport")
def _(result: "SpreadsheetReport", screen: Screen, by: Conventions) -> None:
    sign = screen.sign("✓", "OK:")
    done = "is set up" if result.new else "is ready; drop-downs and colours are up to date"
    screen.print(Text(f"{sign} ", "success").append(clean(f"“{result.title}” {done}."), "default"))
    screen.copyable(result.address)
    if result.put_back:
        screen.print(data(f"Columns restored: {', '.join(result.put_back)}."))
    if result.unknown:
        from crm.commands.data.spreadsheets import not_restored

        screen.print(data(not_restored(result.unknown), "warning"))
    if result.taken_over is not None:
        show(screen, result.taken_over, by)
    if result.remembered:
        _remembered(screen, result.url, result.comes_first)


@renderer("crm.commands.data.sheet_repair.RepairReport")
def _(result: "RepairReport", screen: Screen, _by: Conventions) -> None:
    sign = screen.sign("✓", "OK:")
    if result.accepted:
        screen.print(Text(f"{sign} The spreadsheet stays as it is, without the changes that were lost.", "success"))
    elif not (result.tabs or result.records or result.emptied or result.cells):
        screen.print(Text(f"{sign} Nothing to repair.", "success"))
    for what in result.tabs:
        screen.print(Text(f"{sign} Done: ", "success").append(clean(what)))
    for what in result.records:
        screen.print(Text(f"{sign} {'Deleted' if result.deleted else 'Put back'}: ", "success").append(clean(what)))
    for what in result.emptied:
        screen.print(Text(f"{sign} {'Left empty' if result.deleted else 'Put back'}: ", "success").append(clean(what)))
    for what in result.cells:
        screen.print(Text(f"{sign} Put back: ", "success").append(clean(what)))


@renderer("crm.commands.data.spreadsheets.StoreChosen")
def _(result: "StoreChosen", screen: Screen, _by: Conventions) -> None:
    _remembered(screen, result.url, result.comes_first)


def _remembered(screen: Screen, url: str, comes_first: str) -> None:
    store = "The spreadsheet" if url.startswith(SHEETS) else "The file on this computer"
    if not comes_first:
        screen.print(f"{store} will be opened from now on unless another store is named.")
        return
    line = f"{store} would be opened from now on, but --store or the variable CRM_STORE names another store:"
    screen.print(Text(line, "warning"))
    screen.copyable(comes_first)
    screen.print("Remove that setting, or use this store:")
    screen.copyable(f"CRM_STORE={url}")


@renderer("crm.commands.data.importing.import_spreadsheet.TakeOverReport")
def _(result: "TakeOverReport", screen: Screen, by: Conventions) -> None:
    tab = f"the tab “{result.tab}”"
    if result.applied:
        head = Text(f"{screen.sign('✓', 'OK:')} ", "success").append(clean(f"Imported from {tab}"), "default")
    else:
        head = Text(clean(f"The list in {tab}: {by.number(result.rows)} rows"), "bold")
    screen.print(head)
    counts = (
        (result.new, "new clients", "gained"),
        (result.opening_sales, f"opening sales, {by.money(result.opening_total)} in all", "gained"),
        (result.updated, "existing clients updated", "chosen"),
        (result.joined, _JOINED, "chosen"),
        (result.conflicting, _CONFLICTING, "warning"),
        (result.unchanged, "already up to date", "muted"),
        (result.had_sales, "already have sales, so they get no opening sale", "warning"),
        (result.flagged, "with something that cannot be read, please check", "warning"),
        (result.refused, "cannot be read; they stay in their own tab only", "overdue"),
    )
    _draw_counts(screen, counts, by)
    if not result.applied:
        arrow = screen.sign("→", "->")
        goes = (f"{column} {arrow} {target}" for column, target in result.columns.items())
        screen.print(data("; ".join(goes), "muted"))
    elif result.left_out:
        one = len(result.left_out) == 1
        names = "”, “".join(result.left_out)
        screen.print(data(f"Not imported: the column{'' if one else 's'} “{names}”.", "warning"))
        screen.print(
            "To import them as fields of your own, run this again with --own-fields. Nothing is imported twice."
        )
    for records in (result.refusals, result.doubts):
        if records:
            _listed(screen, by, records)


def _listed(screen: Screen, by: Conventions, rows: Sequence[Any]) -> None:
    """A table, as far as there is room for it."""
    table = _fitting(screen, by, rows, _UNBOUNDED if screen.plain else screen.left - _AROUND, {})
    if table is None:
        return
    screen.print()
    screen.print(table)
    if len(rows) > table.row_count:
        screen.print(Text(f"and {len(rows) - table.row_count} more", "muted"))
