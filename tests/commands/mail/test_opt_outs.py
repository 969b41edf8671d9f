"""Opt-outs, stored by address: only an admin who gives a reason can remove one."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from crm.commands.consent import objections, opted_out
from crm.commands.data.importing.report import ImportReport
from crm.commands.mail import unsubscribing
from crm.commands.mail.unsubscribing import UnsubscribeRequest
from crm.commands.registry import named
from crm.errors import CRMError, FieldError, NotFoundError, RefusedError
from crm.model import Client, Contact, Conventions, OptOut
from crm.model.fields.recipients import recipient_key
from crm.repository import Query
from tests.commands.conftest import Office
from tests.conftest import Store
from tests.support.mail_desk import MailDesk
from tests.support.sheets_team import new_team

ADDRESS = "jo@firm.example.com"


def opt_out(here: MailDesk, client: Client, address: str = ADDRESS) -> None:
    """The link of a mailing to an address is followed."""
    unsubscribing.opt_out(here.crm, UnsubscribeRequest(client.id, address))


def mailed(here: MailDesk) -> list[str]:
    """The addresses that another mailing to everybody reaches."""
    before = len(here.post.recipients)
    with suppress(RefusedError):
        here("mailings send", all_=True, again=True, yes=True, subject="News", body="Text")
    return here.post.recipients[before:]


def firm(here: MailDesk, name: str, address: str = "") -> Client:
    """A company that wants mailings, with a contact at an address."""
    made: Client = here("clients add", {"company": name, "kind": "company", "marketing_consent": True})
    if address:
        here("contacts add", made, "Jo", email=address)
    return made


def merged(here: MailDesk, client: Client) -> None:
    here("clients merge", firm(here, "Big"), client)


def deleted_and_added(here: MailDesk, client: Client) -> None:
    here("clients delete", client, yes=True)
    firm(here, "Firm again", ADDRESS)


def moved_and_undone(here: MailDesk, client: Client) -> None:
    with here.crm.read() as snapshot:
        (contact,) = snapshot.find_all(Contact, Query({"client": client.id}))
    here("contacts edit", contact, {"email": "other@firm.example.com"})
    here("history undo")


def agreed_again(here: MailDesk, client: Client) -> None:
    with here.crm.read() as snapshot:
        current = snapshot.get(Client, client.id)
    here("clients edit", current, {"marketing_consent": True})


def given_to_another(here: MailDesk, _: Client) -> None:
    here.clients(1, email=ADDRESS.upper(), last_name="Other")


@pytest.mark.parametrize("then", [merged, deleted_and_added, moved_and_undone, agreed_again, given_to_another])
def test_an_opt_out_stays_whatever_happens_to_the_client(
    here: MailDesk, then: Callable[[MailDesk, Client], None]
) -> None:
    for late in (False, True):
        client = firm(here, f"Firm {late}", ADDRESS)
        if not late:
            assert mailed(here) == [ADDRESS]
            opt_out(here, client)
            then(here, client)
        else:
            # The link is followed once the record has changed.
            opt_out(here, client)
        assert mailed(here) == []


def test_a_link_that_is_followed_after_a_merge_still_works(here: MailDesk) -> None:
    client = firm(here, "Firm", ADDRESS)
    merged(here, client)
    assert mailed(here) == [ADDRESS]
    opt_out(here, client)
    assert mailed(here) == []
    # The other addresses of the client that is left go on as they were.
    assert [opt_out.address for opt_out in here("opt-outs list")] == [ADDRESS]


def test_a_queued_mailing_respects_a_later_opt_out(here: MailDesk) -> None:
    (client,) = here.clients(1, email=ADDRESS)
    here.write(client, mailing=here.mailing())
    here("opt-outs add", ADDRESS, note="said so on the phone")
    here.crm.transact(lambda tx: tx.change(tx.get(Client, client.id), marketing_consent=True), "agreed")
    assert (here.send().cancelled, here.states()) == (1, ["cancelled"])
    (message,) = here.messages().values()
    assert message.failure == f"{ADDRESS}: opted out on {here.crm.today.isoformat()} (asked for it)"
    # A letter to one client is no mailing.
    here.write(client)
    assert here.send().sent == 1


def test_an_opt_out_applies_to_the_address_on_every_record(here: MailDesk) -> None:
    (silent,) = here.clients(1, email=ADDRESS, marketing_consent=False)
    firm(here, "Firm", ADDRESS)
    here.clients(1, email=ADDRESS.upper(), last_name="Twin")
    (wants,) = here.clients(1, email="wants@example.com", last_name="Wants")
    company = firm(here, "Refuses", wants.email)
    assert mailed(here) == [wants.email]
    with here.crm.read() as snapshot:
        here("clients edit", snapshot.get(Client, company.id), {"marketing_consent": False})
    assert mailed(here) == []
    with pytest.raises(RefusedError) as refused:
        here("mailings send", all_=True, subject="News", body="Text")
    assert "3 have the address of someone who has not agreed" in refused.value.sentence
    assert silent.id


def test_undo_skips_an_opt_out_and_undoes_the_rest(here: MailDesk) -> None:
    (client,) = here.clients(1, email=ADDRESS)
    here("clients edit", client, {"city": "Graz"})
    opt_out(here, client)
    number = here("history list", 1)[0].id
    with pytest.raises(RefusedError, match="an admin can remove it with a reason"):
        here("history undo", number)
    # `u` passes over it, and nothing else is kept from being undone.
    here.crm.transact(lambda tx: tx.undo(number - 1), "undone")
    here.crm.transact(lambda tx: tx.undo(number - 2), "undone")
    assert [opt_out.address for opt_out in here("opt-outs list")] == [ADDRESS]


def test_only_an_admin_removes_an_opt_out_with_a_reason_in_the_history(here: MailDesk) -> None:
    (client,) = here.clients(1, email=ADDRESS)
    opt_out(here, client)
    agreed_again(here, client)
    with pytest.raises(FieldError, match="say why"):
        here("opt-outs lift", ADDRESS, "")
    with pytest.raises(NotFoundError):
        here("opt-outs lift", "other@example.com", "why")
    with pytest.raises(RefusedError, match="already"):
        here("opt-outs add", ADDRESS)
    here("opt-outs lift", ADDRESS, "she asked for it by mail")
    assert here("history list", 1)[0].what == f"removed the opt-out of {ADDRESS}: she asked for it by mail"
    assert mailed(here) == [ADDRESS]
    # To take that back opts out again, and to take back that does not lift it.
    here("history undo", yes=True)
    assert [opt_out.address for opt_out in here("opt-outs list")] == [ADDRESS]
    with pytest.raises(CRMError):
        here("history undo", here("history list", 1)[0].id)
    assert mailed(here) == []


def test_merged_clients_consent_only_if_both_did(here: MailDesk) -> None:
    for kept, gone in ((True, False), (False, True)):
        one, other = (
            here.clients(1, email=f"{name}@example.com", marketing_consent=consent)[0]
            for name, consent in (("one", kept), ("other", gone))
        )
        assert not here("clients merge", one, other).marketing_consent


# Imports


def imported(office: Office, text: str, name: str = "list.csv") -> ImportReport:
    report: ImportReport = office("import", office.write(name, text))
    return report


def test_an_opt_out_overrides_an_import_with_a_message(office: Office) -> None:
    anna = office.add(first_name="Anna", last_name="Berg", email="anna@example.com", marketing_consent=True)
    company = office.add(company="Firm", kind="company", marketing_consent=True)
    office("contacts add", company, "Jo", email=ADDRESS)
    unsubscribing.opt_out(office.crm, UnsubscribeRequest(anna.id, anna.email))
    unsubscribing.opt_out(office.crm, UnsubscribeRequest(company.id, ADDRESS))
    report = imported(
        office,
        "Name,Company,E-mail,City,Marketing consent\n"
        "Anna Berg,,ANNA@example.com,Graz,yes\n"
        "Ben Cole,,ben@example.com,Graz,yes\n"
        "Dora New,,Anna@Example.com,Linz,yes\n"
        ",Firm,,Wien,yes\n",
    )
    assert (report.opted_out, report.flagged) == (3, 1)
    assert {client.name: (client.city, client.marketing_consent) for client in office.clients()} == {
        "Anna Berg": ("Graz", False), "Firm": ("Wien", False), "Ben Cole": ("Graz", True), "Dora New": ("Linz", False),
    }  # fmt: skip
    # Dora's address is Anna's, which is a doubt of another kind.
    output = [(doubt.row, doubt.field) for doubt in report.doubts if doubt.field != "email"]
    assert output == [(2, "marketing_consent"), (4, "marketing_consent"), (5, "marketing_consent")]
    assert "the opt-out wins" in report.doubts[0].why
    # The same list again changes nothing, and says so again.
    again = imported(office, "Name,E-mail,Marketing consent\nAnna Berg,anna@example.com,yes\n")
    assert (again.unchanged, again.opted_out, len(again.doubts)) == (1, 1, 1)


@pytest.mark.parametrize("heading", ["UNSUB_TIME", "Unsubscribed", "Email opt out"])
@pytest.mark.parametrize(
    ("columns", "row", "address"),
    [
        ("Name,E-mail", "Anna Berg,ANNA@example.com", "anna@example.com"),
        ("Name,E-mail", "Ben Cole,ben@example.com", "ben@example.com"),
        ("Name,City", "Anna Berg,Graz", "anna@example.com"),
        ("Company,City", "Firm,Wien", ADDRESS),
        ("Name,Phone", "Dora New,+436641234567", "+436641234567"),
        ("Name,E-mail", "Eve Odd,none at all", ""),
    ],
)
def test_imported_opt_outs_are_recorded(office: Office, heading: str, columns: str, row: str, address: str) -> None:
    office.add(first_name="Anna", last_name="Berg", email="anna@example.com", marketing_consent=True)
    company = office.add(company="Firm", kind="company", marketing_consent=True)
    office("contacts add", company, "Jo", email=ADDRESS)
    cell = {"UNSUB_TIME": "2026-02-02 10:00:00", "Unsubscribed": "yes", "Email opt out": "TRUE"}[heading]
    report = imported(office, f"{columns},{heading}\n{row},{cell}\n")
    assert [opt_out.address for opt_out in office("opt-outs list")] == [address] * bool(address)
    assert report.opt_outs_added == bool(address)
    # The same list again adds nothing, and one that says yes brings nothing back.
    assert imported(office, f"{columns},{heading}\n{row},{cell}\n").opt_outs_added == 0
    later = imported(office, f"{columns},Marketing consent\n{row},yes\n", "later.csv")
    assert later.opted_out == bool(address)
    asked = [client.name for client in office.clients() if client.marketing_consent]
    assert row.split(",")[0] not in asked or not address


def test_imported_consent_is_not_recorded_as_an_opt_out(office: Office) -> None:
    imported(office, "Name,E-mail,Unsubscribed\nAnna Berg,anna@example.com,no\nBen Cole,ben@example.com,\n")
    imported(office, "Name,E-mail,Marketing consent\nAnna Berg,anna@example.com,no\n", "consent.csv")
    assert office("opt-outs list") == []


def test_an_imported_unsubscribe_applies_to_both_clients_of_an_address(office: Office) -> None:
    for name in ("Anna", "Ben"):
        office.add(first_name=name, last_name="Berg", email="both@example.com", marketing_consent=True)
    imported(office, "Name,E-mail,Unsubscribed\nAnna Berg,both@example.com,yes\n")
    assert [client.marketing_consent for client in office.clients()] == [False, False]


def test_undo_of_an_import_keeps_every_opt_out(office: Office) -> None:
    office.add(first_name="Anna", last_name="Berg", email="anna@example.com", marketing_consent=True)
    office("opt-outs add", "before@example.com")
    text = (
        "Name,E-mail,City,Unsubscribed\nAnna Berg,anna@example.com,Graz,yes\nBen Cole,ben@example.com,Graz,yes\n"
        "Eve Fox,before@example.com,Graz,yes\n"
    )
    for rows in (text, "".join(text.splitlines(keepends=True)[:2])):
        imported(office, rows)
        office("history undo")
        assert [(client.name, client.city) for client in office.clients()] == [("Anna Berg", "")]
        output = [opt_out.address for opt_out in office("opt-outs list")]
        assert output == ["anna@example.com", "before@example.com", "ben@example.com"]
    later = imported(office, "Name,E-mail,Marketing consent\nAnna Berg,anna@example.com,yes\n")
    assert later.opted_out == 1


def test_importing_a_contact_card_does_not_remove_an_opt_out(office: Office) -> None:
    office("opt-outs add", "anna@example.com")
    office("import", office.write("a.vcf", "BEGIN:VCARD\nVERSION:3.0\nFN:Anna\nEMAIL:anna@example.com\nEND:VCARD\n"))
    assert [opt_out.address for opt_out in office("opt-outs list")] == ["anna@example.com"]


# The whole store


def test_a_restored_backup_keeps_the_opt_outs_since(office: Office) -> None:
    anna = office.add(last_name="Berg", email="anna@example.com", marketing_consent=True)
    office("opt-outs add", "before@example.com")
    kept = office.folder / "kept.sqlite3"
    office("backup", kept)
    unsubscribing.opt_out(office.crm, UnsubscribeRequest(anna.id, anna.email))
    office("opt-outs lift", "before@example.com", "asked for it")
    office("restore", kept, yes=True)
    # The one that the backup holds is back as well: a "no" wins.
    assert [opt_out.address for opt_out in office("opt-outs list")] == ["anna@example.com", "before@example.com"]
    assert office.is_sound()
    office("opt-outs add", "after@example.com")


def test_copies_and_exports_of_the_whole_store_have_the_opt_outs(office: Office) -> None:
    office("opt-outs add", "anna@example.com")
    office("export", office.folder / "all.json", what="all")
    other = office.open("other")
    office("import", office.folder / "all.json", crm=other)
    assert [opt_out.address for opt_out in office("opt-outs list", crm=other)] == ["anna@example.com"]


def test_an_opt_out_deleted_or_changed_in_the_spreadsheet_is_restored() -> None:
    with new_team() as team:
        store: Store = team.store
        for address in ("anna@example.com", "ben@example.com"):
            store.change(lambda tx, address=address: tx.add(OptOut(address=address, on=tx.today, way="asked")))
        team.person.set_cells(team.id, "opt-outs", *team.place(OptOut(id=1), "address"), [["other@example.com"]])
        with team.repository.read() as snapshot:
            found = {opt_out.address for opt_out in snapshot.find_all(OptOut)}
        assert found == {"anna@example.com", "ben@example.com", "other@example.com"}
        row, _ = team.place(OptOut(id=2), "address")
        team.person.delete_rows(team.id, "opt-outs", row, 1)
        with team.repository.read() as snapshot:
            assert {opt_out.address for opt_out in snapshot.find_all(OptOut)} == found
        team.agreed()
        # A row that is typed there counts, however it is written.
        _, column = team.place(OptOut(id=1), "address")
        team.person.set_cells(team.id, "opt-outs", 10, column, [["Cleo@Example.COM"]])
        with team.repository.read() as snapshot:
            assert "cleo@example.com" in {opt_out.address for opt_out in snapshot.find_all(OptOut)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna@Example.com", "anna@example.COM"),
        ("STRASSE@example.com", "straße@example.com"),
        ("jo@müller.at", "JO@XN--MLLER-KVA.at"),
        ("\uff41nna@example.com", "anna@example.com"),
        ("+436641234567", " +436641234567"),
    ],
)
def test_addresses_are_compared_whatever_their_case_and_spelling(one: str, other: str) -> None:
    assert recipient_key(one) == recipient_key(other)


def test_an_opted_out_phone_number_is_stored_in_standard_form(office: Office) -> None:
    typed = named("opt-outs add").parameters["address"].value_check.read("0664 123 45 67", Conventions(country="AT"))
    made = office("opt-outs add", typed)
    assert (made.address, made.on, made.way) == ("+436641234567", office.crm.today, "asked")
    assert Path(office("export", office.folder / "o.csv", what="opt-outs").file).exists()


def read_as_typed(typed: str) -> str:
    read: str = named("opt-outs add").parameters["address"].value_check.read(typed, Conventions(country="AT"))
    return read


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Max <max@x.com>", "max@x.com"),
        ('"Berg, Max" <Max@X.com>', "max@x.com"),
        ("max@x.com <max@x.com>", "max@x.com"),
        ("mailto:cy@x.com", "cy@x.com"),
        ("MAILTO:cy@x.com?subject=Unsubscribe", "cy@x.com"),
        ("<mailto:cy%40x.com>", "cy@x.com"),
        ("<cy@x.com>", "cy@x.com"),
        ("(cy@x.com)", "cy@x.com"),
        ("“cy@x.com”", "cy@x.com"),
        ("cy@x.com;", "cy@x.com"),
        (" cy@x.com. ", "cy@x.com"),
        ("cy+news@x.com", "cy+news@x.com"),
        # It is no public domain, but may stand in the records.
        ("cy@localhost", "cy@localhost"),
        ("tel:+43-664-1234567", "+436641234567"),
        ("Max <0664 1234567>", "+436641234567"),
        ("(0664) 123 45 67;", "+436641234567"),
        ("<+436641234567>", "+436641234567"),
        ("", ""),
    ],
)
def test_an_opted_out_address_is_extracted_from_its_display_name(typed: str, address: str) -> None:
    assert read_as_typed(typed) == address


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("ann@x.com, ben@x.com", "several"),
        ("ann@x.com ben@x.com", "several"),
        ("Ann <ann@x.com>; Ben <ben@x.com>", "several"),
        ("mailto:ann@x.com,ben@x.com", "several"),
        ("0664 1234567, 0664 7654321", "several"),
        ("+43 664 1234567 / +43 664 7654321", "several"),
        ("@x.com", "not an e-mail address"),
        ("cy@", "not an e-mail address"),
        ("anna berg@x.com", "not an e-mail address"),
        ("a@b@x.com", "not an e-mail address"),
        ("nobody", "not a phone number"),
    ],
)
def test_an_opt_out_needs_a_single_address(typed: str, why: str) -> None:
    with pytest.raises(FieldError, match=why):
        read_as_typed(typed)


def test_an_opt_out_stored_as_typed_can_still_be_removed(office: Office) -> None:
    for address in ("max <max@x.com>", "cy@x.com"):
        office("opt-outs add", address)
    office("opt-outs lift", "Max <max@x.com>", "was no address")
    office("opt-outs lift", "Cy <cy@x.com>", "asked for it")
    assert office("opt-outs list") == []


def test_a_card_says_that_an_address_has_opted_out(office: Office) -> None:
    anna = office.add(last_name="Berg", email="anna@example.com", phone="+436641234567")
    office("opt-outs add", "anna@example.com")
    assert office("clients show", anna).doubts == {
        "email": f"opted out on {office.crm.today.isoformat()} (asked for it)"
    }


@pytest.mark.parametrize(
    ("stored", "address"),
    [
        ("max <max@x.example.com>", "max@x.example.com"), ("Max@X.example.com", "max@x.example.com"),
        ("<max@x.example.com>", "max@x.example.com"), ("mailto:max@x.example.com", "max@x.example.com"),
        ("max@x.example.com.", "max@x.example.com"), ("ann@x.example.com, max@x.example.com", "max@x.example.com"),
        ("ann@x.example.com;max@x.example.com", "ann@x.example.com"), (" max@x.example.com ", "max@x.example.com"),
        ('"max" max@x.example.com', "max@x.example.com"), ("max (max@x.example.com)", "max@x.example.com"),
        ("mailto:max%40x.example.com", "max@x.example.com"), ("'max@x.example.com'", "max@x.example.com"),
        ("tel:+43 660 1234567", "+436601234567"), ("+43 660 1234567", "+436601234567"),
    ],
)  # fmt: skip
def test_an_opt_out_stored_as_typed_by_an_older_version_applies(office: Office, stored: str, address: str) -> None:
    office.crm.transact(lambda tx: tx.add(OptOut(address=stored, on=tx.today, way="asked")), "as older versions did")
    with office.crm.read() as snapshot:
        assert set(opted_out(snapshot, [address, "other@x.example.com"])) == {address}
        assert objections(snapshot, [address])[address].why == "opted_out"
    with pytest.raises(RefusedError, match="already"):
        office("opt-outs add", address)
    office("opt-outs lift", address, "asked for it again")
    assert office("opt-outs list") == []


def test_no_mailing_goes_to_an_opt_out_kept_as_it_was_typed(here: MailDesk) -> None:
    client = here("clients add", {"first_name": "Max", "email": "max@firm.example.com", "marketing_consent": True})
    assert mailed(here) == [client.email]
    here.crm.transact(
        lambda tx: tx.add(OptOut(address="max <max@firm.example.com>", on=tx.today, way="asked")), "as before"
    )
    assert mailed(here) == []
