"""Records: the team's settings."""

from typing import ClassVar

from crm.lean_dataclass import dataclass
from crm.model.fields import Line, Prose
from crm.model.kind import EVERYTHING, READ_ALL, Effects, Kind, Rights, Tab
from crm.model.record import Record, described

# How many records may vanish from a spreadsheet at once before it is asked what that means.
SHEET_DELETIONS, FEW_DELETIONS = "sheet_deletions", 5
# After how many seconds all of a spreadsheet is read once more where Google Drive may be late to tell of an edit.
SHEET_READS, READS_AFTER = "sheet_reads", 60
# The setting that says in which time zone the team's days begin and end.
TIME_ZONE = "time_zone"
# The settings that say what the figures of a client are summed from: in which currency, and whether its sales or its
# paid invoices make its total.
CURRENCY, SPEND_COUNTS = "currency", "spend_counts"
PAID_INVOICES = "paid invoices"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Setting(Record):
    """One of the team's settings, kept with the data so that everybody has the same."""

    about: ClassVar[Kind] = Kind(
        "setting",
        "settings",
        place=15,
        effects=Effects(recounts_by="key", recounts=frozenset((CURRENCY, SPEND_COUNTS))),
        needs=("key", "value"),
        may_be_empty=("value",),
        called="key",
        unique=("key",),
        rights=Rights(staff=READ_ALL, client=READ_ALL, mail_key=READ_ALL),
        tab=Tab(number=14, hidden=True),
    )

    key: str = described("Name", Line(60))
    value: str = described("Value", Line(1000))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ImportLayout(Record):
    """The columns that a person chose for files with certain headings: in `choices` (JSON) what each row is, the field
    of each column, the order of dates, and how clients are matched. `headings` is a digest of them. The undo of an
    import leaves it as it is."""

    about: ClassVar[Kind] = Kind(
        "import_layout",
        "import_layouts",
        noun="choice of columns",
        needs=("headings", "choices"),
        unique=("headings",),
        rights=Rights(staff=EVERYTHING, words="choices of columns"),
        tab=Tab(number=49, title="import columns", hidden=True, since=10),
        since=12,
    )

    headings: str = described("Headings", Line(64))
    choices: str = described("Choices", Prose())
