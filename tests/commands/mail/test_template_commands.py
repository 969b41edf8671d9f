"""Templates: checked when saved, previewed as a client would read them, changed and deleted."""

from typing import Any

import pytest

from crm.commands.lookup import selected
from crm.errors import FieldError, NotFoundError, Question, RefusedError
from crm.model import Template
from crm.outward.sms_parts import parts
from tests.commands.conftest import Office


def add(office: Office, name: str = "Welcome", **given: Any) -> Template:
    given = {"subject": "Hello {name}", "body": "Dear **{first_name|friend}**,\nthank you.", **given}
    added: Template = office("templates add", name, **given)
    return added


def test_a_template_is_stored_as_written(office: Office) -> None:
    added = add(office)
    assert (added.name, added.channel, added.subject) == ("Welcome", "email", "Hello {name}")
    assert office("templates show", added) == added
    text = add(office, "Reminder", channel="sms", subject="", body="{name}, see you tomorrow")
    add(office, "another")
    assert [template.name for template in office("templates list")] == ["another", "Reminder", "Welcome"]
    assert office("templates list", "sms") == [text]
    assert selected(office.crm, Template, "reminder") == selected(office.crm, Template, str(text.id)) == text
    with pytest.raises(NotFoundError):
        selected(office.crm, Template, "Remind")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"body": "Dear {frist_name}"}, "body"),
        ({"subject": "Hello {name"}, "subject"),
        ({"subject": ""}, "subject"),
        ({"body": ""}, "body"),
        ({"name": ""}, "name"),
        ({"channel": "sms"}, "subject"),
    ],
)
def test_a_template_that_could_not_be_sent_is_not_saved(office: Office, given: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as error:
        add(office, **given)
    assert error.value.field == field
    assert office("templates list") == []
    kept = add(office)
    with pytest.raises(FieldError) as error:
        office("templates edit", kept, given)
    assert error.value.field == field
    assert office("templates list") == [kept]


def test_two_templates_never_have_one_name(office: Office) -> None:
    welcome, other = add(office), add(office, "Other")
    with pytest.raises(RefusedError):
        add(office, "WELCOME")
    with pytest.raises(RefusedError):
        office("templates edit", other, {"name": "welcome"})
    assert office("templates edit", welcome, {"name": "WELCOME"}).name == "WELCOME"


def test_a_template_is_edited_deleted_and_undone(office: Office) -> None:
    added = add(office)
    edited = office("templates edit", added, {"body": "Hello {city}"})
    assert (edited.subject, edited.body) == ("Hello {name}", "Hello {city}")
    with pytest.raises(FieldError):
        office("templates edit", edited, {})
    with pytest.raises(Question):
        office("templates delete", edited)
    office("templates delete", edited, yes=True)
    assert office("templates list") == []
    assert office.history()[:3] == [
        "deleted the template Welcome", "edited the template Welcome", "added the template Welcome",
    ]  # fmt: skip
    office("history undo")
    assert [template.body for template in office("templates list")] == ["Hello {city}"]


def test_a_preview_equals_the_sent_text_and_names_missing_values(office: Office) -> None:
    template = add(office, body="Dear **{first_name|friend}** of {city},\n\n* {extra.size}")
    with pytest.raises(NotFoundError):
        office("templates preview", template)
    office.add(first_name="*Anna*", extra={"size": "_42_"})
    shown = office("templates preview", template)
    assert (shown.client.first_name, shown.subject) == ("*Anna*", "Hello *Anna*")
    assert shown.text == "Dear *Anna* of ,\n\n- _42_"
    assert (shown.missing, shown.parts) == (["city"], 0)
    company = office.add(company="Acme", city="Graz")
    shown = office("templates preview", template, company)
    assert shown.text == "Dear friend of Graz,\n\n-"
    assert shown.missing == ["extra.size"]


def test_the_preview_of_an_sms_counts_its_parts(office: Office) -> None:
    office.add(first_name="*Anna*")
    template = add(office, channel="sms", subject="", body="Dear {first_name}, " + "x" * 141)
    shown = office("templates preview", template)
    assert shown.text.startswith("Dear *Anna*, x")
    assert shown.parts == 1
    anna = office.add(first_name="Ánnaḱ")
    assert office("templates preview", template, anna).parts == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0), ("a", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3),
        ("€" * 80, 1), ("€" * 81, 2), ("€" * 152, 2), ("€" * 153, 3),
        ("“" * 70, 1), ("“" * 71, 2), ("“" * 134, 2), ("“" * 135, 3),
        ("😀" * 35, 1), ("😀" * 36, 2), ("😀" * 66, 2), ("😀" * 67, 3),
    ],
)  # fmt: skip
def test_the_parts_of_an_sms_are_counted(text: str, expected: int) -> None:
    assert parts(text) == expected
