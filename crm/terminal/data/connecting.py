"""Connecting a Google spreadsheet at the menu: step by step to a store that is set up, and back to the file."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.text import Text

from crm.commands.context import CRM
from crm.commands.data.spreadsheets import (
    comes_first,
    counted,
    known_of,
    listed_columns,
    lists_in,
    not_restored,
    whole_list,
)
from crm.commands.registry import named
from crm.config import SHEETS, own_store, remember_store
from crm.errors import FieldError, StoreAccessError, StoreDamagedError, StoreError, StoreNotSetUpError, UsageError
from crm.model import Client, Sale
from crm.repository import Spreadsheet
from crm.terminal.console.keyboard import Back, Choice, Needed
from crm.terminal.drawing.render import show
from crm.terminal.drawing.screen import clean
from crm.terminal.team.signing_in import entered
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import in_steps

_TITLE = "Connect a Google spreadsheet"
_STEPS = (
    ("Make a project at Google, and enable two APIs for it:", (
        "https://console.cloud.google.com/apis/library/sheets.googleapis.com",
        "https://console.cloud.google.com/apis/library/drive.googleapis.com",
    )),
    ("Make a service account in it, with any name:", (
        "https://console.cloud.google.com/iam-admin/serviceaccounts",
    )),
    ("Choose it. Under Keys: Add key, Create new key, JSON. Save the file as", ()),
)  # fmt: skip


@flow("sheets connect")
def connect(session: Session, **_: Any) -> None:
    """Ask for the address of a spreadsheet, check it and fill it; or show what can be done with the one
    that is connected."""
    if session.crm.repository.url.startswith(SHEETS):
        _connected(session)
    else:
        guide(session)


def _connected(session: Session) -> None:
    """The menu of the spreadsheet in use."""
    session.page(_TITLE)
    session.screen.print("You are working in this spreadsheet:")
    session.screen.copyable(session.crm.spreadsheets.address(session.crm.repository.url))
    session.screen.print()
    entries = [
        Choice("Update its drop-downs and colours, restore columns", lambda: _set_up_again(session)),
        Choice("Connect another spreadsheet", lambda: guide(session)),
        Choice("Go back to the file on this computer", lambda: work_on_file(session)),
    ]
    session.keyboard.choose("", entries)()


@flow("sheets repair")
def repair(session: Session, **_: Any) -> None:
    """The preview of a repair, and the question whether to do it."""
    command = named("sheets repair")
    session.lead(command, **{name: parameter.default for name, parameter in command.parameters.items()})


def _set_up_again(session: Session) -> None:
    session.tell(session.call("sheets setup", take_over="no"))
    session.crm.forget_settings()


def work_on_file(session: Session) -> None:
    """Go on in the file on this computer, now and from now on."""
    target = _entered(session, session.crm.open(own_store(session.crm.config.folder)))
    with _closed_unless_used(session, target):
        remember_store(session.crm.config.folder, "")
        _go_on_with(session, target)
    session.page(_TITLE)
    session.screen.print(Text("You are working on the file on this computer again.", "success"))
    session.screen.print("The spreadsheet and its contents stay as they are.")
    _tell_what_comes_first(session, own_store(session.crm.config.folder))
    session.keyboard.pause()


def offer_another_way(session: Session, error: StoreError) -> bool:
    """Say why the spreadsheet cannot be opened, and let the person set it up, connect another, or go to the file;
    False where the person leaves. Raises Closed."""
    session.page()
    session.screen.explain(error.sentence, "warning" if isinstance(error, StoreNotSetUpError) else "danger")
    session.screen.print()
    url = session.crm.repository.url
    entries: list[Choice] = []
    if isinstance(error, StoreNotSetUpError):
        entries.append(Choice("Set up now", lambda: guide(session, url)))
    else:
        entries.append(Choice("Try again", lambda: _go_on_with(session, session.crm.open(url))))
    if isinstance(error, StoreDamagedError):
        entries.append(Choice("Repair the spreadsheet", lambda: _repair(session, url)))
    entries += [
        Choice("Connect a spreadsheet step by step", lambda: guide(session)),
        Choice("Go back to the file on this computer", lambda: work_on_file(session)),
        Choice("Exit", None, "0"),
    ]
    try:
        chosen: Callable[[], Any] | None = session.keyboard.choose("", entries, back="")
    except Back:
        return True
    if chosen is None:
        return False
    session.attempt(chosen)
    return True


def _repair(session: Session, url: str) -> None:
    """Put tabs back that were damaged by hand, once the person agrees. Raises Back."""
    session.page(_TITLE)
    for what in session.crm.spreadsheets.damage(url):
        session.screen.print(Text(clean(what)))
    session.screen.print()
    session.confirm("", "Repair it", "Back")
    session.insist(lambda: session.crm.spreadsheets.repair(url))
    _go_on_with(session, session.crm.open(url))


def guide(session: Session, url: str = "") -> None:
    """Lead from nothing to a spreadsheet that is worked in. Raises Back."""
    account, typed = _key(session), url

    def ask_address() -> None:
        nonlocal typed
        typed = _address(session, account)

    def find() -> Spreadsheet:
        spreadsheet = _found(session, typed)
        _set_up(session, spreadsheet)
        return spreadsheet

    spreadsheet: Spreadsheet = in_steps(session, [*([] if url else [ask_address]), find])
    target = _entered(session, session.crm.open(spreadsheet.url))
    with _closed_unless_used(session, target):
        filled = _fill(session, target, spreadsheet)
        if filled is not None:
            session.page(_TITLE)
            show(session.screen, filled, target.conventions)
            session.screen.print()
            session.keyboard.pause()
        if getattr(filled, "failed", False):
            # The store that was in use stays in use.
            return
        remember_store(session.crm.config.folder, spreadsheet.url)
        _go_on_with(session, target)
    session.page(_TITLE)
    session.screen.print(Text(clean(f"You are working in “{spreadsheet.title}” now:"), "success"))
    session.screen.copyable(session.crm.spreadsheets.address(spreadsheet.url))
    session.screen.print("People may edit it by hand at the same time. The way back: Data, " + _TITLE + ".")
    _tell_what_comes_first(session, spreadsheet.url)
    session.keyboard.pause()


def _tell_what_comes_first(session: Session, url: str) -> None:
    """Show which store is opened at the next start."""
    other = comes_first(session.crm, url)
    if not other:
        session.screen.print("The CRM will open it from now on.")
        return
    session.screen.print()
    line = "At the next start the CRM opens another store, set by --store or CRM_STORE:"
    session.screen.print(Text(line, "warning"))
    session.screen.copyable(other)
    session.screen.print("To open this one instead, set the variable:")
    session.screen.copyable(f"CRM_STORE={url}")


@contextmanager
def _closed_unless_used(session: Session, crm: CRM) -> Iterator[None]:
    """Let go of a store at the end unless it is the one in use by then."""
    try:
        yield
    finally:
        if session.crm is not crm:
            crm.repository.close()


def _go_on_with(session: Session, crm: CRM) -> None:
    if session.crm is not crm:
        session.close()
    session.crm, session.real = crm, None


def _entered(session: Session, store: CRM) -> CRM:
    """Another store, signed in to where it has accounts. Raises Back where nobody does."""
    before, session.crm = session.crm, store
    try:
        if entered(session):
            return session.crm
        raise Back
    except BaseException:
        store.repository.close()
        raise
    finally:
        session.crm = before


def _key(session: Session) -> str:
    """The address of the service account, once there is a key for it. Raises Back."""
    while True:
        try:
            return session.crm.spreadsheets.account()
        except StoreAccessError as error:
            session.page(_TITLE)
            screen = session.screen
            for number, (words, addresses) in enumerate(_STEPS, start=1):
                screen.print(f"{number} {words}")
                for address in addresses:
                    screen.copyable(address)
            screen.copyable(str(Path.cwd() / "creds.json"))
            screen.print()
            missing = error.reason == "no_credentials"
            screen.explain("No key file is there yet." if missing else error.sentence, "warning")
            session.keyboard.choose("", [Choice("Look again", True)])


def _address(session: Session, account: str) -> str:
    """The spreadsheet that the person names. Raises Back."""
    session.page(_TITLE)
    screen = session.screen
    screen.print("Open your spreadsheet, or make a new one at")
    screen.copyable("https://sheets.new")
    screen.print("Choose Share, and add this address as an Editor:")
    screen.print()
    screen.copyable(account)
    screen.print()

    def read(typed: str) -> str:
        if not typed.strip():
            raise Needed
        try:
            return session.crm.spreadsheets.url(typed)
        except UsageError as error:
            raise FieldError(error.sentence) from error

    url: str = session.keyboard.text("Address of the spreadsheet", read, help="copied from the browser")
    return url


def _found(session: Session, url: str) -> Spreadsheet:
    """The spreadsheet, once it can be read and written. Raises Back."""
    while True:
        session.page(_TITLE)
        session.screen.print(Text("Testing it…", "muted"))
        try:
            return session.crm.spreadsheets.look_at(url)
        except StoreError as error:
            session.page(_TITLE)
            session.screen.explain(error.sentence, "warning")
            session.screen.print()
            session.keyboard.choose("", [Choice("Try again", True)], back="Another spreadsheet")


def _set_up(session: Session, sheet: Spreadsheet) -> None:
    """Set it up where it is not yet, once the person agrees. Raises Back."""
    if sheet.is_set_up:
        return
    session.page(_TITLE)
    if known := known_of(session.crm, sheet):
        session.screen.explain(known, "warning")
        session.screen.print()
        if sheet.clients:
            entries = [Choice("Restore what this computer has of it", True), Choice("Set it up empty", False)]
            if session.keyboard.choose("", entries, back="Another spreadsheet"):
                session.insist(lambda: session.crm.spreadsheets.repair(sheet.url))
                return
    session.screen.print(Text(clean(f"Found “{sheet.title}”. The program can read and change it.")))
    session.screen.print("Setting it up adds the tabs clients, sales and rules, and hidden ones for the program.")
    session.screen.print("Its present contents stay as they are.")
    session.screen.print()
    session.confirm("", "Set it up", "Another spreadsheet")
    columns = session.insist(lambda: session.crm.spreadsheets.set_up(sheet.url))
    if columns.unknown:
        # An older version has set it up, without accounts.
        session.page(_TITLE)
        session.screen.explain(not_restored(columns.unknown), "warning")
        session.screen.print()
        session.keyboard.pause()


def _fill(session: Session, target: CRM, sheet: Spreadsheet) -> Any:
    """Ask what goes into an empty store: a list that is in the spreadsheet, what is in the store in use, or nothing.
    What became of it, None for nothing."""
    if not target.repository.is_empty():
        return None
    entries = [
        Choice(
            f"Import the list of clients in the tab “{list_.title}”{own}",
            _takes(session, target, sheet, list_.title, own),
        )
        for list_ in lists_in(target, sheet)
        for own in (*_own_fields(list_.left_out), "")
    ]
    source = session.real or session.crm
    if target.repository.is_untouched() and (holds := _holds(source)):
        entries.append(
            Choice(f"Copy {holds} from the store you used before", lambda: _copy(session, source, sheet.url))
        )
    if not entries:
        return None
    entries.append(Choice("Start empty", None))
    while True:
        session.page(_TITLE)
        session.screen.print(Text(f"“{sheet.title}” is set up.", "success"))
        session.screen.print()
        try:
            chosen = session.keyboard.choose("What should it contain?", entries, back="")
        except Back:
            chosen = None
        if chosen is None:
            return None
        done = session.attempt(chosen)
        if done is not None:
            return done


def _holds(source: CRM) -> str:
    """The content of a store, in words; '' for nothing."""
    try:
        if source.repository.is_untouched():
            return ""
        with source.read() as snapshot:
            clients, sales = snapshot.count(Client), snapshot.count(Sale)
    except StoreError:
        return ""
    by = source.conventions
    return f"everything ({counted(by, clients, 'client')}, {counted(by, sales, 'sale')})"


def _own_fields(left_out: Sequence[str]) -> Sequence[str]:
    """The text about custom fields for unknown columns; '' where all columns have a field."""
    return [f", with {listed_columns(left_out)} as fields of your own"] if left_out else []


def _takes(session: Session, target: CRM, sheet: Spreadsheet, title: str, own: str) -> Callable[[], Any]:
    def take() -> Any:
        from crm.commands.data.importing.import_spreadsheet import take_over

        session.page(_TITLE, title)
        listed = whole_list(target, sheet.url, title)
        if own:
            listed = listed.with_own_fields()
        show(session.screen, take_over(target, listed, preview=True), target.conventions)
        session.screen.print()
        session.confirm("", "Import them; the list stays as it is", "Back")
        return session.insist(lambda: take_over(target, listed))

    return take


def _copy(session: Session, source: CRM, url: str) -> Any:
    session.page(_TITLE)
    return session.insist(lambda: named("copy")(source, to=url))
