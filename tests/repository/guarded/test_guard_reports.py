"""Statements of reports: every table and column in them is found and guarded, wherever it is."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    MetaData,
    Table,
    case,
    column,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
    union_all,
    update,
)

from crm.errors import ForbiddenError
from crm.model import User
from crm.repository.guarded.statement_scope import OutOfScope, scope_of
from crm.repository.tables import audit, client, record_columns, rule, sale, setting, sign_in, transactions, user, view
from tests.support.guarded import SECRET, Team, new_team


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A store with an account of each role, which nothing here changes."""
    with new_team(tmp_path_factory.mktemp("store")) as team:
        yield team


_SUM = select(func.sum(sale.c.amount)).scalar_subquery()
_RULES = select(func.count(rule.c.id)).scalar_subquery()
_OF_SALES = select(sale.c.client, func.count().label("many")).group_by(sale.c.client).subquery()
_HIDDEN = select(user.c.password.label("harmless")).subquery()

REACHES = [
    (select(client.c.id), {client}),
    (select(client), {client}),
    (select(func.count()).select_from(sale), {sale}),
    (select(func.max(client.c.total_spend)), {client}),
    (select(client.c.id, _SUM), {client, sale}),
    (select(client.c.id).where(client.c.id.in_(select(sale.c.client))), {client, sale}),
    (select(client.c.id).where(exists().where(sale.c.client == client.c.id)), {client, sale}),
    (select(client.c.id).order_by(select(func.max(rule.c.id)).scalar_subquery()), {client, rule}),
    (select(client.c.id).join(sale, sale.c.client == client.c.id), {client, sale}),
    (select(client.c.id).outerjoin_from(client, _OF_SALES, _OF_SALES.c.client == client.c.id), {client, sale}),
    (select(_OF_SALES.c.many), {sale}),
    (select(client.alias().c.id), {client}),
    (select(client.alias("a").alias("b").c.id), {client}),
    (select(select(setting.c.value).cte("chosen").c.value), {setting}),
    (union_all(select(client.c.id), select(view.c.id)), {client, view}),
    (select(union_all(select(client.c.id), select(view.c.id)).subquery().c.id), {client, view}),
    (select(case((user.c.id > 1, sale.c.id), else_=sign_in.c.id)), {user, sale, sign_in}),
    (select(func.count().over(partition_by=audit.c.record)), {audit}),
    (select(func.count().filter(transactions.c.id > 1)), {transactions}),
    (select(client.c.id).group_by(client.c.id).having(func.count() > _RULES), {client, rule}),
    (select(client.c.id.label("a")).distinct().limit(select(func.count(sale.c.id)).scalar_subquery()), {client, sale}),
]


@pytest.mark.parametrize(("statement", "reached"), REACHES, ids=lambda value: "" if isinstance(value, set) else None)
def test_every_table_in_a_statement_is_found(statement: Any, reached: set[Table]) -> None:
    assert scope_of(statement).tables == reached


@pytest.mark.parametrize(
    "statement",
    [
        text("SELECT * FROM user"),
        text("SELECT password FROM user").columns(column("password")),
        select(text("password")).select_from(user),
        select(literal_column("password")).select_from(user),
        select(column("password")).select_from(user),
        select(column("password")).select_from(table("user")),
        select(table("user", column("password")).c.password),
        select(client.c.id).where(text("id IN (SELECT 1 FROM user)")),
        select(client.c.id).order_by(literal_column("(SELECT password FROM user)")),
        delete(client),
        update(client).values(notes="x"),
        insert(client).returning(client.c.id),
        select(insert(view).values(name="x").returning(view.c.id).cte("written").c.id),
        "SELECT * FROM user",
    ],
)
def test_an_unclear_or_writing_statement_is_refused(team: Team, statement: Any) -> None:
    with pytest.raises(OutOfScope):
        scope_of(statement)
    before = team.everything()
    for role in ("admin", "staff", "client"):
        with team.seen_by(role).read() as snapshot, pytest.raises(ForbiddenError):
            snapshot.select(statement)
    assert team.everything() == before


@pytest.mark.parametrize(
    "statement",
    [
        select(user),
        select(user.alias()),
        select(user.c.password),
        select(user.alias().c.seal),
        select(user.c.id).where(user.c.password.startswith(SECRET)),
        select(user.c.id).order_by(user.c.second_factor),
        select(func.length(user.c.password)),
        select(_HIDDEN.c.harmless),
        select(*record_columns(User)),
        select(literal_column("*")).select_from(user),
        select(client.c.id).where(client.c.id == select(func.max(sign_in.c.token)).scalar_subquery()),
        select(client.c.id).join(sign_in, sign_in.c.token == client.c.notes),
    ],
)
@pytest.mark.parametrize("role", ["admin", "staff", "client"])
def test_no_report_shows_secrets_of_accounts(team: Team, role: str, statement: Any) -> None:
    with team.seen_by(role).read() as snapshot, pytest.raises(ForbiddenError):
        snapshot.select(statement)


def test_a_report_needs_the_right_to_read_every_table_in_it(team: Team) -> None:
    unknown = Table("sqlite_master", MetaData(), Column("sql"))
    allowed = {
        "admin": {client, sale, rule, view, setting, user, sign_in, audit, transactions},
        "staff": {client, sale, rule, view, setting, user, audit, transactions},
        # Of these it may see its own, which a report cannot be held to.
        "client": {setting},
    }
    for role, tables in allowed.items():
        with team.seen_by(role).read() as snapshot:
            for counted in (client, sale, rule, view, setting, user, sign_in, audit, transactions):
                statement = select(func.count()).select_from(counted)
                if counted in tables:
                    assert snapshot.select(statement)[0][0] >= 0
                else:
                    with pytest.raises(ForbiddenError):
                        snapshot.select(statement)
            with pytest.raises(ForbiddenError):
                snapshot.select(select(unknown.c.sql))
