"""Clients from a file: new ones added, known ones updated, nothing said twice."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from crm.commands.data.importing.draft import ImportDraft
from crm.commands.data.importing.matching import Key, Known, is_called_by_address, keys_of
from crm.commands.data.importing.reading import Checked
from crm.commands.data.importing.report import Tally
from crm.commands.mail.consent import described, mailing_addresses, opted_out
from crm.errors import FieldError
from crm.model import Client, named
from crm.model.fields.recipients import recipient_key
from crm.repository import Transaction


class ClientImport:
    """Brings checked rows into a transaction, a batch at a time."""

    def __init__(self, tx: Transaction, draft: ImportDraft, tally: Tally) -> None:
        self._tx = tx
        self._draft = draft
        self._tally = tally

    def take(self, batch: Sequence[Checked]) -> None:
        """Adds, updates or refuses the rows of a batch."""
        keys = [keys_of(row.values, self._draft.match) for row in batch]
        known = Known(self._tx, [row.values for row in batch], self._draft.match)
        # Rows of one batch may speak of one client; a new one has a number below zero until it is stored.
        new: dict[int, Client] = {}
        changed: dict[int, tuple[Client, Client]] = {}
        self._overrule(batch, keys, known)
        for row, its_keys in zip(batch, keys, strict=True):
            if row.refused:
                self._tally.refuse(row.row, row.refused)
                continue
            try:
                self._take_one(row, its_keys, known, new, changed)
            except FieldError as error:
                self._tally.refuse(row.row, error.sentence)
        self._tx.add_all(list(new.values()))
        for before, after in changed.values():
            different = {
                name: getattr(after, name) for name in _SETTABLE if getattr(after, name) != getattr(before, name)
            }
            self._tx.change(before, **different)

    def _overrule(self, batch: Sequence[Checked], keys: Sequence[Sequence[Key]], known: Known) -> None:
        """Takes the word of rows that somebody wants mailings who has opted out: an opt-out wins over a list, however
        old that is."""
        rows = [(row, its_keys) for row, its_keys in zip(batch, keys, strict=True)
                if row.values.get("marketing_consent") and not row.refused]  # fmt: skip
        if not rows:
            return
        speaks_of: list[tuple[Checked, Client | None]] = []
        for row, its_keys in rows:
            try:
                speaks_of.append((row, known.same(row.values, its_keys)))
            except FieldError:
                # It is refused later, with the reason.
                continue
        written_to = mailing_addresses(self._tx, [client for _, client in speaks_of if client])
        addresses = {
            id(row): [address for address in (row.values.get("email"), written_to.get(client.id if client else 0))
                      if address]
            for row, client in speaks_of
        }  # fmt: skip
        opt_outs = opted_out(self._tx, [address for listed in addresses.values() for address in listed])
        for row, _ in speaks_of:
            keys_said = [recipient_key(address) for address in addresses[id(row)]]
            if opt_out := next((opt_outs[key] for key in keys_said if key in opt_outs), None):
                del row.values["marketing_consent"]
                self._tally.overrule(row, f"{opt_out.address} has {described(opt_out)}; the opt-out wins")

    def _take_one(
        self,
        checked: Checked,
        keys: Sequence[Key],
        known: Known,
        new: dict[int, Client],
        changed: dict[int, tuple[Client, Client]],
    ) -> None:
        same = known.same(checked.values, keys)
        if same is None:
            if self._draft.mode == "update":
                raise FieldError("there is no such client to update")
            client = named(Client(**with_kind(called_by_address(checked)), id=-1 - len(new)))
            refuse_taken(client, known)
            new[client.id] = client
            known.add(client, keys)
            self._tally.add(client, checked)
            return
        values = _updated(same, checked.values) if self._draft.mode != "add" else {}
        if not values:
            self._tally.leave(checked)
            return
        after = named(dataclasses.replace(same, **values))
        refuse_taken(after, known)
        if same.id < 0:
            new[same.id] = after
            self._tally.unchanged += 1
        else:
            changed[same.id] = (changed.get(same.id, (same, same))[0], after)
            self._tally.update(after, checked)
        known.replace(same, after)


def refuse_taken(client: Client, known: Known) -> None:
    """Refuses the row alone, where the store would refuse the whole import."""
    holder = known.holder(client.reference)
    if holder and holder.id != client.id:
        raise FieldError(f"{holder.name} has the reference {client.reference} already")


def called_by_address(checked: Checked) -> dict[str, Any]:
    """The values of a new client; one without a name is called by its e-mail address or number. Raises FieldError where
    that is none."""
    values = checked.values
    if any(values.get(name) for name in ("first_name", "last_name", "company")):
        return values
    known = [name for name in ("email", "phone") if values.get(name)]
    called = next((name for name in known if name not in checked.unread), "")
    if known and not called:
        is_none = "is no e-mail address" if known[0] == "email" else "is no telephone number"
        raise FieldError(f"there is no name, and “{values[known[0]]}” {is_none}")
    values["last_name"] = values.get(called, "")
    return values


def with_kind(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a new client with the kind that its name tells, where no column did."""
    if "kind" not in values:
        person = "first_name" in values or "last_name" in values
        values["kind"] = "person" if person or "company" not in values else "company"
    return values


def _only_shouts(value: Any, known: Any) -> bool:
    """Whether a text is a known one in capitals alone, or in small letters: nothing is learned from it."""
    return (
        isinstance(value, str)
        and isinstance(known, str)
        and value.casefold() == known.casefold()
        and (value.isupper() or value.islower())
    )


_SETTABLE = tuple(field.name for field in dataclasses.fields(Client) if field.metadata.get("by") == "person")


def _updated(client: Client, values: dict[str, Any]) -> dict[str, Any]:
    """The changes of a row: fields that it fills; tags and own fields are added to those there are."""
    updated = {
        name: value
        for name, value in values.items()
        if value != getattr(client, name) and not _only_shouts(value, getattr(client, name))
    }
    if updated.keys() & {"first_name", "last_name", "company"} and is_called_by_address(client):
        updated.setdefault("last_name", "")
    if "tags" in updated:
        updated["tags"] = tuple(dict.fromkeys((*client.tags, *values["tags"])))
    if "extra" in updated:
        updated["extra"] = {**client.extra, **values["extra"]}
    return {name: value for name, value in updated.items() if value != getattr(client, name)}
