"""Random actions of a reader, in any order: no result and no change beyond the table of rights."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from crm.errors import CRMError
from crm.model import RECORDS, Client, Dashboard, Record, Sale, Setting, SignIn, StatusRule, User, View, field_names
from crm.model.rights import (
    ALL,
    HISTORY,
    OWN,
    OWNED_BY,
    READ,
    Reader,
    hidden,
    level,
)
from crm.repository import Query
from crm.repository.dump import everything
from crm.repository.guarded.permissions import Permissions
from crm.repository.guarded.writing import GuardedTransaction
from crm.repository.tables import TABLES, audit, columns_of, transactions
from tests.support.guarded import SECRET as SECRET_MARK
from tests.support.guarded import Team, assert_allowed, new_team, records

AREA_OF = {TABLES[kind]: kind.kind_name for kind in RECORDS}
Step = tuple[str, tuple[Any, ...]]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A store with an account of each role; what the examples do to it is put back."""
    with new_team(tmp_path_factory.mktemp("store")) as team:
        yield team


_kinds = st.sampled_from(RECORDS)
_ids = st.integers(0, 4)
_texts = st.sampled_from(
    ["", "1", "2", "own", "foreignmark", "internalmark", "secretmark-1", "admin", "ended", "own@example.com"]
)
_values = st.one_of(_ids, _texts, st.lists(_ids, max_size=3), st.none())


def _names(kind: type[Record]) -> st.SearchStrategy[str]:
    return st.sampled_from(field_names(kind))


def _queries(kind: type[Record]) -> st.SearchStrategy[Query]:
    sorts = _names(kind)
    return st.builds(
        Query,
        filters=st.dictionaries(_names(kind), _values, max_size=1),
        where=st.sampled_from(["", "total_spend > 0", "tags = 'internalmark'"] if kind is Client else [""]),
        since=st.sampled_from([None, date(2026, 1, 1)] if kind is Sale else [None]),
        sort=st.one_of(st.just(""), sorts, sorts.map("-{}".format)),
        limit=st.sampled_from([None, 1, 10]),
        offset=st.sampled_from([0, 0, 1]),
        within=st.dictionaries(_names(kind), _values, max_size=1),
    )


def _asked(kind: type[Record]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(st.just(kind), _queries(kind))


def _changed(kind: type[Record]) -> st.SearchStrategy[tuple[Any, ...]]:
    # None of what is searched for in the results: only what was there before is to be found.
    text = st.sampled_from(["", "1", "admin", "ended", "new@example.com"])
    texts = st.dictionaries(_names(kind), text, min_size=1, max_size=2)
    values = st.dictionaries(_names(kind), st.one_of(_ids, st.booleans(), st.none()), min_size=1, max_size=2)
    return st.tuples(st.just(kind), _ids, st.one_of(texts, values))


_new = st.sampled_from(
    [
        Client(kind="person", last_name="New"),
        Sale(client=1, on=date(2026, 11, 2), amount=Decimal(5)),
        StatusRule(position=9, status="New", active=True),
        View(name="New"),
        Dashboard(user="Sam", tiles="new"),
        Dashboard(user="Ada", tiles="new"),
        Dashboard(user="New", tiles="new"),
        Setting(key="new", value="new"),
        User(email="new@example.com", role="admin", active=True),
        User(email="new@example.com", role="staff", password="x"),
        SignIn(user=1, state="open", token="x"),
    ]
)
_looks = st.one_of(
    st.tuples(st.sampled_from(["find", "get"]), st.tuples(_kinds, _ids)),
    st.tuples(st.sampled_from(["find_all", "each", "count"]), _kinds.flatmap(_asked)),
    st.tuples(st.just("search"), st.tuples(_texts)),
    st.tuples(
        st.just("identified"),
        st.tuples(st.sampled_from(["reference", "email", "phone", "name"]), st.lists(_texts, max_size=3)),
    ),
    st.tuples(st.sampled_from(["rules", "moves", "move_counts", "history", "changes_all"]), st.just(())),
    st.tuples(st.just("changes"), st.tuples(_kinds, _ids)),
    st.tuples(st.just("values"), st.tuples(_ids)),
    st.tuples(st.just("select"), st.tuples(st.sampled_from([*map(TABLES.__getitem__, RECORDS), audit, transactions]))),
)
_acts = st.one_of(
    st.tuples(st.sampled_from(["add", "add_all", "add_columns"]), st.tuples(_new)),
    st.tuples(st.just("change"), st.sampled_from([Client, Sale, User, SignIn, View, Dashboard]).flatmap(_changed)),
    st.tuples(st.just("delete"), st.tuples(_kinds, _ids)),
    st.tuples(st.sampled_from(["settle", "review_all"]), st.just(())),
    st.tuples(st.just("undo"), st.tuples(st.one_of(st.none(), st.integers(1, 9)))),
)


def carried_out(snapshot: Any, step: Step, stored: Any) -> Any:
    """The result of one call; None if it is refused. Records are given as they are `stored`, whoever may see them."""
    name, given = step
    if name in ("changes", "change", "delete"):
        given = (stored.find(*given[:2]) or given[0](id=given[1]), *given[2:])
    if name == "values":
        given = (stored.find(Client, *given) or Client(id=given[0]),)
    # A refusal, or a value that a column cannot take: what counts is what is there afterwards.
    with suppress(CRMError, SQLAlchemyError, TypeError, ValueError, LookupError, AttributeError):
        match name:
            case "rules":
                return repr(snapshot.rules.rules)
            case "changes_all":
                return snapshot.changes()
            case "changes":
                return snapshot.changes(record=given[0])
            case "select":
                return snapshot.select(select(func.count()).select_from(given[0]))
            case "each":
                return list(snapshot.each(*given))
            case "change":
                return snapshot.change(given[0], **given[1])
            case "delete":
                return snapshot.delete(given[0]) or "deleted"
            case "add_all":
                return snapshot.add_all(list(given))
            case "add_columns":
                return snapshot.add_columns(type(given[0]), columns_of(given))
        return getattr(snapshot, name)(*given)
    return None


def is_own(reader: Reader, record: Record) -> bool:
    """True if the table counts a record as the reader's own."""
    name, of_reader = OWNED_BY[record.kind_name]
    return bool(getattr(record, name) == getattr(reader, of_reader))


def assert_shown(reader: Reader, step: Step, result: Any) -> None:
    """Nothing in what came back is hidden from the reader."""
    name, given = step
    if result is None:
        return
    assert SECRET_MARK not in repr(result)
    if name == "select":
        assert level(reader.role, AREA_OF.get(given[0], HISTORY), READ) is ALL
    if name == "count":
        assert level(reader.role, given[0].kind_name, READ) is ALL or result <= 1
    for record in result if isinstance(result, list) else [result]:
        if isinstance(record, Record):
            reach = level(reader.role, record.kind_name, READ)
            assert reach is ALL or (reach is OWN and is_own(reader, record))
            assert not any(getattr(record, name) for name in hidden(reader.role, record.kind_name))
    if reader.role == "client":
        assert "foreignmark" not in repr(result)
        assert "internalmark" not in repr(result)


class _PutBack(Exception):
    """The exception that ends an example and rolls it back."""


@settings(max_examples=4 * settings.default.max_examples)
@given(role=st.sampled_from(["staff", "client"]), steps=st.lists(st.one_of(_looks, _acts), min_size=3, max_size=10))
def test_no_order_of_calls_shows_or_changes_more_than_the_rights_allow(
    team: Team, role: str, steps: list[Step]
) -> None:
    reader = team.reader(role)

    def change(tx: Any) -> None:
        before = records(everything(tx))
        guarded = GuardedTransaction(tx, Permissions(reader))
        for step in steps:
            assert_shown(reader, step, carried_out(guarded, step, tx))
        assert_allowed(reader, before, records(everything(tx)))
        raise _PutBack

    with pytest.raises(_PutBack):
        team.store.change(change)
