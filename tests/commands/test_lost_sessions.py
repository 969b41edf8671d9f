"""Sessions that end during a command, in every way and at every question: the command changes nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pyotp import TOTP

from crm.accounts import SignedIn
from crm.accounts.service import AccountService
from crm.commands.context import CRM
from crm.commands.registry import Command, named
from crm.errors import CRMError, FieldError, ForbiddenError, Question, RefusedError, SignedOutError, SignInRefusedError
from crm.model import MachineKey, SignIn, User, View
from tests.support.firm import GIVEN, Firm, command_group
from tests.support.lost_sessions import changing, expire

PASSWORD = "a kettle, two spoons and rain"


@dataclass
class Work:
    """A firm in which somebody works whose session can be lost, as `role`."""

    firm: Firm
    role: str = "admin"
    user: int = field(init=False)
    email: str = field(init=False)
    _managing: CRM | None = None

    def __post_init__(self) -> None:
        self.email = f"vic-{self.role}@example.com"
        client = self.firm.own.id if self.role == "client" else 0
        accounts = self.firm.office.crm.accounts.open()
        name = f"Vic of {self.role}"
        self.user = accounts.administration.add(
            email=self.email, name=name, role=self.role, client=client, password=PASSWORD
        )[0].id
        self.firm.passwords[self.role] = PASSWORD
        accounts.administration.add(
            email=self.manager_email, name=f"Manager of {self.role}", role="admin", password=PASSWORD
        )

    @property
    def manager_email(self) -> str:
        return f"manager.{self.role}@example.com"

    @property
    def manager(self) -> AccountService:
        """The accounts as an admin has them whom no command is about."""
        if self._managing is None or not self._is_open(self._managing.accounts.session):
            self._managing = self.sign_in(self.manager_email)
        return self._managing.accounts

    def _is_open(self, session: int) -> bool:
        # A backup that was restored ended all of them, or knows of none.
        with self.firm.office.crm.read() as snapshot:
            return any(sign_in.id == session and sign_in.state == "open" for sign_in in snapshot.find_all(SignIn))

    def sign_in(self, email: str = "") -> CRM:
        """The CRM as they have it after a new sign-in."""
        office = self.firm.office
        who = office.crm.accounts.open().authentication.sign_in(email or self.email, PASSWORD, device="of a test")
        assert isinstance(who, SignedIn)
        return office.crm.enter(office.crm, who)

    def again(self) -> None:
        """Everything about their account as it was."""
        accounts, account = self.firm.office.crm.accounts.open(), self.account
        client = self.firm.own.id if self.role == "client" else 0
        if (account.role, account.active, account.client) != (self.role, True, client):
            account = accounts.administration.edit(account, role=self.role, active=True, client=client)
        if not accounts.self_service._passwords.fits(account.password, PASSWORD, accounts.store.now()):
            accounts.self_service._set_password(account, PASSWORD, "set the password")

    @property
    def account(self) -> User:
        with self.firm.office.crm.read() as snapshot:
            return snapshot.get(User, self.user)


def _signed_out(work: Work, _: CRM) -> None:
    work.manager.sign_out(work.user)


def _everywhere(work: Work, _: CRM) -> None:
    named("profile sign-out-everywhere")(work.sign_in())


def _demoted(work: Work, _: CRM) -> None:
    work.manager.edit(work.account, role="staff")


def _deactivated(work: Work, _: CRM) -> None:
    work.manager.switch([work.account], active=False)


def _password_changed(work: Work, _: CRM) -> None:
    new = "rain, two kettles and a spoon"
    named("profile password")(work.sign_in(), PASSWORD, new, new)


def _one_time_password(work: Work, _: CRM) -> None:
    work.manager.new_one_time_password(work.user)


def _other_client(work: Work, _: CRM) -> None:
    work.manager.edit(work.account, client=work.firm.other.id)


def _second_factor_reset(work: Work, _: CRM) -> None:
    work.manager.reset_second_factor(work.user)


def _ended_by_number(work: Work, crm: CRM) -> None:
    with work.firm.office.crm.read() as snapshot:
        session = snapshot.get(SignIn, crm.accounts.session)
    named("profile end-session")(work.sign_in(), session)


def _expired(work: Work, crm: CRM) -> None:
    expire(work.firm.office.crm.repository, crm.accounts.session)


Lose = Callable[[Work, CRM], None]
# By which role they are lost so.
LOST: Mapping[str, tuple[str, Lose]] = {
    "signed out by an admin": ("admin", _signed_out),
    "signed out everywhere by oneself": ("admin", _everywhere),
    "session ended by oneself": ("admin", _ended_by_number),
    "demoted": ("admin", _demoted),
    "deactivated": ("admin", _deactivated),
    "password changed": ("admin", _password_changed),
    "one-time password given": ("admin", _one_time_password),
    "second factor reset": ("admin", _second_factor_reset),
    "12 hours are over": ("admin", _expired),
    "another client": ("client", _other_client),
}
# What answers a question is left out, so that it is asked.
_ANSWERS = ("yes", "duplicate_ok")
# These read or write nothing of the store: a setting of this machine.
_OF_THE_MACHINE = {"sheets leave"}


def stored(firm: Firm) -> list[Any]:
    """All that a change would alter: the records and the history."""
    return changing(firm.office.crm.repository)


# At how many places each command of a role waits: at its first call, and at each question. In which way the session is
# lost there makes no difference to that.
_PLACES: dict[tuple[str, str], int] = {}


def lost_while(work: Work, command: Command, lose: Lose) -> int:
    """Run a command with its questions, and lose the session before the first, the second, … until no more is
    asked; at how many places that was."""
    known, place = _PLACES.get((command.words, work.role)), 0
    while place != known:
        lost = _lost_at(work, command, lose, place)
        work.again()
        if not lost:
            break
        place += 1
    _PLACES[command.words, work.role] = place
    return place


def _lost_at(work: Work, command: Command, lose: Lose, place: int) -> bool:
    """Lose the session before the first call, or at the question of that number; False where so many are not asked
    of whoever is signed in."""
    firm = work.firm
    crm = work.sign_in()
    given = {name: value for name, value in GIVEN[command.words](firm, work.role).items() if name not in _ANSWERS}
    for _ in range(place):
        try:
            command(crm, **given)
            return False
        except Question as question:
            check = command.parameters[question.parameter].check
            answer = question.yes or next(iter(question.choices))
            given[question.parameter] = check.read(answer, crm.conventions) if check else answer
        except CRMError:
            return False
    lose(work, crm)
    crm.forget_settings()
    before, other = stored(firm), set(firm.office.folder.rglob("*"))
    where = (command.words, place)
    error: CRMError | None = None
    try:
        result = command(crm, **given)
        result = list(result) if isinstance(result, Iterator) else result
    except CRMError as refused:
        error = refused
    assert stored(firm) == before, where
    assert set(firm.office.folder.rglob("*")) <= other, where
    if isinstance(error, SignedOutError):
        assert error.sentence == "You have been signed out. Nothing was changed. Sign in again.", where
    elif command.words not in _OF_THE_MACHINE:
        # Another refusal is as good, as long as it tells nothing.
        assert isinstance(error, ForbiddenError | Question) or command.words in _TOLD_WITHOUT, (*where, error)
    return True


# What these say is not in the store.
_TOLD_WITHOUT = {"dashboard tiles"}


# What a session is checked for: its state, the account's role, whether the account is active, its age, and the client.
# The other ways set the state of the session too; each command is tried with one of all ways.
_EACH_CHECK = ("signed out by an admin", "demoted", "deactivated", "12 hours are over", "another client")


# The commands are tried in so many groups, each in a store of its own: accounts and sign-ins add up.
_GROUPS = 6


def _tried(firm: Firm, group: int, ways: Sequence[tuple[str, Lose]]) -> None:
    works = {role: Work(firm, role) for role in {role for role, _ in ways}}
    group_commands = command_group(group, _GROUPS)
    places = 0
    for at, command in enumerate(group_commands, start=group):
        role, lose = ways[at % len(ways)]
        places += lost_while(works[role], command, lose)
    # At the first call of each, and at questions.
    assert places > len(group_commands) or "admin" not in works


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.parametrize("group", range(_GROUPS))
def test_no_command_does_anything_once_the_session_is_lost(firm: Firm, group: int) -> None:
    """One way of losing it after the other."""
    _tried(firm, group, list(LOST.values()))


@pytest.mark.slow
@pytest.mark.in_turn
@pytest.mark.parametrize("group", range(_GROUPS))
@pytest.mark.parametrize("way", _EACH_CHECK)
def test_no_command_does_anything_however_the_session_was_lost(firm: Firm, way: str, group: int) -> None:
    _tried(firm, group, [LOST[way]])


# Through the accounts, past the commands


def _offered(_: Work, crm: CRM) -> tuple[Any, ...]:
    offer = crm.accounts.begin_totp()
    return offer, TOTP(offer.secret).at(crm.clock.now)


def _texted(work: Work, crm: CRM) -> tuple[Any, ...]:
    tokens = crm.accounts.open().self_service._tokens
    return tokens.issue("telephone", user=work.user, phone="+436641234567"), "000000"


def _another(work: Work, _: CRM) -> tuple[Any, ...]:
    return (work.firm.new_user(),)


def _another_by_number(work: Work, _: CRM) -> tuple[Any, ...]:
    return (work.firm.new_user().id,)


def _a_key(_: Work, crm: CRM) -> tuple[Any, ...]:
    with crm.read() as snapshot:
        name = f"key {snapshot.count(MachineKey) + 1}"
    return (crm.accounts.add_key(name, "mail")[0],)


# What each method of the desk is given: positional arguments, found while the session holds, and others.
DESK: Mapping[str, tuple[Callable[[Work, CRM], tuple[Any, ...]], Mapping[str, Any]]] = {
    "add": (lambda *_: (), {"email": "eve@example.com", "name": "Eve Example", "role": "admin"}),
    "add_named": (lambda *_: ("Eve Example",), {}),
    "signing_in": (lambda *_: (), {}),
    "team_addresses": (lambda *_: (), {}),
    "edit": (_another, {"role": "admin"}),
    "switch": (lambda work, _: ([work.firm.new_user()],), {"active": False}),
    "new_one_time_password": (_another_by_number, {}),
    "reset_second_factor": (_another_by_number, {}),
    "sign_out": (lambda work, _: (work.firm.users["admin"].id,), {}),
    "sessions": (_another_by_number, {}),
    "second_factors": (lambda *_: (), {}),
    "findings": (lambda *_: (), {}),
    "vouch": (_another, {"role": "admin"}),
    "add_key": (lambda *_: ("Eve's key", "mail"), {}),
    "stopped_keys": (lambda *_: (), {}),
    "revoke_key": (_a_key, {}),
    "end": (lambda work, _: (work.firm.sign_ins["admin"].id,), {}),
    "edit_profile": (lambda *_: (), {"phone": "+436641234567", "password": PASSWORD}),
    "change_password": (lambda *_: (PASSWORD, "another kettle, three spoons"), {}),
    "check_password": (lambda *_: (PASSWORD,), {}),
    "second_factor": (lambda *_: (), {}),
    "begin_totp": (lambda *_: (), {}),
    "confirm_totp": (_offered, {}),
    "begin_sms": (lambda *_: (), {}),
    "confirm_sms": (_texted, {}),
    "switch_off_second_factor": (lambda *_: (PASSWORD,), {}),
}
# These ask nothing of the store.
ASK_NOTHING = {"open", "reader", "session", "me", "can_text", "check_new_password"}


def test_every_method_of_the_accounts_is_tried() -> None:
    public = {name for name in vars(AccountService) if not name.startswith("_")} | {"open", "session"}
    assert public == set(DESK) | ASK_NOTHING


_AT_ONCE = ("12 hours are over",)


@pytest.mark.parametrize(
    "way",
    [
        way if way in _AT_ONCE else pytest.param(way, marks=pytest.mark.slow)
        for way, (role, _) in LOST.items()
        if role == "admin"
    ],
)
def test_a_lost_session_manages_no_accounts_and_not_its_own(firm: Firm, way: str) -> None:
    work, lose = Work(firm), LOST[way][1]
    for name, (arguments, more) in DESK.items():
        crm = work.sign_in()
        given = arguments(work, crm)
        lose(work, crm)
        before = stored(firm)
        with pytest.raises((SignedOutError, SignInRefusedError)) as refused:
            getattr(crm.accounts, name)(*given, **more)
        assert isinstance(refused.value, SignedOutError) or name == "confirm_sms", (name, refused.value)
        assert stored(firm) == before, name
        work.again()


# What is told


def _told(command: Command, crm: CRM, **given: Any) -> SignedOutError:
    with pytest.raises(SignedOutError) as raised:
        command(crm, **given)
    return raised.value


def test_ending_my_own_session_reports_that_it_is_done(firm: Firm) -> None:
    work = Work(firm)
    for words, more, what in (
        ("users edit", {"user": work.account, "role": "staff"}, "gave Vic of admin the role staff"),
        ("users deactivate", {"users": [work.account]}, "deactivated the account of Vic of admin"),
    ):
        crm = work.sign_in()
        answer = _told(named(words), crm, **more)
        assert (answer.done, answer.saved) == (True, (what,))
        assert answer.sentence == f"It is done: {what}. This ended your own session. Sign in again."
        # And so is whatever they try next.
        assert _told(named("clients list"), crm, filters={}).sentence == answer.sentence
        work.again()


def test_a_user_signed_out_halfway_learns_what_was_saved(firm: Firm) -> None:
    work = Work(firm)
    crm = work.sign_in()

    def twice(crm: CRM) -> None:
        crm.transact(lambda tx: tx.add(View(name="First", condition="")), "saved the view First")
        _signed_out(work, crm)
        crm.transact(lambda tx: tx.add(View(name="Second", condition="")), "saved the view Second")

    answer = _told(Command("", "twice", "Twice", "", twice), crm)
    assert (answer.done, answer.saved) == (False, ("saved the view First",))
    assert answer.sentence.startswith(
        "You have been signed out before it was finished. This was saved: saved the view F"
    )
    assert firm.office("views list")[-1].name == "First"


def test_an_admin_cannot_reset_their_own_sign_in_without_their_password(firm: Firm) -> None:
    work = Work(firm)
    crm = work.sign_in()
    for words in ("users reset-password", "users reset-second-factor"):
        with pytest.raises(RefusedError, match="your own account"):
            named(words)(crm, work.account)
    with pytest.raises(RefusedError, match="your own account"):
        named("users vouch")(crm, work.account, "admin")
    account = work.account
    for words, changes in (
        ("users edit", {"user": account, "email": "eve@example.com"}),
        ("users edit", {"user": account, "phone": "+436641234567"}),
        ("profile edit", {"phone": "+436641234567"}),
    ):
        with pytest.raises(FieldError, match="needed to change your own") as asked:
            named(words)(crm, **changes)
        assert asked.value.field == "password"
        with pytest.raises(SignInRefusedError):
            named(words)(crm, **changes, password="wrong")
        assert work.account == account
    named("profile edit")(crm, phone="+436641234567", password=PASSWORD)
    named("users edit")(crm, work.account, email="vic2@example.com", password=PASSWORD)
    named("users edit")(crm, work.account, name="Vic the Second")
    shown = named("profile show")(crm)
    assert (shown.name, shown.email, shown.phone) == ("Vic the Second", "vic2@example.com", "+436641234567")


def test_a_command_that_removes_my_rights_applies_at_once(firm: Firm) -> None:
    work = Work(firm)
    manager = work.sign_in(work.manager_email)
    ways: Mapping[str, Callable[[User], Mapping[str, Any]]] = {
        "users edit": lambda user: {"user": user, "role": "staff"},
        "users deactivate": lambda user: {"users": [user]},
        "users reset-password": lambda user: {"user": user},
        "users reset-second-factor": lambda user: {"user": user},
        "users sign-out": lambda user: {"user": user},
    }
    for words, given in ways.items():
        crm = work.sign_in()
        assert named("profile show")(crm).email == work.email
        named(words)(manager, **given(work.account))
        answer = _told(named("clients list"), crm, filters={})
        assert (answer.done, answer.saved) == (False, ()), words
        work.again()


def test_a_restore_asks_about_the_accounts(firm: Firm) -> None:
    backup, restore = firm.office("backup").file, named("restore")
    crm = Work(firm).sign_in()
    with pytest.raises(Question, match="the accounts of that time") as asked:
        restore(crm, backup)
    assert (asked.value.parameter, list(asked.value.choices), asked.value.yes) == ("accounts", ["no", "yes"], "no")
    for accounts, replaced in ((False, "the data in the store"), (True, "accounts included")):
        with pytest.raises(Question, match=replaced):
            restore(crm, backup, accounts=accounts)


def test_restoring_a_backup_from_before_my_sign_in_reports_success(firm: Firm) -> None:
    backup, work = firm.office("backup").file, Work(firm)
    crm = work.sign_in()
    restored = named("restore")(crm, backup, yes=True)
    assert restored.what.startswith("backup")
    assert restored.done.endswith(". Everyone was signed out.")
    assert crm.saved.ended
    assert _told(named("clients list"), crm, filters={}).done
