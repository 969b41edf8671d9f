"""Import of clients: new ones are added, known ones updated, and each message is given once."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from crm.commands.consent import described, mailing_addresses, opted_out
from crm.commands.data.importing.draft import ImportDraft
from crm.commands.data.importing.matching import Key, Known, is_called_by_address, keys_of
from crm.commands.data.importing.reading import Checked
from crm.commands.data.importing.report import SAME_EMAIL, ClientUpdate, Tally
from crm.errors import FieldError
from crm.files import OTHERS
from crm.model import Client, Conventions, OptOut, fields, named, typed_fields
from crm.model.fields.recipients import Recipient, recipient_key
from crm.model.local_labels import local_label
from crm.model.record import blank_values, record_with
from crm.repository import Transaction

_LONGEST_NOTE = 300


class ClientImport:
    """An import of checked rows into a transaction, a batch at a time."""

    def __init__(self, tx: Transaction, draft: ImportDraft, tally: Tally, by: Conventions) -> None:
        self._tx = tx
        self._by = by
        self._draft = draft
        self._tally = tally
        # What rows of this file have said of stored clients, the first client that the file made, and the places of new
        # clients among the report's first records.
        self._earlier: dict[int, frozenset[str]] = {}
        self._first_created: int | None = None
        self._places: dict[int, int] = {}
        # The new clients that opted out of mailings in some row.
        self._refusing: set[int] = set()
        # The fields of clients that hold a value of this file that could not be read.
        self._unread: dict[int, set[str]] = {}
        # The rows of this batch about a stored client: how many update it, and how many join an earlier row.
        self._changing: dict[int, list[int]] = {}
        # The line in the file of the first row of this batch that changes a stored client.
        self._lines: dict[int, int] = {}

    def take(self, batch: Sequence[Checked]) -> None:
        """Add, update or refuse the rows of a batch."""
        keys = [keys_of(row.values, self._draft.match) for row in batch]
        known = Known(self._tx, [row.values for row in batch], self._draft.match, keys)
        # Rows of one batch may refer to one client; a new one has a number below zero until it is stored. Where no
        # other row of the batch can refer to it, it is only the values of its row.
        new: dict[int, Client | dict[str, Any]] = {}
        counts = Counter(chain.from_iterable(keys))
        shared = {key for key, count in counts.items() if count > 1}
        changed: dict[int, tuple[Client, Client]] = {}
        self._changing.clear()
        self._lines.clear()
        self._overrule(batch, keys, known)
        opting_out: list[tuple[Checked, Client]] = []
        for row, row_keys in zip(batch, keys, strict=True):
            if row.refused:
                self._tally.refuse(row.row, row.refused)
                continue
            if shared.isdisjoint(row_keys) and known.holds_none(row_keys) and self._is_plainly_new(row):
                self._note_consent(-1 - len(new), row)
                new[-1 - len(new)] = row.values
                self._tally.count_new(row)
                continue
            try:
                client = self._take_one(row, row_keys, known, new, changed)
            except FieldError as error:
                self._tally.refuse(row.row, str(error))
            else:
                if row.opted_out:
                    opting_out.append((row, client))
        self._number(dict(zip(new, self._add(list(new.values())), strict=True)))
        for before, after in changed.values():
            different = {
                name: getattr(after, name) for name in _SETTABLE if getattr(after, name) != getattr(before, name)
            }
            if different:
                self._tx.change(before, **different)
                self._changing.pop(before.id, None)
                if not self._is_created(before):
                    self._tally.show_update(self._update_of(before, different))
        # What one row changed another one may have changed back.
        for updated, joined in self._changing.values():
            self._tally.came_to_nothing(updated, joined)

        self._opt_out(opting_out)

    def _is_plainly_new(self, row: Checked) -> bool:
        """Return whether a row that refers to nobody known becomes a new client as it is, and give it its kind."""
        values = row.values
        person, company = values.get("first_name") or values.get("last_name"), values.get("company")
        if not (person or company) or row.unread or row.opted_out or self._tally.lacks_records:
            return False
        if self._draft.match or self._draft.mode == "update":
            return False
        return bool(company) or with_kind(values)["kind"] == "person"

    def _add(self, new: Sequence[Client | dict[str, Any]]) -> range:
        """Store new clients; their numbers."""
        rows = [
            {name: getattr(row, name) for name in _SETTABLE} if isinstance(row, Client) else with_kind(row)
            for row in new
        ]
        filled, blank = set().union(*rows), blank_values(Client)
        columns = {name: [row.get(name, default) for row in rows] for name, default in blank.items() if name in filled}
        return self._tx.add_columns(Client, columns)

    def _update_of(self, client: Client, different: Mapping[str, Any]) -> ClientUpdate:
        """The client and what changes of it, as it is shown on screens."""
        known = typed_fields(Client)

        def shown(name: str, value: Any) -> str:
            return known[name].check.show(value, self._by) if value not in (None, "", (), {}) else "empty"

        changes = [
            f"{local_label(known[name].label, self._by.country)}: {shown(name, getattr(client, name))} ->"
            f" {shown(name, value)}"
            for name, value in different.items()
        ]
        return ClientUpdate(self._lines[client.id], f"{client.name} ({client.id})", "; ".join(changes))

    def _number(self, ids: Mapping[int, int]) -> None:
        """Take note of the numbers of clients that were stored."""
        if self._first_created is None:
            self._first_created = min(ids.values(), default=None)
        for number in ids.keys() & self._refusing:
            self._refusing.remove(number)
            self._refusing.add(ids[number])
        for number in ids.keys() & self._unread.keys():
            self._unread[ids[number]] = self._unread.pop(number)
        for number in ids.keys() & self._places.keys():
            self._places[ids[number]] = self._places.pop(number)

    def _note_consent(self, number: int, checked: Checked) -> None:
        if checked.values.get("marketing_consent") is False:
            self._refusing.add(number)

    def _note_unread(self, number: int, checked: Checked, values: Mapping[str, Any]) -> None:
        """Take note of which values of a row that a client now has could not be read."""
        if unread := (self._unread.get(number, set()) - values.keys()) | (checked.unread & values.keys()):
            self._unread[number] = unread
        else:
            self._unread.pop(number, None)

    def _opt_out(self, rows: Sequence[tuple[Checked, Client]]) -> None:
        """Put the addresses of rows that say that somebody has opted out elsewhere among the opt-outs: that of the
        row, or else the one at which its client is written to, or the phone number where there is none."""
        if not rows:
            return
        written_to = mailing_addresses(self._tx, [client for _, client in rows])
        keys: dict[str, None] = {}
        for row, client in rows:
            addresses = (row.values.get("email"), written_to.get(client.id), row.values.get("phone"), client.phone)
            if key := next((key for address in addresses if (key := self._recipient(address))), ""):
                keys[key] = None
        opt_outs = opted_out(self._tx, keys)
        note = f"had opted out elsewhere, according to {self._draft.file.name}"[:_LONGEST_NOTE]
        added = [OptOut(address=key, on=self._tx.today, way="asked", note=note) for key in keys if key not in opt_outs]
        self._tx.add_all(added)
        self._tally.opt_outs_added += len(added)
        for client in self._tx.identified("email", [key for key in keys if "@" in key]):
            if client.marketing_consent:
                self._tx.change(client, marketing_consent=False)

    def _recipient(self, address: str | None) -> str:
        """An address in the form in which recipients are compared; '' for what is none."""
        try:
            return Recipient().read(address or "", self._by)
        except FieldError:
            return ""

    def _overrule(self, batch: Sequence[Checked], keys: Sequence[Sequence[Key]], known: Known) -> None:
        """Take the word of rows that somebody wants mailings who has opted out: an opt-out wins over a list, however
        old that is."""
        rows = [(row, row_keys) for row, row_keys in zip(batch, keys, strict=True)
                if row.values.get("marketing_consent") and not row.refused]  # fmt: skip
        if not rows:
            return
        speaks_of: list[tuple[Checked, Client | None]] = []
        for row, row_keys in rows:
            try:
                speaks_of.append((row, known.same(row.values, row_keys)))
            except FieldError:
                # It is refused later, with the reason.
                continue
        written_to = mailing_addresses(self._tx, [client for _, client in speaks_of if client])
        addresses = {
            id(row): [address for address in (row.values.get("email"), written_to.get(client.id if client else 0))
                      if address] or [address for address in (row.values.get("phone"), client and client.phone)
                                      if address]
            for row, client in speaks_of
        }  # fmt: skip
        opt_outs = opted_out(self._tx, [address for listed in addresses.values() for address in listed])
        for row, _ in speaks_of:
            recipient_keys = [recipient_key(address) for address in addresses[id(row)]]
            if opt_out := next((opt_outs[key] for key in recipient_keys if key in opt_outs), None):
                del row.values["marketing_consent"]
                self._tally.overrule(row, f"{opt_out.address} has {described(opt_out)}; the opt-out wins")

    def _take_one(
        self,
        checked: Checked,
        keys: Sequence[Key],
        known: Known,
        new: dict[int, Client | dict[str, Any]],
        changed: dict[int, tuple[Client, Client]],
    ) -> Client:
        """Add or update the client of a row; the client as it is then. Raises FieldError."""
        same = known.same(checked.values, keys)
        if same is None:
            if self._draft.mode == "update":
                raise FieldError("no existing client matches")
            client = named(record_with(Client, with_kind(called_by_address(checked)) | {"id": -1 - len(new)}))
            refuse_taken(client, known)
            email = checked.values.get("email", "")
            if (other := known.with_email(email)) is not None and not self._is_created(other):
                theirs = f"is the e-mail of {other.name} (no. {other.id})"
                why = f"{theirs}: {SAME_EMAIL}. Match on e-mail to make it the same one"
                checked.doubts.append(("email", email, why))
            new[client.id] = client
            self._note_unread(client.id, checked, checked.values)
            known.add(client, keys)
            self._tally.add(client, checked)
            self._note_consent(client.id, checked)
            if self._tally.first_records[-1] is client:
                self._places[client.id] = len(self._tally.first_records) - 1
            return client
        created = self._is_created(same)
        earlier = self._earlier.get(same.id)
        if created:
            # A new client may be left out of mailings without a row that says so.
            earlier = _SETTABLE_NAMES if same.id in self._refusing else _SETTABLE_NAMES - {"marketing_consent"}
        conflicts: list[tuple[str, str, str]] = []
        # What cannot be read takes the place of nothing that is known.
        read = {
            name: value
            for name, value in checked.values.items()
            if name not in checked.unread or not getattr(same, name)
        }
        if self._draft.mode == "add" and not created:
            values: dict[str, Any] = {}
        elif earlier is not None:
            # What can be read takes the place of what could not.
            reread = self._unread.get(same.id, set()) - checked.unread
            values, conflicts = _joined(same, read, earlier - reread)
        else:
            values = _updated(same, read)
        after = named(dataclasses.replace(same, **values))
        refuse_taken(after, known)
        self._note_unread(same.id, checked, values)
        if created:
            self._note_consent(same.id, checked)
        else:
            self._earlier[same.id] = (earlier or frozenset()) | read.keys()
        if not values and not conflicts:
            self._tally.leave(checked)
            return same
        if earlier is not None:
            self._tally.join(checked, conflicts)
        else:
            self._tally.update(after, checked)
        if not created:
            self._changing.setdefault(same.id, [0, 0])[earlier is not None] += 1
        if not values:
            return same
        if same.id < 0:
            new[same.id] = after
        else:
            self._lines.setdefault(same.id, checked.row.number)
            changed[same.id] = (changed.get(same.id, (same, same))[0], after)
        if same.id in self._places:
            self._tally.first_records[self._places[same.id]] = after
        known.replace(same, after)
        return after

    def _is_created(self, client: Client) -> bool:
        """Return whether a client is one that this import has made."""
        return client.id < 0 or (self._first_created is not None and client.id >= self._first_created)


def refuse_taken(client: Client, known: Known) -> None:
    """Refuse the row alone, where the store would refuse the whole import."""
    holder = known.holder(client.reference)
    if holder and holder.id != client.id:
        raise FieldError(f"{holder.name} already has the reference {client.reference}")


def called_by_address(checked: Checked) -> dict[str, Any]:
    """The values of a new client; one without a name is called by its e-mail address or number. Raises FieldError where
    that is not one."""
    values = checked.values
    if any(values.get(name) for name in ("first_name", "last_name", "company")):
        return values
    known = [name for name in ("email", "phone") if values.get(name)]
    called = next((name for name in known if name not in checked.unread), "")
    if known and not called:
        is_none = "is not an e-mail address" if known[0] == "email" else "is not a phone number"
        raise FieldError(f"no name, and “{values[known[0]]}” {is_none}")
    values["last_name"] = values.get(called, "")
    return values


def with_kind(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a new client with the kind that its name tells, where no column did."""
    if "kind" not in values:
        person = values.get("first_name") or values.get("last_name")
        values["kind"] = "person" if person or not values.get("company") else "company"
    return values


def _only_shouts(value: Any, known: Any) -> bool:
    """Return whether a text is a known one in capitals alone, or in small letters: nothing is learned from it."""
    return (
        isinstance(value, str)
        and isinstance(known, str)
        and value.casefold() == known.casefold()
        and (value.isupper() or value.islower())
    )


_SETTABLE = tuple(field.name for field in dataclasses.fields(Client) if field.metadata.get("by") == "person")
_SETTABLE_NAMES = frozenset(_SETTABLE)


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
        updated["extra"] = {**client.extra, **_with_others(client.extra, values["extra"])}
    return {name: value for name, value in updated.items() if value != getattr(client, name)}


def _joined(
    client: Client, values: Mapping[str, Any], earlier: frozenset[str]
) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """The changes of a row whose client earlier rows of the file have, and its conflicts: (field, value, why).
    `earlier` are the fields that those rows have.

    What the earlier row filled stays, and the row fills the rest. Another number or e-mail address is an own field.
    """
    changes: dict[str, Any] = {}
    conflicts: list[tuple[str, str, str]] = []
    extra = dict(client.extra)
    if is_called_by_address(client) and values.keys() & {"first_name", "last_name", "company"}:
        client = dataclasses.replace(client, last_name="")
        changes["last_name"] = values.get("last_name", "")
    for name, value in values.items():
        known = getattr(client, name)
        if not value and name != "marketing_consent":
            continue
        if name == "tags":
            changes["tags"] = tuple(dict.fromkeys((*client.tags, *value)))
        elif name == "extra":
            for own, text in value.items():
                if own in OTHERS.values():
                    extra |= _with_others(extra, {own: text})
                elif extra.setdefault(own, text) != text:
                    conflicts.append((own, text, _conflict(own, extra[own])))
        elif name == "marketing_consent" and not value:
            # A client who opted out in any row gets no mailings.
            changes[name] = value
        elif known in ("", None) or (name not in earlier and not _only_shouts(value, known)):
            changes[name] = value
        elif value == known or _only_shouts(value, known):
            continue
        elif name in ("email", "phone"):
            extra[OTHERS[name]] = _with_other(extra.get(OTHERS[name], ""), value)
        else:
            text = "yes" if value is True else str(value)
            conflicts.append((name, text, _conflict(fields(Client)[name].label, "no" if known is False else known)))
    changes["extra"] = extra
    return {name: value for name, value in changes.items() if value != getattr(client, name)}, conflicts


def _with_others(known: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Own fields as a row has them; the numbers and addresses that a client has beside the first are added to those
    there are."""
    listed = OTHERS.values()
    merged = dict(values)
    for own, text in values.items():
        if own in listed:
            merged[own] = known.get(own, "")
            for part in text.split(", "):
                merged[own] = _with_other(merged[own], part)
    return merged


def _with_other(known: str, text: str) -> str:
    """The text of an own field for other numbers or addresses, with another one."""
    listed = known.split(", ") if known else []
    return known if text in (known, *listed) else ", ".join((*listed, text))


def _conflict(label: str, known: object) -> str:
    return f"{label}: an earlier row of the same client has “{known}”, which was kept; please check"
