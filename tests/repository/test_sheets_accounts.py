"""Accounts in a spreadsheet: their tabs, what machines tell each other, and what people do to them by hand."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm.accounts.accounts import Accounts
from crm.accounts.attempts import Attempts
from crm.accounts.secret import Secret
from crm.errors import SignInRefusedError, StoreDamagedError, StoreNewerError, StoreNotSetUpError
from crm.model import Client, SignIn, User
from crm.repository import Repository
from crm.repository.sheets.connecting import GoogleSpreadsheets
from crm.repository.sheets.layout import HISTORY, META, TABS
from crm.repository.sheets.mirror import NUMBERED
from crm.repository.sheets.setup import set_up
from tests.support.by_hand import Sheet, wrong
from tests.support.sheets_team import Team, new_team

PASSWORD = "a quiet lemon drives north"


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as made:
        yield made


def accounts(team: Team, repository: Repository | None = None) -> Accounts:
    """The accounts as a machine has them."""
    folder: Path = team.store.folder
    moment = datetime.combine(team.store.today, datetime.min.time(), UTC).replace(hour=12)
    return Accounts(
        repository or team.repository,
        Secret("what protects the accounts of these tests", folder),
        Attempts(folder / "attempts"),
        now=lambda: moment,
    )


def stored(team: Team, user: User) -> User:
    with team.repository.read() as snapshot:
        return snapshot.get(User, user.id)


def add(team: Team, email: str = "anna@example.com", role: str = "admin") -> User:
    return accounts(team).add(email=email, name=email.partition("@")[0].title(), role=role, password=PASSWORD)[0]


def test_a_machine_follows_what_another_one_does_to_accounts(team: Team) -> None:
    other = team.another()
    there = accounts(team, other)
    anna = add(team)
    assert there.sign_in("anna@example.com", PASSWORD)
    accounts(team).change_password(anna.id, PASSWORD, "seven green umbrellas whistle")
    with pytest.raises(SignInRefusedError):
        there.sign_in("anna@example.com", PASSWORD)
    token = getattr(there.sign_in("anna@example.com", "seven green umbrellas whistle"), "token", "")
    assert accounts(team).session(token) is not None
    accounts(team).end_all(anna.id)
    assert there.session(token) is None
    # The same on all machines, a new one too, and nothing that looks like an edit by hand.
    team.agreed()
    assert "edited in the sheet" not in team.whats()


@pytest.mark.parametrize("name", ["password", "seal", "second_factor", "active", "must_change"])
def test_what_only_the_program_writes_is_not_read_and_not_told(team: Team, name: str) -> None:
    anna = add(team)
    before = team.stored()[User][anna.id]
    Sheet(team, User).put(anna, name, "something else" if name not in ("active", "must_change") else name != "active")
    assert team.stored()[User][anna.id] == before
    (found,) = wrong(team)
    assert "not read" in found
    assert "argon2" not in found
    # A machine that has not seen it before lets nobody in.
    if name == "seal":
        add(team, "bo@example.com")
    with pytest.raises(SignInRefusedError):
        accounts(team, team.another()).sign_in("anna@example.com", PASSWORD)


def test_a_role_that_is_typed_into_the_sheet_lets_nobody_in(team: Team) -> None:
    add(team)
    bo = add(team, "bo@example.com", "staff")
    Sheet(team, User).put(bo, "role", "admin")
    assert stored(team, bo).role == "admin"
    with pytest.raises(SignInRefusedError):
        accounts(team).sign_in("bo@example.com", PASSWORD)
    Sheet(team, User).put(bo, "role", "staff")
    team.stored()
    assert accounts(team).sign_in("bo@example.com", PASSWORD)


def test_the_row_of_an_account_is_deleted_by_hand(team: Team) -> None:
    add(team)
    bo = add(team, "bo@example.com", "staff")
    token = getattr(accounts(team).sign_in("bo@example.com", PASSWORD), "token", "")
    Sheet(team, User).delete(bo)
    assert bo.id not in team.stored()[User]
    assert accounts(team).session(token) is None
    # What follows works everywhere, also where the row was never seen.
    fresh = team.another()
    assert team.stored(fresh) == team.stored()
    fresh.transact(lambda tx: tx.add(Client(kind="person", last_name="Berg")), "added")
    assert len(team.stored()[Client]) == 1


def test_the_row_of_a_deleted_account_is_put_back(team: Team) -> None:
    add(team)
    bo = add(team, "bo@example.com", "staff")
    sheet = Sheet(team, User)
    cells = sheet.cut(bo)
    assert bo.id not in team.stored()[User]
    sheet.paste(cells)
    assert bo.id in team.stored()[User]
    assert accounts(team).sign_in("bo@example.com", PASSWORD)


def test_nothing_that_lets_in_stands_in_the_history_of_the_sheet(team: Team) -> None:
    anna = add(team)
    accounts(team).set_one_time_password(anna.id)
    told = str(team.cells(HISTORY))
    assert "(set)" in told
    assert "argon2" not in told
    assert stored(team, anna).seal not in told


# A spreadsheet that an older version has set up


def older(team: Team) -> None:
    """Makes the spreadsheet what format 1 had."""
    names = [name for name in NUMBERED if name not in ("user", "sign_in")]
    heading, values = team.cells(META)[:2]
    said = dict(zip(heading, values, strict=False)) | {"format": 1}
    kept = [name for name in heading if name not in ("user", "sign_in")]
    assert set(names) < set(kept)
    blank = [""] * (len(heading) - len(kept))
    rows = [[*kept, *blank], [*(said[name] for name in kept), *blank]]
    team.person.set_cells(team.id, META.title, 0, 0, rows)
    for kind in (User, SignIn):
        team.person.delete_tab(team.id, TABS[kind].title)


def test_an_older_spreadsheet_gets_the_tabs_for_accounts(team: Team) -> None:
    client = team.store.add()
    older(team)
    other = team.another()
    with pytest.raises(StoreNotSetUpError, match="sheets setup"), other.read():
        pass
    service = other.service
    assert not set_up(service, (), datetime.now(UTC))
    assert not set_up(service, (), datetime.now(UTC))
    assert add(team).id == 1
    assert accounts(team, other).sign_in("anna@example.com", PASSWORD)
    assert list(team.agreed()[Client]) == [client.id]


def test_an_older_program_leaves_it_alone_from_then_on(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    add(team)
    monkeypatch.setattr("crm.repository.sheets.reading.FORMAT", 1)
    with pytest.raises(StoreNewerError), team.another().read():
        pass


def test_a_tab_of_accounts_that_was_deleted_is_not_made_anew(team: Team) -> None:
    add(team)
    team.person.delete_tab(team.id, TABS[User].title)
    other = team.another()
    with pytest.raises(StoreDamagedError, match="users"), other.read():
        pass
    with pytest.raises(StoreDamagedError, match="users"):
        set_up(other.service, (), datetime.now(UTC))


def test_an_older_spreadsheet_is_led_through_the_set_up_and_stays_what_it_was(team: Team) -> None:
    client = team.store.add()
    older(team)
    account = json.dumps(team.person.credentials())
    spreadsheets = GoogleSpreadsheets(
        account, "", team.person.url, team.store.folder, tuple, lambda: datetime.now(UTC), lambda _: None,
        lambda _: team.another(),
    )  # fmt: skip
    assert not spreadsheets.look_at(team.id).is_set_up
    assert spreadsheets.set_up(team.id) == []
    assert spreadsheets.look_at(team.id).is_set_up
    assert list(team.agreed()[Client]) == [client.id]
