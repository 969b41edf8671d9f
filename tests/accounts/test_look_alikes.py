"""Names that look like something else, and names of people as they are."""

import unicodedata

import pytest

from crm.accounts.look_alikes import look_alike, refuse_misleading
from crm.errors import FieldError, RefusedError
from crm.model import Conventions
from crm.model.fields import Email
from tests.accounts.conftest import Office

HONEST = (
    "José", unicodedata.normalize("NFD", "José"), "Müller", "O'Brien", "O\u2019Brien", "Jean-Luc", "Nguyễn", "Łukasz",
    "François D'Arcy", "Søren Ånström", "Ngũgĩ wa Thiong'o", "İbrahim", "Dr. Ada (Berlin)", "Zoë 2", "Ann “Annie” Lee",
    'Bob "Bobby" Ray', "Иван Петров", "Anna Иванова", "Ελένη", "田中 太郎", "山田ハナコ", "李Jack", "김철수",
    "محمد", "محمد\u200cرضي", "אברהם", "राम", "ไทย ใจดี", "ada@example.com",
)  # fmt: skip
# Each with what is said of it.
MISLEADING = {
    "A\u200bda": "U+200B", "A\u00adda": "U+00AD", "Ad\u2060a": "U+2060", "Ada\u2800": "U+2800", "\u202eadA": "U+202E",
    "Ada\u200e": "U+200E", "Ada\u2066": "U+2066", "Ada\ufeff": "U+FEFF", "A\u200dda": "U+200D", "A\u034fda": "U+034F",
    "Ada\ufe0f": "U+FE0F", "Ada\u3164": "U+3164", "Ada\U000e0041": "U+E0041", "\u0410da": "Cyrillic and Latin",
    "Ad\u0430 Lee": "Cyrillic and Latin", "\u0391da": "Greek and Latin", "\uff21\uff44\uff41": "write Ada",
    "\U0001d400da": "write Ada", "ben@example.com": "e-mail address",
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_a_name_of_a_person_is_accepted(name: str) -> None:
    refuse_misleading(name, "ada@example.com")


@pytest.mark.parametrize("name", MISLEADING)
def test_a_misleading_name_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(FieldError) as error:
        refuse_misleading(name, "ada@example.com")
    assert MISLEADING[name] in error.value.reason
    assert error.value.field == "name"


def test_look_alike_names_count_as_the_same() -> None:
    alike = (
        ("Iva", "lva"),
        ("Coe", "\u0421\u043e\u0435"),
        ("O'Brien", "O\u2019Brien"),
        ("Ada", "ADA"),
        ("Bill", "Bi\u0307ll"),
        ("Bob", "B0b"), ("Bob", "b0B"), ("BOB", "b0b"), ("Bill", "B1ll"), ("Bill", "Bi11"), ("BILL", "B1LL"),
        ("Bill", "Bi||"), ("Ian Burr", "lan burr"), ("Iva", "1va"), ("Lee", "1ee"),
        *(("Bob Burr", name) for name in ("BobBurr", "Bob-Burr", "Bob  Burr", "bob burr.", "B. O. B. Burr")),
        ("!?", "!?"),
    )  # fmt: skip
    different = (
        ("José", "Jose"), ("Müller", "Muller"), ("Ann", "Anna"), ("Иван", "Ivan"), ("田中", "田申"), ("Ian", "Lan"),
        ("Desk 1", "Desk 11"), ("Ian Lee", "Lan Lee"), ("!?", "?!"), ("bo.lee@example.com", "bolee@example.com"),
        ("desk1@example.com", "deski@example.com"), ("Al", "Ai"), ("Mia", "Mila"),
        ("bolee", "bo.lee@example.com"),
    )  # fmt: skip
    assert [pair for pair in alike if not look_alike(*pair)] == []
    assert [pair for pair in different if look_alike(*pair)] == []


def test_full_width_letters_do_not_make_a_different_address(file_office: Office) -> None:
    anna = file_office.add()
    wide = "".join(chr(ord(char) + 0xFEE0) for char in "anna@example.com")
    assert Email().read(wide, Conventions()) == "anna@example.com"
    assert file_office.sign_in(wide).user == anna.id
    for email, message in ((wide, "."), ("\u0430nna@example.com", "looks like anna@example.com")):
        with pytest.raises((FieldError, RefusedError), match=message):
            file_office.add(email, "staff", name="Another")
    # One that is there already still lets its owner in.
    old = file_office.add("old@example.com", "staff", name="Old")
    kept = {"email": "\uff4f\uff4c\uff44@example.com"}
    file_office.store.change(lambda tx: file_office.accounts.store.write(tx, old, kept), "by an older version")
    assert file_office.sign_in(kept["email"]).user == old.id
    # Letters of ASCII are told apart by whoever reads them.
    assert file_office.add("arnie@example.com", "staff") != file_office.add("amie@example.com", "staff", name="Amy")


def test_an_existing_name_is_checked_when_it_is_changed(file_office: Office) -> None:
    file_office.add()
    bo = file_office.add("bo@example.com", "staff")
    kept = {"name": "B\u200bo"}
    with pytest.raises(FieldError):
        file_office.accounts.administration.edit(bo, **kept)
    file_office.store.change(lambda tx: file_office.accounts.store.write(tx, bo, kept), "by an older version")
    assert file_office.sign_in("bo@example.com").name == "B\u200bo"
    assert file_office.accounts.administration.edit(file_office.user(bo), name="B\u200bo", phone="+436641234567").phone
    assert file_office.accounts.administration.edit(file_office.user(bo), name="Bo").name == "Bo"


def test_a_name_that_looks_like_a_colleagues_is_refused_everywhere(file_office: Office) -> None:
    file_office.add()
    file_office.add("bob@example.com", "staff", name="Bob Burr")
    bo = file_office.add("bo@example.com", "staff")
    accounts = file_office.accounts
    for name in ("B0b Burr", "BobBurr", "Bob-Burr", "bob burr."):
        for given in (
            lambda name=name: file_office.add("new@example.com", "staff", name=name),
            lambda name=name: accounts.administration.add_named(name),
            lambda name=name: accounts.administration.edit(file_office.user(bo), name=name),
            lambda name=name: file_office.acting(bo).administration.edit_profile(bo.id, name=name),
            lambda name=name: accounts.administration.vouch(file_office.user(bo), role="staff", name=name),
            lambda name=name: accounts.recovery.recover("bo@example.com", name),
        ):
            with pytest.raises(FieldError, match="Bob Burr"):
                given()
    assert file_office.user(bo).name == "Bo"
    # One that is there already goes on working, and is judged where somebody comes to the team with it.
    file_office.store.change(lambda tx: accounts.store.write(tx, bo, {"name": "B0bBurr"}), "by an older version")
    assert file_office.sign_in("bo@example.com").name == "B0bBurr"
    assert accounts.administration.edit(file_office.user(bo), phone="+436641234567", role="admin").role == "admin"
    assert accounts.administration.edit(file_office.user(bo), role="staff").name == "B0bBurr"
    accounts.administration.switch([file_office.user(bo)], active=False)
    with pytest.raises(FieldError, match="B0bBurr looks like Bob Burr"):
        accounts.administration.switch([file_office.user(bo)], active=True)
