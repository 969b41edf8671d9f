"""The rules of PDF/A-3b (ISO 19005-3), as far as they can be checked without a renderer; read with pypdf, which owes
nothing to the program. No package has the rules of a validator such as veraPDF."""

import io
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_IDENTIFICATION = "{http://www.aiim.org/pdfa/ns/id/}"
_SCHEMA = "{http://www.aiim.org/pdfa/ns/schema#}"
_PROPERTY = "{http://www.aiim.org/pdfa/ns/property#}"
# The schemas that ISO 19005-3 knows; any other has to be described in the file.
_KNOWN_SCHEMAS = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/xap/1.0/",
    "http://ns.adobe.com/pdf/1.3/", "http://www.aiim.org/pdfa/ns/", "adobe:ns:meta/",
)  # fmt: skip
_ACTIONS = ("/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/Hide", "/JavaScript", "/Rendition", "/Trans")
_ANNOTATIONS = ("/3D", "/Sound", "/Screen", "/Movie")
_CMYK = re.compile(rb"(?:^|\s)(?:[\d.]+\s+){4}[kK]\s")


def pdf_a_faults(data: bytes) -> list[str]:
    """Faults of a file that claims to be PDF/A-3b."""
    reader = PdfReader(io.BytesIO(data), strict=True)
    root: Any = reader.trailer["/Root"].get_object()
    objects = list(_objects(reader))
    return [
        *_of_file(data, reader), *_of_colours(root, objects), *_of_fonts(objects), *_of_streams(objects),
        *_of_actions(root, objects), *_of_metadata(root), *_of_attachments(root, objects),
    ]  # fmt: skip


def _objects(reader: PdfReader) -> Iterator[Any]:
    """Each object of a file, and the dictionaries inside it."""
    waiting: list[Any] = [
        reader.get_object(IndirectObject(number, generation, reader))
        for generation, table in reader.xref.items()
        for number in table
    ]
    while waiting:
        item = waiting.pop()
        if isinstance(item, DictionaryObject):
            yield item
            waiting += [value for value in item.values() if isinstance(value, DictionaryObject | ArrayObject)]
        elif isinstance(item, ArrayObject):
            waiting += [value for value in item if isinstance(value, DictionaryObject | ArrayObject)]


def _of_file(data: bytes, reader: PdfReader) -> Iterator[str]:
    head = re.match(rb"%PDF-1\.[0-7]\r?\n%([^\r\n]{4,})\r?\n", data)
    if head is None or min(head[1][:4]) < 128:
        yield "6.1.2: the header, with four bytes that are no text behind it"
    if not re.search(rb"%%EOF\r?\n?\Z", data):
        yield "6.1.3: something follows the end"
    if "/ID" not in reader.trailer or "/Encrypt" in reader.trailer:
        yield "6.1.3: an identifier, and no encryption"


def _of_colours(root: Any, objects: list[Any]) -> Iterator[str]:
    intents = [intent.get_object() for intent in root.get("/OutputIntents", [])]
    profiles = [
        intent["/DestOutputProfile"].get_object()
        for intent in intents
        if intent.get("/S") == "/GTS_PDFA1" and "/DestOutputProfile" in intent
    ]
    if len(profiles) != 1 or profiles[0]["/N"] != 3 or profiles[0].get_data()[36:40] != b"acsp":
        yield "6.2.3: one output intent for PDF/A, with a profile of RGB inside"
    for item in objects:
        is_drawn = isinstance(item, StreamObject) and item.get("/Subtype") in (None, "/Form") and "/N" not in item
        if item.get("/ColorSpace") == "/DeviceCMYK" or (is_drawn and _CMYK.search(item.get_data())):
            yield "6.2.4: a colour of CMYK without a profile"


def _of_fonts(objects: list[Any]) -> Iterator[str]:
    fonts = [item for item in objects if item.get("/Type") == "/Font"]
    if not fonts:
        yield "6.2.11: there is no font"
    for font in fonts:
        name, kind = font.get("/BaseFont", ""), font["/Subtype"]
        if kind == "/Type0":
            (below,) = font["/DescendantFonts"]
            if font["/Encoding"] not in ("/Identity-H", "/Identity-V") or "/ToUnicode" not in font:
                yield f"6.2.11.3: the encoding of {name}"
            if below.get_object()["/Subtype"] == "/CIDFontType2" and "/CIDToGIDMap" not in below.get_object():
                yield f"6.2.11.3.2: the glyphs of {name}"
        elif kind != "/Type3":
            descriptor = font["/FontDescriptor"].get_object() if "/FontDescriptor" in font else {}
            if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor):
                yield f"6.2.11.4: {name} is not embedded"


def _of_streams(objects: list[Any]) -> Iterator[str]:
    for item in objects:
        filters = item.get("/Filter", []) if isinstance(item, StreamObject) else []
        if {"/LZWDecode", "/Crypt"} & {*(filters if isinstance(filters, list) else [filters])} or "/FFilter" in item:
            yield "6.1.7: a filter that is not allowed"
        if item.get("/Subtype") == "/Image" and ({"/Alternates", "/OPI"} & set(item) or item.get("/Interpolate")):
            yield "6.2.8: a picture with alternates or interpolation"
        if item.get("/Subtype") == "/PS" or "/Ref" in item:
            yield "6.2.9: PostScript, or a part of another file"
        if "/TR" in item or "/HTP" in item:
            yield "6.2.5: a transfer function"


def _of_actions(root: Any, objects: list[Any]) -> Iterator[str]:
    if {"/AA", "/OCProperties", "/Requirements"} & set(root) or "/XFA" in root.get("/AcroForm", {}):
        yield "6.4 to 6.9: actions, layers or forms"
    for item in objects:
        if item.get("/S") in _ACTIONS or "/JS" in item:
            yield f"6.5.1: the action {item.get('/S')}"
        if item.get("/Type") == "/Annot" and (
            item["/Subtype"] in _ANNOTATIONS or (item["/Subtype"] != "/Popup" and not int(item.get("/F", 0)) & 4)
        ):
            yield f"6.3: the annotation {item['/Subtype']}, which has to be printed"


def _of_metadata(root: Any) -> Iterator[str]:
    xmp = root["/Metadata"].get_object().get_data()
    if re.search(rb"<\?xpacket begin=[^>]*(?:bytes|encoding)=", xmp):
        yield "6.6.2.1: the packet of metadata says how it is encoded"
    tree = etree.fromstring(xmp[xmp.index(b"<x:xmpmeta") : xmp.index(b"</x:xmpmeta>") + 12])
    claims = {
        part: [*tree.iter(_IDENTIFICATION + part)]
        + [item for item in tree.iter(f"{_RDF}Description") if item.get(_IDENTIFICATION + part)]
        for part in ("part", "conformance")
    }
    words = {part: [item.get(_IDENTIFICATION + part) or item.text for item in items] for part, items in claims.items()}
    if words != {"part": ["3"], "conformance": ["B"]}:
        yield f"6.6.4: it says that it is {words}"
    described: dict[str, set[str]] = {}
    for schema in tree.iter(f"{_SCHEMA}namespaceURI"):
        names = {name.text or "" for name in schema.getparent().iter(f"{_PROPERTY}name")}
        described[schema.text or ""] = names
    for item in tree.iter("{*}*"):
        name = etree.QName(item)
        space = name.namespace or ""
        if not space.startswith(_KNOWN_SCHEMAS) and name.localname not in described.get(space, set()):
            if name.localname in {"DocumentID", "InstanceID", "RenditionClass"} and "xap/1.0/mm" in space:
                continue
            yield f"6.6.2.3: {name.localname} is of a schema that is not described"


def _of_attachments(root: Any, objects: list[Any]) -> Iterator[str]:
    files = [item for item in objects if item.get("/Type") == "/Filespec"]
    associated = [item.get_object() for item in root.get("/AF", [])]
    for file in files:
        if file not in associated:
            yield "6.8: a file that belongs to nothing"
        if not {"/F", "/UF", "/EF", "/AFRelationship"} <= set(file):
            yield "6.8: the names or the relationship of a file"
        embedded = file.get("/EF", {}).get("/F")
        if embedded is None or not re.fullmatch(r"/\w+/[\w.+-]+", str(embedded.get_object().get("/Subtype", ""))):
            yield "6.8: the type of a file"
