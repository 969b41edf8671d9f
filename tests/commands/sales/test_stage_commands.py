"""Stages of the pipeline: named, ordered and ended as a team likes, and never without those that deals need."""

from datetime import timedelta
from decimal import Decimal

import pytest

from crm.commands.lookup import selected
from crm.errors import FieldError, ForbiddenError, NotFoundError, RefusedError
from crm.model import FIRST_STAGES, Deal, Stage, StageMove
from tests.commands.conftest import Office
from tests.support.clocks import TODAY

FIRST = ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]


def names(office: Office) -> list[str]:
    return [stage.name for stage in office("stages list")]


def stage(office: Office, name: str) -> Stage:
    found = selected(office.crm, Stage, name)
    assert isinstance(found, Stage)
    return found


def deals_in(office: Office, name: str) -> int:
    return len(office("deals list", stage=stage(office, name)).deals)


def stored(office: Office) -> int:
    with office.crm.read() as snapshot:
        return snapshot.count(Stage)


def test_a_store_gets_its_stages_with_the_first_change(office: Office) -> None:
    assert office("stages list") == list(FIRST_STAGES)
    assert stored(office) == 0
    office("stages rename", stage(office, "lead"), "First contact")
    assert names(office) == ["First contact", *FIRST[1:]]
    assert [stage.position for stage in office("stages list")] == [1, 2, 3, 4, 5, 6]
    office("history undo")
    assert names(office) == FIRST


def test_a_new_stage_follows_those_of_the_same_outcome(office: Office) -> None:
    office("stages add", "Trial", 60)
    office("stages add", "Paid", outcome="won")
    office("stages add", "Cold", 5, position=1)
    assert names(office) == ["Cold", "Lead", "Qualified", "Proposal", "Negotiation", "Trial", "Won", "Paid", "Lost"]
    assert [(stage(office, name).probability) for name in ("Trial", "Paid", "Cold")] == [60, 100, 5]
    assert [stage.position for stage in office("stages list")] == list(range(1, 10))
    office("stages add", "Never", outcome="lost", position=99)
    assert names(office)[-1] == "Never"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"name": "Trial"}, FieldError),
        ({"name": "", "probability": 10}, FieldError),
        ({"name": "Paid", "outcome": "won", "probability": 50}, FieldError),
        ({"name": "Gone", "outcome": "lost", "probability": 50}, FieldError),
        ({"name": "LEAD", "probability": 10}, RefusedError),
    ],
)
def test_an_impossible_stage_is_refused(office: Office, given: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        office("stages add", **given)
    assert (names(office), stored(office)) == (FIRST, 0)


def test_a_renamed_stage_is_shown_everywhere_at_once(office: Office) -> None:
    client = office.add()
    added = office("deals add", client, "Website", Decimal(10))
    office("stages rename", stage(office, "Lead"), "Interest")
    assert office("deals list").deals[0].stage.name == "Interest"
    assert office("deals show", added).times_in_stages[0].stage == "Interest"
    assert office("deals board").columns[0].sum.stage.name == "Interest"
    with pytest.raises(RefusedError, match="already"):
        office("stages rename", stage(office, "Interest"), "won")
    with pytest.raises(FieldError):
        office("stages rename", stage(office, "Interest"), "")
    assert office("stages rename", stage(office, "Interest"), "INTEREST").name == "INTEREST"
    with pytest.raises(NotFoundError):
        stage(office, "Lead")


def test_the_order_is_changed_and_the_board_follows(office: Office) -> None:
    moved = office("stages move", stage(office, "Proposal"), 1)
    assert [stage.name for stage in moved] == names(office) == [
        "Proposal", "Lead", "Qualified", "Negotiation", "Won", "Lost",
    ]  # fmt: skip
    office("stages move", stage(office, "Proposal"), 99)
    assert names(office)[-1] == "Proposal"
    added = office("deals add", office.add(), "First")
    assert office("deals show", added).item.stage.name == "Lead"


def test_the_probability_weighs_the_deals_from_then_on(office: Office) -> None:
    office("deals add", office.add(), "Website", Decimal(1000))
    assert office("deals list").weighted == Decimal("100.00")
    office("stages edit", stage(office, "Lead"), 33)
    assert office("deals list").weighted == Decimal("330.00")
    with pytest.raises(FieldError):
        office("stages edit", stage(office, "Won"), 90)
    with pytest.raises(FieldError):
        office("stages edit", stage(office, "Lead"))


def test_there_is_always_a_stage_for_each_outcome(office: Office) -> None:
    for name in ("Won", "Lost"):
        with pytest.raises(RefusedError, match="the only stage"):
            office("stages delete", stage(office, name))
        with pytest.raises(RefusedError, match="the only stage"):
            office("stages edit", stage(office, name), 10, outcome="open")
    for name in FIRST[:3]:
        office("stages delete", stage(office, name))
    with pytest.raises(RefusedError, match="the only stage"):
        office("stages delete", stage(office, "Negotiation"))
    with pytest.raises(RefusedError, match="the only stage"):
        office("stages edit", stage(office, "Negotiation"), outcome="won")
    assert names(office) == FIRST[3:]
    assert [stage.position for stage in office("stages list")] == [1, 2, 3]


def test_a_stage_with_deals_is_deleted_only_with_a_target_stage(office: Office) -> None:
    client = office.add()
    for title in ("One", "Two"):
        office("deals add", client, title, Decimal(5))
    with pytest.raises(FieldError, match="2 deals in Lead"):
        office("stages delete", stage(office, "Lead"))
    for wrong in ("Lead", "Won", "Lost"):
        with pytest.raises(FieldError):
            office("stages delete", stage(office, "Lead"), stage(office, wrong))
    with pytest.raises(RefusedError, match="There are deals"):
        office("stages edit", stage(office, "Lead"), outcome="lost")
    before = office.history()
    office("stages delete", stage(office, "Lead"), stage(office, "Proposal"))
    assert len(office.history()) == len(before) + 1
    assert (names(office), deals_in(office, "Proposal")) == (FIRST[1:], 2)
    assert [time.user for time in office("deals show", selected(office.crm, Deal, "One")).times_in_stages] == [
        "anna",
        "anna",
    ]
    office("history undo")
    assert (names(office), deals_in(office, "Lead")) == (FIRST, 2)
    with office.crm.read() as snapshot:
        assert snapshot.count(StageMove) == 2
    assert office.is_sound()


def test_won_deals_keep_their_closing_day(office: Office) -> None:
    client = office.add()
    added = office("deals add", client, "Website", Decimal(50))
    paid = office("stages add", "Paid", outcome="won")
    office("deals win", added)
    later = office.open(today=TODAY + timedelta(days=40))
    office("stages delete", stage(office, "Won"), paid, crm=later)
    shown = office("deals show", added, crm=later).item
    assert (shown.stage.name, shown.deal.closed_on, len(office.sales())) == ("Paid", TODAY, 1)


def test_only_an_admin_changes_stages(office: Office) -> None:
    office("users add", "boss@example.com", "Boss", "admin")
    password = office("users add", "jo@example.com", "Jo", "staff").password
    staff = office.crm.enter(office.crm, office.crm.accounts.open().authentication.sign_in("jo@example.com", password))
    lead = office("stages list", crm=staff)[0]
    for words, given in (
        ("stages add", {"name": "Trial", "probability": 10}),
        ("stages rename", {"stage": lead, "to": "Other"}),
        ("stages edit", {"stage": lead, "probability": 1}),
        ("stages move", {"stage": lead, "to": 2}),
        ("stages delete", {"stage": lead}),
    ):
        with pytest.raises(ForbiddenError):
            office(words, crm=staff, **given)
    assert (names(office), stored(office)) == (FIRST, 0)
    # The first deal brings the stages with it, whoever adds it, and in whichever of them.
    added = office("deals add", office.add(), "Website", Decimal(10), stage=stage(office, "Proposal"), crm=staff)
    assert office("deals show", added, crm=staff).item.stage.name == "Proposal"
    assert office("deals win", added, crm=staff).sale.user == "Jo"
