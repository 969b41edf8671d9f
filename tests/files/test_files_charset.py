"""Detection of the encoding: text comes out as it was, whichever program wrote it."""

# ruff: noqa: RUF001

import pytest

from crm.errors import FileError
from crm.files import open_source

GERMAN = "Name;Straße;Ort\nJürgen Müller;Königsgäßchen 3;Köln\nÄnne Öztürk;Übelstraße 5;Fürth\n"
FRENCH = "Nom;Prénom;Société\nLefèvre;Zoé;Crêperie d’Évian\nGarçon;Noël;Façades – Ñandú\n"
POLISH = "Imię;Nazwisko;Miasto\nŁukasz;Wałęsa;Gdańsk\nMałgorzata;Żółkiewska;Łódź\nStanisław;Kościuszko;Poznań\n"
CZECH = "Jméno;Město\nJiří Dvořák;Plzeň\nŠtěpán Novák;Brno\nTomáš Čech;Ústí nad Labem\n"
HUNGARIAN = "Név;Város\nNagy Győző;Pécs\nKovács Ágnes;Székesfehérvár\nTóth Zsófia;Győr\n"
MIXED = "Name;City\nBjörn Åkesson;Malmö\nFrançois Lefèvre;Nîmes\nJosé Muñoz;Málaga\nJürgen Groß;Köln\nSøren Ærø;Århus\n"
RUSSIAN = "Имя;Фамилия;Город\nАнна;Иванова;Москва\nБорис;Петров;Санкт-Петербург\nМария;Сидорова;Новосибирск\n"
GREEK = "Όνομα;Επώνυμο;Πόλη\nΆννα;Παπαδοπούλου;Αθήνα\nΓιώργος;Νικολάου;Θεσσαλονίκη\nΜαρία;Γεωργίου;Πάτρα\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "cp1252"),
        (GERMAN, "mac_roman"),
        (GERMAN, "cp850"),
        (FRENCH, "cp1252"),
        (FRENCH, "utf-16"),
        (POLISH, "cp1250"),
        (CZECH, "cp1250"),
        (HUNGARIAN, "cp1250"),
        (MIXED, "cp1252"),
        (RUSSIAN, "cp1251"),
        (GREEK, "cp1253"),
    ],
)
def test_every_character_is_decoded_correctly(tmp_path, text, encoding):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    source = open_source(path)
    header, *rows = (tuple(line.split(";")) for line in text.splitlines())
    assert source.columns == header
    assert [row.cells for row in source.rows()] == rows


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_an_accent_after_megabytes_of_ascii_is_decoded(tmp_path, encoding):
    path = tmp_path / "table.csv"
    path.write_bytes(b"Name,City\n" + b"Anna,Linz\n" * 300_000 + "Zoé,Köln\n".encode(encoding))
    *_, last = open_source(path).rows()
    assert last.cells == ("Zoé", "Köln")


def test_a_file_put_together_from_two_encodings(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("Name,City\nJürgen,Köln\nZoé,Nîmes\n".encode() + "Änne,Fürth\n".encode("cp1252"))
    assert [row.cells for row in open_source(path).rows()] == [("Jürgen", "Köln"), ("Zoé", "Nîmes"), ("Änne", "Fürth")]


def test_an_encoding_that_is_named(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("Name,City\nAnna,Linz\nZoé,Köln\n".encode("cp1252"))
    assert open_source(path, encoding="cp1252").sample[1] == ("Zoé", "Köln")
    with pytest.raises(FileError, match=r"not written in utf-8 \(line 3 .*Leave the encoding out"):
        open_source(path, encoding="utf-8")
