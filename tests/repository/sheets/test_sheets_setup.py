"""Setup of a Google spreadsheet from the command line: formatting, what is left alone, and adopted lists."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from crm.model import RECORDS, Client, Message, Record, Sale, StatusRule
from crm.repository.sheets.google import rate_limit
from crm.repository.sheets.google.credentials import account_from
from crm.repository.sheets.google.spreadsheet import Service
from crm.repository.sheets.grid import formatting
from crm.repository.sheets.grid.layout import ALL_TABS, TABS, columns, header, heading, new_heading
from tests.conftest import google
from tests.support.clocks import TODAY
from tests.support.command_line import CommandLine, on_a_new_store
from tests.support.google_sheets import StandIn
from tests.support.sheets_team import Team

pytestmark = pytest.mark.in_turn

# As the programs that this one comes from keep it.
HEAD = ["First Name", "Last Name", "Date of Birth", "Contact Number", "Email", "Total Spend", "Status"]
ADA = ["Ada", "Berg", "1990-05-17", "+43 664 1234567", "ada@example.com", 36000.5, "VIP"]
BO = ["Bo", "Huber", "1980-01-02", "", "bo@example.com", 12, "Regular"]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """Google as it should be, again after each test."""
    other = google()
    yield other
    other.clear_faults()
    other.enable_sheets(True)


@pytest.fixture
def spreadsheet(stand_in: StandIn) -> str:
    """A new spreadsheet."""
    return stand_in.make("Team")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, stand_in: StandIn, spreadsheet: str) -> Iterator[CommandLine]:
    """The command line on that spreadsheet, which is not set up yet; it is held to no quota, which its commands one
    after the other would use up."""
    monkeypatch.setattr(rate_limit, "PER_MINUTE", {})
    with on_a_new_store(monkeypatch) as line:
        line.environment |= {
            "CRM_STORE": f"sheets://{spreadsheet}",
            "CREDS": json.dumps(stand_in.credentials()),
            "CRM_GOOGLE_URL": stand_in.url,
        }
        yield line


@pytest.fixture
def service(shell: CommandLine, stand_in: StandIn, spreadsheet: str) -> Iterator[Service]:
    """The spreadsheet as the program asks for it."""
    opened = Service(spreadsheet, account_from(shell.environment["CREDS"]), shell.folder, google=stand_in.url)
    yield opened
    opened.close()


def sheet_of(service: Service, kind: type[Record], fields: str) -> dict[str, Any]:
    """The properties of a tab, from the spreadsheet."""
    answer = service.describe(f"sheets(properties(sheetId),{fields})")["sheets"]
    return next(tab for tab in answer if tab["properties"].get("sheetId", 0) == TABS[kind].sheet_id)


def cells_of(service: Service, kind: type[Record], fields: str, rows: int = 3) -> list[list[dict[str, Any]]]:
    """The cells of the first rows of a tab."""
    found = service.look([TABS[kind].rows(0, rows)], f"sheets(data(rowData(values({fields}))))")
    return [row.get("values", []) for row in found["sheets"][0]["data"][0]["rowData"]]


def at(kind: type[Record], name: str) -> int:
    return columns(kind).index(name)


# How it looks


def test_headings_are_bold_and_frozen(shell: CommandLine, service: Service) -> None:
    shell.did("sheets", "setup")
    for kind in RECORDS:
        properties = sheet_of(service, kind, "properties(gridProperties,tabColorStyle)")["properties"]
        assert properties["gridProperties"]["frozenRowCount"] == 1
        assert properties["tabColorStyle"]["rgbColor"]
        first, second, *_ = cells_of(service, kind, "userEnteredFormat")
        assert all(cell["userEnteredFormat"]["textFormat"]["bold"] for cell in first)
        assert all(cell["userEnteredFormat"]["backgroundColorStyle"] for cell in first)
        assert not any(cell.get("userEnteredFormat", {}).get("textFormat") for cell in second)


@pytest.mark.slow
def test_each_column_has_the_format_of_its_values(shell: CommandLine, service: Service) -> None:
    shell.did("sheets", "setup")
    row = cells_of(service, Client, "userEnteredFormat(numberFormat)")[2]
    formats = {
        name: row[place]["userEnteredFormat"]["numberFormat"]
        for place, name in enumerate(columns(Client))
        if "numberFormat" in row[place].get("userEnteredFormat", {})
    }
    assert formats["total_spend"] == {"type": "NUMBER", "pattern": "#,##0.00##"}
    # Without a pattern: as the spreadsheet's country writes it.
    assert formats["date_of_birth"] == {"type": "DATE"}
    assert formats["id"] == {"type": "NUMBER", "pattern": "0"}
    assert {formats[name]["type"] for name in ("phone", "postcode", "reference", "status", "version")} == {"TEXT"}
    assert "marketing_consent" not in formats
    # Google itself says what is typed there: a date or a percentage is no amount.
    amount = cells_of(service, Sale, "userEnteredFormat(numberFormat)")[2][at(Sale, "amount")]
    assert "numberFormat" not in amount.get("userEnteredFormat", {})


@pytest.mark.slow
def test_number_formats_of_an_older_spreadsheet_are_renewed_once_it_is_set_up_again(
    shell: CommandLine, service: Service
) -> None:
    shell.did("sheets", "setup")

    def dress(kind: type[Record], name: str, pattern: str) -> None:
        cells = {
            "sheetId": TABS[kind].sheet_id,
            "startColumnIndex": at(kind, name),
            "endColumnIndex": at(kind, name) + 1,
        }
        look = {"userEnteredFormat": {"numberFormat": {"type": "NUMBER", "pattern": pattern}}}
        service.write([{"repeatCell": {"range": cells, "cell": look, "fields": "userEnteredFormat.numberFormat"}}])

    def pattern(kind: type[Record], name: str) -> str:
        cell = cells_of(service, kind, "userEnteredFormat(numberFormat)")[2][at(kind, name)]
        return str(cell.get("userEnteredFormat", {}).get("numberFormat", {}).get("pattern", ""))

    for old in ("#,##0.00", "#,##0.00##"):
        dress(Sale, "amount", old)
        dress(Client, "total_spend", "#,##0.00")
        shell.did("sheets", "setup")
        assert (pattern(Sale, "amount"), pattern(Client, "total_spend")) == ("", "#,##0.00##")
    # What people have chosen themselves stays.
    dress(Sale, "amount", "0.00")
    dress(Client, "total_spend", "0.0")
    shell.did("sheets", "setup")
    assert (pattern(Sale, "amount"), pattern(Client, "total_spend")) == ("0.00", "0.0")


@pytest.mark.slow
def test_typed_values_keep_their_meaning(shell: CommandLine, stand_in: StandIn, spreadsheet: str) -> None:
    shell.did("sheets", "setup")
    for name, text in (
        ("first_name", "Ada"),
        ("postcode", "01067"),
        ("reference", "1-2"),
        ("date_of_birth", "5/17/1990"),
    ):
        stand_in.type(spreadsheet, "clients", f"{letters(at(Client, name))}2", text)
    # What was seen a moment ago counts; setting it up looks again.
    shell.did("sheets", "setup")
    (client,) = shell.clients()
    assert (client["postcode"], client["reference"], client["date_of_birth"]) == ("01067", "1-2", "1990-05-17")
    shell.did("sales", "add", "1", "--amount", "1234.5")
    sale = stand_in.values(spreadsheet, "sales")[1]
    assert sale[at(Sale, "amount")] == "1234.5"
    assert sale[at(Sale, "on")] == "11/21/2026"


def letters(column: int) -> str:
    return chr(ord("A") + column) if column < 26 else "A" + chr(ord("A") + column - 26)


def rules_in(service: Service, kind: type[Record], name: str) -> list[str]:
    """The choices in a column's drop-down list."""
    rule = cells_of(service, kind, "dataValidation")[1][at(kind, name)]["dataValidation"]
    assert not rule.get("strict")
    return [value["userEnteredValue"] for value in rule["condition"]["values"]]


def colours(service: Service) -> list[str]:
    """The statuses that have a colour."""
    found = sheet_of(service, Client, "conditionalFormats").get("conditionalFormats", [])
    return [format_["booleanRule"]["condition"]["values"][0]["userEnteredValue"] for format_ in found]


@pytest.mark.slow
def test_drop_down_lists_and_colours_follow_the_rules(shell: CommandLine, service: Service) -> None:
    shell.did("sheets", "setup")
    assert rules_in(service, Client, "status") == ["VIP", "Regular"]
    assert rules_in(service, Client, "kind") == ["person", "company"]
    assert (
        rules_in(service, Client, "marketing_consent") == rules_in(service, StatusRule, "active") == ["TRUE", "FALSE"]
    )
    assert colours(service) == ["VIP"]
    shell.did("rules", "add", "Gold when total_spend >= 100", "--position", "1", "--yes")
    shell.did("rules", "add", "+1 when total_spend >= 50", "--position", "2", "--yes")
    shell.did("sheets", "setup")
    assert rules_in(service, Client, "status") == ["Gold", "+1", "VIP", "Regular"]
    assert colours(service) == ["VIP", "Gold", '="+1"']
    shell.did("rules", "remove", "3", "--yes")
    shell.did("sheets", "setup")
    assert rules_in(service, Client, "status") == ["+1", "VIP", "Regular"]
    assert colours(service) == ["VIP", '="+1"']


@pytest.mark.slow
def test_formatting_by_people_is_kept(shell: CommandLine, service: Service) -> None:
    shell.did("sheets", "setup")
    tab = TABS[Client].sheet_id
    status = {"sheetId": tab, "startRowIndex": 1, "startColumnIndex": 7, "endColumnIndex": 8}
    red = {"backgroundColorStyle": {"rgbColor": {"red": 1}}}
    wide = {"range": {"sheetId": tab, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2}}
    own = {"ranges": [status], "booleanRule": {"condition": {"type": "BLANK"}, "format": red}}
    vip = {"type": "TEXT_EQ", "values": [{"userEnteredValue": "VIP"}]}
    guard = {"range": status, "description": "Ask Anna first", "warningOnly": True}
    service.write(
        [
            {
                "updateConditionalFormatRule": {
                    "index": 0,
                    "rule": {"ranges": [status], "booleanRule": {"condition": vip, "format": red}},
                }
            },
            {"addConditionalFormatRule": {"index": 0, "rule": own}},
            {"updateDimensionProperties": {**wide, "properties": {"pixelSize": 300}, "fields": "pixelSize"}},
            {"addProtectedRange": {"protectedRange": guard}},
        ]
    )
    asked = "conditionalFormats,protectedRanges(description,range),data(columnMetadata(pixelSize))"
    before = sheet_of(service, Client, asked)
    shell.did("sheets", "setup")
    after = sheet_of(service, Client, asked)
    assert after["conditionalFormats"] == before["conditionalFormats"]
    assert after["data"] == before["data"]
    rows = sorted(json.dumps(protected_range, sort_keys=True) for protected_range in after["protectedRanges"])
    assert rows == sorted(json.dumps(protected_range, sort_keys=True) for protected_range in before["protectedRanges"])


@pytest.mark.slow
def test_technical_columns_are_hidden_and_edits_get_a_warning(shell: CommandLine, service: Service) -> None:
    shell.did("sheets", "setup")
    found = sheet_of(service, Client, "protectedRanges,data(columnMetadata(hiddenByUser))")
    assert all(protected_range["warningOnly"] for protected_range in found["protectedRanges"])
    guarded = {
        place
        for protected_range in found["protectedRanges"]
        if "endRowIndex" not in protected_range["range"]
        for place in range(
            protected_range["range"].get("startColumnIndex", 0), protected_range["range"]["endColumnIndex"]
        )
    }
    names = {columns(Client)[place] for place in guarded}
    assert {"id", "version", "total_spend", "status_reason"} <= names
    assert not names & {"first_name", "status", "notes"}
    metadata = found["data"][0]["columnMetadata"]
    hidden = {columns(Client)[place] for place, column in enumerate(metadata) if column.get("hiddenByUser")}
    assert hidden == {"owner_id", "created_at", "updated_at", "version", "status_before", "status_since"}


@pytest.mark.slow
def test_rows_beyond_the_grid_look_like_the_others(
    shell: CommandLine, stand_in: StandIn, service: Service, spreadsheet: str
) -> None:
    shell.did("sheets", "setup")
    grid = formatting.grid_of(Client)["rowCount"]
    rows = [[f"Client {number}", "", f"{number:05}", "1990-05-17"] for number in range(grid + 20)]
    file = shell.write_csv("clients.csv", [["Last name", "E-mail", "Postcode", "Date of birth"], *rows])
    shell.did("import", file)
    shown = stand_in.values(spreadsheet, "clients")
    assert len(shown) == grid + 21
    assert {row[at(Client, "date_of_birth")] for row in shown[1:]} == {"5/17/1990"}
    last = service.look([TABS[Client].rows(grid + 10, grid + 11)], "sheets(data(rowData(values(userEnteredFormat))))")
    cells = last["sheets"][0]["data"][0]["rowData"][0]["values"]
    assert cells[at(Client, "postcode")]["userEnteredFormat"]["numberFormat"] == {"type": "TEXT"}


# What is left alone, and what is put back


@pytest.mark.slow
def test_other_tabs_are_never_touched(shell: CommandLine, stand_in: StandIn, spreadsheet: str) -> None:
    stand_in.rename_tab(spreadsheet, "Sheet1", "Clients")
    stand_in.set_cells(spreadsheet, "Clients", 0, 0, [["Price list"], ["Table", 1200]])
    stand_in.set_format(spreadsheet, "Clients", "A2:B2", "NUMBER", "0.0")
    before = stand_in.values(spreadsheet, "Clients")
    assert shell.did("sheets", "setup")["new"]
    assert not shell.did("sheets", "setup")["new"]
    assert stand_in.values(spreadsheet, "Clients") == before
    tabs = {tab["sheetId"]: tab for tab in stand_in.tabs(spreadsheet)}
    assert tabs[TABS[Client].sheet_id]["title"] == "clients (CRM)"
    assert {tab.sheet_id for tab in ALL_TABS if tabs[tab.sheet_id]["hidden"]} == {
        tab.sheet_id for tab in ALL_TABS if tab.hidden
    }


def test_deleted_columns_are_restored(shell: CommandLine, stand_in: StandIn, spreadsheet: str) -> None:
    shell.did("sheets", "setup")
    for number in range(5):
        shell.did(
            "clients", "add", "--last-name", f"Client {number}", "--phone", f"+43664123456{number}", "--city", "Graz"
        )
    shell.did("sales", "add", "1", "--amount", "36000")
    before = shell.clients()
    place = stand_in.values(spreadsheet, "clients")[0].index("Phone")
    stand_in.delete_column(spreadsheet, "clients", place)
    stand_in.delete_column(spreadsheet, "clients", stand_in.values(spreadsheet, "clients")[0].index("City"))
    stand_in.sort(spreadsheet, "clients", 0, descending=True)
    assert sorted(shell.did("sheets", "setup")["put_back"]) == ["clients: City", "clients: Phone"]
    head, *rows = stand_in.values(spreadsheet, "clients")
    assert {row[head.index("ID")]: row[head.index("Phone")] for row in rows} == {
        str(row["id"]): row["phone"] for row in before
    }
    assert shell.clients() == before
    shell.did("clients", "edit", "2", "--phone", "+43316123456")
    assert shell.clients()[1]["phone"] == "+43316123456"
    assert shell.sound()
    assert shell.did("sheets", "setup")["put_back"] == []


def test_columns_that_a_new_computer_cannot_restore_are_named(
    shell: CommandLine, stand_in: StandIn, spreadsheet: str
) -> None:
    shell.did("sheets", "setup")
    shell.did("clients", "add", "--last-name", "Fox", "--city", "Graz")
    stand_in.delete_column(spreadsheet, "clients", stand_in.values(spreadsheet, "clients")[0].index("City"))
    for mirror in (shell.folder / "data").rglob("*.sqlite3*"):
        mirror.unlink()
    answer = shell.did("sheets", "setup")
    assert (answer["put_back"], answer["unknown"]) == ([], ["clients: City"])
    output = " ".join(shell("sheets", "setup").out.split())
    assert "Columns not restored: clients: City. This computer has never seen what was in them." in output


@pytest.mark.slow
def test_headings_of_every_tab_are_recognized(shell: CommandLine) -> None:
    for kind in RECORDS:
        head = heading(kind, new_heading(kind))
        assert not head.missing
        assert [header(kind, name) for name in columns(kind)] == head.written
    assert shell.did("sheets", "setup")["url"] == shell.environment["CRM_STORE"]


@pytest.mark.slow
@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_reply_during_setup_is_checked_before_a_retry(
    shell: CommandLine, stand_in: StandIn, spreadsheet: str, applied: bool
) -> None:
    stand_in.fault("drop_reply" if applied else "drop_request", only="writes")
    assert shell.did("sheets", "setup")["new"]
    assert len(stand_in.tabs(spreadsheet)) == 1 + len(ALL_TABS)
    assert shell.sound()
    stand_in.fault("drop_reply" if applied else "drop_request", only="writes")
    guards = len(guards_in(stand_in, shell, spreadsheet))
    assert not shell.did("sheets", "setup")["new"]
    assert len(guards_in(stand_in, shell, spreadsheet)) == guards


def guards_in(stand_in: StandIn, shell: CommandLine, spreadsheet: str) -> list[Any]:
    opened = Service(spreadsheet, account_from(shell.environment["CREDS"]), shell.folder, google=stand_in.url)
    try:
        found: list[Any] = sheet_of(opened, Client, "protectedRanges")["protectedRanges"]
        return found
    finally:
        opened.close()


# Taking a list over


def with_list(stand_in: StandIn, spreadsheet: str, rows: Sequence[Sequence[Any]], tab: str = "Sheet1") -> None:
    if tab != "Sheet1":
        stand_in.add_tab(spreadsheet, tab)
    stand_in.set_cells(spreadsheet, tab, 0, 0, rows)


@pytest.mark.slow
def test_an_adoption_asks_once_after_showing_everything(
    shell: CommandLine, stand_in: StandIn, spreadsheet: str
) -> None:
    with_list(stand_in, spreadsheet, [HEAD, ADA, BO, ["", "Nobody", "", "", "", "a lot", ""]])
    asked = shell.refused("sheets", "setup")
    assert "list of 2 clients" in asked
    assert "2 opening sales of $36,012.50 in all" in asked
    assert "1 row cannot be read" in asked
    assert "Contact Number → Phone" in asked
    assert "--take-over Sheet1 or --yes (Import “Sheet1”) or --take-over no (Leave it" in asked
    assert shell.clients() == []
    report = shell.did("sheets", "setup", "--yes")["taken_over"]
    assert (report["new"], report["opening_sales"], report["refused"]) == (2, 2, 1)
    assert report["refusals"][0]["row"] == 4
    assert [(client["first_name"], client["status"]) for client in shell.clients()] == [
        ("Ada", "VIP"),
        ("Bo", "Regular"),
    ]
    assert {sale["note"] for sale in shell.sales()} == {"Opening balance"}
    assert len(shell.history()) == 1
    # Once more it is only refreshed, and asked for by name nothing is counted twice.
    assert shell.did("sheets", "setup")["taken_over"] is None
    again = shell.did("sheets", "setup", "--take-over", "sheet1")["taken_over"]
    assert (again["new"], again["unchanged"], again["opening_sales"], again["had_sales"]) == (0, 2, 0, 2)
    shell.did("history", "undo", "--yes")
    assert shell.clients() == []


@pytest.mark.slow
def test_a_row_is_adopted_without_its_unreadable_values(
    shell: CommandLine, stand_in: StandIn, spreadsheet: str
) -> None:
    """But for its names and what was spent: money is not guessed."""
    never = ["Cy", "Never", "not known", "", "", 35000, ""]
    with_list(stand_in, spreadsheet, [HEAD, ADA, never, ["Di", "Slash", "/", "/", "", "", ""]])
    report = shell.did("sheets", "setup", "--yes")["taken_over"]
    assert (report["new"], report["refused"], report["opening_total"]) == (3, 0, "71000.50")
    assert [client["date_of_birth"] for client in shell.clients()][1:] == [None, None]
    doubts = [(doubt["row"], doubt["field"], doubt["why"].split(":")[0]) for doubt in report["doubts"]]
    assert (3, "date_of_birth", "left out") in doubts


@pytest.mark.slow
def test_phones_and_dates_are_read_as_in_the_country_of_the_spreadsheet(
    shell: CommandLine, stand_in: StandIn, spreadsheet: str
) -> None:
    def british(book: Any) -> None:
        book.properties = {**book.properties, "locale": "en_GB"}

    stand_in._document(spreadsheet).change(british)
    with_list(stand_in, spreadsheet, [HEAD, ["Ada", "Ames", "01/02/1990", "07911 123456", "", "", ""]])
    report = shell.did("sheets", "setup", "--yes")["taken_over"]
    (client,) = shell.clients()
    assert (client["phone"], client["date_of_birth"]) == ("+447911123456", "1990-02-01")
    assert report["flagged"] == 0
    # What is typed later is read in the same way, in the sheet and in the program.
    for name, text in (("last_name", "Berg"), ("phone", "07911 123457"), ("date_of_birth", "'03/04/1985")):
        stand_in.type(spreadsheet, "clients", f"{letters(at(Client, name))}3", text)
    shell.did("sheets", "setup")
    shell.did("clients", "add", "--last-name", "Cole", "--phone", "07911 123458", "--date-of-birth", "05/06/1985")
    assert [(client["phone"], client["date_of_birth"]) for client in shell.clients()[1:]] == [
        ("+447911123457", "1985-04-03"),
        ("+447911123458", "1985-06-05"),
    ]
    assert shell.sound()


@pytest.mark.slow
def test_unknown_columns_are_named_and_can_become_custom_fields(
    shell: CommandLine, stand_in: StandIn, spreadsheet: str
) -> None:
    with_list(stand_in, spreadsheet, [[*HEAD, "relation"], [*ADA, "friend"]])
    asked = shell.refused("sheets", "setup")
    assert "With `--own-fields`, “relation” becomes a field of your own." in asked
    report = shell.did("sheets", "setup", "--yes")["taken_over"]
    assert report["left_out"] == ["relation"]
    again = shell.did("sheets", "setup", "--take-over", "Sheet1", "--own-fields")["taken_over"]
    assert (again["updated"], again["left_out"]) == (1, [])
    (client,) = shell.clients()
    assert client["extra"] == {"relation": "friend"}


def test_an_adoption_can_be_declined(shell: CommandLine, stand_in: StandIn, spreadsheet: str) -> None:
    with_list(stand_in, spreadsheet, [HEAD, ADA])
    assert shell.did("sheets", "setup", "--take-over", "no")["taken_over"] is None
    assert shell.clients() == []


@pytest.mark.many
@pytest.mark.parametrize(
    ("head", "row"),
    [
        (
            ["Umsatz", "E-Mail", "Nachname", "Vorname", "Geburtsdatum"],
            ["36.000,50", "ada@example.com", "Berg", "Ada", "17.05.1990"],
        ),
        (["Nom", "Prénom", "Courriel", "Chiffre d'affaires"], ["Berg", "Ada", "ada@example.com", "36000.50"]),
        (["Customer", "Lifetime value", "Email"], ["Ada Berg", "$36,000.50", "ada@example.com"]),
    ],
    ids=["German", "French", "whole names"],
)  # fmt: skip
def test_a_list_with_columns_in_any_order_and_language_is_adopted(
    shell: CommandLine, stand_in: StandIn, spreadsheet: str, head: list[str], row: list[str]
) -> None:
    with_list(stand_in, spreadsheet, [head, row], tab="clients")
    report = shell.did("sheets", "setup", "--yes")["taken_over"]
    assert (report["tab"], report["new"], report["opening_total"]) == ("clients", 1, "36000.50")
    (client,) = shell.clients()
    assert (client["first_name"], client["last_name"], client["email"]) == ("Ada", "Berg", "ada@example.com")
    assert client["status"] == "VIP"


@pytest.mark.slow
def test_real_dates_and_numbers_are_read_as_they_are(shell: CommandLine, stand_in: StandIn, spreadsheet: str) -> None:
    with_list(stand_in, spreadsheet, [HEAD, ["Ada", "Berg"]])
    for cell, text in (("C2", "5/17/1990"), ("D2", "436641234567"), ("E2", "ada@example.com"), ("F2", "$36,000.55")):
        stand_in.type(spreadsheet, "Sheet1", cell, text)
    stand_in.set_format(spreadsheet, "Sheet1", "F2:F2", "NUMBER", "0")
    report = shell.did("sheets", "setup", "--yes")["taken_over"]
    assert report["opening_total"] == "36000.55"
    assert shell.clients()[0]["date_of_birth"] == "1990-05-17"


@pytest.mark.slow
def test_a_client_listed_twice_is_adopted_once(shell: CommandLine, stand_in: StandIn, spreadsheet: str) -> None:
    more = [*ADA[:5], 99.5, ""]
    with_list(
        stand_in,
        spreadsheet,
        [HEAD, ADA, ADA, more, ["Cy", "Zero", "", "", "", "", ""], ["Di", "Bad", "", "", "", "a lot", ""]],
    )
    report = shell.did("sheets", "setup", "--yes")["taken_over"]
    assert [client["total_spend"] for client in shell.clients()] == ["36100.00", "0.00"]
    assert len(shell.sales()) == report["opening_sales"] == 1
    assert [refusal["reason"][:12] for refusal in report["refusals"]] == ["Total Spend:"]


@pytest.mark.slow
def test_with_several_lists_one_must_be_chosen(shell: CommandLine, stand_in: StandIn, spreadsheet: str) -> None:
    with_list(stand_in, spreadsheet, [HEAD, ADA])
    with_list(stand_in, spreadsheet, [HEAD, BO], tab="Old ones")
    with_list(stand_in, spreadsheet, [["Product", "Price"], ["Table", "100"]], tab="Prices")
    asked = shell.refused("sheets", "setup", "--yes")
    assert "--take-over Sheet1 (Import “Sheet1”), --take-over 'Old ones' (" in asked
    assert shell.did("sheets", "setup", "--take-over", "Old ones")["taken_over"]["new"] == 1
    assert "no list of clients" in shell.refused("sheets", "setup", "--take-over", "Prices")
    assert "No tab “Nowhere”" in shell.refused("sheets", "setup", "--take-over", "Nowhere")


@pytest.mark.slow
def test_markup_in_an_adopted_list_is_plain_text(shell: CommandLine, stand_in: StandIn, spreadsheet: str) -> None:
    with_list(stand_in, spreadsheet, [["Name", "Email", "[bold]x[/]"], ["[red]Ada[/] \x1b[31m", "a@example.com", "=1"]])
    answer = shell("sheets", "setup", "--yes")
    assert "\x1b" not in answer.out + answer.err
    assert answer.code == 0


# Which store is opened


@pytest.mark.slow
def test_the_chosen_store_is_remembered_and_can_be_reset(shell: CommandLine, spreadsheet: str) -> None:
    store = shell.environment.pop("CRM_STORE")
    shell.did("clients", "add", "--last-name", "On this computer")
    address = f"https://docs.google.com/spreadsheets/d/{spreadsheet}/edit#gid=0"
    report = shell.did("sheets", "connect", address)
    assert (report["url"], report["remembered"], report["comes_first"]) == (store, True, "")
    assert shell.clients() == []
    # What is named comes first.
    file = f"sqlite:///{shell.folder / 'other.sqlite3'}"
    shell.did("clients", "add", "--last-name", "Elsewhere", "--store", file)
    assert shell.clients() == []
    assert [client["last_name"] for client in shell.clients("--store", file)] == ["Elsewhere"]
    assert file in shell("sheets", "leave", CRM_STORE=file).out
    assert [client["last_name"] for client in shell.clients()] == ["On this computer"]
    assert "No spreadsheet is connected" in shell.refused("sheets", "leave")


@pytest.mark.slow
def test_an_invalid_remembered_store_is_reported(shell: CommandLine) -> None:
    del shell.environment["CRM_STORE"]
    folder = shell.folder / "data" / "crm"
    folder.mkdir(parents=True)
    (folder / "store.txt").write_text("rm -rf")
    assert "store.txt does not name a store" in shell.refused("clients", "list", code=2)


def test_a_spreadsheet_that_is_not_set_up_names_the_command_to_run(shell: CommandLine, spreadsheet: str) -> None:
    answer = shell("clients", "list", "--json")
    assert answer.error["error"] == "store_not_set_up"
    assert f"python run.py sheets setup {spreadsheet}" in answer.error["message"]
    shell.did("sheets", "setup", spreadsheet)
    assert shell.clients() == []


def test_without_credentials_every_command_says_so_and_disconnecting_works(
    shell: CommandLine, spreadsheet: str
) -> None:
    shell.did("sheets", "connect", spreadsheet)
    shell.environment |= {"CREDS": "", "CRM_CREDS": str(shell.folder / "none.json"), "CRM_STORE": ""}
    for words in (("clients", "list"), ("clients", "add", "--last-name", "X"), ("sheets", "setup", spreadsheet)):
        assert "none.json" in shell.refused(*words)
    assert "file on this computer" in shell("sheets", "leave").out
    assert shell.clients() == []


@pytest.mark.slow
def test_without_a_network_the_shell_shows_a_notice(shell: CommandLine, stand_in: StandIn) -> None:
    shell.did("sheets", "setup")
    shell.did("clients", "add", "--last-name", "Berg")
    # Nobody listens there any more; the key is the stand-in's all the same.
    nowhere = "http://127.0.0.1:9"
    key = {**stand_in.credentials(), "token_uri": f"{nowhere}/token"}
    shell.environment |= {"CRM_GOOGLE_URL": nowhere, "CREDS": json.dumps(key)}
    listed = wait_for_notice(shell)
    assert listed["notice"] == "offline"
    assert "No connection to Google: this is how it was" in listed["message"]
    answer = shell("clients", "list")
    assert "Berg" in answer.out
    assert answer.err.startswith("No connection to Google")


def wait_for_notice(shell: CommandLine) -> Any:
    """The notice beside an answer, once the last read has expired."""
    import time

    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        answer = shell("clients", "list", "--json")
        assert [client["last_name"] for client in answer.json] == ["Berg"]
        if answer.err:
            return answer.error
        time.sleep(0.5)
    raise AssertionError("nothing was said")


def test_a_spreadsheet_of_an_older_version_gets_the_columns_of_newer_fields(team: Team) -> None:
    client = team.store.add(last_name="Berg")
    message = Message(client=client.id, direction="in", on=TODAY, state="received", notice="it may be forged")
    team.store.change(lambda tx: tx.add(message))
    names = [header(Message, name) for name in ("reached", "notice")]
    for name in names:
        team.person.delete_column(team.id, "messages", team.cells(Message)[0].index(name))
    with team.repository.read() as snapshot:
        assert snapshot.get(Message, 1).notice == "it may be forged"
    team.store.change(lambda tx: tx.add(replace(message, notice="forwarded")))
    head, *rows = team.cells(Message)
    assert set(names) <= set(head)
    assert [row[head.index("Notice")] for row in rows[:2]] == ["it may be forged", "forwarded"]
    assert list(team.repository.check()) == []
    team.agreed()
