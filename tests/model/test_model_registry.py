"""The registry of records: declarations that contradict each other are refused before anything is stored."""

from dataclasses import replace
from importlib import import_module

import pytest

from crm.model import RECORDS, Client, Record, Sale, Stage
from crm.model.kind import Effects, Kind
from crm.model.record import field_values, record_of_values, record_with
from crm.model.registry import _WITHOUT_RECORDS, _refuse_wrong


@pytest.mark.parametrize(
    ("about", "message"),
    [
        (replace(Sale.about, name="client"), "client"),
        (replace(Sale.about, tab=Client.about.tab), str(Client.about.tab.number)),
        (replace(Sale.about, sums=(*Sale.about.sums, Sale.about.sums[0])), Sale.about.sums[0].name),
    ],
)
def test_a_duplicate_declaration_is_refused(about: Kind, message: str) -> None:
    wrong = type("Wrong", (Sale,), {"about": about})
    with pytest.raises(ValueError, match=message):
        _refuse_wrong([*(kind for kind in RECORDS if kind is not Sale), wrong])


def test_a_client_feeds_no_sum() -> None:
    wrong = type("Wrong", (Client,), {"about": replace(Client.about, sums=Sale.about.sums)})
    with pytest.raises(ValueError, match="feeds no sum"):
        _refuse_wrong([wrong])


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        (Effects(bills="invioce"), "does not have: invioce"),
        (Effects(spends="cleint"), "does not have: cleint"),
        (Effects(reviews="client", reviewed_by=frozenset(("amount", "amuont"))), "does not have: amuont"),
        (Effects(reviewed_by=frozenset(("amount",))), "half declared"),
        (Effects(recounts=frozenset(("currency",))), "half declared"),
        (Effects(recounts_by="note"), "half declared"),
    ],
)
def test_effects_name_existing_fields_and_are_complete(effects: Effects, message: str) -> None:
    wrong = type("Wrong", (Sale,), {"about": replace(Sale.about, effects=effects)})
    with pytest.raises(ValueError, match=message):
        _refuse_wrong([wrong])


def test_records_compare_and_are_printed_field_by_field() -> None:
    won, same = (Stage(id=1, name="won", probability=100) for _ in range(2))
    assert won == same
    assert hash(won) == hash(same)
    assert won != replace(won, probability=90)
    assert won != Sale(id=1)
    assert repr(won).startswith("Stage(id=1, created_at=datetime.datetime(1970, ")
    assert "name='won', " in repr(won)


@pytest.mark.parametrize("kind", RECORDS)
def test_records_share_their_compiled_methods(kind: type[Record]) -> None:
    assert {"__eq__", "__hash__", "__repr__"}.isdisjoint(vars(kind))


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_made_from_values_equals_one_from_the_constructor(kind: type[Record]) -> None:
    whole = kind(id=7, version=3)
    assert record_with(kind, {"version": 3, "id": 7}) == whole
    made = record_of_values(kind, field_values(whole))
    assert (made, type(made)) == (whole, kind)
    with pytest.raises(TypeError, match="nickname"):
        record_with(kind, {"id": 7, "nickname": "x"})
    with pytest.raises(ValueError, match="zip"):
        record_of_values(kind, [7])


def test_two_records_share_no_object_that_can_be_changed() -> None:
    one, other = record_with(Client, {"id": 1}), record_with(Client, {"id": 2})
    assert one.extra == other.extra == {}
    assert one.extra is not other.extra


@pytest.mark.parametrize("name", _WITHOUT_RECORDS)
def test_every_record_is_declared_in_a_known_module(name: str) -> None:
    module = import_module(f"crm.model.{name}")
    assert [value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__
            and isinstance(value, type) and issubclass(value, Record)] == []  # fmt: skip
