"""The cookies: what each is called, and how it is set so that nothing but our own pages sends it back."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

from crm.web.origins import is_secure

# Who is signed in; which browser a form was given to; which sign-in waits for its code.
SESSION, FORM, SECOND_STEP = "crm", "crm-form", "crm-code"
SESSION_SECONDS = 12 * 3600
FORM_SECONDS = 12 * 3600
SECOND_STEP_SECONDS = 300


def read_cookie(request: HTTPConnection, name: str) -> str:
    """The value of a cookie, '' for none."""
    cookie = _name(request, name)
    pieces = [piece.strip(" \t") for line in request.headers.getlist("cookie") for piece in line.split(";")]
    values = [value for key, _, value in (piece.partition("=") for piece in pieces) if key == cookie]
    # Of two with one name nobody knows which is ours.
    return values[0] if len(values) == 1 else ""


def set_cookie(response: Response, request: HTTPConnection, name: str, value: str, seconds: int) -> None:
    """Give the browser something to hold, for no script to read and for no other site to send."""
    response.set_cookie(
        _name(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=is_secure(request.scope),
        httponly=True,
        samesite="strict",
    )


def drop_cookie(response: Response, request: HTTPConnection, name: str) -> None:
    """Take a cookie away from the browser."""
    set_cookie(response, request, name, "", 0)


def _name(request: HTTPConnection, name: str) -> str:
    # The prefix makes browsers refuse it from other hosts and over plain HTTP, where this computer alone is reached.
    return f"__Host-{name}" if is_secure(request.scope) else name
