"""The note in the metadata of a PDF that an e-invoice is inside (Factur-X 1.0), by an update at its end.

typst writes PDF/A-3 and attaches the file, but knows nothing of Factur-X. Its bytes stay as they are: what is appended
is one new version of the metadata, a table with its place, and a trailer that points to the table before.
"""

import re

_SCHEMA = """<rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property>
</rdf:li>"""
_PROPERTY = """<rdf:li rdf:parseType="Resource">
<pdfaProperty:name>{name}</pdfaProperty:name>
<pdfaProperty:valueType>Text</pdfaProperty:valueType>
<pdfaProperty:category>external</pdfaProperty:category>
<pdfaProperty:description>{description}</pdfaProperty:description>
</rdf:li>"""
_PROPERTIES = {
    "DocumentFileName": "name of the embedded XML invoice file",
    "DocumentType": "INVOICE",
    "Version": "The actual version of the Factur-X XML schema",
    "ConformanceLevel": "The conformance level of the embedded Factur-X data",
}
_FACTS = """<rdf:Description rdf:about="" xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">
<fx:DocumentType>INVOICE</fx:DocumentType>
<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>
<fx:Version>1.0</fx:Version>
<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description>"""
_TABLE = re.compile(rb"xref\s+0 \d+\s*?\r?\n")
_ENTRY = 20
_NAMESPACES = {
    "pdfaExtension": "http://www.aiim.org/pdfa/ns/extension/",
    "pdfaSchema": "http://www.aiim.org/pdfa/ns/schema#",
    "pdfaProperty": "http://www.aiim.org/pdfa/ns/property#",
}


def with_factur_x_metadata(pdf: bytes) -> bytes:
    """The PDF with the metadata of Factur-X. Raises ValueError where its own are not as typst writes them."""
    table = int(_last(rb"startxref\s+(\d+)", pdf[pdf.rindex(b"startxref") :]))
    trailer = pdf[pdf.index(b"trailer", table) :]
    root = _last(rb"/Root\s+(\d+) 0 R", trailer)
    number = _last(rb"/Metadata\s+(\d+) 0 R", _object(pdf, table, root))
    stream = re.search(rb"stream\r?\n(.*?)\r?\nendstream", _object(pdf, table, number), re.DOTALL)
    if stream is None:
        raise ValueError("the metadata are no stream")
    xmp = _extended(stream[1].decode()).encode()
    start = len(pdf) + 1
    new = b"%s 0 obj\n<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (
        number, len(xmp), xmp,
    )  # fmt: skip
    kept = b" ".join(
        match[0] for name in (rb"/Size\s+\d+", rb"/Root\s+\d+ 0 R", rb"/Info\s+\d+ 0 R", rb"/ID\s*\[.*?\]")
        if (match := re.search(name, trailer, re.DOTALL))
    )  # fmt: skip
    end = b"xref\n%s 1\n%010d 00000 n \ntrailer\n<< %s /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        number, start, kept, table, start + len(new),
    )  # fmt: skip
    return pdf + b"\n" + new + end


def _extended(xmp: str) -> str:
    """The metadata with the schema in the bag of schemas and the facts beside it."""
    schema = _SCHEMA.format(
        properties="".join(_PROPERTY.format(name=name, description=text) for name, text in _PROPERTIES.items())
    )
    bag = re.search(r"<pdfaExtension:schemas>\s*<rdf:Bag>", xmp)
    if bag:
        xmp = f"{xmp[: bag.end()]}{schema}{xmp[bag.end() :]}"
        extra = _FACTS
    else:
        spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
        extra = (
            f'<rdf:Description rdf:about="" {spaces}><pdfaExtension:schemas><rdf:Bag>{schema}</rdf:Bag>'
            f"</pdfaExtension:schemas></rdf:Description>{_FACTS}"
        )
    if "</rdf:RDF>" not in xmp:
        raise ValueError("the metadata have no end")
    return xmp.replace("</rdf:RDF>", f"{extra}</rdf:RDF>")


def _last(pattern: bytes, data: bytes) -> bytes:
    matches: list[bytes] = re.findall(pattern, data)
    if not matches:
        raise ValueError(f"there is no {pattern.decode()}")
    return matches[-1]


def _object(pdf: bytes, table: int, number: bytes) -> bytes:
    """An object of the file, by its place in the table: from its number to its end."""
    head = _TABLE.match(pdf, table)
    if head is None:
        raise ValueError("the table is not as typst writes it")
    # Each entry is as long as all others, the place in ten digits first.
    entry = head.end() + int(number) * _ENTRY
    begin = b"%s 0 obj" % number
    start = int(pdf[entry : entry + 10])
    if not pdf.startswith(begin, start):
        raise ValueError(f"there is no object {number.decode()}")
    return pdf[start + len(begin) : pdf.index(b"endobj", start)]
