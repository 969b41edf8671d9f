"""Services: their prices and taxes, changes and deletion."""

from decimal import Decimal
from typing import Any

import pytest

from crm.errors import FieldError, Question, RefusedError
from crm.model import Service
from tests.commands.conftest import Office


def names(office: Office, **arguments: Any) -> list[str]:
    return [service.name for service in office("services list", **arguments)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("Z", "0")),
        ({"tax_rate": Decimal(19)}, ("S", "19")),
        ({"tax_category": "E"}, ("E", "0")),
        ({"tax_category": "AE", "tax_rate": Decimal(0)}, ("AE", "0")),
    ],
)
def test_a_category_follows_from_its_rate(office: Office, given: dict[str, Any], expected: tuple[str, str]) -> None:
    service: Service = office("services add", "Consulting", Decimal("0.0825"), **given)
    assert (service.tax_category, service.tax_rate) == (expected[0], Decimal(expected[1]))
    assert (service.price, service.unit, service.period, service.active) == (Decimal("0.0825"), "C62", "once", True)


@pytest.mark.parametrize(("category", "rate"), [("S", "0"), ("E", "19"), ("O", "0.01")])
def test_a_category_that_does_not_go_with_its_rate_is_refused(office: Office, category: str, rate: str) -> None:
    with pytest.raises(FieldError) as refused:
        office("services add", "Consulting", Decimal(1), tax_category=category, tax_rate=Decimal(rate))
    assert refused.value.field == "tax_rate"
    assert names(office) == []


def test_the_rate_of_the_settings_is_the_usual_one(office: Office) -> None:
    office("settings set", "tax_rate", "20 %")
    assert office("services add", "One", Decimal(1)).tax_rate == Decimal(20)
    exempt = office("services add", "Two", Decimal(1), tax_category="E")
    assert (exempt.tax_category, exempt.tax_rate) == ("E", 0)


def test_a_service_is_edited_retired_and_offered_again(office: Office) -> None:
    office("services add", "Workshop", Decimal(500), tax_rate=Decimal(19))
    office("services add", "Consulting", Decimal(100), tax_rate=Decimal(19))
    (consulting, _) = office("services list")
    edited = office("services edit", consulting, {"tax_category": "G"})
    assert (edited.tax_category, edited.tax_rate) == ("G", 0)
    back = office("services edit", edited, {"tax_rate": Decimal(7)})
    assert (back.tax_category, back.tax_rate) == ("S", 7)
    office("services retire", consulting)
    assert names(office) == ["Workshop"]
    assert names(office, all_=True, text="consult") == ["Consulting"]
    office("services edit", office("services show", consulting), {"active": True})
    assert names(office) == ["Consulting", "Workshop"]


def test_two_services_cannot_have_the_same_name_in_any_case(office: Office) -> None:
    service = office("services add", "Consulting", Decimal(100))
    other = office("services add", "Workshop", Decimal(100))
    office("services retire", service)
    with pytest.raises(RefusedError, match=r"There is already a service called Consulting.*services edit 1 --active"):
        office("services add", "consulting", Decimal(1))
    with pytest.raises(RefusedError, match="There is already a service called Consulting"):
        office("services edit", other, {"name": "CONSULTING"})
    assert office("services edit", service, {"name": "consulting"}).name == "consulting"


def test_deleting_a_service_needs_a_confirmation(office: Office) -> None:
    service = office("services add", "Consulting", Decimal(100))
    with pytest.raises(Question, match="deletes the service Consulting"):
        office("services delete", service)
    office("services delete", service, yes=True)
    assert names(office) == []
    office("history undo")
    assert names(office) == ["Consulting"]
