"""The web server's application: all pages, behind everything that guards them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from crm.errors import CRMError, StoreError
from crm.web.access_log import Journal, log
from crm.web.file_links import FileLinks
from crm.web.headers import SecurityHeaders
from crm.web.health import Health
from crm.web.origins import SameOrigin
from crm.web.pages import notice
from crm.web.passwords import PasswordPages
from crm.web.proxies import TrustedProxies
from crm.web.rate_limits import AddressLimits, BodyLimit
from crm.web.sign_in import SignInPages
from crm.web.site import FormRefused, Site, refused_form
from crm.web.terminal_page import TerminalPage
from crm.web.terminals.page import OVER
from crm.web.unsubscribing import UnsubscribePages
from crm.web.uvicorn_server import STOPS

# Well below what a session may outlive its end by.
WATCH_SECONDS = 5.0


def application(
    site: Site, *, origin: str = "", trusted: str = "", key: bytes, watch: float = WATCH_SECONDS
) -> ASGIApp:
    """The application over a site. `origin` is its one address ('' for the one that a browser names), `trusted` the
    proxies whose word counts, `key` hides addresses in the journal, `watch` is how often sessions are looked at, in
    seconds. Raises UsageError."""

    async def look() -> None:
        await site.sessions.check_readable()
        if not site.terminals.ready:
            raise StoreError("No terminal can be opened.")

    @asynccontextmanager
    async def lifespan(_: ASGIApp) -> AsyncIterator[Mapping[str, object]]:
        await site.terminals.start()
        watching = asyncio.create_task(_watch(site, watch))
        try:
            yield {}
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await site.terminals.stop(STOPS)
            await site.close()

    parts = (
        *(SignInPages(site), PasswordPages(site), UnsubscribePages(site.opt_outs)),
        *(FileLinks(site), Health(look), TerminalPage(site)),
    )
    router = Router([route for part in parts for route in part.routes()], lifespan=lifespan, default=_no_page)
    guarded: ASGIApp = _Forms(router)
    for guard in (BodyLimit, AddressLimits):
        guarded = guard(guarded)
    guarded = Journal(SameOrigin(guarded, origin), key)
    return TrustedProxies(SecurityHeaders(guarded), trusted)


async def _watch(site: Site, every: float) -> None:
    """End the terminals of sessions that hold no more, and have noted who was refused."""
    while True:
        await asyncio.sleep(every)
        try:
            for session in await site.sessions.over(site.terminals.sessions()):
                await site.terminals.end(session, OVER)
            await site.note_refusals()
        except CRMError as error:
            # The terminals ask for themselves before they write anything.
            log.warning("sessions could not be looked at", exc_info=error)
        except Exception as error:
            log.error("sessions could not be looked at", exc_info=error)


class _Forms:
    """The answer to a form that is not taken."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except FormRefused:
            await refused_form()(scope, receive, send)


async def _no_page(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000, "reason": ""})
        return
    answer: Response = notice("No such page", "Nothing at this address.", 404)
    await answer(Request(scope).scope, receive, send)
