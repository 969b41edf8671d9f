"""Invalid cells and rows: reported, kept as they are, and read once they are corrected."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import RefusedError
from crm.model import Allocation, Client, Invoice, InvoiceLine, NumberSeries, Payment, Record, Sale, StatusRule
from crm.repository.sheets.grid.layout import TABS
from crm.repository.sheets.repository import SheetsRepository
from crm.repository.transaction import SqlTransaction
from tests.support.by_hand import EDITED, Sheet, wrong
from tests.support.sheets_team import CLIENTS, Team

pytestmark = [pytest.mark.slow, pytest.mark.in_turn]


BAD: dict[str, tuple[type[Record], str, Any, str]] = {
    "not a date": (Client, "date_of_birth", "soon", "that is not a date"),
    "a future birthday": (Client, "date_of_birth", 99999, "in the future"),
    "no e-mail": (Client, "email", "ada at home", "not an e-mail address"),
    "no telephone number": (Client, "phone", 12, "no such phone number"),
    "no country": (Client, "country", "Narnia", "no country has that name"),
    "no truth": (Client, "marketing_consent", "perhaps", "answer yes or no"),
    "no status": (Client, "status", "Gold", "no status “Gold”"),
    "a duplicate reference": (Client, "reference", "A-1", "another client already has this reference"),
    "no name": (Client, "last_name", None, "give a name"),
    "a failed formula": (Client, "city", "#REF!", "the formula in this cell fails"),
    "a total": (Client, "total_spend", 5, "this follows from the sales and is not read; the program says $7.00"),
    "a reason": (Client, "status_reason", "because", "this follows from the rules and is not read"),
    "a time of the program's": (Client, "created_at", 46000, "this column is the program's own"),
    "a mark of the program's": (Client, "version", "mine", "this column is the program's own"),
    "no mark": (Client, "version", None, "this column is the program's own"),
    "no client": (Sale, "client", 99, "no client 99"),
    "a name of nobody": (Sale, "client", "Nobody", "no client “Nobody”; write the client's ID or its name"),
    "a negative amount": (Sale, "amount", -5, "an amount cannot be negative"),
    "three decimals": (Sale, "amount", 1.234, "at most two decimals"),
    "no amount": (Sale, "amount", None, "give an amount"),
    "no day": (Sale, "on", None, "a sale needs its date"),
    "a blank day": (Sale, "on", " ", "a sale needs its date"),
    "a payment's amount": (Payment, "amount", 10, "written by the program and is not read; the program says $100.00"),
    "a payment's kind": (Payment, "kind", "refund", "the program says payment"),
    "a payment's currency": (Payment, "currency", "EUR", "the program says USD"),
    "an allocation": (Allocation, "amount", 4, "the program says $40.00"),
    "an issued total": (Invoice, "total", 10, "written by the program and is not read; the program says $100.00"),
    "an invoice's number": (Invoice, "number", "INV-9", "the program says INV-1"),
    "an invoice's state": (Invoice, "state", "draft", "the program says issued"),
    "an invoice's currency": (Invoice, "currency", "EUR", "the program says USD"),
    "who issued an invoice": (Invoice, "seller", '{"name": "Fox"}', "written by the program and is not read"),
    "to whom it was issued": (Invoice, "buyer", None, "written by the program and is not read"),
    "a line's net": (InvoiceLine, "net", 5, "the program says $100.00"),
    "a broken rule": (StatusRule, "when", "total_spend >=", ""),
    "a rule without a status": (StatusRule, "status", None, ""),
    "a cleared id": (Client, "id", None, "the ID of this row is 2; write it into this cell"),
    "an id of nobody": (Client, "id", 77, "the ID of this row is 2; write it into this cell"),
    "a text for an id": (Client, "id", "two", "the ID of this row is 2; write it into this cell"),
    "the id of another": (Client, "id", 1, "the ID of this row is 2; write it into this cell"),
}  # fmt: skip


# What a machine cannot tell that has never seen the value before: a text is a text, and its clock may be wrong; a
# total that is none of the sales is put right.
_NOT_SEEN_AT_FIRST = {"a future birthday", "no e-mail", "a failed formula", "a total", "a reason", "a name of nobody"}


_PARTIES = {"seller": '{"name": "Acme Ltd"}', "buyer": '{"name": "Second", "country": "AT"}'}
_BILLED = (Invoice, InvoiceLine, Payment, Allocation)


def _bill(team: Team, client: Client) -> None:
    """An issued invoice of 100, and a payment of 100 of which 40 are on it."""
    day = team.store.today
    draft = Invoice(client=client.id, kind="invoice", state="draft", currency="USD")
    line = InvoiceLine(
        position=1, name="Box", quantity=Decimal(1), price=Decimal(100), basis=Decimal(1), tax_category="Z"
    )
    paid = Payment(client=client.id, kind="payment", on=day, amount=Decimal(100), currency="USD", method="cash")

    def bill(tx: SqlTransaction) -> None:
        tx.add(NumberSeries(name="invoice", pattern="INV-{number}", last=1))
        invoice = tx.add(draft)
        tx.add(replace(line, invoice=invoice.id))
        tx.settle()
        invoice = tx.get(Invoice, invoice.id)
        invoice = tx.change(invoice, state="issued", number="INV-1", issued_on=day, due_on=day, **_PARTIES)
        tx.add(Allocation(payment=tx.add(paid).id, invoice=invoice.id, amount=Decimal(40)))

    team.store.change(bill)


@pytest.mark.parametrize("case", BAD, ids=str)
def test_an_invalid_value_is_reported_kept_and_can_be_corrected(team: Team, case: str) -> None:
    kind, name, value, answer = BAD[case]
    sheet = Sheet(team, kind)
    team.store.add(last_name="First", reference="A-1")
    client = team.store.add(last_name="Second", city="Wien", date_of_birth=date(1980, 1, 2))
    sale = team.store.sell(client, "7.00")
    if kind in _BILLED:
        _bill(team, client)
    before = team.stored()
    record = {Client: client, Sale: sale}.get(kind) or before[kind][1]
    record = before[kind][record.id]
    other = team.another()
    team.stored(other)
    good, cell = sheet.cell(record, name), sheet.a1(record, name)
    sheet.put(record, name, value)
    for machine in (team.repository, other):
        assert team.stored(machine) == before
        (found,) = wrong(team, machine)
        assert found.lower().startswith(f"{TABS[kind].title}!{cell}: ".lower())
        assert answer.lower() in found.lower()
    assert EDITED not in team.summaries()
    # A new machine, which never saw a good value, opens and says the same.
    fresh = team.another()
    team.stored(fresh)
    if case not in _NOT_SEEN_AT_FIRST:
        assert any(finding.startswith(f"{TABS[kind].title}!") for finding in wrong(team, fresh))
    if kind in _BILLED:
        # What only the program writes it knows from the history, and goes on with.
        assert team.stored(fresh) == before
        assert wrong(team, fresh) == wrong(team)
        fresh.transact(lambda tx: tx.change(tx.get(Payment, 1), note="seen"), "noted")
        fresh.transact(lambda tx: tx.change(tx.get(Invoice, 1), memo="seen"), "noted")
        for machine in (team.repository, other, fresh):
            assert _balances(team, machine) == (Decimal(60), Decimal(60), Decimal(60), Decimal(60))
    # Another field of the record is changed: the cell stays.
    if kind is Client and name not in ("version", "created_at", "total_spend"):
        team.store.change(lambda tx: tx.change(tx.get(Client, 2), source="fair"))
        row = next(cell for cell in team.cells(Client) if "Second" in cell or "fair" in cell)
        assert (row[sheet.column(name)] if value is not None else None) == value
        assert len(wrong(team)) == 1
        assert len(wrong(team, other)) == 1
    if name == "id":
        column = sheet.column("version")
        row_at = next(at for at, row in enumerate(team.cells(Client)) if row and str(row[column]).startswith("2/"))
        team.person.set_cells(team.id, CLIENTS, row_at, 0, [[good]])
    else:
        sheet.put(record, name, good if good != "" else None)
    for machine in (team.repository, other, fresh):
        team.stored(machine)
        assert wrong(team, machine) == []
    assert team.stored(other) == team.stored()
    assert team.stored(fresh) == team.stored()
    if kind is Client:
        assert replace(team.store.client(2), source="", version=1, updated_at=client.updated_at) == replace(
            before[Client][2], version=1, updated_at=client.updated_at
        )


def _balances(team: Team, machine: SheetsRepository) -> tuple[Decimal, ...]:
    stored: Any = team.stored(machine)
    client = stored[Client][2]
    return stored[Invoice][1].open, stored[Payment][1].left, client.open_amount, client.credit


@pytest.mark.parametrize("emptied", ["the copy", "the record"])
def test_a_copied_row_is_reported_until_it_gets_its_own_id(team: Team, emptied: str) -> None:
    """Whichever of the two rows loses its ID becomes the new client, also the one taken for the record so far."""
    clients = Sheet(team, Client)
    client = team.store.add(first_name="Ada", extra={"Hat": "M"})
    team.store.sell(client, "40000.00")
    other = team.another()
    team.stored(other)
    row = team.cells(Client)[1]
    clients.paste(row, at=1)
    clients_before = team.stored()[Client]
    assert clients_before.keys() == {1}
    for machine in (team.repository, other, team.another()):
        (found,) = wrong(team, machine)
        assert "clients!A3: the ID 1 stands in row 2 too" in found
        assert "empty this cell to make the row a new client" in found
    team.person.set_cells(team.id, CLIENTS, 2 if emptied == "the copy" else 1, 0, [[None]])
    found = team.agreed()[Client]
    assert found.keys() == {1, 2}
    assert found[1] == clients_before[1]
    assert (found[2].first_name, found[2].total_spend, found[2].status) == ("Ada", 0, "Regular")
    assert found[2].extra == {"Hat": "M"}


@pytest.mark.parametrize("first", ["knows", "fresh"])
@pytest.mark.parametrize("gone", [1, 2])
def test_deleting_a_row_or_its_copy_keeps_the_record(team: Team, gone: int, first: str) -> None:
    client = team.store.add(first_name="Ada")
    team.store.sell(client, "40000.00")
    before = team.stored()
    Sheet(team, Client).paste(team.cells(Client)[1], at=1)
    team.stored()
    team.person.delete_rows(team.id, CLIENTS, gone, 1)
    if first == "fresh":
        team.stored(team.another())
    assert team.agreed() == before
    assert (
        team.store.change(lambda tx: tx.change(tx.get(Client, 1), city="Graz")).version == before[Client][1].version + 1
    )
    team.agreed()


def test_an_edited_copy_never_takes_the_place_of_the_record(team: Team) -> None:
    clients = Sheet(team, Client)
    client = team.store.add(first_name="Ada")
    at = clients.paste(team.cells(Client)[1], at=1)
    team.person.set_cells(team.id, CLIENTS, at, clients.column("first_name"), [["Copy"]])
    assert team.store.client(client).first_name == "Ada"
    team.store.change(lambda tx: tx.change(client, city="Graz"))
    assert [row[clients.column("city")] for row in team.cells(Client)[2:]] == ["Graz"]


def test_rows_that_mix_two_records_are_reported_and_left_alone(team: Team) -> None:
    people = [team.store.add(first_name=name, city=f"City {name}") for name in "ABC"]
    team.store.sell(people[0], "5.00")
    before = team.stored()
    other = team.another()
    team.stored(other)
    rows = team.cells(Client)
    # Only the first two columns are sorted.
    for at, row in enumerate(reversed(rows[1:]), start=1):
        team.person.set_cells(team.id, CLIENTS, at, 0, [row[:2]])
    assert team.stored() == before
    assert team.stored(other) == before
    assert len(wrong(team)) == 2
    assert all("mixes the records" in finding for finding in wrong(team))
    with pytest.raises(RefusedError, match="mixes the records"):
        team.store.change(lambda tx: tx.change(tx.get(Client, 1), notes="lost?"))
    assert team.store.change(lambda tx: tx.change(tx.get(Client, 2), notes="kept")).notes == "kept"
    # A new machine takes neither for the other.
    fresh = team.another()
    assert team.stored(fresh)[Client].keys() == {2}
    assert len(wrong(team, fresh)) == 3
    for at, row in enumerate(rows[1:], start=1):
        team.person.set_cells(team.id, CLIENTS, at, 0, [row[:2]])
    assert team.summaries().count(EDITED) == 0
    assert team.stored(fresh) == team.stored() == team.stored(other)
    team.agreed()
