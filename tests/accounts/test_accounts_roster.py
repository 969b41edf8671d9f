"""The signed list of accounts: no account or session can be put back, swapped, edited or copied in, on any kind of
store."""

import json
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, insert, select, update

from crm.accounts import evidence
from crm.accounts.accounts import Accounts
from crm.accounts.evidence import Memory, accounts_exist
from crm.accounts.keys import Secret
from crm.accounts.roster import Roster, Standing
from crm.errors import CRMError, SignInRefusedError, StoreAccessError, StoreDamagedError
from crm.model import Client, SignIn, User
from crm.model.rights import Reader
from crm.repository import ROSTER, STORE_ID, tables
from crm.repository.known import Known
from crm.repository.snapshot import put_fact
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.dialect import Sqlite
from tests.accounts.conftest import PASSWORD, SECRET, Office
from tests.conftest import STORES, _new_store

ANNA, BO = "anna@example.com", "bo@example.com"


def rows(office: Office, kind: type[User] | type[SignIn]) -> list[dict[str, Any]]:
    """The rows of a table as they are stored."""
    with office.store.repository.read() as snapshot:
        return [dict(row._mapping) for row in snapshot.select(select(tables.TABLES[kind]))]


def put(office: Office, kind: type[User] | type[SignIn], wanted: list[dict[str, Any]]) -> None:
    """Put rows in the place of what a table holds, past the program."""

    def change(tx: Any) -> None:
        tx.connection.execute(delete(tables.TABLES[kind]))
        tx.connection.execute(insert(tables.TABLES[kind]), wanted)

    office.store.change(change, "past the program")


def set_fact(office: Office, name: str, value: str) -> None:
    office.store.change(lambda tx: put_fact(tx.connection, name, value), "past the program")


def fact(office: Office, name: str) -> str:
    with office.store.repository.read() as snapshot:
        return snapshot.fact(name)


def gets_in(office: Office, email: str, token: str = "", accounts: Accounts | None = None) -> bool:
    """True if a person can sign in, by password or by the token of a session."""
    accounts = accounts or office.accounts
    if token:
        try:
            return accounts.sessions.find(token) is not None
        except StoreAccessError:
            return False
    try:
        return bool(accounts.authentication.sign_in(email, PASSWORD))
    except (SignInRefusedError, StoreAccessError):
        return False


def test_a_store_gets_a_roster_with_its_first_account_and_keeps_its_id(office: Office) -> None:
    office.accounts.administration.add_named("Cleo")
    assert fact(office, STORE_ID)
    assert fact(office, ROSTER) == ""
    office.add()
    first, known = fact(office, ROSTER), fact(office, STORE_ID)
    assert "/1-" in first
    office.sign_in()
    assert "/2-" in fact(office, ROSTER)
    office.store.add()
    assert "/2-" in fact(office, ROSTER)
    assert fact(office, STORE_ID) == known


def test_every_change_of_accounts_renews_the_roster(office: Office) -> None:
    office.add()
    bo = office.add(BO, "staff")
    token = office.sign_in(BO).token
    # A transaction that knows nothing of accounts: what it changes is sealed all the same.
    office.store.change(lambda tx: tx.change(tx.get(User, bo.id), name="Bo Huber"), "renamed")
    found = office.accounts.sessions.find(token)
    assert found is not None
    assert found.name == "Bo Huber"
    office.store.change(lambda tx: tx.delete(tx.get(SignIn, found.session)), "deleted")
    assert office.accounts.sessions.find(token) is None
    assert office.sign_in(BO)
    assert list(office.accounts.store.seal_findings()) == []


def test_an_old_row_of_an_account_gives_no_access(office: Office) -> None:
    office.add()
    bo = office.add(BO, "admin")
    old = rows(office, User)
    office.accounts.administration.edit(bo, role="staff")
    put(office, User, [*rows(office, User)[:1], old[1]])
    assert not gets_in(office, BO)
    assert not gets_in(office, ANNA)
    # Nor is it made good by the next transaction on accounts.
    with pytest.raises(StoreAccessError, match="users recover"):
        office.add("cy@example.com", "staff")
    put(office, User, old)
    assert not gets_in(office, BO)


def test_an_ended_session_cannot_be_revived(office: Office) -> None:
    office.add()
    token = office.sign_in().token
    open_ones = rows(office, SignIn)
    office.accounts.sessions.end_all(1)
    assert not gets_in(office, ANNA, token)
    put(office, SignIn, open_ones)
    assert not gets_in(office, ANNA, token)
    assert not gets_in(office, ANNA)


def test_a_session_cannot_be_moved_to_another_account(office: Office) -> None:
    office.add()
    bo = office.add(BO, "staff")
    token = office.sign_in().token
    (session,) = rows(office, SignIn)
    put(office, SignIn, [session | {"user": bo.id}])
    assert not gets_in(office, ANNA, token)
    assert not gets_in(office, BO)


def test_a_session_cannot_be_extended(office: Office) -> None:
    office.add()
    token = office.sign_in().token
    (session,) = rows(office, SignIn)
    office.pass_time(hours=1)
    put(office, SignIn, [session | {"created_at": office.now()}])
    assert not gets_in(office, ANNA, token)
    assert not gets_in(office, ANNA)


@contextmanager
def asked_of(office: Office) -> Iterator[list[str]]:
    """The SQL statements sent meanwhile."""
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    engine = office.store.repository._engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def test_looking_up_the_signed_in_user_is_cheap(file_office: Office) -> None:
    anna = file_office.add()
    signed_in = file_office.sign_in()
    reader = Reader(anna.id, "admin", 0, anna.name)
    with asked_of(file_office) as asked, file_office.store.repository.read() as snapshot:
        file_office.accounts.sessions.verify(snapshot, signed_in.session, reader)
    assert len(asked) <= 7
    (sessions,) = (statement for statement in asked if "sign_in" in statement and "json_group_array" in statement)
    # Those that have ended are not looked through.
    with file_office.store.repository.read() as snapshot:
        plan = snapshot.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sessions}").all()
    assert "USING INDEX sign_in_open" in str(plan)


def test_looking_up_the_user_costs_a_writer_no_more_than_a_reader(file_office: Office) -> None:
    anna = file_office.add()
    session = file_office.sign_in().session
    reader = Reader(anna.id, "admin", 0, anna.name)
    with asked_of(file_office) as asked:
        file_office.store.change(lambda tx: file_office.accounts.sessions.verify(tx, session, reader))
    # One more begins the transaction.
    assert len(asked) <= 8
    assert len([statement for statement in asked if "store_facts" in statement]) == 1


def test_a_transaction_reads_a_fact_as_it_has_written_it(file_office: Office) -> None:
    def change(tx: Any) -> list[str]:
        before = tx.fact("sample")
        tx.put_fact("sample", "yes")
        return [before, tx.fact("sample")]

    assert file_office.store.change(change) == ["", "yes"]


def test_the_number_of_queries_does_not_grow_with_invalid_accounts(file_office: Office) -> None:
    file_office.add()
    counts = []
    for more in (1, 5):
        for number in range(more):
            file_office.by_hand(file_office.add(f"{more}{number}@example.com", "staff"), role="admin")
        with asked_of(file_office) as asked:
            assert list(file_office.accounts.store.seal_findings())
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("field", ["email", "name", "role", "active", "must_change", "password", "second_factor"])
def test_nothing_of_an_account_can_be_edited(office: Office, field: str) -> None:
    anna = office.add()
    bo = office.add(BO, "staff")
    other = {"email": "cy@example.com", "name": "Anna", "role": "admin", "active": False, "must_change": True}
    values = {**other, "password": office.user(anna).password, "second_factor": "x"}
    office.by_hand(bo, **{field: values[field]})
    assert not gets_in(office, BO)
    assert gets_in(office, ANNA)


def test_bytes_in_place_of_a_signature_are_reported_as_damage(file_office: Office) -> None:
    file_office.add()
    file_office.store.change(lambda tx: tx.connection.exec_driver_sql("UPDATE user SET seal = x'fffe'"), "by hand")
    with pytest.raises(StoreDamagedError, match="restore FILE"):
        file_office.sign_in()


def test_a_row_of_another_store_with_the_same_secret_is_refused(file_office: Office) -> None:
    file_office.add()
    bo = file_office.add(BO, "staff")
    with _new_store(STORES["sqlite"]) as elsewhere:
        other = Office(elsewhere)
        other.add()
        other.add(BO, "admin")
        foreign = rows(other, User)
        roster = fact(other, ROSTER)
        other.attempts.close()
    file_office.by_hand(bo, **{name: foreign[1][name] for name in ("role", "password", "seal")})
    assert not gets_in(file_office, BO)
    put(file_office, User, foreign)
    set_fact(file_office, ROSTER, roster)
    assert not gets_in(file_office, BO)
    assert not gets_in(file_office, ANNA)


def test_a_roster_cannot_be_removed(file_office: Office) -> None:
    file_office.add()
    set_fact(file_office, ROSTER, "")
    assert not gets_in(file_office, ANNA)
    for nonsense in ("x", "/", "1/2-3", f"{'a' * 8}/1-{'b' * 64}"):
        set_fact(file_office, ROSTER, nonsense)
        assert not gets_in(file_office, ANNA)


# What the machine remembers


@contextmanager
def remembering(office: Office, folder: Path) -> Iterator[Accounts]:
    """The accounts as a machine has them that remembers revisions in `folder`."""
    repository = office.store.repository
    secret = Secret(SECRET, office.store.folder)
    roster = Roster(lambda: secret, Memory(folder), repository.url)
    repository._seals = roster
    yield Accounts.of(repository, secret, office.attempts, now=office.now, roster=roster)


def test_a_machine_remembers_the_latest_roster(file_office: Office, open_folder: Path) -> None:
    file_office.add()
    users, sign_ins, roster = rows(file_office, User), rows(file_office, SignIn), fact(file_office, ROSTER)
    with remembering(file_office, open_folder) as accounts:
        accounts.administration.add(email=BO, name="Bo", role="staff", password=PASSWORD)
        assert gets_in(file_office, ANNA, accounts=accounts)
        # All of it is put back, as it was.
        put(file_office, User, users)
        file_office.store.change(lambda tx: tx.connection.execute(delete(tables.sign_in)), "past the program")
        assert sign_ins == []
        set_fact(file_office, ROSTER, roster)
        assert not gets_in(file_office, ANNA, accounts=accounts)
    # A machine that has never seen it cannot tell.
    with remembering(file_office, open_folder / "another") as accounts:
        assert gets_in(file_office, ANNA, accounts=accounts)


def test_a_machine_remembers_that_a_store_has_accounts(file_office: Office, open_folder: Path) -> None:
    file_office.add()
    repository = file_office.store.repository
    here, elsewhere = Memory(open_folder / "here"), Memory(open_folder / "elsewhere")

    def exist(memory: Memory) -> bool:
        repository._seals = Roster(lambda: Secret(SECRET, open_folder), memory, repository.url)
        with repository.read() as snapshot:
            return accounts_exist(snapshot)

    # Nobody signs in, and no secret is at hand.
    assert exist(here)
    for table in (tables.user, tables.sign_in, tables.audit):
        file_office.store.change(lambda tx, table=table: tx.connection.execute(delete(table)), "past the program")
    set_fact(file_office, ROSTER, "")
    with pytest.raises(StoreAccessError, match="users recover"):
        exist(here)
    # A machine that has never seen it cannot tell.
    assert not exist(elsewhere)


def test_the_remembered_rosters_are_private_and_optional(file_office: Office, open_folder: Path) -> None:
    file_office.add()
    with remembering(file_office, open_folder / "new") as accounts:
        assert gets_in(file_office, ANNA, accounts=accounts)
    kept, lock = open_folder / "new" / "rosters.json", open_folder / "new" / "rosters.lock"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (kept, lock)} == {0o600}
    assert list(json.loads(kept.read_text()).values()) == [2]
    for useless in ("{", "[]", '{"a": "b"}', "7"):
        kept.write_text(useless)
        with remembering(file_office, open_folder / "new") as accounts:
            assert gets_in(file_office, ANNA, accounts=accounts)
    in_the_way = open_folder / "file"
    in_the_way.write_text("no folder")
    with remembering(file_office, in_the_way) as accounts:
        assert gets_in(file_office, ANNA, accounts=accounts)


def test_a_roster_is_remembered_by_the_id_and_the_path_of_the_store(open_folder: Path) -> None:
    memory = Memory(open_folder)
    here, other = "sqlite:////here in a folder", "sqlite:////there"
    memory.keep("a", here, 7)
    memory.keep("a", here, 3)
    memory.keep("b", here, 0)
    memory.keep("c", "", 5)
    assert memory.known(here).of("a") == Known(7, 7)
    assert memory.known(here).of("b") == Known(0, 0)
    assert memory.known(here).of("c") == Known(5, -1, another=True)
    assert memory.known(here).of("d") == Known(-1, -1, another=True)
    assert memory.known(other).of("a") == Known(7, -1)
    assert memory.known(other).of("d") == Known()


def test_a_file_has_one_path_however_it_is_reached(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, folder = Memory(open_folder), open_folder / "data"
    folder.mkdir()
    (open_folder / "link").symlink_to(folder)
    (folder / "linked.sqlite3").symlink_to("store.sqlite3")
    memory.keep("a", f"sqlite:///{folder}/store.sqlite3", 7)
    monkeypatch.chdir(folder)
    for way in (
        "store.sqlite3",
        "../data/store.sqlite3",
        f"{folder}/../data/./store.sqlite3",
        f"{open_folder}/link/store.sqlite3",
        "linked.sqlite3",
    ):
        assert memory.known(f"sqlite:///{way}").of("a").here == 7, way
        memory.keep("a", f"sqlite:///{way}", 7)
    assert len(json.loads((open_folder / "rosters.json").read_text())) == 1
    assert memory.known("sheets://one").of("a") == Known(7, -1)


def test_the_number_of_remembered_rosters_is_limited(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_MOST", 5)
    memory = Memory(open_folder)
    for name in ("first", "second"):
        (open_folder / name).touch()
        memory.keep(name, f"sqlite:///{open_folder / name}", 1)
    for number in range(20):
        memory.keep(f"{number}", f"sqlite:///{open_folder}/of-a-test-{number}", 1)
    memory.keep("sheet", "sheets://one", 1)
    memory.keep("first", f"sqlite:///{open_folder / 'first'}", 2)
    kept = [key.partition(" ")[0] for key in json.loads((open_folder / "rosters.json").read_text())]
    # Files of tests and trials go first.
    assert kept == ["second", "18", "19", "sheet", "first"]


def test_programs_that_remember_rosters_at_once_lose_none(open_folder: Path) -> None:
    def keep(number: int) -> None:
        for revision in range(20):
            Memory(open_folder).keep(f"{number}", "sqlite:////here", revision)

    with ThreadPoolExecutor(4) as programs:
        list(programs.map(keep, range(4)))
    known = Memory(open_folder).known("sqlite:////here")
    assert [known.of(f"{number}").here for number in range(4)] == [19] * 4


STRIPPED = ("user", "sign_in", "audit", "transactions")


def strip(store: Path, *more: str) -> None:
    """Take all that tells of accounts out of a file, and what else the statements say."""
    with closing(sqlite3.connect(store)) as file:
        for table in STRIPPED:
            file.execute(f"DELETE FROM {table}")
        file.execute("DELETE FROM store_facts WHERE name = 'roster'")
        for user in more:
            file.execute(user)
        file.commit()


@contextmanager
def opened(store: Path, folder: Path, office: Office) -> Iterator[Accounts]:
    """The accounts of a file as a machine has them that remembers in `folder`."""
    url, secret = f"sqlite:///{store}", Secret(SECRET, office.store.folder)
    repository = SqlRepository(url, Sqlite(store), now=office.now)
    roster = Roster(lambda: secret, Memory(folder), url)
    repository.keep_sealed(roster)
    try:
        yield Accounts.of(repository, secret, office.attempts, now=office.now, roster=roster)
    finally:
        repository.close()


@pytest.fixture
def known(file_office: Office, tmp_path: Path) -> tuple[Path, Path, Office]:
    """A file with an admin's account, the folder of a machine that has seen it, and what opens it."""
    store, folder = tmp_path / "store.sqlite3", tmp_path / "machine"
    with opened(store, folder, file_office) as accounts:
        accounts.administration.add(email=ANNA, name="Anna", role="admin", password=PASSWORD)
        assert accounts.store.exist()
    return store, folder, file_office


def put_in_place(source: Path, target: Path) -> None:
    for ending in ("-wal", "-shm"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    shutil.copyfile(source, target)


def refused(accounts: Accounts, *, another: bool) -> bool:
    with pytest.raises(StoreAccessError, match="other data that was here before" if another else "older copy"):
        accounts.store.exist()
    return not gets_in_at(accounts)


def gets_in_at(accounts: Accounts, password: str = PASSWORD) -> bool:
    try:
        return bool(accounts.authentication.sign_in(ANNA, password))
    except (SignInRefusedError, StoreAccessError):
        return False


@pytest.mark.parametrize(
    ("edit", "another"),
    [
        ("SELECT 1", False),
        ("UPDATE store_facts SET value = 'f' WHERE name = 'store_id'", True),
        ("DELETE FROM store_facts WHERE name = 'store_id'", True),
    ],
)
def test_a_file_without_accounts_cannot_replace_one_with(
    known: tuple[Path, Path, Office], edit: str, another: bool
) -> None:
    store, folder, office = known
    strip(store, edit)
    with opened(store, folder, office) as accounts:
        assert refused(accounts, another=another)


@pytest.mark.parametrize("what", ["a new file", "another store", "another store with accounts", "an old format"])
def test_a_new_store_at_the_same_path_is_opened_by_recovery(
    known: tuple[Path, Path, Office], what: str, tmp_path: Path
) -> None:
    store, folder, office = known
    for path in tmp_path.glob("store.sqlite3*"):
        path.unlink()
    if what != "a new file":
        other = tmp_path / "other.sqlite3"
        with opened(other, tmp_path / "another machine", office) as accounts:
            accounts.store._repository.transact(lambda tx: tx.add(Client(kind="person", last_name="Berg")), "added")
            if what != "another store":
                accounts.administration.add(email=ANNA, name="Anna", role="admin", password=PASSWORD)
        if what == "an old format":
            # It gets a new id when it is brought to this one.
            with closing(sqlite3.connect(other)) as file:
                file.execute("DELETE FROM store_facts WHERE name = 'roster'")
                file.execute("UPDATE store_facts SET value = 'new' WHERE name = 'store_id'")
                file.execute("UPDATE user SET seal = ''")
                file.commit()
        put_in_place(other, store)
    with opened(store, folder, office) as accounts:
        assert refused(accounts, another=True)
        with pytest.raises(StoreAccessError, match="other data that was here before"):
            accounts.administration.add(email=BO, name="Bo", role="admin", password=PASSWORD)
        password = accounts.recovery.recover(ANNA, "Anna").password
    with opened(store, folder, office) as accounts:
        assert accounts.store.exist()
        assert gets_in_at(accounts, password)
    # What was recovered is known in its turn.
    strip(store, "UPDATE store_facts SET value = 'f' WHERE name = 'store_id'")
    with opened(store, folder, office) as accounts:
        assert refused(accounts, another=True)


def test_a_moved_file_works_and_is_remembered_at_its_new_path(known: tuple[Path, Path, Office], tmp_path: Path) -> None:
    store, folder, office = known
    moved = store.rename(tmp_path / "moved.sqlite3")
    with opened(moved, folder, office) as accounts:
        assert gets_in_at(accounts)
    strip(moved, "UPDATE store_facts SET value = 'f' WHERE name = 'store_id'")
    with opened(moved, folder, office) as accounts:
        assert refused(accounts, another=True)


def test_an_older_copy_gives_no_access_and_becomes_its_own_store_after_recovery(
    known: tuple[Path, Path, Office], tmp_path: Path
) -> None:
    store, folder, office = known
    copy = tmp_path / "copy.sqlite3"
    shutil.copyfile(store, copy)
    with opened(store, folder, office) as accounts:
        bo = accounts.administration.add(email=BO, name="Bo", role="staff", password=PASSWORD)[0]
    with opened(copy, folder, office) as accounts:
        assert not gets_in_at(accounts)
        token = accounts.authentication.sign_in(ANNA, accounts.recovery.recover(ANNA).password).token
    # Neither shuts the other.
    with opened(store, folder, office) as accounts:
        assert gets_in_at(accounts)
        accounts.administration.edit(bo, active=False)
    with opened(copy, folder, office) as accounts:
        assert accounts.sessions.find(token)


def test_a_copy_is_separate_after_its_first_sign_in(known: tuple[Path, Path, Office], tmp_path: Path) -> None:
    store, folder, office = known
    copy, linked = tmp_path / "copy.sqlite3", tmp_path / "linked.sqlite3"
    with opened(store, folder, office) as accounts:
        accounts.administration.add(email=BO, name="Bo", role="staff", password=PASSWORD)
    shutil.copyfile(store, copy)
    linked.hardlink_to(store)
    for _ in range(3):
        with opened(copy, folder, office) as accounts:
            token = accounts.authentication.sign_in(BO, PASSWORD).token
            assert accounts.sessions.find(token)
            assert list(accounts.store.seal_findings()) == []
    # Another name of the same file is no copy.
    for path in (store, linked, store):
        with opened(path, folder, office) as accounts:
            assert gets_in_at(accounts)
    # What was changed there is not valid here.
    put_in_place(copy, store)
    with opened(store, folder, office) as accounts:
        assert refused(accounts, another=True)


def test_copies_from_before_the_first_account_stay_separate(file_office: Office, tmp_path: Path) -> None:
    store, folder = tmp_path / "store.sqlite3", tmp_path / "machine"
    copies = [tmp_path / "one.sqlite3", tmp_path / "two.sqlite3"]
    with opened(store, folder, file_office) as accounts:
        assert not accounts.store.exist()
    for copy in copies:
        shutil.copyfile(store, copy)
    for copy in (*copies, *copies):
        with opened(copy, folder, file_office) as accounts:
            if not accounts.store.exist():
                accounts.administration.add(email=ANNA, name="Anna", role="admin", password=PASSWORD)
            assert gets_in_at(accounts)
    with opened(store, folder, file_office) as accounts:
        assert not accounts.store.exist()


def test_a_backup_restored_into_another_file_locks_nobody_out(known: tuple[Path, Path, Office], tmp_path: Path) -> None:
    store, folder, office = known
    new = tmp_path / "new.sqlite3"
    with opened(store, folder, office) as accounts:
        copy = accounts.store._repository.backup(tmp_path / "copy.sqlite3")
        assert gets_in_at(accounts)
    with opened(new, folder, office) as accounts:
        accounts.store._repository.restore(copy)
        assert gets_in_at(accounts)
    for path in (store, new):
        with opened(path, folder, office) as accounts:
            assert gets_in_at(accounts)


def test_a_refused_roster_is_remembered(known: tuple[Path, Path, Office], tmp_path: Path) -> None:
    store, folder, office = known
    other, old = tmp_path / "other.sqlite3", tmp_path / "old.sqlite3"
    with opened(other, tmp_path / "another machine", office) as accounts:
        accounts.administration.add(email=ANNA, name="Anna", role="admin", password=PASSWORD)
        accounts.store._repository.backup(old)
        accounts.sessions.end_all(1)
        assert gets_in_at(accounts)
    put_in_place(other, store)
    with opened(store, folder, office) as accounts:
        assert refused(accounts, another=True)
    with opened(old, folder, office) as accounts:
        assert not gets_in_at(accounts)


def test_others_can_sign_in_during_a_read(file_office: Office, open_folder: Path) -> None:
    file_office.add()
    repository = file_office.store.repository
    with remembering(file_office, open_folder) as accounts:
        roster = accounts.store.roster
        with repository.read() as snapshot:
            assert snapshot.count(User) == 1
            assert accounts.authentication.sign_in(ANNA, PASSWORD)
            assert accounts.store.exist()
            assert roster.standing(snapshot) is Standing.HOLDS
        asked = []

        def allowed(copy: Any) -> None:
            assert accounts.authentication.sign_in(ANNA, PASSWORD)
            assert accounts.store.exist()
            asked.append(roster.standing(copy))

        repository.backup(open_folder / "copy.sqlite3", allowed)
        assert asked == [Standing.HOLDS]


def test_only_what_was_committed_to_the_store_itself_is_remembered(office: Office, open_folder: Path) -> None:
    anna = office.add()
    repository = office.store.repository
    with remembering(office, open_folder) as accounts:
        assert gets_in(office, ANNA, accounts=accounts)
        known = Memory(open_folder).known(repository.url)
        assert list(known.seen.values()) == [2]

        def change(tx: Any) -> None:
            tx.change(tx.get(User, anna.id), name="Anna Berg")
            tx.finish()
            raise CRMError("no")

        with pytest.raises(CRMError, match="no"):
            repository.transact(change, "renamed")
        assert Memory(open_folder).known(repository.url) == known
        accounts.sessions.end_all(anna.id)
        assert list(Memory(open_folder).known(repository.url).seen.values()) == [3]


# Stores of older versions


def make_old(office: Office, secret: Secret) -> None:
    """Make the accounts what an older version has left: seals that bind no store, and no roster."""
    mark = secret.mac("mark")[:8]
    names = ("id", "email", "role", "client", "active", "must_change", "password", "second_factor")

    def change(tx: Any) -> None:
        for user in tx.find_all(User):
            seal = f"{mark}-{secret.mac('seal', *(str(getattr(user, name)) for name in names))}"
            tx.connection.execute(update(tables.user).where(tables.user.c.id == user.id).values(seal=seal))
        put_fact(tx.connection, ROSTER, "")

    office.store.change(change, "past the program")


def test_accounts_of_an_older_version_work_and_are_signed_again(file_office: Office) -> None:
    file_office.add()
    bo = file_office.add(BO, "staff")
    broken = file_office.add("cy@example.com", "staff")
    token = file_office.sign_in(BO).token
    make_old(file_office, Secret(SECRET, file_office.store.folder))
    file_office.by_hand(broken, role="admin")
    assert gets_in(file_office, BO, token)
    assert not gets_in(file_office, "cy@example.com")
    old = rows(file_office, User)
    assert gets_in(file_office, ANNA)
    # From then on an older seal is worth nothing, and what did not hold has not become good.
    assert fact(file_office, ROSTER)
    assert gets_in(file_office, BO, token)
    assert not gets_in(file_office, "cy@example.com")
    assert [finding.record_id for finding in file_office.accounts.store.seal_findings()] == [broken.id]
    assert bo.id == 2
    put(file_office, User, old)
    assert not gets_in(file_office, BO, token)


def test_accounts_of_an_older_version_are_checked_more_than_once(file_office: Office, open_folder: Path) -> None:
    file_office.add()
    make_old(file_office, Secret(SECRET, file_office.store.folder))
    with remembering(file_office, open_folder) as accounts:
        for _ in range(3):
            assert accounts.store.exist()
            with file_office.store.repository.read() as snapshot:
                assert accounts_exist(snapshot)
        old = rows(file_office, User)
        assert gets_in(file_office, ANNA, accounts=accounts)
        # From then on this machine knows that there is a roster.
        file_office.store.change(lambda tx: tx.connection.execute(delete(tables.sign_in)), "past the program")
        put(file_office, User, old)
        set_fact(file_office, ROSTER, "")
        assert not gets_in(file_office, ANNA, accounts=accounts)


def test_no_secret_is_needed_without_accounts(file_office: Office) -> None:
    def secret() -> Secret:
        raise AssertionError

    repository = file_office.store.another()
    roster = Roster(secret, Memory(None), repository.url)
    repository.keep_sealed(roster)
    repository.transact(lambda tx: tx.add(User(name="Cleo", role="staff", active=True)), "added")
    repository.transact(lambda tx: tx.add(Client(kind="person", last_name="Berg")), "added")
    with repository.read() as snapshot:
        assert roster.standing(snapshot) is Standing.NONE


def test_a_transaction_that_fails_leaves_the_roster_as_it_was(office: Office) -> None:
    office.add()
    before = fact(office, ROSTER)

    def change(tx: Any) -> None:
        tx.change(tx.get(User, 1), name="Anna Berg")
        raise CRMError("no")

    with pytest.raises(CRMError, match="no"):
        office.store.repository.transact(change, "renamed")
    assert fact(office, ROSTER) == before
    assert gets_in(office, ANNA)
