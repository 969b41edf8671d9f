"""Tables of records as files: reading CSV, Excel workbooks and vCards, matching their columns, and writing them."""

from crm.files.cards import write_vcards
from crm.files.columns import Match, match_columns, retargeted
from crm.files.days import read_day
from crm.files.mapping import Mapped, Mapper, apply
from crm.files.names import split_name
from crm.files.opening import open_source
from crm.files.source import Row, Source
from crm.files.writing import write_csv, write_workbook, write_xlsx

__all__ = [
    "Mapped",
    "Mapper",
    "Match",
    "Row",
    "Source",
    "apply",
    "match_columns",
    "open_source",
    "read_day",
    "retargeted",
    "split_name",
    "write_csv",
    "write_vcards",
    "write_workbook",
    "write_xlsx",
]
