"""The line of a postal address that names the town."""

import pytest

from crm.model.postal_addresses import town_line


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (("US", "43215", "Columbus", "OH"), "Columbus, OH 43215"),
        (("US", "", "Columbus", ""), "Columbus"),
        (("US", "43215", "", "OH"), "OH 43215"),
        (("", "43215", "Columbus", "OH"), "Columbus, OH 43215"),
        (("", "43215", "Columbus", ""), "43215 Columbus"),
        (("CA", "M5H 2N2", "Toronto", "ON"), "Toronto ON M5H 2N2"),
        (("GB", "SW1A 1AA", "London", ""), "London SW1A 1AA"),
        (("GB", "m1 1ae", "Manchester", ""), "Manchester M1 1AE"),
        (("DE", "80331", "Munich", "Bavaria"), "80331 Munich"),
        (("", "", "", ""), ""),
    ],
)
def test_a_town_line_follows_the_order_of_its_country(parts: tuple[str, str, str, str], line: str) -> None:
    assert town_line(*parts) == line
