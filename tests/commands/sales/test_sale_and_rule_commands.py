"""Sales and the rules that review them: limits, order, previews, and reviews as days pass."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event

from crm.commands.clients.rules import statuses
from crm.commands.context import begin_day
from crm.errors import ConflictError, FieldError, NotFoundError, RuleError
from crm.model import Sale
from crm.model.rights import CLIENT, Reader
from crm.repository import PROGRAM, review
from crm.rules import SETS
from tests.commands.conftest import Office, display_path
from tests.support.clocks import TODAY
from tests.support.guarded import guarded_for


def lines(office: Office) -> list[tuple[int, str, str]]:
    return [(rule.position, rule.status, rule.when) for rule in office("rules list")]


# Sales


def test_the_boundary_is_exact_however_many_sales_reach_it(office: Office) -> None:
    client = office.add()
    office.sell(client, "34999.90")
    just_below = office.sell(client, "0.09")
    assert (just_below.client.total_spend, just_below.client.status) == (Decimal("34999.99"), "Regular")
    reached = office.sell(client, "0.01")
    assert reached.client.total_spend == Decimal("35000.00")
    assert (reached.status.before, reached.status.after) == ("Regular", "VIP")
    assert reached.status.reason == reached.client.status_reason
    assert "35000.00" in reached.status.reason


def test_a_thousand_sales_of_one_cent_add_up_to_ten(office: Office) -> None:
    office.set_rules("Ten when total_spend = 10", "Other otherwise")
    client = office.add()
    for _ in range(99):
        office.sell(client, "0.10")
    assert office.sell(client, "0.09").status.after == "Other"
    assert office.sell(client, "0.01").status.after == "Ten"
    assert office.is_sound()


def test_a_sale_is_corrected_and_totals_and_statuses_follow(office: Office) -> None:
    anna, bo = office.add(last_name="Anna"), office.add(last_name="Bo")
    office.sell(anna, "20000", TODAY - timedelta(days=5))
    sale = office.sell(anna, "1500").sale
    report = office("sales edit", sale, {"amount": Decimal("15000"), "note": "oak"})
    assert (report.status.before, report.status.after) == ("Regular", "VIP")
    assert (report.client.total_spend, report.sale.note) == (Decimal("35000.00"), "oak")
    report = office("sales edit", report.sale, {"on": TODAY - timedelta(days=9)})
    assert report.client.last_sale_on == TODAY - timedelta(days=5)
    # With another client the totals and statuses of both follow.
    report = office("sales edit", report.sale, {}, client=bo)
    assert (report.client.id, report.client.total_spend) == (bo.id, Decimal("15000.00"))
    was = office.client(anna)
    assert (was.total_spend, was.sales_count, was.status) == (Decimal("20000.00"), 1, "Regular")
    assert office("history list", 1)[0].what == f"edited sale {sale.id}"
    office("history undo")
    assert (office.client(anna).status, office.client(bo).sales_count) == ("VIP", 0)
    for wrong in ({}, {"amount": None}, {"on": None}):
        with pytest.raises(FieldError):
            office("sales edit", sale, wrong)
    # What somebody else has changed meanwhile is not overwritten.
    with pytest.raises(ConflictError):
        office("sales edit", sale, {"amount": Decimal("7")})
    assert office.is_sound()


def test_a_sale_cannot_be_corrected_to_zero_but_an_imported_zero_can_be_edited(office: Office) -> None:
    anna = office.add(last_name="Anna")
    sale = office("sales add", anna, Decimal("5")).sale
    with pytest.raises(FieldError, match="more than 0") as error:
        office("sales edit", sale, {"amount": Decimal("0.00")})
    assert error.value.field == "amount"
    # Other systems have such orders, and an import keeps them.
    free = office.crm.transact(
        lambda tx: tx.add(Sale(client=anna.id, on=tx.today, amount=Decimal(0))), "took over an order"
    )
    assert office("sales edit", free, {"note": "a gift", "amount": Decimal(0)}).sale.note == "a gift"


def test_the_sale_of_a_deal_stays_with_its_client(office: Office) -> None:
    anna, bo = office.add(last_name="Anna"), office.add(last_name="Bo")
    deal = office("deals add", anna, "Roof", value=Decimal(5))
    office("deals win", deal)
    (sale,) = office("sales list")
    with pytest.raises(FieldError, match="was won with it"):
        office("sales edit", sale, {}, client=bo)
    assert office("sales edit", sale, {"amount": Decimal(6)}).client.total_spend == Decimal(6)


def test_the_value_of_a_won_deal_is_the_amount_of_its_sale(office: Office) -> None:
    """The page of the deal, the board and a drafted invoice say the same."""
    anna = office.add(last_name="Anna")
    roof = office("deals add", anna, "Roof", value=Decimal(12000))
    office("deals win", roof, Decimal(11500))

    def worth() -> list[Decimal]:
        card = office("deals show", roof)
        (won,) = [column.sum.value for column in office("deals board").columns if column.sum.stage.outcome == "won"]
        drafted = office("invoices add", anna, deal=roof, duplicate_ok=True)
        return [card.item.deal.value, card.sales[0].amount, won, drafted.lines[0].price]

    assert worth() == [Decimal(11500)] * 4
    (sale,) = office("sales list")
    office("sales edit", sale, {"amount": Decimal(11000)})
    assert worth() == [Decimal(11000)] * 4
    # A value that was changed afterwards stays as it is.
    office("deals edit", office("deals show", roof).item.deal, {"value": Decimal(13000)})
    (sale,) = office("sales list")
    office("sales edit", sale, {"amount": Decimal(10000)})
    assert office("deals show", roof).item.deal.value == Decimal(13000)


def test_deleting_a_sale_reviews_the_status_and_can_be_undone(office: Office) -> None:
    client = office.add()
    office.sell(client, "20000", TODAY - timedelta(days=5))
    sale = office.sell(client, "15000").sale
    vip = office.client(client)
    back = office("sales undo", sale)
    assert (back.status.before, back.status.after) == ("VIP", "Regular")
    assert back.status.reason == "Regular otherwise"
    assert (back.client.total_spend, back.client.last_sale_on) == (Decimal("20000.00"), TODAY - timedelta(days=5))
    with pytest.raises(NotFoundError):
        office("sales undo", sale)
    office("history undo")
    assert display_path(office.client(client)) == display_path(vip)
    assert display_path(office.sales()[-1]) == display_path(sale)


def test_deleting_the_last_sale_leaves_a_client_without_sales(office: Office) -> None:
    client = office.add()
    sale = office.sell(client, "5").sale
    back = office("sales undo", sale).client
    assert (back.total_spend, back.sales_count, back.first_sale_on, back.last_sale_on) == (
        Decimal("0.00"),
        0,
        None,
        None,
    )
    assert office.is_sound()


# Rules


def test_a_rule_comes_before_a_last_otherwise_unless_a_position_is_named(office: Office) -> None:
    office("rules add", "Gold when total_spend >= 10")
    assert [line[1] for line in lines(office)] == ["VIP", "Gold", "Regular"]
    office("rules add", status="Silver", when="total_spend >= 5")
    office("rules add", "First when sales_count > 100", position=1)
    office("rules add", "Last when sales_count > 100", position=99)
    office("rules add", "Nobody otherwise")
    assert lines(office) == [
        (1, "First", "sales_count > 100"),
        (2, "VIP", "total_spend >= 35000"),
        (3, "Gold", "total_spend >= 10"),
        (4, "Silver", "total_spend >= 5"),
        (5, "Regular", ""),
        (6, "Last", "sales_count > 100"),
        (7, "Nobody", ""),
    ]


def test_rules_are_edited_moved_and_deleted_without_moving_clients(office: Office) -> None:
    client = office.add()
    office.sell(client, "20")
    gold = office("rules add", "Gold when total_spend >= 10")
    assert office("rules edit", gold, "Bronze when total_spend >= 20").status == "Bronze"
    edited = office("rules edit", office("rules list")[1], when="total_spend >= 15")
    assert (edited.status, edited.when) == ("Bronze", "total_spend >= 15")
    assert [rule.position for rule in office("rules move", edited, 1)] == [1, 2, 3]
    assert [line[1] for line in lines(office)] == ["Bronze", "VIP", "Regular"]
    assert [rule.status for rule in office("rules move", edited, 50)] == ["VIP", "Regular", "Bronze"]
    office("rules remove", office("rules list")[0])
    assert lines(office) == [(1, "Regular", ""), (2, "Bronze", "total_spend >= 15")]
    assert office.statuses() == ["Regular"]
    for _ in range(6):
        office("history undo")
    assert lines(office) == [(1, "VIP", "total_spend >= 35000"), (2, "Regular", "")]


def test_a_rule_that_is_switched_off_decides_nothing(office: Office) -> None:
    client = office.add()
    office.sell(client, "40000")
    vip = office("rules list")[0]
    office("rules edit", vip, active=False)
    assert office("rules preview").clients == 1
    office("rules apply")
    assert office.statuses() == ["Regular"]
    office("rules edit", office("rules list")[0], active=True)
    office("rules apply")
    assert office.statuses() == ["VIP"]


def test_a_rule_as_a_line_and_in_parts_at_once_is_refused(office: Office) -> None:
    before = lines(office)
    rule = office("rules list")[0]
    with pytest.raises(FieldError):
        office("rules add", "Gold when total_spend > 1", status="Silver")
    with pytest.raises(FieldError):
        office("rules add", when="total_spend > 1")
    with pytest.raises(FieldError):
        office("rules edit", rule, "Gold when total_spend > 1", status="Silver")
    with pytest.raises(FieldError):
        office("rules edit", rule)
    assert lines(office) == before


@pytest.mark.parametrize(
    ("line", "place", "name"),
    [
        ("VIP when total_spent >= 1", 9, "total_spend"),
        ("VIP when total_spend >=", 23, ""),
        ("VIP when __import__('os')", 9, ""),
        ("VIP when status.upper = 'X'", 15, ""),
        ("VIP when total_spend + 'x' > 1", None, ""),
        ("VIP", 3, "when"),
        ("when total_spend > 1", None, ""),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_read_says_where_and_what_there_is(
    office: Office, line: str, place: int | None, name: str
) -> None:
    before = lines(office)
    with pytest.raises(RuleError) as error:
        office("rules add", line)
    assert name in error.value.sentence
    if place is not None:
        assert error.value.position == place
        assert error.value.sentence.splitlines()[1:3] == [f"  {line}", f"  {' ' * place}^"]
    with pytest.raises(RuleError):
        office("rules preview", [line])
    with pytest.raises(RuleError):
        office("rules edit", office("rules list")[0], line)
    assert lines(office) == before


@pytest.mark.parametrize("name", list(SETS))
def test_each_ready_made_set_gives_everybody_a_status_and_can_be_undone(office: Office, name: str) -> None:
    before = lines(office)
    for amount in ("5", "6000", "16000", "36000"):
        office.sell(office.add(), amount, TODAY - timedelta(days=int(amount) % 977))
    office.add()
    taken = office("rules use", name)
    assert [(client.status, client.when) for client in taken] == SETS[name].rules()
    assert [rule.position for rule in taken] == list(range(1, len(taken) + 1))
    office("rules apply")
    named = {status for status, _ in SETS[name].rules()}
    assert set(office.statuses()) <= named
    assert len(set(office.statuses())) > 1
    assert office("rules preview").clients == 0
    assert office.is_sound()
    for entry in office("history list"):
        if entry.what in ("applied the rules", f"replaced the rules with the set {name}"):
            office("history undo", entry.id)
    assert lines(office) == before


def test_a_set_that_is_not_there_is_refused(office: Office) -> None:
    before = lines(office)
    with pytest.raises(NotFoundError):
        office("rules use", "frob")
    assert lines(office) == before


def test_a_preview_of_rules_lists_moves_and_changes_nothing(office: Office) -> None:
    rich, poor = office.add(last_name="Rich"), office.add(last_name="Poor")
    office.sell(rich, "100")
    office.sell(poor, "5")
    before = office.everything()
    trial = office("rules preview", ["Gold when total_spend >= 50", "Regular otherwise"])
    assert (trial.applied, trial.clients) == (False, 1)
    assert [(count.before, count.after, count.clients) for count in trial.counts] == [("Regular", "Gold", 1)]
    (move,) = trial.moves
    assert (move.client, move.name, move.before, move.after) == (rich.id, "Rich", "Regular", "Gold")
    assert "100.00" in move.reason
    assert office("rules preview").clients == 0
    assert office.everything() == before


def test_applying_rules_does_what_the_preview_showed_and_is_undone_in_one_step(office: Office) -> None:
    for at in range(30):
        office.sell(office.add(), f"{at}.50")
    office("clients pin", office.client(30), "Friend")
    office.set_rules("Gold when total_spend >= 20", "Low when total_spend < 5", "Regular otherwise")
    before = office.statuses()
    preview = office("rules preview")
    applied = office("rules apply")
    assert (preview.clients, preview.counts, preview.moves) == (applied.clients, applied.counts, applied.moves)
    assert applied.applied
    after = ["Low"] * 5 + ["Regular"] * 15 + ["Gold"] * 9 + ["Friend"]
    assert office.statuses() == after
    assert applied.clients == sum(a != b for a, b in zip(before, after, strict=True)) == 14
    office("history undo")
    assert office.statuses() == before


def test_the_reason_of_a_status_has_the_result_of_every_rule(office: Office) -> None:
    client = office.add(country="AT")
    office.sell(client, "20")
    office.set_rules(
        "VIP when total_spend >= 35000", "Local when country = 'AT' and sales_count >= 1", "Regular otherwise"
    )
    office("rules apply")
    why = office("rules why", client)
    assert (why.client.status, why.pinned_until) == ("Local", None)
    assert "Local when country = 'AT'" in why.reason
    report = why.as_json()
    assert (report["client"], report["name"], report["status"]) == (client.id, "Client", "Local")
    assert len(why.rules) == 3


def test_without_rules_nobody_has_a_status_and_everything_works(office: Office) -> None:
    client = office.add()
    office.set_rules()
    report = office("rules apply")
    assert report.clients == 1
    assert office.sell(client, "99999").client.status == ""
    assert office("rules why", client).rules == []
    assert office.is_sound()


def test_the_list_of_statuses_comes_from_rules_and_clients(office: Office) -> None:
    office.set_rules("Gold when total_spend > 10", "Regular otherwise")
    office("clients pin", office.add(), "Friend")
    office.add()
    office.set_rules("Gold when total_spend > 10", "Big when total_spend > 100")
    with office.crm.read() as snapshot:
        assert statuses(snapshot) == ["Gold", "Big", "Friend", "Regular"]
        office.add()
    with office.crm.read() as snapshot:
        assert statuses(snapshot)[-1] == ""


# The passing of days


def test_a_rule_that_counts_days_moves_somebody_when_the_day_has_come(office: Office) -> None:
    office.set_rules("At risk when days_since_last_sale > 180", "Regular otherwise")
    client = office.add()
    office.sell(client, "5")
    office.crm.repository.daily_review()
    for days, status in ((180, "Regular"), (181, "At risk")):
        later = office.open(today=TODAY + timedelta(days=days))
        later.repository.daily_review()
        assert office.client(client).status == status
    moved = office.client(client)
    assert (moved.status_before, moved.status_since) == ("Regular", TODAY + timedelta(days=181))
    history = office.history()
    office.open(today=TODAY + timedelta(days=181)).repository.daily_review()
    office.open(today=TODAY + timedelta(days=182)).repository.daily_review()
    assert office.history() == history
    assert office.sell(client, "5", crm=office.open(today=TODAY + timedelta(days=182))).status.after == "Regular"


def test_an_expired_pin_gives_way_to_the_rules_the_next_day(office: Office) -> None:
    client = office.add()
    office("clients pin", client, "Friend", TODAY + timedelta(days=1))
    office.open(today=TODAY + timedelta(days=1)).repository.daily_review()
    assert office.statuses() == ["Friend"]
    office.open(today=TODAY + timedelta(days=2)).repository.daily_review()
    assert office.statuses() == ["Regular"]
    assert office.is_sound()


def test_rules_that_do_not_look_at_the_day_are_left_alone_by_the_daily_review(office: Office) -> None:
    client = office.add()
    office.sell(client, "10")
    office.set_rules("Gold when total_spend >= 10", "Regular otherwise")
    office.open(today=TODAY + timedelta(days=1)).repository.daily_review()
    # Changing rules moves nobody before they are applied, whatever the hour.
    assert office.statuses() == ["Regular"]


def test_the_daily_review_needs_no_permission(office: Office) -> None:
    office.set_rules("At risk when days_since_last_sale > 180", "Regular otherwise")
    office.sell(office.add(), "5")
    later = office.open(today=TODAY + timedelta(days=181))
    reader = guarded_for(later.repository, Reader(0, CLIENT, 1, "eve"))
    begin_day(replace(later, repository=reader))
    assert office.statuses() == ["At risk"]
    last = office("history list", 1)[0]
    assert (last.user, last.what) == (PROGRAM, "reviewed statuses for the day")


def test_two_programs_at_once_run_one_daily_review(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.set_rules("At risk when days_since_last_sale > 180", "Regular otherwise")
    office.sell(office.add(), "5")
    one, other = (office.open(today=TODAY + timedelta(days=181)).repository for _ in range(2))
    # Both have seen that there is something to do.
    assert one.fact("reviewed_on") == other.fact("reviewed_on") == TODAY.isoformat()
    reviewed: list[str] = []
    due = review.is_due
    monkeypatch.setattr(review, "is_due", lambda *given: reviewed.append("due") or due(*given))
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda repository: repository.daily_review(), (one, other)))
    assert reviewed == ["due"]
    assert [entry.user for entry in office("history list")].count(PROGRAM) == 1


def test_a_reviewed_day_costs_no_statement(office: Office) -> None:
    office.add()
    repository = office.open(today=TODAY + timedelta(days=1)).repository
    repository.daily_review()
    asked: list[str] = []
    event.listen(repository._engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    repository.daily_review()
    assert asked == []


def test_a_clock_behind_runs_no_review_and_one_far_ahead_is_corrected(office: Office) -> None:
    office.set_rules("Old when days_since_last_sale > 10", "Regular otherwise")
    client = office.add()
    office.sell(client, "5", date(2026, 11, 1))
    office("rules apply")
    assert office.client(client).status == "Old"
    for days_ago, status in ((1, "Old"), (16, "Regular"), (0, "Old")):
        office.open(today=TODAY - timedelta(days=days_ago)).repository.daily_review()
        assert office.client(client).status == status
