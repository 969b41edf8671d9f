"""The context of a command: the store as far as its reader may see it, the accounts, the team's conventions."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from crm.accounts import KeyHolder, SignedIn
from crm.accounts.evidence import accounts_exist
from crm.accounts.service import AccountService
from crm.clock import Clock
from crm.config import Config, team_defaults
from crm.errors import CRMError, SignInRefusedError, StoreError, StoreNotSetUpError
from crm.lean_dataclass import dataclass
from crm.model import Conventions, Setting
from crm.model.data import SPEND_COUNTS
from crm.model.paths import display_path
from crm.model.record import AnyRecord
from crm.model.rights import OWNER, Reader
from crm.repository import Query, Repository, Saved, Snapshot, Spreadsheets, Transaction
from crm.repository.shut import Shut

if TYPE_CHECKING:
    from crm.accounts.accounts import Accounts
    from crm.outward.mail import Mailer
    from crm.outward.mailbox import Mailbox
    from crm.outward.saved_services import SavedServices
    from crm.outward.sms import Texter

Result = TypeVar("Result")
# How far a long piece of work is: done, of how many in all (0 while unknown).
Progress = Callable[[int, int], None]
Item = TypeVar("Item")
_REPORTED_EVERY = 100


class _ForeseenError(Exception):
    """The end of a transaction that only shows what a change would bring."""


@contextmanager
def silent(_: str) -> Iterator[Progress]:
    """Progress that nobody sees."""
    yield lambda _done, _all: None


def counted(objects: Iterable[Item], progress: Progress, count: int = 0, before: int = 0) -> Generator[Item]:
    """Objects as they pass by, telling how far it is: `count` of them in all, `before` done already."""
    for done, entry in enumerate(objects, start=before + 1):
        if not done % _REPORTED_EVERY:
            progress(done, count)
        yield entry


# Kept, since each also keeps what it has found out about its language.
_conventions = lru_cache(maxsize=16)(Conventions)


def has_accounts(crm: "CRM") -> bool:
    """Return whether the store has accounts that let somebody in, so that its users sign in; where not, it is its
    owner's. People of the team who are only named do not count. A store that has had accounts never is one without.

    Every way into a store asks this, and stays shut where it raises StoreError: what cannot be known is refused.
    """
    with crm.repository.read() as snapshot:
        return accounts_exist(snapshot)


def open_other(crm: "CRM", url: str) -> "CRM":
    """Another store, as its owner has it. Raises SignInRefusedError where it has accounts, of which nobody has signed
    in, and StoreError."""
    other = crm.open(url)
    try:
        if has_accounts(other):
            raise SignInRefusedError(f"{display_path(url)} has accounts. Open it with --store and sign in to use it.")
    except BaseException:
        other.repository.close()
        raise
    return other.enter(other, None)


def shut(crm: "CRM", error: StoreError) -> "CRM":
    """The CRM of a store that cannot be read, so that nobody knows who may use it: every use of the store and of its
    accounts raises `error`. Only a damaged file can be replaced by a backup."""

    def refuse() -> "Accounts":
        raise error

    outside = crm.outside or crm
    store = Shut(outside.repository.url, outside.repository.clock, error, outside.repository)
    accounts = AccountService(refuse, OWNER)
    return replace(outside, repository=cast(Repository, store), accounts=accounts, outside=outside)


def begin_day(crm: "CRM") -> list[CRMError]:
    """Do what is done once a day, at first use: a backup, and the review of statuses that depend on the day.

    Returns what went wrong; a store that cannot be written just now can still be read.
    """
    wrong = []
    # A spreadsheet without a key refuses already to say what it can do.
    for step in ("daily_backup", "daily_review"):
        try:
            getattr(crm.repository, step)()
        except CRMError as error:
            wrong.append(error)
    return wrong


@contextmanager
def damage_explained(repository: Repository) -> Iterator[None]:
    """Turn an error that wrong values of another program led to into one that names them."""
    try:
        yield
    except CRMError:
        raise
    except Exception as error:
        if (damage := repository.damage(error)) is None:
            raise
        raise damage from error


class _Moment:
    """A store at the moment of the first read; nothing is read before."""

    def __init__(self, repository: Repository, stack: ExitStack) -> None:
        self._repository = repository
        self._stack = stack
        self._snapshot: Snapshot | None = None

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """The snapshot. Errors are those of a read of its own."""
        if self._snapshot is None:
            self._snapshot = self._stack.enter_context(self._repository.read())
        with damage_explained(self._repository):
            yield self._snapshot

    def end(self) -> None:
        """Read anew from now on."""
        self._snapshot = None
        self._stack.close()


@dataclass(frozen=True)
class Outward:
    """The transports for messages, outgoing and incoming: each is made when it is asked for, None where the settings
    name none, and raises UsageError or FileError where they cannot be used. `key(purpose)` is what signs links in
    messages; `folder` is where files that go with them lie, and what is remembered about them; `saved` gives the
    settings of this computer for them."""

    mailer: "Callable[[], Mailer | None]"
    texter: "Callable[[], Texter | None]"
    mailbox: "Callable[[], Mailbox | None]"
    key: Callable[[str], bytes]
    folder: Path
    saved: "Callable[[], SavedServices]"


@dataclass
class CRM:
    """The context that every command gets. `open` gives the CRM of another store (a URL), `connect_google` the
    spreadsheets at Google; `progress(what)` opens a display of how far a long piece of work is. `reader` is who is
    asking: the owner of the machine, who is signed in, or a key; `repository` gives no more than they may see.
    `enter(crm, who)` is the same CRM as somebody has it who has signed in or shows a key, or as the owner, for None,
    while there are no accounts: `saved` is what they have saved since, `outside` the CRM as it was before, for the next
    sign-in. `attended` says that somebody sits there who can be asked."""

    repository: Repository
    config: Config
    open: Callable[[str], "CRM"]
    connect_google: Callable[[], Spreadsheets]
    accounts: AccountService
    enter: "Callable[[CRM, SignedIn | KeyHolder | None], CRM]"
    outward: Outward
    progress: Callable[[str], Any] = silent
    attended: bool = False
    reader: Reader = OWNER
    saved: Saved = field(default_factory=Saved)
    outside: "CRM | None" = field(default=None, repr=False)
    _settings: dict[str, str] | None = field(default=None, repr=False)
    _moment: "_Moment | None" = field(default=None, init=False, repr=False)

    @property
    def spreadsheets(self) -> Spreadsheets:
        """The spreadsheets at Google."""
        return self.connect_google()

    @property
    def me(self) -> str:
        """The present user's name, as it is in records: that of the account, or of the machine's owner."""
        return self.reader.name or self.config.user

    @property
    def clock(self) -> Clock:
        """The time, and the days in the team's time zone."""
        return self.repository.clock

    @property
    def today(self) -> date:
        """The day that it is for the team."""
        return self.clock.today

    @property
    def settings(self) -> dict[str, str]:
        """The team's settings by name."""
        if self._settings is None:
            from crm.repository.queries.store import settings

            try:
                with self.repository.read() as snapshot:
                    stored = settings(snapshot)
            except StoreNotSetUpError:
                # What it will have; nothing can be saved by it before.
                return team_defaults()
            self._settings = team_defaults(but=stored) | stored
        return self._settings

    def is_set_by_person(self, key: str) -> bool:
        """Return whether somebody has changed a setting since this store was made with what the machine suggested."""
        with self.read() as snapshot:
            return any(setting.version > 1 for setting in snapshot.find_all(Setting, Query({"key": key})))

    def with_settings(self, settings: Mapping[str, str]) -> "CRM":
        """The same CRM with settings that are not stored yet."""
        return replace(self, _settings={**self.settings, **settings})

    def forget_settings(self) -> None:
        """Read the team's settings again when they are next asked for."""
        self._settings = None
        self.clock.forget_zone()

    @property
    def conventions(self) -> Conventions:
        """The conventions of the team for money, dates and phone numbers, and its clock."""
        known = self.settings
        return _conventions(known["language"], known["currency"], known["country"], self.clock, known[SPEND_COUNTS])

    def demand_session(self) -> None:
        """Raise SignedOutError for a reader who is not signed in any more, before something is done that does not
        read the store."""
        with self.read():
            pass

    def read(self) -> AbstractContextManager[Snapshot]:
        """The store as it is now, as a context; within `at_one_moment`, as it was at the first read."""
        return self.repository.read() if self._moment is None else self._moment.read()

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """Read once what is drawn together: all reads within it see the store at the same moment, until something is
        changed. Nobody is asked meanwhile, and nothing is changed or foreseen inside a `read`: that would end its
        snapshot."""
        if self._moment is not None:
            yield
            return
        with ExitStack() as stack:
            self._moment = _Moment(self.repository, stack)
            try:
                yield
            finally:
                self._moment = None

    def get(self, kind: type[AnyRecord], number: int) -> AnyRecord:
        """A record as it is now. Raises NotFoundError."""
        with self.read() as snapshot:
            return snapshot.get(kind, number)

    def transact(self, change: Callable[[Transaction], Result], what: str) -> Result:
        """One change of the store, all or nothing; `what` is in the history."""
        # Read before: a spreadsheet that is being changed cannot be read beside that.
        _ = self.settings
        if self._moment is not None:
            self._moment.end()
        return self.repository.transact(change, what)

    def foresee(self, change: Callable[[Transaction], Result]) -> Result:
        """The result of a change that is rolled back: exact whatever the rules ask for, and nothing is saved."""
        results: list[Result] = []

        def made(tx: Transaction) -> None:
            results.append(change(tx))
            raise _ForeseenError

        with suppress(_ForeseenError):
            self.transact(made, "looked ahead")
        return results[-1]
