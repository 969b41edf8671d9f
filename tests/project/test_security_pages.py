"""The security pages: every requirement has a line, every named test exists, and no link is dead."""

import re
from collections import Counter

import pytest

from tests.conftest import PROJECT

DOCS = PROJECT / "docs"
# OWASP ASVS 5.0.0: how many requirements of levels 1 and 2 each section has. They are numbered from 1 on without gaps.
REQUIREMENTS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2,
    "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2,
    "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
    "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1,
    "9.1": 3, "9.2": 4,
    "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3,
    "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4,
    "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5,
    "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7,
    "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3,
    "17.1": 1, "17.2": 4, "17.3": 2,
}  # fmt: skip
STATES = ("met", "partly", "not met", "n/a")


def lines() -> list[tuple[str, str, str]]:
    """The lines of the index: number, state, and how."""
    page = (DOCS / "asvs.md").read_text("utf-8")
    return re.findall(r"^\| (\d+\.\d+\.\d+) \| [^|]+ \| ([^|]*) \| ([^|]*) \|$", page, re.MULTILINE)


def test_every_requirement_has_one_line_in_its_place() -> None:
    expected = [f"{section}.{number + 1}" for section, count in REQUIREMENTS.items() for number in range(count)]
    assert len(expected) == 253
    assert [number for number, _, _ in lines()] == expected


def test_every_requirement_has_a_state_and_a_reason() -> None:
    for number, state, how in lines():
        assert state in STATES, number
        assert len(how) > 5, number


def test_the_summary_counts_the_lines() -> None:
    page = (DOCS / "asvs.md").read_text("utf-8")
    answer = re.findall(r"^\| (?:\[V(\d+) [^|]*|(all)) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    counted = Counter((number.partition(".")[0], state) for number, state, _ in lines())
    chapters = [str(number) for number in range(1, 18)]
    by_chapter = {chapter: [counted[chapter, state] for state in STATES] for chapter in chapters}
    by_chapter["all"] = [sum(counts) for counts in zip(*by_chapter.values(), strict=True)]
    assert {chapter or everything: [*map(int, numbers)] for chapter, everything, *numbers in answer} == by_chapter


@pytest.mark.parametrize("name", ["asvs.md", "security.md", "accounts.md"])
def test_every_test_that_a_page_names_is_there(name: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (DOCS / name).read_text("utf-8")))
    other = {
        found
        for path in (PROJECT / "tests").rglob("test_*.py")
        for found in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert named - other == set()


def test_every_link_to_a_place_on_a_page_leads_there() -> None:
    for page in [PROJECT / "README.md", *DOCS.glob("*.md")]:
        text = page.read_text("utf-8")
        for target, place in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", text):
            other = (page.parent / target).read_text("utf-8") if target else text
            assert place in anchors(other), f"{page.name} links to {target}#{place}"


def anchors(text: str) -> set[str]:
    """The places on a page, as its headings name them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
