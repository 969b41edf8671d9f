"""Values of a wrong type are refused before they are written: a database might store one and fail to read it."""

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import FieldError
from crm.model import RECORDS, Client, Deal, Record, Sale, Setting, StatusRule, fields
from crm.model.encoding import types_of
from tests.conftest import Store

pytestmark = pytest.mark.contract

SALE = Sale(client=1, amount=Decimal("5.00"), on=date(2026, 11, 2))
PERSON = Client(kind="person", last_name="Client")
RULE = StatusRule(position=1, status="New", active=True)
NUMBER, AMOUNT, TEXT, TEXTS, NAMED = (
    "a whole number of at most 2147483647", "an amount", "text", "a tuple of texts", "a text for each name"
)  # fmt: skip
SIGN = "this has a character that cannot be kept"
# A record that can be added, and for one of its fields a value that no store keeps, what is wrong with it, and what is
# needed.
WRONG = [
    (SALE, "deal", "", "this is text", NUMBER),
    (SALE, "deal", "7", "this is text", NUMBER),
    (SALE, "deal", None, "no value", NUMBER),
    (SALE, "deal", True, "this is yes or no", NUMBER),
    (SALE, "deal", 7.0, "this is a number with a floating point", NUMBER),
    (SALE, "deal", 2**31, "this number is too large", NUMBER),
    (SALE, "deal", -(2**63), "this number is too large", NUMBER),
    (SALE, "user_id", "", "this is text", NUMBER),
    (SALE, "amount", 12.5, "this is a number with a floating point", AMOUNT),
    (SALE, "amount", 12, "this is a whole number", AMOUNT),
    (SALE, "amount", "12.50", "this is text", AMOUNT),
    (SALE, "amount", Decimal("NaN"), "this is no number", AMOUNT),
    (SALE, "amount", Decimal("-Infinity"), "this is no number", AMOUNT),
    (SALE, "on", "2026-11-02", "this is text", "a day"),
    (SALE, "on", datetime(2026, 11, 2, 9, 0, tzinfo=UTC), "this is a time", "a day"),
    (SALE, "note", None, "no value", TEXT),
    (SALE, "note", 7, "this is a whole number", TEXT),
    (SALE, "note", b"paid", "this is of another type", TEXT),
    (SALE, "note", "pa\x00id", SIGN, TEXT),
    (SALE, "note", "paid\n\ud83d", SIGN, TEXT),
    (SALE, "user", None, "no value", TEXT),
    (SALE, "user", 7, "this is a whole number", TEXT),
    (PERSON, "last_name", None, "no value", TEXT),
    (PERSON, "email", 7, "this is a whole number", TEXT),
    (PERSON, "status_since", "", "this is text", "a day"),
    (PERSON, "tags", "gold", "this is text", TEXTS),
    (PERSON, "tags", ["gold"], "this is of another type", TEXTS),
    (PERSON, "tags", ("gold", 7), "a part of this is no text", TEXTS),
    (PERSON, "tags", ("go\x00ld",), SIGN, TEXTS),
    (PERSON, "extra", "size=42", "this is text", NAMED),
    (PERSON, "extra", {"size": 42}, "a part of this is no text", NAMED),
    (PERSON, "extra", {"si\ud83dze": "42"}, SIGN, NAMED),
    (RULE, "active", 1, "this is a whole number", "yes or no"),
    (RULE, "active", "yes", "this is text", "yes or no"),
    (RULE, "active", None, "no value", "yes or no"),
]


def refused(store: Store, change: Any) -> FieldError:
    with pytest.raises(FieldError) as error:
        store.change(change)
    return error.value


def test_a_value_of_the_wrong_type_is_refused_by_name_and_nothing_is_changed(store: Store) -> None:
    store.add()
    stored = {type(record): store.change(lambda tx, record=record: tx.add(record)) for record in (SALE, PERSON, RULE)}
    before = store.everything()
    for record, name, value, wrong, needed in WRONG:
        label = getattr(fields(type(record)).get(name), "label", name)
        sentence = f"{label}: {wrong}, and {needed} is needed; nothing was changed"
        new = dataclasses.replace(record, **{name: value})
        kept = stored[type(record)]
        for change in (
            lambda tx, new=new: tx.add(new),
            lambda tx, new=new, record=record: tx.add_all([record, new]),
            lambda tx, kept=kept, name=name, value=value: tx.change(kept, **{name: value}),
        ):
            error = refused(store, change)
            assert (error.field, str(error)) == (name, sentence), (name, value)
    assert store.everything() == before
    assert not store.wrong()


def test_every_field_of_every_record_is_held_to_its_type(store: Store) -> None:
    """A value that is of none of the types there are."""

    class Strange:
        def __bool__(self) -> bool:
            return False

    for kind in RECORDS:
        days = {name: date(2026, 11, 2) for name, type_ in types_of(kind).items() if type_ is date}
        for field in dataclasses.fields(kind)[len(dataclasses.fields(Record)) :]:
            strange: Record = kind(**{**days, field.name: Strange()})
            assert refused(store, lambda tx, strange=strange: tx.add(strange)).field == field.name, kind


def test_a_value_of_the_right_type_is_stored(store: Store) -> None:
    """A subclass is what it is made of, and text may have lines, signs of its own and any script."""

    class Word(str):
        pass

    class Number(int):
        pass

    client = store.add(
        last_name="Client", tags=("gold", "new"), extra={"size": "42\u00a0½"}, notes="one\ntwo\t😀 \u200fא"
    )
    deal = store.change(lambda tx: tx.add(Deal(client=client.id, title="Boat")))
    sale = store.change(
        lambda tx: tx.add(
            Sale(client=Number(client.id), amount=Decimal(5), on=store.today, note=Word("paid"), deal=Number(deal.id))
        )
    )
    store.change(lambda tx: tx.change(sale, amount=Decimal("1E+2")))
    store.change(lambda tx: tx.change(client, status_pinned_until=None, extra={}, tags=()))
    store.change(lambda tx: tx.add(Setting(key="made", value="")))
    with store.repository.read() as snapshot:
        kept = snapshot.get(Sale, sale.id)
    assert (kept.note, kept.deal, kept.amount) == ("paid", deal.id, Decimal(100))
    assert not store.wrong()
