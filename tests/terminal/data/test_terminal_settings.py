"""Settings at the menu, in a real terminal."""

from datetime import date
from decimal import Decimal

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Message
from tests.terminal.conftest import Start


def test_settings_changed_by_another_program_are_shown_on_reopening(start: Start, crm: CRM) -> None:
    named("settings set")(crm, "company_name", "First Name Ltd")
    session = start().choose("Data").choose("Settings").sees("First Name Ltd").press("esc").sees("Export to a file")
    named("settings set")(crm, "company_name", "Second Name Ltd")
    session.choose("Settings").sees("Second Name Ltd").lacks("First Name Ltd")


def test_a_capital_letter_selects_the_next_row_that_begins_with_it(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"company": "Acme"})
    session = start().choose("Data").choose("Settings").sees("» 1) Sending e-mail")
    session.press("C").sees("» 4) Company name").press("C").sees("» 6) Currency").press("Z").sees("»    ZIP code")
    session.press("V").sees("Nothing here begins with V.")
    # Behind the last of them the first comes again.
    session.press("S").sees("»    State").press("\x1b[H").sees("» 1) Sending e-mail")
    # A small letter does what it does elsewhere, or nothing.
    session.press("c").lacks("» 4) Company name").sees("» 1) Sending e-mail")


def test_another_currency_says_what_it_turns_into_what_and_asks(start: Start, crm: CRM) -> None:
    for key, value in (("language", "en_GB"), ("currency", "GBP")):
        named("settings set")(crm, key, value)
    anna = named("clients add")(crm, {"first_name": "Anna"})
    named("sales add")(crm, anna, Decimal("1234.50"))
    named("deals add")(crm, anna, "Refit", value=Decimal(12_000))
    named("services add")(crm, "Advice", Decimal(90))
    session = start().choose("Data").choose("Settings").choose("Currency").sees("Currency: GBP")
    session.press("kill", "eur", "enter").sees("The amounts of 1 sale, 1 deal and 1 service are in GBP and")
    # Enter alone changes nothing.
    session.sees("They are not converted: £1,234.50 becomes €1,234.50.").sees("» 0) No, go back").press("enter")
    session.sees("Currency GBP").choose("Currency").press("kill", "eur", "enter").choose("Change it")
    session.sees("Currency: EUR")


def test_templates_and_mailings_are_one_key_from_the_messages(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"company": "Acme"})
    session = start().sees("1) ").choose("E-mail").sees("M mailings").sees("T templates")
    session.press("T").sees("No templates yet").press("esc").press("M").sees("No mailings yet")


def test_the_messages_of_a_full_page_name_the_key_that_filters_them(start: Start, crm: CRM) -> None:
    client = named("clients add")(crm, {"company": "Acme"}).id
    day = date(2026, 11, 20)
    letter = Message(client=client, channel="email", direction="out", state="sent", on=day, subject="Hello")
    crm.transact(lambda tx: tx.add_all([letter] * 30), "wrote")
    session = start().sees("Clients").choose("E-mail").sees("M mailings").sees("] next").sees("f filter")
    session.press("f").choose("E-mail or SMS").choose("SMS").sees("No matches").sees("f filter")
