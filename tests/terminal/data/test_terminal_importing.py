"""Imports and exports at the menu, in a real terminal: wrong file names, and previews with the full list of
problems."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.errors import FileError
from crm.model import Client, Sale
from crm.terminal.drawing.render import show
from crm.terminal.drawing.screen import Screen
from tests.terminal.conftest import Start

PAGE_DOWN = "\x1b[6~"
REASON = "no such phone number in the US; start with + and the country"


@pytest.fixture(autouse=True)
def anna(crm: CRM) -> None:
    named("clients add")(crm, {"last_name": "Berg"})


def test_a_mistyped_file_name_can_be_corrected(start: Start, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "people.csv").write_text("Name\nAda Quist\n", "utf-8")
    (tmp_path / "a" / "store.json").write_text("[]", "utf-8")
    session = start().choose("Data").choose("Import a file").sees("File (").lacks("standard input")
    session.press("a/peple.csv", "enter").sees("No file a/peple.csv").sees("): a/peple.csv")
    session.press("kill", "a", "enter").sees("a is a folder").sees("): a")
    session.press("kill", "~no-such-user/a.csv", "enter").sees("No home folder ~no-such-user. Write the whole")
    session.press("kill", "n" * 300, "enter").sees("is too long. Check it").press("kill", "a")
    session.press("/store.json", "enter").sees("not an export of a whole store").sees("): a/store.json")
    session.press("kill", "a/people.csv", "enter").sees("Read as CSV")


def previewed(session: Any, file: Path) -> Any:
    session.choose("Data").choose("Import a file").sees("File").press(file.name, "enter").sees("Read as CSV")
    return session.choose("Continue").sees("What this import would do")


def test_on_a_phone_each_entry_of_an_import_fits_one_line(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Name,E-mail,Phone,Birthday\nAda,ada@example.com,,1.2.1980\n", "utf-8")
    session = start(columns=40, lines=20).choose("Data").choose("Import a file").sees("File").press(file.name, "enter")
    session.sees("and 1 more column").sees("2) Columns 4 of 4 are used").sees("5) Action").sees("0) Back").settled()
    entries = [line for line in session.lines if ") " in line]
    assert [line.strip(" »")[:1] for line in entries] == [*"1234567", "0"], session.text
    assert session.lines[0].startswith("Import a file › people.csv")


@pytest.mark.parametrize("columns", [42, 80])
def test_a_reason_is_shown_in_full(start: Start, tmp_path: Path, columns: int) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("Name,E-mail,Phone\nAda,ada@example.com,\nBo,bo@example.com,+1 555 555 5555\n", "utf-8")
    session = previewed(start(columns=columns), file).settled()
    text = " ".join(word for line in session.lines for word in line.split())
    pieces = REASON.split()
    assert all(word in text for word in pieces), session.text
    assert "…" not in "".join(line for line in session.lines if "phone number" in line), session.text
    assert session.lines[0].startswith("Import a file")


def test_the_menu_names_its_own_entries_and_the_shell_its_options(
    start: Start, crm: CRM, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, unnamed = tmp_path / "people.csv", tmp_path / "unnamed.csv"
    file.write_text("Name,Born,Hat\nAda,03/04/1980,felt\n", "utf-8")
    unnamed.write_text("Hat,Gloves\nfelt,wool\n", "utf-8")
    session = previewed(start(columns=120), file).sees("Columns not used: Hat. To keep one, choose a new field for it")
    session.sees("choose another order under Dates").lacks("--").press("esc", "esc")
    session.choose("Import a file").sees("File").press(unnamed.name, "enter").choose("Continue")
    session.sees("is a name. Choose one under Columns").lacks("--map")
    report = named("import")(crm, file, preview=True)
    show(Screen(sys.stdout, plain=True), report, crm.conventions)
    output = " ".join(capsys.readouterr().out.split())
    assert "map it to a field of your own (--map)." in output
    assert "choose another order (--dates)." in output
    with pytest.raises(FileError, match="Say which with --map COLUMN=name"):
        named("import")(crm, unnamed)


def test_a_column_of_money_that_is_not_read_is_named_with_the_way_to_read_it(
    start: Start, crm: CRM, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bank.csv"
    file.write_text("Name,Debit,Credit\nAda,,12\n", "utf-8")
    session = previewed(start(columns=120), file).sees("Debit and Credit are not read")
    session.sees("To import Credit, choose A sale under Type of record, and Amount for it under Columns.").lacks("--as")
    session.choose("Import now").sees("To import Credit, choose A sale").lacks("--as")
    report = named("import")(crm, file, preview=True)
    show(Screen(sys.stdout, plain=True), report, crm.conventions)
    assert "--as sales --map Credit=amount imports Credit." in " ".join(capsys.readouterr().out.split())


def test_after_an_import_the_advice_is_what_still_helps(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Name,Born,Hat\nAda,03/04/1980,felt\n", "utf-8")
    session = previewed(start(columns=120), file).sees("Import now").choose("Import now").sees("Imported:")
    session.sees("To keep one, import the file again, and choose a new field").lacks("before you import")
    session.sees("If that is wrong, undo the import, and choose another order under Dates when")


def test_a_warning_about_most_phone_numbers_is_given_once(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    rows = "\n".join(f"Client {number},0660 12{number:05},c{number}@example.com" for number in range(500))
    file.write_text(f"Name,Phone,E-mail\n{rows}\nOdd,,odd\n", "utf-8")
    session = previewed(start(), file).sees("Import now").settled()
    session.sees("500 phone numbers do not match the country in the settings, United States: numbers without")
    session.lacks("no such")
    session.sees("odd").sees("that is not an e-mail address")
    assert session.lines[0].startswith("Import a file › people.csv › Preview"), session.text
    session.choose("Import now").sees("Imported:").sees("1) Values to check (501)").settled()
    assert session.lines[0].startswith("Import a file › people.csv › Result"), session.text
    session.press("esc").settled()
    assert session.lines[0].startswith("Data"), session.text


def test_a_single_record_is_reported_in_the_singular(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Name\nAda Quist\n", "utf-8")
    session = previewed(start(columns=120), file).sees("1 row read").sees("1 new client").settled()
    session.lacks("1 new clients")
    session.choose("Back to the settings of this import").press("esc").sees("Export to a file")
    session.choose("Export to a file").sees("File (").press(f"{tmp_path}/out.csv", "enter").choose("Clients")
    session.settled()
    while "client in" not in session.text:
        session.press("enter").settled()
    session.sees("✓ 1 client in")


def test_a_preview_and_a_result_lead_to_all_rows_that_are_refused_or_doubtful(
    start: Start, crm: CRM, tmp_path: Path
) -> None:
    named("clients add")(crm, {"company": "Müller & Söhne", "email": "info@mueller.de"})
    doubtful = [f"Person {number};p{number}@@example.com;Graz" for number in range(40)]
    refused = [";;Graz"] * 30
    file = tmp_path / "people.csv"
    file.write_text("\n".join(["Name;E-mail;City", "info;info@mueller.de;Graz", *doubtful, *refused, ""]), "utf-8")
    session = start().choose("Data").choose("Import").sees("File (").press(str(file), "enter").sees("Continue")
    session.press("?").sees("How the file was understood").press("enter").sees("Continue")
    session.press("1").sees("Refused rows (30)").sees("Values to check (41)").press("?")
    session.sees("What the import would do.")
    session.press("enter").choose("Values to check").sees("Preview › Values to check").sees("of 41")
    session.press(PAGE_DOWN).sees("19-36 of 41").press(PAGE_DOWN).sees("p39@@example.com").press("esc")
    session.sees("Refused rows (30)")
    session.choose("Match them to the clients").sees("Values to check (40)").lacks("Match them")
    session.choose("Import now").sees("Imported:").sees("Result").choose("Refused rows").sees("of 30").press(PAGE_DOWN)
    session.sees("72").press("esc").choose("Values to check").sees("p0@@example.com").press("enter")
    session.sees("Values to check › Row 3").sees("p0@@example.com").press("enter", "esc").sees("1) Refused rows (30)")
    session.press("esc").sees("Export to a file")
    with crm.read() as snapshot:
        assert "info" not in [client.name for client in snapshot.find_all(Client)]


def test_a_preview_names_the_clients_that_it_updates_and_what_changes(start: Start, crm: CRM, tmp_path: Path) -> None:
    kaethe = named("clients add")(
        crm, {"first_name": "Käthe", "last_name": "Müller [bold]😀", "email": "kathe@example.com"}
    )
    file = tmp_path / "list.csv"
    file.write_text("first name;last name;e-mail;city\nKäthe;Müller;KATHE@example.com;Graz\nJo;Fox;jo@example.com;\n")
    session = start(columns=100).choose("Data & settings").choose("Import a file").sees("File (")
    session.press(str(file), "enter").choose("Continue").sees("1 updates an existing client")
    session.sees("Existing clients that change").choose("Updated clients (1)").sees("Updated clients")
    session.press("1").sees(f"({kaethe.id})").sees("Last name: Müller [bold]😀 -> Müller").sees("City: empty -> Graz")
    session.press("esc").press("esc").choose("Import now").sees("Imported:")


def test_the_first_import_says_what_comes_next_also_after_a_client_was_typed(
    start: Start, crm: CRM, tmp_path: Path
) -> None:
    named("clients add")(crm, {"first_name": "Anna"})
    file = tmp_path / "people.csv"
    file.write_text("Name\nAda Quist\n", "utf-8")
    session = previewed(start(), file).choose("Import now").sees("Imported:").sees("Next: see your clients")
    file.write_text("Name\nBo Quist\n", "utf-8")
    while "Exit" not in session.settled().text:
        session.press("esc")
    previewed(session, file).choose("Import now").sees("Imported:").lacks("Next: see your clients")


def test_amounts_whose_heading_names_another_currency_can_be_read_as_ones_own(
    start: Start, crm: CRM, tmp_path: Path
) -> None:
    named("settings set")(crm, "currency", "GBP")
    named("clients add")(crm, {"company": "Acme", "reference": "1"})
    file = tmp_path / "sales.csv"
    file.write_text("customer_id,date,dollar_value\n1,1997-01-01,11.77\n1,1997-01-12,12.00\n", "utf-8")
    session = start(columns=120).choose("Data").choose("Import").sees("File (").press(str(file), "enter")
    session.sees("Amount, not in GBP").choose("Continue").sees("2 refused").sees("name of the column dollar_value")
    session.choose("Read dollar_value as amounts in GBP").sees("2 new sales").lacks("refused")
    session.choose("Import now").sees("Imported:")
    with crm.read() as snapshot:
        assert {sale.amount for sale in snapshot.find_all(Sale)} == {Decimal("11.77"), Decimal(12)}


# A list of one's own: what the program does not guess, and a second number.
ODD = (
    "Code,Who,Direct,Fixed line,Hat,Kind of shop\n"
    "C-1,Ada Quist,(614) 555-0101,(614) 555-0201,7,bakery\n"
    "C-2,Bo Quist,(614) 555-0102,,8,florist\n"
)


def columns_of_import(session: Any, file: Path) -> Any:
    session.choose("Data").choose("Import a file").sees("File (").press(str(file), "enter").sees("Read as CSV")
    return session.choose("Columns").sees("Which column?")


def test_one_column_after_another_is_chosen_and_that_is_remembered_for_the_same_headings(
    start: Start, crm: CRM, tmp_path: Path
) -> None:
    file = tmp_path / "shops.csv"
    file.write_text(ODD, "utf-8")
    session = columns_of_import(start(), file).sees("Code → (not imported)   C-1")
    session.choose("Code").sees("Columns › Code").sees("For example: C-1").press("refer", "enter")
    # The list of columns is there again, and Enter goes on with the next one.
    session.sees("Code → Reference").sees("Which column?").press("enter").sees("Who goes to:").press("whole", "enter")
    session.sees("Who → Whole name").choose("Hat").press("new field", "enter").sees("Hat → own field Hat")
    session.press("0").sees("4 of 6 are used").choose("Continue").sees("2 new clients").choose("Import now")
    session.sees("Imported:").choose("Import a file").sees("File (").press(str(file), "enter")
    session.sees("columns as last time").choose("Continue").sees("Everything in this file is already here.")
    session.press("esc", "esc").choose("Import a file").sees("File (").press(str(file), "enter")
    session.choose("Detect the columns again").lacks("columns as last time").sees("Columns").press("esc")
    session.sees("Leave the import and discard what you chose?").press("y").sees("Import a file")
    with crm.read() as snapshot:
        assert [(known.reference, known.extra) for known in snapshot.find_all(Client)][1:] == [
            ("C-1", {"Hat": "7"}), ("C-2", {"Hat": "8"}),
        ]  # fmt: skip


def test_esc_asks_before_the_columns_that_were_chosen_are_lost(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "shops.csv"
    file.write_text(ODD, "utf-8")
    session = columns_of_import(start(), file).choose("Who").press("whole", "enter").sees("Who → Whole name")
    session.press("0").sees("Read as CSV").press("esc").sees("Leave the import and discard what you chose?")
    session.press("esc").sees("Who").sees("Whole name").press("esc").press("y").sees("Export to a file")
    session.choose("Import a file").sees("File (").press(str(file), "enter").sees("Read as CSV").press("esc")
    session.sees("Export to a file")


def test_a_field_that_another_column_has_is_named_and_a_second_phone_is_kept(
    start: Start, crm: CRM, tmp_path: Path
) -> None:
    file = tmp_path / "shops.csv"
    file.write_text(ODD.replace("Who", "Contact").replace("Fixed line", "Cell"), "utf-8")
    session = columns_of_import(start(), file).choose("Direct").press("phone").sees("Phone (also Cell)").press("enter")
    session.sees("Direct → Phone").sees("Cell → Phone").lacks("is not imported now")
    session.choose("Kind of shop").press("whole").sees("Whole name (now Contact)").press("enter")
    session.sees("Contact is not imported now: Whole name is taken from Kind of shop.")
    session.sees("Contact → (not imported)").choose("Contact").press("whole", "enter").press("0")
    session.choose("Continue").choose("Import now").sees("Imported:")
    with crm.read() as snapshot:
        ada = next(known for known in snapshot.find_all(Client) if known.first_name == "Ada")
    assert (ada.phone, ada.extra) == ("+16145550101", {"Other phone": "+16145550201"})


def test_a_whole_birthday_comes_before_its_parts(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "shops.csv"
    file.write_text("Name,Cake on\nAda,3/4/1980\n", "utf-8")
    session = columns_of_import(start(), file).choose("Cake on").press("birth", "enter")
    session.sees("Cake on → Date of birth   3/4/1980")


def test_the_page_of_a_result_is_left_when_its_import_is_undone(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Name,E-mail\nAda Quist,ada\nBo Quist,bo@example.com\n", "utf-8")
    session = previewed(start(), file).choose("Import now").sees("Result").sees("Values to check (1)")
    session.press("u").sees("Removes: Ada Quist").press("y").sees("Undone").sees("Export to a file").settled()
    session.lacks("Imported:").lacks("Next: see your clients").lacks("Values to check")
    assert session.lines[0].startswith("Data"), session.text


def test_a_preview_counts_the_new_clients_that_it_does_not_show(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Name\n" + "".join(f"Ada Q{letter}st\n" for letter in "abcdefghijklmnopqrst"), "utf-8")
    session = previewed(start(lines=30), file).sees("20 new clients").sees("The first new ones, as they are stored")
    session.sees("and 15 more").lacks("Spent")


def test_an_empty_list_of_clients_leads_to_the_import(start: Start, crm: CRM, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Name,E-mail\nAda Quist,ada@example.com\n", "utf-8")
    session = start().sees("Clients")
    with crm.read() as snapshot:
        (anna,) = snapshot.find_all(Client)
    named("clients delete")(crm, anna, yes=True)
    session.choose("Clients").sees("No clients yet.").sees("1) Import a file").press("1").sees("File (")
    session.press(str(file), "enter").choose("Continue").choose("Import now").sees("Imported:").sees("Ada Quist")
    session.press("f").sees("Filter").lacks("Import a file")
