"""A firm with two clients and an account of each role, and arguments for each command."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm.accounts import SignedIn
from crm.commands.context import CRM
from crm.commands.data.settings import write_settings
from crm.commands.registry import Command, commands
from crm.errors import CRMError
from crm.model import Client, Invoice, OptOut, Sale, SignIn, StatusRule, User
from crm.model.encoding import plain
from crm.model.rights import SECRET
from crm.repository import Query
from tests.commands.conftest import Office
from tests.support.clocks import TODAY
from tests.support.guarded import FOREIGN, INTERNAL
from tests.support.mail_server import free_port

# What a team says of itself before it issues an invoice.
SELLER = {
    "company_name": "Us Ltd", "company_address": "Street 1", "company_city": "Berlin", "country": "DE",
    "vat_id": "DE123456789", "currency": "EUR", "iban": "DE89370400440532013000",
}  # fmt: skip
ROLES = ("admin", "staff", "client")


def set_seller(crm: CRM) -> None:
    """Fill in SELLER as one change: a command for each of them takes ten times as long."""
    crm.transact(lambda tx: write_settings(tx, SELLER), "filled in the company")
    crm.forget_settings()


@dataclass
class Firm:
    """An office with two clients and an account of each role, all signed in; `own` is the client of the account
    'client'. What it does itself it does as the owner of the machine."""

    office: Office
    own: Client = field(init=False)
    other: Client = field(init=False)
    crms: dict[str, CRM] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    _everything: list[Any] = field(default_factory=list)
    _read_at: Any = None
    _watched: tuple[int, sqlite3.Connection] | None = None

    def __post_init__(self) -> None:
        office = self.office
        office("views save", "Big", "total_spend > 1")
        self.own = self._client("Own", INTERNAL)
        self.other = self._client(FOREIGN, FOREIGN)
        office("sales add", self.own, Decimal(100), note=f"{INTERNAL} sale")
        office("sales add", self.other, Decimal("76543.21"), note=f"{FOREIGN} sale")
        for role in ROLES:
            client = self.own if role == "client" else None
            phone = f"+43660765432{ROLES.index(role)}"
            added = office("users add", f"{role}@example.com", f"{role.title()} Person", role, phone, client=client)
            self.passwords[role] = added.password
        for role in ROLES:
            who = office.crm.accounts.open().authentication.sign_in(
                f"{role}@example.com", self.passwords[role], device=f"of {role}"
            )
            assert isinstance(who, SignedIn)
            self.crms[role] = office.crm.enter(office.crm, who)
            with office.crm.read() as snapshot:
                self.users[role] = snapshot.get(User, who.user)
                self.sign_ins[role] = snapshot.get(SignIn, who.session)

    def _client(self, name: str, mark: str) -> Client:
        return self.office.add(
            first_name="Olga", last_name=name, email=f"{name}@example.com".lower(), reference=f"R-{name}", tags=(mark,),
            notes=f"{mark} notes", owner=f"{mark} owner", source=f"{mark} source", extra={"size": f"{mark} extra"},
            date_of_birth=TODAY.replace(year=1980) + timedelta(days=2),
        )  # fmt: skip

    def new(self) -> Client:
        """One more client of others'."""
        return self.office.add(last_name=f"{FOREIGN} new", notes=f"{FOREIGN} notes")

    def edited(self) -> int:
        """The number of a change to a client of others'."""
        self.office("clients edit", self.new(), {"city": "Linz"})
        last: int = self.office("history list", 1)[0].id
        return last

    def named_change(self) -> str:
        """The name of a change to a client of others'."""
        client = self.new()

        def change(tx: Any) -> str:
            tx.change(tx.get(Client, client.id), city="Linz")
            return str(tx.uid)

        return self.office.crm.repository.transact(change, "moved a client")

    def undone(self) -> dict[str, Any]:
        """Something of others' was undone; what a redo takes: nothing."""
        self.office("history undo", self.edited())
        return {}

    def new_user(self) -> User:
        """Another account, of nobody who is signed in, as it is now."""
        if "other" not in self.users:
            self.office("users add", "other@example.com", "Other Person", "staff")
        with self.office.crm.read() as snapshot:
            (self.users["other"],) = snapshot.find_all(User, Query({"email": "other@example.com"}))
        return self.users["other"]

    def sale(self) -> Sale:
        """One more sale to somebody else."""
        sold: Sale = self.office("sales add", self.other, Decimal(7), note=f"{FOREIGN} sale").sale
        return sold

    def rule(self) -> StatusRule:
        """The first of the rules."""
        first: StatusRule = self.office("rules list")[0]
        return first

    def everything(self) -> list[Any]:
        """All that is in the store; read again only where something was written since."""
        written = self._written()
        if written is None or written != self._read_at:
            self._everything, self._read_at = self.office.everything(), written
        return self._everything

    def _written(self) -> Any:
        """A fingerprint that changes with every write to the file; None if the store is not a file."""
        path = self.office.crm.config.store.removeprefix("sqlite:///")
        if not Path(path).is_file():
            return None
        file = Path(path).stat().st_ino
        if self._watched is None or self._watched[0] != file:
            if self._watched is not None:
                self._watched[1].close()
            self._watched = file, sqlite3.connect(path)
        return file, self._watched[1].execute("PRAGMA data_version").fetchone()

    def close(self) -> None:
        if self._watched is not None:
            self._watched[1].close()

    def personal(self, role: str) -> list[str]:
        """Personal data that a role must not see: e-mail addresses and phone numbers of other accounts, and for clients
        also their names."""
        with self.office.crm.read() as snapshot:
            others = [user for user in snapshot.find_all(User) if user.id != self.users[role].id]
        hidden = {"admin": (), "staff": ("email", "phone"), "client": ("email", "phone", "name")}[role]
        return [getattr(user, name) for user in others for name in hidden if getattr(user, name)]

    def secrets(self) -> set[str]:
        """The stored secrets that let people in."""
        objects = self.everything()
        return {fields[name] for kind, fields in objects for name in SECRET.get(kind, ()) if fields[name]}


# A mail server, a mailbox and Twilio that are not there just now.
OUT_OF_ORDER: Mapping[str, Any] = {
    "smtp_url": f"smtp://127.0.0.1:{free_port()}", "mail_from": "crm@example.com",
    "imap_url": f"imap://crm:secret@127.0.0.1:{free_port()}",
    "twilio_account": "AC-stand-in", "twilio_token": "a token", "twilio_from": "CRM",
    "twilio": f"http://127.0.0.1:{free_port()}",
}  # fmt: skip


@contextmanager
def new_firm(office: Office) -> Iterator[Firm]:
    """A firm in an office that is not open yet."""
    # What its commands save on this computer, other tests must not find.
    office.open(folder=office.folder / "data", **OUT_OF_ORDER)
    made = Firm(office)
    yield made
    made.close()


Given = Callable[[Firm, str], Mapping[str, Any]]


def _nothing(*_: Any) -> Mapping[str, Any]:
    return {}


def _a_file(firm: Firm, _: str) -> Mapping[str, Any]:
    return {"file": firm.office.write("new.csv", "name,city\nImported Person,Graz\n"), "as_": "clients"}


def _changes_for_all(*_: Any) -> Mapping[str, Any]:
    return {"changes": {"city": "Graz", "tags": ("seen",)}, "all_": True, "untag": ("new",), "yes": True}


def _a_backup(firm: Firm, _: str) -> Mapping[str, Any]:
    return {"file": firm.office("backup").file, "yes": True}


def _a_password(firm: Firm, role: str) -> Mapping[str, Any]:
    new = "quartz lantern muddle 77"
    return {"current": firm.passwords[role], "new": new, "again": new}


def _a_follow_up(firm: Firm, _: str) -> Mapping[str, Any]:
    """Something to do for somebody else's client."""
    added = firm.office("follow-ups add", firm.other, f"{FOREIGN} follow-up", due=TODAY, for_=f"{FOREIGN} person")
    return {"follow_up": added.follow_up}


def _a_done_one(firm: Firm, role: str) -> Mapping[str, Any]:
    return {"follow_up": firm.office("follow-ups done", **_a_follow_up(firm, role)).done.follow_up}


def _a_deal(firm: Firm, _: str) -> Mapping[str, Any]:
    """Something that somebody else's client may buy."""
    title = f"{FOREIGN} deal"
    return {"deal": firm.office("deals add", firm.other, title, Decimal(9), owner=f"{FOREIGN} person")}


def _a_closed_one(firm: Firm, role: str) -> Mapping[str, Any]:
    return {"deal": firm.office("deals lose", **_a_deal(firm, role), reason=f"{FOREIGN} reason").deal}


def _a_stage(firm: Firm, role: str) -> Mapping[str, Any]:
    return {"stage": firm.office("stages add", f"{FOREIGN} {role} {len(firm.everything())}", 30)}


def _a_contact(firm: Firm, _: str) -> Mapping[str, Any]:
    """Somebody at somebody else's client."""
    return {"contact": firm.office("contacts add", firm.other, f"{FOREIGN} contact", notes=f"{FOREIGN} notes")}


def _an_interaction(firm: Firm, _: str) -> Mapping[str, Any]:
    return {"interaction": firm.office("interactions add", firm.other, "call", f"{FOREIGN} call")}


def _a_template(firm: Firm, role: str) -> Mapping[str, Any]:
    name = f"{FOREIGN} {role} {len(firm.everything())}"
    return {"template": firm.office("templates add", name, subject=f"{FOREIGN} subject", body="Dear {name}")}


def _an_e_mail(firm: Firm, _: str) -> Mapping[str, Any]:
    """Something written to somebody else, which waits for the mail server."""
    written = firm.office("email send", firm.other, subject=f"{FOREIGN} subject", body=f"{FOREIGN} text", yes=True)
    return {"message": written.message}


def _a_cancelled_one(firm: Firm, role: str) -> Mapping[str, Any]:
    return {"message": firm.office("email cancel", **_an_e_mail(firm, role)).message}


def _a_reader(firm: Firm, _: str) -> Mapping[str, Any]:
    """Arguments for a message to a client who has agreed to it."""
    address = f"reader{len(firm.everything())}@example.com"
    reader = firm.office.add(last_name=f"{FOREIGN} reader", email=address, marketing_consent=True)
    return {"clients": [reader], "subject": f"{FOREIGN} subject", "body": f"{FOREIGN} text", "yes": True}


def _an_opt_out(firm: Firm, role: str) -> Mapping[str, Any]:
    """An address that gets no mailings."""
    address = f"lifted-by-{role}@example.net"
    with firm.office.crm.read() as snapshot:
        if not snapshot.count(OptOut, Query({"address": address})):
            firm.office("opt-outs add", address)
    return {"address": address}


def _a_key(firm: Firm, role: str) -> Mapping[str, Any]:
    """A key that is there to be revoked."""
    made = firm.office.crm.accounts.add_key(f"key of {role} {len(firm.everything())}", "mail")
    return {"key": made[0], "yes": True}


def _a_mailing(firm: Firm, role: str) -> Mapping[str, Any]:
    """A mailing that waits for the mail server."""
    return {"mailing": firm.office("mailings send", **_a_reader(firm, role)).counted.mailing}


def _a_service(firm: Firm, role: str) -> Mapping[str, Any]:
    """A service of its own."""
    return {"service": firm.office("services add", f"{FOREIGN} {role} {len(firm.everything())}", Decimal(80))}


def _a_draft(firm: Firm, _: str) -> Mapping[str, Any]:
    """The draft of an invoice of somebody else, who has all that one needs."""
    office = firm.office
    if not office.crm.settings["vat_id"]:
        set_seller(office.crm)
    client = office.add(
        last_name=f"{FOREIGN} buyer", notes=f"{FOREIGN} notes", address="Weg 1", city="Wien", country="AT"
    )
    lines = [f"3 h {FOREIGN} 100 19%", "2 x Table 49.90 7%"]
    return {"invoice": office("invoices add", client, line=lines).invoice}


def _an_issued(firm: Firm, role: str) -> Invoice:
    """An invoice that was issued."""
    issued: Invoice = firm.office("invoices issue", **_a_draft(firm, role)).invoice
    return issued


def _a_mailed(firm: Firm, role: str) -> Invoice:
    """An issued invoice of a client with an address."""
    invoice = _an_issued(firm, role)
    firm.office("clients edit", firm.office.client(invoice.client), {"invoice_email": "buyer@example.com"})
    return invoice


def _file(firm: Firm, role: str, ending: str) -> Path:
    """A file that is not there yet."""
    return firm.office.folder / f"{role}-{len(firm.everything())}{ending}"


def _an_einvoice(firm: Firm, role: str) -> Path:
    """An e-invoice that somebody sent."""
    written: Path = firm.office("invoices xml", _an_issued(firm, role), to=_file(firm, role, "-sent.xml")).file
    # It is from elsewhere, and says nothing of what others have here.
    written.write_text(written.read_text("utf-8").replace(FOREIGN, "Somebody"), "utf-8")
    return written


def _a_payment(firm: Firm, role: str) -> Mapping[str, Any]:
    """A payment that is credit, of a client who has had an invoice since."""
    draft = _a_draft(firm, role)["invoice"]
    client = firm.office.client(draft.client)
    paid = firm.office("payments add", client, Decimal(30), reference=f"{role} {len(firm.everything())}")
    firm.office("invoices issue", draft)
    return {"payment": paid.payment}


def _a_creditable(firm: Firm, role: str) -> Invoice:
    """An invoice of a client with credit, which is open."""
    draft = _a_draft(firm, role)["invoice"]
    reference = f"{role} {len(firm.everything())}"
    firm.office("payments add", firm.office.client(draft.client), Decimal(30), reference=reference)
    issued: Invoice = firm.office("invoices issue", draft).invoice
    return issued


def _a_credit(firm: Firm, role: str) -> Client:
    """A client who has paid more than was due."""
    return firm.office.client(_a_payment(firm, role)["payment"].client)


def _an_adjustment(firm: Firm, role: str) -> Mapping[str, Any]:
    """A discount on a draft."""
    draft = _a_draft(firm, role)
    card = firm.office("invoices adjustments add", **draft, discount="10%")
    return {**draft, "adjustment": card.adjustments[0]}


def _an_occasion(firm: Firm, role: str) -> Mapping[str, Any]:
    """A greeting on a day of its own, of which there are as many as are asked for."""
    number = len(firm.office("occasions list"))
    firm.office("occasions add", f"{FOREIGN} {role} {number}", f"{number + 1:02}-03", **_a_template(firm, role))
    return {"name": f"{FOREIGN} {role} {number}"}


# A day for each role, since nobody is greeted twice on one.
_DAYS = {role: f"0{at}-01" for at, role in enumerate(ROLES, start=1)}
# What each command is given, by what the shell calls it; there is no command that is not tried.
GIVEN: Mapping[str, Given] = {
    "clients add": lambda *_: {"client": {"last_name": "Added"}, "duplicate_ok": True},
    "clients search": lambda *_: {"text": FOREIGN},
    "clients list": lambda *_: {"filters": {}, "where": "total_spend > 0", "sort": "-total_spend"},
    "clients show": lambda firm, _: {"client": firm.other},
    "clients edit": lambda firm, _: {"client": firm.office.client(firm.other), "changes": {"city": "Graz"}},
    "clients delete": lambda firm, _: {"client": firm.new(), "yes": True},
    "clients edit-many": _changes_for_all,
    "clients delete-many": lambda firm, _: {"clients": [firm.new()], "yes": True},
    "clients tag": lambda firm, _: {"clients": [firm.own, firm.other], "tag": ("seen",)},
    "clients merge": lambda firm, _: {"client": firm.new(), "other": firm.new()},
    "clients pin": lambda firm, _: {"client": firm.other, "status": "Gold"},
    "views list": _nothing,
    "views save": lambda *_: {"name": "Small", "condition": "total_spend < 10"},
    "views rename": lambda firm, role: {"name": firm.office("views save", "Old", "").name, "to": f"Of {role}"},
    "views remove": lambda firm, _: {"name": firm.office("views save", "Old", "").name},
    "contacts add": lambda firm, _: {"client": firm.other, "name": "Added Contact"},
    "contacts list": _nothing,
    "contacts show": _a_contact,
    "contacts edit": lambda firm, role: {**_a_contact(firm, role), "changes": {"name": "Edited"}},
    "contacts primary": _a_contact,
    "contacts delete": lambda firm, role: {**_a_contact(firm, role), "yes": True},
    "interactions add": lambda firm, _: {"client": firm.other, "kind": "call", "subject": "Added"},
    "interactions list": _nothing,
    "interactions show": _an_interaction,
    "interactions edit": lambda firm, role: {**_an_interaction(firm, role), "changes": {"subject": "Edited"}},
    "interactions delete": lambda firm, role: {**_an_interaction(firm, role), "yes": True},
    "timeline": lambda firm, _: {"client": firm.other},
    "capture": lambda firm, _: {"line": f"call #{firm.other.id}, wants a quote, tomorrow", "yes": True},
    "sales add": lambda firm, _: {"client": firm.other, "amount": Decimal(5)},
    "sales list": _nothing,
    "sales edit": lambda firm, _: {"sale": firm.sale(), "changes": {"amount": Decimal(6)}},
    "sales undo": lambda firm, _: {"sale": firm.sale()},
    "follow-ups list": _nothing,
    "follow-ups show": _a_follow_up,
    "follow-ups add": lambda firm, _: {"client": firm.other, "what": "Added", "due": TODAY},
    "follow-ups edit": lambda firm, role: {**_a_follow_up(firm, role), "what": "Edited"},
    "follow-ups done": _a_follow_up,
    "follow-ups reopen": _a_done_one,
    "follow-ups snooze": lambda firm, role: {**_a_follow_up(firm, role), "until": TODAY + timedelta(days=7)},
    "follow-ups assign": lambda firm, role: {**_a_follow_up(firm, role), "to": "Somebody"},
    "follow-ups delete": lambda firm, role: {**_a_follow_up(firm, role), "yes": True},
    "follow-ups edit-many": lambda firm, role: {"follow_ups": [_a_follow_up(firm, role)["follow_up"]], "done": True},
    "follow-ups delete-many": lambda firm, role: {
        "follow_ups": [_a_follow_up(firm, role)["follow_up"]],
        "yes": True,
    },
    "follow-ups export": lambda firm, role: (
        _a_follow_up(firm, role)
        and {
            "file": firm.office.folder / "to-do.ics",
            "yes": True,
        }
    ),
    "deals board": _nothing,
    "deals list": lambda *_: {"all_": True},
    "deals show": _a_deal,
    "deals add": lambda firm, _: {"client": firm.other, "title": "Added"},
    "deals edit": lambda firm, role: {**_a_deal(firm, role), "changes": {"title": "Edited"}},
    "deals move": lambda firm, role: {**_a_deal(firm, role), "to": firm.office("stages list")[1]},
    "deals win": _a_deal,
    "deals lose": lambda firm, role: {**_a_deal(firm, role), "reason": "too expensive"},
    "deals reopen": _a_closed_one,
    "deals delete": lambda firm, role: {**_a_deal(firm, role), "yes": True},
    "invoices add": lambda firm, _: {"client": firm.other, "line": ["3 h Consulting 100 19%"], "discount": "10%"},
    "invoices list": _nothing,
    "invoices show": _a_draft,
    "invoices edit": lambda firm, role: {**_a_draft(firm, role), "changes": {"notes": "Thank you."}},
    "invoices copy": _a_draft,
    "invoices delete": lambda firm, role: {**_a_draft(firm, role), "yes": True},
    "invoices issue": _a_draft,
    "invoices credit": lambda firm, role: {"invoice": _an_issued(firm, role), "amount": Decimal(10)},
    "invoices lines add": lambda firm, role: {**_a_draft(firm, role), "line": "2 Chairs 49.90 7%"},
    "invoices lines edit": lambda firm, role: {**_a_draft(firm, role), "position": 1, "quantity": Decimal("2.5")},
    "invoices lines remove": lambda firm, role: {**_a_draft(firm, role), "position": 1},
    "invoices lines move": lambda firm, role: {**_a_draft(firm, role), "position": 1, "to": 2},
    "invoices adjustments add": lambda firm, role: {**_a_draft(firm, role), "charge": "5"},
    "invoices adjustments list": _a_draft,
    "invoices adjustments remove": _an_adjustment,
    "invoices pdf": lambda firm, role: {"invoice": _an_issued(firm, role), "to": _file(firm, role, ".pdf")},
    "invoices xml": lambda firm, role: {"invoice": _an_issued(firm, role), "to": _file(firm, role, ".xml")},
    "invoices qr": lambda firm, role: {"invoice": _an_issued(firm, role)},
    "invoices check": lambda firm, role: {"file": _an_einvoice(firm, role)},
    "payments add": lambda firm, role: {"client": firm.other, "amount": Decimal(20), "reference": role},
    "payments list": _nothing,
    "payments show": _a_payment,
    "payments allocate": _a_payment,
    "payments use-credit": lambda firm, role: {"invoice": _a_creditable(firm, role)},
    "payments refund": lambda firm, role: {"client": _a_credit(firm, role), "amount": Decimal(5)},
    "invoices send": lambda firm, role: {"invoice": _a_mailed(firm, role), "yes": True},
    "receipts send": lambda firm, role: {
        **_a_payment(firm, role),
        "to": ("buyer@example.com",),
        "yes": True,
    },
    "unpaid list": _nothing,
    "statements show": lambda firm, role: {"client": _a_credit(firm, role)},
    "statements send": lambda firm, role: {
        "client": _a_credit(firm, role),
        "to": ("buyer@example.com",),
        "yes": True,
    },
    "reminders preview": _nothing,
    "reminders levels list": _nothing,
    "reminders levels set": lambda *_: {"level": 1, "days": 4},
    "reminders levels remove": lambda *_: {"level": 3},
    "reminders run": lambda *_: {"yes": True},
    "reminders skip": lambda firm, role: {"invoice": _an_issued(firm, role)},
    "reminders promise": lambda firm, role: {"invoice": _an_issued(firm, role), "day": TODAY},
    "numbers show": _nothing,
    "numbers set": lambda *_: {"series": "invoice", "pattern": "R-{year}-{number}"},
    "services add": lambda _, role: {"name": f"Added by {role}", "price": Decimal("0.0825"), "unit": "HUR"},
    "services list": _nothing,
    "services show": _a_service,
    "services edit": lambda firm, role: {**_a_service(firm, role), "changes": {"tax_rate": Decimal(19)}},
    "services announce": lambda firm, role: {
        **_a_service(firm, role),
        "clients": (_a_reader(firm, role)["clients"]),
        "yes": True,
    },
    "services retire": _a_service,
    "services delete": lambda firm, role: {**_a_service(firm, role), "yes": True},
    "stages list": _nothing,
    "stages add": lambda _, role: {"name": f"Added by {role}", "probability": 40},
    "stages rename": lambda firm, role: {**_a_stage(firm, role), "to": f"Renamed by {role}"},
    "stages edit": lambda firm, role: {**_a_stage(firm, role), "probability": 60},
    "stages move": lambda firm, role: {**_a_stage(firm, role), "to": 1},
    "stages delete": _a_stage,
    "rules list": _nothing,
    "rules add": lambda *_: {"rule": "Rich when total_spend > 5"},
    "rules edit": lambda firm, _: {"rule": firm.rule(), "active": False},
    "rules move": lambda firm, _: {"rule": firm.rule(), "to": 2},
    "rules remove": lambda firm, _: {"rule": firm.rule()},
    "rules use": lambda *_: {"name": "loyalty"},
    "rules preview": lambda *_: {"rule": ["Rich when total_spend > 5"]},
    "rules apply": _nothing,
    "rules why": lambda firm, _: {"client": firm.other},
    "today": _nothing,
    "dashboard show": _nothing,
    "dashboard tiles": _nothing,
    "dashboard set": lambda *_: {"tiles": "sales by owner, agenda, birthdays"},
    "dashboard reset": _nothing,
    "agenda": _nothing,
    "email send": lambda firm, _: {"client": firm.other, "subject": "Added", "body": "Added", "yes": True},
    "email list": _nothing,
    "email show": _an_e_mail,
    "email again": _a_cancelled_one,
    "email cancel": _an_e_mail,
    "email outbox": _nothing,
    "templates add": lambda _, role: {"name": f"Added by {role}", "subject": "Hello", "body": "Dear {name}"},
    "templates list": _nothing,
    "templates show": _a_template,
    "templates preview": lambda firm, role: {**_a_template(firm, role), "client": firm.other},
    "templates edit": lambda firm, role: {**_a_template(firm, role), "changes": {"body": "Hello"}},
    "templates delete": lambda firm, role: {**_a_template(firm, role), "yes": True},
    "mailings send": _a_reader,
    "mailings list": _nothing,
    "mailings show": _a_mailing,
    "mailings resume": _a_mailing,
    "mailings cancel": lambda firm, role: {**_a_mailing(firm, role), "yes": True},
    "occasions list": _nothing,
    "occasions add": lambda firm, role: {**_a_template(firm, role), "name": f"By {role}", "on": _DAYS[role]},
    "occasions remove": _an_occasion,
    "sms fetch": _nothing,
    "bounces list": _nothing,
    "bounces clear": lambda *_: {"all_": True},
    "opt-outs list": _nothing,
    "opt-outs add": lambda _, role: {"address": f"out-{role}@example.net"},
    "opt-outs lift": lambda firm, role: {**_an_opt_out(firm, role), "reason": "asked for it"},
    "email due": _nothing,
    "email fetch": _nothing,
    "email unknown": _nothing,
    "email adopt": lambda *_: {"address": "stranger@example.com"},
    "email ignore": lambda *_: {"address": "stranger@example.com"},
    "email setup": lambda *_: {"values": {"host": "mail.example.com", "sender": "crm@example.com"}, "secret": "a word"},
    "email status": _nothing,
    "email test": _nothing,
    "email forget": _nothing,
    "mailbox setup": lambda *_: {"values": {"host": "mail.example.com", "user": "crm"}, "secret": "a word"},
    "mailbox status": _nothing,
    "mailbox test": _nothing,
    "mailbox forget": _nothing,
    "sms setup": lambda *_: {"values": {"account": "AC-stand-in", "sender": "CRM"}, "secret": "a word"},
    "sms status": _nothing,
    "sms test": _nothing,
    "sms forget": _nothing,
    "sms send": lambda firm, _: {"client": firm.other, "text": "Added", "to": "+436641234567", "yes": True},
    "reports sales": _nothing,
    "reports by": lambda *_: {"of": "client"},
    "reports growth": _nothing,
    "reports rfm": lambda *_: {"of": "cells"},
    "reports cohorts": _nothing,
    "reports funnel": _nothing,
    "reports forecast": _nothing,
    "reports lost": _nothing,
    "reports activity": _nothing,
    "reports invoiced": _nothing,
    "reports ageing": _nothing,
    "reports services": _nothing,
    "reports taxes": _nothing,
    "reports bookkeeping": _nothing,
    "import": _a_file,
    "export": lambda firm, _: {"file": firm.office.folder / "clients.csv", "yes": True},
    "history list": lambda firm, _: {"client": firm.other, "text": "sale"},
    "history show": lambda *_: {"transaction": 3},
    "history find": lambda firm, _: {"change": firm.named_change()},
    "history export": lambda firm, _: {"file": firm.office.folder / "history.csv", "yes": True},
    "history archive": lambda firm, _: {
        "file": firm.office.folder / "old.csv",
        "until": date(2020, 1, 1),
        "yes": True,
    },
    "history undo": lambda firm, _: {"transaction": firm.edited()},
    "history redo": lambda firm, _: firm.undone(),
    "check": _nothing,
    "backup": lambda firm, _: {"file": firm.office.folder / "store-copy.sqlite3"},
    "restore": _a_backup,
    "copy": lambda firm, _: {"to": f"sqlite:///{firm.office.folder}/copied.sqlite3"},
    "sheets setup": lambda *_: {"spreadsheet": "1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    "sheets connect": lambda *_: {"spreadsheet": "1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    "sheets leave": _nothing,
    "sheets repair": _nothing,
    "demo": _nothing,
    "settings list": _nothing,
    "settings set": lambda *_: {"key": "company_name", "value": "New name"},
    "keys list": _nothing,
    "keys add": lambda _, role: {"name": f"Added by {role}", "may": "mail+backup"},
    "keys revoke": _a_key,
    "users list": _nothing,
    "users add": lambda _, role: {"email": f"by-{role}@example.com", "name": "Added Person", "role": "admin"},
    "users edit": lambda firm, role: {"user": firm.users["staff" if role == "admin" else role], "role": "admin"},
    "users deactivate": lambda firm, _: {"users": [firm.new_user()]},
    "users activate": lambda firm, _: {"users": [firm.new_user()]},
    "users reset-password": lambda firm, _: {"user": firm.new_user()},
    "users reset-second-factor": lambda firm, _: {"user": firm.new_user()},
    "users vouch": lambda firm, _: {"user": firm.new_user(), "role": "staff"},
    "users sign-out": lambda firm, _: {"user": firm.new_user()},
    "users sessions": lambda firm, _: {"user": firm.users["admin"]},
    "people list": _nothing,
    "people add": lambda _, role: {"name": f"Named by {role}"},
    "profile show": _nothing,
    "profile edit": lambda _, role: {"name": f"Another {role}"},
    "profile password": _a_password,
    "profile sessions": _nothing,
    "profile end-session": lambda firm, role: {"session": firm.sign_ins["staff" if role == "client" else "client"]},
    "profile sign-out-everywhere": _nothing,
}


def result_text(result: Any) -> str:
    """All that a result says, to whichever door it is handed."""
    if isinstance(result, CRMError):
        return f"{result.sentence} {vars(result)!r}"
    return f"{json.dumps(plain(result), default=str)} {result!r}"


def command_group(number: int, groups: int) -> list[Command]:
    """One of so many groups of all commands; those that begin with one word are together, in their order."""
    by_word: dict[str, list[Command]] = {}
    for command in commands():
        by_word.setdefault(command.words.partition(" ")[0], []).append(command)
    return [command for word in list(by_word)[number::groups] for command in by_word[word]]


def outcome(call: Callable[..., Any], crm: CRM, given: Mapping[str, Any]) -> Any:
    """The result of a command, or the error that it ends with."""
    try:
        result = call(crm, **given)
        return list(result) if isinstance(result, Iterator) else result
    except CRMError as error:
        return error
