"""The shell of billing: each command of the contract with each of its options, on a file and on a spreadsheet."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from crm.repository.sheets.google import rate_limit
from tests.conftest import google
from tests.support.command_line import CommandLine, on_a_new_store
from tests.support.mail_server import Post, served
from tests.support.servers import authority, post
from tests.support.twilio import FROM, Twilio, standing_in

__all__ = ["authority", "post"]
_TEAM = {
    "company_name": "Example Ltd", "company_address": "Street 1", "company_city": "Berlin", "country": "DE",
    "company_postcode": "10115", "vat_id": "DE123456789", "currency": "EUR", "iban": "DE02120300000000202051",
    "company_email": "us@example.com", "company_phone": "+49 30 1234567", "language": "en",
}  # fmt: skip
_INVOICE = (
    "id", "number", "kind", "state", "client", "issued_on", "due_on", "currency", "lines", "taxes", "net", "tax",
    "total", "paid", "credited", "open",
)  # fmt: skip
_LINE = ("position", "name", "quantity", "price", "tax_category", "tax_rate", "net")
_TAX = ("category", "rate", "base", "tax")

# Each line is a command, with what is further in below it, and after the arrow what its JSON says: names with their
# values, of a list those of its first row.
# 2026-11-21 is today.
_PLAYED = """
services add Consulting --price 100 --unit HUR --tax-rate 19 --tax-category S --period monthly -> name=Consulting
services add Hosting --price 11.9 --unit C62 --tax-rate 19 --gross -> gross=true
services list -> name=Consulting
services show Consulting -> unit=HUR
services edit Consulting --price 110 -> price=110.00
services retire Hosting -> active=false
invoices add Acme --line "3 h Consulting 100" --line "1 x Table 50 7%" --discount 10% --currency EUR
    -> id=1 state=draft total=369.45
invoices add Acme --line "1 x Gift 11.90 19%" --discount 1 --gross -> id=2 total=10.90 net=9.16
invoices list -> id=2 state=draft
invoices show 1 -> number= net=315.00 tax=54.45
invoices edit 1 --notes "Thank you" -> notes="Thank you"
invoices copy 1 -> id=3 total=369.45
invoices delete 3 --yes -> id=3
invoices lines add 1 --name Item --quantity 200 --price 5 --basis 100 --unit C62 --discount 1 --discount 0.5
    --charge 0.25 --tax-category S --tax-rate 19
    -> total=378.82
invoices lines edit 1 3 --quantity 100 -> total=373.46
invoices lines move 1 3 1 -> total=373.46
invoices lines remove 1 1 -> total=369.45
invoices adjustments add 1 --charge 5 --tax-category S --tax-rate 19 --reason Postage -> total=375.40
invoices adjustments add 1 --discount 1% --reason Loyal -> total=371.30
invoices adjustments list 1 -> percent=10.00
invoices adjustments remove 1 5 -> total=375.40
invoices issue 1 --on 2026-11-20 --due 2026-12-04
    -> number=RE-2026-0001 state=sent issued_on=2026-11-20 due_on=2026-12-04
invoices issue 2 -> number=RE-2026-0002
invoices list --state sent --client Acme --number 0001 --since 2026-11-01 --until 2026-11-30 --over 100
    --under 900 --sort total
    -> number=RE-2026-0001
payments add Acme 100 --method cash --on 2026-11-20 --reference first --invoice RE-2026-0001 -> left=0.00
invoices show RE-2026-0001 -> state="part paid" paid=100.00 open=275.40
invoices credit RE-2026-0001 --line 2 --reason broken -> number=GS-2026-0001 kind=credit_note total=48.15
invoices credit RE-2026-0001 --amount 26.98 -> number=GS-2026-0002 total=26.98
invoices pdf RE-2026-0001 --to a.pdf -> number=RE-2026-0001
invoices xml RE-2026-0001 --format factur-x --to a.xml -> number=RE-2026-0001
invoices xml RE-2026-0001 --format xrechnung-cii --to b.xml -> number=RE-2026-0001
invoices xml RE-2026-0001 --format xrechnung-ubl --to c.xml -> number=RE-2026-0001
invoices xml RE-2026-0001 --format peppol --to d.xml -> number=RE-2026-0001
invoices check a.pdf -> file=a.pdf
invoices check d.xml -> file=d.xml
invoices send RE-2026-0001 --to pay@example.com --cc c@example.com --bcc b@example.com --template Plain --yes
    -> state=sent
payments add Acme 300 --invoice RE-2026-0001 --invoice RE-2026-0002 -> left=88.83 client_credit=88.83
payments list -> left=88.83
payments refund Acme 8.10 -> kind=refund
invoices add Beta --line "1 x Table 200 19%" -> id=6
invoices issue 6 --on 2026-11-21 --due 2026-11-21 -> number=RE-2026-0003
payments add Beta 38 --invoice RE-2026-0003 -> left=0.00
receipts send 1 --by email --yes -> state=sent
receipts send 1 --by sms --yes -> state=sent channel=sms
unpaid list -> client_name=Beta open=200.00 overdue=0.00
invoices add Acme --line "1 x Later 10 19%" -> id=7 total=11.90
invoices issue 7 -> number=RE-2026-0004 open=11.90
payments allocate 2 -> left=68.83
reminders preview
reminders promise RE-2026-0003 2026-12-24 -> promised_on=2026-12-24
reminders skip RE-2026-0003 --until 2026-12-30 -> not_before=2026-12-30
reminders run --yes -> resumed=0
statements show Acme --since 2026-01-01 -> currency=EUR
statements send Acme --yes -> state=sent
numbers show -> pattern=RE-{year}-{number:04} next=RE-2026-0005
numbers set invoice "INV-{year}-{number:04}" -> next=INV-2026-0005
services announce Consulting --all --text "A new service" --yes
services announce Consulting --all --by sms --yes
check
"""


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with standing_in() as stand_in:
        yield stand_in


@pytest.fixture(params=["file", "spreadsheet"])
def shell(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    post: Post,
    authority: trustme.CA,
    tmp_path: Path,
    twilio: Twilio,
) -> Iterator[CommandLine]:
    """The command line on a store with a mail server on loopback, two clients and a template."""
    monkeypatch.setattr(rate_limit, "PER_MINUTE", {})
    monkeypatch.chdir(tmp_path)
    with on_a_new_store(monkeypatch) as line, served(post, authority) as port:
        line.environment |= {
            "CRM_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "CRM_MAIL_FROM": "Example <us@example.com>",
            "CRM_SECRET": "x" * 40,
            "CRM_TWILIO_URL": twilio.url,
            "TWILIO_ACCOUNT_SID": "AC-stand-in",
            "TWILIO_AUTH_TOKEN": "token",
            "TWILIO_FROM": FROM,
        }
        if request.param == "spreadsheet":
            stand_in = google()
            spreadsheet = stand_in.make("Team")
            line.environment |= {
                "CRM_STORE": f"sheets://{spreadsheet}",
                "CREDS": json.dumps(stand_in.credentials()),
                "CRM_GOOGLE_URL": stand_in.url,
            }
            assert line("sheets", "setup", spreadsheet, "--yes").code == 0
        for name, value in _TEAM.items():
            line.did("settings", "set", name, value)
        for name, mail in (("Acme", "acme@example.com"), ("Beta", "")):
            address = ("--address", "Weg 1", "--city", "Wien", "--postcode", "1010", "--country", "AT")
            also = (
                "--email",
                mail,
                "--phone",
                "+436641234567",
                "--marketing-consent",
                "--tax-id",
                "ATU12345678",
                "--buyer-reference",
                "P-7",
            )
            line.did("clients", "add", "--company", name, *address, *(also if mail else ()))
        line.did("templates", "add", "Plain", "--subject", "Your invoice", "--body", "Dear {name}")
        yield line


@pytest.mark.slow
def test_every_billing_command_works_as_in_the_contract(shell: CommandLine, post: Post, twilio: Twilio) -> None:
    for line in _PLAYED.replace("\n    ", " ").strip().splitlines():
        command, _, expected = line.partition(" -> ")
        answer = shell(*shlex.split(command), "--json")
        assert answer.code == 0, (line, answer.err)
        answered = answer.json
        if command.startswith(("invoices add", "invoices issue", "invoices show", "invoices credit")):
            assert [name for name in _INVOICE if name not in answered] == [], command
            assert [name for name in _LINE if name not in answered["lines"][0]] == [], command
            assert [name for name in _TAX if name not in answered["taxes"][0]] == [], command
        row = answered[0] if isinstance(answered, list) and answered else answered
        for word in shlex.split(expected):
            name, _, value = word.partition("=")
            assert json.dumps(row[name]).strip('"') == value, (line, row)
    invoice = shell.did("invoices", "show", "RE-2026-0001")
    assert (invoice["state"], invoice["open"], invoice["credited"]) == ("paid", "0.00", "75.13")
    subjects = [str(mail["Subject"]) for mail in post.taken]
    assert [subject.split()[0] for subject in subjects] == ["Your", "Receipt", "Statement", "New:"]
    # What was sent by SMS is not sent again.
    for again in ("receipts send 1 --by sms", "services announce Consulting --all --by sms"):
        assert shell(*again.split(), "--yes").code == 1
    texts = [body["Body"][0] for _, _, body in twilio.asked]
    assert [text.split()[0] for text in texts] == ["Thank", "New"]
