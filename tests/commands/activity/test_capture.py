"""Quick capture: one line becomes an interaction and a follow-up, and nothing that was typed is lost."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.commands.activity.capture import Captured
from crm.commands.activity.quick_notes import QuickNote, read_notes
from crm.commands.registry import named
from crm.errors import CRMError, FieldError, NotFoundError, Question
from crm.model import Client, Contact, Conventions, Deal, FollowUp, Interaction, Sale
from tests.commands.conftest import Office
from tests.support.clocks import TODAY, standing_on

pytestmark = pytest.mark.dated

BY = Conventions(clock=standing_on(TODAY))
# A Saturday.
FRIDAY = date(2026, 11, 27)


PIECES = st.sampled_from(
    ["call", "met", "note:", "Acme", "Jo", "Fox,", "wants", "in", "3", "days", "next", "week", "fri", "10:00", "9am",
     "at", "on", "tomorrow", "2026-12-01", "99:99", "in 999 months", "-", "—", "², ٣", "\n", "\t", "👩‍🔬", "[b]", "0"]
)  # fmt: skip
LINES = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map(" ".join))


@given(LINES, st.dates(date(1990, 1, 1), date(2090, 12, 31)), st.sampled_from(["en_US", "de_AT", "ja_JP"]))
@example("call Acme in 999 months", date(2026, 11, 21), "en_US")
@example("Acme next week", date(2026, 11, 22), "en_US")
def test_any_note_is_read_or_refused_without_losing_text(line: str, today: date, language: str) -> None:
    by = Conventions(language=language, clock=standing_on(today))
    try:
        notes = list(read_notes(line, by))
    except FieldError:
        return
    for note in notes:
        assert note.due_on is None or note.due_on >= today
        assert note.on is None or note.on <= today
        assert (note.due_on is not None) or not note.due_time
        assert not Counter(_letters(note.body)) - Counter(_letters(line))
        for begun, rest in [*note.beginnings(), note.apart()]:
            assert _letters(begun + rest) == _letters(note.body)


def _letters(text: str) -> list[str]:
    """The text without what stands between its pieces."""
    return [character for character in text if not (character.isspace() or character in ",;:.-–—")]  # noqa: RUF001


def captured(office: Office, line: str, **answers: Any) -> Captured:
    done: Captured = office("capture", line, yes=True, **answers)
    return done


def stored(office: Office, kind: Any) -> list[Any]:
    with office.crm.read() as snapshot:
        return list(snapshot.find_all(kind))


def still_open(office: Office) -> list[str]:
    """The titles of the open deals."""
    return sorted(shown.deal.title for shown in office("deals list").deals)


def test_a_note_is_previewed_and_saved_in_one_change(office: Office) -> None:
    acme = office.add(company="Acme")
    jo = office("contacts add", acme, "Jo Fox")
    before = len(office.history())
    with pytest.raises(Question) as asked:
        office("capture", "call Jo Fox, wants a quote, fri 10:00")
    assert asked.value.parameter == "yes"
    assert asked.value.sentence.splitlines() == [
        "Call with Jo Fox of Acme, Nov 21, 2026: wants a quote",
        "Follow-up on Fri, Nov 27, 2026 at 10:00 AM, for anna: wants a quote",
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


def test_without_a_day_there_is_no_follow_up(office: Office) -> None:
    office.add(company="Acme")
    done = captured(office, "met Acme: room 42")
    assert done.interaction is not None
    assert (done.interaction.kind, done.interaction.subject, done.follow_up) == ("meeting", "room 42", None)


def test_a_planned_call_is_not_logged_as_a_contact(office: Office) -> None:
    acme = office.add(company="Acme")
    for line, what, at in [
        ("meeting with Acme monday 14:30", "Meeting: Acme", "14:30"),
        ("lunch with Acme, bring samples, monday", "Lunch: bring samples", ""),
        ("call Acme, mon", "Call: Acme", ""),
        ("call Acme monday 10:00 about prices", "Call: about prices", "10:00"),
        ("Acme, monday", "Follow up: Acme", ""),
    ]:
        with pytest.raises(Question) as asked:
            office("capture", line)
        assert asked.value.sentence.startswith(
            "Planned with Acme; nothing is logged yet\nFollow-up on Mon, Nov 23, 2026"
        )
        done = captured(office, line)
        assert done.follow_up is not None
        assert (done.interaction, done.follow_up.what, done.follow_up.due_on, done.follow_up.due_time) == (
            None, what, date(2026, 11, 23), at,
        )  # fmt: skip
    with office.crm.read() as snapshot:
        client = snapshot.get(Client, acme.id)
    assert (client.last_contact_on, client.next_follow_up_on) == (None, date(2026, 11, 23))
    assert stored(office, Interaction) == []


def test_a_past_day_is_the_day_of_the_entry(office: Office) -> None:
    office.add(company="Acme")
    done = captured(office, "met Acme yesterday 14:00, likes oak, fri")
    assert done.interaction is not None
    entry = done.interaction
    assert (entry.on, entry.time, entry.subject) == (date(2026, 11, 20), "14:00", "likes oak")
    assert done.follow_up is not None
    assert (done.client.last_contact_on, done.follow_up.due_on) == (date(2026, 11, 20), FRIDAY)
    with pytest.raises(FieldError) as refused:
        office("capture", "call Acme, 2026-02-30")
    assert "no day 30 in February 2026" in refused.value.reason
    assert len(stored(office, Interaction)) == 1


def test_a_note_about_a_sale_offers_to_record_it(office: Office) -> None:
    acme = office.add(company="Acme")
    line = "sold Acme 3 tables for 300, deliver them fri"
    for yes in (False, True):
        with pytest.raises(Question) as asked:
            office("capture", line, yes=yes)
        assert (asked.value.parameter, asked.value.sentence) == ("sale", "Record a sale of $300.00 to Acme?")
    with pytest.raises(Question) as asked:
        office("capture", line, sale=True)
    assert "After this: $300.00 in 1 sale. Status stays Regular." in asked.value.sentence
    assert stored(office, Sale) == []
    done = captured(office, line, sale=True)
    assert done.sale is not None
    assert (done.sale.client, done.sale.amount, done.sale.on, done.interaction) == (acme.id, 300, TODAY, None)
    assert done.sale.note == "3 tables, deliver them"
    assert done.follow_up is not None
    assert done.client.total_spend == 300
    done = captured(office, "Acme bought 2 chairs for 200", sale=False)
    assert done.interaction is not None
    assert (done.sale, done.interaction.subject) == (None, "Bought: 2 chairs for $200.00")


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("sold Acme 3 tables for 0", "sale"),
        ("Acme bought 3 tables for 0.00", "sale"),
        ("offered Acme 3 tables for 0", "deal"),
        ("call Acme, 3 tables for 0", ""),
        ("Acme, coffee for $0", ""),
    ],
)
def test_a_sale_for_zero_stays_a_note_and_says_so(office: Office, line: str, becomes: str) -> None:
    office.add(company="Acme")
    with pytest.raises(Question) as asked:
        office("capture", line)
    assert ("the amount is 0" in asked.value.sentence) == bool(becomes)
    assert (f"No {becomes}: the amount is 0." in asked.value.sentence) == bool(becomes)
    done = captured(office, line)
    assert done.interaction is not None
    assert (done.sale, done.deal) == (None, None)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("closed Acme for 45k", "Oak tables"),
        ("won Acme for 45k, delivery by truck", "Oak tables: delivery by truck"),
        ("closed Acme deal for 45k", "Oak tables"),
        ("Acme signed for 45k", "Oak tables"),
        ("landed Acme for $45,000 yesterday", "Oak tables"),
    ],
)
def test_a_note_about_a_sale_can_win_an_open_deal(office: Office, line: str, what: str) -> None:
    acme = office.add(kind="company", company="Acme")
    office("deals add", acme, "Oak tables", value=Decimal(40000))
    office("deals add", acme, "Pine shelves", value=Decimal(900))
    office("deals add", acme, "Lost chairs", value=Decimal(700))
    oak, pine, lost = stored(office, Deal)
    office("deals lose", lost, "no budget")
    with pytest.raises(Question, match=r"^Acme has open deals\. Was one of them won for \$45,000\.00\?$") as asked:
        captured(office, line)
    assert asked.value.parameter == "won"
    assert list(asked.value.choices) == [str(oak.id), str(pine.id), "0"]
    assert asked.value.choices[str(oak.id)] == "Mark as won: Oak tables, $40,000.00"
    day = TODAY - timedelta(days="yesterday" in line)
    with pytest.raises(Question) as asked:
        office("capture", line, won=oak.id)
    assert f"Deal won: Oak tables ($40,000.00)\nSale of $45,000.00 to Acme, {BY.day(day)}" in asked.value.sentence
    done = captured(office, line, won=oak.id)
    assert (done.sale.amount, done.sale.note, done.sale.deal) == (45000, what, oak.id)
    assert done.client.total_spend == 45000
    assert [deal.value for deal in stored(office, Deal) if deal.id == oak.id] == [45000]
    assert still_open(office) == ["Pine shelves"]
    # One change, which one undo takes back.
    office("history undo", yes=True)
    assert still_open(office) == ["Oak tables", "Pine shelves"]
    assert office.client(acme.id).total_spend == 0


def test_a_note_with_an_amount_wins_no_unrelated_deal(office: Office) -> None:
    acme = office.add(kind="company", company="Acme")
    office.add(kind="company", company="Globex")
    office("deals add", acme, "Oak tables", value=Decimal(40000))
    (oak,) = stored(office, Deal)
    # Who says that it is another sale, or none, and a sale that is no deal.
    for line, answers in (
        ("closed Acme for 45k", {"sale": True}), ("closed Acme for 45k", {"won": 0, "sale": True}),
        ("closed Acme for 45k", {"sale": False}), ("sold Acme 3 lamps for 90", {"sale": True}),
        ("closed Globex for 45k", {"sale": True}),
    ):  # fmt: skip
        assert captured(office, line, **answers).won is None
    with pytest.raises(Question) as asked:
        captured(office, "closed Acme for 45k", won=0)
    assert asked.value.parameter == "sale"
    for line, number, why in (
        ("closed Globex for 45k", oak.id, "Globex has no open deal"),
        ("closed Acme for 45k", 99, "Acme has no open deal 99"),
        ("call Acme, wants more", oak.id, "no sum"),
        ("offered Acme 3 tables for 45k", oak.id, "no sum"),
    ):
        with pytest.raises(FieldError, match=why):
            captured(office, line, won=number)
    assert still_open(office) == ["Oak tables"]


def test_a_note_about_an_offer_can_become_a_deal(office: Office) -> None:
    acme = office.add(company="Acme")
    line = "quoted Acme $4,500 for oak tables, call again fri"
    for yes in (False, True):
        with pytest.raises(Question) as asked:
            office("capture", line, yes=yes)
        assert (asked.value.parameter, asked.value.sentence) == ("deal", "Add a deal of $4,500.00 with Acme?")
    assert stored(office, Deal) == []
    done = captured(office, line, deal=True)
    assert done.deal is not None
    assert done.follow_up is not None
    assert (done.deal.client, done.deal.value, done.interaction) == (acme.id, 4500, None)
    assert done.deal.title == "oak tables, call again"
    assert (done.follow_up.deal, done.follow_up.due_on) == (done.deal.id, FRIDAY)
    done = captured(office, "quote for Acme 4500", deal=True)
    assert done.deal is not None
    assert done.deal.title == "Quote"
    done = captured(office, "quote for Acme 4500", deal=False)
    assert done.interaction is not None
    assert (done.deal, done.interaction.subject) == (None, "Quote: $4,500.00")


def test_a_misspelt_client_is_found_as_search_finds_it(office: Office) -> None:
    hotel = office.add(company="Hotel Seeblick")
    office("contacts add", hotel, "Greta Galanis")
    office.add(company="Ross")
    office("contacts add", office.add(company="Elsewhere"), "Greta Boll")
    for line in ("hotel seblick called, asks for tables", "met Greta Galanys, asks for tables"):
        done = captured(office, line)
        assert done.interaction is not None
        assert (done.client.id, done.interaction.subject) == (hotel.id, "asks for tables")
    for line, name in [
        ("call Hotl Seeblik, asks for tables, in 3 days", "Hotl Seeblik"),
        ("met Grata Galanys, asks for tables", "Grata Galanys"),
    ]:
        with pytest.raises(Question) as asked:
            office("capture", line)
        assert asked.value.parameter == "client"
        assert asked.value.sentence == f"No client is called {name}. Did you mean this one?"
        assert list(asked.value.choices) == [str(hotel.id), "0"]
        chosen = captured(office, line, client=hotel.id)
        done = captured(office, line)
        assert (done.client.id, done.misspelt) == (hotel.id, name)
        assert done.interaction is not None
        assert chosen.interaction is not None
        assert done.interaction.subject == chosen.interaction.subject == "asks for tables"
        with pytest.raises(Question) as asked:
            office("capture", line, client=0)
        assert (asked.value.parameter, asked.value.sentence) == ("add", f"No client is called {name}.")
    # A short name may be that of anybody.
    with pytest.raises(Question) as asked:
        captured(office, "call Boss, hello")
    assert asked.value.parameter == "client"


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


@pytest.mark.parametrize(
    ("line", "text", "others"),
    [
        ("met acme and jo fox yesterday", "with Jo Fox", "Jo Fox"),
        ("emailed acme & bob the pricelist", "with Bob Smith, the pricelist", "Bob Smith"),
        ("met acme and Jo and bob, likes oak", "with Jo Fox and Bob Smith, likes oak", "Jo Fox and Bob Smith"),
        # A contact of the same client needs no note of its own.
        ("met acme and gina, likes oak", "with Gina Wu, likes oak", ""),
        ("met acme and discussed prices", "and discussed prices", ""),
        ("met acme and zoe, likes oak", "and zoe, likes oak", ""),
        ("met acme + 3 others", "+ 3 others", ""),
        ("met acme and", "and", ""),
        ("met acme and (  )", "and ( )", ""),
    ],
)
def test_a_second_client_in_a_note_is_reported_as_ignored(office: Office, line: str, text: str, others: str) -> None:
    acme = office.add(company="Acme")
    office.add(first_name="Jo", last_name="Fox")
    office.add(first_name="Bob", last_name="Smith")
    office("contacts add", acme, name="Gina Wu")
    with pytest.raises(Question) as shown:
        office("capture", line)
    assert ("for Acme only" in shown.value.sentence, f"For {others}, " in shown.value.sentence) == (
        bool(others), bool(others),
    )  # fmt: skip
    done = captured(office, line)
    assert (done.client.id, done.interaction.subject) == (acme.id, text)


def test_a_note_that_matches_several_clients_asks_which(office: Office) -> None:
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


def test_an_unknown_client_of_a_note_can_be_added(office: Office) -> None:
    office.add(company="Acme")
    with pytest.raises(Question) as asked:
        office("capture", "call Zed Corp, hello, tomorrow")
    assert (asked.value.parameter, asked.value.sentence) == ("add", "No client is called Zed Corp.")
    with pytest.raises(Question) as shown:
        office("capture", "call Zed Corp, hello, tomorrow", add="company")
    assert shown.value.sentence.startswith("New company: Zed Corp\nCall with Zed Corp, Nov 21, 2026: hello\n")
    with pytest.raises(Question):
        captured(office, "call Zed Corp, hello, tomorrow")
    assert len(office.clients()) == 1
    done = captured(office, "call Zed Corp, hello, tomorrow", add="company")
    assert (done.client.company, done.client.kind) == ("Zed Corp", "company")
    person = captured(office, "met Ann van Dyke about it", add="person").client
    assert (person.first_name, person.last_name, person.kind) == ("Ann", "van Dyke", "person")
    person = captured(office, "met Cy Reed about it", add="person").client
    assert (person.first_name, person.last_name) == ("Cy", "Reed")
    office("history undo")
    assert [client.name for client in office.clients()] == ["Acme", "Zed Corp", "Ann van Dyke"]


@pytest.mark.parametrize(
    ("line", "add", "client", "contact", "text"),
    [
        ("met jane doe from acme, likes us", "person", ("Jane", "Doe", "Acme"), "", "likes us"),
        ("met jane doe from acme, likes us", "company", ("", "", "Acme"), "Jane Doe", "likes us"),
        ("met jane doe of acme, likes us", "person", ("Jane", "Doe", "Acme"), "", "likes us"),
        ("met Jane Doe from Acme", "person", ("Jane", "Doe", "Acme"), "", ""),
        ("met Jane Doe at Acme Ltd about oak", "person", ("Jane", "Doe", "Acme Ltd"), "", "about oak"),
        ("call jane @ acme gmbh: hi", "person", ("", "Jane", "Acme Gmbh"), "", "hi"),
        ("call JANE DOE from ACME, hi", "person", ("JANE", "DOE", "ACME"), "", "hi"),
        ("met ann van dyke from acme, hi", "person", ("Ann", "van Dyke", "Acme"), "", "hi"),
        ("met jane doe from iSolutions, hi", "company", ("", "", "iSolutions"), "Jane Doe", "hi"),
        ("call bank of america, hi", "company", ("", "", "Bank of America"), "", "hi"),
        ("call zed corp, hi", "company", ("", "", "Zed Corp"), "", "hi"),
        ("met o'neil-smith from 3m, hi", "person", ("", "O'Neil-Smith", "3m"), "", "hi"),
        ("met from acme, hi", "person", ("", "Acme", ""), "", "hi"),
        ("met zoë from, hi", "person", ("Zoë", "From", ""), "", "hi"),
    ],
)
def test_a_new_person_and_their_company_are_two_names(
    office: Office, line: str, add: str, client: tuple[str, str, str], contact: str, text: str
) -> None:
    with pytest.raises(Question) as shown:
        office("capture", line, add=add)
    done = captured(office, line, add=add)
    made = done.client
    assert (made.first_name, made.last_name, made.company) == client
    assert (done.contact.name if done.contact else "") == contact
    assert (done.interaction.subject, done.interaction.contact) == (text, done.contact.id if done.contact else 0)
    # What is made was said before.
    for name in filter(None, (*client, contact)):
        assert name in shown.value.sentence.splitlines()[0]
    assert office.is_sound()


def test_a_person_from_a_company_that_is_a_client_becomes_its_contact(office: Office) -> None:
    acme = office.add(company="Acme Ltd")
    with pytest.raises(Question) as asked:
        office("capture", "met jane doe from acme, likes us")
    assert (asked.value.parameter, list(asked.value.choices)) == ("client", [str(acme.id), "0"])
    assert "Jane Doe" in asked.value.sentence
    done = captured(office, "met jane doe from acme, likes us", client=acme.id)
    assert (done.client.id, done.contact.name, done.interaction.subject) == (acme.id, "Jane Doe", "likes us")
    # The next time she is known.
    again = captured(office, "met jane doe, likes oak")
    assert (again.contact.id, again.client.id) == (done.contact.id, acme.id)
    assert len(stored(office, Contact)) == 1
    other = captured(office, "met jo fox from acme, hi", client=0, add="person").client
    assert (other.name, other.company) == ("Jo Fox", "Acme")


@pytest.mark.parametrize("line", ["", "   ", "call", "tomorrow", ", ,", "call , fri"])
def test_a_note_without_a_client_says_what_is_missing(office: Office, line: str) -> None:
    for answers in ({}, {"yes": True}, {"add": "company", "yes": True}):
        with pytest.raises(CRMError) as error:
            office("capture", line, **answers)
        assert isinstance(error.value, FieldError)
    assert office.clients() == []


def test_an_amount_without_a_client_asks_for_one(office: Office) -> None:
    for name in ("Acme", "Berg", "Cole"):
        office.add(company=name)
    for line in ("$4,500 for 3 tables", "$4,500 for 3 of them", "$4,500 for tables"):
        with pytest.raises(FieldError, match="with whom, like: Acme, "):
            office("capture", line, sale=True, yes=True)
    for line in ("$4,500 for 3 tables to Berg", "$4,500 for Berg", "Berg, $4,500 for 3 tables"):
        assert captured(office, line, sale=True).client.company == "Berg"


def test_times_are_kept_in_planned_and_past_notes(office: Office) -> None:
    office.add(company="Acme")
    with pytest.raises(Question) as shown:
        office("capture", "meeting Acme tomorrow 10:00-11:00")
    assert "Nov 22, 2026 at 10:00" in shown.value.sentence
    assert "until 11:00 AM" in shown.value.sentence
    planned = captured(office, "meeting Acme tomorrow 10:00-11:00, bring samples")
    assert planned.follow_up is not None
    assert (planned.follow_up.due_time, planned.interaction) == ("10:00", None)
    assert planned.follow_up.what == "Meeting: bring samples (until 11:00 AM)"
    met = captured(office, "met Acme yesterday 10:00-11:00, likes oak").interaction
    assert (met.time, met.subject) == ("10:00", "likes oak (until 11:00 AM)")
    with pytest.raises(Question) as shown:
        office("capture", "call Acme at 3")
    assert "at 3:00 PM" in shown.value.sentence


def test_a_long_note_is_kept_in_full(office: Office) -> None:
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


def test_no_line_crashes_quick_capture(office: Office) -> None:
    office("contacts add", office.add(company="Acme"), "Jo Fox")

    @given(_OFFICE_LINES, st.sampled_from(["", "company", "person"]))
    def tried(line: str, add: str) -> None:
        try:
            done = office("capture", line, add=add, yes=True)
        except CRMError:
            return
        assert isinstance(done.client, Client)
        assert isinstance(next(read_notes(line, BY)), QuickNote)

    tried()
    assert office.is_sound()


def test_a_planned_sale_is_not_recorded(office: Office) -> None:
    acme = office.add(company="Acme")
    captured(office, "sold Acme 3 tables for 300 tomorrow")
    (due,) = stored(office, FollowUp)
    assert (due.client, due.what) == (acme.id, "Sale: 3 tables for $300.00")
    assert (stored(office, Sale), stored(office, Interaction)) == ([], [])


def test_a_sum_with_its_currency_is_offered_as_a_sale(office: Office) -> None:
    office.add(company="Acme")
    with pytest.raises(Question) as asked:
        office("capture", "Acme, $4,500 for 3 tables")
    assert asked.value.parameter == "sale"
    captured(office, "Acme, $4,500 for 3 tables", sale=True)
    (sale,) = stored(office, Sale)
    assert (sale.amount, sale.note) == (4500, "3 tables")


@pytest.mark.parametrize(
    "line",
    ["got the keys back and gave them to the neighbour, chase monday", "left globex corp, no deal",
     "prepare the papers for the fair in spring, monday", "the blue sample table is at the workshop, fetch it"],
)  # fmt: skip
def test_a_sentence_is_never_offered_as_a_new_client(office: Office, line: str) -> None:
    with pytest.raises(FieldError, match="no client was recognised in this note"):
        office("capture", line, yes=True)
    assert not stored(office, Client)
    number = office.add(company="Globex Ltd").id
    noted = captured(office, line, client=number)
    assert noted.client.id == number
    assert noted.interaction.subject.split()[:2] == line.split()[:2]


# What is typed; the kind of the entry, or "plan" where nothing has happened yet; the client; the day of the follow-up.
MENTIONS = [
    ("left vm bob jones, call again tomorrow", "note", "Bob Jones", "2026-11-22"),
    ("vm for bob jones", "note", "Bob Jones", ""),
    ("no answer from bob jones, try again tuesday", "note", "Bob Jones", "2026-11-24"),
    ("no reply from globex corp, chase monday", "note", "Globex Corp", "2026-11-23"),
    ("chase globex corp for the contract friday", "plan", "Globex Corp", "2026-11-27"),
    ("chased globex corp about invoice, promised to pay friday", "note", "Globex Corp", "2026-11-27"),
    ("remind bob jones about the demo on thursday", "plan", "Bob Jones", "2026-11-26"),
    ("ping jane doe next week", "plan", "Hooli", "2026-11-23"),
    ("pinged jane doe re pricing", "note", "Hooli", ""),
    ("got a call from bob jones, wants 3 licenses", "call", "Bob Jones", ""),
    ("got signed contract from globex corp, 25k", "note", "Globex Corp", ""),
    ("received po from acme for 12.5k", "note", "Acme", ""),
    ("quick call with bob jones, not interested", "call", "Bob Jones", ""),
    ("short meeting with acme, 3 people, budget 50k", "meeting", "Acme", ""),
    ("demo with initech went well, send proposal by wednesday", "meeting", "Initech", "2026-11-25"),
    ("demoed the app to initech, they loved it", "note", "Initech", ""),
    ("pitched initech yesterday, they will think about it", "note", "Initech", ""),
    ("discussed renewal with jane doe, 12k per year, follow up dec 15", "note", "Hooli", "2026-12-15"),
    ("negotiated with globex corp, they want 10% off", "note", "Globex Corp", ""),
    ("closed globex corp for 45k", "note", "Globex Corp", ""),
    ("lost initech to a competitor", "note", "Initech", ""),
    ("invoiced acme 2.5k", "note", "Acme", ""),
    ("waiting for globex corp to sign, check friday", "plan", "Globex Corp", "2026-11-27"),
    ("rescheduled meeting with acme to friday 10:00", "plan", "Acme", "2026-11-27 10:00"),
    ("moved the demo with initech to tuesday 3pm", "note", "Initech", "2026-11-24 15:00"),
    ("booked a demo with initech for wednesday 11am", "plan", "Initech", "2026-11-25 11:00"),
    ("scheduled call with bob jones tomorrow 9:30", "plan", "Bob Jones", "2026-11-22 09:30"),
    ("cancelled meeting with acme", "note", "Acme", ""),
    ("linkedin message to jane doe", "note", "Hooli", ""),
    ("cold called initech, gatekeeper", "call", "Initech", ""),
    ("upsold acme 5 seats for 1.2k", "note", "Acme", ""),
    ("gave bob jones a 10% discount", "note", "Bob Jones", ""),
    ("thanked bob jones for the order", "note", "Bob Jones", ""),
    ("update from globex corp: legal review, back next week", "note", "Globex Corp", "2026-11-23"),
    ("fyi acme moved to a new office", "note", "Acme", ""),
    ("left message with the receptionist at acme", "call", "Acme", ""),
    ("site visit at acme tuesday 9am", "note", "Acme", "2026-11-24 09:00"),
    ("visited acme's plant, needs 3 machines", "meeting", "Acme", ""),
    ("stopped by acme, nobody there", "note", "Acme", ""),
    ("ran into bob jones at the fair", "meeting", "Bob Jones", ""),
    ("follow-up with globex corp next monday", "note", "Globex Corp", "2026-11-23"),
    ("callback jane doe tomorrow", "plan", "Hooli", "2026-11-22"),
    ("need to call bob jones tomorrow", "plan", "Bob Jones", "2026-11-22"),
    ("don't forget to call bob jones monday", "plan", "Bob Jones", "2026-11-23"),
    ("remember to invoice acme on dec 1", "plan", "Acme", "2026-12-01"),
    ("todo send contract to globex corp friday", "plan", "Globex Corp", "2026-11-27"),
    ("will call acme on monday", "plan", "Acme", "2026-11-23"),
    ("couldn't reach bob jones, retry thursday", "note", "Bob Jones", "2026-11-26"),
]  # fmt: skip


def test_a_client_is_found_wherever_a_line_names_it_and_none_is_made_up(office: Office) -> None:
    for company in ("Globex Corp", "Acme"):
        office.add(company=company)
    office.add(first_name="Bob", last_name="Jones")
    for company, person in (("Initech", "Pete Miller"), ("Hooli", "Jane Doe")):
        office("contacts add", office.add(company=company), person)
    before = len(stored(office, Client))
    for line, kind, name, due in MENTIONS:
        done = captured(office, line, sale=False)
        follow_up = done.follow_up
        days = " ".join(filter(None, (str(follow_up.due_on), follow_up.due_time))) if follow_up else ""
        assert (
            done.interaction.kind if done.interaction else "plan", done.client.name, days
        ) == (kind, name, due), line  # fmt: skip
    assert len(stored(office, Client)) == before
    # One word of a company that is none of its own names nobody.
    with pytest.raises(FieldError, match="no client was recognised in this note"):
        captured(office, "sent nobody corp a quote for 3k")


# What is typed, and the clients that are meant: of several one is asked for.
WHO_IS_MEANT = [
    ("need to send revised price to Meridian tomorrow", ["Meridian Foods"]),
    ("need to send revised price to meridian tomorrow", ["Meridian Foods"]),
    ("asked about a may delivery for Globex", ["Globex Corp"]),
    ("order more rose wine for Meridian", ["Meridian Foods"]),
    ("asked about the new price list", ["Vincent Price"]),
    ("asked Rose about the new price list", ["Rose May"]),
    ("need to discuss price lists, globex asked", ["Globex Corp", "Vincent Price"]),
    ("need to introduce Rose to Globex", ["Globex Corp", "Rose May"]),
    ("need to introduce rose may to globex corp friday", ["Globex Corp", "Rose May"]),
    ("had a talk with Pete at Initech", ["Initech"]),
    ("had a talk with pete at Initech about the price", ["Initech"]),
]  # fmt: skip


def test_an_everyday_word_is_not_taken_for_a_client_where_another_one_is_named(office: Office) -> None:
    for company in ("Globex Corp", "Meridian Foods"):
        office.add(company=company)
    office.add(first_name="Vincent", last_name="Price")
    office.add(first_name="Rose", last_name="May")
    office("contacts add", office.add(company="Initech"), "Pete Miller")
    for line, names in WHO_IS_MEANT:
        if len(names) == 1:
            assert captured(office, line).client.name == names[0], line
            continue
        with pytest.raises(Question) as asked:
            captured(office, line)
        assert asked.value.parameter == "client", line
        assert sorted(client.name for client in asked.value.records) == names, line
    assert [note.contact for note in stored(office, Interaction) if "Pete" in note.subject] == [1]


@pytest.mark.parametrize(
    ("line", "title", "due"),
    [
        ("Sent a quote of 4k to globex", "Quote", ""),
        ("sent a quote for 4,000 to Globex Corp yesterday, call fri", "call", "2026-11-27"),
        ("quoted 4k for oak tables to globex", "oak tables", ""),
    ],
)
def test_an_offer_of_a_sum_to_a_client_is_a_deal(office: Office, line: str, title: str, due: str) -> None:
    office.add(company="Globex Corp")
    with pytest.raises(Question, match=r"^Add a deal of \$4,000\.00 with Globex Corp\?$"):
        office("capture", line, yes=True)
    done = captured(office, line, deal=True)
    assert done.deal is not None
    assert (done.client.name, done.deal.title, done.deal.value) == ("Globex Corp", title, 4000)
    assert str(done.follow_up.due_on if done.follow_up else "") == due
    assert "globex" not in captured(office, line, deal=False).interaction.subject.lower()


@pytest.mark.parametrize(
    ("line", "name"),
    [("jane doe is on vacation till dec 7", "jane doe"), ("acme renewed, 12k", "acme"),
     ("call greta about prices, wants oak", "greta"), ("bob jones not interested, close", "bob jones")],
)  # fmt: skip
def test_a_new_client_is_called_by_its_name_alone(office: Office, line: str, name: str) -> None:
    with pytest.raises(Question) as asked:
        office("capture", line)
    assert asked.value.sentence == f"No client is called {name}."


def test_a_sent_offer_is_a_deal_with_its_recipient(office: Office) -> None:
    line = "sent offer to globex corp for 20k, chase in two weeks"
    with pytest.raises(Question) as asked:
        office("capture", line)
    assert asked.value.sentence == "No client is called globex corp."
    noted = captured(office, line, add="company", deal=True)
    assert (noted.client.name, noted.deal.value, str(noted.follow_up.due_on)) == ("Globex Corp", 20000, "2026-12-05")


@pytest.mark.parametrize("line", ["call Acme", "email acme", "lunch with Acme", "call Acme asap", "mtg Acme"])
def test_a_bare_call_asks_if_it_is_done(office: Office, line: str) -> None:
    office.add(company="Acme")
    with pytest.raises(Question) as asked:
        office("capture", line)
    assert (asked.value.parameter, list(asked.value.choices)) == ("done", ["yes", "no"])
    to_do = captured(office, line, done=False)
    assert (to_do.interaction, to_do.follow_up.due_on) == (None, office.crm.today)
    assert captured(office, line, done=True).interaction is not None


@pytest.mark.parametrize(
    "line", ["called Acme", "met Acme", "call Acme, wants oak", "call Acme yesterday", "call Acme tomorrow", "Acme"]
)
def test_a_note_that_says_it_is_done_does_not_ask(office: Office, line: str) -> None:
    office.add(company="Acme")
    with pytest.raises(Question, match="Save it"):
        office("capture", line)


def test_a_quote_that_was_sent_says_so(office: Office) -> None:
    office.add(company="Acme")
    noted = captured(office, "Sent quote to acme, f/u in a week")
    assert (noted.interaction.subject, noted.follow_up.what) == ("Quote sent", "Quote sent: Acme")


def test_a_reminder_is_named_after_its_task(office: Office) -> None:
    office.add(first_name="Bob", last_name="Smithers")
    noted = captured(office, "remind me to send bob smithers the samples in 2 weeks")
    assert (noted.interaction, noted.follow_up.what) == (None, "send bob smithers the samples")


def test_a_contact_says_which_follow_up_it_moves_and_leaves_appointments(office: Office) -> None:
    acme = office.add(company="Acme")
    office("follow-ups add", acme, "stay in touch", due=FRIDAY, every=7)
    office("follow-ups add", acme, "site visit", due=FRIDAY, time="10:00", every=7)
    line = "Moves the follow-up stay in touch from Fri, Nov 27, 2026 to Sat, Nov 28, 2026"
    with pytest.raises(Question) as asked:
        office("capture", "call Acme, hello")
    assert asked.value.sentence.splitlines()[1:] == [line, "No follow-up (no future date found).", "Save it?"]
    assert {due.due_on for due in stored(office, FollowUp)} == {FRIDAY}
    assert captured(office, "call Acme, hello").moves == [line]
    days = {due.what: str(due.due_on) for due in stored(office, FollowUp)}
    assert days == {"stay in touch": "2026-11-28", "site visit": "2026-11-27"}
    assert captured(office, "call Acme, again").moves == []
    assert office.is_sound()


@pytest.mark.parametrize(
    ("line", "day", "logged", "due"),
    [
        ("call Jo Fox, wants a quote in the first week of may", "2027-05-04", "wants a quote", "2027-05-04"),
        ("call Jo Fox, first week of may", "may 4 10:00", None, "2027-05-04 10:00"),
        ("met Jo Fox, second weekend of september", "sept 12 2026", "", None),
        ("call Jo Fox, wants a quote in the first week of may", "text", "wants a quote in the first week of may", None),
        ("call Jo Fox, first week of may", "text", "first week of may", None),
        ("call Jo Fox, first week of may, tomorrow", "text", "first week of may", "2026-11-22"),
        ("call Jo Fox, third week of june, wants it in the first week of july", "text",
         "third week of june, wants it in the first week of july", None),
        ("called Jo Fox, see the first week of december", "text", "see the first week of december", None),
        # What was written apart in the line.
        ("sent Jo Fox on monday the quote second week of january", "text",
         "Quote sent: on monday second week of january", None),
        ("sent Jo Fox on monday the quote second week of january", "fri 10:00",
         "Quote sent: on monday second week of january", "2026-11-27 10:00"),
        ("sent Jo Fox early the quote third week of december", "text",
         "Quote sent: early third week of december", None),
        # A day for a line that has none.
        ("call Jo Fox, wants more", "fri", "wants more", "2026-11-27"),
    ],
)  # fmt: skip
def test_a_day_that_cannot_be_read_is_picked_or_stays_in_the_text(
    office: Office, line: str, day: str, logged: str | None, due: str | None
) -> None:
    office.add(first_name="Jo", last_name="Fox")
    unread = "wants more" not in line
    if unread:
        with pytest.raises(Question, match="cannot be read as a day") as asked:
            captured(office, line)
        assert asked.value.choices == {"": "Pick a day", "text": "Keep it as text"}
        assert stored(office, Interaction) == stored(office, FollowUp) == []
    check = named("capture").parameters["day"].check
    done = captured(office, line, day=check.read(day, BY))
    assert (done.interaction and (done.interaction.subject or done.interaction.body)) == logged
    assert (done.follow_up and f"{done.follow_up.due_on} {done.follow_up.due_time}".strip()) == due


def test_an_amount_that_is_not_a_sale_says_why(office: Office) -> None:
    office.add(company="Acme")
    done = captured(office, "sold Acme a table for €300")
    assert done.sale is None
    assert done.left_out == "No sale: €300 is not in USD."
    with pytest.raises(Question, match=r"Record a sale of \$135.00 to Acme"):
        captured(office, "sold Acme 3 at 45 each")
    assert captured(office, "sold Acme 3 at 45 each", sale=True).sale.note == "3 at 45 each"  # type: ignore[union-attr]
    assert captured(office, "closed Acme deal for 45k", sale=True).sale.amount == 45000  # type: ignore[union-attr]


_MANY = "No sale: it is not clear how many; write the number right after the name, like 3 x 45."
_SEVERAL = "No sale: there are several amounts, record each by itself."


@pytest.mark.parametrize(
    ("line", "amount", "left_out"),
    [
        ("sold Acme 12 chairs @ 80", "960", ""),
        ("sold Acme, 12 chairs @ 80", "960", ""),
        ("sold Globex Corp 10 @ 4", "40", ""),
        ("sold Globex Corp 10 lamps for 4 each", "40", ""),
        ("sold Studio 54 3x lamps at 45 each", "135", ""),
        ("Globex Corp ordered 10 lamps @4", "40", ""),
        ("sold 12@80 to Acme", "960", ""),
        ("sold Acme 2.5 t sand at 40 each", "100", ""),
        ("sold Acme 1,000 pens @ 2", "2000", ""),
        ("sold Acme 1.5 hours @ 100", "150", ""),
        ("sold Acme license @ 99", "99", ""),
        ("sold Acme 2 x 60 boards for 300", "300", ""),
        ("sold Acme iPhone 15 @ 900", "", _MANY),
        ("sold iPhone 15 @ 900 to Acme", "", _MANY),
        ("Acme ordered iPhone 15 @ 900", "", _MANY),
        ("sold Acme 2026 maintenance @ 1200", "", _MANY),
        ("signed Acme 2026 maintenance @ 1200", "", _MANY),
        ("sold Acme Office 365 license @ 99", "", _MANY),
        ("sold Acme size 40 shoes @ 90", "", _MANY),
        ("sold Acme apartment 12 @ 80", "", _MANY),
        ("sold Studio 54 lamps @ 80", "", _MANY),
        ("sold Acme 2 tables 40 cm wide @ 80", "", _MANY),
        ("sold Acme 1/2 t sand @ 80", "", _MANY),
        ("sold Acme 2-3 chairs @ 80", "", _MANY),
        ("sold Acme 12 chairs @ 80 and a table 300", "", _MANY),
        ("sold Acme 12 chairs @ 80 and 2 tables @ 300", "", _SEVERAL),
        ("sold Acme 12 chairs @ 80 and 2 tables for 300", "", _SEVERAL),
        ("sold Acme 3 lamps at 45 each and 2 chairs at 80 each", "", _SEVERAL),
        ("sold Acme 3 lamps at 45 each, 2 chairs at 80 each", "", _SEVERAL),
        ("sold Acme 2 x 45 and 3 x 20", "", _SEVERAL),
        ("sold Acme 2 x 45 + 3 x 20", "", _SEVERAL),
    ],
)
def test_a_price_each_is_multiplied_only_by_a_quantity_right_after_the_name(
    office: Office, line: str, amount: str, left_out: str
) -> None:
    for company in ("Acme", "Globex Corp", "Studio 54"):
        office.add(company=company)
    done = captured(office, line, sale=True)
    assert (done.sale and done.sale.amount, done.left_out) == (Decimal(amount) if amount else None, left_out)


def test_call_back_is_asked_about(office: Office) -> None:
    office.add(first_name="Jo", last_name="Fox")
    with pytest.raises(Question, match="is it done, or still to do"):
        office("capture", "call Jo Fox back")
