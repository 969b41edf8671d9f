"""Records as JSON: written and read back the same, and invalid values are refused."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import FileError
from crm.model import (
    BY_NAME,
    RECORDS,
    Client,
    Record,
    Sale,
    User,
    field_names,
    fields,
    named,
    people,
    typed_fields,
)
from crm.model.encoding import plain, record_of, value_of
from crm.model.fields import Person

TEXT = st.text(max_size=20).filter(lambda text: "\ud800" not in text)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(0, 2**40),
    bool: st.booleans(),
    str: TEXT,
    Decimal: st.decimals(0, Decimal("999999999999.99"), places=4),
    date: st.dates(),
    date | None: st.none() | st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    tuple[str, ...]: st.lists(TEXT, max_size=3).map(tuple),
}


def records(kind: type[Record]) -> st.SearchStrategy[Record]:
    """Any record of a kind."""
    hints = get_type_hints(kind)
    texts = st.dictionaries(TEXT, TEXT, max_size=3)
    return st.builds(kind, **{name: VALUES.get(hints[name], texts) for name in field_names(kind)})


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.kind_name)
@given(data=st.data())
def test_any_record_is_read_back_from_json(kind: type[Record], data: st.DataObject) -> None:
    record = data.draw(records(kind))
    written = json.loads(json.dumps(plain(record)))
    assert record_of(kind, written) == record
    assert list(written) == list(field_names(kind))


def test_json_is_written_for_people_and_scripts() -> None:
    sale = Sale(
        id=3, client=1, on=date(2026, 11, 1), amount=Decimal("1200"), created_at=datetime(2026, 11, 1, 9, tzinfo=UTC)
    )
    assert plain(sale) == {
        "id": 3,
        "created_at": "2026-11-01T09:00:00.000000Z",
        "updated_at": "1970-01-01T00:00:00.000000Z",
        "version": 0,
        "client": 1,
        "on": "2026-11-01",
        "amount": "1200.00",
        "note": "",
        "reference": "",
        "deal": 0,
        "user": "",
        "user_id": 0,
    }
    assert plain({"a": (Decimal("0.1"), Fraction(1, 3), None, {"x"})}) == {"a": ["0.10", "0.33", None, ["x"]]}
    with pytest.raises(TypeError):
        plain(object())
    with pytest.raises(TypeError):
        plain(1.5)


def test_a_missing_field_gets_its_default() -> None:
    assert record_of(Client, {"last_name": "A"}) == Client(last_name="A")


@pytest.mark.parametrize(
    ("kind", "name", "written"),
    [
        (Sale, "amount", "nan"),
        (Sale, "amount", "Infinity"),
        (Sale, "amount", "1e400"),
        (Sale, "amount", "12,50"),
        (Sale, "amount", "-5.00"),
        (Sale, "amount", "1.23456"),
        (Sale, "amount", "1" * 30),
        (Sale, "amount", "9" * 20),
        (Sale, "amount", None),
        (Sale, "amount", []),
        (Sale, "on", "2026-02-30"),
        (Sale, "on", None),
        (Sale, "on", 20261101),
        (Sale, "client", "1"),
        (Sale, "client", True),
        (Sale, "client", 1.0),
        (Client, "last_name", None),
        (Client, "last_name", 5),
        (Client, "marketing_consent", 1),
        (Client, "tags", "gold"),
        (Client, "tags", None),
        (Client, "tags", {"a": "b"}),
        (Client, "extra", []),
        (Client, "extra", "x"),
        (Client, "created_at", "yesterday"),
        (Client, "created_at", None),
        (Client, "date_of_birth", ""),
        (Client, "no_field", "x"),
    ],
    ids=str,
)
def test_an_invalid_value_is_refused_with_the_name_of_its_field(kind: type[Record], name: str, written: Any) -> None:
    with pytest.raises(FileError, match=f"{name} of a {kind.kind_name} cannot be"):
        value_of(kind, name, written)


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    moment = datetime(2026, 11, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert value_of(Client, "created_at", moment.isoformat()) == moment


# The records themselves


@pytest.mark.parametrize(
    ("given_fields", "kind", "name"),
    [
        ({"last_name": "A"}, "person", "A"),
        ({"first_name": "Anna", "last_name": "A", "company": "C"}, "person", "Anna A"),
        ({"company": "C"}, "company", "C"),
        ({"company": "C", "kind": "person"}, "person", "C"),
        ({"company": "C", "kind": "company", "last_name": "A"}, "company", "C"),
        ({"first_name": "Anna"}, "person", "Anna"),
    ],
)
def test_a_client_has_one_name_and_a_kind(given_fields: dict[str, str], kind: str, name: str) -> None:
    client = named(Client(**given_fields))  # type: ignore[arg-type]
    assert (client.kind, client.name) == (kind, name)
    assert named(client) == client


@pytest.mark.parametrize(
    ("given_fields", "field"),
    [
        ({}, "first_name"),
        ({"kind": "person"}, "first_name"),
        ({"kind": "company"}, "company"),
        ({"kind": "company", "last_name": "A"}, "company"),
    ],
)
def test_a_client_without_a_name_is_refused_at_the_field(given_fields: dict[str, str], field: str) -> None:
    from crm.errors import FieldError

    with pytest.raises(FieldError) as caught:
        named(Client(**given_fields))  # type: ignore[arg-type]
    assert caught.value.field == field


def test_every_field_has_a_description_and_computed_fields_cannot_be_typed() -> None:
    assert list(BY_NAME.values()) == list(RECORDS)
    for kind in RECORDS:
        described = fields(kind)
        assert [*field_names(kind)[:4]] == ["id", "created_at", "updated_at", "version"]
        besides = set(people(kind).values())
        assert list(described) == [name for name in field_names(kind)[4:] if name not in besides]
        assert people(kind).keys() == {name for name, field in described.items() if isinstance(field.check, Person)}
        assert all(field.label and field.check for field in described.values())
        assert len({field.option for field in described.values()}) == len(described)
    derived = {"status", "status_reason", "status_pinned_until", "status_before", "status_since"}
    derived |= {"total_spend", "sales_count", "first_sale_on", "last_sale_on"}
    derived |= {"last_contact_on", "next_follow_up_on", "open_amount", "credit"}
    assert set(fields(Client)) - set(typed_fields(Client)) == derived
    assert set(typed_fields(User)) == {"email", "name", "phone", "role", "client"}
    assert fields(Client)["date_of_birth"].option == "--date-of-birth"
    assert fields(Client)["tags"].option == "--tag"


def test_records_cannot_be_changed_in_place() -> None:
    with pytest.raises(AttributeError):
        Client().last_name = "X"  # type: ignore[misc]
