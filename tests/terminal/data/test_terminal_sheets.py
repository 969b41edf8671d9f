"""A store in a Google spreadsheet at the menu: connected step by step, without network, and with others in it."""

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.app import open_crm
from crm.commands import load
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import Config
from crm.errors import FileError, Question, RefusedError
from crm.model import Client, Sale
from crm.repository import Held
from crm.terminal.console.prompt_toolkit_keyboard import TerminalKeyboard
from crm.terminal.data import connecting as connecting_pages
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.session import Session as MenuSession
from tests.conftest import google
from tests.support.clocks import TODAY, running_on
from tests.support.google_sheets import StandIn
from tests.terminal.conftest import Session, Start

pytestmark = [pytest.mark.in_turn, pytest.mark.sheets]

# As the programs that this one comes from keep it.
HEAD = ["First Name", "Last Name", "Date of Birth", "Contact Number", "Email", "Total Spend", "Status"]
LIST = [
    HEAD,
    ["Ada", "Berg", "1990-05-17", "+43 664 1234567", "ada@example.com", 36000.5, "VIP"],
    ["Bo", "Huber", "1980-01-02", "", "bo@example.com", 12.5, "Regular"],
    ["Cy", "Late", "soon", "", "cy@example.com", 5, "Regular"],
]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """Google as it should be; whatever a test switches off is on again after it."""
    second = google()
    yield second
    second.clear_faults()
    second.enable_sheets(True)
    second.enable_drive(True)
    second.clock_right(True)
    second.account_exists(True)
    second.latency(0)


@pytest.fixture
def key(store: Path, stand_in: StandIn) -> Path:
    """The key of the service account, in the folder in which the program runs."""
    file = store.with_name("creds.json")
    file.write_text(json.dumps(stand_in.credentials()))
    return file


@pytest.fixture
def begin(start: Start, stand_in: StandIn) -> Start:
    """Start the program at the stand-in, with no store named unless the test does."""
    return lambda **how: start(**{"CRM_GOOGLE_URL": stand_in.url, "CRM_STORE": "", **how})


@pytest.fixture
def opened(
    store: Path, key: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], CRM]]:
    """Open a spreadsheet as another program on another machine would."""
    load()
    monkeypatch.setenv("XDG_DATA_HOME", str(store.with_name("elsewhere")))
    crms: list[CRM] = []

    def open_one(spreadsheet: str) -> CRM:
        config = Config(f"sheets://{spreadsheet}", "other", running_on(TODAY), key.read_text(), google=stand_in.url)
        crms.append(open_crm(config))
        return crms[-1]

    yield open_one
    for crm in crms:
        crm.repository.close()


@pytest.fixture
def team(opened: Callable[[str], CRM], stand_in: StandIn) -> tuple[str, CRM]:
    """A spreadsheet that is set up, with one client in it."""
    spreadsheet = stand_in.make("Team")
    crm = opened(spreadsheet)
    named("sheets setup")(crm)
    named("clients add")(crm, {"first_name": "Anna", "last_name": "Berg", "email": "anna@example.com"})
    return spreadsheet, crm


def test_repair_names_what_is_missing_and_restores_it(team: tuple[str, CRM], stand_in: StandIn) -> None:
    spreadsheet, crm = team
    for at in range(8):
        named("clients add")(crm, {"last_name": f"Buyer {at}"})
    assert named("sheets repair")(crm).records == []
    stand_in.delete_rows(spreadsheet, "clients", 1, 9)
    with pytest.raises(Question, match=r"9 clients \(Anna Berg, Buyer 0, .*Buyer 3 and 4 more\)") as asked:
        named("sheets repair")(crm)
    assert set(asked.value.choices) == {"back", "keep"}
    named("sheets repair")(crm, rows="back")
    assert [row[1] for row in stand_in.values(spreadsheet, "clients")[1:]] == ["Anna", *[""] * 8]
    stand_in.delete_rows(spreadsheet, "clients", 2, 8)
    named("sheets repair")(crm, rows="keep")
    with crm.read() as snapshot:
        assert [client.name for client in snapshot.find_all(Client)] == ["Anna Berg"]


def _overwrite_total(stand_in: StandIn, spreadsheet: str) -> Callable[[], Any]:
    """Type into the total of the first client; what gives its cell."""
    column = stand_in.values(spreadsheet, "clients")[0].index("Total spend")
    stand_in.set_cells(spreadsheet, "clients", 1, column, [[77]])
    return lambda: stand_in.values(spreadsheet, "clients")[1][column]


def test_repair_asks_before_it_writes_into_cells(team: tuple[str, CRM], stand_in: StandIn) -> None:
    spreadsheet, crm = team
    total = _overwrite_total(stand_in, spreadsheet)
    with pytest.raises(Question, match=r"IDs, versions or totals of 1 client\.$") as asked:
        named("sheets repair")(crm)
    assert (asked.value.parameter, asked.value.yes, set(asked.value.choices)) == ("cells", "back", {"back"})
    assert total() == "77.00"
    assert named("sheets repair")(crm, cells="back").cells
    assert total() == "0.00"
    assert not named("sheets repair")(crm).cells


def test_the_question_about_rows_names_the_cells_too(team: tuple[str, CRM], stand_in: StandIn) -> None:
    spreadsheet, crm = team
    for at in range(9):
        named("clients add")(crm, {"last_name": f"Buyer {at}"})
    total = _overwrite_total(stand_in, spreadsheet)
    assert list(crm.repository.check())
    stand_in.delete_rows(spreadsheet, "clients", 2, 8)
    with pytest.raises(Question, match=r"8 clients \(.*IDs, versions or totals of 1 client\.$"):
        named("sheets repair")(crm)
    named("sheets repair")(crm, rows="back")
    assert (total(), len(stand_in.values(spreadsheet, "clients"))) == ("0.00", 11)


@pytest.mark.parametrize("known", [6, 12])
def test_the_question_says_where_some_records_were_never_seen(
    team: tuple[str, CRM], stand_in: StandIn, known: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spreadsheet, crm = team
    for at in range(11):
        named("clients add")(crm, {"last_name": f"Buyer {at}"})
    stand_in.delete_rows(spreadsheet, "clients", 1, 12)
    held = Held({"client": [*range(1, known + 1), *range(100, 112 - known)]}, {})
    monkeypatch.setattr(crm.repository, "held", lambda: held)
    with pytest.raises(Question) as asked:
        named("sheets repair")(crm)
    assert ("has never seen some of them" in asked.value.sentence) == (known < 12)


def _repairing(begin: Start, spreadsheet: str) -> Any:
    """The menu on this computer's data, at *Repair the spreadsheet*."""
    data = os.environ["XDG_DATA_HOME"]
    session = begin(CRM_STORE=f"sheets://{spreadsheet}", XDG_DATA_HOME=data)
    return session.choose("Data").choose("Backups and copies").choose("Repair the spreadsheet")


@pytest.mark.slow
def test_the_menu_shows_what_is_to_be_repaired_and_asks(begin: Start, team: tuple[str, CRM], stand_in: StandIn) -> None:
    spreadsheet, _ = team
    total = _overwrite_total(stand_in, spreadsheet)
    session = _repairing(begin, spreadsheet)
    session.sees("IDs, versions or totals of 1 client").lacks("Lost changes")
    assert total() == "77.00"
    session.choose("Put them back").sees("Put back: IDs, versions or totals of 1 client")
    assert total() == "0.00"


def _emptied(team: tuple[str, CRM], stand_in: StandIn) -> Callable[[], list[Any]]:
    """Add six clients with a city, and empty that column; what gives the cities in the spreadsheet."""
    spreadsheet, crm = team
    for at in range(6):
        named("clients add")(crm, {"last_name": f"Buyer {at}", "city": f"City {at}"})
    column = stand_in.values(spreadsheet, "clients")[0].index("City")
    stand_in.set_cells(spreadsheet, "clients", 1, column, [[None]] * 7)
    return lambda: [row[column] for row in stand_in.values(spreadsheet, "clients")[2:]]


@pytest.mark.parametrize("answer", ["back", "keep"])
def test_repair_asks_about_an_emptied_column(team: tuple[str, CRM], stand_in: StandIn, answer: str) -> None:
    cities = _emptied(team, stand_in)
    with pytest.raises(Question, match=r"^Emptied in the spreadsheet: 6 values in the column “City” of cl") as asked:
        named("sheets repair")(team[1])
    assert (asked.value.parameter, set(asked.value.choices)) == ("rows", {"back", "keep"})
    assert asked.value.choices["keep"] == "Leave these cells empty"
    report = named("sheets repair")(team[1], rows=answer)
    assert (list(report.emptied), report.deleted) == (["6 values in the column “City” of clients"], answer == "keep")
    assert cities() == [f"City {at}" if answer == "back" else "" for at in range(6)]
    with team[1].read() as snapshot:
        assert [client.city for client in snapshot.find_all(Client)][1:] == cities()
    assert not named("sheets repair")(team[1]).emptied


@pytest.mark.slow
def test_the_menu_asks_about_an_emptied_column(begin: Start, team: tuple[str, CRM], stand_in: StandIn) -> None:
    spreadsheet, _ = team
    cities = _emptied(team, stand_in)
    session = _repairing(begin, spreadsheet)
    session.sees("6 values in the column “City” of clients")
    session.choose("Put the values back as they were").sees("Put back: 6 values in the column “City” of clients")
    assert cities() == [f"City {at}" for at in range(6)]


@pytest.mark.slow
def test_the_menu_names_columns_that_this_computer_cannot_restore(
    begin: Start, team: tuple[str, CRM], stand_in: StandIn
) -> None:
    spreadsheet, _ = team
    stand_in.delete_column(spreadsheet, "clients", stand_in.values(spreadsheet, "clients")[0].index("City"))
    session = begin(CRM_STORE=f"sheets://{spreadsheet}").choose("Data").choose("Google spreadsheet")
    session.choose("Connect a Google spreadsheet").choose("Update its drop-downs and colours, restore columns")
    session.sees("Columns not restored: clients: City.").sees("set the spreadsheet up again on one that has")


def _replaced(stand_in: StandIn, spreadsheet: str) -> None:
    """File, Import, Replace spreadsheet."""
    stand_in.add_tab(spreadsheet, "import")
    for tab in stand_in.tabs(spreadsheet):
        if tab["title"] != "import":
            stand_in.delete_tab(spreadsheet, tab["title"])


def _names(crm: CRM) -> list[str]:
    with crm.read() as snapshot:
        return [client.name for client in snapshot.find_all(Client)]


def test_repair_previews_the_tabs_that_it_changes(team: tuple[str, CRM], stand_in: StandIn) -> None:
    spreadsheet, crm = team
    stand_in.delete_tab(spreadsheet, "clients")
    crm.repository._look_at_sheet()  # type: ignore[attr-defined]
    assert _names(crm) == ["Anna Berg"]
    assert "has lost its tab" in crm.repository.notice()
    with pytest.raises(Question, match="“clients” is added again, with 1 client") as asked:
        named("sheets repair")(crm)
    assert (asked.value.parameter, asked.value.yes) == ("tabs", "back")
    assert "clients" not in [tab["title"] for tab in stand_in.tabs(spreadsheet)]
    assert named("sheets repair")(crm, tabs="back").tabs
    assert crm.repository.notice() == ""
    assert stand_in.values(spreadsheet, "clients")[1][1:3] == ["Anna", "Berg"]
    assert _names(crm) == ["Anna Berg"]


def test_repair_reports_what_it_did_and_what_other_computers_can_restore(
    team: tuple[str, CRM], opened: Callable[[str], CRM], stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    spreadsheet, crm = team
    monkeypatch.setenv("XDG_DATA_HOME", str(Path(os.environ["XDG_DATA_HOME"]).with_name("behind")))
    behind = opened(spreadsheet)
    assert _names(behind) == ["Anna Berg"]
    named("clients add")(crm, {"last_name": "New"})
    for tab in ("crm before", "clients"):
        stand_in.delete_tab(spreadsheet, tab)
    behind.repository._look_at_sheet()  # type: ignore[attr-defined]
    with pytest.raises(
        Question, match=r"“clients” is added again.* 1 client\. This computer has never seen some"
    ) as asked:
        named("sheets repair")(behind, tabs="back")
    assert set(asked.value.choices) == {"back", "keep"}
    crm.repository._look_at_sheet()  # type: ignore[attr-defined]
    with pytest.raises(Question, match=r"1 client \(New\)\.$"):
        named("sheets repair")(crm)
    named("sheets repair")(crm, rows="back")
    behind.repository._look_at_sheet()  # type: ignore[attr-defined]
    assert sorted(_names(behind)) == sorted(_names(crm)) == ["Anna Berg", "New"]


@pytest.mark.parametrize("gone", ["back", "empty"])
def test_setting_up_a_spreadsheet_without_its_tabs_says_what_this_computer_can_restore(
    team: tuple[str, CRM], stand_in: StandIn, gone: str
) -> None:
    spreadsheet, crm = team
    crm.repository.fresh_for = 0.0  # type: ignore[attr-defined]
    _replaced(stand_in, spreadsheet)
    with pytest.raises(Question, match="This computer has 1 client from it") as asked:
        named("sheets setup")(crm)
    assert set(asked.value.choices) == {"back", "empty"}
    named("sheets setup")(crm, take_over="no", gone=gone)
    assert _names(crm) == (["Anna Berg"] if gone == "back" else [])
    if gone == "empty":
        # What was there before is kept, until somebody says that it is not needed.
        assert "`restore` puts it back" in " ".join(finding.what for finding in crm.repository.check())
        new = named("clients add")(crm, {"last_name": "New"})
        with pytest.raises(Question, match="`restore` puts it back") as lost:
            named("sheets repair")(crm)
        assert (lost.value.parameter, lost.value.yes, set(lost.value.choices)) == ("lost", "", {"keep"})
        (kept,) = crm.repository.known_backups()
        with pytest.raises(Question, match=rf"including what others saved: 1 client \({new.id}\)\."):
            named("restore")(crm, kept.path)
        with pytest.raises(RefusedError, match="Other changes were lost in the meantime"):
            crm.repository.accept_loss("what was shown before that")
        assert "`restore` puts it back" in " ".join(finding.what for finding in crm.repository.check())
        assert named("sheets repair")(crm, lost="keep").accepted
        assert [finding.what for finding in crm.repository.check()] == []
        assert not named("sheets repair")(crm).accepted
        assert _names(crm) == ["New"]


def connecting(begin: Start, **how: Any) -> Session:
    """A session that has come to where it asks for the address."""
    return begin(**how).choose("Work in a Google spreadsheet").sees("Address of the spreadsheet")


def asked_for(session: Session, spreadsheet: str) -> Session:
    return session.press(f"https://docs.google.com/spreadsheets/d/{spreadsheet}/edit#gid=0", "enter")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 40])
def test_a_spreadsheet_is_connected_and_its_list_adopted(
    begin: Start, stand_in: StandIn, opened: Callable[[str], CRM], key: Path, columns: int
) -> None:
    text = key.read_text()
    key.unlink()
    spreadsheet = stand_in.make("Team")
    stand_in.set_cells(spreadsheet, "Sheet1", 0, 0, LIST)
    before = stand_in.values(spreadsheet, "Sheet1")
    session = begin(columns=columns).choose("Work in a Google spreadsheet")
    session.sees("No key file is there yet").settled()
    # Each on one line of the output, so that it is copied in one piece.
    assert b"\nhttps://console.cloud.google.com/apis/library/drive.googleapis.com\r" in session.raw
    session.press("enter").settled().sees("No key file is there yet")
    key.write_text("{")
    session.press("enter").sees("is not JSON").settled()
    key.write_text(text)
    session.press("enter").sees("Choose Share, and add this address as an Editor").settled()
    assert stand_in.credentials()["client_email"].encode() in session.raw
    session.sees("Address of the spreadsheet").press("nonsense", "enter").sees("neither the id nor the address")
    session.press("kill")
    asked_for(session, spreadsheet).sees("Found “Team”").sees("Its present contents stay as they are")
    session.choose("Set it up").sees("“Team” is set up").choose("Import the list")
    session.sees("3 new clients").sees("3 opening sales, $36,018.00 in all")
    session.sees("1 with something that cannot be read")
    session.sees("Contact Number → Phone; Email → E-mail; Total Spend → an opening sale; Status → (left out")
    session.sees("left out: that is not a date")
    session.choose("Import them").sees("Imported from the tab “Sheet1”").sees("Press any key to continue").settled()
    session.press("enter").sees("You are working in “Team” now")
    session.press("enter").sees("$36,018.00 thi")
    crm = opened(spreadsheet)
    with crm.read() as snapshot:
        clients = {client.first_name: client for client in snapshot.find_all(Client)}
        sales = snapshot.find_all(Sale)
        history = snapshot.history()
    assert {name: (client.status, client.total_spend) for name, client in clients.items()} == {
        "Ada": ("VIP", Decimal("36000.50")),
        "Bo": ("Regular", Decimal("12.50")),
        "Cy": ("Regular", Decimal("5.00")),
    }
    assert {(sale.note, sale.on) for sale in sales} == {("Opening balance", TODAY)}
    assert len(history) == 1
    assert stand_in.values(spreadsheet, "Sheet1") == before
    session.kill()
    # The choice is remembered, and there is a way back.
    again = begin(columns=columns).choose("Data").choose("Google spreadsheet").choose("Connect a Google spreadsheet")
    again.sees("You are working in this spreadsheet").press("3")
    again.sees("You are working on the file on this computer again").press("enter").kill()
    begin().sees("Welcome. No clients yet")


# What is switched off at Google, and the words for it.
MISSING: dict[str, tuple[Callable[[StandIn, str, bool], None], str]] = {
    "sheets": (lambda second, _, right: second.enable_sheets(right), "Google Sheets API is not enabled"),
    "drive": (lambda second, _, right: second.enable_drive(right), "Google Drive API is not enabled"),
    "shared": (
        lambda second, id, right: second.set_access(id, "writer" if right else "none"),
        "is not shared with this program",
    ),
    "editor": (
        lambda second, id, right: second.set_access(id, "writer" if right else "reader"),
        "may read the spreadsheet, but not change it",
    ),
    "clock": (lambda second, _, right: second.clock_right(right), "The clock of this machine is wrong"),
    "account": (lambda second, _, right: second.account_exists(right), "does not accept the login"),
}


@pytest.mark.many
@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("missing", list(MISSING))
def test_missing_credentials_are_named_and_can_be_tried_again(begin: Start, stand_in: StandIn, missing: str) -> None:
    switch, words = MISSING[missing]
    spreadsheet = stand_in.make("Team")
    # A token of the time before would still be good.
    stand_in.expire_tokens()
    switch(stand_in, spreadsheet, False)
    session = asked_for(connecting(begin), spreadsheet).sees(words).sees("1) Try again")
    if "API" in words:
        assert b"\nhttps://console.developers.google.com/apis/api/" in session.raw
    session.press("enter").settled().sees(words)
    assert [tab["title"] for tab in stand_in.tabs(spreadsheet)] == ["Sheet1"]
    switch(stand_in, spreadsheet, True)
    session.settled().press("enter").sees("Found “Team”")


@pytest.mark.slow
@pytest.mark.usefixtures("key")
def test_a_wrong_spreadsheet_id_can_be_corrected(begin: Start, stand_in: StandIn) -> None:
    session = asked_for(connecting(begin), "1" * 44).sees("No spreadsheet has the id").press("esc")
    asked_for(session.sees("Address of the spreadsheet"), stand_in.make("Other")).sees("Found “Other”")
    session.press("esc").sees("Address of the spreadsheet").press("esc").sees("How do you want to start?")


@pytest.mark.slow
def test_the_records_of_the_file_are_copied_to_the_spreadsheet(
    begin: Start, stand_in: StandIn, crm: CRM, store: Path, opened: Callable[[str], CRM]
) -> None:
    client = named("clients add")(crm, {"first_name": "Anna", "last_name": "Berg"})
    named("sales add")(crm, client, Decimal("40000"))
    spreadsheet = stand_in.make("Team")
    session = (
        begin(CRM_STORE=f"sqlite:///{store}")
        .choose("Data")
        .choose("Google spreadsheet")
        .choose("Connect a Google spreadsheet")
    )
    session = asked_for(session.sees("Address of the spreadsheet"), spreadsheet).choose("Set it up")
    session.choose("Copy everything (1 client, 1 sale) from").sees("Copied to")
    session.sees("Press any key to continue").settled()
    session.press("enter").sees("You are working in “Team” now")
    # What is named in the environment comes first at the next start, and that is said.
    session.sees("At the next start the CRM opens another store").sees(f"CRM_STORE=sheets://{spreadsheet}"[:60])
    with opened(spreadsheet).read() as snapshot:
        assert [(client.name, client.status) for client in snapshot.find_all(Client)] == [("Anna Berg", "VIP")]


@pytest.mark.slow
@pytest.mark.usefixtures("key")
def test_a_spreadsheet_that_is_not_set_up_is_set_up(begin: Start, stand_in: StandIn) -> None:
    spreadsheet = stand_in.make("Blank")
    session = begin(CRM_STORE=f"sheets://{spreadsheet}").sees("“Blank” is not set up for the CRM yet")
    session.choose("Set up now").sees("Found “Blank”").choose("Set it up").sees("You are working in “Blank” now")
    session.press("enter").sees("Welcome. No clients yet")


@pytest.mark.slow
def test_without_credentials_the_menu_can_go_back_to_the_file(begin: Start, stand_in: StandIn, key: Path) -> None:
    text = key.read_text()
    key.unlink()
    session = begin(CRM_STORE=f"sheets://{stand_in.make('Team')}").sees("No credentials for Google Sheets")
    key.write_text(text)
    session.choose("Try again").sees("is not set up for the CRM yet").kill()
    key.unlink()
    session = begin(CRM_STORE=f"sheets://{stand_in.make('Team')}").sees("No credentials for Google Sheets")
    session.choose("Go back to the file on this computer").sees("You are working on the file on this computer again")
    session.press("enter").sees("Welcome. No clients yet")
    other = begin(CRM_STORE=f"sheets://{stand_in.make('Team')}").sees("0) Exit").press("0")
    assert other.exit_code() == 1


class Network:
    """A stand-in that can be reached or not."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self.google = StandIn(quota=False, state=state)
        self.google.start()
        self._port = int(self.google.url.rpartition(":")[2])

    def down(self) -> None:
        """Simulate a service that no longer answers."""
        self.google.stop()

    def up(self) -> None:
        """Google answers again, where it did before."""
        self.google = StandIn(quota=False, port=self._port, state=self._state)
        self.google.start()


@pytest.fixture
def network(tmp_path: Path, store: Path) -> Iterator[Network]:
    """A network that can go down, the key for it, and a spreadsheet that is set up with one client in it."""
    made = Network(tmp_path / "google")
    store.with_name("creds.json").write_text(json.dumps(made.google.credentials()))
    yield made
    made.google.stop()


def with_anna(network: Network, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """A spreadsheet that is set up, with one client in it."""
    load()
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    spreadsheet = network.google.make("Team")
    config = Config(
        f"sheets://{spreadsheet}",
        "other",
        running_on(),
        json.dumps(network.google.credentials()),
        google=network.google.url,
    )
    crm = open_crm(config)
    named("sheets setup")(crm)
    named("clients add")(crm, {"first_name": "Anna", "last_name": "Berg", "email": "anna@example.com"})
    crm.repository.close()
    return spreadsheet


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 40])
def test_without_a_network_reading_works_and_typed_text_is_kept(
    start: Start, network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, columns: int
) -> None:
    spreadsheet = with_anna(network, monkeypatch, tmp_path / "elsewhere")
    session = start(columns=columns, CRM_GOOGLE_URL=network.google.url, CRM_STORE=f"sheets://{spreadsheet}")
    session.choose("Clients").sees("n new").press("n").choose("A person")
    session.sees("First name").press("Zed", "enter").sees("Last name").press("enter").sees("1) Save").settled()
    network.down()
    session.press("1").sees("Google Sheets cannot be reached").sees("What you typed is still here.")
    session.press("esc").sees("First name Zed").sees("1) Save").settled()
    session.press("esc").choose("Go back a question").sees("Last name").press("esc").sees("): Zed").press("esc").sees(
        "Is this a person or a company?"
    )
    session.press("esc").choose("Discard").sees("n new").settled()
    while "No connection" not in session.text:
        # What was seen a moment ago counts as of now for five seconds.
        session.press("esc").sees("Exit").press("2").sees("1-1 of 1").settled()
    session.sees("No connection to Google: this is how it was")
    session.sees("No connection").sees("Anna Berg")
    session.sees("n new").press("n").choose("A person").sees("First name")
    session.press("Yves", "enter").sees("Last name").press("enter").sees("1) Save").press("1").sees("1) Try again")
    network.up()
    session.settled().press("enter").sees("Added Yves (no. 2)")
    assert network.google.values(spreadsheet, "clients")[2][:2] == ["2", "Yves"]


@pytest.mark.slow
def test_a_change_that_may_have_been_saved_is_looked_for_first(
    start: Start, network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spreadsheet = with_anna(network, monkeypatch, tmp_path / "elsewhere")
    session = start(CRM_GOOGLE_URL=network.google.url, CRM_STORE=f"sheets://{spreadsheet}")
    session.choose("Clients").sees("n new").press("n").choose("A person")
    session.sees("First name").press("Zed", "enter").sees("Last name").press("enter").sees("1) Save").settled()
    network.google.fault("drop_reply", only="write")
    network.google.before_next_write([["set_access", [spreadsheet, "none"]]])
    session.press("1").sees("This may have been saved").sees("What you typed is still here.")
    session.sees("Look whether it was saved").settled()
    network.google.set_access(spreadsheet, "writer")
    session.choose("Look whether it was saved").sees("It was saved.")
    assert [row[1] for row in network.google.values(spreadsheet, "clients")[1:]] == ["Anna", "Zed"]


@pytest.mark.slow
def test_an_edit_by_hand_is_shown_beside_my_own(begin: Start, stand_in: StandIn, team: tuple[str, CRM]) -> None:
    spreadsheet, _ = team
    session = begin(CRM_STORE=f"sheets://{spreadsheet}").press("/").sees("Find").press("1", "enter").choose("Edit")
    session.choose("E-mail").press("kill", "mine@example.com", "enter").sees("* mine@example.com")
    stand_in.type(spreadsheet, "clients", "E2", "sheet@example.com")
    session.press("1").sees("Someone else changed this too").sees("Before").settled()
    row = next(line for line in session.lines if line.startswith("E-mail"))
    assert row.split() == ["E-mail", "anna@example.com", "sheet@example.com", "mine@example.com"]
    session.choose("Use mine: mine@example.com").sees("1) Save").sees("* mine@example.com")
    session.press("1").sees("Saved: Anna Berg")
    assert stand_in.values(spreadsheet, "clients")[1][4] == "mine@example.com"


@pytest.mark.slow
def test_the_wait_for_the_quota_is_counted_down(begin: Start, stand_in: StandIn, team: tuple[str, CRM]) -> None:
    session = begin(CRM_STORE=f"sheets://{team[0]}").choose("Clients").sees("n new").settled()
    stand_in.fault("status", times=1, only="reads", code=429)
    session.press("n").sees("A person").press("1").sees("First name").press("Zed", "enter").sees("Last name")
    session.press("enter").sees("1) Save").press("1").sees("Google's quota for this minute is used up; continues in")


@pytest.mark.slow
def test_connecting_a_spreadsheet_with_accounts_asks_for_a_sign_in(
    begin: Start, team: tuple[str, CRM], store: Path
) -> None:
    spreadsheet, crm = team
    crm.accounts.open().administration.add(
        email="ada@example.com", name="Ada", role="admin", password="a kettle, two spoons and rain"
    )
    # Both machines have the team's secret.
    (store.parent / "crm").mkdir(exist_ok=True)
    shutil.copy(store.parent / "elsewhere" / "crm" / "secret", store.parent / "crm" / "secret")
    session = asked_for(connecting(begin), spreadsheet).sees("Sign in").sees("E-mail")
    # Whoever does not sign in stays where they were.
    session.press("esc").choose("Work in a Google spreadsheet").sees("Address of the spreadsheet").lacks("Anna")
    asked_for(session, spreadsheet).sees("Sign in").sees("E-mail")
    session.press("ada@example.com", "enter").sees("Password:").press("a kettle, two spoons and rain", "enter")
    session.sees("You are working in “Team” now").press("enter").choose("Data").choose("My account")
    session.sees("ada@example.com")


def test_a_store_that_could_not_be_chosen_is_closed(crm: CRM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = replace(crm, config=replace(crm.config, folder=tmp_path / "crm"))
    # What remembers the store cannot be written.
    (tmp_path / "crm" / "store.txt").mkdir(parents=True)
    opened: list[Any] = []

    def entered(_: object, store: CRM) -> CRM:
        assert store.repository.is_empty()
        opened.append(store.repository)
        return store

    monkeypatch.setattr(connecting_pages, "_entered", entered)
    session = MenuSession(crm, TerminalKeyboard(), Screen(io.StringIO(), plain=True))
    with pytest.raises(FileError, match="The choice cannot be kept"):
        connecting_pages.work_on_file(session)
    assert session.crm is crm
    assert "_engine" not in opened[0].__dict__
