"""Migrations of stores that an older version of the program made."""

import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from crm.clock import machine_now
from crm.model import Client, Dashboard, Deal, OptOut, Sale, SignIn, User
from crm.repository import Query, tables
from crm.repository.sql import SqlRepository
from crm.repository.sqlite.backups import SqliteBackups
from crm.repository.sqlite.dialect import Sqlite
from tests.conftest import STORES, Store, _new_store
from tests.support.unprivileged import as_nobody

# What the formats had, as their programs made them: each takes away what the next one added.
OLDER = {
    11: """
DROP TABLE import_layout;
UPDATE store_facts SET value = '11' WHERE name = 'schema_version';
""",
    10: """
DROP INDEX invoice_overpaid;
ALTER TABLE invoice DROP COLUMN used_again;
ALTER TABLE invoice DROP COLUMN message;
UPDATE store_facts SET value = '10' WHERE name = 'schema_version';
""",
    9: """
ALTER TABLE client DROP COLUMN invoice_format;
ALTER TABLE client DROP COLUMN electronic_address;
ALTER TABLE client DROP COLUMN no_reminders;
ALTER TABLE invoice DROP COLUMN sendings;
ALTER TABLE invoice DROP COLUMN digest;
ALTER TABLE invoice_line DROP COLUMN discounts;
ALTER TABLE invoice_line DROP COLUMN charges;
ALTER TABLE mailing DROP COLUMN service;
DROP TABLE reminder_level;
DROP INDEX client_by_region;
DROP INDEX invoice_open;
DROP INDEX invoice_by_state;
DROP INDEX invoice_by_number;
DROP INDEX payment_left;
ALTER TABLE client DROP COLUMN region;
UPDATE store_facts SET value = '9' WHERE name = 'schema_version';
""",
    8: """
DROP INDEX sale_by_reference;
ALTER TABLE sale DROP COLUMN reference;
DROP TABLE reminder;
DROP TABLE allocation;
DROP TABLE payment;
DROP TABLE adjustment;
DROP TABLE invoice_line;
DROP TABLE invoice;
DROP TABLE number_series;
DROP TABLE service;
DROP INDEX transactions_by_uid;
ALTER TABLE transactions DROP COLUMN uid;
ALTER TABLE client DROP COLUMN tax_id;
ALTER TABLE client DROP COLUMN buyer_reference;
ALTER TABLE client DROP COLUMN invoice_email;
ALTER TABLE client DROP COLUMN payment_days;
ALTER TABLE client DROP COLUMN open_amount;
ALTER TABLE client DROP COLUMN credit;
UPDATE store_facts SET value = '8' WHERE name = 'schema_version';
""",
    7: """
DROP TABLE key;
UPDATE store_facts SET value = '7' WHERE name = 'schema_version';
""",
    6: """
DROP TABLE opt_out;
ALTER TABLE message DROP COLUMN reached;
ALTER TABLE message DROP COLUMN notice;
UPDATE store_facts SET value = '6' WHERE name = 'schema_version';
""",
    5: """
DELETE FROM store_facts WHERE name IN ('store_id', 'roster');
DROP INDEX client_by_owner_id;
DROP INDEX deal_by_owner_id;
DROP INDEX follow_up_by_user_id;
DROP INDEX interaction_by_user_id;
DROP INDEX sign_in_open;
DROP INDEX client_by_owner;
CREATE INDEX client_by_owner ON client (lower(owner), sort_name);
DROP INDEX follow_up_by_user;
CREATE INDEX follow_up_by_user ON follow_up (lower("user"), done_on, due_on);
DROP INDEX deal_by_owner;
CREATE INDEX deal_by_owner ON deal (lower(owner), closed_on, stage_since, expected_close_on);
ALTER TABLE client DROP COLUMN owner_id;
ALTER TABLE deal DROP COLUMN owner_id;
ALTER TABLE sale DROP COLUMN user_id;
ALTER TABLE interaction DROP COLUMN user_id;
ALTER TABLE follow_up DROP COLUMN user_id;
ALTER TABLE stage_move DROP COLUMN user_id;
ALTER TABLE mailing DROP COLUMN user_id;
ALTER TABLE message DROP COLUMN user_id;
ALTER TABLE transactions DROP COLUMN user_id;
DROP TABLE dashboard;
CREATE TABLE dashboard (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
    version INTEGER NOT NULL, user VARCHAR(254), tiles VARCHAR(1000) NOT NULL, UNIQUE (user)
);
UPDATE store_facts SET value = '5' WHERE name = 'schema_version';
""",
    4: """
DROP INDEX client_by_reference;
DROP INDEX client_by_last_name;
DROP INDEX client_by_company;
DROP INDEX client_by_address;
DROP INDEX client_by_postcode;
DROP INDEX client_by_city;
DROP INDEX client_by_country;
DROP INDEX client_by_source;
DROP INDEX client_by_tags;
DROP INDEX client_by_status_text;
DROP INDEX client_by_due;
DROP INDEX client_by_kind;
DROP INDEX client_by_consent;
DROP INDEX client_by_owner;
CREATE INDEX client_by_owner ON client (lower(owner));
DROP INDEX interaction_by_user;
DROP INDEX message_by_day;
UPDATE client SET total_spend = total_spend / 100;
UPDATE sale SET amount = amount / 100;
UPDATE deal SET value = value / 100;
UPDATE store_facts SET value = '4' WHERE name = 'schema_version';
""",
    3: """
DROP INDEX client_by_owner;
DROP INDEX follow_up_by_user;
DROP INDEX deal_by_owner;
DROP INDEX deal_by_halt;
DROP TABLE dashboard;
DROP TABLE message;
DROP TABLE mailing;
DROP TABLE template;
UPDATE store_facts SET value = '3' WHERE name = 'schema_version';
""",
    2: """
DROP INDEX client_by_last_contact;
DROP INDEX client_by_next_follow_up;
ALTER TABLE client DROP COLUMN last_contact_on;
ALTER TABLE client DROP COLUMN next_follow_up_on;
ALTER TABLE sale DROP COLUMN deal;
ALTER TABLE sale DROP COLUMN "user";
DROP INDEX audit_by_former_client;
DROP INDEX audit_by_kind;
DROP INDEX transactions_by_time;
DROP TABLE stage_move;
DROP TABLE deal;
DROP TABLE stage;
DROP TABLE follow_up;
DROP TABLE interaction;
DROP TABLE contact;
DELETE FROM sqlite_sequence
    WHERE name IN (
        'dashboard', 'message', 'mailing', 'template', 'stage_move', 'deal', 'stage', 'follow_up', 'interaction',
        'contact', 'user', 'sign_in'
    );
UPDATE store_facts SET value = '2' WHERE name = 'schema_version';
""",
    1: """
DROP TABLE user;
DROP TABLE sign_in;
UPDATE store_facts SET value = '1' WHERE name = 'schema_version';
""",
}


def make_older(file: sqlite3.Connection, version: int) -> None:
    """Make a store one of an older format."""
    for older, script in OLDER.items():
        if older >= version:
            file.executescript(script)


@pytest.fixture
def folder(open_folder: Path) -> Path:
    return open_folder


def opened(path: Path) -> SqlRepository:
    return SqlRepository(f"sqlite:///{path}", Sqlite(path), now=machine_now)


@pytest.fixture(params=OLDER)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def old(folder: Path, version: int) -> Path:
    """A file of an older format with a client and a sale of 1234.50."""
    path = folder / "store.sqlite3"
    store = Store(lambda *_, **__: opened(path), folder)
    store.sell(store.add(), "1234.50")
    store.close()
    with closing(sqlite3.connect(path)) as file:
        make_older(file, version)
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def tables_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as file:
        return {row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def version_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as file:
        return str(file.execute("SELECT value FROM store_facts WHERE name = 'schema_version'").fetchone()[0])


def counts(repository: SqlRepository) -> tuple[int, ...]:
    with repository.read() as snapshot:
        return tuple(snapshot.count(kind) for kind in (Client, Sale, User, SignIn))


def amounts(repository: SqlRepository) -> tuple[Decimal, ...]:
    """The amount of the sale, and the total of its client as a record, as a sum and in a rule."""
    with repository.read() as snapshot:
        (client,), (sale,) = snapshot.find_all(Client), snapshot.find_all(Sale)
        (summed,) = snapshot.select(select(func.sum(tables.sale.c.amount)))
        fits = snapshot.find_all(Client, Query(where="total_spend = 1234.50 and largest_sale > 1234.49"))
        assert fits == [client]
        return sale.amount, client.total_spend, summed[0]


AMOUNTS = (Decimal("1234.50"),) * 3


def add_user(repository: SqlRepository) -> User:
    user: User = repository.transact(lambda tx: tx.add(User(email="anna@example.com", role="admin")), "added")
    return user


def test_an_old_file_is_backed_up_and_migrated(old: Path, version: int) -> None:
    with closing(opened(old)) as repository:
        assert counts(repository) == (1, 1, 0, 0)
        assert amounts(repository) == AMOUNTS
        assert add_user(repository).id == 1
        assert [finding.what for finding in repository.check() if finding.wrong] == []
        (backup,) = repository.backups()
    assert (version_of(old), version_of(backup)) == (str(tables.SCHEMA_VERSION), str(version))
    assert ("message" in tables_in(backup)) is (version > 3)
    with closing(opened(old)) as repository:
        assert counts(repository) == (1, 1, 1, 0)
        assert len(repository.backups()) == 1


def test_changes_in_an_old_file_are_undone_with_exact_amounts(old: Path) -> None:
    with closing(opened(old)) as repository:
        repository.transact(lambda tx: tx.undo(), "took back")
        with repository.read() as snapshot:
            assert (snapshot.count(Sale), snapshot.find_all(Client)[0].total_spend) == (0, 0)
            taken_back = snapshot.history(1)[0].id
        repository.transact(lambda tx: tx.undo(taken_back), "brought back")
        assert amounts(repository) == AMOUNTS


def test_a_migrated_file_has_the_schema_of_a_new_one(old: Path, folder: Path) -> None:
    new = folder / "new.sqlite3"
    shapes = []
    for path in (old, new):
        with closing(opened(path)) as repository:
            counts(repository)
        with closing(sqlite3.connect(path)) as file:
            found = file.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
            shape = []
            for kind, name, sql in found.fetchall():
                # A column that was added stands last.
                rows = sorted(row[1:] for row in file.execute(f"PRAGMA table_info('{name}')"))
                shape.append((kind, name, rows if kind == "table" else re.sub(r"\s+", " ", sql)))
            shapes.append(shape)
    assert shapes[0] == shapes[1]


def test_an_old_backup_is_restored(old: Path, folder: Path, version: int) -> None:
    with closing(opened(folder / "new.sqlite3")) as repository:
        add_user(repository)
        repository.restore(old)
        assert (counts(repository), amounts(repository)) == ((1, 1, 0, 0), AMOUNTS)
        # Never a number that an account had before.
        assert add_user(repository).email == "anna@example.com"
    assert version_of(folder / "new.sqlite3") == str(tables.SCHEMA_VERSION)
    assert version_of(old) == str(version)


def test_an_old_backup_is_migrated_before_others_can_write_to_it(
    old: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    formats = []
    put_back = SqliteBackups.restore

    def watched(backups: SqliteBackups, engine: Engine, copy: Path, locked: Callable[[], None]) -> None:
        formats.append(version_of(copy))
        put_back(backups, engine, copy, locked)

    monkeypatch.setattr(SqliteBackups, "restore", watched)
    with closing(opened(folder / "new.sqlite3")) as repository:
        repository.restore(old)
    assert formats == [str(tables.SCHEMA_VERSION)]


@pytest.mark.many
def test_an_old_backup_is_restored_into_a_spreadsheet(old: Path) -> None:
    with _new_store(STORES["sheets"]) as store:
        store.repository.restore(old)
        with store.another().read() as snapshot:
            assert [snapshot.count(kind) for kind in (Client, Sale, User)] == [1, 1, 0]
        assert amounts(store.another()) == AMOUNTS


def test_an_old_read_only_file_can_be_read(old: Path) -> None:
    old.chmod(0o444)
    old.parent.chmod(0o555)

    def read() -> object:
        with closing(opened(old)) as repository:
            with repository.read() as snapshot:
                (client,), (sale,) = snapshot.find_all(Client), snapshot.find_all(Sale)
                assert (client.next_follow_up_on, sale.deal, sale.user) == (None, 0, "")
                assert snapshot.search(client.name) == [client]
                assert snapshot.find_all(Deal) == []
            assert amounts(repository) == AMOUNTS
            return counts(repository)

    def written() -> object:
        with closing(opened(old)) as repository:
            return add_user(repository)

    def added() -> object:
        with closing(opened(old)) as repository:
            return repository.transact(lambda tx: tx.add(Client(last_name="Zink")), "add")

    content = old.read_bytes()
    assert as_nobody(read) == "done: (1, 1, 0, 0)"
    for change in (written, added):
        assert as_nobody(change).startswith("StoreReadOnlyError: ")
    assert old.read_bytes() == content


def test_an_old_file_without_room_for_a_backup_is_left_as_it_is(old: Path, version: int) -> None:
    (old.parent / "backups").write_text("in the way")
    with closing(opened(old)) as repository, pytest.raises(Exception, match="backup could not be written"):
        counts(repository)
    assert version_of(old) == str(version)
    assert ("message" in tables_in(old)) is (version > 3)


def test_programs_that_migrate_a_file_at_the_same_moment_do_no_harm(old: Path) -> None:
    def read(_: int) -> tuple[int, ...]:
        with closing(opened(old)) as repository:
            return counts(repository)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(read, range(8))) == {(1, 1, 0, 0)}
    assert version_of(old) == str(tables.SCHEMA_VERSION)


def test_owners_in_an_old_file_are_found_by_name(folder: Path) -> None:
    path = folder / "store.sqlite3"
    with closing(Store(lambda *_, **__: opened(path), folder)) as store:
        ben, gone, *_ = [
            store.change(lambda tx, given=given: tx.add(User(role="staff", **given))).id
            for given in (
                {"name": "Ben", "email": "ben@example.com", "active": True},
                {"name": "Tia", "email": "tia@example.com"},
                *({"name": "Two", "email": f"two{number}@example.com", "active": True} for number in range(2)),
            )
        ]
        clients = [store.add(owner=owner) for owner in ("Ben", "BEN", "Tia", "Two", "Nobody")]
        store.change(lambda tx: tx.add(Dashboard(user="Ben", tiles="agenda")))
        store.change(lambda tx: tx.delete(tx.add(Dashboard(user="Tia", tiles="agenda"))))
    with closing(sqlite3.connect(path)) as file:
        dashboards = file.execute("SELECT id, created_at, updated_at, version, user, tiles FROM dashboard").fetchall()
        make_older(file, 5)
        file.executemany("INSERT INTO dashboard VALUES (?, ?, ?, ?, ?, ?)", dashboards)
        file.execute("UPDATE sqlite_sequence SET seq = 2 WHERE name = 'dashboard'")
        file.execute("UPDATE transactions SET user = 'ben' WHERE id = 1")
        file.commit()
    path.chmod(0o444)
    path.parent.chmod(0o555)

    def mine() -> object:
        with closing(opened(path)) as repository, repository.read() as snapshot:
            return snapshot.numbers(Client, Query({"owner_id": ben}))

    assert as_nobody(mine) == f"done: {[client.id for client in clients[:2]]}"
    path.chmod(0o600)
    path.parent.chmod(0o700)
    with closing(opened(path)) as repository:
        with repository.read() as snapshot:
            assert [client.owner_id for client in snapshot.find_all(Client, Query(sort="id"))] == [ben, ben, gone, 0, 0]
            assert [(dashboard.user, dashboard.user_id) for dashboard in snapshot.find_all(Dashboard)] == [("Ben", ben)]
            assert [entry.user_id for entry in snapshot.history(20)][-1] == ben
        # No number is given out twice, and a name may come again.
        added = repository.transact(lambda tx: tx.add(Dashboard(user="Ben", user_id=gone, tiles="agenda")), "added")
        assert (added.id, added.user) == (3, "Tia")
        assert clients[0].owner == "Ben"


def test_opt_outs_from_before_the_list_are_on_it(folder: Path) -> None:
    path = folder / "store.sqlite3"
    with closing(Store(lambda *_, **__: opened(path), folder)) as store:
        store.add(email="again@example.com", marketing_consent=True)
        for address in ("Anna@Example.com", "anna@example.com", "again@example.com"):
            store.repository.transact(
                lambda tx: tx.add(Client(last_name="X")), f"opted out of mailings, asked for by {address}"
            )
    with closing(sqlite3.connect(path)) as file:
        make_older(file, 6)
    with closing(opened(path)) as repository:
        with repository.read() as snapshot:
            assert [(out.address, out.way) for out in snapshot.find_all(OptOut)] == [("anna@example.com", "link")]
        assert [finding.what for finding in repository.check() if finding.wrong] == []
        repository.transact(lambda tx: tx.add(OptOut(address="b@example.com", on=tx.today)), "added")
