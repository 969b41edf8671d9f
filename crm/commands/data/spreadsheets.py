"""The store in a Google spreadsheet: connected, set up, its old list of clients taken over, and left again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from crm.commands.context import CRM, has_accounts
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.config import SHEETS, own_store, remember_store, remembered_store
from crm.errors import NotFoundError, Question, RefusedError, SignInRefusedError, StoreError, UsageError
from crm.model import Client, Conventions
from crm.model.fields import Line
from crm.model.paths import display_path
from crm.model.rights import OWNER
from crm.repository import Columns, Spreadsheet
from crm.repository.shut import Shut

# What reads lists is loaded when there is one.
if TYPE_CHECKING:
    from crm.commands.data.importing.import_spreadsheet import TakeOver, TakeOverReport

# What is answered where no list is to be taken over.
NONE = "no"
# The answers where the tabs of a spreadsheet are gone that this computer knows.
BACK, EMPTY = "back", "empty"

_ADDRESS = Annotated[str, Line(1000), About("Spreadsheet", "its address or id", positional=True)]
_OWN_FIELDS = Annotated[
    bool, About("Own fields", "of an imported list, turn columns without a field into fields of your own")
]
_TAKE_OVER = Annotated[str, Line(100), About("Import from", "the tab with a list of clients to import; `no` for none")]
_GONE = Annotated[
    str,
    Line(10),
    About(
        "If its tabs are gone",
        "`back` to restore what this computer has of the spreadsheet, `empty` to set it up empty",
    ),
]


@dataclass(frozen=True, slots=True)
class SpreadsheetReport:
    """A spreadsheet that is set up: whether it was `new`, the restored columns and those that could not be restored, as
    this computer has never seen their content (`unknown`), and the adopted list. `remembered` says
    whether it is opened from now on where no store is named; `comes_first` is the store that somebody has named for
    this program anyway."""

    url: str
    title: str
    address: str
    new: bool
    put_back: Sequence[str]
    unknown: Sequence[str] = ()
    taken_over: "TakeOverReport | None" = None
    remembered: bool = False
    comes_first: str = ""


@dataclass(frozen=True, slots=True)
class StoreChosen:
    """The store that is opened from now on where none is named; `comes_first` is one that somebody has named."""

    url: str
    comes_first: str = ""


@command(
    "sheets setup",
    title="Set up a Google spreadsheet",
    roles=ONLY_ADMIN,
    here=True,
    own_store=True,
    unread=(StoreError,),
)
def setup(
    crm: CRM,
    spreadsheet: Annotated[
        str, Line(1000), About("Spreadsheet", "its address or id; CRM_STORE by default", positional=True)
    ] = "",
    take_over: _TAKE_OVER = "",
    own_fields: _OWN_FIELDS = False,
    gone: _GONE = "",
) -> SpreadsheetReport:
    """Set up a Google spreadsheet as a store: add the tabs it needs; existing tabs stay as they are.

    If the spreadsheet is set up already, it refreshes drop-downs and colours, and restores deleted columns. It can
    import a list of clients from another tab: what each has spent becomes a sale of today. The list itself stays as it
    is.
    """
    sheet = crm.spreadsheets.look_at(_named(crm, spreadsheet))
    if known := known_of(crm, sheet):
        if gone not in (BACK, EMPTY) or (gone == BACK and not sheet.clients):
            back = {BACK: "Restore what this computer has of it"} if sheet.clients else {}
            raise Question(known, parameter="gone", choices={**back, EMPTY: "Set it up empty"})
        if gone == BACK:
            crm.spreadsheets.repair(sheet.url)
            sheet = crm.spreadsheets.look_at(sheet.url)
    store = opened(crm, sheet.url)
    try:
        may_set_up = not sheet.is_set_up or _may_write(store)
        columns = crm.spreadsheets.set_up(sheet.url) if may_set_up else Columns()
        report = _report(crm, sheet, columns)
        # One that an older version has set up, and is complete only now, may have accounts too.
        if not _may_write(store):
            if take_over.casefold() in ("", NONE):
                return report
            raise SignInRefusedError("This spreadsheet has accounts. Sign in to it to import a list.")
        listed = _to_take_over(store, sheet, take_over)
        if listed is None:
            return report
        if own_fields:
            listed = listed.with_own_fields()
        from crm.commands.data.importing.import_spreadsheet import take_over as carry_out

        return _report(crm, sheet, columns, carry_out(store, listed))
    finally:
        if store is not crm:
            store.repository.close()


@command(
    "sheets connect",
    title="Connect a Google spreadsheet",
    menu="sheets",
    hint="Keep your data in a spreadsheet",
    roles=ONLY_ADMIN,
    here=True,
    own_store=True,
    unread=(StoreError,),
)
def connect(
    crm: CRM, spreadsheet: _ADDRESS, take_over: _TAKE_OVER = "", own_fields: _OWN_FIELDS = False, gone: _GONE = ""
) -> SpreadsheetReport:
    """Connect a Google spreadsheet: set it up if needed, and open it from now on unless you name another store.

    `--store` and the variable `CRM_STORE` come first. `sheets leave` goes back to the file on this computer.
    """
    report = setup(crm, spreadsheet, take_over, own_fields, gone)
    remember_store(crm.config.folder, report.url)
    return replace(report, remembered=True, comes_first=comes_first(crm, report.url))


@command(
    "sheets leave",
    title="Go back to the file on this computer",
    roles=ONLY_ADMIN,
    here=True,
    own_store=True,
    unread=(StoreError,),
)
def leave(crm: CRM) -> StoreChosen:
    """Go back to the file on this computer unless you name another store; the spreadsheet stays as it is."""
    if not remembered_store(crm.config.folder):
        raise RefusedError(
            "No spreadsheet is connected. Without --store and CRM_STORE the file on this computer is used."
        )
    remember_store(crm.config.folder, "")
    own = own_store(crm.config.folder)
    return StoreChosen(own, comes_first(crm, own))


def known_of(crm: CRM, sheet: Spreadsheet) -> str:
    """The knowledge that this computer has of a spreadsheet whose tabs are gone, in words; '' for nothing."""
    title = f"The tabs of this program are gone from “{sheet.title}”."
    if sheet.clients:
        clients = counted(crm.conventions, sheet.clients, "client")
        return f"{title} This computer has {clients} from it, and all its other data."
    if sheet.backup:
        return (
            f"{title} This computer has a backup of it: {display_path(sheet.backup)}. Once it is set up, `restore` puts"
            " that back."
        )
    return ""


def not_restored(unknown: Sequence[str]) -> str:
    """The columns that this computer cannot restore, in a sentence."""
    gone = f"Columns not restored: {', '.join(unknown)}. This computer has never seen what was in them."
    return f"{gone} To restore them, set the spreadsheet up again on one that has."


def comes_first(crm: CRM, url: str) -> str:
    """The store that --store or CRM_STORE names for this program, where that is another one; '' where not."""
    named = crm.config.named_store
    return (
        named if named not in ("", url) and not (url.startswith(SHEETS) and url.removeprefix(SHEETS) in named) else ""
    )


def opened(crm: CRM, url: str) -> CRM:
    """The CRM over a store; this one where it is its own."""
    if crm.repository.url != url or isinstance(crm.repository, Shut):
        return crm.open(url)
    crm.forget_settings()
    return crm


def _may_write(store: CRM) -> bool:
    """Return whether the reader may write to a store that is set up: they have signed in to it, or it has no
    accounts."""
    return store.reader != OWNER or not has_accounts(store)


def lists_in(crm: CRM, sheet: Spreadsheet) -> "list[TakeOver]":
    """The lists of clients in the other tabs of a spreadsheet, by their first rows."""
    from crm.commands.data.importing.import_spreadsheet import recognised

    seen = [recognised(table, crm) for table in sheet.tables]
    return [tab for tab in seen if tab is not None]


def whole_list(crm: CRM, url: str, title: str) -> "TakeOver":
    """A list of clients with all its rows. Raises NotFoundError."""
    from crm.commands.data.importing.import_spreadsheet import recognised

    listed = recognised(crm.spreadsheets.table(url, title), crm)
    if listed is None:
        raise NotFoundError(f"The tab “{title}” has no list of clients with column names above it.")
    return listed


def _named(crm: CRM, written: str) -> str:
    if written:
        return crm.spreadsheets.url(written)
    if not crm.repository.url.startswith(SHEETS):
        raise UsageError("Give the address or id of the spreadsheet, or set CRM_STORE.")
    return crm.repository.url


def _report(
    crm: CRM, sheet: Spreadsheet, columns: Columns, taken_over: "TakeOverReport | None" = None
) -> SpreadsheetReport:
    address = crm.spreadsheets.address(sheet.url)
    is_new = not sheet.is_set_up
    return SpreadsheetReport(sheet.url, sheet.title, address, is_new, columns.put_back, columns.unknown, taken_over)


def _to_take_over(store: CRM, sheet: Spreadsheet, title: str) -> "TakeOver | None":
    """The list to take over. Raises Question where that is for a person to say. `title` is a tab, 'no', or '' for not
    answered yet."""
    lists = lists_in(store, sheet)
    titles = {list_.title.casefold(): list_.title for list_ in lists}
    if title:
        if title.casefold() == NONE and NONE not in titles:
            return None
        return whole_list(store, sheet.url, titles.get(title.casefold(), title))
    with store.read() as snapshot:
        has_clients = snapshot.count(Client) > 0
    if not lists or has_clients:
        return None
    raise Question(
        _asked(store, sheet, lists),
        parameter="take_over",
        choices={list_.title: f"Import “{list_.title}”" for list_ in lists} | {NONE: "Leave it as it is"},
        # Where there are several, yes does not say which.
        yes=lists[0].title if len(lists) == 1 else "",
    )


def counted(by: Conventions, number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{by.number(number)} {noun}{'' if number == 1 else 's'}"


def listed_columns(names: Sequence[str]) -> str:
    """Names of columns in a sentence."""
    quoted = [f"“{name}”" for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def _become_own(names: Sequence[str]) -> str:
    return f"{listed_columns(names)} {'becomes a field' if len(names) == 1 else 'become fields'} of your own"


def _asked(store: CRM, sheet: Spreadsheet, lists: "Sequence[TakeOver]") -> str:
    """The effect of taking each list over, in words."""
    from crm.commands.data.importing.import_spreadsheet import take_over

    by = store.conventions
    questions = []
    for list_ in lists:
        would = take_over(store, whole_list(store, sheet.url, list_.title), preview=True)
        goes = ", ".join(f"{column} → {target}" for column, target in would.columns.items())
        refused = f"; {counted(by, would.refused, 'row')} cannot be read" if would.refused else ""
        own = f" With `--own-fields`, {_become_own(would.left_out)}." if would.left_out else ""
        sales = f", {counted(by, would.opening_sales, 'opening sale')} of {by.money(would.opening_total)} in all"
        questions.append(
            f"The tab “{list_.title}” has a list of {counted(by, would.new + would.updated, 'client')} ({goes})"
            f"{sales if would.opening_sales else ''}{refused}.{own}"
        )
    return f"The spreadsheet is set up. {' '.join(questions)}"
