"""The terminal's page in a real Chromium."""

import binascii
import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import wcwidth
from playwright.sync_api import Browser, expect
from rich.cells import cell_len

from crm.web.terminals import Terminals
from tests.support.sample_menu import WIDE
from tests.support.terminal_browser import Line, Screen
from tests.support.terminal_server import TerminalServer

expect.set_options(timeout=30_000)
pytestmark = [pytest.mark.slow, pytest.mark.end_to_end, pytest.mark.in_turn]

_FIRST = 1_000
# Where widths change from one character to the next; elsewhere every hundredth is looked at.
_SCRIPTS = (
    range(0x20, 0x3400), range(0x4DB0, 0x4E10), range(0xA000, 0xAC00), range(0xD7A0, 0xD800), range(0xF900, 0x13500),
    range(0x16000, 0x19200), range(0x1AFF0, 0x1B300), range(0x1BC00, 0x1FC00), range(0xE0000, 0xE1000),
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TerminalServer]:
    """A server for all of these tests."""
    terminals = Terminals("tests.support.sample_menu:serve", most=100, most_each=100)
    with TerminalServer(terminals, tmp_path_factory.mktemp("uploads")).running() as running:
        yield running


Open = Callable[..., Screen]


@pytest.fixture
def device(chromium: Browser, server: TerminalServer) -> Iterator[Open]:
    """Open tabs of one device, in a sign-in of this test alone."""
    sessions = itertools.count(_FIRST)
    contexts: list[Any] = []
    shown: list[Screen] = []

    def open_tab(another: Screen | None = None, port: int = 0, **device: Any) -> Screen:
        if another is None:
            address = f"http://127.0.0.1:{port or server.port}/"
            contexts.append(chromium.new_context(**{"viewport": {"width": 900, "height": 560}, **device}))
            contexts[-1].add_cookies([{"name": "session", "value": str(next(sessions)), "url": address}])
        else:
            address = another.page.url
        shown.append(Screen(another.page.context if another else contexts[-1], address))
        return shown[-1].sees("Sample menu")

    yield open_tab
    for context in contexts:
        context.close()
    server.end_all()
    assert [words for screen in shown for words in screen.complaints] == []


def pid(screen: Screen) -> str:
    """The process ID of the menu."""
    found = re.search(r"Sample menu (\d+)", screen.text)
    assert found
    return found[1]


@pytest.mark.whole
def test_the_menu_appears_and_keys_reach_it(device: Open) -> None:
    screen = device()
    screen.press("k").sees("key 'k'").press("ArrowUp").sees(r"key '\x1b[A'")
    screen.press("Escape").sees(r"key '\x1b'").press("F5").sees(r"key '\x1b[15~'")
    screen.press("Control+c").sees(r"key '\x03'").press("Tab").sees(r"key '\t'").press("Enter").sees(r"key '\r'")
    assert screen.message() == ""


def test_the_terminal_fills_the_window_and_follows_it(device: Open) -> None:
    screen = device(viewport={"width": 1200, "height": 800})
    columns, lines = screen.size
    assert columns > 120
    assert lines > 40
    screen.press("z").sees(f"size {columns}x{lines}")
    screen.page.set_viewport_size({"width": 600, "height": 400})
    screen.until(lambda: screen.size[0] < columns, "not made smaller")
    screen.sees(f"size {screen.size[0]}x{screen.size[1]}")


def test_ctrl_c_copies_a_selection_and_ctrl_v_pastes(device: Open) -> None:
    screen = device(permissions=["clipboard-read", "clipboard-write"])
    screen.terminal("terminal.select(0, 0, 11)")
    screen.press("Control+c")
    assert screen.page.evaluate("() => navigator.clipboard.readText()") == "Sample menu"
    screen.until(lambda: not screen.terminal("terminal.hasSelection()"), "still selected")
    assert r"\x03" not in screen.text
    # No key can be hidden in what is pasted.
    screen.page.evaluate("() => navigator.clipboard.writeText('zwei\\x1b[201~\\x03drei')")
    screen.press("Control+v").sees(r"key '\x1b[200~zwei[201~drei\x1b[201~'")


def test_a_megabyte_is_pasted_whole(device: Open) -> None:
    screen = device()
    text = ("abcdefghijklmnopqrstuvwxyz" * 40_330)[: 1 << 20]
    screen.press("t").sees("taking")
    screen.terminal("terminal.paste('abcdefghijklmnopqrstuvwxyz'.repeat(40_330).slice(0, 1 << 20))")
    screen.press("Control+d").sees(f"took {len(text)} {binascii.crc32(text.encode())}")


def test_wide_characters_take_the_cells_that_python_counts(device: Open) -> None:
    screen = device()
    screen.press("w").sees("नमस्ते|")
    lines = screen.text.splitlines()
    for width in WIDE:
        row = next(at for at, line in enumerate(lines) if line == f"{width}|")
        cell = f"terminal.buffer.active.getLine(terminal.buffer.active.viewportY + {row}).getCell({cell_len(width)})"
        assert screen.terminal(f"{cell}?.getChars()") == "|", ascii(width)


def test_every_character_is_as_wide_as_in_python(device: Open) -> None:
    """All those of which Python's two tables say the same. Of the sign that asks for a picture xterm.js knows
    more when it stands alone, and the same after what it belongs to."""
    screen = device()
    plain = {*range(0x7F, 0xA0), 0xFE0F, *range(0xD800, 0xE000)}
    known = [code for some in _SCRIPTS for code in some if code not in plain]
    known += [code for code in range(0x3000, 0xF0000, 101) if code not in plain]
    wide = {code: cell_len(f"a{chr(code)}") for code in known}
    wide = {code: width for code, width in wide.items() if width == wcwidth.wcswidth(f"a{chr(code)}")}
    assert len(wide) > 40_000
    measure = "words.map((code) => terminal._core.unicodeService.getStringCellWidth('a' + String.fromCodePoint(code)))"
    shown = screen.page.evaluate(
        f"(words) => import('/assets/terminal.js').then(({{terminal}}) => {measure})", list(wide)
    )
    assert [hex(code) for code, width in zip(wide, shown, strict=True) if wide[code] != width] == []


def test_a_reload_shows_the_same_menu_and_screen(device: Open) -> None:
    screen = device()
    menu = pid(screen)
    screen.press("k").sees("key 'k'")
    before = screen.text
    screen.page.reload()
    screen.sees("key 'k'")
    assert screen.text == before
    assert pid(screen) == menu


def test_a_restored_network_shows_the_same_screen_within_a_second(device: Open, server: TerminalServer) -> None:
    with Line(server.port).running() as line:
        screen = device(port=line.port)
        menu = pid(screen)
        screen.press("k").sees("key 'k'")
        before = screen.text
        line.cut()
        screen.until(lambda: "Not connected" in screen.message(), "nothing said of the network")
        # What is typed into the void must not arrive later.
        screen.press("u", "v")
        screen.page.wait_for_timeout(1500)
        line.repair()
        mended = time.monotonic()
        screen.until(lambda: not screen.message(), "not connected again")
        # It tries once a second, and after a long time each five seconds.
        assert time.monotonic() - mended < 4
        assert screen.text == before
        assert pid(screen) == menu
        screen.press("l").sees("key 'l'")
        assert "key 'u" not in screen.text
        screen.page.close()


def test_a_device_that_knows_it_is_offline_says_so_and_comes_back_at_once(device: Open) -> None:
    screen = device()
    screen.page.context.set_offline(True)
    screen.until(lambda: "Not connected" in screen.message(), "nothing said of the network")
    screen.press("u")
    screen.page.wait_for_timeout(300)
    screen.page.context.set_offline(False)
    back = time.monotonic()
    screen.until(lambda: not screen.message(), "not connected again")
    assert time.monotonic() - back < 4
    screen.press("l").sees("key 'l'")
    assert "key 'u" not in screen.text


def test_two_tabs_show_the_same_and_do_not_tear(device: Open) -> None:
    one = device()
    two = device(one)
    two.page.set_viewport_size({"width": 700, "height": 400})
    one.until(lambda: one.size == two.size and one.size[0] < 90, "not one size")
    one.press("w").sees("ß|")
    two.press("k").sees("key 'k'")
    one.until(lambda: one.text == two.text, "the tabs differ")
    wide = one.size
    two.page.close()
    one.until(lambda: one.size > wide, "not as large as it can be")


def test_questions_to_the_terminal_are_not_answered_and_its_title_stays(device: Open) -> None:
    one = device()
    two = device(one)
    one.press("?").sees("asked the terminal")
    two.sees("asked the terminal").press("k").sees("key 'k'")
    assert one.text.count("key '") == 1
    assert one.page.title() == "CRM"


def test_a_slow_page_gets_everything_in_the_end(device: Open) -> None:
    screen = device()
    screen.press("f").sees("flooded")
    screen.press("k").sees("key 'k'")


def test_a_file_is_downloaded_by_a_link_that_works_once(device: Open) -> None:
    screen = device()
    screen.press("o")
    link = screen.page.get_by_role("link", name="Download")
    address = link.get_attribute("href")
    assert "Bericht März.csv (20 bytes)" in screen.page.inner_text("#files")
    with screen.page.expect_download() as saved:
        link.click()
    assert saved.value.suggested_filename == "Bericht März.csv"
    assert Path(saved.value.path()).read_text("utf-8") == "name,total\nÄnne,12\n"
    screen.until(lambda: not screen.page.is_visible("#files"), "still offered")
    assert screen.page.request.get(f"{screen.page.url.rstrip('/')}{address}").status == 404
    screen.press("k").sees("key 'k'")


def test_addresses_and_numbers_of_a_card_open_after_a_question(device: Open) -> None:
    page = device().page
    questions: list[str] = []
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    for address in ("tel:+43664123456", "mailto:anna@example.com", "https://example.com/", "javascript:alert(1)", "x"):
        page.evaluate(
            """async address => {
                const script = document.querySelector("script[type=module][src]").src;
                (await import(new URL("harmless.js", script))).follow(new Event("click"), address);
            }""",
            address,
        )
    assert [question.split()[-1] for question in questions] == [
        "tel:+43664123456", "mailto:anna@example.com", "https://example.com/",
    ]  # fmt: skip


def test_a_file_is_chosen_and_sent(device: Open, tmp_path: Path) -> None:
    file = tmp_path / "Kündan.csv"
    file.write_text("a,b\n1,2\n")
    screen = device()
    screen.press("a").sees("asking")
    chooser = screen.page.get_by_label("A list of clients")
    assert chooser.get_attribute("accept") == ".csv,.xlsx"
    chooser.set_input_files(file)
    screen.sees("got Kündan.csv 8 True")
    screen.until(lambda: not screen.page.is_visible("#files"), "still asked for")


def test_choosing_a_file_can_be_cancelled(device: Open) -> None:
    screen = device()
    screen.press("a").sees("asking")
    screen.page.get_by_role("button", name="Cancel").click()
    screen.sees("nothing was chosen").press("k").sees("key 'k'")


def test_the_terminal_can_be_opened_again_after_leaving(device: Open) -> None:
    screen = device()
    menu = pid(screen)
    screen.press("q")
    screen.until(lambda: "left the program" in screen.message(), "not told")
    screen.page.get_by_role("button", name="Open again").click()
    another = re.compile(rf"Sample menu (?!{menu}\b)\d")
    screen.until(lambda: screen.message() == "" and another.search(screen.text), "not opened again")
    screen.press("k").sees("key 'k'")


def test_a_signed_out_user_sees_a_message_and_the_sign_in(device: Open, server: TerminalServer) -> None:
    screen = device()
    screen.press("5").sees("key '5'")
    session = max(server.call(server.terminals.sessions))
    server.call(lambda: server.terminals.end(session, "Your rights were changed."))
    screen.until(lambda: screen.message() == "Your rights were changed.", "not told")
    screen.until(lambda: "key '5'" not in screen.text, "what was shown before is still there")
    assert "Your rights were changed." in screen.text
    assert screen.page.get_by_role("button", name="Sign in").is_visible()


def test_a_phone_has_forty_columns_and_a_row_of_keys(device: Open) -> None:
    screen = device(viewport={"width": 360, "height": 640}, is_mobile=True, has_touch=True, device_scale_factor=2)
    assert screen.size[0] >= 40
    assert screen.size[1] >= 20
    focused = "document.activeElement?.className"
    assert "xterm-helper-textarea" in screen.page.evaluate(focused)
    for name, key in {
        "Esc": r"\x1b", "5": "5", "Up": r"\x1b[A", "Enter": r"\r", "Tab": r"\t", "Search": "/", "Control C": r"\x03",
    }.items():  # fmt: skip
        screen.page.get_by_role("button", name=name, exact=True).tap()
        screen.sees(f"key '{key}'")
    # The terminal keeps the focus, so that the keyboard neither opens nor closes.
    assert "xterm-helper-textarea" in screen.page.evaluate(focused)
    keys = screen.page.locator("#keys button")
    assert min(keys.nth(at).bounding_box()["height"] for at in range(keys.count())) >= 36  # type: ignore[index]
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_phones_keyboard_does_not_cover_the_prompt(device: Open) -> None:
    screen = device(viewport={"width": 360, "height": 640}, is_mobile=True, has_touch=True)
    lines = screen.size[1]
    # What a keyboard leaves is what the browser calls its visual viewport.
    screen.page.evaluate(
        "() => { Object.defineProperty(visualViewport, 'height', {get: () => 340, configurable: true});"
        " visualViewport.dispatchEvent(new Event('resize')); }"
    )
    screen.until(lambda: screen.size[1] < lines - 8, "not made smaller")
    place = screen.page.locator("#keys").bounding_box()
    assert place
    assert place["y"] + place["height"] <= 341


def test_the_page_can_be_installed_and_works_with_a_screen_reader(device: Open) -> None:
    screen = device()
    manifest = screen.page.request.get(f"{screen.page.url}assets/crm.webmanifest").json()
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        assert screen.page.request.get(f"{screen.page.url.rstrip('/')}{icon['src']}").ok
    screen.page.locator("#more summary").click()
    screen.page.get_by_role("button", name="Screen reader").click()
    screen.page.keyboard.press("Escape")
    screen.terminal("terminal.focus()")
    screen.press("k").sees("key 'k'")
    read = screen.page.locator(".xterm-accessibility")
    screen.until(lambda: "key 'k'" in read.inner_text(), "not read out")
    screen.page.reload()
    screen.sees("key 'k'")
    assert screen.terminal("terminal.options.screenReaderMode") is True


def test_colours_follow_the_device(device: Open) -> None:
    screen = device(color_scheme="dark")
    assert screen.terminal("terminal.options.theme.background") == "#14171c"
    screen.page.emulate_media(color_scheme="light")
    screen.until(lambda: screen.terminal("terminal.options.theme.background") == "#ffffff", "still dark")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_all_text_has_enough_contrast(device: Open, server: TerminalServer, scheme: str) -> None:
    screen = device(color_scheme=scheme, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    screen.press("c").sees("grey").press("o").sees("offered").press("a").sees("asking")
    screen.page.locator("#more summary").click()
    expect(screen.page.get_by_role("link", name="Sign out")).to_be_visible()
    session = max(server.call(server.terminals.sessions))
    server.call(lambda: server.terminals._terminals[session]._tell("offer", token="x", name="More.csv", bytes=1))
    seen = screen.contrasts
    words = " ".join(text for _, text in seen)
    assert all(text in words for text in ("SAMPLE", "97", "Sample menu", "Download", "Sign out", "Esc", "⋯"))
    assert len(seen) > 90
    assert [contrast for contrast in seen if contrast[0] < 4.5] == []
    screen.page.keyboard.press("Escape")
    screen.page.context.set_offline(True)
    screen.until(lambda: "Not connected" in screen.message(), "nothing said of the network")
    assert [contrast for contrast in screen.contrasts if contrast[0] < 4.5] == []


def test_no_message_covers_the_terminal(device: Open) -> None:
    screen = device(viewport={"width": 700, "height": 500})
    lines = screen.size[1]
    top = screen.page.locator(".xterm-screen").bounding_box()
    for part in ("#bar", "#more"):
        box = screen.page.locator(part).bounding_box()
        assert box
        assert top
        assert box["y"] + box["height"] <= top["y"]
    screen.page.context.set_offline(True)
    screen.until(lambda: "Not connected" in screen.message(), "nothing said of the network")
    answer, now = screen.page.locator("#status").bounding_box(), screen.page.locator(".xterm-screen").bounding_box()
    assert answer
    assert now == top
    assert answer["y"] + answer["height"] <= now["y"]
    screen.page.context.set_offline(False)
    screen.until(lambda: not screen.message(), "not connected again")
    assert screen.size[1] == lines


def test_the_row_shows_the_keys_of_the_page_and_keeps_its_height(device: Open) -> None:
    screen = device(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    row = screen.page.locator("#keys")
    height, size = row.bounding_box(), screen.size
    screen.press("y").sees("told")
    shown = screen.page.locator("#page-keys button")
    screen.until(lambda: shown.count() == 17, "not the keys of the page")
    assert shown.all_inner_texts()[:5] == ["1", "c", "/", "0", "d"]
    screen.page.get_by_role("button", name="Quick capture").tap()
    screen.sees("grey")
    # Many keys are pushed aside; they make the terminal no smaller.
    assert row.bounding_box() == height
    assert screen.size == size
    shown.last.scroll_into_view_if_needed()
    # Another tab, and a page that is reloaded, show the same.
    again = device(screen)
    again.until(lambda: again.page.locator("#page-keys button").count() == 17, "not told to another page")


def test_a_tap_chooses_an_entry_and_not_text_that_looks_like_one(device: Open) -> None:
    screen = device(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    screen.press("y").sees("told")
    screen.until(lambda: screen.page.locator("#page-keys button").count() == 17, "not the keys of the page")

    def tap(words: str) -> None:
        line = next(at for at, line in enumerate(screen.text.splitlines()) if words in line)
        box = screen.page.locator(".xterm-screen").bounding_box()
        assert box
        screen.page.touchscreen.tap(box["x"] + 60, box["y"] + box["height"] / screen.size[1] * (line + 0.5))

    for nothing in ("A name that looks", "Not told", "told"):
        tap(nothing)
    tap("Clients and whatever")
    screen.sees("key '1'")
    assert "key 'k'" not in screen.text
    tap("Quick capture")
    screen.sees("grey")
