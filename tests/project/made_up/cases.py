"""A made-up record works everywhere without being named there; run by `test_made_up_record.py` in its own process."""

import csv
import json
import os
import subprocess
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from crm.model.vehicles import Repair, Vehicle

from crm.commands import groups, menus
from crm.commands.registry import commands
from crm.commands.timeline_sources import Part, sources
from crm.errors import ForbiddenError, RefusedError
from crm.model import Client, Conventions
from crm.model.rights import CLIENT, STAFF, Reader
from crm.repository import Query
from crm.terminal.toolkit.pages import page_of
from tests.conftest import PROJECT, PYTHON, STORES, Store, _new_store, child_environment
from tests.project.test_docs import reference
from tests.support.command_line import CommandLine
from tests.support.guarded import guarded_for
from tests.support.sheets_team import new_team

VEHICLE = Vehicle(client=1, plate="W-1", price=Decimal("9000.50"), state="used", note="dented")


def test_a_made_up_record_is_in_the_menu_and_in_the_docs() -> None:
    assert menus()["vehicles"].title == "Vehicles"
    assert groups()["vehicles"] == "Vehicles of clients."
    assert [command.title for command in commands(menu="vehicles")] == [
        "Add a vehicle",
        "Repair a vehicle",
        "Edit a vehicle",
        "Fill in a new vehicle",
        "List repairs",
        "Correct a repair",
        "List vehicles",
    ]
    assert page_of(Vehicle).__module__ == "crm.terminal.vehicles.vehicles"
    assert "## vehicles repair\n" in reference().PAGES["commands.md"]()


@pytest.mark.slow
def test_a_made_up_record_is_in_shell_json_lookup_history_undo_sums_and_export(tmp_path: Path) -> None:
    crm = CommandLine(tmp_path)
    crm.did("clients", "add", "--last-name", "Lovelace")
    added = crm.did("vehicles", "add", "Lovelace", "--plate", "W-1", "--price", "9000.50")
    assert (added["plate"], added["price"], added["spent"]) == ("W-1", "9000.50", "0.00")
    again = crm.refused("vehicles", "add", "1", "--plate", "W-1", "--price", "1")
    assert again == "Another vehicle already has this plate. Nothing was changed."
    assert crm("vehicles", "add", "1", "--plate", "W-2", "--price", "1").out == "Vehicle W-2 of $1.00\n"
    crm.did("history", "undo")
    for cost in ("100", "20.25"):
        crm.did("vehicles", "repair", "W-1", "--cost", cost)
    assert [vehicle["spent"] for vehicle in crm.did("vehicles", "list")] == ["120.25"]
    assert crm("vehicles", "list").out.splitlines()[0].split("\t")[:3] == ["1", "Lovelace", "W-1"]
    last = crm.history()[0]
    assert last["what"] == "repaired W-1"
    (repair, vehicle) = crm.did("history", "show", str(last["id"]))["records"]
    assert (repair["record"], vehicle["record"], vehicle["name"]) == ("repair", "vehicle", "W-1")
    assert [(field["label"], field["was"], field["now"]) for field in vehicle["fields"]] == [
        ("Spent", "$100.00", "$120.25")
    ]
    crm.did("history", "undo")
    assert [vehicle["spent"] for vehicle in crm.did("vehicles", "list")] == ["100.00"]
    assert crm.sound()
    crm.did("export", str(tmp_path / "vehicles.csv"), "--what", "vehicles")
    with (tmp_path / "vehicles.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["Client"], row["Plate"], row["Spent"]) == ("Lovelace", "W-1", "100.00")
    crm.did("export", str(tmp_path / "all.json"), "--what", "all")
    assert [name for name, _ in json.loads((tmp_path / "all.json").read_text())["objects"]].count("repair") == 1


@pytest.mark.slow
def test_a_made_up_record_is_in_timelines_and_opened_from_there(tmp_path: Path) -> None:
    crm = CommandLine(tmp_path)
    for name in ("Lovelace", "Babbage"):
        crm.did("clients", "add", "--last-name", name)
    for plate in ("W-1", "W-2"):
        crm.did("vehicles", "add", "Lovelace", "--plate", plate, "--price", "9000.50")
    crm.did("sales", "add", "Lovelace", "--amount", "5", "--on", "2020-01-01")
    (entry, other) = crm.did("timeline", "Lovelace", "--only", "vehicles")
    assert (entry["kind"], entry["what"], entry["amount"]) == ("vehicle", "Vehicle W-2", "9000.50")
    assert other["what"] == "Vehicle W-1"
    assert [entry["kind"] for entry in crm.did("timeline", "1")].count("vehicle") == 2
    assert crm.did("timeline", "Babbage", "--only", "vehicle") == []
    assert "$9,000.50  Vehicle W-1" in crm("clients", "show", "1").out
    refused = crm.refused("timeline", "1", "--only", "lorries")
    assert "vehicles" in refused
    menu = _menu(crm, "Clients", "2", "Timeline", "f", "Vehicles", "1")
    assert "Vehicles › W-2" in menu


@pytest.mark.slow
def test_a_made_up_record_has_a_generic_form(tmp_path: Path) -> None:
    crm = CommandLine(tmp_path)
    crm.did("clients", "add", "--last-name", "Lovelace")
    menu = _menu(crm, "Vehicles", "Fill in a new vehicle", "Lovelace", "Plate", "W-7", "Price", "12", "Save")
    assert "Added W-7." in menu
    path = ("Clients", "1", "Timeline", "f", "Vehicles", "1", "Edit it")
    menu = _menu(crm, *path, "2", "W-8", "Note", "dented", "Save")
    assert "› W-7 › Edit" in menu
    assert "Saved W-8." in menu
    (vehicle,) = crm.did("vehicles", "list")
    assert (vehicle["plate"], vehicle["note"], vehicle["price"], vehicle["state"]) == ("W-8", "dented", "12.00", "used")
    assert crm.did("vehicles", "edit", "W-8", "--note", "mended")["note"] == "mended"
    assert crm.history()[0]["what"] == "edited W-8"


@pytest.mark.slow
def test_a_list_at_the_menu_names_the_client(tmp_path: Path) -> None:
    crm = CommandLine(tmp_path)
    crm.did("clients", "add", "--last-name", "Lovelace")
    crm.did("vehicles", "add", "Lovelace", "--plate", "W-1", "--price", "1")
    assert "Lovelace" in _menu(crm, "Vehicles", "List vehicles")


@pytest.mark.slow
def test_links_are_shown_and_chosen_by_name(tmp_path: Path) -> None:
    crm = CommandLine(tmp_path)
    crm.did("clients", "add", "--last-name", "Lovelace")
    for plate in ("W-1", "W-2"):
        crm.did("vehicles", "add", "Lovelace", "--plate", plate, "--price", "1")
    crm.did("vehicles", "repair", "W-1", "--cost", "5")
    assert crm("vehicles", "repaired").out.split("\t")[:2] == ["1", "W-1"]
    assert "W-1" in _menu(crm, "Vehicles", "List repairs")
    menu = _menu(crm, "Vehicles", "Correct a repair", "1", "2", "W-2 · Lovelace", "Save")
    assert "Vehicle   W-1" in menu
    assert "Vehicle * W-2" in menu
    assert [repair["vehicle"] for repair in crm.did("vehicles", "repaired")] == [2]
    crm.did("vehicles", "correct", "1", "--vehicle", "W-1")
    assert crm("vehicles", "repaired").out.split("\t")[:2] == ["1", "W-1"]
    assert "No vehicle called W-9" in crm.refused("vehicles", "correct", "1", "--vehicle", "W-9")
    assert [vehicle["spent"] for vehicle in crm.did("vehicles", "list")] == ["5.00", "0.00"]


def _menu(crm: CommandLine, *lines: str) -> str:
    """The output of the menu for these typed lines, one for each question."""
    menu = subprocess.run(
        [PYTHON, "-c", "import made_up_subject, run; run.run()"], input="".join(f"{line}\n" for line in lines),
        cwd=PROJECT, env={**child_environment(), **crm.environment, "PYTHONPATH": os.environ["PYTHONPATH"]},
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert not menu.stderr, menu.stderr
    return menu.stdout.replace(" / ", " › ")


def test_a_client_sees_their_own_in_the_timeline_without_notes() -> None:
    with _new_store(STORES["sqlite"]) as store:
        owner = store.add(last_name="Own")
        store.change(lambda tx: tx.add(replace(VEHICLE, client=owner.id, on=tx.today)))
        client = guarded_for(store.repository, Reader(1, CLIENT, owner.id, "own"))
        (vehicles,) = (known for known in sources() if known.record is Vehicle)
        with client.read() as snapshot:
            part = Part(snapshot, owner.id, (), date.max, 9, Conventions())
            (row,) = (row for _, row in vehicles.own_rows(part))
            assert vehicles.entry(row, part.by).what == "Vehicle W-1"


@pytest.mark.slow
def test_an_older_store_gets_its_table(tmp_path: Path) -> None:
    crm = CommandLine(tmp_path)
    older = subprocess.run(
        [PYTHON, "run.py", "clients", "add", "--last-name", "Lovelace"],
        cwd=PROJECT, env={**child_environment(), **crm.environment}, capture_output=True, check=False,
    )  # fmt: skip
    assert older.returncode == 0, older.stderr
    crm.did("vehicles", "add", "Lovelace", "--plate", "W-1", "--price", "1")
    assert [vehicle["plate"] for vehicle in crm.did("vehicles", "list")] == ["W-1"]


def test_a_made_up_record_has_the_rights_it_declares() -> None:
    with _new_store(STORES["sqlite"]) as store:
        both = [store.add(last_name=name) for name in ("Own", "Other")]
        store.change(lambda tx: [tx.add(replace(VEHICLE, client=c.id, plate=c.name, on=tx.today)) for c in both])
        client = guarded_for(store.repository, Reader(1, CLIENT, both[0].id, "own"))
        with client.read() as snapshot:
            assert [(vehicle.plate, vehicle.note) for vehicle in snapshot.find_all(Vehicle)] == [("Own", "")]
            with pytest.raises(ForbiddenError, match="Only staff can see repairs"):
                snapshot.find_all(Repair)
        with pytest.raises(ForbiddenError, match="Only staff can add vehicles"):
            client.transact(lambda tx: tx.add(VEHICLE), "tried")
        staff = guarded_for(store.repository, Reader(2, STAFF, 0, "staff"))
        staff.transact(lambda tx: tx.add(Repair(vehicle=2, cost=Decimal(5))), "repaired")
        with staff.read() as snapshot:
            assert {(vehicle.plate, vehicle.spent) for vehicle in snapshot.find_all(Vehicle)} == {
                ("Own", Decimal(0)), ("Other", Decimal(5)),
            }  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("sheets", marks=pytest.mark.slow)])
def test_each_unique_field_is_unique_where_given_and_finds_its_record(kind: str) -> None:
    with _new_store(STORES[kind]) as store:
        _add(store)
        one, other = (replace(VEHICLE, plate=plate, on=store.repository.clock.today) for plate in ("W-2", "W-3"))
        stored = [store.change(lambda tx, new=new: tx.add(new)) for new in (one, other)]
        numbered = store.change(lambda tx: tx.change(stored[0], chassis=77))
        with pytest.raises(RefusedError, match=r"Another vehicle already has this chassis. Nothing was changed"):
            store.change(lambda tx: tx.change(stored[1], chassis=77))
        with pytest.raises(RefusedError, match=r"Another vehicle already has this plate. Nothing was changed"):
            store.change(lambda tx: tx.change(stored[1], plate="W-2"))
        assert numbered.chassis == 77
        with store.repository.read() as snapshot:
            assert [vehicle.id for vehicle in snapshot.find_all(Vehicle, Query({"chassis": 77}))] == [numbered.id]


def test_a_made_up_record_is_listed_in_its_declared_order() -> None:
    with _new_store(STORES["sqlite"]) as store:
        _add(store)
        new = [replace(VEHICLE, plate=plate, on=store.repository.clock.today) for plate in ("b-1", "C-1", "a-1")]
        store.change(lambda tx: tx.add_all(new))
        assert _plates(store) == ["a-1", "b-1", "C-1", "W-1"]
        with store.repository.read() as snapshot:
            last = snapshot.get(Vehicle, 1)
        number = store.change(lambda tx: (tx.change(last, plate="A-0"), tx.number)[1])
        assert _plates(store) == ["A-0", "a-1", "b-1", "C-1"]
        store.change(lambda tx: tx.undo(number))
        assert _plates(store) == ["a-1", "b-1", "C-1", "W-1"]


def _plates(store: Store) -> list[str]:
    with store.repository.read() as snapshot:
        return [vehicle.plate for vehicle in snapshot.find_all(Vehicle)]


def test_a_made_up_record_is_filtered_through_its_declared_index() -> None:
    with _new_store(STORES["sqlite"]) as store:
        _add(store)
        statement = "SELECT * FROM vehicle WHERE lower(note) = 'dented' AND note != ''"
        with store.repository._engine.connect() as connection:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
    assert "vehicle_by_note" in plan[-1]


@pytest.mark.slow
def test_a_second_unique_field_is_checked_in_a_spreadsheet_too() -> None:
    with new_team() as team:
        _add(team.store)
        team.store.change(lambda tx: tx.add(replace(VEHICLE, plate="W-2", chassis=77, on=tx.today)))
        row, column = team.place(Vehicle(id=1), "chassis")
        team.person.set_cells(team.id, "vehicles", row, column, [[77]])
        (finding,) = team.repository.check()
        assert "chassis" in finding.what


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("sheets", marks=pytest.mark.slow)])
def test_nothing_is_added_to_a_deleted_record(kind: str) -> None:
    with _new_store(STORES[kind]) as store:
        _add(store)
        for repairs in ([Repair(vehicle=9, cost=Decimal(1))], [Repair(vehicle=at, cost=Decimal(1)) for at in (1, 9)]):
            with pytest.raises(RefusedError, match=r"No vehicle .*. Nothing was changed"):
                store.change(lambda tx, repairs=repairs: tx.add_all(repairs))
        with store.repository.read() as snapshot:
            assert snapshot.count(Repair) == 1


def test_a_wrong_sum_is_found() -> None:
    with _new_store(STORES["sqlite"]) as store:
        _add(store)
        with store.repository._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE vehicle SET spent = 1")
        assert store.wrong() == ["Vehicle 1 shows 0.0001 as spent, but its records give 7.50."]


def test_a_made_up_record_has_a_tab_in_a_spreadsheet() -> None:
    with new_team() as team:
        _add(team.store)
        head, row = team.cells(Vehicle)[:2]
        assert head[:3] == ["ID", "Plate", "State"]
        assert dict(zip(head, row, strict=False))["Spent"] == 7.5
        place = team.place(Vehicle(id=1), "note")
        team.person.set_cells(team.id, "vehicles", *place, [["by hand"]])
        with team.repository.read() as snapshot:
            assert snapshot.get(Vehicle, 1).note == "by hand"
        team.person.set_cells(team.id, "vehicles", *team.place(Vehicle(id=1), "plate"), [["B-Hand"]])
        with team.repository.read() as snapshot:
            assert snapshot.connection.exec_driver_sql("SELECT sort_plate FROM vehicle").scalar() == "b-hand"
        place = team.place(Repair(id=1), "cost")
        team.person.set_cells(team.id, "repairs", *place, [[9]])
        with team.repository.read() as snapshot:
            assert snapshot.get(Vehicle, 1).spent == Decimal(9)
        team.person.set_cells(team.id, "repairs", 2, place[1], [[11]])
        assert [finding.what for finding in team.repository.check()] == ["repairs!B3: a repair needs its vehicle."]
        team.person.set_cells(team.id, "repairs", 2, team.place(Repair(id=1), "vehicle")[1], [[1]])
        with team.repository.read() as snapshot:
            assert snapshot.get(Vehicle, 1).spent == Decimal(20)
        team.agreed()


def _add(store: Store) -> None:
    client: Client = store.add(last_name="Lovelace")
    store.change(lambda tx: tx.add(replace(VEHICLE, client=client.id, on=tx.today)))
    store.change(lambda tx: tx.add(Repair(vehicle=1, cost=Decimal("7.50"))))
