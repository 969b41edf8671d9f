"""Deals from the first stage to the last: moves, the effects of winning and losing, and refusals."""

import dataclasses
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.commands.lookup import selected
from crm.commands.sales.outcomes import DealMoved, DealWon, lost_reasons
from crm.errors import ConflictError, FieldError, NotFoundError, Question, RefusedError
from crm.model import Client, Deal, FollowUp, Stage, StageMove
from crm.model.encoding import plain
from tests.commands.conftest import Office, display_path
from tests.support.clocks import TODAY

pytestmark = pytest.mark.dated

STAGES = ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]


@pytest.fixture
def acme(office: Office) -> Client:
    return office.add(company="Acme")


def stage(office: Office, name: str) -> Stage:
    found = selected(office.crm, Stage, name)
    assert isinstance(found, Stage)
    return found


def deal(office: Office, client: Client, title: str = "Website", value: str = "1000", **given: Any) -> Deal:
    added: Deal = office("deals add", client, title, Decimal(value), **given)
    return added


def now(office: Office, of: Deal) -> Deal:
    with office.crm.read() as snapshot:
        return snapshot.get(Deal, of.id)


def where(office: Office, of: Deal) -> str:
    with office.crm.read() as snapshot:
        return snapshot.get(Stage, snapshot.get(Deal, of.id).stage).name


def path(office: Office, of: Deal) -> list[str]:
    return [time.stage for time in office("deals show", of).times_in_stages]


def titles(office: Office, **given: Any) -> list[str]:
    return [item.deal.title for item in office("deals list", **given).deals]


# Adding


def test_a_new_deal_is_in_the_first_stage_and_owned_by_its_creator(office: Office, acme: Client) -> None:
    added = deal(office, acme, expected_close_on=TODAY + timedelta(days=30), notes="two pages")
    assert (where(office, added), added.owner, added.value) == ("Lead", "anna", Decimal("1000.00"))
    assert (added.stage_since, added.closed_on) == (TODAY, None)
    assert [stage.name for stage in office("stages list")] == STAGES


def test_a_new_deal_may_start_in_any_open_stage(office: Office, acme: Client) -> None:
    first = deal(office, acme, stage=stage(office, "proposal"), owner="Jo")
    second = deal(office, acme, stage=stage(office, "prop"), owner="jo")
    assert [where(office, record) for record in (first, second)] == ["Proposal", "Proposal"]
    # Whoever is there already is spelled as before.
    assert second.owner == "Jo"
    with pytest.raises(FieldError, match="ends a deal"):
        deal(office, acme, stage=stage(office, "Won"))
    with pytest.raises(FieldError, match="title"):
        deal(office, acme, "")
    assert len(titles(office)) == 2


# Listing


def test_deals_are_listed_by_stage_and_value_with_a_total(office: Office, acme: Client) -> None:
    lead, proposal = stage(office, "Lead"), stage(office, "Proposal")
    deal(office, acme, "Small", "100.10", stage=proposal)
    deal(office, acme, "Large", "3000", stage=stage(office, "Proposal"))
    deal(office, acme, "Early", "50", stage=lead)
    found = office("deals list", limit=2)
    assert [item.deal.title for item in found.deals] == ["Early", "Large"]
    # 50 x 10 % + 3100.10 x 50 %
    assert (found.count, found.value, found.weighted) == (3, Decimal("3150.10"), Decimal("1555.05"))
    assert titles(office, offset=2) == ["Small"]
    assert titles(office, sort="-value") == ["Large", "Small", "Early"]
    assert titles(office, sort="title") == ["Early", "Large", "Small"]
    with pytest.raises(FieldError, match="sorted by"):
        office("deals list", sort="notes")
    report = plain(found)["deals"][0]
    assert (report["client_name"], report["stage_name"], report["weighted"]) == ("Acme", "Lead", "5.00")
    # Rounded once, where it is shown: a thousandth counts in dinars.
    deal(office, acme, "Tiny", "10.55", stage=lead)
    assert office("deals list", limit=1).weighted == Decimal("1556.1050")


def test_deals_are_filtered(office: Office, acme: Client) -> None:
    other = office.add(company="Ósmy Kot")
    deal(office, acme, "Shop", owner="Jo", expected_close_on=date(2026, 12, 1))
    deal(office, other, "Logo", owner="ANNA", expected_close_on=date(2026, 11, 1), notes="urgent 50%")
    won, lost = deal(office, other, "Van"), deal(office, other, "Bus")
    office("deals win", won)
    office("deals lose", lost, "no budget")
    assert titles(office, client=other) == ["Logo"]
    assert titles(office, owner="jo") == ["Shop"]
    assert titles(office, mine=True) == ["Logo"]
    deal(office, acme, "Bike", owner="Ökonom")
    assert titles(office, owner="öKONOM") == ["Bike"]
    office("history undo")
    assert titles(office, since=date(2026, 11, 2)) == ["Shop"]
    assert titles(office, until=date(2026, 11, 1)) == ["Logo"]
    assert titles(office, won=True) == ["Van"]
    assert titles(office, lost=True) == ["Bus"]
    assert sorted(titles(office, won=True, lost=True)) == ["Bus", "Van"]
    assert len(titles(office, all_=True)) == 4
    assert titles(office, stage=stage(office, "lost")) == ["Bus"]
    assert titles(office, text="OSMY") == ["Logo"]
    assert titles(office, text="0%") == ["Logo"]
    assert titles(office, text="_") == []
    assert [item.overdue for item in office("deals list", sort="title").deals] == [True, False]
    with pytest.raises(FieldError):
        office("deals list", mine=True, owner="Jo")
    with pytest.raises(FieldError):
        office("deals list", since=TODAY, until=TODAY - timedelta(days=1))


def test_days_in_the_stage_are_counted(office: Office, acme: Client) -> None:
    added = deal(office, acme)
    later = office.open(today=TODAY + timedelta(days=12))
    assert office("deals list", crm=later).deals[0].days == 12
    office("deals move", added, stage(office, "Qualified"), crm=later)
    latest = office.open(today=TODAY + timedelta(days=15))
    shown = office("deals show", now(office, added), crm=latest)
    rows = [(time.stage, time.since, time.until, time.days, time.user) for time in shown.times_in_stages]
    assert rows == [
        ("Lead", TODAY, TODAY + timedelta(days=12), 12, "anna"),
        ("Qualified", TODAY + timedelta(days=12), None, 3, "anna"),
    ]
    office("deals lose", now(office, added), "no answer", crm=latest)
    assert [time.days for time in office("deals show", added, crm=latest).times_in_stages] == [12, 3, None]


def test_a_deal_shows_its_follow_ups_and_its_sale(office: Office, acme: Client) -> None:
    added = deal(office, acme, "Website", "1000")
    about = FollowUp(client=acme.id, deal=added.id, user="anna", due_on=TODAY, what="call")
    office.crm.transact(lambda tx: tx.add(about), "added")
    office.crm.transact(lambda tx: tx.add(dataclasses.replace(about, deal=0, what="other")), "added")
    office.sell(acme, "7")
    office("deals win", added)
    card = office("deals show", added)
    assert [follow_up.what for follow_up in card.follow_ups] == ["call"]
    assert [sale.amount for sale in card.sales] == [Decimal("1000.00")]
    assert card.client.id == acme.id
    assert set(plain(card)) >= {"title", "stage_name", "stays", "follow_ups", "sales"}


# Winning


def test_winning_records_the_sale_and_reviews_the_status_as_a_sale_does(office: Office, acme: Client) -> None:
    added = deal(office, acme, "Website", "35000")
    won = office("deals win", added)
    assert isinstance(won, DealWon)
    assert (won.sale.amount, won.sale.deal, won.sale.note, won.sale.on) == (
        Decimal("35000.00"), added.id, "Website", TODAY,
    )  # fmt: skip
    assert (won.status.before, won.status.after) == ("Regular", "VIP")
    assert (won.client.total_spend, won.client.sales_count) == (Decimal("35000.00"), 1)
    assert (won.deal.closed_on, won.stage.name, where(office, added)) == (TODAY, "Won", "Won")
    assert office.history()[0] == "won the deal Website"
    assert office.is_sound()


def test_the_amount_and_the_day_of_the_sale_can_be_given(office: Office, acme: Client) -> None:
    won = office("deals win", deal(office, acme), Decimal("900"), on=date(2026, 11, 2))
    assert (won.sale.amount, won.sale.on, won.deal.value) == (Decimal("900"), date(2026, 11, 2), Decimal("900.00"))
    without = deal(office, acme, "No value", "0")
    with pytest.raises(FieldError) as error:
        office("deals win", without)
    assert error.value.field == "amount"
    assert where(office, without) == "Lead"
    with pytest.raises(FieldError, match="more than 0") as error:
        office("deals win", without, Decimal(0))
    assert error.value.field == "amount"
    assert where(office, without) == "Lead"


def test_one_undo_removes_a_win_and_its_sale(office: Office, acme: Client) -> None:
    added = deal(office, acme, "Website", "40000")
    before = office.client(acme)
    office("deals win", added)
    office("history undo")
    assert (where(office, added), office.sales(), office.client(acme).status) == ("Lead", [], "Regular")
    assert display_path(now(office, added)) == display_path(added)
    assert dataclasses.replace(display_path(office.client(acme)), status_since=None) == dataclasses.replace(
        display_path(before), status_since=None
    )
    assert path(office, added) == ["Lead"]
    assert office.is_sound()


def test_a_won_deal_is_not_won_twice(office: Office, acme: Client) -> None:
    added = deal(office, acme)
    office("deals win", added)
    for again in (added, now(office, added)):
        with pytest.raises(RefusedError, match="is already won"):
            office("deals win", again)
    with pytest.raises(RefusedError, match="is already in Won"):
        office("deals move", now(office, added), stage(office, "Won"))
    assert len(office.sales()) == 1


def test_moving_into_a_stage_that_wins_is_winning(office: Office, acme: Client) -> None:
    added = deal(office, acme)
    won = office("deals move", added, stage(office, "Won"), amount=Decimal(5))
    assert isinstance(won, DealWon)
    assert (won.sale.amount, won.sale.deal) == (Decimal(5), added.id)
    office("stages add", "Paid", outcome="won")
    later = office.open(today=TODAY + timedelta(days=3))
    moved = office("deals move", now(office, added), stage(office, "Paid"), crm=later)
    assert isinstance(moved, DealMoved)
    assert (where(office, added), now(office, added).closed_on, len(office.sales())) == ("Paid", TODAY, 1)


def test_a_deal_won_twice_at_once_records_one_sale(office: Office, acme: Client) -> None:
    added = deal(office, acme)
    other = office.open(user="ben")
    office("deals win", added, crm=other)
    with pytest.raises(RefusedError):
        office("deals win", added)
    assert len(office.sales()) == 1


def test_a_move_of_a_deal_that_somebody_else_has_moved_is_refused(office: Office, acme: Client) -> None:
    shown = deal(office, acme)
    office("deals move", shown, stage(office, "Qualified"), crm=office.open(user="ben"))
    with pytest.raises(ConflictError):
        office("deals move", shown, stage(office, "Proposal"))
    assert where(office, shown) == "Qualified"


# Losing, and opening again


def test_losing_a_deal_needs_a_reason(office: Office, acme: Client) -> None:
    added = deal(office, acme)
    with pytest.raises(FieldError) as error:
        office("deals move", added, stage(office, "Lost"))
    assert error.value.field == "reason"
    lost = office("deals lose", added, "too expensive")
    assert (lost.deal.lost_reason, lost.deal.closed_on, lost.stage.name) == ("too expensive", TODAY, "Lost")
    with pytest.raises(RefusedError, match="already lost"):
        office("deals lose", now(office, added), "again")
    assert office.sales() == []


def test_known_reasons_are_offered_the_most_frequent_first(office: Office, acme: Client) -> None:
    with office.crm.read() as snapshot:
        assert "no budget" in lost_reasons(snapshot)
    for reason in ("moved away", "price", "price"):
        office("deals lose", deal(office, acme), reason)
    with office.crm.read() as snapshot:
        assert lost_reasons(snapshot) == ["price", "moved away"]


def test_a_lost_deal_opens_where_it_was_and_forgets_the_reason(office: Office, acme: Client) -> None:
    added = deal(office, acme)
    office("deals move", added, stage(office, "Proposal"))
    office("deals lose", now(office, added), "no answer")
    opened = office("deals reopen", now(office, added))
    assert (opened.stage.name, opened.deal.lost_reason, opened.deal.closed_on) == ("Proposal", "", None)
    with pytest.raises(RefusedError, match="is already open"):
        office("deals reopen", opened.deal)
    assert path(office, added) == ["Lead", "Proposal", "Lost", "Proposal"]


def test_reopening_a_won_deal_asks_what_to_do_with_its_sale(office: Office, acme: Client) -> None:
    added = deal(office, acme, "Website", "40000")
    office("deals win", added)
    with pytest.raises(Question) as asked:
        office("deals reopen", added := now(office, added))
    assert (asked.value.parameter, list(asked.value.choices)) == ("take_back", ["yes", "no"])
    assert (where(office, added), len(office.sales())) == ("Won", 1)
    opened = office("deals reopen", added, stage(office, "Qualified"), take_back=True)
    assert [shown.sale.amount for shown in opened.taken_back] == [Decimal("40000.00")]
    assert opened.taken_back[0].status.after == office.client(acme).status == "Regular"
    assert (office.sales(), where(office, added)) == ([], "Qualified")
    office("deals win", now(office, added))
    kept = office("deals move", now(office, added), stage(office, "Lead"), take_back=False)
    assert (list(kept.taken_back), len(office.sales())) == ([], 1)
    assert office.is_sound()


def test_winning_a_deal_again_does_not_duplicate_its_kept_sale(office: Office, acme: Client) -> None:
    added = deal(office, acme)
    office("deals win", added)
    office("deals reopen", now(office, added), take_back=False)
    with pytest.raises(Question) as asked:
        office("deals win", now(office, added))
    assert asked.value.parameter == "same_sale"
    same = office("deals win", now(office, added), same_sale=True)
    assert (same.sale.id, len(office.sales()), where(office, added)) == (1, 1, "Won")
    office("deals reopen", now(office, added), take_back=False)
    office("deals win", now(office, added), same_sale=False)
    assert len(office.sales()) == 2


def test_losing_a_won_deal_asks_what_to_do_with_its_sale(office: Office, acme: Client) -> None:
    added = deal(office, acme)
    office("deals win", added)
    with pytest.raises(Question):
        office("deals lose", now(office, added), "it fell through")
    lost = office("deals lose", now(office, added), "it fell through", take_back=True)
    assert (office.sales(), lost.deal.lost_reason) == ([], "it fell through")
    with pytest.raises(FieldError, match="not a stage for open deals"):
        office("deals reopen", now(office, added), stage(office, "Won"))


# Editing and deleting


def test_an_edit_of_a_deal_changes_only_the_given_fields(office: Office, acme: Client) -> None:
    added = deal(office, acme, expected_close_on=TODAY)
    edited = office("deals edit", added, {"title": "Shop", "expected_close_on": None})
    assert (edited.title, edited.expected_close_on, edited.value) == ("Shop", None, added.value)
    for changes, error in (
        ({}, FieldError),
        ({"title": ""}, FieldError),
        ({"stage": 2}, FieldError),
        ({"lost_reason": "no"}, FieldError),
        ({"client": 99}, NotFoundError),
    ):
        with pytest.raises(error):
            office("deals edit", edited, changes)
    with pytest.raises(ConflictError):
        office("deals edit", added, {"title": "Other"})
    lost = office("deals lose", edited, "typo").deal
    assert office("deals edit", lost, {"lost_reason": "price"}).lost_reason == "price"


def test_a_won_deal_stays_with_its_client(office: Office, acme: Client) -> None:
    other = office.add(company="Other")
    added = deal(office, acme)
    moved = office("deals edit", added, {"client": other.id})
    assert moved.client == other.id
    office("deals win", moved)
    with pytest.raises(RefusedError, match="belongs to its client"):
        office("deals edit", now(office, moved), {"client": acme.id})


def test_a_deal_is_deleted_with_its_moves_and_restored(office: Office, acme: Client) -> None:
    added = deal(office, acme)
    office("deals win", added)
    with pytest.raises(Question, match="The sale that it was won with stays"):
        office("deals delete", added)
    before = now(office, added)
    office("deals delete", added, yes=True)
    with office.crm.read() as snapshot:
        assert (snapshot.count(Deal), snapshot.count(StageMove)) == (0, 0)
    assert len(office.sales()) == 1
    with pytest.raises(NotFoundError):
        office("deals show", added)
    office("history undo")
    assert display_path(now(office, added)) == display_path(before)
    assert path(office, added) == ["Lead", "Won"]


def test_merged_clients_keep_the_deals_of_both(office: Office, acme: Client) -> None:
    other = office.add(company="Acme Inc")
    added = deal(office, other)
    office("clients merge", acme, other)
    assert now(office, added).client == acme.id


# The board


def test_the_board_shows_each_stage_with_its_sum_and_its_first_deals(office: Office, acme: Client) -> None:
    for value in range(1, 6):
        deal(office, acme, f"Deal {value}", str(value), owner="Jo" if value == 5 else "")
    won = deal(office, acme, "Won", "70")
    office("deals win", won)
    board = office("deals board", limit=2)
    assert [column.sum.stage.name for column in board.columns] == STAGES
    assert (board.columns[0].sum.deals, board.columns[0].sum.value) == (5, Decimal("15.00"))
    assert [item.deal.title for item in board.columns[0].deals] == ["Deal 5", "Deal 4"]
    assert [item.deal.title for item in board.columns[4].deals] == ["Won"]
    report = plain(board)["columns"][0]
    assert (report["stage"]["name"], report["count"], report["value"], report["weighted"]) == (
        "Lead",
        5,
        "15.00",
        "1.50",
    )
    assert [item["client_name"] for item in report["deals"]] == ["Acme", "Acme"]
    mine = office("deals board", mine=True)
    assert [item.deal.title for item in mine.columns[0].deals] == ["Deal 4", "Deal 3", "Deal 2", "Deal 1"]
    late = office("deals board", crm=office.open(today=TODAY + timedelta(days=31)))
    assert [column.sum.deals for column in late.columns] == [5, 0, 0, 0, 0, 0]


def test_the_board_of_an_empty_store_shows_the_first_stages(office: Office) -> None:
    board = office("deals board")
    assert [(column.sum.stage.name, column.sum.deals) for column in board.columns] == [(name, 0) for name in STAGES]
    with office.crm.read() as snapshot:
        assert snapshot.count(Stage) == 0


# Who is meant


def test_a_deal_is_found_by_its_number_or_title(office: Office, acme: Client) -> None:
    site, shop = deal(office, acme, "New Website"), deal(office, acme, "Web Shop 2026")

    def meant(written: str) -> int:
        return selected(office.crm, Deal, written).id

    assert [meant(text) for text in (str(site.id), f"#{site.id}", "new website", "NEW", "website")] == [site.id] * 5
    assert meant("2026") == shop.id
    for written in ("web", "acme", "nothing", "", "99"):
        with pytest.raises(NotFoundError):
            meant(written)
    office("deals lose", shop, "no budget")
    # Of two that are called so the one that still goes on is meant.
    assert meant("web") == site.id


def test_the_title_of_a_deal_is_plain_text(office: Office, acme: Client) -> None:
    title = "100% [bold] _x_ =1+1 👩‍🔬"
    added = deal(office, acme, title)
    assert selected(office.crm, Deal, title).id == added.id
    assert titles(office, text="100%") == [title]
