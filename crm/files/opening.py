"""Opening a file of records: its format is known by its first bytes."""

from pathlib import Path

from crm.errors import FileError
from crm.files.source import Source
from crm.model.file_errors import refuse_too_large, unreadable

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NO_TABLES = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x1f\x8b", "compressed"),
)


def open_source(
    path: Path, *, encoding: str = "", delimiter: str = "", header: bool | None = None, sheet: str = ""
) -> Source:
    """The file as a source of rows; what is left blank is detected.

    Raises FileError, with what to do, for a file that is missing, empty, not to be read, or no table.
    """
    path = Path(path)
    refuse_too_large(path)
    try:
        with path.open("rb") as file:
            head = file.read(4096)
        if not head:
            raise FileError(f"{path.name} is empty. Export it again.")
        return _opened(path, head, encoding, delimiter, header, sheet)
    except OSError as error:
        raise unreadable(path, error) from error


def _opened(path: Path, head: bytes, encoding: str, delimiter: str, header: bool | None, sheet: str) -> Source:
    ending = path.suffix.lower()
    if head.startswith(_OLD_OFFICE):
        if ending in (".xlsx", ".xlsm"):
            raise FileError(f"{path.name} is protected by a password. Open it in Excel and save it without one.")
        raise FileError(f"{path.name} is an old Excel file (.xls). Open it in Excel and save it as .xlsx.")
    if head.startswith(b"PK\x03\x04"):
        from crm.files.xlsx import WorkbookSource

        return WorkbookSource(path, header=header, sheet=sheet)
    if ending in (".xlsx", ".xlsm"):
        raise FileError(
            f"{path.name} is named like an Excel workbook, but is not one or is damaged."
            " Save it again as .xlsx, or name it .csv if it is text."
        )
    for beginning, format_name in _NO_TABLES:
        if head.startswith(beginning):
            raise FileError(f"{path.name} is {format_name}. Export the table itself, as CSV, .xlsx or vCard.")
    if sheet:
        raise FileError(f"{path.name} is not a workbook, so it has no sheet {sheet}. Leave the sheet out.")
    from crm.files.charset import charset_of

    is_card = ending in (".vcf", ".vcard") or b"BEGIN:VCARD" in head[:64].upper()
    charset = charset_of(path, encoding, folded=is_card)
    beginning_text = head.decode(charset.encoding, "replace").lstrip("\ufeff \t\r\n")[:40].casefold()
    if ending in (".vcf", ".vcard") or beginning_text.startswith("begin:vcard"):
        from crm.files.vcard_reading import VcardSource

        return VcardSource(path, charset)
    if beginning_text.startswith(("dn: ", "dn:: ", "version: 1\ndn:")):
        raise FileError(f"{path.name} is an address book in LDIF. Export it as CSV or vCard.")
    if beginning_text.startswith(("<html", "<!doctype", "<?xml", "<table")):
        raise FileError(f"{path.name} is a web page or XML. Open it in Excel and save it as .xlsx or CSV.")
    from crm.files.csv_reading import DelimitedSource

    return DelimitedSource(path, charset, delimiter=delimiter, header=header)
