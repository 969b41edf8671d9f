"""Export: one kind of records or everything, for spreadsheets, address books and safe keeping."""

from pathlib import Path
from typing import Annotated

from crm.commands.client_selection import Group, OfView, Only, SomeClients, Where, filters_of
from crm.commands.context import CRM, Progress, counted
from crm.commands.data.exported_tables import TABLES, table_of
from crm.commands.data.full_export import keep_safe, write_whole_store
from crm.commands.file_output import ExportReport, confirm_overwrite, ending_of
from crm.commands.registry import About, command
from crm.errors import FieldError, FileError
from crm.model import Client
from crm.model.fields import Choice
from crm.repository import Query

_WHAT = {
    **{plural: (kind.about.tab.title or plural).capitalize() for plural, kind in TABLES.items()},
    "all": "Everything",
}
_FORMATS = (".xlsx", ".csv", ".json", ".vcf")


@command("export", title="Export to a file", menu="data", hint="Clients, sales and more as a file")
def export(
    crm: CRM,
    file: Annotated[
        Path,
        About("File", "the format: .csv, .xlsx, .json or .vcf", positional=True, makes=_FORMATS),
    ],
    what: Annotated[str, Choice(_WHAT), About("What", ", ".join(_WHAT))] = "",
    clients: SomeClients = (),
    only: Only = (),
    where: Where = "",
    view: OfView = "",
    yes: bool = False,
) -> ExportReport:
    """Export clients, sales, deals and so on, or everything; the extension sets the format: CSV, Excel, JSON or vCard.

    You can export some clients only: by number, or those that match fields, a condition or a saved view. A JSON export
    of everything can be imported again into an empty store, history included. Text that a spreadsheet would run as a
    formula is made harmless.
    """
    ending = ending_of(file, _FORMATS)
    group = Group([client.id for client in clients], filters_of(only), where, view)
    what = what or ("all" if ending == ".json" and group.is_everybody else "clients")
    if what != "clients" and not group.is_everybody:
        raise FieldError("only clients can be limited to a group", field="what", label="What")
    if ending == ".vcf" and what != "clients":
        raise FieldError("a vCard file holds clients only", field="what", label="What")
    if ending == ".csv" and what == "all":
        raise FileError("A CSV file holds one table. Export everything as .xlsx or .json.")
    confirm_overwrite(file, yes)
    with crm.progress("Exporting") as progress:
        if ending == ".json" and what == "all":
            return ExportReport(file, what, write_whole_store(crm, file, progress), keep_safe(crm))
        return ExportReport(file, what, _written(crm, file, ending, what, group, progress))


def _written(crm: CRM, file: Path, ending: str, what: str, group: Group, progress: Progress) -> int:
    from crm.files import write_csv, write_vcards, write_workbook
    from crm.files.json_lines import write_objects

    with crm.read() as snapshot:
        query = group.query(snapshot)
        names = [name for name in TABLES if what in ("all", name)]
        counts = [snapshot.count(TABLES[name], query if name == "clients" else Query()) for name in names]
        if ending == ".vcf":
            return write_vcards(file, counted(snapshot.each(Client, query), progress, *counts))
        if ending == ".json":
            records = snapshot.each(TABLES[what], query if what == "clients" else Query())
            return write_objects(file, counted(records, progress, *counts))
        by, before, sheets = crm.conventions, 0, []
        for name, count in zip(names, counts, strict=True):
            header, rows = table_of(snapshot, TABLES[name], query, by)
            sheets.append((_WHAT[name], header, counted(rows, progress, sum(counts), before)))
            before += count
        if ending == ".csv":
            return write_csv(file, *sheets[0][1:])
        return write_workbook(file, sheets, by.decimals)
