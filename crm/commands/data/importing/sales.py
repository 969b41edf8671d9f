"""Sales from a file: each counted once, however often the file is imported."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm.commands.data.importing.clients import refuse_taken, with_kind
from crm.commands.data.importing.draft import ImportDraft
from crm.commands.data.importing.matching import Key, Known, keys_of
from crm.commands.data.importing.reading import Checked
from crm.commands.data.importing.report import Tally
from crm.errors import FieldError
from crm.files import is_company, is_name, split_name, tells_number
from crm.files.column_names import plain_words
from crm.model import Client, Conventions, Sale, named
from crm.model.folding import fold
from crm.repository import Query, Transaction
from crm.repository.queries.clients import names_of_clients
from crm.repository.queries.sales import alike, with_references

if TYPE_CHECKING:
    from crm.repository import AnyRow

_Key = tuple[Any, ...]


class SaleImport:
    """An import of checked rows into a transaction, a batch at a time.

    Two sales to one client on one day of one amount may both be real. So a file's second such row is the
    store's second such sale, and is new only when the store has fewer of them than the file had so far. The number of
    an order tells them apart: another number is another sale, the same number a known one.
    """

    def __init__(self, tx: Transaction, draft: ImportDraft, tally: Tally, by: Conventions) -> None:
        self._tx = tx
        self._by = by
        self._draft = draft
        self._tally = tally
        self._counts = _Counts()
        self._with_notes = any(match.target == "note" for match in draft.matches)
        self._has_totals = _has_totals(draft)
        self._invoices = _Counts()
        # The sales that have got a reference from this file, and how many of them are alike.
        self._filled: set[int] = set()
        self._filled_alike: Counter[_Key] = Counter()
        self._first_new: int | None = None
        self._names: _Names | None = None
        # A column that is called by a number has references alone.
        self._by_number = any(match.target == "client" and tells_number(match.column) for match in draft.matches)

    def take(self, batch: Sequence[Checked]) -> None:
        """Add or refuse the rows of a batch."""
        only = self._draft.match or _by(batch)
        known = Known(self._tx, [row.client for row in batch], only)
        clients = self._clients(batch, known, only)
        sales = [(row, self._sale(row, client)) for row, client in clients]
        stored = self._stored(sorted({made.client for _, made in sales}))
        numbered = self._numbered([made for _, made in sales])
        new, filled = [], []
        for row, made in sales:
            if self._is_repeated(made) or self._is_known(row, made, numbered):
                continue
            key = self._key(made)
            without, with_reference = stored.get(key, (0, 0))
            if self._counts.one_more((*key, "without")) <= without:
                if is_number(made.reference) and self._draft.mode != "add":
                    filled.append(made)
                    self._tally.update(made, row)
                else:
                    self._tally.unchanged += 1
            elif not is_number(made.reference) and self._counts.one_more((*key, "with")) <= with_reference:
                self._tally.unchanged += 1
            else:
                new.append(made)
                self._tally.add(made, row)
        self._fill(filled)
        if new:
            ids = self._tx.add_all(new)
            self._first_new = ids[0] if self._first_new is None else self._first_new

    def _clients(self, batch: Sequence[Checked], known: Known, only: str) -> list[tuple[Checked, int]]:
        """The rows that can be sales, each with its client; clients that are missing are created where asked for."""
        buyers: list[tuple[Checked, Client]] = []
        new: dict[int, Client] = {}
        for row in batch:
            try:
                if row.refused:
                    raise FieldError(row.refused)
                _refuse_incomplete(row)
                keys = keys_of(row.client, only)
                client = self._known(row.client, known, keys)
                if client is None:
                    client = self._created(row, -1 - len(new))
                    refuse_taken(client, known)
                    new[client.id] = client
                    known.add(client, keys)
                    if self._names is not None:
                        self._names.add(client)
                buyers.append((row, client))
            except FieldError as error:
                self._tally.refuse(row.row, str(error))
        ids = self._tx.add_all(list(new.values()))
        self._names = None if new else self._names  # read again, with their numbers
        self._tally.clients_created += len(new)
        stored = dict(zip(new, ids, strict=True))
        return [(row, stored.get(client.id, client.id)) for row, client in buyers]

    def _known(self, identity: Mapping[str, Any], known: Known, keys: Sequence[Key]) -> Client | None:
        """The client that a row names in whatever way. Raises FieldError where it could be several."""
        only_name = not any(identity.get(name) for name in ("reference", "email", "phone"))
        if only_name and self._draft.match in ("", "name"):
            return self._named(identity)
        client = known.same(identity, keys)
        if client is not None or not identity.get("reference") or self._draft.match not in ("", "reference"):
            return client
        if not self._by_number and (client := self._called(identity["reference"])):
            return client
        # A client with another reference is a different one.
        named = self._named(identity)
        return named if named is not None and not named.reference else None

    def _named(self, identity: Mapping[str, Any]) -> Client | None:
        person = f"{identity.get('first_name', '')} {identity.get('last_name', '')}"
        return self._called(person) or self._called(identity.get("company", ""))

    def _called(self, name: str) -> Client | None:
        """The one client of a name. Raises FieldError where there are several."""
        if not name.strip():
            return None
        self._names = self._names or _Names(self._tx)
        clients = self._names.find(name)
        if not clients:
            clients = {client.id: client for client in self._tx.identified("reference", [name.strip()])}
        if len(clients) > 1:
            listed = ", ".join(str(number) for number in sorted(clients)[:5])
            raise FieldError(f"several clients are called {name.strip()}: {listed}; name them by reference or e-mail")
        return next(iter(clients.values()), None) or None

    def _created(self, checked: Checked, number: int) -> Client:
        if not self._draft.create_clients:
            written = {name: str(value) for name, value in checked.client.items()}
            person = f"{written.pop('first_name', '')} {written.pop('last_name', '')}".strip()
            missing = written.get("reference") or ", ".join(filter(None, (person, *written.values())))
            raise FieldError(f"no client {missing}; import the clients first, or let the import create them")
        values: dict[str, Any] = dict(checked.client)
        if not self._by_number and is_name(values.get("reference", "")):
            name = values.pop("reference")
            first, last = split_name(name)
            values |= {"company": name} if is_company(name) else {"first_name": first, "last_name": last}
        elif is_company(name := f"{values.get('first_name', '')} {values.get('last_name', '')}".strip()):
            values |= {"company": values.get("company") or name, "first_name": "", "last_name": ""}
        if not any(values.get(name) for name in ("first_name", "last_name", "company")):
            # A client needs a name, and this is all that the file says of it.
            values["last_name"] = values.get("reference") or values.get("email") or values.get("phone", "")
        return named(Client(**with_kind(values), id=number))

    def _sale(self, checked: Checked, client: int) -> Sale:
        return Sale(client=client, **checked.values)

    def _is_repeated(self, made: Sale) -> bool:
        """Return whether a row is another line of an invoice whose total an earlier row has."""
        if not self._has_totals or not made.reference:
            return False
        is_another = self._invoices.one_more((made.reference, made.client, made.on, made.amount)) > 1
        self._tally.unchanged += is_another
        return is_another

    def _is_known(self, row: Checked, made: Sale, numbered: "Mapping[str, Sequence[AnyRow]]") -> bool:
        """Return whether the store has the sale by its reference, even if its client has changed. One of another day or
        amount is kept as it is, and the report says so."""
        known = numbered.get(made.reference.lower(), ())
        alike = [sale for sale in known if (sale.on, sale.amount) == (made.on, made.amount)]
        if alike:
            is_known = self._counts.one_more((made.reference.lower(), made.on, made.amount)) <= len(alike)
            if is_known:
                self._counts.one_more((*self._key(made), "with"))
                self._tally.unchanged += 1
            return is_known
        other = next((sale for sale in known if sale.client == made.client), None)
        if other is None:
            return False
        has = f"{self._by.money(other.amount)} on {self._by.day(other.on)}"
        why = (
            f"sale {other.id} already has the reference {made.reference}, with {has}, and was kept: edit that sale, or"
            " give this row another reference"
        )
        self._tally.differ(row, f"{self._by.money(made.amount)} on {self._by.day(made.on)}", why)
        return True

    def _numbered(self, sales: Sequence[Sale]) -> "Mapping[str, Sequence[AnyRow]]":
        """The sales that the store had before this import with a reference of these sales, by it in small letters."""
        numbers = {sale.reference for sale in sales if is_number(sale.reference)}
        by_number: dict[str, list[AnyRow]] = {}
        if numbers:
            for row in with_references(self._tx, numbers, before=self._first_new):
                if row.id not in self._filled:
                    by_number.setdefault(row.reference.lower(), []).append(row)
        return by_number

    def _fill(self, sales: Sequence[Sale]) -> None:
        """Give sales that were stored without a reference the one that the file has for them."""
        if not sales:
            return
        query = Query({"client": sorted({sale.client for sale in sales}), "reference": ""}, sort="id")
        without: dict[_Key, list[Sale]] = {}
        for stored in self._tx.find_all(Sale, query):
            if self._first_new is None or stored.id < self._first_new:
                without.setdefault(self._key(stored), []).append(stored)
        for sale in sales:
            key = self._key(sale)
            stored = without[key].pop(0)
            self._tx.change(stored, reference=sale.reference)
            self._filled.add(stored.id)
            self._filled_alike[key] += 1

    def _key(self, made: Sale) -> _Key:
        key = (made.client, made.on, made.amount)
        return (*key, made.note) if self._with_notes else key

    def _stored(self, clients: Sequence[int]) -> Mapping[_Key, tuple[int, int]]:
        """The number of sales that the store had before this import, without and with a reference, by what makes them
        alike."""
        stored: dict[_Key, tuple[int, int]] = {}
        for row in alike(self._tx, clients, with_notes=self._with_notes, before=self._first_new):
            made: _Key = tuple(row[:-2])
            without, with_reference = stored.get(made, (0, 0))
            stored[made] = (without, row[-1]) if row[-2] else (row[-1], with_reference)
        for key, count in self._filled_alike.items():
            if key in stored:
                without, with_reference = stored[key]
                stored[key] = without + count, with_reference - count
        return stored


def is_number(reference: str) -> bool:
    """Return whether a reference tells one order from others: "monthly support" does not."""
    return any(map(str.isdigit, reference))


_TOTALS = ("invoice total", "order total", "grand total", "gesamtbetrag", "rechnungsbetrag", "total ttc")


def _has_totals(draft: ImportDraft) -> bool:
    """Return whether the amount is the total of an invoice, which each of its lines may have."""
    names = [plain_words(match.column) for match in draft.matches]
    # A plain total is one of the invoice where its lines have an amount of their own.
    totals = {*_TOTALS, "total"} if {"line amount", "line total"} & {*names} else {*_TOTALS}
    return any(match.target == "amount" and name in totals for match, name in zip(draft.matches, names, strict=True))


def _refuse_incomplete(checked: Checked) -> None:
    for name, label in (("on", "a date"), ("amount", "an amount")):
        if checked.values.get(name) is None:
            raise FieldError(f"{label} is missing")
    if not checked.client:
        raise FieldError("it does not name a client")


def _by(batch: Sequence[Checked]) -> str:
    """A row that has a reference goes by it alone."""
    return "reference" if any(row.client.get("reference") for row in batch) else ""


class _Names:
    """Clients by what they are called."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        # First what a client goes by, then what else it may be found by.
        self._first: dict[str, set[int]] = {}
        self._second: dict[str, set[int]] = {}
        self._new: dict[int, Client] = {}
        for row in names_of_clients(tx):
            self._note(row.id, row.kind, f"{row.first_name} {row.last_name}", row.company, row.email)

    def add(self, client: Client) -> None:
        """Take note of a client that is about to be stored."""
        self._new[client.id] = client
        person = f"{client.first_name} {client.last_name}"
        self._note(client.id, client.kind, person, client.company, client.email)

    def _note(self, number: int, kind: str, person: str, company: str, email: str) -> None:
        names = (company, person) if kind == "company" else (person, company)
        for at, name in enumerate((*names, email)):
            if words := _folded(name):
                by_name = self._second if at and _folded(names[0]) else self._first
                by_name.setdefault(words, set()).add(number)

    def find(self, name: str) -> dict[int, Client]:
        """The clients that are called so, as a person would write it: 'Marsh, Bo' is Bo Marsh."""
        for spelling in dict.fromkeys((_folded(name), _folded(" ".join(split_name(name))))):
            for by_name in (self._first, self._second):
                if numbers := by_name.get(spelling):
                    return {number: self._new.get(number) or self._tx.get(Client, number) for number in numbers}
        return {}


def _folded(name: str) -> str:
    return " ".join(fold(name).split())


class _Counts:
    """The count of each key; on disk once there are many, so that memory does not grow with the file."""

    def __init__(self) -> None:
        self._counts = sqlite3.connect("", isolation_level=None)
        self._counts.execute("PRAGMA cache_size = -4000")
        self._counts.execute("CREATE TABLE counted (key TEXT PRIMARY KEY, times INTEGER) WITHOUT ROWID")
        self._counts.execute("BEGIN")

    def one_more(self, key: _Key) -> int:
        """The count of this key by now."""
        statement = (
            "INSERT INTO counted VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1 RETURNING times"
        )
        ((times,),) = self._counts.execute(statement, (repr(key),)).fetchall()
        return int(times)

    def __del__(self) -> None:
        self._counts.close()
