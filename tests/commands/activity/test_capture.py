"""Quick capture: a line becomes an interaction and a follow-up, and nothing of what was typed is lost."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.commands.activity.capture import Captured
from crm.commands.activity.quick_notes import QuickNote, read_jotting
from crm.errors import CRMError, FieldError, NotFoundError, Question
from crm.model import Client, Conventions, FollowUp, Interaction
from tests.commands.conftest import Office
from tests.support.clocks import TODAY, standing_on

pytestmark = pytest.mark.dated

BY = Conventions(clock=standing_on(TODAY))
# A Saturday.
FRIDAY, MONDAY = date(2026, 11, 27), date(2026, 11, 23)


@pytest.mark.parametrize(
    ("line", "kind", "body", "due_on", "due_time"),
    [
        ("call Acme, wants a quote, fri 10:00", "call", "Acme, wants a quote", FRIDAY, "10:00"),
        ("CALLED Acme tomorrow", "call", "Acme", TODAY + timedelta(days=1), ""),
        ("met: Jo Fox about it, next week", "meeting", "Jo Fox about it", MONDAY, ""),
        ("mail Acme in 3 days", "email", "Acme", TODAY + timedelta(days=3), ""),
        ("e-mail Acme in two weeks at 9am", "email", "Acme", TODAY + timedelta(days=14), "09:00"),
        ("sms Acme 2026-12-01 9am", "sms", "Acme", date(2026, 12, 1), "09:00"),
        ("note Acme, 10:00 on friday", "note", "Acme", FRIDAY, "10:00"),
        ("Acme, by next fri", "note", "Acme", FRIDAY, ""),
        ("Acme, next month", "note", "Acme", date(2026, 12, 1), ""),
        ("Acme in a month, 4.30 pm", "note", "Acme", date(2026, 12, 21), "16:30"),
        ("Acme today at 16h", "note", "Acme", TODAY, "16:00"),
        ("call Acme, 12/24/2026", "call", "Acme", date(2026, 12, 24), ""),
        # What does not say when is text.
        ("call Acme, room 42", "call", "Acme, room 42", None, ""),
        ("call Acme at 10:00", "call", "Acme at 10:00", None, ""),
        ("call Acme, since 2020-01-01", "call", "Acme, since 2020-01-01", None, ""),
        ("call Acme yesterday", "call", "Acme yesterday", None, ""),
        ("call Acme, fri 25:00", "call", "Acme, fri 25:00", None, ""),
        ("Acme tomorrow we speak", "note", "Acme tomorrow we speak", None, ""),
        ("callable Acme", "note", "callable Acme", None, ""),
        ("", "note", "", None, ""),
        ("call", "call", "", None, ""),
    ],
)
def test_a_line_is_taken_apart(line: str, kind: str, body: str, due_on: date | None, due_time: str) -> None:
    read = read_jotting(line, BY)
    assert (read.kind, read.body.strip(" ,:"), read.due_on, read.due_time) == (kind, body, due_on, due_time)


PIECES = st.sampled_from(
    ["call", "met", "note:", "Acme", "Jo", "Fox,", "wants", "in", "3", "days", "next", "week", "fri", "10:00", "9am",
     "at", "on", "tomorrow", "2026-12-01", "99:99", "in 999 months", "-", "—", "², ٣", "\n", "\t", "👩‍🔬", "[b]", "0"]
)  # fmt: skip
LINES = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map(" ".join))


@given(LINES, st.dates(date(1990, 1, 1), date(2090, 12, 31)), st.sampled_from(["en_US", "de_AT", "ja_JP"]))
@example("call Acme in 999 months", date(2026, 11, 21), "en_US")
@example("Acme next week", date(2026, 11, 22), "en_US")
def test_whatever_is_typed_is_read_and_what_was_typed_is_all_there(line: str, today: date, language: str) -> None:
    by = Conventions(language=language, clock=standing_on(today))
    read = read_jotting(line, by)
    assert read.head + read.body + read.tail == line
    assert (read.due_on is None) == (read.tail == "")
    assert read.due_on is None or read.due_on >= today
    assert read.due_on is not None or not read.due_time
    # What was understood is understood again, by itself.
    if read.tail:
        alone = read_jotting(f"x {read.tail}", by)
        assert (alone.due_on, alone.due_time) == (read.due_on, read.due_time)
    for begun, rest in read.beginnings():
        assert begun
        assert begun in read.body
        assert rest in read.body
        assert _letters(begun + rest) == _letters(read.body)
    name, rest = read.apart()
    assert _letters(name + rest) == _letters(read.body)


def _letters(text: str) -> list[str]:
    """The text without what stands between its pieces."""
    return [char for char in text if not (char.isspace() or char in ",;:.-–—")]  # noqa: RUF001


def captured(office: Office, line: str, **answers: Any) -> Captured:
    done: Captured = office("capture", line, yes=True, **answers)
    return done


def stored(office: Office, kind: Any) -> list[Any]:
    with office.crm.read() as snapshot:
        return list(snapshot.find_all(kind))


def test_it_is_shown_before_it_is_saved_in_one_change(office: Office) -> None:
    acme = office.add(company="Acme")
    jo = office("contacts add", acme, "Jo Fox")
    before = len(office.history())
    with pytest.raises(Question) as asked:
        office("capture", "call Jo Fox, wants a quote, fri 10:00")
    assert asked.value.parameter == "yes"
    assert asked.value.sentence.splitlines() == [
        "Call with Jo Fox of Acme, Nov 21, 2026: wants a quote",
        "Follow-up on Fri, Nov 27, 2026 at 10:00, for anna: wants a quote",
        "Save it?",
    ]
    assert (stored(office, Interaction), stored(office, FollowUp)) == ([], [])
    done = captured(office, "call Jo Fox, wants a quote, fri 10:00")
    (call,), (follow_up,) = stored(office, Interaction), stored(office, FollowUp)
    assert (call.client, call.contact, call.kind, call.subject, call.on) == (
        acme.id, jo.id, "call", "wants a quote", TODAY,
    )  # fmt: skip
    assert (follow_up.due_on, follow_up.due_time, follow_up.what, follow_up.user) == (
        FRIDAY, "10:00", "wants a quote", "anna",
    )  # fmt: skip
    assert (done.interaction, done.follow_up) == (call, follow_up)
    assert (done.client.last_contact_on, done.client.next_follow_up_on) == (TODAY, FRIDAY)
    assert len(office.history()) == before + 1
    office("history undo")
    assert (stored(office, Interaction), stored(office, FollowUp)) == ([], [])
    assert office.is_sound()


def test_without_a_day_nothing_is_to_follow(office: Office) -> None:
    office.add(company="Acme")
    done = captured(office, "met Acme: room 42")
    assert (done.interaction.kind, done.interaction.subject, done.follow_up) == ("meeting", "room 42", None)
    done = captured(office, "call Acme, tomorrow")
    assert done.follow_up is not None
    assert (done.interaction.subject, done.follow_up.what) == ("", "Call: Acme")


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ("call Acme Holding, hello", "Acme Holding", "hello"),
        ("call acme hold hello", "Acme Holding", "hello"),
        ("call Acme hello", "Acme", "hello"),
        ("call Ächte Änna, hello", "Änna Ächte", "hello"),
        ("call Änna hello", "Änna Ächte", "hello"),
        ("call anna@example.com hello", "Änna Ächte", "hello"),
        ("call #1 hello", "Acme", "hello"),
        ("call 2, hello", "Acme Holding", "hello"),
        ("call Smith, Sons & Co, hello", "Smith, Sons & Co", "hello"),
        ("call Hill hello", "Acme Holding", "hello"),
        ("Hill, Acme is dear", "Acme Holding", "Acme is dear"),
    ],
)
def test_the_longest_beginning_that_finds_one_is_the_client(office: Office, line: str, name: str, text: str) -> None:
    office.add(company="Acme")
    holding = office.add(company="Acme Holding")
    office.add(first_name="Änna", last_name="Ächte", email="anna@example.com")
    office.add(company="Smith, Sons & Co")
    office("contacts add", holding, "Bo Hill")
    done = captured(office, line)
    assert (done.client.name, done.interaction.subject) == (name, text)


def test_of_several_it_asks_which_one(office: Office) -> None:
    first, second = office.add(company="Berg Nord"), office.add(company="Berg Süd")
    with pytest.raises(Question) as asked:
        office("capture", "call Berg, hello, tomorrow")
    assert asked.value.parameter == "client"
    assert set(asked.value.choices) == {str(first.id), str(second.id)}
    done = captured(office, "call Berg, hello, tomorrow", client=second.id)
    assert (done.client.id, done.interaction.subject) == (second.id, "hello")
    # To be sure is not to say which one.
    with pytest.raises(Question) as asked:
        captured(office, "call Berg, hello, tomorrow")
    assert (asked.value.parameter, asked.value.yes) == ("client", "")
    with pytest.raises(NotFoundError):
        captured(office, "call Berg, hello", client=99)
    assert len(stored(office, Interaction)) == 1


def test_who_is_not_found_can_be_added_with_it(office: Office) -> None:
    office.add(company="Acme")
    with pytest.raises(Question) as asked:
        office("capture", "call Zed Corp, hello, tomorrow")
    assert (asked.value.parameter, asked.value.sentence) == ("add", "Nobody is called Zed Corp.")
    with pytest.raises(Question) as shown:
        office("capture", "call Zed Corp, hello, tomorrow", add="company")
    assert shown.value.sentence.startswith("New company: Zed Corp\nCall with Zed Corp, Nov 21, 2026: hello\n")
    with pytest.raises(Question):
        captured(office, "call Zed Corp, hello, tomorrow")
    assert len(office.clients()) == 1
    done = captured(office, "call Zed Corp, hello, tomorrow", add="company")
    assert (done.client.company, done.client.kind) == ("Zed Corp", "company")
    person = captured(office, "met Ann van Dyke about it", add="person").client
    assert (person.first_name, person.last_name, person.kind) == ("", "Ann", "person")
    person = captured(office, "met Cy Reed about it", add="person").client
    assert (person.first_name, person.last_name) == ("Cy", "Reed")
    office("history undo")
    assert [client.name for client in office.clients()] == ["Acme", "Zed Corp", "Ann"]


@pytest.mark.parametrize("line", ["", "   ", "call", "tomorrow", ", ,", "call , fri"])
def test_a_line_without_anybody_says_what_is_missing(office: Office, line: str) -> None:
    for answers in ({}, {"yes": True}, {"add": "company", "yes": True}):
        with pytest.raises(CRMError) as error:
            office("capture", line, **answers)
        assert isinstance(error.value, FieldError)
    assert office.clients() == []


def test_long_text_is_kept_whole(office: Office) -> None:
    office.add(company="Acme")
    text = "word " * 200
    done = captured(office, f"note Acme, {text}tomorrow")
    assert done.interaction.body == text.strip()
    assert len(done.interaction.subject) == 300
    assert done.follow_up is not None
    assert len(done.follow_up.what) == 500
    long = captured(office, f"note {'N' * 500}, hello", add="company")
    assert len(long.client.company) == 200


_OFFICE_LINES = st.lists(PIECES, min_size=1, max_size=10).map(" ".join)


def test_no_line_breaks_it(office: Office) -> None:
    office("contacts add", office.add(company="Acme"), "Jo Fox")

    @given(_OFFICE_LINES, st.sampled_from(["", "company", "person"]))
    def tried(line: str, add: str) -> None:
        try:
            done = office("capture", line, add=add, yes=True)
        except CRMError:
            return
        assert isinstance(done.client, Client)
        assert isinstance(read_jotting(line, BY), QuickNote)

    tried()
    assert office.is_sound()
