"""Time zones as people write them: by name, by city, or by a part of either."""

import pytest

from crm.config import TimeZone
from crm.errors import FieldError
from crm.model import Conventions


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("europe/vienna", "Europe/Vienna"),
        ("Vienna", "Europe/Vienna"),
        ("new york", "America/New_York"),
        ("York", "America/New_York"),
        ("los ang", "America/Los_Angeles"),
    ],
)
def test_a_zone_is_found_by_its_name_or_a_part_of_its_city(typed: str, zone: str) -> None:
    assert TimeZone().read(typed, Conventions()) == zone


@pytest.mark.parametrize("typed", ["Ohio", "columbus", "yo", "", "/", "[", "ork"])
def test_an_unknown_zone_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(FieldError, match="the nearest big city, for example New York"):
        TimeZone().read(typed, Conventions())


def test_all_matching_zones_are_listed() -> None:
    with pytest.raises(FieldError, match=r"did you mean .*America/Santarem"):
        TimeZone().read("San", Conventions())
