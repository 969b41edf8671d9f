"""The making of the PDF: as PDF/A-3 with the fonts that every machine has, and with less only where that cannot be."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

from crm.errors import FileError
from crm.invoicing.document import InvoiceDocument
from crm.outward.invoice_pdf.compiling import CompileError, Page, compile_page
from crm.outward.invoice_pdf.content import content
from crm.outward.invoice_pdf.factur_x import with_factur_x_metadata
from crm.outward.invoice_pdf.pdf import InvoicePdf, default_template
from crm.wording import first_few

_ARCHIVAL = ("a-3b",)
_XML = "factur-x.xml"
# A template with the pictures beside it, such as a logo.
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp"})
_LARGEST_PICTURE = 5_000_000
_MOST_PICTURES = 20
_TEMPLATE = "template.typ"
_NO_GLYPH = re.compile(r"text (.+?) could not be displayed")
_ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
_LINE = re.compile(r"template\.typ:(\d+):(\d+)")
_ATTACH = f"""#pdf.attach("{_XML}", relationship: "alternative", mime-type: "text/xml", description: "Factur-X")
"""


def make_pdf(document: InvoiceDocument, *, xml: bytes, template: Path | None, seconds: float) -> InvoicePdf:
    """See `crm.outward.invoice_pdf.make_pdf`."""
    files = {"main.typ": _main(bool(xml)), **_template_files(template)}
    if xml:
        files[_XML] = xml
    data, timestamp = json.dumps(content(document), ensure_ascii=False), _timestamp(document.issued_on)
    missing: Sequence[str] = ()
    for system_fonts in (False, True):
        page = Page(files=files, data=data, timestamp=timestamp, standards=_ARCHIVAL, system_fonts=system_fonts)
        try:
            pdf = compile_page(page, seconds)
        except CompileError as error:
            missing = _missing_signs(error.message)
            if not missing:
                raise _template_error(error, template) from error
            continue
        return InvoicePdf(data=with_factur_x_metadata(pdf) if xml else pdf, is_archival=True)
    try:
        pdf = compile_page(Page(files=files, data=data, timestamp=timestamp, system_fonts=True), seconds)
    except CompileError as error:
        raise _template_error(error, template) from error
    verb = "is" if len(missing) == 1 else "are"
    notice = (
        f"No font on this machine can print {first_few(missing)}, which {verb} missing on the PDF. So the PDF"
        " does not meet the standard for archiving (PDF/A). Install a font that can, such as Noto, and make it again."
    )
    return InvoicePdf(data=pdf, is_archival=False, notice=notice)


def _missing_signs(message: str) -> Sequence[str]:
    """The signs that no font has, each once, as typst names them."""
    signs = (_ESCAPED.sub(lambda code: chr(int(code[1], 16)), text.strip('`"')) for text in _NO_GLYPH.findall(message))
    return list(dict.fromkeys(signs))


def make_picture(document: InvoiceDocument, *, template: Path | None, seconds: float) -> bytes:
    """See `crm.outward.invoice_pdf.make_picture`."""
    page = Page(
        files={"main.typ": _main(False), **_template_files(template)},
        data=json.dumps(content(document), ensure_ascii=False),
        timestamp=_timestamp(document.issued_on),
        format="png",
        ppi=144,
    )
    try:
        return compile_page(page, seconds)
    except CompileError as error:
        raise _template_error(error, template) from error


def _main(has_xml: bool) -> bytes:
    """The main file of the compiler: the attachment, which no template can forget, and the template."""
    return f'{_ATTACH if has_xml else ""}#include "{_TEMPLATE}"\n'.encode()


def _template_files(template: Path | None) -> dict[str, bytes]:
    if template is None:
        return {_TEMPLATE: default_template().encode()}
    try:
        files = {_TEMPLATE: template.read_bytes()}
        pictures = sorted(path for path in template.parent.iterdir() if path.suffix.lower() in _PICTURES)
        for path in pictures[:_MOST_PICTURES]:
            if path.is_file() and path.stat().st_size <= _LARGEST_PICTURE:
                files[path.name] = path.read_bytes()
    except OSError as error:
        raise FileError(f"The template {template} cannot be read: {error.strerror}.") from error
    return files


def _template_error(error: CompileError, template: Path | None) -> FileError:
    """The error in a template, with its line."""
    sentence = error.message.splitlines()[0][:300]
    where = _LINE.search(error.message)
    at = f", line {where[1]}" if where else ""
    name = str(template) if template else "of this program"
    return FileError(
        f"The template {name} cannot be used{at}: {sentence}. The invoice stays as it is. Correct the template."
    )


def _timestamp(day: date | None) -> int:
    """The creation time in the PDF: the day of issue, so that the same invoice gives the same bytes."""
    return int(datetime.combine(day or date(2000, 1, 1), time(), tzinfo=UTC).timestamp())
