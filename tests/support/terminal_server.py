"""The terminals behind a small web server of their own, on loopback, in a thread of the tests."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from crm.web.terminals import Terminals
from crm.web.terminals.assets import PAGE, assets

# Seconds that tests wait for what must come.
PATIENCE = 30.0
# What the application will send with the page.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self';"
    " manifest-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class _Server(uvicorn.Server):
    """Uvicorn, which lets the terminals say goodbye before it closes their lines."""

    def __init__(self, config: uvicorn.Config, terminals: Terminals) -> None:
        super().__init__(config)
        self._terminals = terminals

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._terminals.stop("The server restarts.")
        await super().shutdown(sockets)


class TerminalServer:
    """Terminals served over HTTP; the cookies `session` and `user` say who asks, as if they had signed in."""

    def __init__(self, terminals: Terminals, folder: Path) -> None:
        self.terminals = terminals
        self.folder = folder
        self.connections = 0
        self.loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._files = assets()

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.port}/"

    def call(self, action: Callable[[], Any]) -> Any:
        """Run something (and await it, where that is needed) where the terminals live."""

        async def called() -> Any:
            result = action()
            return await result if asyncio.iscoroutine(result) else result

        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(PATIENCE + 5)

    def end_all(self) -> None:
        """End every menu, as if all had signed out."""

        async def end() -> None:
            for session in self.terminals.sessions():
                await self.terminals.end(session, "The test is over.")

        self.call(end)

    def leave(self) -> None:
        """Have it stop, as a signal does."""
        assert self._server is not None
        self._server.should_exit = True

    @contextmanager
    def running(self) -> Iterator["TerminalServer"]:
        """Serve until the end of the block."""
        config = uvicorn.Config(
            self._application(), host="127.0.0.1", port=0, log_config=None, log_level="warning",
            ws_per_message_deflate=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
        self._server = _Server(config, self.terminals)
        started = threading.Event()

        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            assert self._server is not None
            task = asyncio.create_task(self._server.serve())
            while not self._server.started and not task.done():
                await asyncio.sleep(0.01)
            started.set()
            await task

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        try:
            assert started.wait(PATIENCE)
            yield self
        finally:
            self.leave()
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _application(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> Any:
            await self.terminals.start()
            yield

        routes = [
            Route("/", self._page),
            WebSocketRoute("/terminal", self._terminal),
            Route("/files/{token}", self._send, methods=["GET"]),
            Route("/files/{token}", self._take, methods=["POST"]),
            *(Route(url, self._asset) for url in self._files),
        ]
        return Starlette(routes=routes, lifespan=lifespan)

    async def _page(self, request: Request) -> Response:
        return FileResponse(PAGE, headers={"Content-Security-Policy": _POLICY})

    async def _asset(self, request: Request) -> Response:
        return FileResponse(self._files[request.url.path])

    async def _terminal(self, line: WebSocket) -> None:
        self.connections += 1
        session, user = _who(line)
        await self.terminals.serve(line, session, user, {"session": str(session)})

    async def _send(self, request: Request) -> Response:
        offer = self.terminals.offered(_who(request)[0], request.path_params["token"])
        if offer is None:
            return PlainTextResponse("There is no such file.", 404)
        return FileResponse(offer.path, filename=offer.name)

    async def _take(self, request: Request) -> Response:
        async with request.form() as form:
            sent: Any = form["file"]
            file = self.folder / "arrived"
            file.write_bytes(await sent.read())
            taken = await self.terminals.uploaded(
                _who(request)[0], request.path_params["token"], file, sent.filename or ""
            )
        return PlainTextResponse("" if taken else "Nobody waits for this file.", 200 if taken else 404)


def _who(connection: HTTPConnection) -> tuple[int, int]:
    cookies = connection.cookies
    session = int(cookies.get("session", "1"))
    return session, int(cookies.get("user", str(session)))
