"""The composition root: the one place that knows which store, which services and which door are in use."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from crm.accounts import KeyHolder, SignedIn
from crm.accounts.evidence import Memory, refuse_owner
from crm.accounts.roster import Roster
from crm.accounts.service import AccountService
from crm.clock import Clock
from crm.commands.context import CRM, Outward, has_accounts, silent
from crm.config import SHEETS, Config, check_team_setting, from_environment, settings_of, store_file, team_defaults
from crm.errors import FieldError, FileError, ForbiddenError, SignedOutError, StoreAccessError, UsageError
from crm.model import Record, Setting, StatusRule
from crm.model.rights import ALL, OWNER, STORE, UPDATE, Reader, level, refusal
from crm.private_files import close_to_others
from crm.repository import Repository, Snapshot, Spreadsheets, Waiting
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.dialect import Sqlite

if TYPE_CHECKING:
    from crm.accounts.accounts import Accounts
    from crm.accounts.keys import Secret
    from crm.outward.mail import Mailer
    from crm.outward.mailbox import Mailbox
    from crm.outward.saved_services import SavedServices
    from crm.outward.sms import Texter
    from crm.repository.guarded.verified import VerifiedRepository
    from crm.repository.sheets.repository import SheetsRepository
    from crm.terminal.console.file_transfer import FileTransfer
    from crm.terminal.loop import Loop

Result = TypeVar("Result")
Way = TypeVar("Way")


def open_crm(config: Config, *, progress: Callable[[str], Any] = silent, waiting: Waiting = lambda _: None) -> CRM:
    """The CRM over the store that the settings name, as the owner of this machine has it. Nothing is opened before it
    is used. Raises UsageError."""
    close_to_others(config.folder)
    repository = _repository(config, waiting)
    accounts = cache(lambda: open_accounts(config, repository))
    return CRM(
        repository,
        config,
        lambda url: open_crm(dataclasses.replace(config, store=url), progress=progress, waiting=waiting),
        lambda: _spreadsheets(config, waiting),
        AccountService(accounts, OWNER),
        enter,
        open_outward(config),
        progress,
    )


def open_accounts(config: Config, repository: Repository) -> "Accounts":
    """The accounts of a store, with what sends their codes and links."""
    from crm.accounts.accounts import Accounts
    from crm.accounts.keys import Secret
    from crm.accounts.throttling import AttemptLimiter

    outward = open_outward(config)

    return Accounts.of(
        repository,
        Secret(config.secret, config.folder),
        AttemptLimiter(config.folder, lambda: config.now().timestamp()),
        mailer=partial(_usable, outward.mailer),
        texter=partial(_usable, outward.texter),
        roster=_roster(config, repository.url),
    )


def _usable(way: Callable[[], Way | None]) -> Way | None:
    """A way to send codes or links; None where its settings on this computer are wrong: a sign-in does not wait until
    they are corrected."""
    with suppress(FileError, FieldError):
        return way()
    return None


def _roster(config: Config, url: str) -> Roster:
    """The seals of a store's accounts."""

    def secret() -> "Secret":
        from crm.accounts.keys import Secret

        return Secret(config.secret, config.folder)

    return Roster(secret, Memory(config.folder), url)


def open_outward(config: Config) -> Outward:
    """Open the transports for messages from the settings: the variables of the environment, and what is saved on this
    computer where they are not set. Each is looked up again, since the settings may be changed meanwhile."""

    def texter() -> "Texter | None":
        from crm.outward.services import SMS
        from crm.outward.sms import texter_for

        saved, token = saved_services(config), config.twilio_token
        # What is not needed is not read.
        values = {} if config.twilio_account and token and config.twilio_from else saved.values(SMS)
        return texter_for(
            config.twilio_account or values.get("account", ""),
            token or (partial(saved.secret, SMS) if values else ""),
            config.twilio_from or values.get("sender", ""),
            config.twilio,
        )

    def mailbox() -> "Mailbox | None":
        from crm.outward.mailbox import mailbox_at
        from crm.outward.services import MAILBOX, mailbox_server

        saved = saved_services(config)
        if config.imap_url or not (values := saved.values(MAILBOX)):
            return mailbox_at(config.imap_url, config.now)
        return mailbox_at(mailbox_server(values, partial(saved.secret, MAILBOX)), config.now)

    def key(purpose: str) -> bytes:
        from crm.accounts.keys import Secret

        return Secret(config.secret, config.folder).key(purpose)

    folder = config.folder / "messages"
    return Outward(lambda: open_mailer(config), texter, mailbox, cache(key), folder, partial(saved_services, config))


def saved_services(config: Config) -> "SavedServices":
    """The settings of this computer for e-mail and SMS."""
    from crm.outward.saved_services import SavedServices

    return SavedServices(config.folder / "services")


def open_mailer(config: Config) -> "Mailer | None":
    """The transport for e-mail, None where none is set up. Nothing is asked of anybody yet. Raises UsageError,
    FileError, and StoreAccessError where Google's credentials cannot be used."""
    from crm.outward.mail import GMAIL
    from crm.outward.mailers import mailer_at
    from crm.outward.services import EMAIL, email_server

    saved = saved_services(config)
    # What is not needed is not read.
    values = {} if config.smtp_url and config.mail_from else saved.values(EMAIL)
    sender = config.mail_from or values.get("sender", "")
    if config.smtp_url.strip() != GMAIL:
        if config.smtp_url or not values:
            return mailer_at(config.smtp_url, sender, config.now)
        return mailer_at(email_server(values, partial(saved.secret, EMAIL)), sender, config.now)
    from crm.outward.gmail import GmailMailer
    from crm.repository.sheets.google.credentials import account_from

    account = account_from(config.credentials, config.credentials_file)
    account.check_meets(config.google)
    return GmailMailer(account, sender, google=config.google, now=config.now)


def enter(crm: CRM, who: SignedIn | KeyHolder | None) -> CRM:
    """The CRM for a signed-in user or a key: with their rights only. It follows a change of their name, whoever makes
    it. None is the owner of a store without accounts, as long as it has none."""
    from crm.repository.guarded.verified import VerifiedRepository

    if who is None:
        return _entered(crm, VerifiedRepository(crm.repository, OWNER, refuse_owner))
    from crm.repository.guarded.repository import GuardedRepository

    accounts = crm.accounts.open
    if isinstance(who, KeyHolder):
        return _entered_by_key(crm, who)
    reader = Reader(who.user, who.role, who.client, who.name or who.email)

    def verify(snapshot: Snapshot, reader: Reader) -> Reader:
        entered.reader = accounts().sessions.verify(snapshot, who.session, reader)
        return entered.reader

    verified = VerifiedRepository(crm.repository, reader, verify)
    entered = _entered(crm, verified, GuardedRepository(verified), who.session)
    return entered


def _entered_by_key(crm: CRM, holder: KeyHolder) -> CRM:
    from crm.accounts.machine_keys import reader_by
    from crm.repository.guarded.repository import GuardedRepository
    from crm.repository.guarded.verified import VerifiedRepository

    def verify(snapshot: Snapshot, reader: Reader) -> Reader:
        return crm.accounts.open().machine_keys.verify(snapshot, holder, reader)

    verified = VerifiedRepository(crm.repository, reader_by(holder), verify)
    return _entered(crm, verified, GuardedRepository(verified))


def _entered(crm: CRM, verified: "VerifiedRepository", repository: Repository | None = None, session: int = 0) -> CRM:
    return dataclasses.replace(
        crm,
        repository=repository or verified,
        accounts=AccountService(crm.accounts.open, verified.reader, session, verified),
        reader=verified.reader,
        saved=verified.saved,
        outside=crm,
        open=_for_whole_stores(verified, crm.open),
        connect_google=_for_whole_stores(verified, crm.connect_google),
    )


def _for_whole_stores(verified: "VerifiedRepository", function: Callable[..., Result]) -> Callable[..., Result]:
    """The check for actions on whole stores: it lets through those with the right, as long as they are signed in; for
    others it raises ForbiddenError and SignedOutError."""

    def called(*arguments: Any) -> Result:
        if level(verified.reader.role, STORE, UPDATE) is not ALL:
            raise ForbiddenError(refusal(STORE, UPDATE))
        with verified.read():
            return function(*arguments)

    return called


def _repository(config: Config, waiting: Waiting) -> Repository:
    if "sheets:" in config.store or "docs.google.com" in config.store:
        return _spreadsheet(config, waiting)
    path = store_file(config.store)
    if path is None:
        raise UsageError(
            f"“{config.store}” is not a store address. Write it as sqlite:///path/to/file.sqlite3, or as sheets:// and"
            " the id of a Google spreadsheet."
        )
    repository = SqlRepository(
        config.store,
        Sqlite(path),
        now=config.now,
        user=config.user,
        first_records=_first_records,
        waiting=waiting,
    )
    repository.keep_sealed(_roster(config, repository.url))
    return repository


def _spreadsheet(config: Config, waiting: Waiting) -> Repository:
    # Nobody who works on a file has to wait for what a spreadsheet needs.
    from crm.repository.sheets.google.credentials import spreadsheet_id
    from crm.repository.shut import Shut

    url = f"sheets://{spreadsheet_id(config.store)}"
    try:
        return _sheets(config, waiting, url)
    except StoreAccessError as error:
        # The menu still opens, and leads to where it can be corrected.
        return cast(Repository, Shut(url, Clock(config.now), error))


def _sheets(config: Config, waiting: Waiting, url: str) -> "SheetsRepository":
    from crm.repository.sheets.google.credentials import account_from, spreadsheet_id
    from crm.repository.sheets.google.spreadsheet import Service
    from crm.repository.sheets.repository import SheetsRepository

    spreadsheet = spreadsheet_id(url)
    account = account_from(config.credentials, config.credentials_file)
    repository = SheetsRepository(
        url,
        Service(spreadsheet, account, _spreadsheet_folder(config), google=config.google, waiting=waiting),
        Sqlite(_spreadsheet_folder(config) / f"{spreadsheet}.sqlite3"),
        now=config.now,
        user=config.user,
        waiting=waiting,
        check_setting=check_team_setting,
    )
    repository.keep_sealed(_roster(config, url))
    return repository


def _spreadsheets(config: Config, waiting: Waiting) -> Spreadsheets:
    from crm.repository.sheets.connecting import GoogleSpreadsheets

    return GoogleSpreadsheets(
        config.credentials,
        config.credentials_file,
        config.google,
        _spreadsheet_folder(config),
        _first_records,
        config.now,
        waiting,
        lambda url: _sheets(config, waiting, url),
    )


def _spreadsheet_folder(config: Config) -> Path:
    return config.folder / "spreadsheets"


def _first_records(locale: str = "") -> Sequence[Record]:
    """The records of a new store: the default rules, and the settings that this machine suggests, or the locale of its
    spreadsheet."""
    # What reads rules is loaded when there is one to read: the first screen asks for none.
    from crm.rules import SETS

    rules = enumerate(SETS["default"].rules(), start=1)
    return [
        *(StatusRule(position=at, status=status, when=when, active=True) for at, (status, when) in rules),
        *(Setting(key=key, value=value) for key, value in (team_defaults() | settings_of(locale)).items()),
    ]


def programs_of_menus() -> list[tuple[str, list[str], None, dict[str, str]]]:
    """The program that a menu in a browser starts, with its command line, its folder and its environment: many menus
    run side by side, so it ends after each page."""
    from crm.outward.invoice_pdf import compiling

    compiling.end_after_each_page()
    command = compiling.command()
    return [(command[0], command, None, compiling.environment())]


def preload() -> None:
    """Load what every menu needs sooner or later, for a process that menus are forked from: they share it then."""
    modules = [
        "crm.accounts.accounts", "crm.accounts.throttling", "crm.accounts.keys", "crm.outward.smtp", "crm.outward.sms",
        "crm.outward.invoice_pdf.compiling",
        "crm.repository.guarded.repository", "crm.repository.metrics", "crm.repository.review",
        "crm.repository.transaction", "crm.repository.dump", "crm.repository.sqlite.search", "crm.rules",
        "crm.terminal.home.client_portal", "crm.terminal.team.signing_in", "crm.terminal.data.welcome",
        "cryptography.fernet",
    ]  # fmt: skip
    if from_environment(os.environ).store.startswith(SHEETS):
        modules += [
            "crm.repository.sheets.repository",
            "crm.repository.sheets.google.http",
            "gspread",
            "google.auth.crypt",
        ]
    for name in modules:
        import_module(name)
    from crm.commands import load
    from crm.terminal.toolkit.pages import load_flows

    load()
    load_flows()


def open_menu(stdin: IO[str], stdout: IO[str], loop: "Loop", environment: Mapping[str, str]) -> int:
    """Run the menu on this machine, in its loop. Returns the exit code."""
    from crm.model.paths import at_home
    from crm.terminal.home.menu import run_menu

    def opened(**doors: Any) -> CRM:
        return open_crm(from_environment(environment), **doors)

    with at_home(environment):
        return run_menu(opened, stdin, stdout, loop, environment)


def serve(opening: Mapping[str, str], exchange: "FileTransfer", stdin: IO[str], stdout: IO[str], loop: "Loop") -> int:
    """Run the menu for somebody in a browser who has signed in: `opening` names the session. Returns the exit
    code."""
    from crm.model.paths import at_another_device
    from crm.terminal.home.menu import run_menu

    def opened(**doors: Any) -> CRM:
        return open_crm(from_environment(os.environ), **doors)

    with at_another_device():
        crm = opened()
        try:
            who = crm.accounts.open().sessions.still_holds(int(opening["session"]))
        finally:
            crm.repository.close()
        if who is None:
            raise SignedOutError
        return run_menu(opened, stdin, stdout, loop, os.environ, exchange=exchange, who=who)


def serve_web(config: Config, host: str, port: int) -> int:
    """Serve the menu to browsers until it is asked to stop; `host` '' and `port` 0 leave it to the settings. Returns
    the exit code."""
    from crm.accounts.keys import Secret
    from crm.web.server import Opened, serve
    from crm.web.store_threads import not_for_long

    crm = open_crm(config)
    try:
        # A store whose accounts cannot be read is not served.
        has_accounts(crm)
    finally:
        crm.repository.close()

    # What is saved in a spreadsheet takes its time.
    waiting: Waiting = (lambda _: None) if config.store.startswith(SHEETS) else not_for_long

    def opened() -> Opened:
        crm = open_crm(config, waiting=waiting)

        def follow(link: str, act: bool) -> bool:
            from crm.commands.mail.unsubscribing import follow

            return follow(crm, link, act=act)

        return Opened(crm.accounts.open(), crm.repository, follow)

    # What is named wrongly is reported now, and not when mail is first fetched.
    open_outward(config).mailbox()
    secret = Secret(config.secret, config.folder)
    return serve(config, opened, lambda purpose: secret.key(f"web {purpose}"), host=host, port=port)
