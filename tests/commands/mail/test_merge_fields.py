"""Merge fields: which are refused, their values for a client, and that no value of a record acts as a template."""

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.commands.mail.merge_fields import FIELDS, check, filled, values, values_of
from crm.errors import FieldError
from crm.model import Client, Contact
from crm.outward.markdown import html, plain
from crm.outward.mime import composed
from crm.outward.outgoing import Mail, Party, new_message_id
from crm.outward.sanitizing import line
from tests.commands.conftest import Office

signs = st.text(st.sampled_from("{}|*_`#>-+=[]()!<>&\\~.:@/\"'1a \n\r\t") | st.characters(codec="utf-8"), max_size=60)
# What somebody may have put before and after a field; its own Markdown is theirs.
plain_words = st.text(st.characters(categories=("Lu", "Ll"), max_codepoint=0x17F), max_size=10)


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def of(office: Office, client: Client, contact: Contact | None = None) -> dict[str, str]:
    """The merge fields of a client, with their values."""
    with office.crm.read() as snapshot:
        return dict(values(office.crm, snapshot, client, contact))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Dear {first_nam},", "no field {first_nam}, at position 6. Did you mean {first_name}?"),
        ("Dear\nall {frist_name|friend}", "at position 5 of line 2. Did you mean {first_name}?"),
        ("{shoe size}", "The fields are {first_name}, {last_name}"),
        ("{}", "no field {}"),
        ("{extra.}", "no field {extra.}"),
        ("{|you}", "no field {}"),
        ("{client.__class__}", "no field"),
        ("{first_name!r}", "no field"),
        ("{first_name:>9}", "no field"),
        ("{0}", "no field"),
        ("Dear {first_name", "the { at position 6 is never closed"),
        ("Dear {first_name\n}", "the { at position 6 of line 1 is never closed"),
        ("Dear first_name}", "the } at position 16 closes nothing; write }}"),
        ("{first_{name}}", "the { at position 1 is never closed"),
    ],
)
def test_an_unknown_merge_field_is_refused_with_its_position(text: str, message: str) -> None:
    for refused in (check, lambda it: filled(it, {}, markdown=True), lambda it: filled(it, {}, markdown=False)):
        with pytest.raises(FieldError, match=re.escape(message)):
            refused(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear {first_name},", "Dear Anna,"),
        ("Dear { First_Name },", "Dear Anna,"),
        ("Dear {last_name|friend},", "Dear friend,"),
        ("Dear {last_name| my dear friend },", "Dear my dear friend,"),
        ("Dear {last_name},", "Dear ,"),
        ("{extra.shoe size} {EXTRA.Shoe  Size} {extra.hat|none}", "42 42 none"),
        ("{{sic}} }} {{", "{sic} } {"),
        ("{{{first_name}}}", "{Anna}"),
        ("{first_name|a|b}{last_name|a|b}", "Annaa|b"),
    ],
)
def test_fields_are_filled_and_two_braces_are_one(text: str, expected: str) -> None:
    check(text)
    assert filled(text, {"first_name": "Anna", "extra.shoe size": "42"}, markdown=False) == expected


def test_a_client_has_every_field_in_the_team_s_spelling(office: Office) -> None:
    office("settings set", "language", "de_AT")
    office("settings set", "currency", "EUR")
    office("settings set", "company_name", "Example Ltd")
    anna = office.add(
        first_name="Anna", last_name="Bauer", company="Bauer & Co", email="anna@example.com", city="Graz",
        owner="maria", extra={"Shoe size": "42"},
    )  # fmt: skip
    office.sell(anna, "40000.50", date(2026, 11, 3))
    found = of(office, office.client(anna))
    assert found == {
        "first_name": "Anna",
        "last_name": "Bauer",
        "name": "Anna Bauer",
        "company": "Bauer & Co",
        "contact_name": "Anna Bauer",
        "email": "anna@example.com",
        "city": "Graz",
        "status": "VIP",
        "total_spend": "€ 40.000,50",
        "last_sale_on": "03.11.2026",
        "owner": "maria",
        "my_name": "anna",
        "company_name": "Example Ltd",
        "extra.shoe size": "42",
    }
    assert set(FIELDS) < set(found)


def test_a_company_is_addressed_through_its_primary_contact_by_default(office: Office) -> None:
    acme, lonely = office.add(company="Acme"), office.add(company="Lonely")
    eva = office("contacts add", acme, "Eva")
    max_ = office("contacts add", acme, "Max")
    assert eva.is_primary
    assert of(office, acme)["contact_name"] == "Eva"
    assert of(office, acme, max_)["contact_name"] == "Max"
    assert of(office, lonely)["contact_name"] == "Lonely"
    anna = office.add(first_name="Anna")
    office("contacts add", anna, "Her assistant")
    with office.crm.read() as snapshot:
        many = {client.id: found for client, found in values_of(office.crm, snapshot, [acme, lonely, anna])}
    assert {number: found["contact_name"] for number, found in many.items()} == {
        acme.id: "Eva", lonely.id: "Lonely", anna.id: "Anna",
    }  # fmt: skip
    assert many[acme.id] == of(office, acme)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Dear {{first_name}}",
            "{{first_name}} at position 6 would be sent as the text {first_name}; write {first_name} ",
        ),
        ("Dear {{ name|friend }}", "would be sent as the text { name|friend }; write {name|friend} for the field"),
        ("Dear {{contact.firstname}}", "sent as the text {contact.firstname}; write {first_name} for the field"),
        ("Dear *|FNAME|*", "*|FNAME|* at position 6 is not a field; the fields are {first_name}, "),
    ],
)
def test_a_field_as_other_programs_write_it_is_refused(text: str, message: str) -> None:
    with pytest.raises(FieldError, match=re.escape(message)):
        check(text)


@given(st.text(st.characters(exclude_characters="{}", codec="utf-8"), max_size=60), st.booleans())
def test_a_text_without_braces_stays_as_it_is(text: str, markdown: bool) -> None:
    check(text)
    assert filled(text, {"first_name": "Anna"}, markdown=markdown) == text


@given(st.text(max_size=60))
def test_every_text_can_be_written_with_its_braces_doubled(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert filled(doubled, {}, markdown=False) == text


@given(signs, plain_words, plain_words, st.integers(0, 3))
def test_text_from_a_record_is_plain_text(value: str, before: str, after: str, backslashes: int) -> None:
    """Neither as a field, nor as Markdown or HTML, whatever stands around it."""
    found = {"first_name": line(value), "last_name": "WRONG"}
    template = f"{before}{chr(92) * backslashes}{{first_name|}}{after}"
    page = Elements(html(filled(template, found, markdown=True)))
    assert page.elements <= {"html", "head", "meta", "body", "p", "br"}
    assert "WRONG" not in page.text
    if found["first_name"]:
        shown = f"{before}{chr(92) * ((backslashes + 1) // 2)}{found['first_name']}{after}"
        assert plain(filled(template, found, markdown=True)).strip() == shown.strip()


@given(signs, signs)
def test_two_adjacent_values_form_no_new_field(one: str, other: str) -> None:
    found = {"first_name": line(one), "last_name": line(other)}
    page = Elements(html(filled("{first_name}{last_name} and {first_name}", found, markdown=True)))
    assert page.elements <= {"html", "head", "meta", "body", "p", "br"}


@given(signs)
def test_a_value_in_a_subject_adds_no_header(value: str) -> None:
    subject = filled("About {company}", {"company": line(value)}, markdown=False)
    sender = Party("crm@example.com")
    mail = Mail(
        message_id=new_message_id(sender), at=datetime(2026, 11, 21, tzinfo=UTC), sender=sender,
        to=(Party("anna@example.com"),), subject=subject, text="Hello",
    )  # fmt: skip
    message = composed(mail)
    assert sorted(message.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Content-Type", "MIME-Version"]
    )


def test_values_are_single_lines(office: Office) -> None:
    anna = Client(id=1, kind="person", first_name="Anna\r\nBcc: eve@example.com", extra={"note": "one\ntwo"})
    found = of(office, anna)
    assert found["first_name"] == "Anna Bcc: eve@example.com"
    assert found["extra.note"] == "one two"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Book](https://x.example/?n={name})", '<a href="https://x.example/?n=Jo%20%26%20%28Co%29%2A">Book</a>'),
        ("<https://x.example/?e={email}>", 'href="https://x.example/?e=anna%40example.com"'),
        ("See https://x.example/?e={email}.", 'href="https://x.example/?e=anna%40example.com"'),
        ("`{email}`", "<code>anna@example.com</code>"),
        ("```\n{extra.code}\n```", "<code>a'''b"),
        ("`{extra.code}`", "<code>a'''b</code>"),
        ("[site]({extra.site})", '<a href="https://www.example.org/a_b">site</a>'),
        ("[site]({extra.bad})", "[site](javascript"),
        ("[{name}](https://x.example/)", '<a href="https://x.example/">Jo &amp; (Co)*</a>'),
        ("**{name}** and {extra.site}", "<strong>Jo &amp; (Co)*</strong> and www.example.org/a_b"),
        # What stands in a record becomes no link.
        ("Dear {extra.link}", "<p>Dear https://evil.example/</p>"),
        ("[x](https://x.example/{nobody|a b})", 'href="https://x.example/a%20b"'),
        ("[x](https://x.example/{nobody})", 'href="https://x.example/"'),
    ],
)
def test_a_field_in_a_link_or_in_code_is_written_as_it_must_be_there(text: str, expected: str) -> None:
    known = {
        "name": "Jo & (Co)*", "email": "anna@example.com", "extra.code": "a```b", "extra.site": "www.example.org/a_b",
        "extra.bad": "javascript:alert(1)", "extra.link": "https://evil.example/",
    }  # fmt: skip
    made = html(filled(text.replace("{nobody", "{city"), known, markdown=True))
    assert expected in made, made
    assert "qzfield" not in made


@pytest.mark.parametrize(
    ("text", "shown"), [("{first_name}b*", "*b*"), ("\\{first_name}b*", "\\*b*"), ("\\\\{first_name}b*", "\\*b*")]
)
def test_a_backslash_before_a_field_does_not_bare_its_value(text: str, shown: str) -> None:
    assert plain(filled(text, {"first_name": "*"}, markdown=True)) == f"{shown}\n"
