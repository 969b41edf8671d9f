"""Tables of records as files: reading CSV, Excel workbooks and vCards, matching their columns, and writing them."""

from crm.files.amounts import plain_amount
from crm.files.columns import Match, is_company, is_name, match_columns, retargeted, tells_number
from crm.files.dates import read_day
from crm.files.mapping import OTHERS, Mapped, Mapper, apply
from crm.files.names import split_name
from crm.files.opening import open_source
from crm.files.sheet_rows import GridSource
from crm.files.source import Row, Source
from crm.files.total_column import spend_column
from crm.files.vcard_writing import write_vcards
from crm.files.writing import write_csv, write_workbook, write_xlsx

__all__ = [
    "OTHERS",
    "GridSource",
    "Mapped",
    "Mapper",
    "Match",
    "Row",
    "Source",
    "apply",
    "is_company",
    "is_name",
    "match_columns",
    "open_source",
    "plain_amount",
    "read_day",
    "retargeted",
    "spend_column",
    "split_name",
    "tells_number",
    "write_csv",
    "write_vcards",
    "write_workbook",
    "write_xlsx",
]
