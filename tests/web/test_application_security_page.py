"""The page about security names tests that there are."""

import re

from tests.conftest import PROJECT


def test_every_requirement_leads_to_a_test_that_there_is() -> None:
    page = (PROJECT / "docs" / "security.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    there = {
        name
        for path in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert len(named) > 60
    assert named - there == set()
