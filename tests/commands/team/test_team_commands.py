"""Views, settings, today, the sample data, and looking after the store."""

import calendar
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crm.commands.data.demo import COMPANY, deletion_notice, is_sample, throw_away
from crm.errors import CRMError, FieldError, FileError, NotFoundError, Question, RefusedError
from tests.commands.conftest import Office
from tests.support.clocks import TODAY, ZONE

# Views


def test_a_view_lists_current_matches_in_its_order(office: Office) -> None:
    for name, amount in (("A", "5"), ("B", "50"), ("C", "500")):
        office.sell(office.add(last_name=name), amount)
    office("views save", "Big", "total_spend > 10", "-total_spend")
    assert [client.last_name for client in office("clients list", {}, view="Big")] == ["C", "B"]
    assert [client.last_name for client in office("clients list", {}, view="big", sort="last_name")] == ["B", "C"]
    assert [client.last_name for client in office("clients list", {}, view="Big", where="total_spend < 100")] == ["B"]
    assert [client.last_name for client in office("clients list", {"last_name": "C"}, view="Big")] == ["C"]
    office.sell(office.clients()[0], "6")
    assert len(office("clients list", {}, view="Big")) == 3


def test_a_condition_with_or_in_a_view_stays_together(office: Office) -> None:
    office.add(last_name="A", country="AT")
    office.add(last_name="B", country="DE")
    office.add(last_name="C", country="CH")
    office("views save", "Near", "country = 'AT' or country = 'DE'")
    found = office("clients list", {}, view="Near", where="country = 'DE' or country = 'CH'")
    assert [client.last_name for client in found] == ["B"]


def test_a_view_can_be_replaced_and_removed(office: Office) -> None:
    office("views save", "Big", "total_spend > 10")
    office("views save", "Big", "total_spend > 20", "name")
    office("views save", "All", "")
    assert [(view.name, view.condition, view.sort) for view in office("views list")] == [
        ("All", "", ""),
        ("Big", "total_spend > 20", "name"),
    ]
    office("views remove", "Big")
    assert [view.name for view in office("views list")] == ["All"]
    office("history undo")
    assert len(office("views list")) == 2


def test_a_view_that_cannot_be_read_is_not_saved(office: Office) -> None:
    for condition, sort in (("total_spent > 1", ""), ("total_spend >", ""), ("", "frob")):
        with pytest.raises(CRMError):
            office("views save", "Bad", condition, sort)
    with pytest.raises(FieldError):
        office("views save", "")
    with pytest.raises(NotFoundError):
        office("views remove", "Bad")
    with pytest.raises(NotFoundError):
        office("clients list", {}, view="Bad")
    assert office("views list") == []


# Settings


def test_settings_apply_to_everybody_at_once_and_can_be_undone(office: Office) -> None:
    shown = {setting.key: setting.value for setting in office("settings list")}
    begun = {"company_name": "", "language": "en_US", "currency": "USD", "country": "US", "time_zone": ZONE.key}
    begun |= {"mails_per_minute": "60", "our_addresses": "", "require_second_factor": "no", "iban": ""}
    assert shown == shown | begun
    for key, value in (("language", "de-AT"), ("currency", "eur"), ("country", "Austria"), ("company_name", "A & B")):
        office("settings set", key, value)
    changed = {setting.key: setting.value for setting in office("settings list")}
    assert changed == shown | {"company_name": "A & B", "language": "de_AT", "currency": "EUR", "country": "AT"}
    other = office.open(user="ben")
    assert other.settings == changed
    assert other.conventions.money(Decimal("1234.5")) == office.crm.conventions.money(Decimal("1234.5"))
    assert "1.234,50" in other.conventions.money(Decimal("1234.5")).replace("\xa0", ".")
    office("history undo")
    assert {setting.key: setting.value for setting in office("settings list")}["company_name"] == ""


@pytest.mark.parametrize(
    ("key", "value"),
    [("language", "Klingon"), ("language", ""), ("currency", "XXQ"), ("currency", ""), ("country", "Atlantis"),
     ("country", ""), ("company_name", "x" * 81), ("company_name", "A\x1bB"), ("frob", "x")],
)  # fmt: skip
def test_an_impossible_setting_is_refused(office: Office, key: str, value: str) -> None:
    before = office("settings list")
    with pytest.raises((FieldError, NotFoundError)):
        office("settings set", key, value)
    assert office("settings list") == before


# Today


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 1, 31), date(2024, 2, 29), date(2026, 12, 31)])
def test_the_months_go_back_a_year_over_its_end(office: Office, day: date) -> None:
    crm = office.open(today=day)
    client = office.add(crm=crm)
    year_ago = date(day.year - 1, day.month, 1)
    before_last = date(year_ago.year - (year_ago.month == 1), (year_ago.month - 2) % 12 + 1, 1)
    last_of_that = date(
        before_last.year, before_last.month, calendar.monthrange(before_last.year, before_last.month)[1]
    )
    last_month = day.replace(day=1) - timedelta(days=1)
    for amount, on in (("1", day), ("2", day.replace(day=1)), ("4", last_month), ("8", year_ago), ("16", last_of_that)):
        office.sell(client, amount, on, crm=crm)
    months = office("today", crm=crm).tiles["sales"]
    assert len(months) == 13
    assert (months[0].month, months[0].amount, months[0].sales) == (year_ago, Decimal("8.00"), 1)
    assert (months[-2].month, months[-2].amount) == (last_month.replace(day=1), Decimal("4.00"))
    assert (months[-1].month, months[-1].amount, months[-1].sales) == (day.replace(day=1), Decimal("3.00"), 2)
    assert [month.month for month in months] == sorted({month.month for month in months})
    assert all(month.month.day == 1 for month in months)
    assert sum(month.amount for month in months) == 15


@pytest.mark.parametrize(
    ("today", "born", "on"),
    [
        (date(2026, 2, 20), date(2000, 2, 29), date(2026, 2, 28)),
        (date(2026, 2, 28), date(2000, 2, 29), date(2026, 2, 28)),
        (date(2028, 2, 28), date(2000, 2, 29), date(2028, 2, 29)),
        (date(2026, 3, 1), date(2000, 2, 29), None),
        (date(2026, 12, 25), date(2000, 1, 3), date(2027, 1, 3)),
        (date(2026, 11, 21), date(2000, 11, 21), date(2026, 11, 21)),
        (date(2026, 11, 21), date(2000, 12, 5), date(2026, 12, 5)),
        (date(2026, 11, 21), date(2000, 12, 6), None),
        (date(2026, 11, 21), date(2000, 11, 20), None),
    ],
)
def test_birthdays_of_the_next_fortnight(office: Office, today: date, born: date, on: date | None) -> None:
    crm = office.open(today=today)
    office.add(crm=crm, first_name="Anna", date_of_birth=born)
    office.add(crm=crm, first_name="Nobody knows")
    rows = [
        (birthday.client.first_name, birthday.on, birthday.turns)
        for birthday in office("today", crm=crm).tiles["birthdays"]
    ]
    assert rows == ([("Anna", on, on.year - born.year)] if on else [])


def test_the_nearest_birthday_comes_first_however_many_there_are(office: Office) -> None:
    rows = "\n".join(f"Late {at},1990-12-05" for at in range(300))
    office("import", office.write("late.csv", f"last_name,date_of_birth\n{rows}\nToday,1990-11-21\nSoon,1990-11-22\n"))
    listed = [birthday.client.last_name for birthday in office("today").tiles["birthdays"]]
    assert listed[:2] == ["Today", "Soon"]
    assert len(listed) >= 5


def test_today_counts_by_status_and_lists_new_clients_and_status_changes(office: Office) -> None:
    clients = [office.add(last_name=f"Client {at}") for at in range(8)]
    for at, amount in ((0, "35000"), (1, "70000"), (2, "36000")):
        office.sell(clients[at], amount)
    report = office("today")
    assert (report.on, report.tiles["statuses"].clients) == (TODAY, 8)
    assert [(status.status, status.clients) for status in report.tiles["statuses"].statuses] == [
        ("Regular", 5),
        ("VIP", 3),
    ]
    assert [client.last_name for client in report.tiles["newest"][:2]] == ["Client 7", "Client 6"]
    assert [client.last_name for client in report.tiles["moved"]] == ["Client 1", "Client 2", "Client 0"]
    assert office("today", crm=office.open(today=TODAY + timedelta(days=30))).tiles["moved"] == report.tiles["moved"]
    assert office("today", crm=office.open(today=TODAY + timedelta(days=31))).tiles["moved"] == []


def test_today_in_an_empty_store(office: Office) -> None:
    report = office("today")
    assert (report.tiles["statuses"].clients, report.tiles["statuses"].statuses) == (0, [])
    assert [report.tiles[name] for name in ("newest", "moved", "birthdays")] == [[], [], []]
    assert sum(sale.amount for sale in report.tiles["sales"]) == 0


# The sample data


def test_the_sample_is_a_separate_marked_and_reproducible_store(office: Office) -> None:
    mine = office.add()
    before = office.everything()
    report = office("demo")
    assert office.everything() == before
    assert report.file.is_file()
    assert report.clients >= 50
    assert report.sales >= 100
    assert office("demo") == report
    sample = office.crm.open(report.url)
    assert is_sample(sample)
    assert not is_sample(office.crm)
    assert sample.settings["company_name"] == COMPANY
    assert office.is_sound(sample)
    assert set(office.statuses(sample)) == {"VIP", "Regular"}
    assert office("today", crm=sample).tiles["birthdays"]
    assert {item.record.kind_name for item in office("agenda", crm=sample).items} == {"follow_up", "deal", "invoice"}
    assert all(column.deals for column in office("deals board", crm=sample).columns)
    assert all(office("clients list", {}, view=view.name, crm=sample) for view in office("views list", crm=sample))
    throw_away(sample)
    assert not report.file.exists()
    assert office.clients() == [mine]
    assert office("demo").clients == report.clients


def test_invoices_of_the_sample_are_issued_as_all_others_and_can_be_paid_by_their_code(office: Office) -> None:
    office("settings set", "currency", "EUR")
    office("settings set", "language", "de_AT")
    sample = office.crm.open(office("demo").url)
    issued = [card for card in office("invoices list", crm=sample) if card.invoice.state == "issued"]
    assert len(issued) >= 6
    for card in issued:
        document = office("invoices show", card.invoice, crm=sample).document
        assert (document.iban, document.language) == ("AT611904300234573201", "de_AT")
        assert document.seller.name == COMPANY
    unpaid = next(card.invoice for card in issued if card.invoice.open)
    paying = office("invoices qr", unpaid, crm=sample)
    assert (paying.number, paying.amount) == (unpaid.number, unpaid.open)
    throw_away(sample)


def test_creating_the_sample_cannot_be_undone_but_changes_in_it_can(office: Office) -> None:
    office("settings set", "currency", "JPY")
    office("settings set", "time_zone", "Asia/Kathmandu")
    sample = office.crm.open(office("demo").url)
    assert (sample.settings["currency"], sample.clock.zone.key) == ("JPY", "Asia/Kathmandu")
    before = office.clients(sample)
    with pytest.raises(NotFoundError, match="Nothing to undo yet"):
        office("history undo", crm=sample)
    with pytest.raises(RefusedError, match="cannot be undone"):
        office("history undo", 1, crm=sample)
    assert office.clients(sample) == before
    office.add(crm=sample)
    assert office("history undo", crm=sample).undone.what == "added Client"
    assert office.clients(sample) == before
    # What an undo brings back was not added by anybody.
    office("clients delete", before[0], yes=True, crm=sample)
    office("history undo", crm=sample)
    assert "You added" not in deletion_notice(sample)
    office.add(crm=sample, first_name="Rea")
    assert deletion_notice(sample).endswith("You added of these: Rea.")
    throw_away(sample)


def test_only_sample_data_is_deleted(office: Office) -> None:
    office.add()
    throw_away(office.crm)
    assert len(office.clients()) == 1


# Looking after the store


def test_history_undo_undoes_the_last_or_a_given_change(office: Office) -> None:
    client = office.add(first_name="Anna", city="Wien")
    office("clients edit", client, {"city": "Graz"})
    office("clients edit", office.client(client), {"notes": "x"})
    taken = office("history undo", 2)
    assert taken.undone.id == 2
    assert (office.client(client).city, office.client(client).notes) == ("Wien", "x")
    office("history undo")
    assert office.client(client).notes == ""
    with pytest.raises(CRMError):
        office("history undo", 2)
    with pytest.raises(NotFoundError):
        office("history undo", 99)


def test_a_change_that_later_ones_depend_on_is_not_undone(office: Office) -> None:
    client = office.add(city="Wien")
    office.sell(client, "5")
    office("clients edit", office.client(client), {"city": "Graz"})
    with pytest.raises(RefusedError):
        office("history undo", 1)
    assert office.client(client).city == "Graz"
    for _ in range(3):
        office("history undo")
    assert office.clients() == []
    with pytest.raises(NotFoundError):
        office("history undo")
    assert office.is_sound()


def test_history_lists_changes_with_their_author_newest_first_by_page(office: Office) -> None:
    client = office.add(first_name="Anna")
    office.sell(client, "5", crm=office.open(user="ben"))
    rows = [(entry.user, entry.what) for entry in office("history list")]
    assert rows == [("ben", "recorded a sale to Anna"), ("anna", "added Anna")]
    assert [entry.what for entry in office("history list", 1, 1)] == ["added Anna"]


def test_a_restore_brings_everything_back_and_keeps_the_replaced_file(office: Office) -> None:
    office.add(first_name="Anna")
    kept = office("backup").file
    before = office.everything()
    office.add(first_name="Ben")
    office("settings set", "currency", "CHF")
    after = office.everything()
    with pytest.raises(Question):
        office("restore", kept)
    assert office.everything() == after
    restored = office("restore", kept, yes=True)
    assert restored.done == f"Restored {kept.name}."
    # Beside what was there then, the history says who has put it back.
    assert [record for record in office.everything() if record not in before] == office.everything()[-2:-1]
    assert office("history list")[0].what == f"restored {kept.name}"
    assert office.crm.conventions.currency == "USD"
    office("restore", restored.file, yes=True)
    assert [record for record in after if record not in office.everything()] == []


def test_a_backup_overwrites_nothing_and_makes_its_folder(office: Office) -> None:
    office.add()
    other = office.write("notes.txt", "mine")
    with pytest.raises(FileError):
        office("backup", other)
    assert other.read_text() == "mine"
    named = office.folder / "far" / "away.sqlite3"
    assert office("backup", named).file == named
    with pytest.raises(CRMError):
        office("restore", other, yes=True)
    with pytest.raises(FileError, match="No file nowhere"):
        office("restore", Path("nowhere"), yes=True)
    assert len(office.clients()) == 1
