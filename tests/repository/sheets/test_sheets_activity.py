"""Contacts, follow-ups and deals in a spreadsheet: what people type there, and one that had no tabs for them."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import StoreNotSetUpError
from crm.model import Client, Contact, Deal, FollowUp, Interaction, OptOut, Sale, Stage, StageMove
from crm.repository.past_opt_outs import OPTED_OUT
from crm.repository.sheets.connecting import GoogleSpreadsheets
from crm.repository.sheets.grid.layout import ADDED, META, TABS
from tests.support.by_hand import EDITED, Sheet, wrong
from tests.support.sheets_team import Team, new_team


def put(team: Team, record: Any) -> Any:
    return team.store.change(lambda tx: tx.add(record), f"added a {record.kind_name}")


def test_rows_are_typed_into_the_new_tabs(team: Team) -> None:
    client = team.store.add()
    Sheet(team, Contact).add(client=client.id, name="Jo Fox", email="jo@example.com")
    Sheet(team, FollowUp).add(client=client.id, due_on="2026-12-01", what="call back")
    Sheet(team, Interaction).add(client=client.id, kind="call", on="2026-11-02")
    Sheet(team, Deal).add(client=client.id, title="Roof", value=1200)
    found = team.stored()
    (contact,) = found[Contact].values()
    (deal,) = found[Deal].values()
    assert (contact.name, contact.client) == ("Jo Fox", client.id)  # type: ignore[attr-defined]
    assert (deal.value, deal.stage_since) == (Decimal(1200), team.store.today)  # type: ignore[attr-defined]
    shown = found[Client][client.id]
    assert (shown.last_contact_on, shown.next_follow_up_on) == (date(2026, 11, 2), date(2026, 12, 1))  # type: ignore[attr-defined]
    assert team.summaries().count(EDITED) >= 1
    team.store.add()
    team.agreed()


def test_a_stage_that_is_typed_moves_the_deal(team: Team) -> None:
    client = team.store.add()
    deal = put(team, Deal(client=client.id, title="Roof"))
    stages = sorted(team.stored()[Stage])
    Sheet(team, Deal).put(deal, "stage", stages[4])
    found = team.stored()
    assert found[Deal][deal.id].closed_on == team.store.today  # type: ignore[attr-defined]
    assert [record.stage for record in found[StageMove].values()] == [stages[0], stages[4]]  # type: ignore[attr-defined]
    Sheet(team, Deal).put(deal, "stage", 77)
    assert team.stored()[Deal][deal.id].stage == stages[4]  # type: ignore[attr-defined]
    assert any("no stage 77" in finding for finding in wrong(team))


def test_a_row_without_a_known_client_is_reported_and_kept(team: Team) -> None:
    client = team.store.add()
    Sheet(team, Contact).add(client=99, name="Jo Fox")
    Sheet(team, FollowUp).add(client=client.id, what="without a day")
    assert team.stored()[Contact] == {}
    assert any("no client 99" in finding for finding in wrong(team))
    # Nobody has said when, so it is for today.
    assert [record.due_on for record in team.stored()[FollowUp].values()] == [team.store.today]  # type: ignore[attr-defined]


def test_a_client_that_is_deleted_by_hand_takes_all_along_and_brings_it_back(team: Team) -> None:
    client, other = team.store.add(), team.store.add()
    deal = put(team, Deal(client=client.id, title="Roof"))
    put(team, Contact(client=client.id, name="Jo Fox"))
    put(team, FollowUp(client=client.id, due_on=team.store.today, what="call", deal=deal.id))
    put(team, Sale(client=client.id, amount=Decimal(7), on=team.store.today))
    put(team, Deal(client=other.id, title="Door"))
    before = team.stored()
    sheet = Sheet(team, Client)
    cells = sheet.cut(client)
    left = team.stored()
    assert [len(left[kind]) for kind in (Contact, FollowUp, Sale, Deal, StageMove)] == [0, 0, 0, 1, 1]
    team.agreed()
    sheet.paste(cells)
    back = team.stored()
    for kind in (Contact, FollowUp, Sale, Deal, StageMove):
        assert back[kind].keys() == before[kind].keys()
    team.agreed()


def test_an_older_spreadsheet_gets_the_tabs_and_columns_for_selling(team: Team) -> None:
    client = team.store.add()
    team.store.sell(client, "10.00")
    for kind, names in ((Client, ("last_contact_on", "next_follow_up_on")), (Sale, ("deal", "user"))):
        for name in names:
            sheet = Sheet(team, kind)
            team.person.delete_column(team.id, sheet.title, sheet.column(name))
    for tab in ADDED[3] | ADDED[4]:
        team.person.delete_tab(team.id, tab.title)
    heads = team.cells(META)[0]
    team.person.set_cells(team.id, META.title, 1, heads.index("format"), [[2]])
    with pytest.raises(StoreNotSetUpError, match="older version"):
        team.stored(team.another())
    spreadsheets = GoogleSpreadsheets(
        json.dumps(team.person.credentials()), "", team.person.url, team.store.folder, tuple, lambda: datetime.now(UTC),
        lambda _: None, lambda _: team.another(),
    )  # fmt: skip
    assert len(spreadsheets.set_up(team.id).put_back) == 4
    other = team.another()
    assert other.transact(lambda tx: tx.add(Deal(client=client.id, title="Roof")), "added a deal").id == 1
    other.transact(lambda tx: tx.add(FollowUp(client=client.id, due_on=team.store.today)), "added a follow-up")
    assert team.agreed()[Client][client.id].next_follow_up_on == team.store.today  # type: ignore[attr-defined]


def test_an_older_spreadsheet_gets_opt_outs_from_its_history() -> None:
    with new_team() as team:
        team.store.add(last_name="Berg", email="ada@example.org")
        team.store.add(last_name="Cole", email="bo@example.org", marketing_consent=True)
        for address in ("Ada@example.org", "bo@example.org", "cy@example.org"):
            team.store.change(
                lambda tx: tx.change(tx.get(Client, 1), notes=f"{tx.get(Client, 1).notes}."), f"{OPTED_OUT}{address}"
            )
        team.person.delete_tab(team.id, TABS[OptOut].title)
        heads = team.cells(META)[0]
        team.person.set_cells(team.id, META.title, 1, heads.index("format"), [[5]])
        spreadsheets = GoogleSpreadsheets(
            json.dumps(team.person.credentials()), "", team.person.url, team.store.folder, tuple,
            lambda: datetime.now(UTC), lambda _: None, lambda _: team.another(),
        )  # fmt: skip
        # Bo has agreed again since.
        for _ in range(2):
            spreadsheets.set_up(team.id)
            assert {record.address for record in team.stored(team.another())[OptOut].values()} == {  # type: ignore[attr-defined]
                "ada@example.org", "cy@example.org",
            }  # fmt: skip
        other = team.another()
        for opt_out in team.stored(other)[OptOut].values():
            other.transact(lambda tx, opt_out=opt_out: tx.delete(tx.get(OptOut, opt_out.id)), "lifted it")
        spreadsheets.set_up(team.id)
        assert not team.stored(team.another())[OptOut]
