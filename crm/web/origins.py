"""Origins: the address that the browser used, and whether a request was made by a page of that address."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from crm.web.pages import notice

# Asked by machines, by an address that is not ours.
HEALTH = ("/healthz", "/readyz")
# Such a link may be used from anywhere: mail services press its button by themselves (RFC 8058).
_LINKS = "/opt-out/"
_HOST = re.compile(r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_DEFAULT = {"http": ":80", "https": ":443"}
_SAFE = ("GET", "HEAD")


class SameOrigin:
    """The middleware that lets through only what was asked for by our own name, over TLS or on this computer, and of
    what changes something only what our own pages sent (`Origin` is exactly ours).

    `origin` is the one address that this program has, '' where it is the one that the browser names. The rest reads
    it as `origin_of(scope)`.
    """

    def __init__(self, app: ASGIApp, origin: str = "") -> None:
        self._app = app
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in HEALTH:
            await self._app(scope, receive, send)
            return
        answer = self._answer(scope)
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            # Before it is accepted: the browser sees 403.
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await answer(scope, receive, send)

    def _answer(self, scope: Scope) -> ASGIApp | None:
        """The refusal of a request, None where it is allowed."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not _is_host(hosts[0]):
            return notice("No such address", "The request does not say which address it is for.", 400)
        scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
        origin = _origin(scheme, hosts[0])
        if self._origin:
            if origin.partition("://")[2] != _bare(self._origin):
                return notice("Another address", "This program does not run at this address.", 421)
            origin = self._origin
        if (scope.get("crm.unencrypted") or origin.startswith("http:")) and not is_loopback(hosts[0]):
            return _unencrypted(scope, self._origin or f"https://{origin.partition('://')[2]}")
        scope["crm.origin"] = origin
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if changes and not scope["path"].startswith(_LINKS) and headers.getlist("origin") != [origin]:
            return notice("Request refused", "This was not sent by a page of this program. Nothing was done.", 403)
        return None


def _unencrypted(scope: Scope, origin: str) -> ASGIApp:
    if scope.get("crm.unencrypted") and scope.get("method") in _SAFE and origin.startswith("https:"):
        # Without what was asked for, which may be a secret.
        return RedirectResponse(f"{origin}/", 308)
    return notice(
        "Not encrypted",
        "Without encryption others could read your password. Open this address with https://. If a proxy"
        " in front of this program already uses https, name it in CRM_ORIGIN or FORWARDED_ALLOW_IPS.",
        403,
    )


def origin_of(scope: Scope) -> str:
    """The origin that the browser used, like 'https://crm.example.com'; '' before it was looked at."""
    return str(scope.get("crm.origin", ""))


def is_secure(scope: Scope) -> bool:
    """Return whether the browser came over TLS."""
    return origin_of(scope).startswith("https://")


def is_loopback(host: str) -> bool:
    """Return whether a `Host` header names the computer itself."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    """Return whether a `Host` header names a host; what is in brackets has to be an address."""
    try:
        return bool(_HOST.fullmatch(text) and urlsplit(f"//{text}").hostname)
    except ValueError:
        return False


def _origin(scheme: str, host: str) -> str:
    return f"{scheme}://{host.lower().removesuffix(_DEFAULT[scheme])}"


def _bare(origin: str) -> str:
    scheme, _, host = origin.partition("://")
    return host.removesuffix(_DEFAULT.get(scheme, " "))
