"""Making the records of a store what they are in a backup: the data, and the accounts only where that is asked for.

Restoring data gives back no rights that were removed since, and revives no ended session and no revoked key. A store
that never had accounts takes those of the backup: there are no others. Every session ends, and with the accounts of a
backup every key is revoked.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update

from crm.errors import RefusedError, StoreAccessError
from crm.model import LASTING, RECORDS, Client, MachineKey, Record, User, fields, people
from crm.model.rights import SEALED
from crm.repository import ROSTER, SHUT, STORE_ID, Seals, tables
from crm.repository.bulk import insert_rows
from crm.repository.known import new_id
from crm.repository.snapshot import SqlSnapshot
from crm.repository.statements import ANY_PASSWORD
from crm.repository.team import TEAM, speak_of, successors

if TYPE_CHECKING:
    from crm.repository.transaction import SqlTransaction


def put_back(tx: "SqlTransaction", source: SqlSnapshot, seals: Seals | None, *, accounts: bool = False) -> int:
    """Delete what `source` lacks, add what only it holds, ids and times included, and change what differs, as a change
    like any other; of what lasts nothing is deleted or changed. It is in the history also where nothing differed.
    Returns how many accounts of clients were closed. Raises RefusedError where no admin could sign in any more."""
    tx.is_restoring = True
    had_accounts, open_before = _has_accounts(tx), _of_clients(tx)
    accounts = accounts or not had_accounts
    kinds = [kind for kind in RECORDS if kind not in (*SEALED, *LASTING) or (kind is User and accounts)]
    if not accounts:
        tx.close_accounts(_other_clients(tx, _same_clients(tx, source)))
    for kind in reversed(kinds):
        kept_ids = {record.id for record in source.each(kind)}
        tx.remove(kind, [record.id for record in tx.find_all(kind) if record.id not in kept_ids])
    people_before, same_store = source.select(TEAM), source.fact(STORE_ID) == tx.fact(STORE_ID)
    accounts_now = {} if accounts else successors(people_before, tx.select(TEAM), same_store=same_store)
    for kind in kinds:
        records: Sequence[Record] = [_meaning(record, accounts_now) for record in source.find_all(kind)]
        if kind is User and seals is not None:
            records = [seals.translated(tx, record, source) for record in records if isinstance(record, User)]
        _put_back(tx, kind, records)
    add_lasting(tx, source)
    tx.end_sessions()
    if accounts:
        tx.delete_all(MachineKey, tx.numbers(MachineKey))
    if accounts and had_accounts:
        _refuse_shutting_out(tx, seals)
    _ = tx.number
    return 0 if accounts else len(open_before - _of_clients(tx))


def add_lasting(tx: "SqlTransaction", other: SqlSnapshot) -> None:
    """Add what lasts of another state of the store, as far as it is missing."""
    for kind in LASTING:
        key = kind.about.unique[0]
        existing = {getattr(record, key) for record in tx.find_all(kind)}
        missing = [replace(record, id=0) for record in other.find_all(kind) if getattr(record, key) not in existing]
        tx.add_all(missing)


def _of_clients(tx: "SqlTransaction") -> set[int]:
    """The ids of the active accounts of clients."""
    account = tables.user.c
    return {row for (row,) in tx.select(select(account.id).where(account.active, account.client != 0))}


def _refuse_shutting_out(tx: "SqlTransaction", seals: Seals | None) -> None:
    if seals is not None and not seals.let_an_admin_in(tx):
        raise RefusedError(
            "No admin could sign in with the accounts of this backup, so nothing was changed. Restore it without"
            " --accounts."
        )


def known_accounts(snapshot: SqlSnapshot) -> Hashable:
    """A fingerprint that changes once an account, a sign-in or what lasts has changed."""
    parts: list[Any] = [snapshot.fact(ROSTER)]
    kinds: Sequence[type[Record]] = (User, *LASTING)
    for kind in kinds:
        table = tables.TABLES[kind]
        parts += snapshot.select(select(func.max(table.c.updated_at), func.count(table.c.id)))[0]
    return tuple(parts)


def take_accounts(
    tx: "SqlTransaction", seals: Seals | None, now: SqlSnapshot | None, *, from_backup: bool = False
) -> int:
    """Give a backup, which `tx` writes to before it takes the place of a store, the accounts that this has `now`, or
    seal its own as that store's; None for a store that is damaged. It is in the history of the backup. Returns how many
    accounts were closed, as the backup does not know their clients. Raises RefusedError where no admin could sign in
    any more."""
    ours = now is None or from_backup or not _has_accounts(now)
    source = tx if ours or now is None else now
    facts = {name: source.fact(name) for name in (STORE_ID, ROSTER)}
    same_clients = set(tx.numbers(Client)) if ours or now is None else _same_clients(now, tx)
    if now is not None and not ours:
        same_store = tx.fact(STORE_ID) == now.fact(STORE_ID)
        accounts_now = successors(tx.select(TEAM), now.select(TEAM), same_store=same_store)
        for kind in reversed(SEALED):
            tx.connection.execute(delete(tables.TABLES[kind]))
        for kind in SEALED:
            table = tables.TABLES[kind]
            if rows := [dict(row._mapping) for row in now.select(select(table))]:
                insert_rows(tx.connection, table, rows)
        speak_of(tx.connection, accounts_now)
    if now is not None:
        add_lasting(tx, now)
        # Never a number that another account had before, or another client, whose account may be there.
        for kind in (*SEALED, Client):
            last = now.select(select(func.max(tables.audit.c.record_id)).where(tables.audit.c.record == kind.kind_name))
            tx.skip_ids(kind, last[0][0] or 0)
        held = tx.select(select(func.max(tables.user.c.client)))
        tx.skip_ids(Client, held[0][0] or 0)
        if _has_accounts(now) or not _has_accounts(tx):
            tx.put_fact(STORE_ID, now.fact(STORE_ID))
        elif seals is not None and seals.goes_on_elsewhere(tx):
            tx.put_fact(STORE_ID, new_id())
    if now is None and seals is not None and seals.knows_newer(tx):
        # Damaging a file is no way in by an older copy of it: `users recover` opens it again.
        tx.put_fact(ROSTER, SHUT)
    elif seals is not None:
        seals.take_over(tx, facts, now.fact(ROSTER) if now is not None else "", keeps_keys=not ours)
    else:
        tx.put_fact(ROSTER, facts[ROSTER])
    if now is not None and from_backup and _has_accounts(now):
        _refuse_shutting_out(tx, seals)
    other_clients = _other_clients(tx, same_clients)
    # Accounts that are not as this program left them let nobody in anyway.
    with suppress(StoreAccessError):
        tx.close_accounts(other_clients)
        tx.finish()
    _ = tx.number
    return len(other_clients)


def _same_clients(one: SqlSnapshot, other: SqlSnapshot) -> set[int]:
    """The ids of the clients that are surely the same ones in two states of a store: a number alone may be somebody
    else's where they are of two stores, or of two copies that went on apart."""
    if one.fact(STORE_ID) != other.fact(STORE_ID):
        return set()
    client = tables.client.c
    made = select(client.id, client.created_at)
    return {number for number, _ in {*map(tuple, one.select(made))} & {*map(tuple, other.select(made))}}


def _other_clients(tx: "SqlTransaction", same: Collection[int]) -> list[int]:
    """The numbers in the active accounts of clients that are not among the `same`, one for each account."""
    account = tables.user.c
    theirs = tx.select(select(account.client).where(account.active, account.client != 0))
    return [id_ for (id_,) in theirs if id_ not in same]


def _has_accounts(snapshot: SqlSnapshot) -> bool:
    """Return whether somebody can sign in, or could."""
    return bool(snapshot.fact(ROSTER) or snapshot.select(ANY_PASSWORD))


def _put_back(tx: "SqlTransaction", kind: type[Record], records: Sequence[Record]) -> None:
    current = {record.id: record for record in tx.find_all(kind)}
    records = [tx.with_accounts(record) for record in records]
    names = (*fields(kind), *people(kind).values())
    _free_names(tx, kind, [record for record in records if record.id in current])
    missing = [record for record in records if record.id not in current]
    if missing:
        tx.restore(missing)
    for record in records:
        if (now := current.get(record.id)) is not None:
            changes = {name: value for name in names if getattr(now, name) != (value := getattr(record, name))}
            if changes:
                changes |= {beside: getattr(record, beside) for name, beside in people(kind).items() if name in changes}
                tx.apply(now, changes, review=False)


def _free_names(tx: "SqlTransaction", kind: type[Record], records: Sequence[Record]) -> None:
    """Empty what only one record may have where it is about to change, so that records can exchange it."""
    table = tables.TABLES[kind]
    for column in (column for column in table.columns if column.unique):
        now: dict[int, Any] = dict(tx.select(select(table.c.id, column)))
        changing = [{"of": record.id} for record in records if now[record.id] != getattr(record, column.name)]
        if changing:
            tx.connection.execute(
                update(table).where(table.c.id == bindparam("of")).values({column.name: ""}), changing
            )


def _meaning(record: Record, accounts: Mapping[int, int]) -> Record:
    """A record that refers to the accounts that stand for those it refers to."""
    besides = [person for person in people(type(record)).values() if getattr(record, person) in accounts]
    values: dict[str, Any] = {file: accounts[getattr(record, file)] for file in besides}
    return replace(record, **values) if values else record
