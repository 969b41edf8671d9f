"""Files between one menu and its pages: offered, asked for, and handed over, each by a token."""

import asyncio
import json
import logging
import shutil
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crm.web.terminals.child import PACKET
from crm.web.terminals.downloads import Download, Downloads, new_token

log = logging.getLogger("crm.web")
Tell = Callable[..., None]


class Transfers:
    """The messages of a menu on its channel, apart from its output. `tell` reaches every page, `ids` are in the log."""

    def __init__(self, channel: socket.socket, folder: Path, tell: Tell, ids: Mapping[str, int]) -> None:
        self._channel = channel
        self._folder = folder
        self._tell = tell
        self._ids = dict(ids)
        self._offers = Downloads()
        self._asked: dict[str, str] | None = None
        self._keys: Sequence[Sequence[str]] = ()
        self._question = 0
        self._uploads = 0
        asyncio.get_running_loop().add_reader(channel, self._message)

    def close(self) -> None:
        """End the transfers with the menu."""
        asyncio.get_running_loop().remove_reader(self._channel)
        self._channel.close()

    def tell_all(self, tell: Tell) -> None:
        """Tell a page that comes later what waits."""
        for token, offer in self._offers.waiting().items():
            tell("offer", token=token, name=offer.name, bytes=offer.size)
        if self._asked:
            tell("ask", **self._asked)
        tell("keys", keys=self._keys)

    def _message(self) -> None:
        """Handle a message that the menu sends beside its output."""
        try:
            packet = self._channel.recv(PACKET)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet:
            asyncio.get_running_loop().remove_reader(self._channel)
            return
        message: dict[str, Any] = json.loads(packet)
        if "offer" in message:
            self._offer(Path(message["offer"]["path"]), message["offer"]["name"])
        elif "ask" in message:
            self._question = message["ask"]["number"]
            self._asked = {"token": new_token(), "what": message["ask"]["what"], "ending": message["ask"]["ending"]}
            self._tell("ask", **self._asked)
        elif "withdraw" in message:
            self._settle()
        elif "keys" in message:
            self._keys = message["keys"]
            self._tell("keys", keys=self._keys)
        elif "failed" in message:
            level = logging.WARNING if message.pop("expected") else logging.ERROR
            log.log(level, message.pop("failed"), extra={"facts": self._ids | message})

    def _offer(self, path: Path, name: str) -> None:
        # The menu is trusted to name its own files; no others are sent.
        if not path.resolve().is_relative_to(self._folder.resolve()) or not path.is_file():
            log.error("offer refused", extra={"facts": self._ids})
            return
        token = self._offers.add(path, name)
        self._tell("offer", token=token, name=name, bytes=self._offers.waiting()[token].size)

    def offered(self, token: str) -> Download | None:
        """The file of a token, which is used up by that."""
        offer = self._offers.take(token)
        if offer is not None:
            self._tell("taken", token=token)
        return offer

    def expire(self) -> None:
        """Take back what was offered too long ago."""
        for token in self._offers.expire():
            self._tell("taken", token=token)

    async def uploaded(self, token: str, file: Path, name: str) -> bool:
        """Hand an uploaded file, which becomes the menu's own, to the menu that asked for it."""
        if self._asked is None or self._asked["token"] != token:
            return False
        question = self._question
        self._settle()
        self._uploads += 1
        place = self._folder / f"upload-{self._uploads}" / _plain(name)
        try:
            place.parent.mkdir(mode=0o700)
            await asyncio.to_thread(shutil.move, file, place)
            place.chmod(0o600)
        except OSError:
            # The menu has ended meanwhile, or there is no room; it goes on as if nothing had been chosen.
            self._answer(question)
            return False
        return self._answer(question, file=str(place))

    def asks(self, token: str) -> bool:
        """Return whether the menu waits for the file of this token."""
        return self._asked is not None and self._asked["token"] == token

    def cancel(self, token: object) -> None:
        """The person would rather not send a file."""
        if self._asked is not None and self._asked["token"] == token:
            self._settle()
            self._answer(self._question)

    def _settle(self) -> None:
        if self._asked is not None:
            self._tell("taken", token=self._asked["token"])
            self._asked = None

    def _answer(self, question: int, **answer: str) -> bool:
        try:
            self._channel.send(json.dumps({"number": question, **answer}).encode())
        except OSError:
            return False
        return True


def _plain(name: str) -> str:
    """A file's name as its owner wrote it, without what could lead elsewhere or cannot be shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(char for char in last if char.isprintable()).strip().lstrip(".")
    stem, dot, ending = kept.rpartition(".")
    return f"{stem[:80]}{dot}{ending[:16]}" if stem else kept[:80] or "file"
