"""The web server's side of the fork server: menus opened, told to end, and waited for."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.errors import CRMError
from crm.web.terminals.child import PACKET
from crm.web.terminals.environment import menu_environment
from crm.web.terminals.folders import in_use

_STARTS_WITHIN = 30.0
_OPENS_WITHIN = 10.0
_ENDS_WITHIN = 6.0


@dataclass(eq=False, slots=True)
class Forked:
    """One menu that runs: its terminal, its channel for files, and `ended` with its exit status."""

    number: int
    pid: int
    terminal: int
    channel: socket.socket
    ended: "asyncio.Future[int]" = field(repr=False)


class Forking:
    """The fork server of one kind of menu; `menu` is its dotted name."""

    def __init__(self, menu: str) -> None:
        self._menu = menu
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._ready: asyncio.Future[None] | None = None
        self._opening: dict[int, asyncio.Future[Forked]] = {}
        self._running: dict[int, Forked] = {}
        self._numbers = 0

    @property
    def alive(self) -> bool:
        """Return whether menus can be opened at once."""
        return self._socket is not None and self._ready is not None and self._ready.done()

    async def start(self, folder: Path) -> None:
        """Start the fork server, which removes `folder` when it ends. Raises CRMError where it does not start."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        command = [sys.executable, "-m", "crm.web.terminals.fork_server", self._menu, str(folder)]
        with theirs, in_use(folder) as held:
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), env=menu_environment(os.environ), pass_fds=(held,)
            )
        loop = asyncio.get_running_loop()
        self._socket, self._ready = ours, loop.create_future()
        loop.add_reader(ours, self._heard)
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), _STARTS_WITHIN)
        except (TimeoutError, ConnectionError) as error:
            await self.stop()
            raise CRMError("The web terminal's menus cannot be started. The reason is above.") from error

    async def stop(self) -> None:
        """End the fork server; it ends the menus that still run. Returns when it is gone."""
        self._lost()
        process, self._process = self._process, None
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, _ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    async def open(self, opening: Mapping[str, str], folder: Path, columns: int, lines: int) -> Forked:
        """Open a menu on a terminal of so many columns and lines. Raises CRMError."""
        if self._socket is None:
            raise CRMError("The menu cannot be opened just now. Try again in a moment.")
        self._numbers += 1
        number = self._numbers
        awaited = self._opening[number] = asyncio.get_running_loop().create_future()
        request = {"number": number, "opening": dict(opening), "folder": str(folder)}
        try:
            self._socket.send(json.dumps({**request, "columns": columns, "lines": lines}).encode())
            return await asyncio.wait_for(awaited, _OPENS_WITHIN)
        except (TimeoutError, OSError) as error:
            raise CRMError("The menu cannot be opened just now. Try again in a moment.") from error
        finally:
            self._opening.pop(number, None)

    def signal(self, forked: Forked, number: int) -> None:
        """Send a signal to a menu; to one that has ended, nothing happens."""
        if self._socket is not None:
            try:
                self._socket.send(json.dumps({"number": forked.number, "signal": int(number)}).encode())
            except OSError:
                self._lost()

    def _heard(self) -> None:
        """One packet of the fork server."""
        if self._socket is None:
            return
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._socket, PACKET, 2)
        except BlockingIOError:
            return
        except OSError:
            packet, descriptors = b"", []
        if not packet:
            self._lost()
            return
        message: dict[str, Any] = json.loads(packet)
        if "ready" in message and self._ready is not None:
            self._ready.set_result(None)
        elif "opened" in message:
            self._opened(message, descriptors)
        elif "refused" in message:
            awaited = self._opening.get(message["refused"])
            if awaited is not None and not awaited.done():
                awaited.set_exception(OSError(message["why"]))
        elif "ended" in message:
            forked = self._running.pop(message["ended"], None)
            if forked is not None:
                forked.ended.set_result(message["status"])

    def _opened(self, message: dict[str, Any], descriptors: list[int]) -> None:
        terminal, channel = descriptors
        number: int = message["opened"]
        os.set_blocking(terminal, False)
        talk = socket.socket(fileno=channel)
        talk.setblocking(False)
        forked = Forked(number, message["pid"], terminal, talk, asyncio.get_running_loop().create_future())
        self._running[number] = forked
        awaited = self._opening.get(number)
        if awaited is not None and not awaited.done():
            awaited.set_result(forked)
        else:
            # Nobody waits for it any more: with its terminal closed it leaves.
            os.close(terminal)
            talk.close()

    def _lost(self) -> None:
        """End every menu with the fork server, which is gone."""
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(ConnectionError())
        for awaited in self._opening.values():
            if not awaited.done():
                awaited.set_exception(ConnectionError())
        running, self._running = self._running, {}
        for forked in running.values():
            forked.ended.set_result(-9)
