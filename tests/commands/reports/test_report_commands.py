"""Reports, checked against the same figures computed in plain Python, from real sales and from small stores."""

import csv
import dataclasses
import json
import random
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from crm.app import open_crm
from crm.commands.context import CRM
from crm.commands.registry import commands, named
from crm.commands.reports.periods import Period, periods, year_before
from crm.commands.reports.report import Report
from crm.config import Config
from crm.errors import FieldError, FileError, ForbiddenError
from crm.model import Client, Sale
from crm.model.encoding import plain
from crm.model.rights import CLIENT, Reader
from crm.repository import Transaction
from tests.commands.conftest import Office
from tests.support.clocks import running_on
from tests.support.guarded import guarded_for
from tests.support.shared_data import shared

LAST = date(1998, 6, 30)
OWNERS = ("Anna", "Bo", "", "Élodie")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Bought:
    """A sale as the file has it, of a client by number."""

    client: int
    on: date
    amount: Decimal


def filled(crm: CRM, sales: list[Bought], **more: Any) -> None:
    """Put clients with these numbers, from 1 on, and their sales into a store."""

    def change(tx: Transaction) -> None:
        many = max((sale.client for sale in sales), default=0)
        tx.add_all(
            [Client(last_name=f"Client {number}", owner=OWNERS[number % 4], **more) for number in range(1, many + 1)]
        )
        tx.add_all([Sale(client=sale.client, on=sale.on, amount=sale.amount) for sale in sales])

    crm.transact(change, "filled")


def _in_a_store(folder: Path, sales: list[Bought]) -> Iterator[tuple[CRM, list[Bought]]]:
    crm = open_crm(Config(f"sqlite:///{folder / 'store.sqlite3'}", "anna", running_on(LAST)))
    with closing(crm.repository):
        filled(crm, sales)
        yield crm, sales


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CRM, list[Bought]]]:
    """A store with the real sales of the file, on the last of their days, which nothing here changes."""
    numbers: dict[str, int] = {}
    sales = []
    with shared("data/cdnow_sales.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            number = numbers.setdefault(row["customer_id"], len(numbers) + 1)
            sales.append(Bought(number, date.fromisoformat(row["date"]), Decimal(row["dollar_value"])))
    yield from _in_a_store(tmp_path_factory.mktemp("cdnow"), sales)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CRM, list[Bought]]]:
    """The same of a shop that is made up: its clients come early in 1997, and come back ever less."""
    chance = random.Random(7)
    sales = []
    for client in range(1, 301):
        day = date(1997, 1, 1) + DAY * chance.randrange(85)
        while day <= LAST:
            sales.append(Bought(client, day, Decimal(chance.randrange(1, 15000)) / 100))
            day += DAY * int(chance.expovariate(1 / 150))
    yield from _in_a_store(tmp_path_factory.mktemp("shop"), sales)


def made_up(seed: int) -> list[Bought]:
    """Sales of thirty clients over four years with a leap day, several on one day, some of them nothing worth."""
    chance = random.Random(seed)
    first = date(2022, 12, 1)
    return [
        Bought(chance.randrange(1, 31), first + DAY * chance.randrange(1450), Decimal(chance.randrange(9000)) / 100)
        for _ in range(chance.randrange(1, 150))
    ]


@pytest.fixture(params=["cdnow", 1, 2, 3])
def known(request: Any, office: Office) -> tuple[CRM, list[Bought]]:
    """A store and the sales that are in it."""
    if request.param == "cdnow":
        real: tuple[CRM, list[Bought]] = request.getfixturevalue("cdnow")
        return real
    sales = made_up(request.param)
    filled(office.crm, sales)
    return office.crm, sales


def report(crm: CRM, words: str, **given: Any) -> Report:
    made = named(f"reports {words}")(crm, **given)
    assert isinstance(made, Report)
    return made


def rows(made: Report) -> list[dict[str, Any]]:
    return [dict(zip((column.name for column in made.columns), row, strict=True)) for row in made.rows]


def total(made: Report) -> dict[str, Any]:
    assert made.total is not None
    return dict(zip((column.name for column in made.columns), made.total, strict=True))


def hundredths(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return (Decimal(part) / Decimal(whole) * 100).quantize(Decimal("0.01"), ROUND_HALF_UP) if whole > 0 else None


def bought(sales: list[Bought], first: date, last: date) -> Decimal:
    return sum((sale.amount for sale in sales if first <= sale.on <= last), Decimal(0))


# Sales over time


def months_of(by: str, day: date) -> str:
    if by == "year":
        return str(day.year)
    return f"{day:%Y-%m}" if by == "month" else f"{day.year}-Q{(day.month - 1) // 3 + 1}"


def test_the_total_of_several_years_is_not_compared_with_itself(shop: tuple[CRM, list[Bought]]) -> None:
    crm, _ = shop
    several = total(named("reports sales")(crm, "year", date(1997, 1, 1), date(1998, 12, 31)))
    assert several["amount"] > 0
    assert (several["year_before"], several["change"]) == (None, None)


@pytest.mark.parametrize("by", ["month", "quarter", "year"])
def test_sales_of_each_period_are_those_of_its_days(known: tuple[CRM, list[Bought]], by: str) -> None:
    crm, sales = known
    since = min(sale.on for sale in sales)
    made = report(crm, "sales", by=by, since=since, until=crm.today)
    days = [since + DAY * place for place in range((crm.today - since).days + 1)]
    expected: dict[str, list[Decimal]] = {months_of(by, day): [] for day in days}
    for sale in sales:
        if sale.on <= crm.today:
            expected[months_of(by, sale.on)].append(sale.amount)
    listed = {row["period"]: (row["amount"], row["sales"]) for row in rows(made)}
    assert listed == {name: (sum(amounts), len(amounts)) for name, amounts in expected.items()}
    assert list(listed) == sorted(listed)
    assert (made.since, made.until) == (since, crm.today)
    assert total(made)["amount"] == bought(sales, since, crm.today)
    assert total(made)["sales"] == sum(sale.on <= crm.today for sale in sales)


def test_each_month_is_compared_with_the_same_month_of_the_year_before(shop: tuple[CRM, list[Bought]]) -> None:
    crm, sales = shop
    made = report(crm, "sales")
    assert len(made.rows) == 12
    assert made.rows[0][0] == "1997-07"
    for row in rows(made):
        year, month = map(int, row["period"].split("-"))
        before = [sale.amount for sale in sales if (sale.on.year, sale.on.month) == (year - 1, month)]
        assert row["year_before"] == sum(before)
        now = [sale.amount for sale in sales if (sale.on.year, sale.on.month) == (year, month)]
        assert row["change"] == hundredths(sum(now) - sum(before), sum(before))
    assert total(made)["change"] == hundredths(
        total(made)["amount"] - total(made)["year_before"], total(made)["year_before"]
    )


def test_the_running_month_is_compared_with_the_same_days(shop: tuple[CRM, list[Bought]]) -> None:
    crm, sales = shop
    row = rows(report(crm, "sales", until=date(1998, 3, 12)))[-1]
    assert row["amount"] == bought(sales, date(1998, 3, 1), date(1998, 3, 12))
    assert row["year_before"] == bought(sales, date(1997, 3, 1), date(1997, 3, 12))


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (("2024-02-01", "2024-02-29"), ("2023-02-01", "2023-02-28")),
        (("2025-02-01", "2025-02-28"), ("2024-02-01", "2024-02-29")),
        (("2024-02-01", "2024-02-28"), ("2023-02-01", "2023-02-28")),
        (("2025-02-01", "2025-02-27"), ("2024-02-01", "2024-02-27")),
        (("2024-02-29", "2024-03-31"), ("2023-03-01", "2023-03-31")),
        (("2024-01-01", "2024-12-31"), ("2023-01-01", "2023-12-31")),
        (("2026-11-01", "2026-11-21"), ("2025-11-01", "2025-11-21")),
    ],
)
def test_the_same_days_a_year_before(period: tuple[str, str], before: tuple[str, str]) -> None:
    first, last = map(date.fromisoformat, period)
    assert year_before(Period("", first, last)) == tuple(map(date.fromisoformat, before))


def test_a_leap_day_alone_has_no_comparison(office: Office) -> None:
    filled(office.crm, [Bought(1, date(2024, 2, 29), Decimal(10)), Bought(1, date(2023, 2, 28), Decimal(5))])
    leap = date(2024, 2, 29)
    row = rows(report(office.crm, "sales", since=leap, until=leap))[0]
    assert (row["amount"], row["year_before"], row["change"]) == (10, 0, None)
    (year,) = rows(report(office.crm, "sales", by="year", since=date(2024, 1, 1), until=leap))
    assert (year["amount"], year["year_before"], year["change"]) == (10, 5, 100)


@pytest.mark.parametrize("by", ["month", "quarter", "year"])
def test_periods_follow_each_other_without_a_gap(by: str) -> None:
    since, until = date(2023, 12, 31), date(2025, 3, 1)
    found = list(periods(by, since, until))
    assert found[0].first == since
    assert found[-1].last == until
    assert all(one.last + DAY == other.first for one, other in pairwise(found))
    assert len({row.name for row in found}) == len(found) == {"month": 16, "quarter": 6, "year": 3}[by]


# Broken down


@pytest.mark.parametrize("days", [(None, None), (date(1997, 3, 5), date(1997, 9, 30))])
def test_sales_by_owner(shop: tuple[CRM, list[Bought]], days: tuple[date | None, date | None]) -> None:
    crm, sales = shop
    since, until = days
    these = [sale for sale in sales if (since or date.min) <= sale.on <= (until or LAST)]
    everybody = {sale.client for sale in sales}
    made = report(crm, "by", of="owner", since=since, until=until)
    expected = []
    for place, owner in enumerate(OWNERS):
        own = [sale for sale in these if sale.client % 4 == place]
        amount = sum((sale.amount for sale in own), Decimal(0))
        share = hundredths(amount, bought(these, date.min, LAST))
        clients = sum(number % 4 == place for number in everybody)
        expected.append((owner, amount, share, len(own), len({sale.client for sale in own}), clients))
    assert list(made.rows) == sorted(expected, key=lambda row: -row[1])
    buyers = len({sale.client for sale in these})
    assert made.total == ("Total", sum(row[1] for row in expected), 100, len(these), buyers, len(everybody))
    assert made.until == (until or LAST)


def test_the_best_clients_and_the_others_are_all(shop: tuple[CRM, list[Bought]]) -> None:
    crm, sales = shop
    since = date(1997, 6, 1)
    of_client: dict[int, list[Decimal]] = defaultdict(list)
    for sale in sales:
        if sale.on >= since:
            of_client[sale.client].append(sale.amount)
    best = sorted(of_client, key=lambda client: (-sum(of_client[client]), client))
    made = report(crm, "by", of="client", since=since, top=7)
    listed = [(row["number"], row["client"], row["amount"], row["sales"]) for row in rows(made)]
    assert listed[:7] == [
        (str(client), f"Client {client}", sum(of_client[client]), len(of_client[client])) for client in best[:7]
    ]
    rest = [of_client[client] for client in best[7:]]
    assert listed[7:] == [("", f"{len(rest)} others", sum(map(sum, rest)), sum(map(len, rest)))]
    assert total(made)["amount"] == bought(sales, since, LAST) == sum(made.values("amount"))


def test_statuses_and_countries_of_small_stores(office: Office) -> None:
    rich = office.add(last_name="Rich", country="AT", source="fair")
    office.sell(rich, "40000.00")
    office.sell(office.add(last_name="Poor", country="AT"), "10.50")
    office.add(last_name="Nothing", country="DE")
    status = report(office.crm, "by")
    assert [row[:1] + tuple(row[3:]) for row in status.rows] == [("VIP", 1, 1, 1), ("Regular", 1, 1, 2)]
    country = report(office.crm, "by", of="country")
    assert [tuple(row) for row in country.rows] == [
        ("AT", Decimal("40010.50"), 100, 2, 2, 2),
        ("DE", 0, 0, 0, 0, 1),
    ]
    source = report(office.crm, "by", of="source", top=1)
    assert [row[0] for row in source.rows] == ["fair", "1 other"]
    assert source.rows[1][4:] == (1, 2)


# Growth


def moved(sales: list[Bought], days: int, first: date, last: date) -> Mapping[date, dict[str, int]]:
    """Day after day, client after client: who is new, gone, back; and how many are active."""
    of_client: dict[int, set[date]] = defaultdict(set)
    for sale in sales:
        of_client[sale.client].add(sale.on)
    rows = {}
    active: dict[int, bool] = {}
    day = min(sale.on for sale in sales)
    while day <= last:
        counts = {"new": 0, "churned": 0, "returned": 0}
        for client, on in of_client.items():
            latest = max((review for review in on if review <= day), default=None)
            is_active = latest is not None and (day - latest).days <= days
            if is_active and client not in active:
                counts["new"] += 1
            elif is_active and not active[client]:
                counts["returned"] += 1
            elif not is_active and active.get(client):
                counts["churned"] += 1
            if latest is not None:
                active[client] = is_active
        rows[day] = {**counts, "active": sum(active.values())}
        day += DAY
    return {day: counts for day, counts in rows.items() if day >= first}


@pytest.mark.parametrize(("seed", "days"), [(1, 180), (2, 30), (3, 1), (4, 365)])
def test_growth_counts_new_lost_and_regained_clients_by_month(office: Office, seed: int, days: int) -> None:
    sales = [sale for sale in made_up(seed) if sale.on <= date(2026, 11, 21)]
    filled(office.crm, sales)
    first, last = min(sale.on for sale in sales) + 40 * DAY, date(2026, 10, 17)
    made = report(office.crm, "growth", days=days, since=first, until=last)
    by_day = moved(sales, days, first, last)
    for row in rows(made):
        month = {day: counts for day, counts in by_day.items() if f"{day:%Y-%m}" == row["month"]}
        for name in ("new", "churned", "returned"):
            assert row[name] == sum(counts[name] for counts in month.values()), row
        assert row["active"] == month[max(month)]["active"]
    assert total(made)["active"] == by_day[last]["active"]
    assert total(made)["churned"] == sum(counts["churned"] for counts in by_day.values())


def test_growth_of_the_real_sales_adds_up(cdnow: tuple[CRM, list[Bought]]) -> None:
    crm, sales = cdnow
    made = report(crm, "growth", days=90, since=date(1997, 1, 1))
    active = 0
    for row in rows(made):
        assert row["churn"] == hundredths(row["churned"], active)
        active += row["new"] + row["returned"] - row["churned"]
        assert row["active"] == active
        year, month = map(int, row["month"].split("-"))
        end = date(year + month // 12, month % 12 + 1, 1) - DAY
        assert active == len({sale.client for sale in sales if end - 90 * DAY <= sale.on <= end})
        firsts = {client: min(sale.on for sale in sales if sale.client == client) for client in (1, 5, 900, 2357)}
        assert all(day.year == 1997 for day in firsts.values())
    assert sum(made.values("new")) == 2357


def test_churn_is_a_rate(office: Office) -> None:
    # One after the other, each buys once: far more have churned in a year than were there at its beginning.
    sales = [Bought(number, date(2025, 1, 1) + number * 7 * DAY, Decimal(1)) for number in range(1, 90)]
    filled(office.crm, sales)
    for days in (1, 30, 90, 180):
        made = report(office.crm, "growth", days=days, since=date(2025, 7, 1), until=date(2026, 8, 31))
        rates = [row["churn"] for row in rows(made) if row["churn"] is not None]
        assert all(0 <= rate <= 100 for rate in rates), days
        average = total(made)["churn"]
        assert average is None if not rates else min(rates) <= average <= max(rates)
    # 90 days: about 13 are active, and 4 or 5 of them are gone a month later.
    made = report(office.crm, "growth", days=90, since=date(2025, 7, 1), until=date(2026, 8, 31))
    assert 30 < total(made)["churn"] < 37


def test_a_client_is_gone_on_the_day_after_so_many_days(office: Office) -> None:
    filled(office.crm, [Bought(1, date(2026, 1, 1), Decimal(1))])
    for days, until, churned in ((30, 31, 0), (30, 32, 1), (31, 32, 0), (31, 33, 1)):
        last = date(2025, 12, 31) + until * DAY
        answer = total(report(office.crm, "growth", days=days, since=date(2026, 1, 1), until=last))
        assert (answer["new"], answer["churned"], answer["active"]) == (1, churned, 1 - churned)


def test_growth_equals_figures_worked_out_by_hand(office: Office) -> None:
    bought = {
        # Gone on Feb 20, back on Mar 10.
        1: ["2026-01-05", "2026-01-20", "2026-03-10"],
        # Gone on Mar 3, 13 and 31.
        2: ["2026-01-31"],
        3: ["2026-02-10"],
        4: ["2026-02-28"],
        5: ["2026-03-31"],
    }
    filled(
        office.crm, [Bought(who, date.fromisoformat(day), Decimal(1)) for who, days in bought.items() for day in days]
    )
    # Added, but bought nothing: not new.
    office.add(company="Nothing bought")
    made = report(office.crm, "growth", days=30, since=date(2026, 1, 1), until=date(2026, 3, 31))
    assert [
        tuple(row[name] for name in ("month", "new", "churned", "active", "churn", "returned")) for row in rows(made)
    ] == [
        ("2026-01", 2, 0, 2, None, 0),
        ("2026-02", 2, 1, 3, Decimal(50), 0),
        ("2026-03", 1, 3, 2, Decimal(100), 1),
    ]
    figures = total(made)
    assert [figures[name] for name in ("new", "churned", "active", "churn", "returned")] == [5, 4, 2, Decimal(75), 1]


# Recency, frequency, monetary


def scores(sales: list[Bought]) -> dict[tuple[int, int, int], list[int]]:
    """The clients of each cell."""
    of_client: dict[int, list[Bought]] = defaultdict(list)
    for sale in sales:
        of_client[sale.client].append(sale)
    latest = {client: max(sale.on for sale in own) for client, own in of_client.items()}
    often = {client: len(own) for client, own in of_client.items()}
    spent = {client: sum(sale.amount for sale in own) for client, own in of_client.items()}
    days, counts, amounts = (sorted(values.values()) for values in (latest, often, spent))
    many = len(of_client)
    cells: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for client in of_client:
        later = many - bisect_right(days, latest[client])
        r = 5 - 5 * later // many
        f, m = 1 + 5 * bisect_left(counts, often[client]) // many, 1 + 5 * bisect_left(amounts, spent[client]) // many
        cells[r, f, m].append(client)
    return cells


def segment(r: int, f: int) -> str:
    """As a table: a row for each R from 5 down, a column for each F from 1 on."""
    table = {
        5: "New|Potential loyalists|Potential loyalists|Champions|Champions",
        4: "Promising|Potential loyalists|Potential loyalists|Loyal|Loyal",
        3: "About to sleep|About to sleep|Need attention|Loyal|Loyal",
        2: "Hibernating|Hibernating|At risk|At risk|Can't lose",
        1: "Hibernating|Hibernating|At risk|At risk|Can't lose",
    }
    return table[r].split("|")[f - 1]


def test_the_cells_segments_and_grids(known: tuple[CRM, list[Bought]]) -> None:
    crm, sales = known
    spent: dict[int, Decimal] = defaultdict(Decimal)
    for sale in sales:
        spent[sale.client] += sale.amount
    cells = scores(sales)
    amounts = {cell: sum(spent[client] for client in clients) for cell, clients in cells.items()}
    listed = {(row["recency"], row["frequency"], row["monetary"]): row for row in rows(report(crm, "rfm", of="cells"))}
    assert {cell: (row["clients"], row["amount"], row["segment"]) for cell, row in listed.items()} == {
        cell: (len(clients), amounts[cell], segment(*cell[:2])) for cell, clients in cells.items()
    }
    by_word: dict[str, int] = defaultdict(int)
    for (r, f, _), clients in cells.items():
        by_word[segment(r, f)] += len(clients)
    segments = report(crm, "rfm", of="segments")
    assert {row["segment"]: row["clients"] for row in rows(segments)} == by_word
    assert total(segments)["clients"] == len(spent)
    assert total(segments)["amount"] == sum(spent.values())
    grid = {row["recency"]: row for row in rows(report(crm, "rfm"))}
    sold = {row["recency"]: row for row in rows(report(crm, "rfm", of="amount"))}
    for r in range(1, 6):
        for f in range(1, 6):
            assert grid[f"R{r}"][f"f{f}"] == sum(len(clients) for cell, clients in cells.items() if cell[:2] == (r, f))
            assert sold[f"R{r}"][f"f{f}"] == sum(amount for cell, amount in amounts.items() if cell[:2] == (r, f))
        assert grid[f"R{r}"]["clients"] == sum(len(clients) for cell, clients in cells.items() if cell[0] == r)


def test_a_single_buyer_is_new_and_of_two_the_later_is_ahead(office: Office) -> None:
    filled(office.crm, [Bought(1, date(2026, 11, 1), Decimal(9))])
    assert [(row["cell"], row["segment"]) for row in rows(report(office.crm, "rfm", of="cells"))] == [("511", "New")]
    later = office.add(last_name="Later")
    office.sell(later, "5", date(2026, 11, 2))
    office.sell(later, "5", date(2026, 11, 2))
    assert [row["cell"] for row in rows(report(office.crm, "rfm", of="cells"))] == ["533", "311"]


# Cohorts


def test_cohorts(known: tuple[CRM, list[Bought]]) -> None:
    crm, sales = known
    sales = [sale for sale in sales if sale.on <= crm.today]
    firsts: dict[int, date] = {}
    for sale in sales:
        firsts[sale.client] = min(firsts.get(sale.client, sale.on), sale.on)
    clients: dict[tuple[str, int], set[int]] = defaultdict(set)
    amounts: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for sale in sales:
        first = firsts[sale.client]
        cell = f"{first:%Y-%m}", (sale.on.year - first.year) * 12 + sale.on.month - first.month
        clients[cell].add(sale.client)
        amounts[cell] += sale.amount
    begins = min(firsts.values())
    made = {of: report(crm, "cohorts", of=of, since=begins, months=60) for of in ("clients", "share", "amount")}
    cohorts = sorted({cohort for cohort, _ in clients})
    for of, table in made.items():
        assert table.values("cohort") == cohorts, of
        assert table.values("clients") == [len(clients[cohort, 0]) for cohort in cohorts]
    apart = (crm.today.year - begins.year) * 12 + crm.today.month - begins.month
    for row, shares, sums in zip(*(rows(report) for report in made.values()), strict=True):
        cohort = row["cohort"]
        year, month = map(int, cohort.split("-"))
        come = (crm.today.year - year) * 12 + crm.today.month - month
        for place in range(1, apart + 1):
            if place > come:
                assert row[f"month_{place}"] is shares[f"month_{place}"] is sums[f"month_{place}"] is None
                continue
            again = len(clients.get((cohort, place), ()))
            assert row[f"month_{place}"] == again
            assert shares[f"month_{place}"] == hundredths(again, len(clients[cohort, 0]))
            assert sums[f"month_{place}"] == amounts.get((cohort, place), 0)
        assert sums["month_0"] == amounts[cohort, 0]


def test_the_last_row_is_of_those_cohorts_that_have_come_so_far(cdnow: tuple[CRM, list[Bought]]) -> None:
    crm, _ = cdnow
    counts = report(crm, "cohorts", of="clients", since=date(1997, 1, 1), months=17)
    shares = total(report(crm, "cohorts", since=date(1997, 1, 1), months=17))
    assert counts.values("month_17")[1:] == [None, None]
    assert shares["month_17"] == hundredths(counts.values("month_17")[0], 789)
    assert shares["month_1"] == hundredths(sum(counts.values("month_1")), 2357)


def test_a_cohort_cut_by_the_first_day_has_only_clients_who_came_since(shop: tuple[CRM, list[Bought]]) -> None:
    crm, sales = shop
    since = date(1997, 3, 10)
    firsts: dict[int, date] = {}
    for sale in sales:
        firsts.setdefault(sale.client, sale.on)
    made = report(crm, "cohorts", since=since)
    assert made.since == since
    assert made.values("clients") == [sum(day >= since for day in firsts.values())]


# Stores with little in them, and with what is odd

REPORTS: list[tuple[str, dict[str, Any]]] = [
    ("sales", {}), ("sales", {"by": "year"}), ("by", {}), ("by", {"of": "client"}), ("growth", {}), ("rfm", {}),
    ("rfm", {"of": "amount"}), ("rfm", {"of": "segments"}), ("rfm", {"of": "cells"}), ("cohorts", {}),
    ("cohorts", {"of": "amount"}), ("cohorts", {"of": "clients"}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "given"), REPORTS)
def test_an_empty_store_has_empty_reports(office: Office, words: str, given: dict[str, Any]) -> None:
    made = report(office.crm, words, **given)
    assert not any(isinstance(value, int | Decimal) and value for row in made.rows for value in row)
    assert json.loads(json.dumps(plain(made)))["title"] == made.title
    written(office, words, given)


def test_each_report_without_rows_says_what_is_missing_and_what_fills_it(office: Office) -> None:
    empty = [made for command in commands() if command.group == "reports" if not (made := command(office.crm)).rows]
    assert len(empty) >= 10
    texts = [made.nothing for made in empty]
    assert not [text for text in texts if not re.fullmatch(r"No [^.]+\. (Choose|[^.]*appears? here)[^.]*\.", text)], (
        texts
    )


def written(office: Office, words: str, given: dict[str, Any]) -> None:
    """Write a report in every way that there is."""
    pictured = report(office.crm, words, **given).chart is not None
    for ending in ("csv", "xlsx", "json", "png", "svg"):
        file = office.folder / f"report.{ending}"
        file.unlink(missing_ok=True)
        if ending in ("png", "svg") and not pictured:
            with pytest.raises(FileError) as error:
                report(office.crm, words, **given, to=file)
            assert "no picture" in error.value.sentence
            assert not file.exists()
            continue
        report(office.crm, words, **given, to=file)
        assert file.stat().st_size > 10


@pytest.mark.parametrize(("words", "given"), REPORTS)
def test_reports_of_a_single_sale(office: Office, words: str, given: dict[str, Any]) -> None:
    filled(office.crm, [Bought(1, office.crm.today, Decimal("12.34"))])
    made = report(office.crm, words, **given)
    listed = plain(made)
    assert "12.34" in json.dumps(listed) or words == "growth" or given.get("of") in (None, "clients")
    assert len(made.rows) >= 1
    assert len(made.total or ()) == len(made.columns)


def test_refunds_are_subtracted(office: Office) -> None:
    today = office.crm.today
    filled(office.crm, [Bought(1, today, Decimal(10)), Bought(2, today, Decimal(-30)), Bought(3, today, Decimal(5))])
    made = report(office.crm, "sales")
    assert total(made)["amount"] == -15
    assert [row["amount"] for row in rows(report(office.crm, "by", of="client"))] == [10, 5, -30]
    assert set(report(office.crm, "by", of="client").values("share")) == {None}
    assert total(report(office.crm, "rfm", of="amount"))["amount"] == -15
    assert total(report(office.crm, "cohorts", of="amount"))["clients"] == 3


@pytest.mark.slow
def test_reports_with_refunds_are_drawn(office: Office) -> None:
    today = office.crm.today
    filled(office.crm, [Bought(1, today, Decimal(10)), Bought(2, today, Decimal(-30))])
    for words, given in REPORTS:
        written(office, words, given)


def test_a_period_that_ends_before_it_begins_is_refused(office: Office) -> None:
    days = {"since": date(2026, 2, 1), "until": date(2026, 1, 1)}
    for words in ("sales", "by", "growth", "cohorts"):
        with pytest.raises(FieldError) as error:
            report(office.crm, words, **days)
        assert error.value.field == "until"


def test_a_client_account_cannot_run_a_report(shop: tuple[CRM, list[Bought]]) -> None:
    crm, sales = shop
    reader = Reader(0, CLIENT, 1, "Olga")
    guarded = guarded_for(crm.repository, reader)
    with crm.read() as snapshot:
        assert snapshot.count(Sale) == len(sales)
    own = dataclasses.replace(crm, repository=guarded, reader=reader)
    for words, given in REPORTS:
        with pytest.raises(ForbiddenError):
            named(f"reports {words}")(own, **given)


# Files

HOSTILE = (
    "=1+1",
    r"$\frac{1}{0}$",
    "<b>&amp;</b>",
    "一家\u200b公司 🎉",
    "-- ]]> <!--",
    "[red]x[/]",
    "a%sb{0}\\",
    "مرحبا",
)


@pytest.fixture
def hostile(office: Office) -> CRM:
    """Clients whose owners have names that are anything but harmless."""
    for place, name in enumerate(HOSTILE):
        office.sell(office.add(first_name=name, last_name="x", owner=name), f"{place + 1}00.50")
    return office.crm


def test_a_csv_file_has_the_rows_and_the_total(hostile: CRM, office: Office) -> None:
    made = report(hostile, "by", of="owner", to=office.folder / "by.csv")
    assert made.file == office.folder / "by.csv"
    with (office.folder / "by.csv").open(encoding="utf-8-sig", newline="") as file:
        head, *lines = csv.reader(file)
    assert head == ["Owner", "Amount", "Share %", "Sales", "Buyers", "Clients"]
    assert lines[-1] == ["Total", "3604.00", "100.00", "8", "8", "8"]
    written = {line[0] for line in lines[:-1]}
    assert "'=1+1" in written
    assert len(written) == len(HOSTILE)
    assert [line[1] for line in lines[:-1]] == [f"{amount:.2f}" for amount in made.values("amount")]


def test_a_workbook_has_typed_figures(hostile: CRM, office: Office) -> None:
    from openpyxl import load_workbook

    report(hostile, "by", of="owner", to=office.folder / "by.xlsx")
    with closing(load_workbook(office.folder / "by.xlsx")) as book:
        (sheet,) = book.worksheets
        cells = list(sheet.iter_rows(min_row=2))
    assert {cell.data_type for row in cells for cell in row[:1]} == {"s"}
    assert {cell.data_type for row in cells for cell in row[1:]} == {"n"}
    assert "=1+1" in {row[0].value for row in cells}
    assert cells[-1][1].value == 3604


def test_a_json_file_is_what_scripts_get(hostile: CRM, office: Office) -> None:
    made = report(hostile, "sales", to=office.folder / "sales.json")
    written = json.loads((office.folder / "sales.json").read_text(encoding="utf-8"))
    assert written == plain(made)
    assert written["since"] == "2025-12-01"
    assert written["until"] == "2026-11-21"
    assert written["rows"][-1] == {
        "period": "2026-11", "amount": "3604.00", "year_before": "0.00", "change": None, "sales": 8
    }  # fmt: skip
    assert [column["kind"] for column in written["columns"]] == ["month", "money", "money", "percent", "count"]


@pytest.mark.many
@pytest.mark.parametrize(
    ("words", "given"), [report for report in REPORTS if report != ("rfm", {"of": "cells"}) and report[0] != "cohorts"]
)
def test_charts_are_saved_as_images_with_names_as_plain_text(
    hostile: CRM, office: Office, words: str, given: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    given = {"of": "owner", **given} if words == "by" else given
    picture, drawing = office.folder / "picture.png", office.folder / "drawing.svg"
    report(hostile, words, **given, to=picture)
    report(hostile, words, **given, to=drawing)
    with Image.open(picture) as image:
        image.load()
        assert image.format == "PNG"
        assert min(image.size) > 200
        assert len(image.convert("RGB").getcolors(1_000_000) or ()) > 5
    root = ElementTree.parse(drawing).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    tags = {element.tag.rpartition("}")[2] for element in root.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "b", "a", "foreignObject", "text"}
    again = drawing.read_bytes()
    report(hostile, words, **given, to=drawing, yes=True)
    assert drawing.read_bytes() == again
    assert capfd.readouterr() == ("", "")


def test_a_name_with_dollar_signs_is_not_a_formula(office: Office) -> None:
    """Read as a formula it would be drawn as another thing, and this one would fail."""
    sizes = set()
    for name in (r"$x^2$", r"$\frac{1$", r"x^2\$"):
        office.sell(office.add(last_name=name, owner=name), "10")
        report(office.crm, "by", of="owner", to=office.folder / "x.svg", yes=True)
        written = (office.folder / "x.svg").read_text(encoding="utf-8")
        assert f"<!-- {name} -->" in written
        sizes.add(len(written))
    assert len(sizes) == 3


def test_a_picture_of_a_report_without_a_chart_and_other_endings_are_refused(hostile: CRM, office: Office) -> None:
    for name, kind in (("cells.png", FileError), ("cells.pdf", FieldError), ("cells", FieldError)):
        with pytest.raises(kind):
            report(hostile, "rfm", of="cells", to=office.folder / name)
        assert not (office.folder / name).exists()
    (office.folder / "there.csv").mkdir()
    with pytest.raises(FileError):
        report(hostile, "sales", to=office.folder / "there.csv")
