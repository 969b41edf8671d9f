"""Export: clients, sales or everything, for spreadsheets, address books and safe keeping."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import select

from crm.commands.context import CRM
from crm.commands.groups import Group, OfView, Only, SomeClients, Where, filters_of
from crm.commands.registry import About, command
from crm.errors import FieldError, FileError
from crm.model import Client, Sale, fields
from crm.model.encoding import plain
from crm.model.fields import Choice
from crm.repository import Query, Snapshot
from crm.repository.tables import client

_WHAT = {"clients": "Clients", "sales": "Sales", "all": "Everything"}
_FORMATS = (".xlsx", ".csv", ".json", ".vcf")


@dataclass(frozen=True, slots=True)
class ExportReport:
    """A file that was written: what it holds, and how many of them."""

    file: Path
    what: str
    records: int


@command("export", title="Export to a file", menu="data")
def export(
    crm: CRM,
    file: Annotated[
        Path, About("File", "its ending says how: .csv, .xlsx, .json or .vcf", positional=True, makes=_FORMATS)
    ],
    what: Annotated[str, Choice(_WHAT), About("What", "clients, sales or all")] = "",
    clients: SomeClients = (),
    only: Only = (),
    where: Where = "",
    view: OfView = "",
) -> ExportReport:
    """Exports clients, sales or everything, as the file's ending says: CSV, Excel, JSON, or vCard for clients.

    Of the clients it may be a group: some by number, or those that fit fields, a condition or a saved view. A JSON
    export of everything can be imported again into an empty store, history included. Text that a spreadsheet would
    run as a formula is made harmless.
    """
    file = file.expanduser()
    ending = file.suffix.lower()
    if ending not in _FORMATS:
        raise FieldError(
            f"the file's ending says how it is written: one of {', '.join(_FORMATS)}", field="file", label="File"
        )
    group = Group([each.id for each in clients], filters_of(only), where, view)
    what = what or ("all" if ending == ".json" and group.is_everybody else "clients")
    if what != "clients" and not group.is_everybody:
        raise FieldError("a group is one of clients; all of the rest is exported", field="what", label="What")
    if ending == ".vcf" and what != "clients":
        raise FieldError("a vCard file holds clients only", field="what", label="What")
    if ending == ".csv" and what == "all":
        raise FileError("A CSV file holds one table; export everything as .xlsx or .json.")
    with crm.progress("Exporting"):
        return ExportReport(file, what, _written(crm, file, ending, what, group))


def _written(crm: CRM, file: Path, ending: str, what: str, group: Group) -> int:
    if ending == ".json" and what == "all":
        from crm.commands.whole_store import write_whole_store

        return write_whole_store(crm, file)
    from crm.files import write_csv, write_vcards, write_workbook

    with crm.read() as snapshot:
        query = group.query(snapshot)
        if ending == ".vcf":
            return write_vcards(file, snapshot.each(Client, query))
        if ending == ".json":
            return _write_json(file, snapshot.each(Client, query) if what == "clients" else snapshot.each(Sale))
        tables: Mapping[str, Callable[[Snapshot], _Table]]
        tables = {"clients": lambda snapshot: _clients(snapshot, query), "sales": _sales}
        wanted = tables if what == "all" else {what: tables[what]}
        if ending == ".csv":
            return write_csv(file, *wanted[what](snapshot))
        return write_workbook(file, [(_WHAT[name], *table(snapshot)) for name, table in wanted.items()])


_Table = tuple[Sequence[str], Iterable[Iterable[Any]]]


def _clients(snapshot: Snapshot, query: Query) -> _Table:
    """A column for each field, and one for each of the team's own."""
    named = {name: field.label for name, field in fields(Client).items() if name != "extra"}
    filled = select(client.c.extra).where(client.c.extra != {}).distinct()
    own = sorted({name for (extra,) in snapshot.select(filled) for name in extra})

    def rows() -> Iterator[list[Any]]:
        for each in snapshot.each(Client, query):
            yield [each.id, *(getattr(each, name) for name in named), *(each.extra.get(name, "") for name in own)]

    return ["Number", *named.values(), *own], rows()


def _sales(snapshot: Snapshot) -> _Table:
    """A row a sale, with what identifies its client."""

    def rows() -> Iterator[list[Any]]:
        names: dict[int, tuple[str, str]] = {}
        for sale in snapshot.each(Sale):
            if sale.client not in names:
                its = snapshot.get(Client, sale.client)
                names[sale.client] = (its.reference, its.name)
            yield [sale.id, sale.client, *names[sale.client], sale.on, sale.amount, sale.note]

    return ["Number", "Client number", "Client reference", "Client", "Date", "Amount", "Note"], rows()


def _write_json(file: Path, records: Iterable[Any]) -> int:
    from crm.files.replacing import replacing

    count = 0
    with replacing(file) as target:
        target.write(b"[")
        for record in records:
            line = json.dumps(plain(record), ensure_ascii=False)
            target.write((b",\n" if count else b"\n") + line.encode("utf-8", "replace"))
            count += 1
        target.write(b"\n]\n")
    return count
