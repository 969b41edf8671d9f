"""The spreadsheets at Google that a person can connect: looked at, set up, and what is in their other tabs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from crm.errors import NotFoundError, StoreBusyError, StoreOfflineError
from crm.model import Client, OptOut, Record, StatusRule
from crm.model.money import plain_number
from crm.repository import Columns, HistoryQuery, Query, Repository, Spreadsheet, Table, Waiting
from crm.repository.past_opt_outs import OPTED_OUT, past_opt_outs
from crm.repository.sheets import setup
from crm.repository.sheets.google import errors
from crm.repository.sheets.google.credentials import Account, account_from, spreadsheet_id
from crm.repository.sheets.google.spreadsheet import NoAnswer, Rejected, Service, unreadable
from crm.repository.sheets.grid.layout import ACCOUNT_TABS, ALL_TABS, META, GridRange, header
from crm.repository.sheets.mirror.mirror import META_RANGE
from crm.repository.sheets.pull.reading import is_older, is_serialised
from crm.repository.sheets.repository import SheetsRepository
from crm.repository.sqlite.dialect import Sqlite

_SCHEME = "sheets://"
# So many rows tell what a tab holds.
_FIRST_ROWS = 60
_MOST_OPT_OUTS = 100_000
_TABS = "properties(title),sheets(properties(sheetId,title,hidden,sheetType,gridProperties(rowCount)))"
_CELLS = (
    "sheets(properties(sheetId),"
    "data(rowData(values(effectiveValue,formattedValue,effectiveFormat(numberFormat(type))))))"
)
# A cell knows no time zone.
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001


@dataclass(frozen=True)
class GoogleSpreadsheets:
    """The spreadsheets shared with the account whose key is in `credentials` or in a file. `repository` opens the
    store in one; `first_records` are in a new one from the start, for the locale of its spreadsheet (en_GB)."""

    credentials: str
    credentials_file: str
    google: str
    folder: Path
    first_records: Callable[[str], Sequence[Record]]
    now: Callable[[], datetime]
    waiting: Waiting
    repository: Callable[[str], SheetsRepository]

    def _account(self) -> Account:
        return account_from(self.credentials, self.credentials_file)

    def account(self) -> str:
        account = self._account()
        account.check_meets(self.google)
        return account.address

    def url(self, written: str) -> str:
        return f"{_SCHEME}{spreadsheet_id(written)}"

    def address(self, url: str) -> str:
        return f"https://docs.google.com/spreadsheets/d/{spreadsheet_id(url)}"

    def look_at(self, url: str) -> Spreadsheet:
        with self._service(url) as service:
            if not service.standing().can_edit:
                raise errors.viewer(service.account)
            described = service.describe(_TABS)
            existing = {sheet["properties"].get("sheetId", 0) for sheet in described.get("sheets", [])}
            tables = [
                Table(properties["title"], rows)
                for properties, rows in self._read(service, list(_others(described)), _FIRST_ROWS)
            ]
            title = str(described.get("properties", {}).get("title", ""))
            missing = [tab for tab in ALL_TABS if tab.sheet_id not in existing]
            lacks_accounts = bool(missing) and ACCOUNT_TABS.issuperset(missing)
            is_set_up = META.sheet_id in existing and not lacks_accounts and not is_older(service, missing)
            if len(missing) < len(ALL_TABS):
                return Spreadsheet(self.url(url), title, is_set_up, tables)
            return Spreadsheet(self.url(url), title, is_set_up, tables, *self._known(url))

    def _known(self, url: str) -> tuple[int, Path | None]:
        """The knowledge of a spreadsheet from which our tabs are gone: how many clients, or else the newest
        backup with some."""
        with self._opened(url) as repository:
            if clients := repository.known_clients():
                return clients, None
        backups = Sqlite(self.folder / f"{spreadsheet_id(url)}.sqlite3").backups
        return 0, next((path for path in backups.dated_copies() if backups.counts(path)[1]), None)

    @contextmanager
    def _opened(self, url: str) -> Iterator[SheetsRepository]:
        repository = self.repository(self.url(url))
        try:
            yield repository
        finally:
            repository.close()

    def damage(self, url: str) -> Sequence[str]:
        with self._opened(url) as repository:
            return repository.damage_by_hand()

    def repair(self, url: str) -> Sequence[str]:
        with self._opened(url) as repository:
            return repository.repair()

    def table(self, url: str, title: str) -> Table:
        with self._service(url) as service:
            described = service.describe(_TABS)
            tabs = [row for row in _others(described) if row["title"].casefold() == title.casefold()]
            for properties, rows in self._read(service, tabs):
                return Table(properties["title"], rows)
        raise NotFoundError(f"No tab “{title}” in the spreadsheet beside those of the program.")

    def set_up(self, url: str) -> Columns:
        with self._service(url) as service:
            is_older = setup.is_of_older_version(service)
            is_new = setup.set_up(service, self.first_records, self.now())
            self._find_out(service)
            if is_new:
                return Columns()
            with self._opened(url) as repository:
                put_back = repository.put_back_columns(is_older=is_older)
                _keep_opt_outs(repository)
                with repository.read() as snapshot:
                    rules = snapshot.find_all(StatusRule)
                lost = repository.unknown_columns()
                setup.renew(service, [rule.status for rule in rules if rule.active])
        return Columns(_named(put_back), _named(lost))

    def _find_out(self, service: Service) -> None:
        """Let two writers race a few times where it is not known yet whether Google applies requests one after the
        other. Where that cannot be found out, each change is looked at once more, and nothing else follows."""
        from crm.repository.sheets.live_check import FEW_RACES, PUNCTUAL, LiveCheck

        with suppress(Rejected, NoAnswer, StoreBusyError, StoreOfflineError):
            (meta,) = service.values([META_RANGE])
            if not is_serialised(meta.rows):
                LiveCheck(service, races=FEW_RACES, probe_waits=PUNCTUAL).serialises(self.now().date())

    @contextmanager
    def _service(self, url: str) -> Iterator[Service]:
        service = Service(spreadsheet_id(url), self._account(), self.folder, google=self.google, waiting=self.waiting)
        try:
            yield service
        except Rejected as error:
            raise unreadable(error) from error
        finally:
            service.close()

    def _read(
        self, service: Service, tabs: Sequence[Mapping[str, Any]], most: int | None = None
    ) -> Iterator[tuple[Mapping[str, Any], list[list[str]]]]:
        """The tabs with their rows, at most so many of each."""
        if not tabs:
            return
        ranges: list[GridRange] = []
        for tab in tabs:
            rows = tab.get("gridProperties", {}).get("rowCount", 1)
            ranges.append(
                {"sheetId": tab.get("sheetId", 0), "startRowIndex": 0, "endRowIndex": min(rows, most or rows)}
            )
        cells = {
            sheet["properties"].get("sheetId", 0): sheet.get("data", [])
            for sheet in service.look(ranges, _CELLS).get("sheets", [])
        }
        for tab in tabs:
            data = cells.get(tab.get("sheetId", 0), [])
            grid_rows = data[0].get("rowData", []) if data else []
            yield tab, [[text_of(cell) for cell in row.get("values", [])] for row in grid_rows]


def _others(described: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tabs with cells that can be seen and are none of ours."""
    ours = {tab.sheet_id for tab in ALL_TABS}
    for sheet in described.get("sheets", []):
        properties = sheet["properties"]
        seen = not properties.get("hidden") and properties.get("sheetType", "GRID") == "GRID"
        if seen and properties.get("sheetId", 0) not in ours:
            yield properties


def text_of(cell: Mapping[str, Any]) -> str:
    """A cell as a person would type it: numbers without noise, dates in ISO, yes and no."""
    value = cell.get("effectiveValue", {})
    if "boolValue" in value:
        return "yes" if value["boolValue"] else "no"
    if "numberValue" in value:
        number = value["numberValue"]
        kind = cell.get("effectiveFormat", {}).get("numberFormat", {}).get("type", "")
        if kind in ("DATE", "DATE_TIME"):
            try:
                moment = _DAY_ZERO + timedelta(seconds=round(number * 86_400))
            except OverflowError:
                return str(cell.get("formattedValue", ""))
            is_day = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
            return moment.date().isoformat() if is_day else moment.isoformat(" ", "seconds")
        if kind == "TIME":
            return str(cell.get("formattedValue", ""))
        return plain_number(number)
    return str(value.get("stringValue", ""))


def _named(columns: Mapping[type[Record], Sequence[str]]) -> list[str]:
    return [f"{kind.plural}: {header(kind, name)}" for kind, names in columns.items() for name in names]


def _keep_opt_outs(repository: Repository) -> None:
    """Make opt-outs of what the history of a spreadsheet says, where an older version has set it up that kept none."""
    with repository.read() as snapshot:
        if snapshot.history(1, query=HistoryQuery(about=OptOut.kind_name)):
            return
        followed = snapshot.history(_MOST_OPT_OUTS, query=HistoryQuery(text=OPTED_OUT, undone=False, sort="id"))
        agreed = [client.email for client in snapshot.find_all(Client, Query({"marketing_consent": True}))]
    if opt_outs := past_opt_outs([(entry.at, entry.what) for entry in followed], agreed):
        repository.transact(lambda tx: tx.add_all(opt_outs), "kept who had opted out of mailings")
