"""Reports on deals and people, checked against plain Python over made-up months."""

import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.reports.report import Report
from crm.model import INTERACTIONS, Client, Deal, FollowUp, Interaction, Sale, Stage
from crm.model.encoding import plain
from tests.commands.conftest import Office
from tests.conftest import STORES, Store
from tests.support.clocks import TODAY

BEGAN = TODAY - timedelta(days=400)
PEOPLE = ("Anna", "ben", "Ben", "")
REASONS = ("price", "Price", "no answer", "", "moved")
CENT, TENTH = Decimal("0.01"), Decimal("0.1")


@dataclass
class History:
    """A log of made-up events by day: moves as (deal, stage, day), and the deals at the end."""

    crm: CRM
    stages: list[Stage] = field(default_factory=list)
    moves: list[tuple[int, int, date]] = field(default_factory=list)
    deals: dict[int, Deal] = field(default_factory=dict)
    interactions: list[Interaction] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)

    def stage(self, number: int) -> Stage:
        return next(stage for stage in self.stages if stage.id == number)


@pytest.fixture(scope="module", params=[1, 2])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Four hundred days of a team's work, by chance, which nothing here changes."""
    chance = random.Random(request.param)
    office = Office(tmp_path_factory.mktemp("history"))
    store = Store(STORES["sqlite"], office.folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("XDG_DATA_HOME", str(office.folder / "data"))
        history = History(replace(office.crm, repository=store.repository, _settings=None))
    store.today = BEGAN
    clients = [store.add(last_name=f"Client {number}").id for number in range(5)]
    while store.today < TODAY:
        store.today += timedelta(days=chance.randrange(1, 9))
        store.today = min(store.today, TODAY)
        store.change(lambda tx: _day(tx, history, chance, clients))
    yield history
    store.close()
    office.close()


def _day(tx: Any, history: History, chance: random.Random, clients: list[int]) -> None:
    """A day on which deals are added and moved to and fro, and people do something."""
    for _ in range(chance.randrange(3)):
        expected = tx.today + timedelta(days=chance.randrange(-30, 500)) if chance.random() < 0.8 else None
        value = Decimal(chance.randrange(1_000_000)).scaleb(-2)
        made = Deal(
            client=chance.choice(clients), title="Deal", value=value, owner=chance.choice(PEOPLE),
            expected_close_on=expected,
        )  # fmt: skip
        added = tx.add(made)
        history.moves.append((added.id, added.stage, tx.today))
        history.deals[added.id] = added
    history.stages = tx.find_all(Stage)
    for number in chance.sample(sorted(history.deals), min(len(history.deals), 3)):
        deal = tx.get(Deal, number)
        to = chance.choice([stage for stage in history.stages if stage.id != deal.stage])
        reason = chance.choice(REASONS) if to.outcome == "lost" else ""
        history.deals[number] = tx.change(deal, stage=to.id, lost_reason=reason)
        history.moves.append((number, to.id, tx.today))
    for _ in range(chance.randrange(4)):
        kind, user = chance.choice(list(INTERACTIONS)), chance.choice(PEOPLE)
        spoken = Interaction(client=chance.choice(clients), kind=kind, on=tx.today, user=user)
        history.interactions.append(tx.add(spoken))
    done = tx.today if chance.random() < 0.5 else None
    to_do = FollowUp(client=clients[0], user=chance.choice(PEOPLE), due_on=tx.today, what="call", done_on=done)
    history.follow_ups.append(tx.add(to_do))
    sold = Sale(client=clients[1], on=tx.today, amount=Decimal(chance.randrange(9999)), user=chance.choice(PEOPLE))
    history.sales.append(tx.add(sold))


def percent(part: Decimal | int, whole: int) -> Decimal | None:
    return (Decimal(part) * 100 / whole).quantize(CENT, ROUND_HALF_UP) if whole else None


PERIODS = [(BEGAN, TODAY), (TODAY - timedelta(days=90), TODAY - timedelta(days=20)), (TODAY, TODAY)]


@pytest.mark.many
@pytest.mark.parametrize(("since", "until"), PERIODS)
def test_the_funnel_counts_deals_that_reached_a_stage_and_went_on(
    office: Office, history: History, since: date, until: date
) -> None:
    report: Report = office("reports funnel", since, until, crm=history.crm)
    assert [row[0] for row in report.rows] == [stage.name for stage in history.stages]
    paths: dict[int, list[tuple[int, date]]] = defaultdict(list)
    for deal, stage, on in history.moves:
        if on <= until:
            paths[deal].append((stage, on))
    for stage, row in zip(history.stages, report.rows, strict=True):
        reached, went_on, won, days = 0, 0, 0, []
        for path in paths.values():
            came = [at for at, (number, on) in enumerate(path) if number == stage.id and on >= since]
            later = [history.stage(number) for number, _ in path[came[0] + 1 :]] if came else []
            reached += bool(came)
            went_on += any(stay.outcome != "lost" and stay.position > stage.position for stay in later)
            won += any(stay.outcome == "won" for stay in later)
            left = pairwise(path)
            days += [(out - into).days for (number, into), (_, out) in left if number == stage.id and out >= since]
        median = Decimal(str(statistics.median(days))) if days else None
        mean = (Decimal(sum(days)) / len(days)).quantize(TENTH, ROUND_HALF_UP) if days else None
        assert (row[1], row[3], row[4]) == (reached, median, mean)
        if stage.outcome == "open":
            assert (row[2], *row[5:]) == (percent(went_on, reached), went_on, won, percent(won, reached))
        else:
            assert (row[2], *row[5:]) == (None, None, None, None)


def test_the_forecast_weighs_open_deals_by_month(office: Office, history: History) -> None:
    report: Report = office("reports forecast", 6, crm=history.crm)
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0), Decimal(0)])
    months = ["2026-11", "2026-12", "2027-01", "2027-02", "2027-03", "2027-04"]
    for deal in history.deals.values():
        if history.stage(deal.stage).outcome != "open":
            continue
        on = deal.expected_close_on
        month = on.isoformat()[:7] if on else ""
        name = "Without a day" if not on else "Late" if on < TODAY else month if month in months else "Later"
        weighted = deal.value * history.stage(deal.stage).probability / 100
        for key in (name, "Total"):
            for place, amount in enumerate((deal.value, weighted, Decimal(1))):
                sums[key][place] += amount
    expected = ["Late", *months, "Later", "Without a day", "Total"]
    rows = [*report.rows, report.total or ()]
    assert [row[0] for row in rows] == [name for name in expected if name in sums or name in months or name == "Late"]
    for row in rows:
        value, weighted, deals = sums[row[0]]
        assert row[1:] == (value, weighted.quantize(CENT, ROUND_HALF_UP), deals)
    assert (report.since, report.until) == (TODAY, date(2027, 4, 30))


def test_the_forecast_of_one_owner(office: Office, history: History) -> None:
    report: Report = office("reports forecast", owner="BEN", crm=history.crm)
    theirs = [
        deal for deal in history.deals.values()
        if deal.owner.casefold() == "ben" and history.stage(deal.stage).outcome == "open"
    ]  # fmt: skip
    assert report.total is not None
    assert report.total[1] == sum(entry.value for entry in theirs)
    assert report.total[3] == len(theirs) < len(history.deals)


@pytest.mark.parametrize(("since", "until"), [(None, TODAY), *PERIODS])
def test_lost_reasons_are_counted_whatever_their_case(
    office: Office, history: History, since: date | None, until: date
) -> None:
    report: Report = office("reports lost", since, until, crm=history.crm)
    lost = [
        deal for deal in history.deals.values()
        if history.stage(deal.stage).outcome == "lost" and (since or BEGAN) <= (deal.closed_on or BEGAN) <= until
    ]  # fmt: skip
    counts = Counter(deal.lost_reason.casefold() for deal in lost)
    values: dict[str, Decimal] = defaultdict(Decimal)
    for deal in lost:
        values[deal.lost_reason.casefold()] += deal.value
    assert {row[0].casefold(): row[1] for row in report.rows} == counts
    assert {row[0].casefold(): row[3] for row in report.rows} == values
    assert {row[2] for row in report.rows} == {percent(count, len(lost)) for count in counts.values()}
    assert [row[1] for row in report.rows] == sorted(counts.values(), reverse=True)
    if lost:
        assert report.total == ("Total", len(lost), Decimal("100.00"), sum(values.values()))
    if len(counts) > 2:
        few: Report = office("reports lost", since, until, 2, crm=history.crm)
        assert few.rows[2][:2] == (f"{len(counts) - 2} other{'s' * (len(counts) > 3)}", sum(counts.values()) - sum(
            row[1] for row in report.rows[:2]
        ))  # fmt: skip


@pytest.mark.parametrize(("since", "until"), PERIODS)
def test_activity_is_counted_by_person_and_kind(office: Office, history: History, since: date, until: date) -> None:
    report: Report = office("reports activity", since, until, crm=history.crm)

    def within(day: date | None) -> bool:
        return day is not None and since <= day <= until

    rows = {row[0].casefold(): row[1:] for row in report.rows}
    assert len(rows) == len(report.rows)
    names = {name.casefold() for name in PEOPLE}
    for name in names:
        spoken = [
            interaction
            for interaction in history.interactions
            if interaction.user.casefold() == name and within(interaction.on)
        ]
        kinds = [sum(entry.kind == kind for entry in spoken) for kind in INTERACTIONS]
        done = sum(follow_up.user.casefold() == name and within(follow_up.done_on) for follow_up in history.follow_ups)
        won = [
            deal.value for deal in history.deals.values()
            if deal.owner.casefold() == name and history.stage(deal.stage).outcome == "won" and within(deal.closed_on)
        ]  # fmt: skip
        sold = [sale.amount for sale in history.sales if sale.user.casefold() == name and within(sale.on)]
        expected = (len(spoken), *kinds, done, len(won), sum(won), len(sold), sum(sold))
        assert rows.get(name, (0,) * len(expected)) == expected
    if rows:
        assert report.total is not None
        assert report.total[1] == sum(row[1] for row in report.rows)


@pytest.mark.parametrize("name", ["funnel", "forecast", "lost", "activity"])
def test_an_empty_store_has_empty_reports(office: Office, name: str) -> None:
    report: Report = office(f"reports {name}")
    assert (list(report.rows), report.total) == ([], None)
    assert plain(report)["rows"] == []


def test_a_deal_is_counted_in_each_stage_it_entered(office: Office) -> None:
    client: Client = office.add()
    added = office("deals add", client, "Website", Decimal("33.33"), expected_close_on=TODAY)
    assert office("reports forecast").rows[1][1:] == (Decimal("33.33"), Decimal("3.33"), 1)
    office("deals win", added)
    rows = {row[0]: row[1:] for row in office("reports funnel").rows}
    assert rows["Lead"] == (1, Decimal("100.00"), 0, 0, 1, 1, Decimal("100.00"))
    assert rows["Qualified"] == (0, None, None, None, 0, 0, None)
    assert rows["Won"] == (1, None, None, None, None, None, None)
    assert list(office("reports forecast").rows) == []
    activity = office("reports activity").rows
    assert [(row[0], *row[8:]) for row in activity] == [("anna", 1, Decimal("33.33"), 1, Decimal("33.33"))]


@pytest.mark.many
@pytest.mark.parametrize("ending", ["csv", "xlsx", "json", "svg", "png"])
@pytest.mark.parametrize("name", ["funnel", "forecast", "lost", "activity"])
def test_each_pipeline_report_is_written_to_a_file(office: Office, name: str, ending: str) -> None:
    client = office.add()
    lost = office("deals add", client, "Bus", Decimal(5), owner="$x^2$ <b>=1+1")
    office("deals lose", lost, "=cmd() $\\frac{1}{0}$")
    office("deals add", client, "Van", Decimal(7), expected_close_on=TODAY + timedelta(days=40))
    office("deals win", office("deals add", client, "Car", Decimal(9), owner="$x^2$ <b>=1+1"))
    file = office.folder / f"{name}.{ending}"
    report: Report = office(f"reports {name}", to=file)
    assert report.file == file
    assert file.stat().st_size > 40
    if ending == "csv":
        assert not [line for line in file.read_text("utf-8-sig").splitlines() if line.startswith(("=", '"='))]
