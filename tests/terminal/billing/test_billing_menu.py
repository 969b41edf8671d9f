"""Every billing command at the menu, to its end: its questions, and the records afterwards."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme

from crm.commands.registry import commands, named
from crm.errors import FieldError, RefusedError
from crm.model import Client, Invoice, Message, Payment, Service, Setting
from crm.model.data import PAID_INVOICES
from crm.model.rights import CLIENT, Reader
from crm.repository import Query, Transaction
from crm.terminal.console.keyboard import NO, YES, Back, Choice, Needed
from crm.terminal.console.line_keyboard import LineKeyboard
from crm.terminal.drawing.screen import Screen
from crm.terminal.home.client_portal import Portal
from crm.terminal.toolkit.pages import flow_of, load_flows
from crm.terminal.toolkit.picking import several_can_be_picked
from crm.terminal.toolkit.prompts import in_order
from crm.terminal.toolkit.sections import more, open_section
from crm.terminal.toolkit.session import Session
from tests.commands.billing.test_billing_mail import MailedDesk
from tests.conftest import STORES, _new_store
from tests.support.device import Device
from tests.support.guarded import guarded_for
from tests.support.keyboards import Leaving, Watched
from tests.support.mail_desk import desk
from tests.support.mail_server import Post

# Goes back from a question.
BACK = "(back)"
LINE = "Line, like 3 h Consulting 100"


def test_the_menu_can_ask_for_every_parameter() -> None:
    load_flows()
    unasked = [
        (command.words, parameter.name)
        for command in commands()
        # What has a way of its own asks in its own way.
        if not flow_of(command)
        for parameter in in_order(command)
        if not (
            parameter.path
            or parameter.check is not None
            or (parameter.record and not parameter.many)
            or (parameter.record and several_can_be_picked(parameter.record))
        )
    ]
    assert unasked == []


@dataclass
class Typist(Leaving):
    """A Keyboard that answers questions by their labels, and chooses entries in the order of a list; any other question
    it leaves empty or answers by its first entry, and any other page it leaves."""

    typed: Mapping[str, str]
    chosen: list[str]
    asked: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)

    def choose(self, question: str, choices: Sequence[Choice], *, hidden: Sequence[Choice] = (), **_: Any) -> Any:
        self.asked.append(question)
        self.offered.append(question)
        self.offered += [choice.label for choice in choices]
        assert len(self.asked) < 40, self.asked
        if self.chosen[:1] == [BACK]:
            self.chosen.pop(0)
            raise Back
        if self.chosen:
            for choice in (*choices, *hidden):
                if self.chosen[0] in choice.label:
                    self.chosen.pop(0)
                    return choice.value
        # A page has keys of its own; a question has none, or those of yes and no.
        if not choices or {choice.label for choice in hidden} - {YES, NO, "Search", "Keys"}:
            raise Back
        return choices[0].value

    def text(self, label: str, read: Callable[[str], Any], *, default: str = "", error: str = "", **_: Any) -> Any:
        self.asked.append(label)
        self.offered += [f"{error} ({default})"] if error else []
        assert self.asked.count(label) < 5, (label, self.typed)
        try:
            return read(self.typed.get(label, default))
        except Needed:
            raise AssertionError(f"{label} has to be answered") from None


class Menu:
    """Billing at the menu, with a mail server on loopback."""

    def __init__(self, mailed: MailedDesk) -> None:
        self.mailed = mailed

    def __call__(self, words: str, *chosen: str, **typed: str) -> str:
        """Go through a command; what was offered and what was on the screen, the next page included."""
        labels = {name.replace("_", " "): text for name, text in typed.items()}
        keyboard, out = Typist(labels, list(chosen)), io.StringIO()
        session = Watched(self.mailed.crm, keyboard, Screen(out, plain=True))
        session.sections = more
        session.attempt(lambda: session.start(named(words)))
        session.page("End")
        assert not keyboard.chosen, (words, keyboard.chosen, keyboard.asked, out.getvalue())
        return "\n".join((*keyboard.offered, out.getvalue()))

    def all(self, kind: Any) -> Sequence[Any]:
        with self.mailed.crm.read() as snapshot:
            return snapshot.find_all(kind, Query(sort="id"))


@pytest.fixture
def menu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, post: Post, authority: trustme.CA) -> Iterator[Menu]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with chdir(tmp_path), _new_store(STORES["sqlite"]) as store, desk(store, tmp_path, post, authority) as opened:
        opened.set(mails_per_minute="6000")
        load_flows()
        yield Menu(MailedDesk(opened))


def test_the_page_of_billing_begins_with_its_figures(menu: Menu) -> None:
    mailed = menu.mailed

    def page() -> str:
        out = io.StringIO()
        session = Watched(mailed.crm, Typist({}, [BACK]), Screen(out, plain=True))
        open_section(session, "billing")
        return " ".join(out.getvalue().split())

    assert "Open" not in page()
    mailed.late(20, "Late 100 0%")
    mailed.draft("Draft 1000 0%")
    mailed.issued("New 50 0%")
    mailed("payments add", mailed.acme, Decimal(30))
    month = mailed.crm.today.replace(day=1)
    issued = [invoice for invoice in menu.all(Invoice) if invoice.issued_on and invoice.issued_on >= month]
    total = sum(invoice.total for invoice in issued)
    assert (
        f"Open \u20ac120.00 (2) Issued \u20ac{total:.2f} ({len(issued)}) this month"
        " Overdue \u20ac70.00 (1) Paid \u20ac30.00 (1) this month"
    ) in page()
    mailed("invoices issue", mailed("invoices add", mailed.acme, ["Abroad 70 0%"], currency="CHF").invoice)
    assert "Open CHF70.00 (1) Issued CHF70.00 (1) this month" in page().replace("\xa0", "")
    assert "A client's total counts sales, not invoices" in page()
    mailed("settings set", "spend_counts", PAID_INVOICES)
    assert "total counts" not in page()


def test_services_are_managed_at_the_menu(menu: Menu) -> None:
    added = menu("services add", "Hour", "Tax rate", "Save", Name="Consulting", Price="100", Tax_rate="19")
    assert "✓ Added Consulting." in added
    assert "Consulting" in menu("services list")
    assert "Saved Consulting" in menu("services edit", "Consulting", "Price  ", "Save", Price="110")
    assert [f"{service.price:.2f}" for service in menu.all(Service)] == ["110.00"]
    assert "€110.00" in menu("services show", "Consulting")
    assert "is no longer offered" in menu("services retire", "Consulting")
    assert "Deleted Consulting" in menu("services delete", "Consulting")
    offered = menu("services add", "Another unit", Name="Roof", Price="1", Unit="MTQ")
    assert "\nHour\n" in offered
    assert "\nSquare metre\n" in offered
    menu("services add", Name="Nail", Price="1")
    assert [(service.name, service.unit) for service in menu.all(Service)] == [("Roof", "MTQ"), ("Nail", "C62")]


@pytest.mark.parametrize(
    ("steps", "typed", "saved"),
    [
        ((), {}, ("S", "20.00")),
        (("Tax rate",), {"Tax_rate": "0"}, ("Z", "0.00")),
        (("Tax rate", "Tax rate"), {"Tax_rate": "7"}, ("S", "7.00")),
        (("Tax category", "exempt"), {}, ("E", "0.00")),
        (("Tax category", "exempt", "Tax category", "standard"), {}, ("S", "20.00")),
        (("Tax category", "exempt", "Tax rate"), {"Tax_rate": "19"}, ("S", "19.00")),
        (("Tax category", "Canary"), {}, ("L", "20.00")),
    ],
)
def test_a_service_is_asked_three_things_and_has_the_usual_tax(
    menu: Menu, steps: Sequence[str], typed: Mapping[str, str], saved: tuple[str, str]
) -> None:
    menu.mailed("settings set", "tax_rate", "20")
    offered = menu("services add", "Hour", *steps, "Save", Name="Joinery", Price="80", **typed)
    (service,) = menu.all(Service)
    assert (service.tax_category, f"{service.tax_rate:.2f}") == saved
    assert (service.unit, service.period, service.active) == ("HUR", "once", True)
    if not steps:
        # Nobody who sells joinery has to read of it.
        assert "Canary" not in offered


def test_a_refused_first_line_can_be_corrected(menu: Menu) -> None:
    shown = menu("invoices add", **{"Client": "Acme", LINE: "Consulting", "Line": "Consulting 100 19%"})
    assert "Say what Consulting costs, like Consulting 100: no service has that" in shown
    for typed, words in (
        ("3 h Workshop 1.200,50 19%", "1.200,50 is not an amount here; did you mean 1,200.50?"),
        ("3 h Workshop 1,2.3 19%", "Say what Workshop 1,2.3 costs, like Workshop 1,2.3 100"),
    ):
        with pytest.raises(FieldError) as refused:
            menu.mailed("invoices add", menu.mailed.acme, line=[typed])
        assert words.casefold() in refused.value.reason.casefold()
    assert [f"{invoice.total:.2f}" for invoice in menu.all(Invoice)] == ["119.00"]


def test_an_invoice_is_issued_and_paid_at_the_menu(menu: Menu) -> None:
    menu("services add", "Hour", "Tax rate", "Save", Name="Consulting", Price="100", Tax_rate="19")
    assert "Drafted an invoice for Acme" in menu("invoices add", **{"Client": "Acme", LINE: "3 h Consulting"})
    (draft,) = menu.all(Invoice)
    menu("invoices lines add", "Draft 1", **{LINE: "2 x Table 49.90 7%"})
    menu("invoices lines edit", "Draft 1", "Table", "Change the price", Price="50")
    menu("invoices lines move", "Draft 1", "Table", "Move it", "Position 1")
    menu("invoices lines add", "Draft 1", **{LINE: "Mistake 1"})
    menu("invoices lines remove", "Draft 1", "Mistake", "Remove it")
    menu("invoices adjustments add", "Draft 1", "Add a discount", **{"Discount, like 10% or 25": "10%"})
    menu("invoices adjustments add", "Draft 1", "Add a charge", **{"Charge, like 10% or 25": "5"})
    menu("invoices adjustments remove", "Draft 1", "Remove: charge")
    assert "Table" in menu("invoices show", "Draft 1")
    # 0.9 x 100 at 7 %, and 0.9 x 300 at 19 %.
    assert "417.60" in menu("invoices list")
    menu("invoices copy", "Draft 1")
    assert "Deleted draft 2" in menu("invoices delete", "Draft 2", "Delete")
    menu("invoices issue", "Draft 1", "Issue it")
    (issued,) = menu.all(Invoice)
    assert (issued.id, issued.number) == (draft.id, "RE-2026-0001")
    for words in ("invoices pdf", "invoices xml"):
        written = "".join(menu(words, issued.number).split())
        kind = "PDF" if words == "invoices pdf" else "e-invoice"
        assert f"Saved{kind}:{Path.cwd() / f'{issued.number}.{words.split()[1]}'}" in written, words
    assert "paid" not in menu("invoices list", issued.number, "Memo", Memo="asked for")
    assert menu.all(Invoice)[0].memo == "asked for"
    assert "Not yet e-mailed" in menu("invoices show", issued.number)
    assert "Invoice RE-2026-0001" in menu("invoices send", issued.number, "Send it")
    assert "Not yet e-mailed" not in menu("invoices show", issued.number)
    # The invoice that it is for is asked about, and may be left open.
    menu("payments add", "bank transfer", "Oldest first", Client="Acme", Amount="17.60")
    menu("payments add", "cash", issued.number, Client="Acme", Amount="500")
    first, second = menu.all(Payment)
    assert (first.method, first.left, second.method, second.left) == ("bank transfer", 0, "cash", 100)
    assert "€500.00" in menu("payments list")
    assert "✓" not in menu("payments show", "€500.00")
    menu("invoices add", **{"Client": "Acme", LINE: "Stamp 10 19%"})
    menu("invoices issue", "Draft 3", "Issue it", "Not now")
    menu("payments allocate", "€500.00", "RE-2026-0002")
    assert menu.all(Payment)[1].left == Decimal("88.10")
    assert "€88.10" in menu("payments refund", Client="Acme", Amount="88.10")
    menu("receipts send", "€500.00", "e-mail", "Send it")
    menu("invoices credit", "RE-2026-0002", "Credit it", Reason="came broken")
    assert menu.all(Invoice)[-1].notes == "came broken"
    assert menu.all(Invoice)[-1].number == "GS-2026-0001"
    assert [mail["Subject"].split()[0] for mail in menu.mailed.mail.post.taken] == ["Invoice", "Receipt"]


def test_missing_parts_of_a_draft_are_named_before_the_question_and_filled_in(menu: Menu) -> None:
    menu.mailed("clients edit", menu.mailed.acme, {"address": ""})
    menu.mailed("settings set", "company_name", "")
    menu.mailed.crm.forget_settings()
    menu.mailed("invoices add", menu.mailed.acme)
    lacks = menu("invoices issue", "Draft 1", BACK)
    for words in ("your name (Settings, Company name)", "Acme {x}'s address (Address)", "at least one line"):
        assert f"- {words}" in lacks
    assert "Issue it" not in lacks
    menu("invoices issue", "Draft 1", "Edit Acme {x}", "Address", "Save", Address="Weg 2")
    with menu.mailed.crm.read() as snapshot:
        assert snapshot.get(Client, menu.mailed.acme.id).address == "Weg 2"
    menu("invoices issue", "Draft 1", "Add a line", **{LINE: "Late 100 19%"})
    assert "at least one line" not in menu("invoices issue", "Draft 1", BACK)


def test_a_past_due_day_is_shown_before_the_draft_is_issued(menu: Menu) -> None:
    draft = menu.mailed("invoices add", menu.mailed.acme, line=["Late 100 19%"]).invoice
    yesterday = menu.mailed.crm.today - timedelta(days=1)
    menu.mailed.crm.repository.transact(lambda tx: tx.change(draft, due_on=yesterday), "made by a test")
    asked = menu("invoices issue", "Draft 1")
    assert "Missing: - a due date that is not before the issue date" in " ".join(asked.split())
    assert "It gets the next number" not in asked
    # As it is typed it is refused already.
    assert "has passed (today is" in menu("invoices edit", "Draft 1", "Due", Due="yesterday")


def test_missing_settings_of_a_draft_are_asked_for_one_by_one(menu: Menu) -> None:
    menu.mailed("invoices add", menu.mailed.acme, line=["Late 100 19%"])
    for key in ("company_name", "company_city"):
        menu.mailed("settings set", key, "")
    menu.mailed.crm.forget_settings()
    filled = menu(
        "invoices issue", "Draft 1", "Fill in the missing settings",
        **{"Company name": "Berg GmbH", "City": "Graz"},
    )  # fmt: skip
    assert "Settings › Company name\n2 more" in filled
    assert "Settings › City" in filled
    # It leads to these alone, not to the list of all settings.
    assert "Open the settings" not in filled
    settings = menu.mailed.crm.settings
    assert (settings["company_name"], settings["company_city"]) == ("Berg GmbH", "Graz")
    assert "Missing" not in menu("invoices issue", "Draft 1", "Issue it")
    assert menu.all(Invoice)[0].number


def test_an_invoice_that_does_not_say_how_to_pay_can_be_issued_and_a_bank_account_is_offered(menu: Menu) -> None:
    mailed = menu.mailed
    mailed("settings set", "iban", "")
    mailed.crm.forget_settings()
    for name in ("One", "Two", "Three", "Four"):
        mailed("invoices add", mailed.acme, line=[f"{name} 100 19%"])
    notice = "It does not say how to pay: no bank account and no payment terms are set (Settings)."
    assert notice in menu("invoices issue", "Draft 1", "Issue it")
    beside = named("invoices issue").beside
    assert beside is not None
    (issued,) = (invoice for invoice in menu.all(Invoice) if invoice.number)
    assert "`settings set iban`" in beside(mailed.crm, {"invoice": issued})
    iban = {"Bank account (IBAN)": "DE89 3704 0044 0532 0130 00"}
    asked = menu("invoices issue", "Draft 2", "Set first: Bank account (IBAN)", "Issue it", **iban)
    assert asked.count(notice) == 1
    assert mailed.crm.settings["iban"] == "DE89370400440532013000"
    assert notice not in menu("invoices issue", "Draft 3", "Issue it")
    for key, value in (("iban", ""), ("payment_terms", "By cheque, within two weeks.")):
        mailed("settings set", key, value)
    mailed.crm.forget_settings()
    assert notice not in menu("invoices issue", "Draft 4", "Issue it")
    assert len([invoice for invoice in menu.all(Invoice) if invoice.number]) == 4
    assert "`settings set iban`" not in beside(mailed.crm, {"invoice": menu.all(Invoice)[3]})


def test_an_invoice_without_tax_offers_the_tax_rate_that_was_never_set(menu: Menu) -> None:
    mailed = menu.mailed
    for line in ("Ale 100", "Cider 100"):
        mailed("invoices add", mailed.acme, line=[line, "Bread 10 7%"])
    notice = "No tax is charged: no tax rate is set (Settings), so it is 0 %."
    asked = menu("invoices issue", "Draft 1", "Set first: Tax rate", "Issue it", **{"Tax rate": "20"})
    assert asked.count(notice) == 1
    first, second = menu.all(Invoice)
    # The lines that had none get it, and no others.
    assert [line.tax_rate for line in mailed("invoices show", first).lines] == [20, 7]
    assert first.number
    beside = named("invoices issue").beside
    assert beside is not None
    assert "tax_rate" not in beside(mailed.crm, {"invoice": first})
    # Who sets it to 0 means it.
    mailed("settings set", "tax_rate", "0")
    mailed.crm.forget_settings()
    assert notice not in menu("invoices issue", "Draft 2", "Issue it")
    assert "tax_rate" not in beside(mailed.crm, {"invoice": second})


def test_an_invoice_without_tax_is_issued_all_the_same(menu: Menu) -> None:
    mailed = menu.mailed
    mailed("invoices add", mailed.acme, line=["Ale 100"])
    assert "No tax is charged" in menu("invoices issue", "Draft 1", "Issue it")
    (issued,) = menu.all(Invoice)
    beside = named("invoices issue").beside
    assert issued.number
    assert beside is not None
    assert "`settings set tax_rate`" in beside(mailed.crm, {"invoice": issued})
    # In the United States an invoice says nothing about tax.
    mailed("settings set", "country", "US")
    mailed.crm.forget_settings()
    assert "tax_rate" not in beside(mailed.crm, {"invoice": issued})


def test_a_tax_number_is_enough_without_a_vat_id(menu: Menu) -> None:
    menu.mailed("invoices add", menu.mailed.acme, line=["Late 100 19%"])
    menu.mailed("settings set", "vat_id", "")
    menu.mailed.crm.forget_settings()
    with pytest.raises(RefusedError, match=r"`settings set vat_id` or `settings set tax_number`"):
        menu.mailed("invoices issue", menu.all(Invoice)[0])
    number = {"Tax number": "12/345/67890"}
    asked = menu("invoices issue", "Draft 1", "Fill in the missing settings", "Tax number", **number)
    assert "Settings › VAT ID or Tax number" in asked
    assert menu.mailed.crm.settings["tax_number"] == "12/345/67890"
    assert "Tax number 12/345/67890" in " ".join(menu("invoices issue", "Draft 1", "Issue it").split())


def test_seller_details_for_an_e_invoice_are_asked_for_before_the_issue(menu: Menu) -> None:
    mailed = menu.mailed
    values = {"invoice_format": "xrechnung-ubl", "buyer_reference": "04011000-1", "postcode": "1010"}
    mailed("clients edit", mailed.acme, values)
    for key in ("company_phone", "company_email", "company_postcode"):
        mailed("settings set", key, "")
    mailed.crm.forget_settings()
    mailed("invoices add", mailed.acme, line=["Late 100 19%"])
    answers = {"Phone on invoices": "+49 30 1234567", "E-mail on invoices": "us@example.com", "Postcode": "10115"}
    menu("invoices issue", "Draft 1", "Fill in the missing settings", **answers)
    menu("invoices issue", "Draft 1", "Issue it")
    (issued,) = menu.all(Invoice)
    menu("invoices show", issued.number, "Make the e-invoice")
    text = (Path.cwd() / f"{issued.number}.xml").read_text("utf-8")
    assert "+49 30 1234567" in text
    assert "us@example.com" in text


def test_the_sellers_country_and_address_are_shown_before_the_issue(menu: Menu) -> None:
    menu.mailed("invoices add", menu.mailed.acme, line=["Late 100 19%"])
    seen = menu("invoices issue", "Draft 1", BACK)
    assert "From Us Ltd · Street 1 · Berlin · Germany · VAT ID DE123456789" in " ".join(seen.split())
    assert "begins with" not in seen
    menu.mailed("settings set", "country", "US")
    menu.mailed("settings set", "company_city", "")
    # Somebody has set the country: it is not asked for again.
    assert "your country" not in menu("invoices issue", "Draft 1", "Fill in the missing settings", City="Berlin")
    seen = " ".join(menu("invoices issue", "Draft 1", BACK).split())
    assert "Your Tax ID begins with DE, but your country is United States. Check both in the settings" in seen


def test_a_country_that_nobody_has_set_is_asked_for_with_the_other_settings(menu: Menu) -> None:
    menu.mailed("invoices add", menu.mailed.acme, line=["Late 100 19%"])
    menu.mailed("settings set", "company_city", "")
    with menu.mailed.crm.repository.read() as snapshot:
        (country,) = snapshot.find_all(Setting, Query({"key": "country"}))

    def as_new(tx: Transaction) -> None:
        tx.delete(country)
        tx.add(Setting(key="country", value="US"))

    menu.mailed.crm.repository.transact(as_new, "made by a test")
    menu.mailed.crm.forget_settings()
    asked = menu("invoices issue", "Draft 1", "Fill in the missing settings", Country="Germany", City="Graz")
    assert "- your country (Settings, Country); so far United States is assumed" in asked
    assert menu.mailed.crm.settings["country"] == "DE"
    assert "your country" not in menu("invoices issue", "Draft 1", "Issue it")


def test_the_walk_through_an_address_asks_for_state_and_zip_code_too(menu: Menu) -> None:
    mailed = menu.mailed
    mailed("settings set", "country", "US")
    for key in ("company_address", "company_city", "company_postcode", "company_region", "vat_id", "tax_number"):
        mailed("settings set", key, "")
    mailed("clients edit", mailed.acme, {"address": "", "city": "", "country": "", "postcode": ""})
    mailed.crm.forget_settings()
    mailed("invoices add", mailed.acme, line=["Late 100 0%"])
    answers = {"Street": "12 High St", "City": "Columbus", "State": "OH", "ZIP code": "43004"}
    asked = menu("invoices issue", "Draft 1", "Fill in the missing settings", **answers)
    assert "tax ID" not in asked
    settings = mailed.crm.settings
    assert [settings[f"company_{name}"] for name in ("address", "city", "region", "postcode")] == [*answers.values()]
    answers |= {"Address": "1 Elm St", "City": "Toledo", "Country": "United States"}
    menu("invoices issue", "Draft 1", "Fill in what is missing of Acme {x}", **answers)
    with mailed.crm.read() as snapshot:
        client = snapshot.get(Client, mailed.acme.id)
    assert (client.address, client.city, client.region, client.postcode) == ("1 Elm St", "Toledo", "OH", "43004")
    assert client.country == "US"
    asked = menu("invoices issue", "Draft 1", "Issue it")
    assert "It gets the next number" in asked
    # No e-invoice is expected there: nothing is said of it, before the issue or after.
    (issued,) = menu.all(Invoice)
    made = menu("invoices pdf", issued.number)
    assert "Saved PDF" in made
    assert "No e-invoice" not in asked + made


def test_the_company_that_a_person_is_billed_as_is_seen_before_the_issue(menu: Menu) -> None:
    person = {"first_name": "Megan", "last_name": "Ott", "company": "Buckeye Bottling"}
    address = {"address": "1 High St", "city": "Columbus", "country": "US"}
    menu.mailed("invoices add", menu.mailed("clients add", {**person, **address}), line=["Late 100 19%"])
    assert "Megan Ott, billed to Buckeye Bottling" in menu("invoices issue", "Draft 1", BACK)


def test_missing_parts_of_an_e_invoice_are_named_before_the_issue(menu: Menu) -> None:
    menu.mailed("invoices add", menu.mailed.acme, line=["Late 100 19%"], currency="KWD")
    asked = menu("invoices issue", "Draft 1", "Issue it")
    assert "Its PDF will have no e-invoice inside. Missing: a currency with two decimals" in asked
    (issued,) = menu.all(Invoice)
    made = menu("invoices pdf", issued.number)
    assert "The PDF can be sent as it is. No e-invoice is inside." in made
    assert "`" not in made


def test_a_word_in_place_of_a_tax_number_is_refused(menu: Menu) -> None:
    menu.mailed("settings set", "country", "US")
    menu.mailed.crm.forget_settings()
    with pytest.raises(FieldError, match="write it like 12-3456789"):
        menu.mailed("settings set", "vat_id", "none")


def test_a_required_setting_is_not_called_optional_and_its_example_fits_the_country(menu: Menu) -> None:
    menu.mailed("invoices add", menu.mailed.acme, line=["Late 100 19%"])
    menu.mailed("settings set", "country", "US")
    menu.mailed("settings set", "company_name", "")
    menu.mailed.crm.forget_settings()
    with pytest.raises(AssertionError, match="Company name has to be answered"):
        menu("invoices issue", "Draft 1", "Fill in the missing settings")
    helps = []

    class Listener(Typist):
        def text(self, label: str, read: Callable[[str], Any], *, help: str = "", **how: Any) -> Any:
            helps.append((label, help))
            return super().text(label, read, **how)

    session = Watched(menu.mailed.crm, Listener({}, []), Screen(io.StringIO(), plain=True))
    session.start(named("settings set"), key="vat_id", needed=True)
    assert helps == [("Tax ID", "like 12-3456789")]


def test_a_payment_takes_a_day_and_a_reference_and_an_overpayment_is_confirmed(menu: Menu) -> None:
    late = menu.mailed.late(20)
    asked = menu(
        "invoices show", late.number, "Record a payment", "cash", "Record it",
        Amount="130", Date="yesterday", Reference="R 7",
    )  # fmt: skip
    assert f"Only €119.00 is open on {late.number}. The other €11.00 becomes credit for Acme {{x}}." in asked
    (payment,) = menu.all(Payment)
    assert (payment.left, payment.method, payment.reference) == (11, "cash", "R 7")
    assert payment.on == menu.mailed.crm.today - timedelta(days=1)


def test_a_client_and_a_won_deal_lead_to_billing(menu: Menu) -> None:
    acme = menu.mailed.acme

    def card() -> str:
        keyboard, out = Typist({}, []), io.StringIO()
        session = Watched(menu.mailed.crm, keyboard, Screen(out, plain=True))
        session.open(acme)
        return out.getvalue()

    assert "Billing" not in card()
    menu.mailed.late(20)
    menu.mailed.issued("Later 50 19%", currency="USD")
    menu.mailed("payments add", acme, Decimal("19.00"))
    assert "Billing  ! overdue €100.00 · open $59.50 · paid €19.00 " in card()
    menu.mailed("payments add", acme, Decimal("150.00"))
    assert "Billing  open $59.50 · credit €50.00 · paid €150.00 " in card()
    deal = menu.mailed("deals add", acme, "A shelf", value=Decimal(80))
    menu.mailed("deals win", deal, Decimal(80))
    assert "Drafted an invoice for Acme" in menu("deals show", "Draft an invoice", Deal="A shelf")
    assert "A shelf is already on draft 3" in menu("deals show", "Draft an invoice", BACK, Deal="A shelf")
    needs = [(item.what, item.why) for item in menu.mailed("agenda").items]
    assert needs == [("Payment 2", "50.00 EUR is not applied to an invoice"), ("Draft 3", "not issued yet")]


def test_a_missing_mail_server_is_reported_before_any_question(menu: Menu) -> None:
    crm = menu.mailed.crm
    crm.outward = replace(crm.outward, mailer=lambda: None)
    for words in ("invoices send", "receipts send", "statements send"):
        assert menu(words).startswith("End\n✗ No e-mail can be sent yet"), words


def test_esc_from_the_actions_of_a_line_returns_to_the_lines(menu: Menu) -> None:
    draft = menu.mailed("invoices add", menu.mailed.acme, line=["Desk 100 19%", "Chair 50 19%"]).invoice
    menu("invoices lines edit", "Desk", BACK, "Chair", "Remove it")
    assert [line.name for line in menu.mailed("invoices show", draft).lines] == ["Desk"]
    menu("invoices lines edit", "Desk", "Move it", BACK, "Change the price", Price="80")
    assert menu.mailed("invoices show", draft).lines[0].price == Decimal(80)


def test_further_actions_apply_to_the_selected_client(menu: Menu) -> None:
    menu.mailed("clients add", {"company": "Another"})
    menu.mailed.late(22)
    # The client is not asked for: that would have to be answered.
    assert "€119.00" in menu("unpaid list", "More", "Show a statement")


def test_the_only_client_is_filled_in(menu: Menu) -> None:
    assert len(menu.all(Client)) == 1
    assert "Recorded" in menu("payments add", Amount="20")
    menu.mailed("clients add", {"company": "Another"})
    with pytest.raises(AssertionError, match="Client has to be answered"):
        menu("payments add", Amount="20")


def test_a_client_sees_its_account_in_each_of_its_currencies(menu: Menu) -> None:
    desk = menu.mailed
    for currency, amount in (("JPY", 100), ("KWD", 5)):
        desk("invoices issue", desk.draft(f"Work {amount} 10%", currency=currency))
    desk("payments add", desk.acme, Decimal("1.005"), currency="KWD")
    reader = Reader(1, CLIENT, desk.acme.id, "Olga")
    crm = replace(desk.crm, repository=guarded_for(desk.crm.repository, reader), reader=reader)
    # Nothing is in the currency of the team.
    assert [named("statements show")(reading, desk.acme).currency for reading in (crm, desk.crm)] == ["JPY", "JPY"]
    drawn = io.StringIO()
    session = Watched(crm, Typist({}, []), Screen(drawn, plain=True))
    (statement,) = (entry for entry in Portal(session).entries() if entry.label == "Statement of my account")
    session.attempt(statement.value)
    session.page("End")
    text = drawn.getvalue()
    assert [text.count(words) for words in ("¥110", "4.495", "€", "other currencies")] == [4, 3, 0, 0], text


def test_the_credit_of_a_client_is_offered_for_an_unpaid_invoice(menu: Menu) -> None:
    assert "Credit" not in menu("unpaid list")
    menu.mailed("payments add", menu.mailed.acme, Decimal("349.06"))
    assert "credit of €349.06" in menu("payments add", Amount="1")
    draft = menu.mailed.draft("One 100 19%")
    assert "Client's credit: €350.06" in menu("invoices show", "Draft 1")
    issued = menu("invoices issue", "Draft 1", "Issue it", "Use it")
    assert "has a credit of €350.06. Use it for RE-2026-0001?" in issued
    assert "RE-2026-0001: €119.00 of Acme {x}'s credit used, paid" in issued
    assert menu.all(Invoice)[0].open == 0
    menu.mailed.issued("Two 500 0%")
    listed = menu("unpaid list")
    assert "Credit" in listed
    assert "231.06" in listed
    paid = menu("invoices show", "RE-2026-0002", "Record a payment", "Use the credit")
    assert "€231.06 of Acme {x}'s credit used, €268.94 still open" in paid
    assert "Use the credit" not in menu("invoices show", "RE-2026-0002", "Record a payment", Amount="268.94")
    assert [(invoice.id, invoice.open) for invoice in menu.all(Invoice)] == [(draft.id, 0), (2, 0)]


def test_a_promise_and_the_last_reminder_are_on_the_page_of_an_overdue_invoice(menu: Menu) -> None:
    late = menu.mailed.late(22)
    day = menu.mailed.crm.conventions.near_day
    assert "22 days overdue" in menu("invoices show", late.number)
    assert "Last reminder" not in menu("invoices show", late.number)
    menu("reminders run", "Send them")
    today = menu.mailed.crm.today
    assert f"Last reminder {day(today)}" in menu("invoices show", late.number, "Note a promise", Day="in 3 days")
    assert f"Promised for {day(today + timedelta(days=3))}" in menu("invoices show", late.number)
    menu("invoices show", late.number, "Skip a reminder", Until="in 2 weeks")
    assert f"No reminder before {day(today + timedelta(days=14))}" in menu("invoices show", late.number)
    menu.mailed("payments add", menu.mailed.acme, late.total)
    paid = menu("invoices show", late.number)
    assert not any(words in paid for words in ("Note a promise", "Skip a reminder", "Promised for", "Last reminder"))


def test_unpaid_invoices_are_listed_at_the_menu(menu: Menu) -> None:
    first, second = menu.mailed.late(22), menu.mailed.late(21, "Other 50 19%")
    unpaid = menu("unpaid list", "Acme", first.number)
    assert "178.50 !" in unpaid
    assert "22 days late" in unpaid
    assert "total €178.50 open, €178.50 overdue" in unpaid
    assert "€178.50" in menu("statements show", Client="Acme")
    menu("statements send", "Send it", Client="Acme")
    draft = menu.mailed("invoices add", menu.mailed.acme).invoice
    offered = menu("reminders skip", first.number)
    assert f"{first.number} · Acme {{x}} · €119.00 · 22 days overdue" in offered
    assert "Draft" not in offered
    menu.mailed("invoices delete", draft, yes=True)
    menu("reminders promise", second.number, Day="in 3 days")
    assert [invoice.promised_on is None for invoice in menu.all(Invoice)] == [True, False]
    assert "No reminders are due today." in menu("reminders preview")
    third = menu.mailed.late(20)
    preview = menu("reminders preview")
    assert third.number in preview
    assert "Reminding(" not in preview
    menu("reminders run", "Send them")
    assert menu.all(Invoice)[-1].reminded == 1
    assert "RE-{year}" in menu("numbers show")
    menu("numbers show", "RE-{year}", Pattern="AR-{year}-{number:03}")
    assert "AR-{year}-{number:03}" in menu("numbers show")
    sent = [mail["Subject"].split()[0] for mail in menu.mailed.mail.post.taken]
    assert sent == ["Statement", "Payment"]
    menu.mailed.issued("Abroad 10 19%", currency="USD")
    unpaid = menu("unpaid list")
    assert " 297.50   297.50 !" in unpaid
    assert "$11.90" in unpaid
    assert "€297.50" in menu("statements show", Client="Acme")
    shown = menu("statements show", "Currency", Client="Acme", Currency="USD")
    assert "$11.90" in shown
    # It is shown at once, and nothing is asked but what is chosen.
    assert "Since: the first entry" in shown
    assert menu("statements show", Client="Acme").replace("Clients ›", "").count("Client") == 0
    paid = menu.mailed("payments add", menu.mailed.acme, Decimal(12), invoice=[menu.all(Invoice)[-1]])
    assert (paid.payment.currency, menu.all(Invoice)[-1].open) == ("USD", 0)
    assert "Client's credit: $0.10" in menu("payments show", Payment=str(paid.payment.id))


def test_a_service_is_added_to_a_draft_from_the_list_and_the_issue_shows_its_effects(menu: Menu) -> None:
    menu("services add", "Hour", "Tax rate", "Save", Name="Consulting", Price="100", Tax_rate="19")
    menu("invoices add", "Consulting", **{"Client": "Acme", "Quantity, in h": "2.5"})
    menu("invoices lines add", "Draft 1", "Type a line", **{LINE: "Table 50 19%"})
    (draft,) = menu.all(Invoice)
    assert f"{draft.net:.2f}" == "300.00"
    asked = menu("invoices issue", "Draft 1", "Issue it")
    due = menu.mailed.crm.conventions.near_day(menu.mailed.crm.today + timedelta(days=14))
    assert f"the next number, RE-2026-0001, and is due on {due}. Afterwards it cannot be changed" in asked
    assert menu.all(Invoice)[0].number == "RE-2026-0001"


def test_a_service_and_its_draft_are_saved_in_one_change_with_prices_of_one_kind(menu: Menu) -> None:
    menu.mailed("services add", "Lamp", Decimal("119"), gross=True, tax_rate=Decimal(19))
    menu.mailed("services add", "Table", Decimal("100"), tax_rate=Decimal(19))
    menu("invoices add", "Lamp", **{"Client": "Acme", "Quantity": "2"})
    (draft,) = menu.all(Invoice)
    assert (draft.gross, draft.total) == (True, Decimal("238.00"))
    assert "Table" not in menu("invoices lines add", Line="Talk 10 19%", **{LINE: "Talk 10 19%"})
    menu.mailed("history undo")
    menu.mailed("history undo")
    assert menu.all(Invoice) == []


def test_an_invoice_just_issued_is_not_called_sent(menu: Menu) -> None:
    issued = menu.mailed.issued()
    shown = menu("invoices show", issued.number)
    assert f"Invoice {issued.number}  [issued]\n" in shown
    assert "Not yet e-mailed" in shown
    assert " sent" not in menu("invoices list")
    message = menu.mailed("invoices send", issued, yes=True).message
    assert f"Invoice {issued.number}  [sent]\n" in menu("invoices show", issued.number)
    # What was written and never left is on its way.
    crm = menu.mailed.crm
    crm.transact(lambda tx: tx.change(tx.get(Message, message.id), state="queued"), "queued")
    crm.transact(lambda tx: tx.change(tx.get(Invoice, issued.id), sent_on=None), "not sent")
    shown = menu("invoices show", issued.number)
    assert f"Invoice {issued.number}  [issued]\n" in shown
    assert "E-mail waits in the outbox" in shown
    crm.transact(lambda tx: tx.change(tx.get(Invoice, issued.id), sent_on=tx.today), "sent")
    assert menu.mailed("invoices list")[0].as_json()["state"] == "sent"


def test_a_remote_user_gets_each_file_under_its_invoice_number(menu: Menu, tmp_path: Path) -> None:
    invoices = [menu.mailed.issued(), menu.mailed.issued()]
    out = io.StringIO()
    screen, device = Screen(out, plain=True), Device(tmp_path)
    session = Session(menu.mailed.crm, LineKeyboard(io.StringIO(), screen), screen, exchange=device)
    for words in ("invoices pdf", "invoices xml", "invoices pdf"):
        for invoice in invoices:
            session.lead(named(words), invoice=invoice, **({"format": "factur-x"} if "xml" in words else {}))
    assert {name: data[:5] for name, data in device.offered.items()} == {
        "RE-2026-0001.pdf": b"%PDF-", "RE-2026-0002.pdf": b"%PDF-",
        "RE-2026-0001.xml": b"<?xml", "RE-2026-0002.xml": b"<?xml",
    }  # fmt: skip
    assert "Saved PDF: RE-2026-0002.pdf" in out.getvalue()
    assert str(tmp_path) not in out.getvalue()


def test_undo_after_the_issue_says_that_it_cannot_be_undone(menu: Menu) -> None:
    def undo_offers() -> str:
        keyboard = Typist({}, [])
        session = Watched(menu.mailed.crm, keyboard, Screen(io.StringIO(), plain=True))
        session.attempt(session._undo_last)
        return "\n".join(keyboard.offered)

    menu.mailed("clients edit", menu.mailed.acme, {"city": "Graz"})
    issued = menu.mailed.issued()
    offered = undo_offers()
    assert f"{issued.number} was issued, which cannot be undone. To cancel it, open it and credit it." in offered
    assert "Before that: edited Acme" in offered
    assert "Undo the older change" in offered
    assert menu.mailed("clients show", menu.mailed.acme).client.city == "Wien"
    note = menu.mailed("invoices credit", issued).invoice
    assert f"{note.number} was issued, which cannot be undone. To charge it again" in undo_offers()
    backup = menu.mailed("backup").file
    menu.mailed("restore", backup, yes=True)
    offered = undo_offers()
    assert f"Last change: restored {backup.name}. A restore is undone by restoring the backup that it made" in offered
    assert "Before that: set e-mails a minute to 6000" in offered


def test_a_service_is_announced_from_its_page(menu: Menu) -> None:
    menu("services add", "Hour", "Tax rate", "Save", Name="Consulting", Price="100", Tax_rate="19")
    menu.mailed("clients edit", menu.mailed.acme, {"marketing_consent": True})
    asked = menu("services announce", "Consulting", "All clients", "Its name, price", "Send it")
    assert "We have a new offer: Consulting, €100.00 per hour." in asked
    assert "This can go to 1 client." in asked
    assert menu.mailed.subjects() == ["New: Consulting"]
    again = menu(
        "services show", "Consulting", "Announce it", "All clients", "Write a text", Subject="Now", Text="Hello"
    )
    assert "Nobody would get this" in again
    for name in ("Ann", "Ben", "Cem"):
        values = {"first_name": name, "email": f"{name}@example.com", "marketing_consent": True}
        menu.mailed("clients add", values)
    menu.mailed("settings set", "mails_per_minute", "1")
    later = menu("services announce", "Consulting", "All clients", "Its name, price", "Send it", "3 clients later")
    assert "Sending takes about 3 minutes." in later
    assert "3 not sent yet" in later
    assert menu.mailed.subjects() == ["New: Consulting"]


def test_reminder_levels_are_edited_from_their_current_values(menu: Menu) -> None:
    assert "Saved level 2." in menu("reminders levels set", "Level 2, from 14", "Fee  ", "Save", Fee="5")
    assert "Saved level 4." in menu("reminders levels set", "A new level 4", "Days to pay  ", "Save", Days_to_pay="3")
    levels = [(level.days, level.fee, level.term) for level in menu.mailed("reminders levels list")]
    assert levels == [(3, 0, 7), (14, 5, 7), (28, 0, 7), (42, 0, 3)]
    assert "€5.00" in menu("reminders levels list")
    menu("reminders levels remove", Level="4")
    assert len(menu.mailed("reminders levels list")) == 3


def test_missing_references_of_an_e_invoice_are_filled_in_on_its_page(menu: Menu) -> None:
    menu.mailed("clients edit", menu.mailed.acme, {"electronic_address": "9914:ATU12345678"})
    invoice = menu.mailed.issued()
    assert "references" not in menu("invoices show", invoice.number)
    menu.mailed("clients edit", menu.mailed.acme, {"invoice_format": "peppol"})
    offered = menu("invoices show", invoice.number, "Fill in the client's references", Order_number="PO-7")
    assert "Make the e-invoice" in offered
    assert (menu.all(Invoice)[0].order_reference, menu.all(Invoice)[0].buyer_reference) == ("PO-7", "")
    assert "PO-7" in Path(menu.mailed("invoices xml", menu.all(Invoice)[0]).file).read_text("utf-8")
