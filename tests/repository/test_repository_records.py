"""Records added, changed, deleted, found and listed: the contract of every store."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import CRMError, FieldError, NotFoundError, RefusedError, RuleError
from crm.model import (
    BY_NAME,
    RECORDS,
    Adjustment,
    Allocation,
    Client,
    Contact,
    Dashboard,
    Deal,
    FollowUp,
    ImportLayout,
    Interaction,
    Invoice,
    InvoiceLine,
    MachineKey,
    Mailing,
    Message,
    NumberSeries,
    OptOut,
    Payment,
    Record,
    Reminder,
    ReminderLevel,
    Sale,
    Service,
    Setting,
    SignIn,
    Stage,
    StageMove,
    StatusRule,
    Template,
    User,
    View,
    links,
)
from crm.model.record import EPOCH
from crm.repository import Query
from tests.conftest import Store
from tests.support.clocks import TODAY

pytestmark = [pytest.mark.contract, pytest.mark.quick_on_sheets]

FULL = {
    "reference": "K-1",
    "kind": "person",
    "first_name": "Zoë",
    "last_name": "O'Brien",
    "company": "Øl & Søn",
    "date_of_birth": date(1988, 2, 29),
    "email": "zoe@example.com",
    "phone": "+436601234567",
    "address": "Hauptstraße 1",
    "city": "Wien",
    "postcode": "1010",
    "country": "AT",
    "tags": ("gold", "news letter"),
    "source": "fair",
    "owner": "anna",
    "marketing_consent": True,
    "notes": "first line\nsecond \\ line; \"quoted\" 'too' 😀",
    "extra": {"shoe size": "42", "x%_": 'a"b'},
}


def ids(records: list[Client]) -> list[int]:
    return [record.id for record in records]


def listed(store: Store, **query: object) -> list[int]:
    with store.repository.read() as snapshot:
        return ids(snapshot.find_all(Client, Query(**query)))  # type: ignore[arg-type]


def test_a_stored_client_is_read_back_unchanged(store: Store) -> None:
    added = store.change(lambda tx: tx.add(Client(**FULL)))
    assert added.id == 1
    assert added.version == 1
    assert added.created_at == added.updated_at
    assert (added.status, added.status_reason, added.status_since) == ("Regular", "Regular otherwise", store.today)
    with store.another().read() as elsewhere:
        assert elsewhere.get(Client, 1) == added
    for name, value in FULL.items():
        assert getattr(added, name) == value


@pytest.mark.parametrize(
    "record",
    [
        StatusRule(position=7, status="X", when="age > 3", active=False),
        View(name="best", condition="total_spend > 5", sort="-last_sale_on"),
        Setting(key="colour", value="green"),
    ],
    ids=lambda record: record.kind_name,
)
def test_every_other_kind_of_record_is_stored_changed_and_deleted(
    store: Store, record: StatusRule | View | Setting
) -> None:
    kind = type(record)
    added = store.change(lambda tx: tx.add(record))
    name = {"rule": "status", "view": "sort", "setting": "value"}[kind.kind_name]
    changed = store.change(lambda tx: tx.change(added, **{name: "new"}))
    assert (getattr(changed, name), changed.version) == ("new", 2)
    with store.another().read() as snapshot:
        assert snapshot.get(kind, added.id) == changed
    store.change(lambda tx: tx.delete(changed))
    with store.another().read() as snapshot:
        assert snapshot.find(kind, added.id) is None


def whole_records(client: int, deal: int, stage: int, day: date) -> list[Record]:
    """One record of each kind with all that it needs."""
    return [
        Contact(client=client, name="Ann"),
        Interaction(client=client, kind="call", on=day),
        FollowUp(client=client, due_on=day),
        Sale(client=client, on=day, amount=Decimal(1)),
        Stage(name="Later", position=20),
        Deal(client=client, title="Roof", stage=stage),
        StageMove(deal=deal, stage=stage, on=day),
        Template(name="Hello", body="Hi"),
        Mailing(name="News"),
        Message(client=client, direction="out", on=day),
        OptOut(address="ann@example.com", on=day),
        StatusRule(position=7, status="X"),
        View(name="best"),
        Setting(key="colour"),
        ImportLayout(headings="0", choices="{}"),
        User(email="ann@example.com", role="staff"),
        SignIn(user=1, state="open"),
        MachineKey(name="nightly mail", may="mail"),
        Dashboard(user="anna"),
        Service(name="Consulting"),
        Invoice(client=client, kind="invoice", state="draft"),
        InvoiceLine(invoice=1, position=1, name="Table"),
        Adjustment(invoice=1),
        Payment(client=client, on=day, amount=Decimal(5), kind="payment"),
        Allocation(payment=1, invoice=1, amount=Decimal(5)),
        Reminder(invoice=1, level=1, on=day),
        ReminderLevel(number=1, days=3),
        NumberSeries(name="invoice", pattern="RE-{number}"),
    ]


@pytest.mark.many
def test_a_required_field_is_never_empty(store: Store) -> None:
    client = store.add()
    deal = store.change(lambda tx: tx.add(Deal(client=client.id, title="Floor")))
    records = whole_records(client.id, deal.id, deal.stage, store.today)
    assert {type(record) for record in records} == {kind for kind in RECORDS if kind.about.needs}
    tried = 0
    for record in records:
        added = store.change(lambda tx, record=record: tx.add(record))
        before = store.everything()
        for name in set(record.about.needs) - set(record.about.may_be_empty):
            if isinstance(getattr(record, name), int | Decimal):
                continue
            empty = "" if isinstance(getattr(record, name), str) else None
            for change in (
                lambda tx, record=record, name=name, empty=empty: tx.add(replace(record, **{name: empty})),
                lambda tx, added=added, name=name, empty=empty: tx.change(added, **{name: empty}),
            ):
                with pytest.raises(FieldError, match="needs it; nothing was changed") as refused:
                    store.change(change)
                assert (refused.value.field, store.everything()) == (name, before)
                tried += 1
    assert tried > 30


@pytest.mark.many
def test_a_link_to_a_record_that_is_not_there_is_refused(store: Store) -> None:
    client = store.add()
    deal = store.change(lambda tx: tx.add(Deal(client=client.id, title="Floor")))
    tried = set()
    for record in whole_records(client.id, deal.id, deal.stage, store.today):
        added = store.change(lambda tx, record=record: tx.add(record))
        before = store.everything()
        for name, link in links(type(record)).items():
            lost = replace(record, **{name: 99})
            for change in (
                lambda tx, lost=lost: tx.add(lost),
                lambda tx, lost=lost, record=record: tx.add_all([record, lost]),
                lambda tx, added=added, name=name: tx.change(added, **{name: 99}),
            ):
                with pytest.raises(CRMError, match=rf"^No {BY_NAME[link.record].noun} (99|that some of them need)\."):
                    store.change(change)
                assert store.everything() == before, (record, name)
            tried.add((type(record), name))
    assert tried == {(kind, name) for kind in RECORDS for name in links(kind)}


def test_a_link_to_a_record_that_went_since_is_kept(store: Store) -> None:
    client = store.add()
    deal = store.change(lambda tx: tx.add(Deal(client=client.id, title="Floor")))
    task = store.change(lambda tx: tx.add(FollowUp(client=client.id, due_on=store.today, deal=deal.id)))
    store.change(lambda tx: tx.delete(deal))
    assert store.change(lambda tx: tx.change(task, what="Call", deal=deal.id)).deal == deal.id
    with pytest.raises(RefusedError, match=rf"^No deal {deal.id}\. Nothing was changed\.$"):
        store.change(lambda tx: tx.add(replace(task, id=0)))


def test_a_missing_record_is_reported(store: Store) -> None:
    with store.repository.read() as snapshot:
        assert snapshot.find(Client, 12) is None
        with pytest.raises(NotFoundError, match="No client 12"):
            snapshot.get(Client, 12)
    with pytest.raises(NotFoundError, match="No sale 3"):
        store.change(lambda tx: tx.delete(Sale(id=3, client=1, on=store.today)))


def test_a_change_leaves_the_other_fields_and_counts_the_version(store: Store) -> None:
    added = store.change(lambda tx: tx.add(Client(**FULL)))
    changed = store.change(lambda tx: tx.change(added, city="Graz", tags=()))
    assert (changed.city, changed.tags, changed.version) == ("Graz", (), 2)
    assert changed.updated_at > added.updated_at
    assert (changed.first_name, changed.extra, changed.created_at) == (added.first_name, added.extra, added.created_at)
    assert store.client(added) == changed


def test_a_change_to_the_same_value_changes_nothing(store: Store) -> None:
    added = store.add(city="Graz")
    same = store.change(lambda tx: tx.change(added, city="Graz"))
    assert same == added
    with store.repository.read() as snapshot:
        assert len(snapshot.history()) == 1


def test_deleting_a_client_deletes_its_sales_and_no_others(store: Store) -> None:
    one, other = store.add(), store.add()
    for client in (one, one, other):
        store.sell(client, "5.00")
    store.change(lambda tx: tx.delete(one))
    with store.repository.read() as snapshot:
        assert ids(snapshot.find_all(Client)) == [other.id]
        assert [sale.client for sale in snapshot.find_all(Sale)] == [other.id]
    assert store.wrong() == []


def test_an_id_is_never_used_again(store: Store) -> None:
    clients = [store.add() for _ in range(3)]
    store.change(lambda tx: tx.delete(clients[-1]))
    assert store.add().id == 4
    store.change(lambda tx: [tx.delete(client) for client in tx.find_all(Client)])
    store.repository.close()
    assert store.another().transact(lambda tx: tx.add(Client(kind="person", last_name="X")), "x").id == 5
    store.change(lambda tx: tx.undo())
    assert store.add().id == 6


def test_a_reference_is_unique_if_given(store: Store) -> None:
    store.add(reference="A-1")
    other = store.add(reference="")
    store.add(reference="")
    before = store.everything()
    with pytest.raises(RefusedError, match="Another client already has this reference"):
        store.add(reference="A-1")
    with pytest.raises(RefusedError, match="Another client already has this reference"):
        store.change(lambda tx: tx.change(other, reference="A-1"))

    def many(tx: object) -> None:
        tx.add_all([Client(kind="person", last_name="X", reference=text) for text in ("B", "C", "A-1")])  # type: ignore[attr-defined]

    with pytest.raises(RefusedError):
        store.change(many)
    assert store.everything() == before
    assert store.wrong() == []


@pytest.mark.parametrize(
    ("record", "label"), [(View(name="v"), "name"), (Setting(key="k"), "name")], ids=["view", "setting"]
)
def test_a_unique_name_is_used_once(store: Store, record: View | Setting, label: str) -> None:
    store.change(lambda tx: tx.add(record))
    with pytest.raises(RefusedError, match=f"Another {record.kind_name} already has this {label}"):
        store.change(lambda tx: tx.add(record))


def test_a_sale_without_a_client_is_refused(store: Store) -> None:
    with pytest.raises(RefusedError):
        store.sell(99, "5.00")
    assert store.everything()[Sale] == {}


@pytest.mark.slow
def test_records_added_in_bulk_get_ids_in_order(store: Store) -> None:
    store.add()
    names = [f"N{at:04}" for at in range(2500)]
    added = store.change(lambda tx: tx.add_all([Client(kind="person", last_name=name) for name in names]))
    assert list(added) == list(range(2, 2502))
    with store.repository.read() as snapshot:
        assert [snapshot.get(Client, id_).last_name for id_ in added] == names
        assert ids(list(snapshot.search("N2499"))) == [2501]
        streamed = [client.last_name for client in snapshot.each(Client, Query(sort="id"))]
    assert streamed == ["Client", *names]


@pytest.mark.slow
def test_totals_are_right_after_sales_to_thousands_at_once(store: Store) -> None:
    def change(tx: object) -> None:
        clients = tx.add_all([Client(kind="person", last_name=f"N{at}") for at in range(2100)])  # type: ignore[attr-defined]
        tx.add_all([Sale(client=client, on=store.today, amount=Decimal("35000")) for client in clients])  # type: ignore[attr-defined]

    store.change(change)
    with store.repository.read() as snapshot:
        assert snapshot.count(Client, Query({"status": "VIP"})) == 2100
        assert snapshot.count(Client, Query({"id": list(range(1, 2101))})) == 2100


# Filters


def test_filters_by_each_field(store: Store) -> None:
    store.change(lambda tx: tx.add(Client(**FULL)))
    store.add(kind="company", company="Other", city="Graz")
    for name, value in FULL.items():
        assert listed(store, filters={name: value}) == [1], name
    assert listed(store, filters={"city": "Graz", "kind": "company"}) == [2]
    assert listed(store, filters={"city": "Graz", "kind": "person"}) == []


def test_text_is_compared_without_case(store: Store) -> None:
    store.add(city="Österreich-Nord", email="anna@example.com")
    assert listed(store, filters={"city": "österreich-NORD"}) == [1]
    assert listed(store, filters={"city": "ÖSTERREICH-NORD"}) == [1]
    assert listed(store, filters={"email": "anna@example.COM"}) == [1]
    assert listed(store, filters={"city": "Österreich"}) == []


def test_a_text_filter_knows_no_wildcards(store: Store) -> None:
    store.add(city="Graz", tags=("ab",), extra={"a": "bc"})
    for city in ("Gra%", "Gra_", "%", "' or 1=1 --"):
        assert listed(store, filters={"city": city}) == []
    assert listed(store, filters={"tags": ["a_"]}) == []
    assert listed(store, filters={"tags": ["%"]}) == []
    assert listed(store, filters={"extra": {"a": "b_"}}) == []


def test_several_values_mean_any_and_several_tags_mean_all(store: Store) -> None:
    store.add(last_name="A", city="Graz", tags=("gold", "new"))
    store.add(last_name="B", city="Wien", tags=("gold",))
    store.add(last_name="C", city="Linz")
    assert listed(store, filters={"city": ["Graz", "linz"]}) == [1, 3]
    assert listed(store, filters={"id": [3, 1, 77]}) == [1, 3]
    assert listed(store, filters={"tags": ["gold"]}) == [1, 2]
    assert listed(store, filters={"tags": ("new", "gold")}) == [1]
    assert listed(store, filters={"tags": "Gold"}) == [1, 2]
    assert listed(store, filters={"tags": ["gol"]}) == []


def test_clients_with_some_ids_are_listed_in_the_usual_order_each_time(store: Store) -> None:
    for name in "ZYXWVUTSRQPO":
        store.add(last_name=name)
    # As the statement is first carried out, and as it is kept; a few ids, and many.
    for _ in range(3):
        assert listed(store, filters={"id": [1, 12, 5]}) == [12, 5, 1]
        assert listed(store, filters={"id": [12, 2, 99]}) == [12, 2]
        assert listed(store, filters={"id": list(range(1, 30))}) == list(range(12, 0, -1))
    assert listed(store, filters={"id": [1, 12, 5]}, sort="id", limit=2) == [1, 5]
    assert listed(store, filters={"id": [1, 12, 5], "last_name": "V"}) == [5]


@pytest.mark.parametrize("name", ["city", "id", "date_of_birth"])
def test_a_filter_on_an_empty_list_finds_nobody(store: Store, name: str) -> None:
    store.add(city="Graz")
    assert listed(store, filters={name: []}) == []


def test_missing_values_can_be_asked_for(store: Store) -> None:
    store.add(last_name="A", city="Graz", date_of_birth=date(1980, 1, 1), reference="R")
    store.add(last_name="B")
    for name, nothing in (("city", ""), ("date_of_birth", None), ("reference", ""), ("last_sale_on", None)):
        assert listed(store, filters={name: nothing})[-1] == 2, name
    assert listed(store, filters={"date_of_birth": None}) == [2]
    assert listed(store, filters={"reference": ""}) == [2]
    assert listed(store, filters={"city": ["", "Graz"]}) == [1, 2]
    assert listed(store, filters={"date_of_birth": [None, date(1980, 1, 1)]}) == [1, 2]


def test_own_fields_are_found_by_name_and_value(store: Store) -> None:
    store.add(last_name="A", extra={"shoe size": "42", "note": 'says "size":"7"'})
    store.add(last_name="B", extra={"size": "42"})
    assert listed(store, filters={"extra": {"shoe size": "42"}}) == [1]
    assert listed(store, filters={"extra": {"size": "42"}}) == [2]
    assert listed(store, filters={"extra": {"size": "4"}}) == []
    assert listed(store, filters={"extra": {"size": "7"}}) == []


def test_sales_are_found_by_client_day_and_amount(store: Store) -> None:
    client, other = store.add(), store.add()
    days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1)]
    for day in days:
        store.sell(client, "10.10", day)
    store.sell(other, "10.01", days[1])
    with store.repository.read() as snapshot:

        def sales(**query: object) -> list[tuple[int, date]]:
            return [(sale.client, sale.on) for sale in snapshot.find_all(Sale, Query(**query))]  # type: ignore[arg-type]

        february = sales(since=date(2026, 2, 1), until=date(2026, 2, 28))
        assert february == [(1, days[2]), (2, days[1]), (1, days[1])]
        assert sales(filters={"client": other.id}) == [(2, days[1])]
        assert sales(filters={"amount": Decimal("10.10")}, since=days[3]) == [(1, days[3])]
        assert sales(filters={"on": days[1], "client": client.id}) == [(1, days[1])]
        assert snapshot.count(Sale, Query(since=days[1], until=days[2], limit=1)) == 3


def test_an_unknown_field_is_refused_by_name(store: Store) -> None:
    with store.repository.read() as snapshot:
        with pytest.raises(FieldError, match="no field town"):
            snapshot.find_all(Client, Query({"town": "Graz"}))
        with pytest.raises(FieldError, match="no field town"):
            snapshot.find_all(Client, Query(sort="-town"))
        with pytest.raises(FieldError, match="no field search_name"):
            snapshot.find_all(Client, Query({"search_name": "x"}))


# Conditions, order and pages


def test_a_condition_narrows_lists_and_counts(store: Store) -> None:
    rich, poor = store.add(last_name="A", country="DE"), store.add(last_name="B", country="DE")
    store.add(last_name="C", country="AT")
    store.sell(rich, "1000.01")
    store.sell(poor, "1000.00")
    store.sell(rich, "1.00", date(2025, 1, 1))
    where = "total_spend > 1000 and country = 'DE'"
    assert listed(store, where=where) == [rich.id]
    assert listed(store, where="spend_last_30_days = 1000") == [poor.id]
    assert listed(store, where="largest_sale = none") == [3]
    assert listed(store, where="not (largest_sale > 5000)", filters={"country": "DE"}) == [1, 2]
    with store.repository.read() as snapshot:
        assert snapshot.count(Client, Query(where=where)) == 1
        assert snapshot.count(Client, Query(where="sales_last_365_days < 1")) == 1
        assert snapshot.count(Client, Query(where="spend_last_30_days > 0", limit=1, offset=1)) == 2


def test_a_condition_that_cannot_be_read_is_refused(store: Store) -> None:
    with pytest.raises(RuleError):
        listed(store, where="total_spend >")
    with pytest.raises(RuleError, match="password"):
        listed(store, where="password = 'x'")


@pytest.mark.parametrize("sort", ["city", "date_of_birth", "last_sale_on", "reference", "phone", "status_pinned_until"])
def test_missing_values_sort_last_in_both_directions(store: Store, sort: str) -> None:
    values = {
        "city": ("Aa", "Bb"),
        "date_of_birth": (date(1970, 1, 1), date(1980, 1, 1)),
        "reference": ("1", "2"),
        "phone": ("+431", "+432"),
        "status_pinned_until": (date(2027, 1, 1), date(2028, 1, 1)),
    }
    nothing = store.add(last_name="A")
    if sort == "last_sale_on":
        low, high = store.add(), store.add()
        store.sell(low, "1", date(2026, 1, 1))
        store.sell(high, "1", date(2026, 1, 2))
    else:
        low, high = (store.add(**{sort: value}) for value in values[sort])
    assert listed(store, sort=sort) == [low.id, high.id, nothing.id]
    assert listed(store, sort=f"-{sort}") == [high.id, low.id, nothing.id]


def test_text_is_ordered_as_people_order_it(store: Store) -> None:
    for city in ("Zürich", "aachen", "Österreich", "Bonn"):
        store.add(city=city)
    with store.repository.read() as snapshot:
        cities = [client.city for client in snapshot.find_all(Client, Query(sort="city"))]
    assert cities == ["aachen", "Bonn", "Österreich", "Zürich"]


def test_clients_are_listed_as_in_an_address_book(store: Store) -> None:
    store.add(first_name="Zoë", last_name="Àbel")
    store.add(first_name="Anna", last_name="müller")
    store.add(kind="company", last_name="", company="Zebra AG")
    store.add(first_name="Bea", last_name="Muller")
    assert listed(store) == [1, 2, 4, 3]
    assert listed(store, sort="-name") == [3, 4, 2, 1]
    assert listed(store, sort="-id") == [4, 3, 2, 1]


def test_equal_values_keep_an_order_that_pages_can_rely_on(store: Store) -> None:
    store.change(lambda tx: tx.add_all([Client(kind="person", last_name="Same", city="Graz") for _ in range(25)]))
    pages = [listed(store, sort="city", limit=10, offset=offset) for offset in (0, 10, 20, 30)]
    every = [client for page in pages for client in page]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert sorted(every) == list(range(1, 26))
    assert listed(store, offset=23) == every[23:]
    assert listed(store, limit=0) == []


def test_sales_are_sorted_by_amount_as_numbers(store: Store) -> None:
    client = store.add()
    for amount in ("9.00", "100.00", "10.50"):
        store.sell(client, amount)
    with store.repository.read() as snapshot:
        amounts = [sale.amount for sale in snapshot.find_all(Sale, Query(sort="-amount"))]
    assert amounts == [Decimal("100.00"), Decimal("10.50"), Decimal("9.00")]


def test_a_read_sees_one_moment_of_the_store(store: Store) -> None:
    store.add(last_name="A")
    with store.repository.read() as snapshot:
        assert snapshot.count(Client) == 1
        store.another().transact(lambda tx: tx.add(Client(kind="person", last_name="B")), "b")
        assert snapshot.count(Client) == 1
        assert len(snapshot.search("B")) == 0
    assert listed(store) == [1, 2]


def test_nested_reads_and_writes_do_not_block(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # A reader of a spreadsheet waits so long for the writer, and then reads the mirror.
    monkeypatch.setattr("crm.repository.sheets.repository._READER_WAITS", 0.1)
    store.add(last_name="A")

    def change(tx: object) -> int:
        tx.add(Client(kind="person", last_name="B"))  # type: ignore[attr-defined]
        with store.repository.read() as snapshot:
            return int(snapshot.count(Client))

    assert store.change(change) == 1
    with store.repository.read() as one, store.repository.read() as other:
        assert one.count(Client) == other.count(Client) == 2


def test_initial_records_are_created_once(store: Store) -> None:
    assert store.repository.is_empty()
    with store.repository.read() as snapshot:
        assert [rule.status for rule in snapshot.find_all(StatusRule)] == ["VIP", "Regular"]
        assert snapshot.history() == []
    with store.another().read() as snapshot:
        assert snapshot.count(StatusRule) == 2
    store.add()
    assert not store.another().is_empty()


def test_a_store_with_accounts_alone_is_empty_and_they_are_kept(store: Store) -> None:
    def sign_up(tx: object) -> None:
        user = tx.add(User(email="ada@example.com", name="Ada", role="admin", active=True))  # type: ignore[attr-defined]
        tx.add(SignIn(user=user.id, state="open", method="password"))  # type: ignore[attr-defined]

    assert store.repository.is_untouched()
    store.change(sign_up)
    assert store.repository.is_empty()
    assert store.another().is_empty()
    assert not store.repository.is_untouched()
    with pytest.raises(RefusedError, match="accounts of this one would be lost"):
        store.repository.fill([])
    backup = store.repository.daily_backup()
    assert backup is not None
    with store.another().read() as snapshot:
        assert [user.name for user in snapshot.find_all(User)] == ["Ada"]
    store.add()
    assert not store.repository.is_empty()
    with pytest.raises(RefusedError, match="A whole store can only be imported into an empty one"):
        store.repository.fill([])


def test_a_fact_is_kept(store: Store) -> None:
    assert store.repository.fact("anything") == ""
    store.repository.set_fact("anything", "2026-11-20")
    store.repository.set_fact("anything", "2026-11-21")
    assert store.another(same_machine=True).fact("anything") == "2026-11-21"
    with store.repository.read() as snapshot:
        assert snapshot.history() == []


def test_every_refusal_has_a_clear_message(store: Store) -> None:
    store.add(reference="R")
    refusals: list[CRMError] = []
    for given in ({"reference": "R"}, {"reference": "R", "kind": "company", "company": "X"}):
        with pytest.raises(CRMError) as caught:
            store.add(**given)
        refusals.append(caught.value)
    assert all(refusal.sentence.endswith(".") and "sql" not in refusal.sentence.lower() for refusal in refusals)


@pytest.mark.parametrize("columns", [{}, {"last_name": []}])
@pytest.mark.parametrize("kind", [Client, Sale, Invoice])
def test_no_records_are_stored_without_a_change(
    store: Store, kind: type[Record], columns: dict[str, list[Any]]
) -> None:
    assert list(store.change(lambda tx: tx.add_columns(kind, columns))) == []
    with store.repository.read() as snapshot:
        assert snapshot.history() == []


_MANY: dict[type[Record], Callable[[int, int], Record]] = {
    Sale: lambda n, client: Sale(client=client, on=TODAY, amount=Decimal(n + 1), note=f"n{n}", user=("bo", "")[n % 2]),
    Contact: lambda n, client: Contact(client=client, name=f"Jö {n}", email=f"a{n}@example.com"),
    Interaction: lambda n, client: Interaction(
        client=client, kind=("note", "call")[n % 2], on=TODAY, subject=f"s{n}", user="" if n % 3 else "anna"
    ),
    FollowUp: lambda n, client: FollowUp(
        client=client, what=f"w{n}", due_on=TODAY, every=0 if n % 4 else 30, user=("bo", "")[n % 2]
    ),
    Message: lambda n, client: Message(
        client=client, channel="email", direction="in", state="received", on=TODAY, subject=f"s{n}", identifier=f"<{n}>"
    ),
    OptOut: lambda n, _: OptOut(address=f"a{n}@example.com", on=TODAY, way="asked"),
    Service: lambda n, _: Service(name=f"S{n}", unit="C62", price=Decimal("1.5")),
    Template: lambda n, _: Template(name=f"T{n}", channel="email", subject="s", body="b"),
    View: lambda n, _: View(name=f"V{n}"),
}


@pytest.mark.parametrize("kind", _MANY, ids=lambda kind: kind.__name__)
def test_many_records_of_a_kind_are_stored_as_each_by_itself(store: Store, kind: type[Record]) -> None:
    clients = store.add(last_name="A"), store.add(last_name="B")
    stored = []
    for client, at_once in zip(clients, (True, False), strict=True):
        records = [_MANY[kind](number, client.id) for number in range(24)]
        if at_once:
            ids = list(store.change(lambda tx, records=records: tx.add_all(records)))
        else:
            ids = store.change(lambda tx, records=records: [tx.add(record).id for record in records])
        beside = {"id": 0, "created_at": EPOCH, "updated_at": EPOCH}
        if hasattr(kind, "client"):
            beside["client"] = 0
        with store.repository.read() as snapshot:
            stored.append([replace(snapshot.get(kind, number), **beside) for number in ids])
        if not hasattr(kind, "client"):
            # Their names are used once.
            store.change(lambda tx, ids=ids: tx.delete_all(kind, ids))
    assert stored[0] == stored[1]
    one, other = map(store.client, clients)
    for name in ("total_spend", "sales_count", "last_contact_on", "next_follow_up_on", "status"):
        assert getattr(one, name) == getattr(other, name), name
    assert store.wrong() == []


def test_many_records_are_stored_as_each_by_itself(store: Store) -> None:
    store.set_rules(("Young", "age < 30"), ("Austrian", "country = 'AT'"), ("Regular", ""))
    clients = [
        Client(
            kind=("person", "company")[number % 2],
            last_name=f"Fox {number}",
            company=("", "Øl & Søn")[number % 2],
            reference=("", f"K-{number}")[number % 3 == 0],
            date_of_birth=date(1950 + 4 * number, 2, 28) if number % 4 else None,
            country=("AT", "DE")[number % 5 == 0],
            tags=("vip",) if number % 7 == 0 else (),
            extra={"size": str(number), "shoe": "1"} if number % 6 == 0 else {},
            owner=("", "anna")[number % 2],
            status=("", "By hand")[number == 9],
        )
        for number in range(24)
    ]
    many = store.change(lambda tx: tx.add_all(clients))
    columns = {name: [getattr(client, name) for client in clients] for name in ("kind", "last_name", "company", "tags")}
    by_column = store.change(lambda tx: tx.add_columns(Client, columns))
    with store.repository.read() as snapshot:
        stored = [snapshot.get(Client, number) for number in many]
        named = [snapshot.get(Client, number) for number in by_column]
        assert snapshot.search("fox 23")[0].id in (many[23], by_column[23])
    store.change(lambda tx: tx.delete_all(Client, list(many)))
    single = [store.change(lambda tx, client=client: tx.add(client)) for client in clients]
    beside = {"id": 0, "created_at": EPOCH, "updated_at": EPOCH}
    assert [replace(client, **beside) for client in stored] == [replace(client, **beside) for client in single]
    assert {client.status for client in stored} == {"Young", "Austrian", "Regular", "By hand"}
    for name, values in columns.items():
        assert [getattr(client, name) for client in named] == values
    assert store.wrong() == []
