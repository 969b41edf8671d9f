"""Made-up clients, the same in every run."""

import csv
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from crm.app import open_crm
from crm.clock import running_from
from crm.commands.context import CRM
from crm.commands.data.importing import begin, run
from crm.config import Config
from crm.model import Client, Contact, Sale
from crm.repository import Transaction

TODAY = date(2026, 11, 21)
NOON = datetime.combine(TODAY, time(12), UTC)
HEADER = (
    "Customer number", "First name", "Last name", "Company", "E-mail", "Phone", "City", "Country", "Date of birth"
)  # fmt: skip

_SYLLABLES = (
    "an", "ber", "car", "dol", "el", "fin", "gar", "hol", "is", "jo", "ka", "lin", "mar", "nor", "ol", "pe", "qui",
    "ros", "sten", "tor", "ul", "van", "wil", "xen", "yor", "zim",
)  # fmt: skip
_PROVIDERS = ("gmail.com", "outlook.com", "gmx.at", "yahoo.com", "icloud.com", "web.de", "hotmail.com", "aon.at")


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """Rows of made-up clients as in a file; three in five have their mailbox at one of a few providers."""
    chance = random.Random(1)

    def word(syllables: int) -> str:
        return "".join(chance.choice(_SYLLABLES) for _ in range(syllables)).capitalize()

    for number in range(count):
        first, last, house = word(2), word(3), word(3)
        domain = chance.choice(_PROVIDERS) if chance.random() < 0.6 else f"{house}.com"
        yield (
            f"C{number:07d}",
            first,
            last,
            f"{house} Ltd" if number % 3 == 0 else "",
            f"{first}.{last}{number}@{domain}".lower(),
            f"+4366012{number % 1_000_000:06d}",
            word(2),
            chance.choice(("Austria", "Germany", "FR", "CH")),
            f"{1940 + number % 60}-{1 + number % 12:02d}-{1 + number % 28:02d}",
        )


def write_csv(path: Path, count: int) -> Path:
    """A CSV file of made-up clients."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows(count))
    return path


def crm_at(path: Path) -> CRM:
    """The CRM over a SQLite file."""
    return open_crm(Config(f"sqlite:///{path}", "benchmark", running_from(NOON)))


def store_of(folder: Path, count: int) -> Path:
    """A store with made-up clients, through the import, and some sales for each; made once a run."""
    path = folder / f"clients-{count}.sqlite3"
    if not path.exists():
        # Under another name until all is in it: a benchmark that runs out of its time leaves no half of it.
        begun = path.with_suffix(".begun")
        begun.unlink(missing_ok=True)
        crm = crm_at(begun)
        run(crm, begin(crm, write_csv(folder / f"clients-{count}.csv", count), "clients"))
        crm.transact(_sell, "made-up sales")
        crm.repository.close()
        begun.rename(path)
    return path


def store_with_contacts(folder: Path) -> Path:
    """A store with 100 000 made-up clients, each with a contact; made once a run."""
    path = folder / "contacts-100000.sqlite3"
    if not path.exists():
        # Under another name until all is in it, as above.
        begun = path.with_suffix(".begun")
        begun.unlink(missing_ok=True)
        with closing(sqlite3.connect(store_of(folder, 100_000))) as clients, closing(sqlite3.connect(begun)) as copy:
            clients.backup(copy)
        crm = crm_at(begun)
        crm.transact(contacts, "made-up contacts")
        crm.repository.close()
        begun.rename(path)
    return path


def _sell(tx: Transaction) -> None:
    """None to three sales for each client, over two and a half years."""
    chance = random.Random(2)
    count = tx.count(Client)
    for start in range(1, count + 1, 5000):
        tx.add_all(
            [
                Sale(
                    client=client,
                    on=TODAY - timedelta(days=chance.randrange(900)),
                    amount=Decimal(chance.randrange(100, 2_000_000)).scaleb(-2),
                )
                for client in range(start, min(start + 5000, count + 1))
                for _ in range(client % 4)
            ]
        )


def contacts(tx: Transaction) -> None:
    """One contact for each client, with an e-mail address and a telephone number."""
    chance = random.Random(3)

    def word(syllables: int) -> str:
        return "".join(chance.choice(_SYLLABLES) for _ in range(syllables))

    count = tx.count(Client)
    for start in range(1, count + 1, 5000):
        people = [(client, word(2), word(2)) for client in range(start, min(start + 5000, count + 1))]
        tx.add_all(
            [
                Contact(
                    client=client,
                    name=f"{first} {last}".title(),
                    email=f"{first}.{last}@{chance.choice(_PROVIDERS)}",
                    phone=f"+43699{client:08d}",
                    is_primary=True,
                )
                for client, first, last in people
            ]
        )
