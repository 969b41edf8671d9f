"""The real menu in a real browser: a day's work, and the limits of each role."""

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from pypdf import PdfReader

from crm.app import open_crm
from crm.commands.registry import named
from crm.config import Config
from crm.model import Client, Invoice, Sale, Setting, StatusRule, User
from crm.repository import Query
from tests.support.firm import set_seller
from tests.support.terminal_browser import Screen
from tests.support.whole_site import PASSWORD, WebSite, web_site
from tests.web.test_browser_sign_in import sign_in

expect.set_options(timeout=30_000)
pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]
_GRAPHICS = frozenset(" ─│━╸█▁▂▃▄▅▆▇")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    """The whole server over a store with two clients, whose terminals run the real menu."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_STORE", f"sqlite:///{folder / 'crm.sqlite3'}")
        patch.setenv("CRM_SECRET", "what protects the accounts of these tests")
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        patch.setenv("LANG", "en_US.UTF-8")
        with web_site(folder, menu="crm.browser_menu:serve") as running:
            running.add("boss", role="admin")
            running.add("staff")
            vip = StatusRule(position=1, status="VIP", when="total_spend >= 35000", active=True)
            running.repository.transact(lambda tx: tx.add(vip), "set the rules")
            # A stranger's name, for whoever may see no other client.
            running.repository.transact(lambda tx: tx.add(Client(kind="person", last_name="Zweig")), "added a client")
            yield running


Enter = Callable[..., Screen]


@pytest.fixture
def enter(chromium: Browser, site: WebSite) -> Iterator[Enter]:
    """Sign somebody in on a device of their own, as far as the terminal."""
    contexts: list[BrowserContext] = []
    screens: list[Screen] = []

    def begin(name: str, **device: object) -> Screen:
        contexts.append(chromium.new_context(base_url=site.url, accept_downloads=True, **device))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        sign_in(page, name)
        expect(page.locator("#terminal")).to_be_visible()
        page.close()
        screens.append(Screen(contexts[-1], site.url))
        return screens[-1]

    yield begin
    for context in contexts:
        context.close()
    assert [screen.complaints for screen in screens if screen.complaints] == []


def choose(screen: Screen, label: str) -> Screen:
    """Press the key that stands before an entry of a menu."""
    keys: list[str] = []

    def is_there() -> bool:
        # One look at the screen: it may be redrawn between two.
        keys[:] = re.findall(r"([\w.])\) " + re.escape(label), screen.text)
        return bool(keys)

    return screen.until(is_there, f"no such entry: {label}").press(keys[0])


def write(screen: Screen, text: str) -> Screen:
    screen.page.keyboard.type(text)
    return screen.press("Enter")


def test_a_sale_is_recorded_by_keys_and_the_status_follows(site: WebSite, enter: Enter) -> None:
    client = site.repository.transact(
        lambda tx: tx.add(Client(kind="person", first_name="Änne", last_name="Ärger 👩‍🔬 [bold]")), "added a client"
    )
    screen = choose(enter("staff"), "Sales").sees("n new").press("n").sees("Client:")
    write(screen, "anne").sees("Amount")
    write(screen, "36000").sees("Date")
    screen.press("Enter").sees("Note").press("Enter").sees("Total now")
    with site.repository.read() as snapshot:
        (sale,) = snapshot.find_all(Sale, Query({"client": client.id}))
        assert (sale.amount, snapshot.get(Client, client.id).status) == (Decimal(36000), "VIP")
        assert snapshot.history(1)[0].user == "Staff"


def test_an_export_is_downloaded_and_an_import_is_uploaded(site: WebSite, enter: Enter, tmp_path: Path) -> None:
    screen = choose(choose(enter("staff"), "Data"), "Export to a file").sees("As:")
    choose(screen, "CSV").sees("Export:")
    screen.sees(".csv")
    choose(screen, "Clients")
    with screen.page.expect_download() as offered:
        screen.page.get_by_role("link", name="Download").click()
    saved = tmp_path / "clients.csv"
    offered.value.save_as(saved)
    with saved.open(encoding="utf-8-sig", newline="") as file:
        assert "Zweig" in {row["Last name"] for row in csv.DictReader(file)}
    assert offered.value.suggested_filename.endswith(".csv")

    broken = tmp_path / "old.xls"
    broken.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 20)
    choose(screen, "Import a file").sees("Choose it in the bar “File” above")
    expect(screen.page.locator("#files .name").last).to_have_text("File")
    screen.page.set_input_files("input[type=file]", broken)
    # One that cannot be read is asked for again.
    screen.sees("old.xls is an old Excel file").press("Escape").sees("Export to a file")

    coming = tmp_path / "new.csv"
    coming.write_text("first name,last name,email,date of birth\nNeu,Einkauf,neu@example.com,\n,,alt@,1980-01-01\n")
    choose(screen, "Import a file").sees("Choose it in the bar")
    screen.page.set_input_files("input[type=file]", coming)
    choose(screen, "Continue").sees("What this import would do: new.csv")

    def imported() -> int:
        with site.repository.read() as snapshot:
            return snapshot.count(Client, Query({"email": "neu@example.com"}))

    choose(screen, "Import now").until(lambda: imported() == 1, "nothing was imported")
    # What was refused is handed over as well, with the reason.
    with screen.page.expect_download() as refused:
        screen.page.get_by_role("link", name="Download").last.click()
    assert refused.value.suggested_filename == "new-refused.csv"
    screen.sees("Imported: new.csv").sees("The refused rows are in new-refused.csv")
    # On none of these screens anything told where on the server they lie.
    assert "Imported: " in screen.shown
    for folder in ("/tmp", "/var", "/home", "/root", "crm-terminals", "upload-", str(tmp_path.parent)):
        assert folder not in screen.shown


def test_a_phone_shows_the_keys_of_each_page_and_takes_taps(enter: Enter) -> None:
    phone: Any = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    screen = enter("staff", **phone).sees("0) Exit")
    shown = screen.page.locator("#page-keys button")

    def keys() -> set[str]:
        return set(shown.all_inner_texts())

    screen.until(lambda: {"1", "q", "0", "/", "?"} <= keys(), "not the keys of the menu")
    listed = set(re.findall(r"^[ »]{3}(\S)\) ", screen.text, re.MULTILINE))
    assert {"1", "9", "0"} <= listed
    assert listed <= keys()
    screen.page.get_by_role("button", name="Quick note").tap()
    # Where a text is typed there are digits; the phone has the letters.
    screen.sees("follow up)").until(lambda: "q" not in keys(), "the keys of the page before")
    screen.page.get_by_role("button", name="Esc").tap()
    screen.sees("Clients").until(lambda: "q" in keys(), "not the keys of the menu")
    line = next(at for at, line in enumerate(screen.text.splitlines()) if ") Clients" in line)
    box = screen.page.locator(".xterm-screen").bounding_box()
    assert box
    screen.page.touchscreen.tap(box["x"] + 80, box["y"] + box["height"] / screen.size[1] * (line + 0.5))
    screen.sees("n new")


def test_the_line_under_a_title_stays_one_when_another_tab_is_narrower(enter: Enter, site: WebSite) -> None:
    screen = enter("staff", viewport={"width": 1200, "height": 800})
    choose(screen, "Clients").sees("n new").press("n").sees("A person")
    screen.press("1").sees("First name")
    narrow = Screen(screen.page.context, site.url)
    narrow.page.set_viewport_size({"width": 420, "height": 700})
    screen.until(lambda: screen.size[0] < 60, "not made narrower")
    for page in (screen, narrow):
        page.sees("First name")
        assert sum(set(line.strip()) == {"─"} for line in page.text.splitlines()) == 1


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_all_text_of_the_menu_has_enough_contrast(enter: Enter, scheme: str) -> None:
    screen = enter("staff", color_scheme=scheme).sees("Sales")
    found = screen.contrasts
    for label, key in (("Today", "e edit"), ("Clients", "n new")):
        choose(screen, label).sees(key)
        found += screen.contrasts
        screen.press("Escape").sees("0) Exit")
    screen.press("n").sees("Is this a person or a company?")
    found += screen.contrasts
    # WCAG 1.4.3, and 1.4.11 for what is no text: bars and lines.
    assert [(ratio, words) for ratio, words in found if ratio < (3 if set(words) <= _GRAPHICS else 4.5)] == []


def test_the_first_sign_in_to_an_empty_store_shows_the_welcome_page(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_STORE", f"sqlite:///{tmp_path / 'crm.sqlite3'}")
    monkeypatch.setenv("CRM_SECRET", "what protects the accounts of these tests")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with web_site(tmp_path, menu="crm.browser_menu:serve") as running:
        running.add("boss", role="admin")
        context = chromium.new_context(base_url=running.url)
        page = context.new_page()
        sign_in(page, "boss")
        expect(page.locator("#terminal")).to_be_visible()
        page.close()
        screen = Screen(context, running.url).sees("Welcome. No clients yet.").sees("Import a file")
        # What concerns the machine that the server runs on is nobody's here.
        assert "sample data" not in screen.text
        assert "Google" not in screen.text
        choose(screen, "Go to the menu").sees("Data & settings")
        context.close()


def test_a_client_sees_only_their_own_data_whatever_they_press(site: WebSite, enter: Enter) -> None:
    def change(tx: object) -> Client:
        own = tx.add(Client(kind="person", first_name="Anna", last_name="Arm", notes="haggles"))  # type: ignore[attr-defined]
        tx.add(Sale(client=own.id, amount=Decimal("12.50"), on=tx.today))  # type: ignore[attr-defined]
        return own  # type: ignore[no-any-return]

    own = site.repository.transact(change, "added a client")
    site.accounts.administration.add(
        email="anna@example.com", name="Anna", role="client", client=own.id, password=PASSWORD
    )
    screen = enter("anna").sees("Anna Arm")
    seen = screen.text
    for key in ("/", "u", "?", *"3456789", "Escape", "Control+c", "Control+z", "Control+\\", "Tab"):
        screen.press(key).page.wait_for_timeout(60)
        seen += screen.text
    choose(screen, "My purchases").sees("12.50")
    seen += screen.text
    assert "Zweig" not in seen
    assert "haggles" not in seen
    screen.press("Escape")
    choose(screen, "Exit").until(lambda: "left the program" in screen.message(), "the end is not told")


def test_a_second_factor_that_the_team_asks_for_comes_before_anything_else(site: WebSite, enter: Enter) -> None:
    site.add("late")

    def requiring(value: str) -> None:
        def change(tx: object) -> None:
            for setting in tx.find_all(Setting, Query({"key": "require_second_factor"})):  # type: ignore[attr-defined]
                tx.delete(setting)  # type: ignore[attr-defined]
            tx.add(Setting(key="require_second_factor", value=value))  # type: ignore[attr-defined]

        site.repository.transact(change, "set who needs a second factor")

    requiring("yes")
    try:
        screen = enter("late").sees("second factor").sees("Password")
        assert "Clients" not in screen.text
        # Whoever has found the session does not know it.
        write(screen, "not the password").sees("That is not your password")
        write(screen, PASSWORD).sees("An authenticator app")
        choose(screen, "An authenticator app").sees("Key:")
        screen.press("Escape").until(lambda: "left the program" in screen.message(), "one gets in without")
    finally:
        requiring("no")


def test_a_deactivated_user_is_signed_out_within_seconds(site: WebSite, enter: Enter) -> None:
    user = site.add("gone")
    screen = enter("gone").sees("Clients")
    with site.repository.read() as snapshot:
        site.accounts.administration.edit(snapshot.get(User, user.id), active=False)
    expect(screen.page.get_by_text("Your session is over").first).to_be_visible()
    screen.page.get_by_role("button", name="Sign in").click()
    expect(screen.page.get_by_label("Password")).to_be_visible()


def test_a_client_opens_its_invoices_and_gets_the_pdf_and_sees_none_of_another_client(
    site: WebSite, enter: Enter, tmp_path: Path
) -> None:
    desk = open_crm(Config(f"sqlite:///{tmp_path}/none.sqlite3", "boss"))
    with closing(desk.repository):
        crm = replace(desk, repository=site.repository)
        set_seller(crm)
        own, other = (
            named("clients add")(crm, {"company": name, "address": "Weg 1", "city": "Wien", "country": "AT"})
            for name in ("Own Ltd", "Other Ltd")
        )
        for client, line in ((own, "1 x Table 100 19%"), (other, "1 x Secret 7000 19%"), (own, "1 x Lamp 50 19%")):
            named("invoices issue")(crm, named("invoices add")(crm, client, [line]).invoice)
        named("invoices add")(crm, own, ["1 x Draft 3 19%"])
        named("payments add")(crm, own, Decimal(19))
        first, foreign, second = (invoice.number for invoice in _all(site, Invoice) if invoice.state == "issued")
    site.accounts.administration.add(
        email="own@example.com", name="Own", role="client", client=own.id, password=PASSWORD
    )
    screen = choose(enter("own"), "My invoices").sees(first).sees(second).sees("part paid")
    screen.press("ArrowDown").press("Enter").sees("Table").sees("Open").sees("100.00")
    choose(screen, "Make a PDF")
    with screen.page.expect_download() as offered:
        screen.page.get_by_role("link", name="Download").click()
    assert offered.value.suggested_filename == f"{first}.pdf"
    offered.value.save_as(tmp_path / "own.pdf")
    printed = PdfReader(tmp_path / "own.pdf").pages[0].extract_text()
    assert (first in printed, "Own Ltd" in printed, "Secret" in printed) == (True, True, False)
    screen.press("Escape").sees("My invoices").press("Escape").sees("Statement of my account")
    choose(screen, "My payments").sees("19.00").press("Escape").sees("Statement of my account")
    choose(screen, "Statement of my account").sees("159.50").sees(second)
    # On none of the pages stood another client, its invoice or its sum, nor a draft.
    for hidden in ("Other Ltd", foreign, "8,330", "Secret", "Draft"):
        assert hidden not in screen.shown


def _all(site: WebSite, kind: Any) -> list[Any]:
    with site.repository.read() as snapshot:
        return list(snapshot.find_all(kind, Query(sort="id")))
