"""All terminals of the web server, one a sign-in."""

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from starlette.websockets import WebSocket

from crm.errors import CRMError
from crm.web.terminals.browser_messages import receive
from crm.web.terminals.downloads import Download
from crm.web.terminals.folders import new_folder
from crm.web.terminals.forking import Forking
from crm.web.terminals.page import FULL, SIGNED_OUT, STOPPING, TIMED_OUT, Page, clamped
from crm.web.terminals.terminal import Terminal

log = logging.getLogger("crm.web")
# The dotted name of what a menu runs: `package.module:function`, called as
# function(opening, exchange, stdin, stdout) -> exit code.
OpenMenu = str
_BEAT = 25.0
_CLOSES_WITHIN = 2.0


class _FullError(Exception):
    """A refusal to open a terminal now; the sentence says why."""


class Terminals:
    """All terminals of this server process: at most `most`, `most_each` of them of one user.

    A terminal ends `idle` seconds after its last key and `detached` seconds after its last page.
    """

    def __init__(
        self,
        open: OpenMenu,
        *,
        most: int = 30,
        most_each: int = 3,
        idle: float = 3600,
        detached: float = 1800,
    ) -> None:
        self._forking = Forking(open)
        self._most = most
        self._most_each = most_each
        self._idle = idle
        self._detached = detached
        self._terminals: dict[int, Terminal] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()
        self._folder = Path()
        self._stopping = ""
        self._watch: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Return whether a menu can be opened at once."""
        return self._forking.alive and not self._stopping

    async def start(self) -> None:
        """Start the fork server. Raises CRMError."""
        await self._start_forking()
        self._watch = asyncio.create_task(self._keep_watch())

    async def _start_forking(self) -> None:
        self._folder = await asyncio.to_thread(new_folder)
        await self._forking.start(self._folder)

    async def _stop_forking(self) -> None:
        await self._forking.stop()
        # A fork server that was killed has left it behind.
        if self._folder.name:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def stop(self, why: str) -> None:
        """Tell everybody why in their terminal, let every menu finish what it is saving, and end them all."""
        self._stopping = why
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        await asyncio.gather(*(terminal.end(STOPPING, why) for terminal in self._terminals.values()))
        await self._stop_forking()
        if self._running:
            await asyncio.wait(self._running, timeout=2)

    def sessions(self) -> set[int]:
        """The sign-ins that have a terminal."""
        return {session for session, terminal in self._terminals.items() if terminal.open}

    async def end(self, session: int, why: str) -> None:
        """End the terminal of a sign-in that no longer holds."""
        terminal = self._terminals.get(session)
        if terminal is not None:
            await terminal.end(SIGNED_OUT, why)

    def offered(self, session: int, token: str) -> Download | None:
        """The file of a token of this sign-in; the token is used up by that."""
        terminal = self._terminals.get(session)
        return terminal.files.offered(token) if terminal else None

    def asks(self, session: int, token: str) -> bool:
        """Return whether the menu of this sign-in waits for the file of this token."""
        terminal = self._terminals.get(session)
        return terminal is not None and terminal.files.asks(token)

    async def uploaded(self, session: int, token: str, file: Path, name: str) -> bool:
        """Hand over an uploaded file, which is moved away; False where nobody waits for it."""
        terminal = self._terminals.get(session)
        return terminal is not None and await terminal.files.uploaded(token, file, name)

    async def serve(self, socket: WebSocket, session: int, user: int, opening: Mapping[str, str]) -> None:
        """Show the terminal of a sign-in on a page whose right to it was checked; opens one where there is none.

        Returns when the page is gone."""
        await socket.accept()
        columns, lines = clamped(socket.query_params.get("columns"), socket.query_params.get("lines"))
        page = Page(socket, columns, lines)
        sending = page.start()
        terminal = None
        try:
            terminal = await self._terminal(session, user, opening, page)
            receiving = asyncio.create_task(receive(socket, page, terminal))
            await asyncio.wait([sending, receiving], return_when=asyncio.FIRST_COMPLETED)
            receiving.cancel()
            with suppress(asyncio.CancelledError):
                await receiving
            if page.closing:
                await asyncio.wait([sending], timeout=_CLOSES_WITHIN)
        except _FullError as full:
            page.close(FULL, str(full))
            await asyncio.wait([sending], timeout=_CLOSES_WITHIN)
        except CRMError as error:
            page.close(STOPPING, error.sentence)
            await asyncio.wait([sending], timeout=_CLOSES_WITHIN)
        finally:
            if terminal is not None:
                terminal.detach(page)
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending

    async def _terminal(self, session: int, user: int, opening: Mapping[str, str], page: Page) -> Terminal:
        """The terminal of a sign-in, shown on the page. Raises _FullError and CRMError."""
        # Two tabs that are restored at once must not open two terminals.
        async with self._opening:
            terminal = self._terminals.get(session)
            if terminal is None or not terminal.open:
                await self._make_room(user)
                terminal = await self._open(session, user, opening, page)
            terminal.attach(page)
        return terminal

    async def _make_room(self, user: int) -> None:
        """Close a person's terminal that was left longest ago where they have too many. Raises _FullError."""
        if self._stopping:
            raise CRMError(self._stopping)
        open_terminals = [terminal for terminal in self._terminals.values() if terminal.open]
        own = [terminal for terminal in open_terminals if terminal.user == user]
        if len(own) >= self._most_each:
            left = [terminal for terminal in own if not terminal.pages]
            if not left:
                raise _FullError(
                    f"You have {len(own)} terminals open on other devices. Close one of them, then try again."
                )
            oldest = min(left, key=lambda terminal: terminal.seen_at)
            open_terminals.remove(oldest)
            await oldest.end(TIMED_OUT, "Opened on another device.")
        if len(open_terminals) >= self._most:
            raise _FullError("Too many people are connected right now. Try again in a few minutes.")

    async def _open(self, session: int, user: int, opening: Mapping[str, str], page: Page) -> Terminal:
        if not self._forking.alive:
            log.error("fork server lost, started again")
            await self._stop_forking()
            await self._start_forking()
        folder = Path(tempfile.mkdtemp(prefix="menu-", dir=self._folder))
        forked = await self._forking.open(opening, folder, *page.size)
        terminal = Terminal(forked, self._forking, session, user, folder, page.size)
        self._terminals[session] = terminal
        log.info("terminal opened", extra={"facts": terminal.ids})
        task = asyncio.create_task(self._run(terminal))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return terminal

    async def _run(self, terminal: Terminal) -> None:
        try:
            await terminal.run()
        finally:
            if self._terminals.get(terminal.session) is terminal:
                del self._terminals[terminal.session]
            log.info("terminal ended", extra={"facts": terminal.ids})

    async def _keep_watch(self) -> None:
        """Send the heartbeat that keeps routers from cutting the line, and end what has timed out."""
        pause = min(1.0, self._idle / 4, self._detached / 4)
        beat = time.monotonic()
        ending: set[asyncio.Task[None]] = set()
        while True:
            await asyncio.sleep(pause)
            now = time.monotonic()
            beats = now - beat >= _BEAT
            if beats:
                beat = now
            for terminal in list(self._terminals.values()):
                why = ""
                if now - terminal.typed_at > self._idle:
                    why = "Closed because nothing was typed for a long time. Everything that was saved is kept."
                elif not terminal.pages and now - terminal.seen_at > self._detached:
                    why = "Closed because no one used it for a long time."
                if why:
                    task = asyncio.create_task(terminal.end(TIMED_OUT, why))
                    ending.add(task)
                    task.add_done_callback(ending.discard)
                    continue
                terminal.files.expire()
                if beats:
                    terminal.beat()
