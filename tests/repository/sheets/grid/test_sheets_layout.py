"""Edits by hand to headings, columns, tabs and hidden tabs: nothing is misread, and each fault is reported."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import StoreDamagedError, StoreError
from crm.model import RECORDS, Client, Message, Record, Sale
from crm.model.fields import LARGEST_AMOUNT
from crm.repository.sheets.grid.cells import stamped
from crm.repository.sheets.grid.layout import (
    HISTORY,
    HISTORY_COLUMNS,
    META,
    TABS,
    columns,
    heading,
    letters,
    new_heading,
)
from crm.repository.sheets.mirror import history_tab
from crm.repository.sheets.mirror.before_images import blocks_in
from tests.support.by_hand import wrong
from tests.support.clocks import TODAY
from tests.support.sheets_team import CLIENTS, SALES, Team, new_team


@pytest.fixture
def ada(team: Team) -> Client:
    """A client with a sale and a field of the team's own."""
    client = team.store.add(first_name="Ada", city="Wien", email="ada@example.com", extra={"Hat": "M"})
    team.store.sell(client, "12.50")
    return team.store.client(client)


def column(team: Team, text: str, kind: type[Record] = Client) -> int:
    return team.cells(kind)[0].index(text)


def rename(team: Team, before: str, after: str | None) -> None:
    team.person.set_cells(team.id, CLIENTS, 0, column(team, before), [[after]])


def number_format(team: Team, kind: type[Record], text: str) -> dict[str, str]:
    """The number format of a column, in the first row below the heading and in the last; empty for none."""
    tab = team.repository.service.look([TABS[kind].rows()], "sheets(data(rowData(values(userEnteredFormat))))")
    rows = [row.get("values", []) for row in tab["sheets"][0]["data"][0]["rowData"]]
    at = column(team, text, kind)
    first, last = (row[at].get("userEnteredFormat", {}).get("numberFormat", {}) for row in (rows[1], rows[-1]))
    assert first == last
    return dict(first)


# Headings


@pytest.mark.many
@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.kind_name)
def test_a_new_tab_has_a_column_for_each_field(kind: type[Record]) -> None:
    row = new_heading(kind)
    found = heading(kind, row)
    assert (found.missing, found.own, found.problems) == ([], {}, [])
    assert [letters(found.positions[name]) for name in columns(kind)] == [letters(at) for at in range(len(row))]
    assert len({str(cell).casefold() for cell in row}) == len(row)


def test_a_column_for_a_newer_field_is_formatted_by_the_request_that_adds_it(team: Team, ada: Client) -> None:
    title = TABS[Message].title
    team.person.delete_column(team.id, title, column(team, "Reached", Message))
    other = team.another()
    team.person.reset_counts()
    assert team.stored(other)[Client].keys() == {ada.id}
    assert team.person.counts(team.id)["writes"] == 1
    assert number_format(team, Message, "Reached") == {"type": "TEXT"}


@pytest.mark.usefixtures("ada")
def test_restored_columns_have_their_original_format(team: Team) -> None:
    before = {text: number_format(team, Sale, text) for text in ("Amount", "Date", "Note")}
    assert {text: look.get("type") for text, look in before.items()} == {"Amount": None, "Date": "DATE", "Note": "TEXT"}
    for text in before:
        team.person.delete_column(team.id, SALES, column(team, text, Sale))
    team.repository.put_back_columns()
    assert {text: number_format(team, Sale, text) for text in before} == before
    assert [sale.amount for sale in team.agreed()[Sale].values()] == [Decimal("12.50")]  # type: ignore[attr-defined]


def test_a_heading_is_known_in_any_case_and_order() -> None:
    row = ["", "VERSION", " e-mail ", "Hat", "id", "hat", 2024, "x" * 61]
    found = heading(Client, row)
    assert (found.positions["version"], found.positions["email"], found.positions["id"]) == (1, 2, 4)
    assert found.own == {"Hat": 3, "hat": 5, "2024": 6}
    assert [at for at, _ in found.problems] == [7]
    assert heading(Sale, row).own == {}


@pytest.mark.many
@pytest.mark.parametrize("how", ["emptied", "deleted", "renamed", "doubled", "another renamed to it"])
def test_values_of_a_deleted_column_are_kept(team: Team, ada: Client, how: str) -> None:
    other = team.another()
    before, whats, cells = team.stored(other), team.summaries(), team.cells(Client)
    at = column(team, "E-mail")
    match how:
        case "emptied":
            rename(team, "E-mail", None)
        case "deleted":
            team.person.delete_column(team.id, CLIENTS, at)
        case "renamed":
            rename(team, "E-mail", "Mail")
        case "doubled":
            team.person.insert_column(team.id, CLIENTS, at, 1)
            team.person.set_cells(team.id, CLIENTS, 0, at, [[row[at]] for row in cells])
        case _:
            rename(team, "First name", "E-mail")
    for machine in (team.repository, other):
        assert team.stored(machine) == before
        assert any("E-mail" in finding for finding in wrong(team, machine))
    assert team.summaries() == whats
    # The rest goes on.
    team.store.change(lambda tx: tx.change(ada, city="Graz"))
    assert team.store.sell(ada, "1.00").id == 2
    with pytest.raises(StoreDamagedError, match="E-mail"):
        team.store.change(lambda tx: tx.change(tx.get(Client, 1), email="new@example.com"))
    fresh = team.another()
    assert team.stored(fresh)[Client][1].city == "Graz"
    assert any("E-mail" in finding for finding in wrong(team, fresh))
    # Put right again, nobody takes that for an edit.
    match how:
        case "emptied":
            team.person.set_cells(team.id, CLIENTS, 0, at, [["E-mail"]])
        case "deleted":
            team.repository.put_back_columns()
        case "renamed":
            rename(team, "Mail", "E-mail")
        case "doubled":
            team.person.delete_column(team.id, CLIENTS, at)
        case _:
            rename(team, "E-mail", "First name")
    whats = team.summaries()
    for machine in (team.repository, other, fresh):
        found = team.stored(machine)[Client][1]
        assert (found.email, found.first_name, found.city) == (ada.email, "Ada", "Graz")
        assert wrong(team, machine) == []
    assert team.summaries() == whats
    team.agreed()


def test_a_new_column_is_read_once_the_missing_one_is_restored(team: Team, ada: Client) -> None:
    rename(team, "E-mail", "Mail")
    wide = len(team.cells(Client)[0])
    team.person.set_cells(team.id, CLIENTS, 0, wide, [["Shoe"], ["42"]])
    assert team.store.client(ada).extra == {"Hat": "M"}
    assert sum("is not read while “E-mail” is gone" in finding for finding in wrong(team)) == 2
    rename(team, "Mail", "E-mail")
    assert team.store.client(ada).extra == {"Hat": "M", "Shoe": "42"}
    assert wrong(team) == []
    team.agreed()


@pytest.mark.many
@pytest.mark.parametrize("text", ["ID", "Version"])
def test_without_its_first_or_last_column_a_tab_is_not_read(team: Team, ada: Client, text: str) -> None:
    before = team.stored()
    rename(team, text, "Number")
    # What was seen before is shown, and what is in the way is named.
    assert team.stored() == before
    assert "1 says “Number” and said" in team.repository.notice()
    assert any("has lost its heading" in what for what in wrong(team))
    with pytest.raises(StoreDamagedError, match=r"has lost its heading"):
        team.stored(team.another())
    with pytest.raises(StoreDamagedError, match=r"has lost its heading"):
        team.store.change(lambda tx: tx.change(ada, city="Graz"))
    rename(team, "Number", text)
    assert team.stored() == before
    team.agreed()


@pytest.mark.parametrize("how", ["a row above it", pytest.param("all cleared", marks=pytest.mark.slow)])
def test_a_tab_with_a_moved_heading_is_shown_as_it_was(team: Team, ada: Client, how: str) -> None:
    before = team.stored()
    if how == "a row above it":
        team.person.insert_rows(team.id, CLIENTS, 0, 1)
        team.person.set_cells(team.id, CLIENTS, 0, 0, [["Our clients"]])
    else:
        team.person.clear_cells(team.id, CLIENTS, "A1:AZ100")
    assert team.stored() == before
    sentence = "It stands in row 2: delete row 1." if how == "a row above it" else "The tab is empty."
    assert sentence in team.repository.notice()
    with pytest.raises(StoreDamagedError, match="lost its heading"):
        team.store.change(lambda tx: tx.change(ada, city="Graz"))
    if how == "a row above it":
        team.person.delete_rows(team.id, CLIENTS, 0, 1)
        assert team.agreed() == before
        assert team.repository.notice() == ""


def test_a_copied_id_column_changes_nothing(team: Team, ada: Client) -> None:
    before = team.stored()
    team.person.insert_column(team.id, CLIENTS, 1, 1)
    team.person.set_cells(team.id, CLIENTS, 0, 1, [[row[0]] for row in team.cells(Client)])
    assert team.stored() == before
    assert wrong(team) == ["clients!B1: there are two columns “ID”; this one is not read."]
    team.store.change(lambda tx: tx.change(ada, city="Graz"))
    assert team.stored(team.another()) == team.stored()


# Tabs


@pytest.mark.many
@pytest.mark.parametrize("tab", [CLIENTS, SALES, "crm", "history", "settings"])
@pytest.mark.usefixtures("ada")
def test_a_deleted_tab_is_reported_and_nothing_is_lost(team: Team, tab: str) -> None:
    before, document = team.stored(), team.person._document(team.id)
    book = document.book
    team.person.delete_tab(team.id, tab)
    with pytest.raises(StoreError, match=r"has lost its tab|is not set up"):
        team.stored(team.another())
    assert team.stored() == before
    assert "has lost its tab" in team.repository.notice()
    document.change(lambda now: vars(now).update(vars(book)))
    assert team.stored() == before
    team.agreed()


# The hidden tabs

META_EDITS: dict[str, tuple[str, Any]] = {
    "a text for the revision": ("revision", "many"),
    "another revision": ("revision", 99),
    "a number emptied": ("client", None),
    "a lower number": ("client", 0),
    "fewer transactions": ("transactions", 1),
}


@pytest.mark.many
@pytest.mark.parametrize("edit", META_EDITS, ids=str)
@pytest.mark.usefixtures("ada")
def test_an_edited_technical_tab_is_reported(team: Team, edit: str) -> None:
    before = team.stored()
    name, value = META_EDITS[edit]
    at = team.cells(META)[0].index(name)
    was = team.cells(META)[1][at]
    team.person.set_cells(team.id, META.title, 1, at, [[value]])
    assert team.stored() == before
    assert "“crm”" in team.repository.notice()
    if edit != "another revision":
        with pytest.raises(StoreDamagedError, match=r"“crm”|“history”"):
            team.stored(team.another())
    team.person.set_cells(team.id, META.title, 1, at, [[was]])
    assert team.stored() == before
    team.agreed()


@pytest.mark.parametrize("rows", [1, 99])
def test_a_wrong_row_count_of_the_history_is_corrected(team: Team, ada: Client, rows: int) -> None:
    team.store.change(lambda tx: tx.change(ada, notes="a note"))
    at = team.cells(META)[0].index("history_rows")
    team.person.set_cells(team.id, META.title, 1, at, [[rows]])
    team.store.sell(ada, "10.00")
    assert len(team.agreed()[Sale]) == 2


@pytest.mark.many
@pytest.mark.parametrize("how", ["a row deleted", "the last row deleted", "sorted", "a cell edited", "a row inserted"])
def test_a_history_changed_by_hand_does_not_lock_the_store(team: Team, ada: Client, how: str) -> None:
    team.store.change(lambda tx: tx.change(ada, notes="n" * 20_000, city="x" * 50))
    team.store.change(lambda tx: tx.change(tx.get(Client, 1), notes=""))
    before, rows = team.stored(), len(team.cells(HISTORY))
    match how:
        case "a row deleted":
            team.person.delete_rows(team.id, HISTORY.title, 2, 1)
        case "the last row deleted":
            team.person.delete_rows(team.id, HISTORY.title, rows - 1, 1)
        case "sorted":
            team.person.sort(team.id, HISTORY.title, 0, True)
        case "a cell edited":
            team.person.set_cells(team.id, HISTORY.title, rows - 1, 9, [["{"]])
        case _:
            team.person.insert_rows(team.id, HISTORY.title, 2, 1)
    fresh = team.another()
    for machine in (team.repository, fresh):
        assert team.stored(machine)[Client] == before[Client]
        torn = [finding.what for finding in machine.check() if "passed over" in finding.what]
        # A row that is gone altogether leaves nothing that could be named.
        assert ("history!A" in "".join(torn)) == (how != "sorted")
    fresh.transact(lambda tx: tx.change(tx.get(Client, 1), city="Elsewhere"), "edited")
    team.store.sell(ada, "10.00")
    assert team.stored(fresh) == team.stored()
    assert team.stored()[Client][1].city == "Elsewhere"  # type: ignore[attr-defined]
    assert team.summaries()[:2] == team.summaries(fresh)[:2]


_ENTRY = [1, "uid", "2026-11-20T09:00:00+00:00", "Anna", "added a client", "", "client", "1", "create", "", "", 0]


@pytest.mark.parametrize(
    ("at", "typed"),
    [
        *((0, 1e300), (0, -1), (5, 1e300), (5, "9" * 20), (7, "1-9999999999"), (7, "9" * 5000), (7, "1e9")),
        *((9, "[1]"), (10, '"x"'), (10, "[" * 19_000), (11, 1e300), (11, -1)),
    ],
)
def test_an_edited_row_of_the_history_is_skipped(at: int, typed: object) -> None:
    assert len(history_tab.read([_ENTRY]).audit) == 1
    row: list[Any] = [*_ENTRY]
    row[at] = typed
    entries = history_tab.read([row, [*[2], *_ENTRY[1:]]])
    assert (entries.torn, [entry.transaction for entry in entries.audit]) == ([0], [2])


def test_a_copied_or_deleted_identifier_in_the_history_is_no_crash(team: Team, ada: Client) -> None:
    (*_, last), knows = team.cells(HISTORY), team.another()
    team.stored(knows)
    team.store.change(lambda tx: tx.change(ada, city="Wien"))
    for uid in (last[1], ""):
        team.person.set_cells(team.id, HISTORY.title, len(team.cells(HISTORY)) - 1, 1, [[uid]])
        for machine in (knows, team.another()):
            assert [client.city for client in team.stored(machine)[Client].values()] == ["Wien"]


_KEPT: dict[str, Any] = {"base": [1, "uid"], "added": {}, "parts": [], "cut": None}
_CLIENTS = TABS[Client].sheet_id


@pytest.mark.parametrize(
    ("size", "fields"),
    [
        (0, json.dumps(_KEPT)),
        (-1, json.dumps(_KEPT)),
        (1e300, json.dumps(_KEPT)),
        (1, "[" * 40_000),
        (1, json.dumps(_KEPT | {"added": {str(_CLIENTS): [[1, 10**12]]}})),
        (1, json.dumps(_KEPT | {"parts": [{"tab": _CLIENTS, "first": 1, "uses": [[[], []]], "rows": [[0, 10**12]]}]})),
    ],
)
def test_edited_before_images_are_ignored_and_nobody_waits(size: float, fields: str) -> None:
    assert len(blocks_in([["uid", 1, 1, json.dumps(_KEPT)]], 100)) == 1
    assert blocks_in([["uid", size, 1, fields]], 100) == []


def test_an_edited_stamp_is_ignored() -> None:
    assert stamped("12/3") == (12, 3)
    for typed in ("1/" + "9" * 5000, "9" * 30 + "/1", "1/", "/1", "1", "1/-1", "\u0661/1", "1/2/3"):
        assert stamped(typed) is None


@pytest.mark.many
@pytest.mark.parametrize("meanwhile", [0, 1, 3], ids=["nothing", "less", "more"])
def test_a_restored_older_version_is_accepted_and_reported(team: Team, ada: Client, meanwhile: int) -> None:
    document = team.person._document(team.id)
    before, older = team.stored(), document.book
    late = team.another()
    team.store.add(last_name="Lost")
    team.store.sell(ada, "99.00")
    team.stored(late)
    document.change(lambda now: vars(now).update(vars(older)))
    writer = team.another()
    for number in range(meanwhile):
        writer.transact(lambda tx, n=number: tx.add(Client(kind="person", last_name=f"New {n}")), "added")
    for machine in (team.repository, late):
        found = team.stored(machine)
        assert found[Sale] == before[Sale]
        assert [client.name for client in found[Client].values()] == [
            "Ada Client", *(f"New {number}" for number in range(meanwhile))
        ]  # fmt: skip
    rows = [finding.what for finding in late.check() if "older version" in finding.what]
    (text,) = rows
    kept = team.store.folder.glob("machine-*/backups/*.sqlite3")
    assert any(str(path) in text for path in kept)
    assert team.summaries(late) == team.summaries(team.another())


# Every value there and back


def _tidy(text: str) -> str:
    """A text without blanks around it, nor several in a row, as the program takes it."""
    return " ".join(text.split())


_LINE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=30).map(_tidy)
_SOME_LINE = st.one_of(_LINE, st.sampled_from(["=1+1", "+1", "-1", "@", "'", "0049", "1.5", "TRUE", "#N/A", "a, b"]))
_AMOUNT = st.decimals(0, LARGEST_AMOUNT, places=2, allow_nan=False, allow_infinity=False)
_DAY = st.dates(date(1, 1, 1), date(9999, 12, 31))
_TAG = st.text("abcß-é'", min_size=1, max_size=8)
_CLIENTS = st.builds(
    Client,
    kind=st.just("person"),
    first_name=_SOME_LINE,
    last_name=st.just("x"),
    company=_SOME_LINE,
    # What can be no value of a field is named by a first reading, and left out.
    date_of_birth=st.none() | st.dates(date(1910, 1, 1), TODAY),
    email=_SOME_LINE,
    phone=_SOME_LINE,
    address=_SOME_LINE,
    # A longer one would be named by a first reading, too.
    postcode=_SOME_LINE.map(lambda line: line[:20].strip()),
    country=st.sampled_from(["", "AT", "NA"]),
    tags=st.lists(_TAG, unique=True, max_size=4).map(tuple),
    source=_SOME_LINE,
    marketing_consent=st.booleans(),
    notes=st.one_of(_SOME_LINE, st.just("long\n" * 3_999 + "long")),
    extra=st.dictionaries(st.sampled_from(["Hat", "Shoe size", "ß=", "2024"]), _SOME_LINE.filter(bool), max_size=3),
)


@pytest.mark.slow
@settings(max_examples=12)
@given(st.lists(_CLIENTS, min_size=1, max_size=4), st.lists(st.tuples(_AMOUNT, _DAY, _LINE), max_size=6))
def test_every_record_is_read_as_it_was_written(clients: list[Client], sales: list[tuple[Decimal, date, str]]) -> None:
    with new_team() as team:
        ids = list(team.store.change(lambda tx: tx.add_all(clients)))
        for place, (amount, on, note) in enumerate(sales):
            sale = Sale(client=ids[place % len(ids)], amount=amount, on=on, note=note)
            team.store.change(lambda tx, sale=sale: tx.add(sale))
        team.store.change(lambda tx: tx.change(tx.get(Client, ids[0]), city="=2+2"))
        found = team.stored()
        fresh = team.another()
        assert team.stored(fresh) == found
        assert wrong(team, fresh) == []
        assert team.summaries(fresh) == team.summaries()
        for client, stored in zip(clients, (found[Client][id_] for id_ in ids), strict=True):
            assert stored.notes == client.notes
            assert stored.extra == client.extra


def test_a_renamed_heading_is_restored(team: Team) -> None:
    """Set up again, there is no second column beside it, also where it was moved and another one is gone."""
    for at in range(3):
        team.store.add(last_name=f"Client {at}", city=f"City {at}", postcode=f"{at}000")
    before = team.stored()
    heading = team.cells(Client)[0]
    team.person.set_cells(team.id, CLIENTS, 0, heading.index("City"), [["Town"]])
    team.person.move_column(team.id, CLIENTS, heading.index("City"), 2)
    team.person.delete_column(team.id, CLIENTS, team.cells(Client)[0].index("Postcode"))
    team.repository._look_at_sheet()
    assert team.stored() == before
    assert sorted(team.repository.put_back_columns()[Client]) == ["city", "postcode"]
    now = team.cells(Client)[0]
    assert (now.count("City"), now.count("Postcode"), "Town" in now) == (1, 1, False)
    assert team.agreed() == before


@pytest.mark.parametrize("how", ["deleted", "renamed"])
def test_a_column_is_restored_only_by_a_computer_that_has_seen_it(team: Team, how: str) -> None:
    """An empty column, or one beside the renamed one, would empty the field everywhere."""
    team.store.add(last_name="Fox", city="Bonn", marketing_consent=True)
    before = team.stored()
    for text in ("City", "Marketing consent"):
        if how == "deleted":
            team.person.delete_column(team.id, CLIENTS, column(team, text))
        else:
            rename(team, text, f"Our {text}")
    fresh = team.another()
    team.stored(fresh)
    headings = team.cells(Client)[0]
    assert fresh.put_back_columns() == {}
    assert team.cells(Client)[0] == headings
    assert any("“City” is gone; undo that, or run `sheets setup` on a computer" in line for line in wrong(team, fresh))
    assert team.stored() == before
    assert sorted(team.repository.put_back_columns()[Client]) == ["city", "marketing_consent"]
    assert team.agreed() == before
    assert team.stored(fresh) == before


def test_the_documentation_says_how_many_cells_records_take() -> None:
    text = (Path(__file__).parents[4] / "docs/google-sheets.md").read_text("utf-8")
    client, sale, change = len(columns(Client)), len(columns(Sale)), len(HISTORY_COLUMNS)
    assert f"A client takes {client} cells, a sale {sale}, and a change two rows of {change} in the history." in text
    for clients, sales in ((100_000, 500_000), (80_000, 400_000)):
        assert f"{(clients * client + sales * sale) / 1e6:.1f} million" in text
