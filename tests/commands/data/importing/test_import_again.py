"""The same file imported again: nothing is added, also where the columns were chosen by hand."""

from pathlib import Path

import pytest

from crm.commands.context import CRM
from crm.commands.data.history import my_last, undo_preview
from crm.commands.registry import named
from crm.model import Client, ImportLayout
from tests.commands.conftest import Office
from tests.support.firm import Firm

CHOSEN = ["Who=name", "Ring=phone", "No=reference", "Hat=extra:Hat size"]
HEADINGS = "No,Who,Ring,Cell,Hat\n"


@pytest.fixture
def crm(office: Office) -> CRM:
    return office.crm


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text(
        HEADINGS + "A-1,Ada Quist,(614) 555-0101,(614) 555-0201,7\nA-2,Bo Quist,(614) 555-0102,,8\n", "utf-8"
    )
    return file


def clients(crm: CRM) -> list[tuple[str, str, str, dict[str, str]]]:
    with crm.read() as snapshot:
        return [(known.reference, known.name, known.phone, known.extra) for known in snapshot.find_all(Client)]


def test_the_same_file_again_adds_nothing_though_its_columns_were_chosen(crm: CRM, file: Path) -> None:
    import_file = named("import")
    assert import_file(crm, file, map=CHOSEN).new == 2
    imported = clients(crm)
    assert (imported[0][0], imported[0][3]["Hat size"]) == ("A-1", "7")
    again = import_file(crm, file)
    assert (again.new, again.updated, again.unchanged) == (0, 0, 2)
    assert "columns as last time" in again.read_as
    assert clients(crm) == imported


def test_a_longer_file_with_the_same_headings_has_its_columns_as_last_time(
    crm: CRM, file: Path, tmp_path: Path
) -> None:
    named("import")(crm, file, map=CHOSEN)
    longer = tmp_path / "december.csv"
    longer.write_text(HEADINGS.replace("Who", " WHO ") + "A-3,Cy Quist,,,9\n", "utf-8")
    assert named("import")(crm, longer).new == 1
    assert clients(crm)[-1] == ("A-3", "Cy Quist", "", {"Hat size": "9"})
    other = tmp_path / "other.csv"
    other.write_text("No,Who,Ring,Cell,Hat,Shoe\nA-4,Di Quist,,,9,4\n", "utf-8")
    assert "last time" not in named("import")(crm, other, preview=True, map=["Who=name"]).read_as


def test_columns_can_be_detected_again_and_that_is_remembered_too(crm: CRM, file: Path) -> None:
    import_file = named("import")
    import_file(crm, file, map=CHOSEN)
    detected = import_file(crm, file, preview=True, new_columns=True, map=["Who=name"])
    assert (detected.columns["Hat"], detected.columns["No"]) == ("", "")
    assert "last time" not in detected.read_as
    file.write_text(HEADINGS + "A-5,Ed Quist,,(614) 555-0205,\n", "utf-8")
    assert import_file(crm, file, new_columns=True, map=["Who=name"]).new == 1
    assert import_file(crm, file, preview=True).columns["No"] == ""


def test_the_columns_are_remembered_after_the_import_was_undone(crm: CRM, file: Path) -> None:
    import_file = named("import")
    import_file(crm, file, map=CHOSEN)
    last = my_last(crm)
    assert last is not None
    assert undo_preview(crm, last[0]) == ["Removes: Ada Quist, Bo Quist"]
    named("history undo")(crm, yes=True)
    assert clients(crm) == []
    assert import_file(crm, file).new == 2
    assert clients(crm)[0][0] == "A-1"
    import_file(crm, file.rename(file.with_name("b.csv")), map=["Hat=notes"])
    named("history undo")(crm, yes=True)
    named("history undo")(crm, yes=True)
    assert clients(crm) == []


def test_the_order_of_dates_and_the_match_are_remembered_too(crm: CRM, tmp_path: Path) -> None:
    file = tmp_path / "birthdays.csv"
    file.write_text("Name,E-mail,Birthday\nAda Quist,shop@example.com,03/04/1980\n", "utf-8")
    named("import")(crm, file, dates="dmy", match="email")
    file.write_text("Name,E-mail,Birthday\nA. Quist,shop@example.com,03/04/1980\n", "utf-8")
    again = named("import")(crm, file)
    assert (again.new, again.updated) == (0, 1)
    with crm.read() as snapshot:
        (ada,) = snapshot.find_all(Client)
    assert str(ada.date_of_birth) == "1980-04-03"
    # The match needs a column that is left out now.
    assert named("import")(crm, file, preview=True, map=["E-mail="]).columns["E-mail"] == ""


def test_columns_of_a_very_wide_file_are_not_remembered(crm: CRM, tmp_path: Path) -> None:
    file, names = tmp_path / "wide.csv", [f"{'Long heading ' * 4}{at}" for at in range(500)]
    file.write_text(f"Who,{','.join(names)}\nAda Quist{',x' * 500}\n", "utf-8")
    columns = ["Who=name", *(f"{name}=extra:{name}" for name in names)]
    assert named("import")(crm, file, map=columns).new == 1
    with crm.read() as snapshot:
        assert snapshot.find_all(ImportLayout) == []


def test_a_file_that_is_read_as_the_program_reads_it_is_not_remembered(crm: CRM, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("Name,Phone\nAda Quist,(614) 555-0101\n", "utf-8")
    assert named("import")(crm, file).new == 1
    assert "last time" not in named("import")(crm, file).read_as


def test_columns_that_staff_choose_are_remembered_for_everyone(firm: Firm, file: Path) -> None:
    assert named("import")(firm.crms["staff"], file, map=CHOSEN).new == 2
    assert "columns as last time" in named("import")(firm.crms["admin"], file, preview=True).read_as


def test_a_birthday_without_a_year_is_listed_to_check_and_stands_in_the_notes(crm: CRM, tmp_path: Path) -> None:
    file = tmp_path / "birthdays.csv"
    file.write_text("Name,B-day,Remarks\nAda Quist,1/2,rye only\nBo Quist,3/4/1980,\nCy Quist,5/6,\n", "utf-8")
    report = named("import")(crm, file)
    why = "has no year, so it is kept in the notes"
    assert [(doubt.row, doubt.value, doubt.why) for doubt in report.doubts] == [(2, "Jan 2", why), (4, "May 6", why)]
    with crm.read() as snapshot:
        notes = [client.notes for client in snapshot.find_all(Client)]
    assert notes == ["rye only\nBirthday: Jan 2 (no year given)", "", "Birthday: May 6 (no year given)"]
    again = named("import")(crm, file)
    assert (again.new, again.updated, again.unchanged) == (0, 0, 3)
