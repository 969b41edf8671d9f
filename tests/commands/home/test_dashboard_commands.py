"""Dashboards: which tiles are on Today, for whom, and that no other data is read; on every kind of store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event

from crm.accounts import SignedIn
from crm.commands.context import CRM
from crm.commands.home.tiles import DEFAULT, TILES
from crm.commands.home.today import Brief
from crm.commands.registry import named
from crm.errors import FieldError, ForbiddenError
from crm.model import Client, Dashboard, Deal, FollowUp, Message, Sale, User
from crm.model.encoding import plain
from crm.repository import Query
from tests.commands.conftest import Office
from tests.conftest import Store
from tests.support.clocks import TODAY

pytestmark = pytest.mark.dated


@pytest.fixture
def crm(office: Office, store: Store) -> CRM:
    """A CRM over a store of each kind, with a little of everything."""
    crm = replace(office.crm, repository=store.repository)
    with crm.read():
        pass
    born = TODAY.replace(year=1980) + timedelta(days=2)
    client = Client(kind="person", last_name="Berg", owner="Bo", country="AT", date_of_birth=born)

    def change(tx: Any) -> None:
        added = tx.add(client)
        tx.add(Sale(client=added.id, on=TODAY, amount=Decimal(1200)))
        tx.add(Deal(client=added.id, title="Roof", value=Decimal(500), expected_close_on=TODAY))
        tx.add(FollowUp(client=added.id, user="anna", due_on=TODAY + timedelta(days=3), what="call"))
        for state in ("failed", "failed", "queued", "sent"):
            tx.add(Message(client=added.id, channel="email", direction="out", state=state, on=TODAY))

    crm.transact(change, "made by a test")
    return crm


def run(crm: CRM, words: str, *given: Any, **more: Any) -> Any:
    return named(words)(crm, *given, **more)


def names(crm: CRM) -> list[str]:
    return [tile.name for tile in run(crm, "dashboard show")]


def test_everybody_has_the_default_dashboard_until_they_arrange_one(crm: CRM) -> None:
    assert names(crm) == list(run(crm, "today").tiles) == list(DEFAULT)
    run(crm, "dashboard set", " Pipeline ,sales  by OWNER,agenda,, pipeline")
    assert names(crm) == ["pipeline", "sales by owner", "agenda"]
    assert [tile.place for tile in run(crm, "dashboard tiles")[:4]] == [1, 2, 3, 0]
    assert {tile.name for tile in run(crm, "dashboard tiles")} == set(TILES)
    report = run(crm, "today")
    assert list(report.tiles) == ["pipeline", "sales by owner", "agenda"]
    assert report.tiles["sales by owner"].rows[0][:2] == ("Bo", Decimal("1200.00"))
    run(crm, "dashboard set", "birthdays")
    assert [birthday.client.last_name for birthday in run(crm, "today").tiles["birthdays"]] == ["Berg"]
    assert [tile.name for tile in run(crm, "dashboard reset")] == list(DEFAULT)
    assert run(crm, "dashboard reset")[0].name == DEFAULT[0]
    with crm.read() as snapshot:
        assert snapshot.count(Dashboard) == 0


def test_every_tile_is_in_the_json(crm: CRM) -> None:
    run(crm, "dashboard set", ",".join(TILES))
    report = run(crm, "today")
    assert list(report.tiles) == list(TILES)
    listed = plain(report)
    assert listed["tiles"] == list(TILES)
    assert listed["clients"] == 1
    assert listed["months"][-1] == {"month": "2026-11-01", "amount": "1200.00", "sales": 1}
    assert listed["messages"] == [{"state": "queued", "messages": 1}, {"state": "failed", "messages": 2}]
    assert [item["what"] for item in listed["follow_ups"]] == ["call"]
    assert listed["pipeline"][0]["value"] == "500.00"
    assert listed["sales_by_country"]["rows"][0]["country"] == "AT"
    assert listed["forecast"]["total"]["value"] == "500.00"


def test_the_json_of_the_first_dashboard_has_the_names_it_had(crm: CRM) -> None:
    kept = {"on", "clients", "statuses", "months", "newest", "moved", "birthdays", "agenda"}
    assert plain(run(crm, "today")).keys() == kept | {"tiles"}


@pytest.mark.parametrize("written", ["agenda, weather", "", " , ", "agenda;sales", "\x1b[31m"])
def test_an_unknown_tile_is_refused_with_the_list_of_tiles(crm: CRM, written: str) -> None:
    with pytest.raises(FieldError, match=r"agenda") as error:
        run(crm, "dashboard set", written)
    assert "\x1b" not in error.value.sentence
    assert names(crm) == list(DEFAULT)


def test_a_tile_of_another_version_is_passed_over(crm: CRM) -> None:
    crm.transact(lambda tx: tx.add(Dashboard(user="anna", tiles="weather,sales,sales,agenda")), "put there")
    assert names(crm) == ["sales", "agenda"]
    crm.transact(lambda tx: tx.change(tx.find_all(Dashboard)[0], tiles=""), "put there")
    assert run(crm, "today").tiles == {}


def test_an_arranged_dashboard_can_be_undone_and_copied(crm: CRM) -> None:
    run(crm, "dashboard set", "sales")
    run(crm, "dashboard set", "agenda")
    run(crm, "history undo")
    assert names(crm) == ["sales"]
    objects = [fields for kind, fields in crm.repository.everything() if kind == "dashboard"]
    assert [(entry["user"], entry["tiles"]) for entry in objects] == [("anna", "sales")]


# Only what is shown is read


@contextmanager
def watched(crm: CRM) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    asked: list[str] = []
    repository: Any = crm.repository
    engine = getattr(repository, "_repository", repository)._engine

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def reads(asked: list[str], table: str) -> bool:
    return any(f"FROM {table}" in statement or f"JOIN {table}" in statement for statement in asked)


def test_a_tile_costs_a_query_only_where_it_is_shown(office: Office) -> None:
    office.sell(office.add(), "10")
    office("dashboard set", "statuses")
    with watched(office.crm) as asked:
        office("today")
    assert not reads(asked, "sale")
    assert not reads(asked, "follow_up")
    assert sum("FROM client" in statement for statement in asked) == 1
    office("dashboard set", "statuses,sales,sales by owner")
    brief = Brief()
    brief.read(office.crm)
    with watched(office.crm) as asked:
        shown = brief.tiles(office.crm)
        assert next(shown)[0].name == "statuses"
        shown.close()
    assert not reads(asked, "sale")
    # What is above the main menu has no reports.
    assert [tile.name for tile, _ in Brief().tiles(office.crm)] == ["statuses", "sales"]


def test_above_the_menu_figures_come_first(office: Office) -> None:
    office("dashboard set", "birthdays,sales,agenda,pipeline")
    # What needs doing stands above them in any case.
    assert [tile.name for tile, _ in Brief().tiles(office.crm)] == ["sales", "pipeline", "birthdays"]


def test_above_the_menu_nothing_is_read_twice_until_something_has_changed(crm: CRM) -> None:
    brief = Brief()

    def contents() -> dict[str, Any]:
        return {tile.name: content for tile, content in brief.tiles(crm)}

    first = contents()
    with watched(crm) as asked:
        assert contents() == first
    assert not reads(asked, "client")
    assert not reads(asked, "sale")
    assert first["sales"][-1].sales == 1
    with crm.read() as snapshot:
        client = snapshot.find_all(Client)[0]
    run(crm, "sales add", client, Decimal(5), TODAY)
    assert contents()["sales"][-1].sales == 2
    run(crm, "history undo")
    assert contents()["sales"] == first["sales"]
    run(crm, "dashboard set", "pipeline")
    assert list(contents()) == ["pipeline"]


def test_above_the_menu_figures_are_those_of_the_day(office: Office) -> None:
    office.sell(office.add(), "10")
    brief = Brief()

    def sold(crm: CRM) -> int:
        contents = {tile.name: content for tile, content in brief.tiles(crm)}
        sales: int = contents["sales"][-1].sales
        return sales

    assert sold(office.crm) == 1
    assert sold(office.open(today=TODAY + timedelta(days=31))) == 0


def test_above_the_menu_settings_are_those_that_somebody_else_has_set(office: Office) -> None:
    brief, mine, others = Brief(), office.crm, office.open()
    list(brief.tiles(mine))
    # One that tests on other days are not in.
    assert mine.clock.zone.key != "Pacific/Chatham"
    run(others, "settings set", "time_zone", "Pacific/Chatham")
    run(others, "settings set", "currency", "JPY")
    list(brief.tiles(mine))
    assert (mine.clock.zone.key, mine.conventions.currency) == ("Pacific/Chatham", "JPY")


# Whose it is


def signed_in(office: Office, email: str, role: str, name: str = "") -> CRM:
    client = office.add() if role == "client" else None
    password = office("users add", email, name or email.partition("@")[0].title(), role, client=client).password
    who = office.crm.accounts.open().authentication.sign_in(email, password, device="of a test")
    assert isinstance(who, SignedIn)
    return office.crm.enter(office.crm, who)


def test_each_user_has_a_dashboard_of_their_own(office: Office) -> None:
    ada, bo = signed_in(office, "ada@example.com", "admin"), signed_in(office, "bo@example.com", "staff")
    run(ada, "dashboard set", "agenda")
    run(bo, "dashboard set", "sales")
    assert (names(ada), names(bo), names(office.crm)) == (["agenda"], ["sales"], list(DEFAULT))
    run(bo, "dashboard reset")
    assert (names(ada), names(bo)) == (["agenda"], list(DEFAULT))
    cy = signed_in(office, "cy@example.com", "client")
    with pytest.raises(ForbiddenError):
        run(cy, "dashboard set", "agenda")
    with pytest.raises(ForbiddenError):
        named("dashboard set").function(cy, "agenda")


def test_a_dashboard_follows_its_account_when_the_name_changes(office: Office) -> None:
    ada = signed_in(office, "ada@example.com", "admin")
    bo = signed_in(office, "bo@example.com", "staff")
    run(bo, "dashboard set", "sales")
    # Of somebody who was called so before, and has no account.
    office.crm.transact(lambda tx: tx.add(Dashboard(user="Beatrix", tiles="moved")), "put there")
    run(bo, "profile edit", name="Beatrix")
    with ada.read() as snapshot:
        (user,) = snapshot.find_all(User, Query({"email": "bo@example.com"}))
        other = [("Beatrix", user.id, "sales"), ("Beatrix", 0, "moved")]
        assert [
            (dashboard.user, dashboard.user_id, dashboard.tiles) for dashboard in snapshot.find_all(Dashboard)
        ] == other
    run(ada, "users edit", user, name="beatrix")
    assert [tile.name for tile in run(bo, "dashboard show")] == ["sales"]
    run(bo, "dashboard reset")
    with ada.read() as snapshot:
        assert [(dashboard.user, dashboard.tiles) for dashboard in snapshot.find_all(Dashboard)] == [
            ("Beatrix", "moved")
        ]
