"""The page with the terminal in it, and the connection that it works over."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.staticfiles import NotModifiedResponse
from starlette.websockets import WebSocket

from crm.web import headers, pages
from crm.web.sign_in import sign_in_first
from crm.web.site import Site
from crm.web.terminals.assets import PAGE, assets

# How the page learns why its terminal is closed.
NOT_SIGNED_IN, PASSWORD_FIRST = 4401, 4403
_OURS = ("pages.css", "favicon.svg", "robots.txt")
# What a system has registered for these endings is not to be relied on.
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}


class TerminalPage:
    """The terminal, for who is signed in and has a password of their own."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._files = {**assets(), **{f"/{name}": pages.FOLDER / name for name in _OURS}}

    def routes(self) -> Sequence[BaseRoute]:
        """The routes, with all the files that the pages are made of."""
        return (
            Route("/", self._open, methods=["GET"]),
            WebSocketRoute("/terminal", self._connect),
            *(Route(url, self._file, methods=["GET"]) for url in self._files),
        )

    async def _open(self, request: Request) -> Response:
        who = await self._site.signed_in(request)
        if not who:
            return sign_in_first(request)
        if who.must_change:
            return RedirectResponse("/password", 303)
        return FileResponse(PAGE, headers={"Content-Security-Policy": headers.TERMINAL, "Cache-Control": "no-store"})

    async def _file(self, request: Request) -> Response:
        path = self._files[request.url.path]
        headers = {"Cache-Control": "no-cache"}
        response = FileResponse(path, media_type=_TYPES[path.suffix], headers=headers, stat_result=path.stat())
        known = request.headers.get("if-none-match", "")
        return NotModifiedResponse(response.headers) if known == response.headers["etag"] else response

    async def _connect(self, socket: WebSocket) -> None:
        who = await self._site.signed_in(socket)
        if not who or who.must_change:
            # Accepted, because a browser gives a page no reason for a refused one.
            await socket.accept()
            await socket.close(PASSWORD_FIRST if who else NOT_SIGNED_IN)
            return
        await self._site.terminals.serve(socket, who.session, who.user, {"session": str(who.session)})
