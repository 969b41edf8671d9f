"""The rows of a file as checked values: what can be stored, what is odd, and what is refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.commands.importing.draft import ImportDraft
from crm.errors import FieldError
from crm.files import Mapper, Row
from crm.model import Client, Conventions, Field, Sale, fields, typed_fields
from crm.model.fields import Line

BATCH = 1000


@dataclass(slots=True)
class Checked:
    """One row, checked: the values of its fields that are filled, the client's own among a sale's, and why
    it is refused ('' where it is not). `doubts` are fields that are kept and worth a look: (field, value, why)."""

    row: Row
    values: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    doubts: list[tuple[str, str, str]] = field(default_factory=list)
    refused: str = ""


class Reader:
    """Checks the rows of a draft, a batch at a time."""

    def __init__(self, draft: ImportDraft, by: Conventions) -> None:
        self._draft = draft
        self._by = by
        self._mapper = Mapper(draft.matches, by)
        self._fields: Mapping[str, Field] = typed_fields(Client) if draft.what == "clients" else typed_fields(Sale)

    def batches(self) -> Iterator[list[Checked]]:
        """All rows of the file, in order."""
        batch: list[Checked] = []
        for row in self._draft.source.rows():
            batch.append(self._checked(row))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _checked(self, row: Row) -> Checked:
        checked = Checked(row, refused=row.problem)
        if row.problem:
            return checked
        mapped = self._mapper(row.cells)
        try:
            for name, text in mapped.fields.items():
                if text and not text.isspace():
                    self._read(checked, name, text)
            if mapped.extra:
                line = Line(2000)
                checked.values["extra"] = {name: line.read(text, self._by) for name, text in mapped.extra.items()}
        except FieldError as error:
            checked.refused = error.sentence
        return checked

    def _read(self, checked: Checked, name: str, text: str) -> None:
        if name == "client" and self._draft.what == "sales":
            checked.client["reference"] = _CLIENT["reference"].check.read(text, self._by)
            return
        of_client = name.removeprefix("client.")
        described = _CLIENT[of_client] if of_client != name else self._fields[name]
        values = checked.client if of_client != name else checked.values
        check = described.check
        try:
            value = check.read(text, self._by)
        except FieldError as error:
            if not check.keeps_unreadable:
                raise error.at(name, described.label) from error
            # Kept as it was typed: half of a telephone number may still be all there is of a client.
            value = Line(60 if of_client == "phone" else 254).read(text, self._by)
            checked.doubts.append((of_client, value, error.reason))
        else:
            if check.keeps_unreadable and (doubt := check.doubt(value, self._by)):
                checked.doubts.append((of_client, value, doubt))
        values[of_client] = value


_CLIENT = fields(Client)


def refused_columns(draft: ImportDraft) -> Sequence[str]:
    """The header of the file of refused rows: the columns as they were, and the reason."""
    return [*draft.source.columns, "Reason it was refused"]
