"""Contact cards (vCard) of every version, also broken ones; written cards can be read again."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.files import Mapper, match_columns, open_source, write_vcards
from crm.model import Client, Conventions

BY = Conventions(language="de_AT", country="AT")


def read(path):
    source = open_source(path)
    assert source.kind == "vcard"
    mapper = Mapper(match_columns(source.columns, source.sample, Client, BY), BY)
    return [
        (row.number, {name: text for name, text in mapper(row.cells).fields.items() if text}, row.problem)
        for row in source.rows()
    ]


@pytest.fixture
def cards(tmp_path):
    def write(*lines: str, encoding: str = "utf-8"):
        path = tmp_path / "cards.vcf"
        path.write_bytes("\r\n".join(lines).encode(encoding))
        return [client for _, client, problem in read(path) if not problem]

    return write


def test_version_3_with_folded_lines(cards):
    assert cards(
        "BEGIN:VCARD", "VERSION:3.0", "N:van der Berg;Anna;Maria;Dr.;", "FN:Dr. Anna van der Berg",
        "ORG:Berg\\, Hof & Co;Sales", "item1.EMAIL;TYPE=INTERNET;TYPE=HOME:old@example.com",
        "EMAIL;TYPE=INTERNET,PREF:anna@exam", " ple.com", "TEL;TYPE=FAX:1", "TEL;TYPE=HOME:2",
        "TEL;TYPE=CELL:+43 660 3",
        "ADR;TYPE=HOME:;;Ring 1\\nTop 2;Wien;;1010;Austria", "BDAY:19850412", "CATEGORIES:Gold,Early bird",
        "NOTE:one\\ntwo\\; three", "UID:urn:uuid:4711", "PHOTO;ENCODING=b:AAAA", " BBBB", "END:VCARD",
    ) == [{
        "first_name": "Anna Maria", "last_name": "van der Berg", "company": "Berg, Hof & Co",
        "email": "anna@example.com",
        "phone": "+43 660 3", "address": "Ring 1, Top 2", "city": "Wien", "postcode": "1010", "country": "Austria",
        "date_of_birth": "1985-04-12", "tags": "Gold, Early bird", "notes": "one\ntwo; three", "reference": "4711",
    }]  # fmt: skip


def test_version_2_in_quoted_printable(cards):
    assert cards(
        "BEGIN:VCARD", "VERSION:2.1", "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCr=", "gen;;;",
        "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Gr=FC=DFe=0D=0Aan alle", "TEL;CELL;PREF:0660 1",
        "PHOTO;BASE64;JPEG:", " AAAA", "BBBB==", "", "END:VCARD",
    ) == [{"first_name": "Jürgen", "last_name": "Müller", "phone": "0660 1", "notes": "Grüße\nan alle"}]  # fmt: skip


def test_version_4_and_companies(cards):
    assert cards(
        "BEGIN:VCARD", "VERSION:4.0",
        "FN:Anna Berg", 'TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+43-1-555', "BDAY:--0412",
        "END:VCARD", "begin:vcard", "VERSION:4.0", "KIND:org", "FN:Berg GmbH", "end:vcard", "BEGIN:VCARD",
        "VERSION:3.0",
        "N:;;;;", "FN:Hof AG", "ORG:Hof AG", "X-ABShowAs:COMPANY", "END:VCARD",
    ) == [
        {
            "first_name": "Anna", "last_name": "Berg", "phone": "+43-1-555",
            "notes": "Birthday: 12. Apr. (no year given)",
        },
        {"company": "Berg GmbH", "kind": "company"},
        {"company": "Hof AG", "kind": "company"},
    ]  # fmt: skip


def test_a_broken_card_does_not_stop_the_next(tmp_path):
    path = tmp_path / "cards.vcf"
    lines = [
        "BEGIN:VCARD", "FN:Anna Berg", "BEGIN:VCARD", "FN:Ben Hof", "what is this", "END:VCARD", "stray", "lines",
        "BEGIN:VCARD", "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=klingon:=FC", "FN:Cy Tal", "END:VCARD",
        "BEGIN:VCARD", "FN:Dan See", "END:VCARD", "BEGIN:VCARD", "FN:Eva Au",
    ]  # fmt: skip
    path.write_text("\n".join(lines), encoding="utf-8")
    rows = [(number, fields.get("first_name", ""), problem) for number, fields, problem in read(path)]
    assert [(number, name) for number, name, _ in rows] == [
        (1, "Anna"), (3, "Ben"), (7, ""), (9, "Cy"), (13, "Dan"), (16, "Eva"),
    ]  # fmt: skip
    problems = ["no end", "cannot be read: what is", "outside of any", "encoding of NOTE", "", "no end"]
    assert all(part in problem for part, (_, _, problem) in zip(problems, rows, strict=True))
    assert rows[4][2] == ""


def test_cards_in_an_old_encoding(cards):
    assert cards("BEGIN:VCARD", "N:Müller;Jörg", "END:VCARD", encoding="cp1252") == [
        {"first_name": "Jörg", "last_name": "Müller"}
    ]


ONE_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60).map(str.strip)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    clients=st.lists(
        st.builds(
            Client,
            kind=st.just("person"),
            first_name=ONE_LINE,
            last_name=ONE_LINE.filter(bool),
            company=ONE_LINE,
            city=ONE_LINE,
            region=ONE_LINE,
            notes=st.lists(ONE_LINE, max_size=3).map("\n".join).map(str.strip),
            date_of_birth=st.none() | st.dates(date(1930, 1, 1), date(2026, 1, 1)),
            tags=st.lists(st.text("abc;:\\", min_size=1, max_size=5), max_size=3).map(tuple),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_written_card_is_read_back(tmp_path, clients):
    path = tmp_path / "cards.vcf"
    assert write_vcards(path, clients) == len(clients)
    assert all(len(line) <= 76 for line in path.read_bytes().split(b"\n"))
    rows = list(open_source(path).rows())
    assert not any(row.problem for row in rows)
    for client, row in zip(clients, rows, strict=True):
        first, last, company, *_ = row.cells
        assert (first, last, company) == (client.first_name, client.last_name, client.company)
        born = client.date_of_birth.isoformat() if client.date_of_birth else ""
        assert (row.cells[6], row.cells[7], *row.cells[10:13]) == (
            client.city,
            client.region,
            born,
            ", ".join(client.tags),
            client.notes,
        )


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028"])
def test_a_name_cannot_add_a_line_to_a_card(tmp_path, end):
    path = tmp_path / "cards.vcf"
    write_vcards(path, [Client(last_name=f"Berg{end}END:VCARD{end}BEGIN:VCARD{end}TEL:666", kind="person")])
    assert path.read_bytes().count(b"\r\nTEL") == 0
    ((_, fields, problem),) = read(path)
    assert "phone" not in fields
    assert not problem


def _file(tmp_path, *cards, version="3.0", encoding="utf-8"):
    lines = [line for card in cards for line in ("BEGIN:VCARD", f"VERSION:{version}", *card, "END:VCARD")]
    path = tmp_path / "cards.vcf"
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_cards_in_wide_letters_are_read_more_than_once(tmp_path, encoding):
    text = "" if encoding != "utf-16-le" else "\ufeff"
    path = _file(tmp_path, ["N:Müller;Åda;;;", "EMAIL:a@example.org"], ["FN:Bo Marsh"])
    path.write_bytes((text + path.read_text("utf-8")).encode(encoding))
    source = open_source(path)
    assert [row.cells[:2] for row in source.rows()] == [row.cells[:2] for row in source.rows()]
    assert next(iter(source.rows())).cells[:2] == ("Åda", "Müller")


@pytest.mark.parametrize("line", ["KIND:group", "X-ADDRESSBOOKSERVER-KIND:group"])
def test_a_group_card_is_not_a_client(tmp_path, line):
    rows = list(open_source(_file(tmp_path, ["FN:My group", line], ["FN:Ada Lind"])).rows())
    assert [bool(row.problem) for row in rows] == [True, False]


def test_a_nested_card_is_another_person(tmp_path):
    card = ["N:Lind;Ada;;;", "AGENT:", "BEGIN:VCARD", "FN:Helper", "TEL:1", "END:VCARD", "EMAIL:a@example.org"]
    (row,) = open_source(_file(tmp_path, card, version="2.1")).rows()
    assert (row.cells[:2], row.cells[3:5], row.problem) == (("Ada", "Lind"), ("a@example.org", ""), "")


@pytest.mark.parametrize("born", ["1985", "circa 1800", "1985-03", "spring"])
def test_an_invalid_birthday_does_not_lose_the_card(tmp_path, born):
    (row,) = open_source(_file(tmp_path, ["FN:Ada Lind", f"BDAY;VALUE=text:{born}"], version="4.0")).rows()
    assert row.cells[10] == ""
    assert born in row.cells[12]


@pytest.mark.parametrize("born", ["24.03.1985", "3/24/1985", "19850324", "March 24, 1985", "24 Mar 1985"])
def test_a_birthday_that_is_written_otherwise_is_read_later(tmp_path, born):
    (row,) = open_source(_file(tmp_path, ["FN:Ada Lind", f"BDAY:{born}"])).rows()
    assert row.cells[10] in (born, "1985-03-24")


def test_an_extension_belongs_to_its_number(tmp_path):
    (row,) = open_source(_file(tmp_path, ["FN:Ada", "TEL;VALUE=uri:tel:+1-202-555-0144;ext=12"], version="4.0")).rows()
    assert row.cells[4] == "+1-202-555-0144 ext 12"


# The lines of a card, and the columns that they fill beside the name's and go nowhere by themselves.
FURTHER: list[tuple[str, dict[str, str]]] = [
    ("TITLE:Head of sales", {"Position": "Head of sales"}),
    ("TITLE:Buyer\nROLE:Executive", {"Position": "Buyer; Executive"}),
    ("ORG:Acme;Sales;North", {"Department": "Sales, North"}),
    ("ORG:Acme", {}),
    ("ORG:Acme;", {}),
    ("item1.URL;type=pref:https\\://acme.example\nitem1.X-ABLabel:_$!<HomePage>!$_", {"Website": "https://acme.example"}),
    ("TEL;TYPE=WORK,FAX:+1 555 0100\nTEL;FAX;HOME:2", {"Fax": "+1 555 0100; 2"}),
    ("TEL;TYPE=PAGER:3", {"Pager": "3"}),
    ("IMPP;X-SERVICE-TYPE=Skype:skype:anna\nX-AIM:ab", {"Messenger": "skype:anna; ab"}),
    ("ANNIVERSARY:20090808", {"Anniversary": "20090808"}),
    ("item2.X-ABDATE;type=pref:2009-08-08\nitem2.X-ABLabel:_$!<Anniversary>!$_", {"Anniversary": "2009-08-08"}),
    ("PHOTO;ENCODING=b;TYPE=JPEG:AAAA\nLOGO:data:image/png;base64,AAAA", {"Photo": "yes"}),
    ("NICKNAME:Nan", {"Nickname": "Nan"}),
    ("N:Berg;Anna;;Dr.;MBA", {"Name prefix": "Dr.", "Name suffix": "MBA"}),
    ("GENDER:F\nX-SPOUSE:Ben", {"Other properties": "GENDER: F; X-SPOUSE: Ben"}),
    ("GEO:geo:48.2,16.3\nLANG:de", {"Other properties": "GEO: geo:48.2,16.3; LANG: de"}),
    ("PRODID:-//x\nREV:2026\nVERSION:3.0\nX-ABUID:1\nSORT-STRING:b\nLABEL:x", {}),
    ("TITLE:\nURL:\nPHOTO:\nX-SPOUSE:", {}),
    ("TEL;TYPE=CELL:+1 555 0101\nEMAIL:anna@acme.example\nNOTE:x\nCATEGORIES:y\nUID:1\nKIND:individual", {}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "filled"), FURTHER)
def test_card_properties_without_a_field_become_columns(lines, filled, tmp_path):
    path = tmp_path / "card.vcf"
    path.write_text(f"BEGIN:VCARD\nFN:Anna Berg\n{lines}\nEND:VCARD\n")
    source = open_source(path)
    matches = match_columns(source.columns, source.sample, Client, BY)
    (row,) = source.rows()
    assert not row.problem
    assert {
        match.column: cell for match, cell in zip(matches, row.cells, strict=True) if cell and not match.target
    } == filled
