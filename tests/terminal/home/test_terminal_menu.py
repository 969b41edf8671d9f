"""The menu in a real terminal: keys, ways back, narrow screens, and terminals that close."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client
from crm.repository import Query
from tests.terminal.conftest import Start, add


def everything(crm: CRM) -> tuple[Any, ...]:
    with crm.read() as snapshot:
        return tuple(snapshot.find_all(Client)), tuple(entry.id for entry in snapshot.history())


def test_a_wrong_key_gets_a_hint_and_nothing_scrolls(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna")
    session = start().sees("0) Exit").settled()
    before = [line for line in session.lines if ")" in line]
    session.press("k").sees("k is not a choice here. Press 1-").sees("0, or ? for all keys")
    session.press("Q").sees("Q is not").press("é").sees("é is not a choice here")
    session.paste("1\n2\n3").sees("Pasted text was ignored").settled()
    assert [line for line in session.lines if re.match(r" . \w\)", line)] == [
        line for line in before if re.match(r" . \w\)", line)
    ]


def test_arrows_and_enter_also_choose(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna")
    start().sees("» 1) Today").press("down", "down").sees("» 3) Sales").press("enter").sees("n new")


@pytest.mark.parametrize("is_new", [True, False])
def test_one_zero_too_many_does_not_exit(start: Start, crm: CRM, is_new: bool) -> None:
    if not is_new:
        add(crm, first_name="Anna")
    session = start().sees("0) Exit").press("1").lacks("0) Exit").press("0").sees("0) Exit")
    session.press("0").sees("Press 0 again to exit.").press("0")
    assert session.exit_code() == 0
    # Esc leads back too, and is not pressed for what 0 does here.
    session = start().sees("0) Exit").press("1").lacks("0) Exit").press("esc").sees("0) Exit").press("0")
    assert session.exit_code() == 0
    session = start().sees("0) Exit").press("0")
    assert session.exit_code() == 0


def test_esc_goes_back_one_step_and_never_out(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    session = start(fresh=True).choose("Clients").sees("n new").press("n").choose("A person").sees("First name")
    session.press("Bo", "enter").sees("Last name").press("esc").sees("First name (").sees("): Bo")
    session.press("esc").sees("Is this a person or a company?").press("esc").sees("Discard what you typed").press("esc")
    session.sees("Is this a person or a company?").press("esc").choose("Discard").sees("n new").press("esc")
    session.sees("0) Exit").press("esc").sees("Press 0 to exit").press("c-c").sees("Ctrl-C cancels a form")
    session.press("c-d")
    assert session.exit_code() == 0
    assert len(everything(crm)[0]) == 1


@pytest.mark.parametrize("key", ["c-c", "c-d"])
def test_leaving_a_form_in_the_middle_leaves_the_store_as_it_was(start: Start, crm: CRM, key: str) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    before = everything(crm)
    session = start().choose("Sales").sees("n new").press("n").sees("Client (").press("Anna", "enter").sees("Amount (")
    session.press("100", "enter").sees("Date (").press(key)
    if key == "c-c":
        session.sees("Discard what you typed?").press("0").sees("Date (").press("c-c").press("c-c").sees("Discarded")
    else:
        session.sees("Amount (").press("c-c").sees("Discard what you typed?").press("y").sees("Discarded")
    session.sees("n new").press("n").sees("Client (")
    assert everything(crm) == before


def test_a_stray_esc_loses_no_changes(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    session = start().press("/").sees("Find").press("1", "enter").choose("Edit").choose("City").sees("City")
    session.press("Graz", "enter").sees("* Graz").press("esc").sees("Your changes are not saved yet.")
    session.press("esc").sees("* Graz").press("1").sees("Saved: Anna Berg")
    assert everything(crm)[0][0].city == "Graz"


@pytest.mark.parametrize("leave", ["form", "menu"])
def test_a_closed_terminal_ends_the_program_and_saves_nothing(start: Start, crm: CRM, leave: str) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    before = everything(crm)
    session = start().sees("0) Exit")
    if leave == "form":
        session.choose("Clients").sees("n new").press("n").choose("A person").sees("First name").press("Zed")
    session.hang_up()
    assert not session.child.isalive()
    assert everything(crm) == before
    assert b"Traceback" not in session.raw


def test_a_pasted_block_is_one_answer(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna", last_name="Berg")
    session = start().choose("Clients").sees("n new").press("n").choose("A person").sees("First name")
    session.paste("Bo\r\nHuber\n1\n").settled().sees("First name")
    session.press("enter").sees("Last name").press("enter").sees("1) Save").sees("First name Bo Huber 1")
    session.press("1").sees("Added Bo Huber 1 (no. 2)")


HOSTILE = "[bold]x[/] [/nothing] {0} %s 🎉 家族 é"


def test_markup_and_emoji_are_plain_text(start: Start, crm: CRM) -> None:
    session = start().choose("Add your first client").choose("A company").sees("Company:")
    session.paste(HOSTILE).press("enter").sees("1) Save").press("1").sees("Added [bold]x[/] [/nothing] {0} %s")
    assert everything(crm)[0][0].company == HOSTILE


def test_escape_sequences_and_overrides_are_refused_and_can_be_corrected(start: Start) -> None:
    session = start().choose("Add your first client").choose("A company").sees("Company:")
    session.paste("evil \x1b[31mred").press("enter").sees("control character (escape) at position 6").press("kill")
    session.paste("\u202egnp.exe").sees("Company: \ufffdgnp.exe").press("enter")
    session.sees("control character (U+202E) at position 1").press("kill")
    session.paste("x" * 10_000).press("enter").sees("At most 200 characters, this has 10000").press("kill")
    session.press("Fine", "enter").sees("1) Save").press("1").sees("Added Fine (no. 1)")


def test_text_from_imports_cannot_move_the_cursor(start: Start, crm: CRM) -> None:
    # Past every form: as another program may have written it.
    name = "evil\x1b[2J\x1b]0;owned\x07\u202egnp [bold] " + "y" * 3000
    crm.transact(lambda tx: tx.add(Client(kind="company", company=name, notes="a\x1b[5mb")), "from elsewhere")
    session = start().sees("0) Exit").sees("evil␛[2J")
    session.choose("Clients").sees("1) evil␛[2J").press("1").sees("1) Record a sale").settled()
    assert b"\x1b[2J\x1b]0" not in session.raw
    assert b"\x1b]0;owned" not in session.raw
    assert "\u202e".encode() not in session.raw
    assert b"\x1b[5m" not in session.raw


def test_the_menu_fits_forty_columns(start: Start, crm: CRM) -> None:
    for number in range(12):
        add(
            crm, first_name="Maximiliana", last_name=f"Featherstonehaugh {number}", email=f"someone{number}@example.com"
        )
    named("sales add")(crm, crm_client(crm, 3), Decimal("123456.78"))
    session = start(columns=40).sees("0) Exit").sees("VIP")
    session.choose("Clients").sees("1-10 of 12").settled()
    rows = [line for line in session.lines if re.match(r" . \d\) ", line)]
    assert len(rows) == 9
    assert "$123,456.78" in session.text
    assert "Maximilian" in rows[0]
    session.press("3").sees("1) Record a sale").sees("0) Back").press("2").sees("1) Save").sees("More fields")


def crm_client(crm: CRM, number: int) -> Client:
    with crm.read() as snapshot:
        found: Client = snapshot.find_all(Client, Query({"id": number}))[0]
    return found


def test_the_menu_works_without_colour(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna")
    session = start(NO_COLOR="1").sees("0) Exit").choose("Clients").sees("Anna").settled()
    colours = re.findall(rb"\x1b\[([0-9;]*)m", session.raw)
    assert not [colour for colour in colours if re.search(rb"(^|;)(3[0-8]|4[0-8]|9[0-7])(;|$)", colour)]


def test_search_finds_commands_and_clients_from_any_menu(start: Start, crm: CRM) -> None:
    add(crm, first_name="Žofie", last_name="Dvořáková", email="zofie@example.com")
    add(crm, first_name="Bo", last_name="Li")
    session = (
        start().choose("Data").sees("Export to a file").press("/").sees("Find").press("dvora").sees("zofie@example.com")
    )
    session.press("down", "enter").sees("Žofie Dvořáková no. 1").press("esc").sees("Export to a file")
    session.press("/").sees("Find").press("record a s", "down", "enter").sees("Client (").press("c-c")
    session.sees("Export to a file").press("/").sees("Find").press("qqqq", "enter").sees("No client, command or")
    # Once something is found, nothing says any more that nothing was.
    session.press("kill", "dvora").sees("zofie@example.com").lacks("No client, command or setting").press("esc")


def test_a_failed_backup_is_reported_and_the_menu_goes_on(start: Start, crm: CRM, store: Path) -> None:
    add(crm, first_name="Anna")
    (store.parent / "backups").write_text("no folder")
    start().sees("The backup could not be written").choose("Clients").sees("Anna")


def test_the_sample_data_is_marked_and_removed_after_a_question(start: Start, crm: CRM) -> None:
    session = start().choose("Try it on sample data").sees("SAMPLE DATA").sees("A made-up company")
    # A blank line stands between what needs doing and the figures.
    statuses = next(place for place, line in enumerate(session.settled().lines) if line.startswith("Regular"))
    assert session.lines[statuses - 1] == ""
    assert "draft invoice" in session.lines[statuses - 2]
    session.choose("Clients").sees("1-18 of 60").press("esc").sees("0) Exit").sees("Remove it under Data & settings.")
    session.press("u").sees("Nothing to undo yet.").choose("Data").sees("Import a file")
    # What is not about the sample data is not there; e-mail is set up for this computer.
    session.lacks("Try it on sample").lacks("Google").choose("Settings").sees("Sending e-mail").press("esc")
    session.choose("Remove the sample").sees("for good: 60 clients and 258 sales.").lacks("You added")
    # The keys of a question are on its page of keys.
    session.press("?").sees("y yes").sees("n no").press("esc").sees("for good: 60 clients").press("enter")
    session.sees("Export to a file").press("esc").sees("n new").press("n").choose("A person").sees("First name")
    session.press("Rea", "enter").sees("Last name").press("Mine", "enter").choose("Save").sees("Rea Mine")
    session.press("esc").choose("Data").choose("Remove the sample")
    session.sees("61 clients and 258 sales. You added of these: Rea").press("esc").press("esc").choose("Exit")
    # The next time it is still there, with what was added.
    session = start().choose("Continue with the sample data (61 clients)").sees("The sample data as you left it: 61")
    session.choose("Data").choose("Remove the sample").sees("You added of these: Rea").press("esc")
    session.choose("Remove the sample")
    session.choose("Delete it").sees("Sample data removed").sees("Add your first client")
    assert everything(crm) == ((), ())
    # Taken up under Data & settings, it can be removed there at once.
    session.choose("Add your first").choose("A person").sees("First name").press("Rea", "enter").press("enter")
    session.choose("Save").sees("Added Rea").press("esc").choose("Backups").choose("Try it on sample data")
    session.sees("SAMPLE DATA").press("esc").choose("Remove the sample").choose("Delete it")
    session.sees("Sample data removed").lacks("Remove the sample")


def test_a_page_is_redrawn_when_the_window_gets_narrower(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna")
    session = start().choose("Clients").sees("n new").press("u").choose("Undo it").sees("Undone").sees("n new")
    session.child.setwinsize(24, 40)
    session.screen.resize(24, 40)
    session.raw = b""
    session.sees("n new").settled()
    assert [line for line in session.lines if line.startswith("─")] == ["─" * 40]
    # What the step before had to tell stays.
    assert "Undone" in session.text
    session.press("0").sees("0) Exit")


def test_restore_offers_the_backups_with_day_size_and_content(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna")
    copy = named("backup")(crm).file
    copy.with_name(copy.name.replace("2026-11-21", "2026-11-19")).write_bytes(b"no database")
    add(crm, first_name="Bo")
    session = (
        start()
        .choose("Data")
        .choose("Backups")
        .choose("Restore a backup")
        .sees("Which backup?")
        .sees("kB  1 client, 0 sales")
    )
    session.sees(") today").sees(") 2 days ago").sees("cannot be read").sees("Another file").press("1")
    # Enter goes back, and replaces nothing.
    session.sees("This replaces the data").sees("what others saved").sees("1 client (2)").press("enter")
    session.sees("Check the store").choose("Restore a backup").press("1")
    session.choose("Restore it").sees("Restored")
    with crm.read() as snapshot:
        assert [client.first_name for client in snapshot.find_all(Client)] == ["Anna"]


def test_a_wide_main_menu_has_two_columns_of_entries(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"last_name": "Berg"})
    session = start(columns=120, lines=30).sees("» 1) Today").settled()
    first = next(line for line in session.lines if "1) Today" in line)
    assert "6) E-mail" in first
    right, left = "\x1b[C", "\x1b[D"
    session.press(right).sees("» 6) E-mail").press(right).sees("» 6) E-mail").press("up").sees("» 5) Follow-ups")
    session.press("down", left).sees("» 1) Today").press(left).sees("» 1) Today").press("up").sees("» 0) Exit")
    session.press("2").sees("1-1 of 1").press("esc").sees("0) Exit")


def test_arrows_move_through_a_form_and_the_first_records_suggest_the_next_step(
    start: Start,
) -> None:
    down = "\x1b[B"
    session = start().choose("Add your first client").choose("A person").sees("First name")
    session.press("Jo", down).sees("Last name").press("up").sees("): Jo").press(down).sees("Last name")
    # After the last field there is none: the arrow leaves it as it is, Enter is done.
    session.press("Fox", down).sees("Fox").press("enter").sees("1) Save").press("1").sees("Next: press r to record")
    session.press("r").sees("Amount").press("120", "enter").sees("Date").press("enter").sees("Note")
    session.press("enter").sees("Your first sale. Next:")
    session.choose("Add a follow-up").sees("What").press("call", "enter").sees("Due").press("fri", "enter")
    session.sees("1) Save").press("1").sees("Your first follow-up.").press("r").sees("Amount").press("1", "enter")
    session.sees("Date").press("enter").sees("Note").press("enter").sees("Total now").lacks("Your first")


def test_menus_show_hints_where_there_is_room(start: Start, crm: CRM) -> None:
    add(crm, first_name="Anna")
    session = start().choose("Reports").sees("1) Sales over time By month, quarter or year").settled()
    assert all(len(line) <= 80 for line in session.lines)
    narrow = start(columns=40).choose("Reports").sees("1) Sales over time").settled()
    assert "Shows" not in narrow.text


def test_the_page_of_a_sale_shows_its_note_and_the_total_and_status_of_the_client(start: Start, crm: CRM) -> None:
    anna = add(crm, first_name="Anna")
    named("sales add")(crm, anna, Decimal(40_000), note="oak stool", reference="PO-7")
    session = start().choose("Sales").sees("n new").press("1").sees("$40,000.00 no. 1 $40,000.00 in 1 sale")
    session.sees("Client Anna [VIP]").sees("Note oak stool").sees("PO-7").sees("Latest with Anna")
    session.sees("1) Open the client")


def test_a_wide_window_shows_the_client_beside_what_is_to_be_done_today(start: Start, crm: CRM) -> None:
    for name in ("Anna", "Bo"):
        client = named("clients add")(crm, {"first_name": name, "email": f"{name.lower()}@example.com"})
        named("follow-ups add")(crm, client, "call back", crm.today)
    session = start(columns=120, lines=40).choose("Today").sees("To do: 2").sees("anna@example.com")
    # Beside the card there is room to say when it is due.
    assert "Due today: call back (Anna" in session.text
    session.press("down").sees("bo@example.com").lacks("anna@example.com")
