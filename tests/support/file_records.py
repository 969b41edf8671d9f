"""Records from a file before they are stored: the texts of fields, row by row."""

from pathlib import Path
from typing import Any

from crm.files import Mapper, match_columns, open_source
from crm.model import Client, Conventions, Sale


def read_records(
    path: Path, record: type[Client] | type[Sale] = Client, by: Conventions | None = None, **how: Any
) -> tuple[list[dict[str, str]], list[tuple[int, str]]]:
    """The filled fields of each row, and line and reason of the rows that are none."""
    by = by or Conventions()
    source = open_source(path, **how)
    mapper = Mapper(match_columns(source.columns, source.sample, record, by), by)
    found, refused = [], []
    for row in source.rows():
        if row.problem:
            refused.append((row.number, row.problem))
        else:
            mapped = mapper(row.cells)
            found.append({name: text for name, text in {**mapped.fields, **mapped.extra}.items() if text.strip()})
    return found, refused
