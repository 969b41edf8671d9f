"""Security headers of every answer."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm.web.origins import is_secure

# A page of forms runs no script at all.
_EVERYWHERE = (
    "default-src 'none'",
    "base-uri 'none'",
    "object-src 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "font-src 'self'",
    "img-src 'self'",
    "manifest-src 'self'",
)
PAGES = "; ".join((*_EVERYWHERE, "style-src 'self'"))
# xterm.js writes its colours and sizes into the page as it goes.
TERMINAL = "; ".join((*_EVERYWHERE, "script-src 'self'", "connect-src 'self'", "style-src 'self' 'unsafe-inline'"))

_HEADERS = {
    "Content-Security-Policy": PAGES,
    "X-Content-Type-Options": "nosniff",
    # With no-referrer browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-read=(self),"
    " clipboard-write=(self)",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    # Whatever may be kept says so itself.
    "Cache-Control": "no-store",
}
_YEAR = 365 * 24 * 3600


class SecurityHeaders:
    """The middleware that adds the headers to every answer; one that an answer has already stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if is_secure(scope):
                    headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}; includeSubDomains")
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)
