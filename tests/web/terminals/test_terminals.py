"""The terminals over real WebSockets: menus forked, shown, shared by tabs, kept, and ended."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from crm.web.access_log import JsonLines
from crm.web.terminals import Terminals
from crm.web.terminals.folders import new_folder
from crm.web.terminals.page import DONE, OVER
from tests.support.terminal_server import PATIENCE, TerminalServer

pytestmark = pytest.mark.slow

MENU = "tests.support.sample_menu:serve"


class Tab:
    """One page as the server sees it; it says that it has drawn what it was sent, unless `stuck`."""

    def __init__(
        self, server: TerminalServer, session: int = 1, user: int = 1, size: tuple[int, int] = (80, 24)
    ) -> None:
        address = f"ws://127.0.0.1:{server.port}/terminal?columns={size[0]}&lines={size[1]}"
        cookie = {"Cookie": f"session={session}; user={user}"}
        self._line = ExitStack()
        line = connect(address, additional_headers=cookie, compression=None, max_queue=None)
        self.socket: ClientConnection = self._line.enter_context(line)
        self.shown = b""
        self.messages: list[dict[str, Any]] = []
        self.code = 0
        self.stuck = False

    def read(self, seconds: float = 0.05) -> bool:
        """Take in one message; False where there is none."""
        try:
            message = self.socket.recv(seconds)
        except TimeoutError:
            return False
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd else 1006
            return False
        if isinstance(message, bytes):
            self.shown += message
            if not self.stuck:
                self.send(type="ack", bytes=len(self.shown))
        else:
            self.messages.append(json.loads(message))
        return True

    def sees(self, words: str) -> "Tab":
        """Wait until the menu has written something."""
        self.until(lambda: words.encode() in self.shown, f"not seen: {words}")
        return self

    def hears(self, kind: str) -> dict[str, Any]:
        """Wait for a message of a kind, the last of which is returned."""
        self.until(lambda: any(message["type"] == kind for message in self.messages), f"not told: {kind}")
        return [message for message in self.messages if message["type"] == kind][-1]

    def until(self, other: Callable[[], bool], otherwise: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not other():
            self.read()
            assert time.monotonic() < ends, (
                f"{otherwise}\n{self.shown[-2000:].decode(errors='replace')}\n{self.messages}"
            )

    def closed(self) -> tuple[int, str]:
        """Wait for the end; its code and what the page is told."""
        self.until(lambda: bool(self.code), "not closed")
        return self.code, next((message["why"] for message in self.messages if message["type"] == "end"), "")

    def keys(self, keys: str) -> "Tab":
        self.socket.send(keys.encode())
        return self

    def send(self, **message: object) -> None:
        with suppress(ConnectionClosed):
            self.socket.send(json.dumps(message))

    def close(self) -> None:
        """Go away, as a closed tab does."""
        self._line.close()

    def pid(self) -> int:
        """The process of the menu."""
        self.sees("Sample menu")
        found = re.search(rb"Sample menu (\d+)", self.shown)
        assert found
        return int(found[1])


Open = Callable[..., Tab]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TerminalServer]:
    """One server for all tests that leave nothing behind; each takes sessions of its own."""
    terminals = Terminals(MENU, most=1000, most_each=1000)
    with TerminalServer(terminals, tmp_path_factory.mktemp("uploads")).running() as server:
        yield server


@pytest.fixture
def tab(shared: TerminalServer) -> Iterator[Open]:
    """Open pages of the shared server, in a sign-in of this test alone."""
    opened: list[Tab] = []
    first = 1 + max(shared.call(shared.terminals.sessions), default=0)

    def open_tab(session: int = 0, **how: Any) -> Tab:
        opened.append(Tab(shared, first + session, **how))
        return opened[-1]

    yield open_tab
    for client in opened:
        client.close()
    shared.end_all()


@pytest.fixture
def server(tmp_path: Path) -> Callable[..., Any]:
    """Make servers with limits of their own."""

    def make(**limits: Any) -> Any:
        return TerminalServer(Terminals(MENU, **limits), tmp_path).running()

    return make


def gone(pid: int) -> bool:
    """True if a process has ended before we lose patience."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_menu_is_there_at_once_and_takes_keys(tab: Open) -> None:
    one = tab()
    started = time.perf_counter()
    one.sees("Sample menu")
    assert time.perf_counter() - started < 1
    one.keys("k").sees("key 'k'").keys("\x03").sees(r"key '\x03'").keys("\x1b[A").sees(r"key '\x1b[A'")


def test_a_menu_begins_at_the_size_of_the_page_and_follows_it(tab: Open) -> None:
    one = tab(size=(100, 30))
    one.keys("z").sees("size 100x30")
    one.send(type="resize", columns=61, lines=19)
    one.sees("size 61x19")
    assert one.hears("size") == {"type": "size", "columns": 61, "lines": 19}
    one.send(type="resize", columns=10**9, lines=-3)
    one.sees("size 500x5")
    one.send(type="resize", columns="a lot", lines=None)
    one.sees("size 80x24")


def test_leaving_ends_the_menu_and_its_process(tab: Open) -> None:
    one = tab()
    pid = one.pid()
    assert one.keys("q").closed() == (4000, "You have left the program.")
    assert one.shown.endswith(b"bye\r\n")
    assert gone(pid)
    again = tab()
    assert again.pid() != pid


def test_the_menu_of_a_signed_out_user_leads_to_the_sign_in(tab: Open) -> None:
    assert tab().keys("u").closed() == (4401, OVER)
    assert tab().keys("U").closed() == (4401, DONE)


def written(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines of the log as the program writes them."""
    return [json.loads(JsonLines().format(record)) for record in caplog.records]


def test_a_crash_shows_a_short_message_and_is_logged_without_user_data(
    tab: Open, caplog: pytest.LogCaptureFixture
) -> None:
    one = tab()
    # A step that fails, an end that can be told, a crash: each is written down.
    one.sees("Sample menu").keys("e").sees("noted").keys("x").sees("Something went wrong in this program (ValueError)")
    assert one.closed()[0] == 4000
    two = tab()
    two.sees("Sample menu").keys("d").closed()
    assert b"a secret" not in one.shown
    assert b"Traceback" not in one.shown
    lines = {line["what"]: line for line in written(caplog)}
    for what, error, level in (
        ("step failed", "KeyError", "error"),
        ("menu crashed", "ValueError", "error"),
        ("menu ended", "StoreDamagedError", "warning"),
    ):
        line = lines[what]
        assert (line["error"], line["level"], line["session"], line["user"]) == (error, level, 1, 1)
        assert any(place.startswith("sample_menu.py:") for place in line["where"])
    assert lines["step failed"]["because"] == "ZeroDivisionError"
    assert (lines["menu failed"]["status"], lines["menu failed"]["session"]) == (70, 1)
    assert "a secret" not in str(list(map(vars, caplog.records)))


def test_a_menu_can_start_no_program(tab: Open) -> None:
    one = tab()
    one.sees("Sample menu").keys("b").sees("spawn")
    for way in ("subprocess", "system", "exec", "fork", "spawn"):
        one.sees(f"{way} refused PermissionError")


def test_a_menu_is_given_only_what_it_needs(server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_HOST", "1")
    monkeypatch.setenv("PORT", "5000")
    monkeypatch.setenv("CRM_USER", "somebody")
    monkeypatch.setenv("CREDS", "{}")
    with server() as running:
        one = Tab(running)
        one.sees("Sample menu").keys("v").sees("folder")
        names = re.search(rb"environment (.*)\r\n", one.shown)
        assert names
        given = set(names[1].decode().split())
        assert {"CRM_USER", "CREDS", "TERM", "PROMPT_TOOLKIT_NO_CPR"} <= given
        assert not given & {"A_SECRET_OF_THE_HOST", "PORT", "PATH", "PYTEST_CURRENT_TEST", "USER", "SHELL"}
        one.sees("folder 0o700 True")
        one.close()


def test_a_page_that_comes_back_sees_the_same_screen_of_the_same_menu(tab: Open) -> None:
    one = tab(size=(90, 25))
    pid = one.pid()
    one.keys("k").sees("key 'k'").keys("p")
    one.until(lambda: one.shown.count(b"Sample menu") == 2, "no new page")
    one.keys("l").sees("key 'l'").close()
    again = tab(size=(70, 20))
    again.sees("key 'l'")
    assert again.pid() == pid
    # It is drawn at the size that it was written for, and only what can still be seen.
    assert again.messages[0] == {"type": "screen", "columns": 90, "lines": 25}
    assert b"key 'k'" not in again.shown
    assert again.hears("size") == {"type": "size", "columns": 70, "lines": 20}


def test_a_long_screen_is_kept_short_and_whole(tab: Open) -> None:
    one = tab()
    one.sees("Sample menu").keys("f").sees("flooded")
    one.close()
    again = tab()
    again.sees("flooded")
    assert 100_000 < len(again.shown) < 210_000
    # Modes that were set long before hold, and nothing begins in the midst of a sequence.
    assert again.shown.startswith(b"\x1b[?2004h\x1b[3mflood")


def test_two_tabs_show_one_menu_at_the_size_that_fits_both(tab: Open) -> None:
    one = tab(size=(100, 40))
    # The menu is there, so that it hears of the other size.
    pid = one.pid()
    two = tab(size=(80, 50))
    assert two.pid() == pid
    one.sees("size 80x40").keys("k").sees("key 'k'")
    two.sees("size 80x40").keys("m")
    one.sees("key 'm'")
    assert one.hears("size")["columns"] == 80
    two.close()
    one.sees("size 100x40")


def test_the_number_of_tabs_of_a_menu_is_limited(tab: Open) -> None:
    tabs = [tab() for _ in range(20)]
    tabs[0].sees("Sample menu")
    last = tab()
    assert tabs[0].closed() == (4429, "You have this menu open in more than 20 tabs. This one was closed.")
    last.keys("k").sees("key 'k'")
    tabs[1].sees("key 'k'")


def test_two_sign_ins_have_menus_of_their_own(tab: Open) -> None:
    one, two = tab(), tab(session=1)
    assert one.pid() != two.pid()
    one.keys("k").sees("key 'k'")
    two.keys("z").sees("size")
    assert b"key 'k'" not in two.shown


def test_a_page_that_draws_nothing_stops_the_menu_and_nothing_grows(tab: Open) -> None:
    one = tab()
    one.sees("Sample menu")
    one.stuck = True
    one.keys("f")
    quiet = 0
    while quiet < 6:
        quiet = 0 if one.read() else quiet + 1
    assert 400_000 < len(one.shown) < 500_000
    one.stuck = False
    one.send(type="ack", bytes=len(one.shown))
    one.sees("flooded")
    assert len(one.shown) > 1_900_000


def test_an_acknowledgement_of_too_much_is_ignored(tab: Open) -> None:
    one = tab()
    one.sees("Sample menu")
    one.stuck = True
    for total in (10**12, -5, "many", None, 1.5, True):
        one.send(type="ack", bytes=total)
    one.keys("f")
    quiet = 0
    while quiet < 6:
        quiet = 0 if one.read() else quiet + 1
    assert len(one.shown) < 500_000


def test_a_huge_paste_arrives_whole_and_holds_nobody_up(tab: Open) -> None:
    one, other = tab(), tab(session=1)
    other.sees("Sample menu")
    one.sees("Sample menu").keys("t").sees("taking")
    pasted = bytes(ord("a") + at % 26 for at in range(1 << 20))
    for at in range(0, len(pasted), 16384):
        one.socket.send(pasted[at : at + 16384])
    started = time.perf_counter()
    other.keys("k").sees("key 'k'")
    assert time.perf_counter() - started < 0.5
    one.keys("\x04").sees(f"took {len(pasted)} {zlib.crc32(pasted)}")


def test_too_much_at_once_closes_the_page_and_leaves_the_menu(tab: Open) -> None:
    one = tab()
    pid = one.pid()
    one.socket.send(b"x" * 70_000)
    assert one.closed()[0] == 4413
    again = tab()
    assert again.pid() == pid
    for _ in range(6_000):
        again.send(type="ping")
    assert again.closed()[0] == 4413


def test_an_invalid_message_is_ignored(tab: Open) -> None:
    one = tab()
    one.sees("Sample menu")
    for text in ("", "{", "[]", "7", '{"type": 5}', '{"type": "resize"}', '{"type": "cancel"}', "null"):
        one.socket.send(text)
    one.send(type="ping")
    one.hears("pong")
    one.keys("k").sees("key 'k'")


def test_a_hostile_frame_is_ignored(tab: Open, caplog: pytest.LogCaptureFixture) -> None:
    one = tab()
    one.sees("Sample menu")
    for message in (
        "[" * 60_000,
        '{"a":' * 10_000,
        f'{{"type":"resize","columns":{"9" * 4000},"lines":{"[" * 400}{"]" * 400}}}',
    ):
        one.socket.send(message)
    one.socket.send(f'{{"type":"ack","bytes":{"9" * 6000}}}')
    one.keys("k").sees("key 'k'")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_paste_cut_off_by_a_closed_page_still_ends(tab: Open) -> None:
    one, two = tab(), tab()
    two.sees("Sample menu").keys("t")
    two.sees("taking")
    one.keys("\x1b[20")
    one.keys("0~half of")
    two.until(lambda: one.socket.ping().wait(1), "not taken")
    one.close()
    two.keys("\x04").sees("took 7 ")
    three = tab()
    three.keys("\x1b[200~whole\x1b[201~")
    three.sees(r"key '\x1b[200~whole\x1b[201~'").close()
    two.keys("k").sees("key 'k'")


def test_a_file_is_offered_once_to_its_own_session(tab: Open, shared: TerminalServer) -> None:
    one = tab()
    one.sees("Sample menu").keys("o")
    offer = one.hears("offer")
    assert offer["name"] == "Bericht März.csv"
    assert offer["bytes"] == 20
    session = max(shared.call(shared.terminals.sessions))
    assert shared.call(lambda: shared.terminals.offered(session + 1, offer["token"])) is None
    # A page that comes later is told of it as well.
    assert tab().hears("offer") == offer
    address = f"{shared.url}files/{offer['token']}"
    answer = httpx.get(address, cookies={"session": str(session)})
    assert answer.content.decode() == "name,total\nÄnne,12\n"
    assert one.hears("taken")["token"] == offer["token"]
    assert httpx.get(address, cookies={"session": str(session)}).status_code == 404


def test_an_offer_expires(tab: Open, shared: TerminalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.web.terminals.downloads.EXPIRES_AFTER", 0.1)
    one = tab()
    one.sees("Sample menu").keys("o")
    token = one.hears("offer")["token"]
    assert one.hears("taken")["token"] == token
    session = max(shared.call(shared.terminals.sessions))
    assert shared.call(lambda: shared.terminals.offered(session, token)) is None


def test_an_upload_lands_in_the_menus_own_folder(tab: Open, shared: TerminalServer) -> None:
    one = tab()
    one.sees("Sample menu").keys("a")
    asked = one.hears("ask")
    assert (asked["what"], asked["ending"]) == ("A list of clients", ".csv,.xlsx")
    address = f"{shared.url}files/{asked['token']}"
    session = max(shared.call(shared.terminals.sessions))
    assert shared.call(lambda: shared.terminals.asks(session, asked["token"]))
    file = {"file": ("../../etc/Kündäne.csv", b"a,b\n1,2\n")}
    assert httpx.post(address, files=file, cookies={"session": str(session + 1)}).status_code == 404
    assert httpx.post(address, files=file, cookies={"session": str(session)}).status_code == 200
    one.sees("got Kündäne.csv 8 True 0o0")
    assert one.hears("taken")["token"] == asked["token"]
    assert httpx.post(address, files=file, cookies={"session": str(session)}).status_code == 404


@pytest.mark.parametrize("way", ["\x03", "\x1b", "button"])
def test_an_upload_can_be_declined(tab: Open, way: str) -> None:
    one = tab()
    one.sees("Sample menu").keys("a")
    asked = one.hears("ask")
    one.sees("asking")
    one.send(type="cancel", token="another")
    if way == "button":
        one.send(type="cancel", token=asked["token"])
    else:
        one.keys("j").keys(way)
    one.sees("nothing was chosen").keys("k").sees("key 'k'")
    one.hears("taken")


def test_a_late_upload_does_not_answer_a_later_question(tab: Open, shared: TerminalServer) -> None:
    one = tab()
    one.sees("Sample menu").keys("a")
    first = one.hears("ask")["token"]
    session = max(shared.call(shared.terminals.sessions))
    transfers = shared.terminals._terminals[session].files
    one.keys("\x1b").sees("nothing was chosen")
    # It was on its way when the person pressed Esc.
    shared.call(lambda: transfers._answer(1, file="late"))
    one.keys("a").until(lambda: one.hears("ask")["token"] != first, "not asked again")
    one.send(type="cancel", token=one.hears("ask")["token"])
    one.until(lambda: one.shown.count(b"nothing was chosen") == 2, "not cancelled")


@pytest.mark.slow
def test_a_stuck_page_is_disconnected_and_others_go_on(
    server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.web.terminals.registry._BEAT", 0.5)
    monkeypatch.setattr("crm.web.terminals.terminal._STUCK", 0.5)
    with server() as running:
        one, two = Tab(running), Tab(running)
        one.sees("Sample menu")
        two.stuck = True
        one.keys("f").sees("flooded")
        one.hears("ping")
        two.closed()
        # It is back on the same menu at once, as the page itself comes back.
        again = Tab(running)
        again.sees("flooded").keys("k")
        one.sees("key 'k'")
        monkeypatch.setattr("crm.web.terminals.terminal._SILENT", 0.1)
        one.closed()
        again.closed()
        monkeypatch.setattr("crm.web.terminals.terminal._SILENT", 75.0)
        last = Tab(running)
        last.keys("l").sees("key 'l'").close()


def test_signing_out_shows_a_message_and_ends_the_menu(tab: Open, shared: TerminalServer) -> None:
    one, two = tab(), tab()
    pid = one.pid()
    session = max(shared.call(shared.terminals.sessions))
    shared.call(lambda: shared.terminals.end(session, "You have signed out."))
    assert one.closed() == two.closed() == (4401, "You have signed out.")
    assert gone(pid)
    assert session not in shared.call(shared.terminals.sessions)


def test_the_number_of_menus_is_limited_per_user(server: Callable[..., Any]) -> None:
    with server(most=3, most_each=2) as running:
        one, two = Tab(running, 1, user=1), Tab(running, 2, user=1)
        pid = one.pid()
        two.sees("Sample menu")
        code, why = Tab(running, 3, user=1).closed()
        assert code == 4429
        assert "other devices" in why
        # Who was left alone longest makes room for another of the same person.
        one.close()
        three = Tab(running, 3, user=1)
        three.sees("Sample menu")
        assert gone(pid)
        four = Tab(running, 4, user=2)
        four.sees("Sample menu")
        code, why = Tab(running, 5, user=3).closed()
        assert code == 4429
        assert "Too many people are connected" in why
        for client in (two, three, four):
            client.close()


def test_an_idle_menu_ends_and_says_so(server: Callable[..., Any]) -> None:
    with server(idle=0.6) as running:
        one = Tab(running)
        pid = one.pid()
        time.sleep(0.4)
        one.keys("k").sees("key 'k'")
        started = time.monotonic()
        code, why = one.closed()
        assert code == 4408
        assert "nothing was typed" in why
        assert time.monotonic() - started > 0.3
        assert gone(pid)


def test_a_menu_without_a_page_ends(server: Callable[..., Any]) -> None:
    with server(detached=0.4) as running:
        one = Tab(running)
        pid = one.pid()
        time.sleep(0.8)
        one.keys("k").sees("key 'k'")
        one.close()
        assert gone(pid)
        assert Tab(running).pid() != pid


def test_a_shutdown_warns_everybody_and_lets_saves_finish(
    server: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with server() as running:
        saving, waiting = Tab(running, 1), Tab(running, 2)
        pid = saving.pid()
        waiting.sees("Sample menu")
        saving.keys("s").sees("saving")
        running.leave()
        assert saving.closed() == waiting.closed() == (4503, "The server restarts.")
    assert (tmp_path / f"saved-{pid}").read_text() == "all of it"
    assert gone(pid)
    assert not list(tmp_path.glob("crm-terminals-*"))


@pytest.mark.slow
def test_a_menu_that_does_not_end_is_killed(server: Callable[..., Any]) -> None:
    with server() as running:
        one = Tab(running)
        pid = one.pid()
        one.keys("n").sees("staying")
        started = time.monotonic()
        running.call(lambda: running.terminals.stop("The end."))
        assert time.monotonic() - started < 8
        assert gone(pid)


_ALONE = (
    "import asyncio, sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
    "from crm.web.terminals.folders import new_folder\n"
    "from crm.web.terminals.forking import Forking\n"
    "async def main():\n"
    "    folder = new_folder(); forking = Forking('tests.support.sample_menu:serve')\n"
    "    await forking.start(folder); forked = await forking.open({}, folder, 80, 24)\n"
    "    print(forked.pid, forking._process.pid, flush=True); await asyncio.sleep(60)\n"
    "asyncio.run(main())\n"
)


@contextmanager
def serving_alone(temporary: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process that serves one menu: it, and the processes of the menu and the fork server."""
    command = [sys.executable, "-c", _ALONE, str(temporary)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        others = [int(part) for part in process.stdout.readline().split()]
        try:
            yield process, others
        finally:
            process.kill()
            process.wait(PATIENCE)
            assert all(map(gone, others))


def test_menus_end_with_the_process_that_serves_them(tmp_path: Path) -> None:
    with serving_alone(tmp_path):
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_server_are_removed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with serving_alone(tmp_path) as (process, (menu, fork_server)):
        (left,) = tmp_path.iterdir()
        (left / "clients.csv").write_text("Anna")
        # The fork server is stopped first, so that it cannot tidy up.
        os.kill(fork_server, signal.SIGSTOP)
        process.kill()
        process.wait(PATIENCE)
        # As long as a menu of it lives, it may save there.
        assert {*tmp_path.iterdir()} - {new_folder()} == {left}
        os.kill(fork_server, signal.SIGKILL)
        os.kill(menu, signal.SIGKILL)
        assert gone(menu)
        assert gone(fork_server)
    assert left.exists()
    # One that is new and empty is of a server that is starting.
    just_made = {path for path in tmp_path.iterdir() if path != left}
    mine = new_folder()
    assert {*tmp_path.iterdir()} == just_made | {mine}


def test_a_lost_fork_server_is_started_again(server: Callable[..., Any]) -> None:
    with server() as running:
        one = Tab(running)
        pid = one.pid()
        os.kill(running.terminals._forking._process.pid, signal.SIGKILL)
        assert one.closed()[0] == 4000
        assert gone(pid)
        assert not running.call(lambda: running.terminals.ready)
        again = Tab(running)
        assert again.pid() != pid
        again.close()
