"""A menu for the tests of the web terminal: each key does one thing, and says so in a line."""

import binascii
import os
import signal
import subprocess
import termios
import time
import tty
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from crm.errors import SignedOutError, StoreDamagedError
from crm.terminal.console.file_transfer import FileTransfer

WIDE = ("漢字", "한국어", "ﾊﾝｶｸ", "é", "e\u0301", "🙂", "👍🏽", "🇦🇹", "👨‍👩‍👧", "☎️", "❤️", "™", "①", "│─", "ß", "नमस्ते")


class _Menu:
    def __init__(self, opening: Mapping[str, str], exchange: FileTransfer, out: IO[str]) -> None:
        self.opening = opening
        self.exchange = exchange
        self.out = out

    def say(self, *words: object) -> None:
        # A signal may come in the midst of it, which a buffer would not bear.
        os.write(1, (" ".join(map(str, words)) + "\r\n").encode())

    def page(self) -> None:
        self.say(
            "\x1b[2J\x1b[H\x1b[?2004hSample menu",
            os.getpid(),
            *(f"{name}={value}" for name, value in self.opening.items()),
        )

    def size(self) -> None:
        size = os.get_terminal_size(1)
        self.say(f"size {size.columns}x{size.lines}")

    def flood(self) -> None:
        line = "\x1b[3mflood " + "x" * 70 + "\x1b[0m\r\n"
        for _ in range(2_000_000 // len(line)):
            self.out.write(line)
        self.out.flush()
        self.say("flooded")

    def take(self) -> None:
        """Take everything until Ctrl-D, slowly at first."""
        self.say("taking")
        time.sleep(0.3)
        taken = b""
        while not taken.endswith(b"\x04"):
            taken += os.read(0, 4096)
        text = taken[:-1].replace(b"\x1b[200~", b"").replace(b"\x1b[201~", b"")
        self.say("took", len(text), binascii.crc32(text))

    def offer(self) -> None:
        file = self.exchange.folder / "report.csv"
        file.write_text("name,total\nÄnne,12\n", "utf-8")
        self.exchange.offer(file, "Bericht März.csv")
        self.say("offered")

    def ask(self) -> None:
        self.say("asking")
        file = self.exchange.ask_file("A list of clients", ".csv,.xlsx")
        if file is None:
            self.say("nothing was chosen")
        else:
            inside = file.is_relative_to(self.exchange.folder)
            self.say("got", file.name, file.stat().st_size, inside, oct(file.stat().st_mode & 0o077))

    def break_out(self) -> None:
        tried: dict[str, Callable[[], object]] = {
            "subprocess": lambda: subprocess.run(["true"], check=False),
            "system": lambda: os.system("true"),
            "exec": lambda: os.execv("/bin/true", ["true"]),
            "fork": os.fork,
            "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        }
        for name, way in tried.items():
            try:
                way()
                self.say(name, "went through")
            except OSError as error:
                self.say(name, "refused", type(error).__name__)

    def environment(self) -> None:
        self.say("environment", " ".join(sorted(os.environ)))
        self.say("folder", oct(Path.cwd().stat().st_mode & 0o777), Path.cwd() == self.exchange.folder)

    def wide(self) -> None:
        for width in WIDE:
            self.say(f"{width}|")

    def never_leave(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.say("staying")
        while True:
            time.sleep(1)

    def save(self) -> None:
        """Something that must not be cut short when the server stops."""
        self.say("saving")
        time.sleep(0.8)
        (self.exchange.folder.parent.parent / f"saved-{os.getpid()}").write_text("all of it")
        self.say("saved")

    def fail_a_step(self) -> None:
        try:
            try:
                _ = 1 / 0
            except ZeroDivisionError as error:
                raise KeyError("a secret") from error
        except KeyError as error:
            self.exchange.note(error)
            self.say("noted")

    def colours(self) -> None:
        """Each colour as a program may write it: plain, dim, bold, and turned round."""
        for style in ("", "2;", "1;", "1;2;", "7;"):
            # Black turned round is the ground's own colour on black, and nothing of ours writes it.
            some = [colour for colour in (39, *range(30, 38), *range(90, 98)) if (style, colour) != ("7;", 30)]
            self.say(*(f"\x1b[{style}{colour}m{colour}\x1b[0m" for colour in some))
        self.say("\x1b[1;30;43mSAMPLE\x1b[0m \x1b[2;38;5;240mgrey\x1b[0m \x1b[38;2;120;120;120mgrey\x1b[0m")

    def keys_of_a_page(self) -> None:
        """A page with entries, and the keys that it knows."""
        self.say("\x1b[2J\x1b[HSample menu")
        self.say(" 1) A name that looks like k) an entry")
        self.say(" » 1) Clients and whatever belongs to them")
        self.say("   c) Quick capture")
        self.say("   k) Not told")
        words = {"1": "Clients and whatever belongs to them", "c": "Quick capture", "/": "Search", "0": "Back"}
        self.exchange.show_keys([*words.items(), *((char, "More") for char in "defghijlmnopq")])
        self.say("told")

    def answer(self) -> None:
        """Ask the terminal everything that could be typed back into the menu."""
        self.out.write("\x1b[6n\x1b[c\x1b[>c\x1b[5n\x1b]11;?\x07\x1b]10;?\x1b\\\x1b[18t\x1b[?2004$p\x1bP$qm\x1b\\")
        self.out.write("\x1b]0;taken over\x07\x1b]52;c;aGFjaw==\x07")
        self.out.flush()
        self.say("asked the terminal")


def serve(opening: Mapping[str, str], exchange: FileTransfer, stdin: IO[str], stdout: IO[str]) -> int:  # noqa: ARG001
    """Run the menu until q."""
    tty.setraw(0, termios.TCSANOW)
    menu = _Menu(opening, exchange, stdout)
    signal.signal(signal.SIGWINCH, lambda *_: menu.size())
    menu.page()
    keys = {
        "p": menu.page, "f": menu.flood, "t": menu.take, "o": menu.offer, "a": menu.ask, "b": menu.break_out,
        "c": menu.colours, "e": menu.fail_a_step, "y": menu.keys_of_a_page,
        "v": menu.environment, "w": menu.wide, "n": menu.never_leave, "s": menu.save, "?": menu.answer, "z": menu.size,
    }  # fmt: skip
    while True:
        typed = os.read(0, 1024)
        if not typed:
            return 0
        key = typed.decode(errors="replace")
        if key == "q":
            menu.say("bye")
            return 0
        if key == "x":
            raise ValueError("a secret")
        if key in ("u", "U"):
            raise SignedOutError(asked=key == "U")
        if key == "d":
            raise StoreDamagedError("a secret")
        if key in keys:
            keys[key]()
        else:
            menu.say("key", ascii(key))
