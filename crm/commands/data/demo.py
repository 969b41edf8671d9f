"""Sample data to try things out on: a made-up small company, in a store of its own."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm.commands.client_selection import pluralize
from crm.commands.context import CRM, open_other
from crm.commands.data.sample_bills import SELLER, add_bills
from crm.commands.data.sample_data import add_activity
from crm.commands.data.settings import write_settings
from crm.commands.record_counts import record_words
from crm.commands.registry import ONLY_ADMIN, command
from crm.config import sample_file, sample_store
from crm.errors import CRMError
from crm.model import (
    BY_NAME,
    TIME_ZONE,
    Client,
    Contact,
    Conventions,
    Deal,
    FollowUp,
    Interaction,
    Invoice,
    Message,
    Payment,
    Sale,
    Service,
    View,
)
from crm.repository import Query, Transaction
from crm.wording import FEW

COMPANY = "Wickerby & Daughters, fine furniture"
_CLIENTS = 60
# What a person adds, and does not only follow from it.
_ONES_OWN = frozenset(
    kind.kind_name for kind in (Client, Contact, Sale, Deal, Interaction, FollowUp, Message, Invoice, Payment, Service)
)
_SEED = 1871


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The store with the sample data: its URL and file, and what is in it."""

    url: str
    file: Path
    clients: int
    sales: int


# The sample is written as the team writes, and its days are the team's.
_LIKE_THE_TEAM = ("language", "currency", "country", TIME_ZONE)


@command(
    "demo",
    title="Try it on sample data",
    menu="backups",
    hint="A separate store to try things in",
    roles=ONLY_ADMIN,
    here=True,
    own_store=True,
)
def demo(crm: CRM) -> DemoReport:
    """Make a separate store with sample data of a small company, to try everything out; your data stays unchanged."""
    sample = open_other(crm, sample_store(crm.config.folder))
    try:
        if sample.repository.is_untouched():
            # Marked before it is filled: a store of sample data is never taken for a real one.
            sample.repository.set_fact("sample", "yes")
            own = {"company_name": COMPANY, **SELLER, **{name: crm.settings[name] for name in _LIKE_THE_TEAM}}
            sample.transact(lambda tx: _fill(tx, sample.with_settings(own), own, crm.conventions), "made sample data")
        with sample.read() as snapshot:
            return DemoReport(
                sample.repository.url,
                sample_file(crm.config.folder),
                snapshot.count(Client),
                snapshot.count(Sale),
            )
    finally:
        sample.repository.close()


def sample_clients(crm: CRM) -> int | None:
    """The number of clients in the sample data; None where there is none."""
    if not sample_file(crm.config.folder).exists():
        return None
    try:
        sample = open_other(crm, sample_store(crm.config.folder))
    except CRMError:
        # A damaged file is nothing to go on with; making the sample says what is wrong with it.
        return None
    try:
        if not is_sample(sample):
            return None
        with sample.read() as snapshot:
            return snapshot.count(Client)
    except CRMError:
        return None
    finally:
        sample.repository.close()


def is_sample(crm: CRM) -> bool:
    """Return whether the store holds sample data."""
    return crm.repository.fact("sample") == "yes"


def made_sample(crm: CRM, transaction: int) -> bool:
    """Return whether a transaction is the one that made the sample data: the first of its store, which is not taken
    back."""
    return transaction == 1 and is_sample(crm)


def deletion_notice(sample: CRM) -> str:
    """A warning of what is deleted with the sample data, in sentences: how much of it, and what somebody has added to
    it."""
    by = sample.conventions
    with sample.read() as snapshot:
        # The first transaction made the sample. What it made and an undo brought back is not somebody's own.
        created: dict[tuple[str, int], int] = {}
        for change in snapshot.each_change():
            if change.operation == "create":
                created[change.record, change.record_id] = change.transaction
        added = [
            (kind, number)
            for (kind, number), transaction in created.items()
            if transaction > 1 and kind in _ONES_OWN and snapshot.numbers(BY_NAME[kind], Query({"id": number}))
        ]
        clients = [number for kind, number in added if kind == Client.kind_name][:FEW]
        names = [client.name for client in snapshot.find_all(Client, Query({"id": clients}))] if clients else []
        count = pluralize(snapshot.count(Client), "client", "clients", by)
        sales = pluralize(snapshot.count(Sale), "sale", "sales", by)
    sentence = f"This deletes the sample data for good: {count} and {sales}."
    return f"{sentence} You added of these: {record_words(added, names, by)}." if added else sentence


def throw_away(sample: CRM) -> None:
    """Delete the store of the sample data, and nothing else."""
    if not is_sample(sample):
        return
    sample.repository.close()
    path = Path(sample.repository.url.removeprefix("sqlite:///"))
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


_FIRST_NAMES = (
    "Ada", "Bruno", "Chiara", "Dov", "Edith", "Femi", "Greta", "Hamid", "Ines", "Jonas", "Katrin", "Luca",
    "Mirela", "Noor", "Otto", "Petra", "Quentin", "Rosa", "Sven", "Tamar", "Ulla", "Viktor", "Wanda", "Yusuf",
)  # fmt: skip
_LAST_NAMES = (
    "Abendroth", "Bellweather", "Castellan", "Dunmore", "Eschbach", "Fenwick", "Galanis", "Hollister", "Ivarsson",
    "Jessop", "Kestrel", "Lindqvist", "Marchetti", "Norwood", "Okonjo", "Pellegrin", "Quist", "Rosenthal",
    "Sandoval", "Thornbury", "Ulrich", "Vasquez", "Wetherby", "Zielinski",
)  # fmt: skip
_COMPANIES = ("Hotel Seeblick", "Larkspur Café", "Notary Brandt", "Studio Meridian", "The Reading Room", "Villa Aurora")
_CITIES = (("Vienna", "AT"), ("Graz", "AT"), ("Munich", "DE"), ("Zurich", "CH"), ("Trieste", "IT"), ("London", "GB"))
_PIECES = (
    "oak table",
    "walnut chairs",
    "bookcase",
    "writing desk",
    "linen cupboard",
    "bench",
    "restoration",
    "bed frame",
)
_SOURCES = ("recommendation", "fair", "website", "shop window")


def _fill(tx: Transaction, sample: CRM, own: Mapping[str, str], by: Conventions) -> None:
    """Clients, two years of sales and a desk full of work, the same on every machine but for the dates, which end
    today, and for who does it."""
    chance, today = random.Random(_SEED), by.today
    write_settings(tx, own)
    tx.add(View(name="Best clients", condition="spend_last_365_days >= 10000", sort="-total_spend"))
    tx.add(View(name="Sleeping", condition="days_since_last_sale > 180", sort="last_sale_on"))
    ids = tx.add_all([_client(chance, number, today) for number in range(_CLIENTS)])
    sales = [sale for client in ids for sale in _sales(chance, client, by)]
    sales.sort(key=lambda sale: sale.on)
    tx.add_all(sales)
    clients = tx.find_all(Client, Query({"id": list(ids)}))
    add_activity(tx, chance, clients, today, sample.me)
    add_bills(sample, tx, clients, today)


def _client(chance: random.Random, number: int, today: date) -> Client:
    city, country = chance.choice(_CITIES)
    common: dict[str, Any] = {
        "reference": f"W-{1001 + number}",
        "city": city,
        "country": country,
        "source": chance.choice(_SOURCES),
        "tags": tuple(sorted(chance.sample(("newsletter", "trade", "loyal", "gift"), chance.choice((0, 0, 1, 2))))),
        "marketing_consent": chance.random() < 0.5,
    }
    if number < len(_COMPANIES):
        company = _COMPANIES[number]
        return Client(kind="company", company=company, email=f"office{number}@example.com", **common)
    first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
    born = today - timedelta(days=chance.randrange(24 * 365, 80 * 365))
    if number % 12 == 0:
        # A few birthdays lie within the next two weeks, whatever day it is.
        ahead = today + timedelta(days=number % 11)
        born = date(born.year, ahead.month, min(ahead.day, 28))
    email = f"{first}.{last}{number}@example.com".lower()
    return Client(kind="person", first_name=first, last_name=last, date_of_birth=born, email=email, **common)


def _sales(chance: random.Random, client: int, by: Conventions) -> list[Sale]:
    """Two years of sales to a client; one in ten is an account that furnishes whole houses."""
    large = client % 10 == 1
    count = chance.randrange(8, 16) if large else chance.choice((0, 1, 1, 2, 3, 4, 6, 9))
    scale = 3600 if large else chance.choice((180, 420, 900, 1700))
    made = []
    for _ in range(count):
        amount = by.rounded(Decimal(str(chance.lognormvariate(0, 0.6) * scale)))
        on = by.today - timedelta(days=int(730 * chance.random() ** 1.3))
        made.append(Sale(client=client, on=on, amount=amount, note=chance.choice(_PIECES)))
    return made
