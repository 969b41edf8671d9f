"""Portable SQL: every statement compiles for PostgreSQL, MySQL and MariaDB, and none relies on SQLite."""

import ast
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Column, Dialect, Index, SelectBase, String, and_, func, insert, literal, select
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.dml import UpdateBase

import crm.accounts
import crm.commands
import crm.repository
from crm.model import RECORDS, Client, field_names
from crm.repository import HistoryQuery, Query, bulk, history, review, tables
from crm.repository.migrations import added_since, addition
from crm.repository.queries import deals
from crm.repository.query import selection
from crm.repository.sql_functions import among, caseless, folded, holds, json_rows, text_in
from crm.repository.violations import Broken, unique_field, violation
from crm.rules import RuleSet
from crm.rules.metrics import METRICS
from tests.support.clocks import standing_on

# The compiler of SQLAlchemy alone: no driver, no server.
OTHERS: Mapping[str, Dialect] = {
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
    "mysql": mysql.dialect(),  # type: ignore[no-untyped-call]
    "mariadb": MariaDBDialect(),  # type: ignore[no-untyped-call]
}
_ONLY_SQLITE = r"julianday|printf|json_each|json_group_array|sqlite_\w*|strftime|ifnull|caseless|folded"
UNKNOWN = {
    "postgresql": rf"\b({_ONLY_SQLITE}|json_extract|instr|group_concat)\b",
    "mysql": rf"\b({_ONLY_SQLITE}|nulls (first|last))\b|\|\|",
    "mariadb": rf"\b({_ONLY_SQLITE}|nulls (first|last))\b|\|\|",
}


def _statements(found: Any) -> Iterator[Any]:
    if isinstance(found, SelectBase | UpdateBase):
        yield found
    elif isinstance(found, Mapping):
        for item in list(found.values()):
            yield from _statements(item)
    elif isinstance(found, list | tuple):
        for item in found:
            yield from _statements(item)


def _named() -> Iterator[tuple[str, Any]]:
    """Every statement that stands in a module, by its name; what is SQLite on purpose is left out."""
    for package in (crm.repository, crm.accounts, crm.commands):
        for info in walk_packages(package.__path__, f"{package.__name__}."):
            if ".sheets" in info.name or ".sqlite" in info.name:
                continue
            for name, value in list(vars(import_module(info.name)).items()):
                for at, statement in enumerate(_statements(value)):
                    yield f"{info.name}.{name} {at}", statement


def _made() -> Iterator[tuple[str, Any]]:
    """Statements that are made when they are asked for."""
    clock = standing_on()
    fits = {"tags": "'a' in {}", "text": "{} = 'a'"}
    conditions = [fits.get(metric.kind, "{} = 5").format(name) for name, metric in METRICS.items()]
    rules = RuleSet([(at, f"Status {at}", when) for at, when in enumerate(conditions, start=1)])
    for by_invoices in (False, True):
        yield "review", review.moves(rules, clock, by_invoices)
    shares = RuleSet([(1, "A", "average_sale * age > total_spend / sales_count - 1")])
    yield "shares", review.moves(shares, clock, by_invoices=False)
    yield "audited", review._audited(review._changes(clock.today), 1, 1)
    client = tables.client.c
    for condition in (
        among(client.email, "[]"),
        caseless(client.owner) == caseless(client.source),
        folded(client.owner) == "a",
        text_in(client.notes, "name") == "a",
    ):
        yield "a function", select(client.id).where(condition)
    yield "rows", select(json_rows(client.id, client.email))
    for query in (
        HistoryQuery(text="müller", by="Ann", whose="Ann", about="client", number=3),
        HistoryQuery(client=4, undoable=True, account=3, undone=True),
        HistoryQuery(within={"client": None, "deal": ("owner", "Ann"), "sale": ("user_id", 3)}),
    ):
        yield "history", history.numbers(query, 10)
        yield "changes", history.changes(query)
    for kind in RECORDS:
        everything = select(*tables.record_columns(kind))
        for name in field_names(kind):
            if kind.kind_name == "client" and name == "extra":
                continue
            for sort in (name, f"-{name}"):
                yield f"{kind.kind_name} by {sort}", selection(everything, kind, Query(sort=sort, limit=5), clock, None)
    for table in tables.metadata().sorted_tables:
        yield f"insert {table}", insert(table)


@pytest.mark.many
@pytest.mark.parametrize("name", OTHERS)
def test_every_statement_can_be_written_for_other_databases(name: str) -> None:
    dialect, unknown = OTHERS[name], re.compile(UNKNOWN[name], re.IGNORECASE)
    wrong, count = [], 0
    for what, statement in (*_named(), *_made()):
        try:
            written = str(statement.compile(dialect=dialect))
        except InvalidRequestError as error:
            # It is a part of others, and says nothing by itself.
            if "auto-correlation" not in str(error):
                raise
            continue
        count += 1
        if found := unknown.search(written):
            wrong.append(f"{what}: {found[0]}")
    assert wrong == []
    assert count > 200, count


def test_the_check_finds_sql_that_only_sqlite_knows() -> None:
    written = str(select(func.julianday(tables.sale.c.on)).compile(dialect=OTHERS["postgresql"]))
    assert re.search(UNKNOWN["postgresql"], written)


@pytest.mark.parametrize("name", OTHERS)
def test_text_that_is_looked_for_loses_its_case_by_the_function_of_its_column(name: str) -> None:
    """Python makes 'strasse' of 'Straße', servers do not: they would find nothing in 'Hauptstraße'."""

    def written(statement: Any) -> str:
        return str(statement.compile(dialect=OTHERS[name], compile_kwargs={"literal_binds": True}))

    text = literal("Straße")
    spelled = [written(function(text)) for function in (caseless, folded)]
    for statement in (
        holds(tables.client.c.notes, "Straße"),
        history.numbers(HistoryQuery(text="Straße", by="Straße", whose="Straße"), 10),
        and_(*deals._conditions(deals.WhichDeals(text="Straße", stages=[1]))),
    ):
        sql = written(statement)
        # The names of a client are stored as Python folds them.
        rest = re.sub("search_name LIKE .*'strasse'", "", sql)
        for part in spelled:
            rest = rest.replace(part, "")
        assert rest != sql
        assert not re.search("stra(ß|ss)e", rest, re.IGNORECASE), rest


@pytest.mark.parametrize("name", OTHERS)
def test_parameters_are_in_the_style_of_the_driver(name: str) -> None:
    class Cursor:
        rowcount = 2

        def executemany(self, *handed_over: Any) -> None:
            got.append(handed_over)

        def close(self) -> None:
            pass

    got: list[Any] = []
    connection: Any = SimpleNamespace(
        dialect=OTHERS[name],
        connection=SimpleNamespace(cursor=Cursor),
        dispatch=SimpleNamespace(before_cursor_execute=(), after_cursor_execute=()),
    )
    bulk.insert_rows(connection, tables.store_facts, [{"name": "a", "value": "b"}, {"name": "c", "value": "d"}])
    ((statement, rows),) = got
    assert "INSERT INTO store_facts" in statement
    if connection.dialect.positional:
        assert rows == [("a", "b"), ("c", "d")]
    else:
        assert rows == [{"name": "a", "value": "b"}, {"name": "c", "value": "d"}]


def test_rows_are_counted_and_no_ones_are_summed() -> None:
    """PostgreSQL, MySQL and MariaDB give the sum of whole numbers as a decimal."""
    folder = Path(crm.repository.__path__[0])
    summed = [path.name for path in sorted(folder.rglob("*.py")) if _sums_ones(path.read_text())]
    # That of the metrics is made a whole number where it is read.
    assert summed == ["metrics.py"]


def test_a_sum_of_ones_is_found_on_several_lines() -> None:
    assert _sums_ones("count = func.sum(\n    case(\n        (late, 1),\n        else_=0,\n    )\n)")
    assert not _sums_ones("func.sum(case((late, amount)))")


def _sums_ones(source: str) -> bool:
    """Return whether a source has the sum of a case with 1, on however many lines."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)] if "sum(" in source else []
    summed = [call.args[0] for call in calls if ast.unparse(call.func) == "func.sum"]
    cases = [part for part in summed if isinstance(part, ast.Call) and ast.unparse(part.func) == "case"]
    return any(isinstance(node, ast.Constant) and node.value == 1 for case in cases for node in ast.walk(case))


# Tables and indexes: other databases refuse, or cut at 65 535 bytes, what SQLite takes.


@pytest.mark.parametrize("name", OTHERS)
def test_every_table_and_index_can_be_made_in_other_databases(name: str) -> None:
    texts = [
        str(definition.compile(dialect=OTHERS[name])) for definition in tables.definitions(tables.metadata(), name)
    ]
    assert len(texts) > 2 * len(tables.metadata().tables)
    indexes = [text for text in texts if " INDEX " in text]
    made = [text for text in texts if " INDEX " not in text]
    unknown = re.compile(UNKNOWN[name], re.IGNORECASE)
    assert [text for text in texts if unknown.search(text)] == []
    if name == "postgresql":
        # Names are looked up in ranges: in the order of their letters, not in that of a language.
        assert [
            line for text in made for line in text.split("\n") if re.search("VARCHAR|TEXT", line) and "C" not in line
        ] == []
        partial = [index for index in all_indexes() if index.dialect_options["sqlite"]["where"] is not None]
        assert len(partial) == sum(" WHERE " in text for text in indexes) > 15
        # A flag is no number there.
        assert not any(re.search(r"consent = \d", text) for text in indexes)
    else:
        assert not re.search(r"\b(TEXT|DATETIME)\b(?!\()", "\n".join(made))
        assert all(
            f"COLLATE {'utf8mb4_nopad_bin' if name == 'mariadb' else 'utf8mb4_0900_bin'}" in text for text in made
        )
        assert (name == "mariadb") == (not any("((" in text for text in indexes))


@pytest.mark.parametrize(("name", "defaults"), [("mysql", False), ("mariadb", True)])
def test_a_long_text_has_a_default_only_where_the_database_takes_one(name: str, defaults: bool) -> None:
    texts = (str(made.compile(dialect=OTHERS[name])) for made in tables.definitions(tables.metadata(), name))
    columns = [line for text in texts for line in text.split("\n") if "NOT NULL" in line]
    assert any("LONGTEXT NOT NULL DEFAULT ''" in column for column in columns) == defaults
    assert any(re.search(r"VARCHAR\(\d+\) NOT NULL DEFAULT ''", column) for column in columns)


@pytest.mark.parametrize(("name", "table"), [("postgresql", '"user"'), ("mysql", "user"), ("mariadb", "user")])
def test_an_older_store_gets_its_columns_in_the_sql_of_its_database(name: str, table: str) -> None:
    columns = [column for column in added_since(1) if isinstance(column, Column)]
    texts = [addition(column, OTHERS[name]) for column in [tables.user.c.name, *columns]]
    assert texts[0].startswith(f"ALTER TABLE {table} ADD COLUMN name VARCHAR")
    assert [text for text in texts if "LONGTEXT" in text and "DEFAULT" in text and name == "mysql"] == []


def all_indexes() -> list[Index]:
    return [index for table in tables.metadata().sorted_tables for index in table.indexes]


def test_no_index_is_longer_than_a_key_may_be() -> None:
    # 3 072 bytes in InnoDB, 4 for each letter; of a long text only the beginning is indexed.
    for index in all_indexes():
        lengths = {"long": 100}
        letters = 0
        for part in index.expressions:
            held = getattr(getattr(part, "type", None), "impl_instance", getattr(part, "type", None))
            letters += (held.length or lengths["long"]) if isinstance(held, String) else 2
        assert 4 * letters <= 3072, index.name


class DriverError(Exception):
    """An error as a driver makes it: psycopg with its SQLSTATE and constraint, PyMySQL with its number and words."""

    def __init__(self, *arguments: Any, sqlstate: str = "", constraint: str = "") -> None:
        super().__init__(*arguments)
        if sqlstate:
            self.sqlstate, self.diag = sqlstate, SimpleNamespace(constraint_name=constraint)


@pytest.mark.parametrize(
    ("error", "broken", "field"),
    [
        (
            DriverError("duplicate key …", sqlstate="23505", constraint="client_reference_key"),
            Broken.UNIQUE,
            "reference",
        ),
        (DriverError("…", sqlstate="23505", constraint="client_pkey"), Broken.UNIQUE, ""),
        (DriverError("violates foreign key …", sqlstate="23503", constraint="sale_client_fkey"), Broken.LINK, ""),
        (DriverError("null value …", sqlstate="23502"), Broken.OTHER, ""),
        (DriverError(1062, "Duplicate entry 'A-1' for key 'reference'"), Broken.UNIQUE, "reference"),
        # MySQL 8 names the table, too; what was typed cannot be taken for a name.
        (
            DriverError(1062, "Duplicate entry 'for key last_name' for key 'client.reference'"),
            Broken.UNIQUE,
            "reference",
        ),
        (DriverError(1451, "Cannot delete or update a parent row: …"), Broken.LINK, ""),
        (DriverError(1452, "Cannot add or update a child row: …"), Broken.LINK, ""),
        (DriverError(1048, "Column 'reference' cannot be null"), Broken.OTHER, ""),
        (None, Broken.OTHER, ""),
    ],
)
def test_errors_of_other_databases_name_the_field_too(error: Exception | None, broken: Broken, field: str) -> None:
    kind, names = violation(error)
    assert (kind, unique_field(Client, names)) == (broken, field)


def test_each_unique_constraint_has_a_name_by_which_its_field_is_found() -> None:
    for kind in RECORDS:
        for field in kind.about.unique:
            index = f"{kind.kind_name}_unique_{field}"
            named = [index.name for index in tables.TABLES[kind].indexes if index.unique]
            name = index if index in named else f"{kind.kind_name}_{field}_key"
            assert unique_field(kind, [name]) == field
