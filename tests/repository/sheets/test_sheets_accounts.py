"""Accounts in a spreadsheet: their tabs, updates between machines, and edits by hand."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crm.accounts.accounts import Accounts
from crm.accounts.keys import Secret
from crm.accounts.throttling import AttemptLimiter
from crm.errors import (
    RefusedError,
    SignInRefusedError,
    StoreAccessError,
    StoreDamagedError,
    StoreError,
    StoreNewerError,
    StoreNotSetUpError,
)
from crm.model import Client, SignIn, User
from crm.repository import ROSTER, Repository
from crm.repository.sheets.connecting import GoogleSpreadsheets
from crm.repository.sheets.grid.layout import HISTORY, META, TABS
from crm.repository.sheets.mirror.mirror import NUMBERED, State
from crm.repository.sheets.setup import set_up
from tests.support.by_hand import Sheet, wrong
from tests.support.sheets_team import Team

ANNA, BO = "anna@example.com", "bo@example.com"
PASSWORD = "a quiet lemon drives north"


def accounts(team: Team, repository: Repository | None = None) -> Accounts:
    """The accounts as a machine has them."""
    folder: Path = team.store.folder
    moment = datetime.combine(team.store.today, datetime.min.time(), UTC).replace(hour=12)
    return Accounts.of(
        repository or team.repository,
        Secret("what protects the accounts of these tests", folder),
        AttemptLimiter(folder / "attempts"),
        now=lambda: moment,
    )


def stored(team: Team, user: User) -> User:
    with team.repository.read() as snapshot:
        return snapshot.get(User, user.id)


def add(team: Team, email: str = "anna@example.com", role: str = "admin") -> User:
    return accounts(team).administration.add(
        email=email, name=email.partition("@")[0].title(), role=role, password=PASSWORD
    )[0]


@pytest.mark.slow
def test_a_machine_follows_what_another_one_does_to_accounts(team: Team) -> None:
    other = team.another()
    second = accounts(team, other)
    anna = add(team)
    assert second.authentication.sign_in("anna@example.com", PASSWORD)
    accounts(team).self_service.change_password(anna.id, PASSWORD, "seven green umbrellas whistle")
    with pytest.raises(SignInRefusedError):
        second.authentication.sign_in("anna@example.com", PASSWORD)
    token = getattr(second.authentication.sign_in("anna@example.com", "seven green umbrellas whistle"), "token", "")
    assert accounts(team).sessions.find(token) is not None
    accounts(team).sessions.end_all(anna.id)
    assert second.sessions.find(token) is None
    # The same on all machines, a new one too, and nothing that looks like an edit by hand.
    team.agreed()
    assert "edited in the sheet" not in team.summaries()


# What people do by hand: a machine that knew the accounts puts the tabs back, another one opens for nobody


def fresh_gets_in(team: Team, email: str = ANNA) -> bool:
    """True if a person can sign in on a machine that reads the spreadsheet for the first time."""
    repository = team.another()
    try:
        return bool(accounts(team, repository).authentication.sign_in(email, PASSWORD))
    except (SignInRefusedError, StoreAccessError):
        return False
    finally:
        repository.close()


def look(team: Team) -> None:
    """The first machine looks at the spreadsheet, twice: it takes what is new, and finds that all is well."""
    for _ in range(2):
        with team.repository.read():
            pass


def test_deleting_the_row_of_a_client_closes_its_account(team: Team) -> None:
    add(team)
    client = team.store.add(last_name="Gone")
    account, _ = accounts(team).administration.add(
        email=BO, name="Bo", role="client", client=client.id, password=PASSWORD
    )
    token = getattr(accounts(team).authentication.sign_in(BO, PASSWORD), "token", "")
    Sheet(team, Client).delete(client)
    look(team)
    assert not stored(team, account).active
    assert accounts(team).sessions.find(token) is None
    assert not fresh_gets_in(team, BO)
    assert fresh_gets_in(team)
    assert wrong(team) == []
    team.agreed()


@pytest.mark.many
@pytest.mark.parametrize("name", ["email", "name", "role", "active", "must_change", "password", "second_factor"])
def test_an_account_edited_by_hand_cannot_sign_in_and_is_restored(team: Team, name: str) -> None:
    add(team)
    bo = add(team, BO, "staff")
    before = team.stored()[User]
    values = {"active": False, "must_change": True, "role": "admin", "email": "cy@example.com"}
    Sheet(team, User).put(bo, name, values.get(name, "something else"))
    assert not fresh_gets_in(team, BO)
    assert not fresh_gets_in(team, "cy@example.com")
    assert fresh_gets_in(team)
    assert team.stored()[User] == before
    assert wrong(team) == []
    assert "put back the accounts, which were edited in the sheet" in team.summaries()
    assert fresh_gets_in(team, BO)
    team.agreed()


@pytest.mark.slow
def test_a_phone_typed_into_the_tab_of_accounts_is_not_accepted(team: Team) -> None:
    anna = add(team)
    Sheet(team, User).put(anna, "phone", "+436641234567")
    assert stored(team, anna).phone == ""
    assert fresh_gets_in(team)
    assert Sheet(team, User).cell(anna, "phone") == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["seal", "id", "version"])
def test_an_edited_signature_or_version_of_an_account_is_restored(team: Team, name: str) -> None:
    anna = add(team)
    add(team, BO)
    Sheet(team, User).put(anna, name, {"seal": "something else", "id": 2, "version": "2/1"}[name])
    # Of two rows with one ID the mark beside them tells whose each is.
    assert fresh_gets_in(team) == (name == "id")
    look(team)
    assert fresh_gets_in(team)
    assert fresh_gets_in(team, BO)
    assert wrong(team) == []
    team.agreed()


def all_rows(team: Team, kind: type[User] | type[SignIn]) -> list[list[Any]]:
    return [list(row) for row in team.cells(kind)[1:] if any(cell != "" for cell in row)]


def put_rows(team: Team, kind: type[User] | type[SignIn], rows: list[list[Any]]) -> None:
    """Make a tab hold these rows, and no others."""
    wide = len(team.cells(kind)[0])
    second = len(team.cells(kind))
    blank = [[None] * wide for _ in range(max(second - 1 - len(rows), 0))]
    whole = [[*(cell if cell != "" else None for cell in row), *[None] * (wide - len(row))] for row in rows]
    team.person.set_cells(team.id, Sheet(team, kind).title, 1, 0, [*whole, *blank])


Tabs = dict[type[User] | type[SignIn], list[list[Any]]]


def old_row(team: Team, before: Tabs) -> None:
    """One demoted admin's old row."""
    put_rows(team, User, [all_rows(team, User)[0], before[User][1]])


def old_tab(team: Team, before: Tabs) -> None:
    put_rows(team, User, before[User])


def old_sign_ins(team: Team, before: Tabs) -> None:
    put_rows(team, SignIn, before[SignIn])


def both_tabs(team: Team, before: Tabs) -> None:
    old_tab(team, before)
    old_sign_ins(team, before)


def both_tabs_and_roster(team: Team, before: Tabs) -> None:
    both_tabs(team, before)
    set_state(team, ROSTER, before["roster"])  # type: ignore[index]


def no_accounts(team: Team, before: Tabs) -> None:  # noqa: ARG001 - what is left is nothing
    put_rows(team, User, [])


def no_accounts_nor_roster(team: Team, before: Tabs) -> None:  # noqa: ARG001 - what is left is nothing
    put_rows(team, User, [])
    put_rows(team, SignIn, [])
    set_state(team, ROSTER, None)


def no_passwords_nor_roster(team: Team, before: Tabs) -> None:  # noqa: ARG001 - what is left is nothing
    for user in (1, 2):
        at = Sheet(team, User).column("password")
        team.person.set_cells(team.id, Sheet(team, User).title, user, at, [[None]])
    set_state(team, ROSTER, None)


def no_roster(team: Team, before: Tabs) -> None:  # noqa: ARG001 - what is left is nothing
    set_state(team, ROSTER, None)


def another_secrets_roster(team: Team, before: Tabs) -> None:  # noqa: ARG001 - all the same to it
    set_state(team, ROSTER, f"0123abcd/99-{'a' * 64}")


def swapped(team: Team, before: Tabs) -> None:  # noqa: ARG001 - all the same to it
    """The passwords and seals of two accounts change places."""
    first, second = all_rows(team, User)
    for name in ("password", "seal"):
        at = Sheet(team, User).column(name)
        first[at], second[at] = second[at], first[at]
    put_rows(team, User, [first, second])


def set_state(team: Team, name: str, value: object) -> None:
    at = [str(cell) for cell in team.cells(META)[0]].index(name)
    team.person.set_cells(team.id, META.title, 1, at, [[value]])


ATTACKS = [
    old_row, old_tab, old_sign_ins, both_tabs, both_tabs_and_roster, no_accounts, no_accounts_nor_roster,
    no_passwords_nor_roster, no_roster, another_secrets_roster, swapped,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_edit_of_the_tabs_of_accounts_lets_anybody_in(team: Team, attack: Callable[[Team, Tabs], None]) -> None:
    add(team)
    bo = add(team, BO, "admin")
    token = getattr(accounts(team).authentication.sign_in(BO, PASSWORD), "token", "")
    before: Any = {kind: all_rows(team, kind) for kind in (User, SignIn)}
    before["roster"] = State.read(team.cells(META)).roster  # type: ignore[union-attr]
    accounts(team).administration.edit(bo, role="staff")
    known = team.stored()
    attack(team, before)
    # On a machine that has never seen it.
    fresh = team.another()
    if attack is not both_tabs_and_roster:
        for attempt in (
            lambda: accounts(team, fresh).authentication.sign_in(ANNA, PASSWORD),
            lambda: accounts(team, fresh).store.exist(),
            lambda: accounts(team, fresh).administration.add(
                email="cy@example.com", name="Cy", role="admin", password=PASSWORD
            ),
        ):
            with pytest.raises(StoreAccessError):
                attempt()
        with suppress(StoreAccessError):
            assert accounts(team, fresh).sessions.find(token) is None
    # On one that knew them.
    look(team)
    for kind in (User, SignIn):
        assert team.stored()[kind] == known[kind]
    assert accounts(team).sessions.find(token) is None
    assert accounts(team).authentication.sign_in(BO, PASSWORD)
    # From then on everywhere.
    assert fresh_gets_in(team)
    assert accounts(team, fresh).sessions.find(token) is None
    assert wrong(team) == []
    team.agreed()


@pytest.mark.slow
@pytest.mark.parametrize("attack", [old_row, both_tabs, no_accounts, no_accounts_nor_roster, another_secrets_roster])
def test_recovery_works_on_a_new_machine(team: Team, attack: Callable[[Team, Tabs], None]) -> None:
    add(team)
    bo = add(team, BO, "admin")
    before: Any = {kind: all_rows(team, kind) for kind in (User, SignIn)}
    accounts(team).administration.edit(bo, role="staff")
    client = team.store.add()
    attack(team, before)
    fresh = accounts(team, team.another())
    done = fresh.recovery.recover("cy@example.com", "Cy")
    assert not done.held
    # From then on these are the accounts, for machines too that knew others.
    look(team)
    assert accounts(team).authentication.sign_in("cy@example.com", done.password)
    with suppress(SignInRefusedError):
        accounts(team).authentication.sign_in(BO, PASSWORD)
        raise AssertionError
    assert list(team.agreed()[Client]) == [client.id]


def test_rows_of_accounts_added_or_deleted_by_hand_are_restored(team: Team) -> None:
    anna = add(team)
    bo = add(team, BO, "staff")
    sheet = Sheet(team, User)
    known = team.stored()[User]
    sheet.add(email="cy@example.com", role="admin", name="Cy")
    sheet.paste([*all_rows(team, User)[0]])
    sheet.delete(bo)
    look(team)
    assert team.stored()[User] == known
    assert fresh_gets_in(team, BO)
    sheet.delete(bo)
    sheet.delete(anna)
    look(team)
    assert fresh_gets_in(team)
    assert team.stored()[User] == known


@pytest.mark.slow
def test_rows_that_are_sorted_stay_where_people_put_them(team: Team) -> None:
    add(team)
    add(team, BO, "staff")
    put_rows(team, User, all_rows(team, User)[::-1])
    look(team)
    assert fresh_gets_in(team)
    assert "put back the accounts, which were edited in the sheet" not in team.summaries()


@pytest.mark.slow
def test_edits_in_other_tabs_are_applied_while_accounts_are_restored(team: Team) -> None:
    add(team)
    client = team.store.add()
    Sheet(team, Client).put(client, "city", "Graz")
    Sheet(team, User).put(team.stored()[User][1], "role", "staff")
    look(team)
    look(team)
    assert team.stored()[Client][client.id].city == "Graz"
    assert team.stored()[User][1].role == "admin"
    assert fresh_gets_in(team)


def spoilt_seal(team: Team, bo: User) -> None:
    Sheet(team, User).put(bo, "seal", "x")


def spoilt_and_no_roster(team: Team, bo: User) -> None:
    spoilt_seal(team, bo)
    set_state(team, ROSTER, None)


def no_rows_nor_roster(team: Team, bo: User) -> None:  # noqa: ARG001 - no row is left
    put_rows(team, User, [])
    set_state(team, ROSTER, None)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [spoilt_seal, spoilt_and_no_roster, no_rows_nor_roster])
def test_an_outdated_machine_restores_no_withdrawn_rights(team: Team, spoil: Callable[[Team, User], None]) -> None:
    add(team)
    bo = add(team, BO, "staff")
    behind = team.another()
    second = accounts(team, behind)
    token = getattr(second.authentication.sign_in(BO, PASSWORD), "token", "")
    look(team)
    accounts(team).administration.edit(bo, active=False)
    spoil(team, bo)
    rows = all_rows(team, User)
    for _ in range(2):
        with behind.read():
            pass
    # It leaves the tab alone, and opens for nobody.
    assert all_rows(team, User) == rows
    with pytest.raises(StoreAccessError):
        second.authentication.sign_in(ANNA, PASSWORD)
    with suppress(StoreAccessError):
        assert second.sessions.find(token) is None
    # A machine that is up to date puts back what it knew: from then on it is right everywhere.
    look(team)
    assert not stored(team, bo).active
    assert second.authentication.sign_in(ANNA, PASSWORD)
    assert second.sessions.find(token) is None
    assert not fresh_gets_in(team, BO)
    team.agreed()


@pytest.mark.slow
def test_an_up_to_date_machine_restores_accounts(team: Team) -> None:
    anna = add(team)
    behind = team.another()
    assert accounts(team, behind).authentication.sign_in(ANNA, PASSWORD)
    look(team)
    team.store.add()
    spoilt_seal(team, anna)
    with behind.read():
        pass
    assert fresh_gets_in(team)
    team.agreed()


@pytest.mark.slow
def test_two_machines_that_restore_the_same_account_agree(team: Team) -> None:
    add(team)
    bo = add(team, BO, "staff")
    other = team.another()
    assert accounts(team, other).authentication.sign_in(ANNA, PASSWORD)
    Sheet(team, User).put(bo, "role", "admin")
    with other.read():
        pass
    look(team)
    with other.read():
        pass
    team.agreed()
    assert fresh_gets_in(team, BO)


@pytest.mark.slow
def test_a_change_after_an_edit_by_hand_is_signed_for_all_machines(team: Team) -> None:
    add(team)
    bo = add(team, BO, "staff")
    Sheet(team, User).put(bo, "name", "Anna")
    accounts(team).administration.edit(bo, phone="+436641234567")
    assert stored(team, bo).name == "Bo"
    assert fresh_gets_in(team, BO)
    team.agreed()


@pytest.mark.slow
def test_the_history_in_the_sheet_has_no_secrets_of_accounts(team: Team) -> None:
    anna = add(team)
    accounts(team).administration.set_one_time_password(anna.id)
    text = str(team.cells(HISTORY))
    assert "(set)" in text
    assert "argon2" not in text
    assert stored(team, anna).seal not in text


@pytest.mark.parametrize("typed", [1e300, 1e18, float("inf"), "9" * 20, "9" * 5000])
def test_an_impossible_number_in_a_cell_is_reported_as_damage(typed: float | str) -> None:
    names, values = State().rows()
    assert State.read([names, values])
    for name in ("revision", "history_rows", "user", "client"):
        output = dict(zip(names, values, strict=True)) | {name: typed}
        assert State.read([names, list(output.values())]) is None


# A spreadsheet that an older version has set up


def older(team: Team) -> None:
    """Make the spreadsheet what format 1 had."""
    names = [name for name in NUMBERED if name not in ("user", "sign_in")]
    heading, values = team.cells(META)[:2]
    output = dict(zip(heading, values, strict=False)) | {"format": 1}
    kept = [name for name in heading if name not in ("user", "sign_in")]
    assert set(names) < set(kept)
    blank = [""] * (len(heading) - len(kept))
    rows = [[*kept, *blank], [*(output.get(name, "") for name in kept), *blank]]
    team.person.set_cells(team.id, META.title, 0, 0, rows)
    for kind in (User, SignIn):
        team.person.delete_tab(team.id, TABS[kind].title)


@pytest.mark.slow
def test_an_older_spreadsheet_gets_the_tabs_for_accounts(team: Team) -> None:
    client = team.store.add()
    older(team)
    other = team.another()
    with pytest.raises(StoreNotSetUpError, match="sheets setup"), other.read():
        pass
    service = other.service
    assert not set_up(service, lambda _: (), datetime.now(UTC))
    assert not set_up(service, lambda _: (), datetime.now(UTC))
    assert add(team).id == 1
    assert accounts(team, other).authentication.sign_in("anna@example.com", PASSWORD)
    assert list(team.agreed()[Client]) == [client.id]


@pytest.mark.slow
def test_an_older_program_leaves_a_newer_spreadsheet_alone(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    add(team)
    monkeypatch.setattr("crm.repository.sheets.pull.reading.FORMAT", 1)
    with pytest.raises(StoreNewerError), team.another().read():
        pass


@pytest.mark.slow
@pytest.mark.parametrize("knows", [True, False])
def test_a_deleted_tab_of_accounts_is_recreated_and_lets_nobody_in(team: Team, knows: bool) -> None:
    add(team)
    team.person.delete_tab(team.id, TABS[User].title)
    other = team.another()
    with pytest.raises(StoreDamagedError, match=r"users.*sheets setup"), other.read():
        pass
    spreadsheets = GoogleSpreadsheets(
        json.dumps(team.person.credentials()), "", team.person.url, team.store.folder, tuple,
        lambda: datetime.now(UTC), lambda _: None, lambda _: team.another(),
    )  # fmt: skip
    assert not spreadsheets.look_at(team.id).is_set_up
    assert not spreadsheets.set_up(team.id).put_back
    second = accounts(team, other)
    with pytest.raises(StoreAccessError):
        second.store.exist()
    assert not fresh_gets_in(team)
    if knows:
        look(team)
        assert fresh_gets_in(team)
        team.agreed()
    else:
        done = second.recovery.recover(ANNA, "Anna")
        assert second.authentication.sign_in(ANNA, done.password)


@pytest.mark.slow
@pytest.mark.parametrize("gone", [["users"], ["users", "sign-ins"], ["crm"], ["users", "crm"], "all"])
def test_damaged_tabs_of_accounts_let_nobody_in_until_they_are_repaired(team: Team, gone: list[str] | str) -> None:
    add(team)
    client = team.store.add()
    team.stored()
    if gone == "all":
        team.person.add_tab(team.id, "import")
        gone = [tab["title"] for tab in team.person.tabs(team.id) if tab["title"] != "import"]
    for tab in gone:
        team.person.delete_tab(team.id, tab)
    stranger = team.another()
    with pytest.raises(StoreError), stranger.read():
        pass
    with pytest.raises(RefusedError, match="has never read"):
        stranger.repair()
    assert team.repository.damage_by_hand()
    assert "lemon" not in " ".join(team.repository.damage_by_hand())
    team.repository.repair()
    assert fresh_gets_in(team)
    assert list(team.agreed()[Client]) == [client.id]


@pytest.mark.slow
def test_an_outdated_machine_restores_no_withdrawn_account(team: Team) -> None:
    anna = add(team)
    behind = team.another()
    team.stored(behind)
    accounts(team).self_service.change_password(anna.id, PASSWORD, "seven green umbrellas whistle")
    team.person.delete_tab(team.id, TABS[User].title)
    behind.repair()
    with suppress(StoreAccessError, SignInRefusedError):
        assert not accounts(team, team.another()).authentication.sign_in(ANNA, PASSWORD)
    # The one that knows the newer ones puts those back.
    look(team)
    fresh = accounts(team, team.another())
    with pytest.raises(SignInRefusedError):
        fresh.authentication.sign_in(ANNA, PASSWORD)
    assert fresh.authentication.sign_in(ANNA, "seven green umbrellas whistle")


@pytest.mark.slow
def test_an_older_spreadsheet_is_set_up_again_without_losing_data(team: Team) -> None:
    client = team.store.add()
    older(team)
    account = json.dumps(team.person.credentials())
    spreadsheets = GoogleSpreadsheets(
        account, "", team.person.url, team.store.folder, tuple, lambda: datetime.now(UTC), lambda _: None,
        lambda _: team.another(),
    )  # fmt: skip
    assert not spreadsheets.look_at(team.id).is_set_up
    assert not spreadsheets.set_up(team.id).put_back
    assert spreadsheets.look_at(team.id).is_set_up
    assert list(team.agreed()[Client]) == [client.id]
