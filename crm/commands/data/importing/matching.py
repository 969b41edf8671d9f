"""Matching the rows of a file to the clients in the store."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.errors import FieldError
from crm.model import Client
from crm.model.fields.addresses import is_rounded
from crm.model.folding import fold
from crm.repository import Snapshot

# What may identify a client: by which of these, and the value.
Key = tuple[str, str]
_FEWEST_DIGITS = 5
_KEYS = ("reference", "email", "phone", "name")


class Known:
    """The stored clients that a batch of rows may refer to, by what identifies them.

    Without `only`, a row is the same client when the references agree; or, unless they differ, when the e-mail
    or the phone number agrees and the names do not differ (relatives share a telephone); or when the
    name agrees and nothing else differs. With `only`, that one thing decides by itself in the rows that have it.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        rows: Sequence[Mapping[str, Any]],
        only: str = "",
        keys_of_rows: Sequence[Sequence[Key]] | None = None,
    ) -> None:
        """`keys_of_rows` where they are known already."""
        self._only = only
        self._by_key: dict[Key, list[Client]] = {}
        sought: dict[str, set[str]] = {key: set() for key in _KEYS}
        for row, keys in zip(rows, keys_of_rows or [keys_of(row, only) for row in rows], strict=True):
            for key, value in keys:
                sought[key].add(value)
            if only and row.get("reference"):
                sought["reference"].add(row["reference"])
        for key, values in sought.items():
            if values:
                for client in snapshot.identified(key, sorted(values)):
                    self.add(client)

    def add(self, client: Client, keys: Sequence[Key] | None = None) -> None:
        """Take note of a client, stored or about to be; `keys` where they are known already."""
        for key in keys_of(_identity(client)) if keys is None or self._only else keys:
            self._by_key.setdefault(key, []).append(client)

    def replace(self, old: Client, new: Client) -> None:
        """Take note that a client has changed."""
        for key in keys_of(_identity(old)):
            self._by_key[key] = [client for client in self._by_key.get(key, ()) if client.id != old.id]
        self.add(new)

    def same(self, row: Mapping[str, Any], keys: Sequence[Key]) -> Client | None:
        """The client that a row with these keys refers to. Raises FieldError where it could be several."""
        clients: dict[int, Client] = {}
        for key in keys:
            if key in self._by_key:
                clients |= {client.id: client for client in self._by_key[key]}
        if not clients:
            return None
        if self._only and keys[0][0] == self._only:
            if len(clients) > 1:
                listed = ", ".join(str(number) for number in sorted(clients)[:5])
                raise FieldError(f"several clients have this {self._only}: {listed}")
            return next(iter(clients.values()), None)
        alike = [client for client in clients.values() if is_same(row, client)]
        reference = row.get("reference")
        alike = [client for client in alike if reference and client.reference == reference] or alike
        return min(alike, key=lambda client: (-_agreements(row, client), client.id), default=None)

    def holds_none(self, keys: Sequence[Key]) -> bool:
        """Return whether no client has one of some keys."""
        return self._by_key.keys().isdisjoint(keys)

    def with_email(self, email: str) -> Client | None:
        """A client that has an e-mail address, whatever it is called."""
        return next(iter(self._by_key.get(("email", email), ())), None) if email else None

    def holder(self, reference: str) -> Client | None:
        """The client that has a reference."""
        return next(iter(self._by_key.get(("reference", reference), ())), None) if reference else None


def keys_of(row: Mapping[str, Any], only: str = "") -> list[Key]:
    """The keys that identify a row; with `only`, that one thing where the row has it."""
    keys = []
    if reference := row.get("reference"):
        keys.append(("reference", reference))
    # What is kept though it is no address or number tells nobody from others.
    if (email := row.get("email")) and "@" in email:
        keys.append(("email", email))
    if (phone := row.get("phone")) and _is_number(phone):
        keys.append(("phone", phone))
    if name := _whole_name(row):
        keys.append(("name", name))
    return [key for key in keys if key[0] == only] or keys if only else keys


def _is_number(value: str) -> bool:
    """Return whether a phone number tells somebody from others."""
    if value.isascii() and value.removeprefix("+").isdigit():
        return len(value.removeprefix("+")) >= _FEWEST_DIGITS
    return sum(map(str.isdigit, value)) >= _FEWEST_DIGITS and not is_rounded(value)


def is_called_by_address(client: Client) -> bool:
    """Return whether the e-mail address or number stands for the name that nobody knows."""
    name = client.last_name
    return bool(name) and not client.first_name and name in (client.email, client.phone)


def _identity(client: Client) -> dict[str, Any]:
    return {name: getattr(client, name) for name in _IDENTIFYING}


_IDENTIFYING = ("reference", "email", "phone", "first_name", "last_name", "company", "kind", "date_of_birth")


def _whole_name(row: Mapping[str, Any]) -> str:
    return fold(f"{row.get('first_name', '')} {row.get('last_name', '')} {row.get('company', '')}").strip()


def _called(row: Mapping[str, Any]) -> set[str]:
    """The words of the name that somebody goes by."""
    person = f"{row.get('first_name', '')} {row.get('last_name', '')}".strip()
    return set(fold(person or row.get("company", "")).split())


def is_same(row: Mapping[str, Any], client: Client) -> bool:
    """Return whether a row refers to a client, by everything that both tell."""
    stored = _identity(client)
    if row.get("reference") and stored["reference"]:
        return bool(row["reference"] == stored["reference"])
    names, other = _called(row), set[str]() if is_called_by_address(client) else _called(stored)
    agree = names <= other or other <= names
    for key in ("email", "phone"):
        if row.get(key) and row[key] == stored[key] and agree:
            return True
    if not names or _whole_name(row) != _whole_name(stored):
        return False
    return all(
        not row.get(key) or not stored[key] or row[key] == stored[key] for key in ("email", "phone", "date_of_birth")
    )


def _agreements(row: Mapping[str, Any], client: Client) -> int:
    return sum(1 for name, value in row.items() if value and getattr(client, name, None) == value)
