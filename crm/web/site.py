"""The site: what all pages share, from accounts, sessions and terminals to how a form is shown and read."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from crm.accounts import SignedIn
from crm.accounts.accounts import Accounts
from crm.errors import CRMError, FieldError, OutwardError, TooManyAttemptsError
from crm.web import cookies
from crm.web.csrf import FormTokens
from crm.web.pages import notice, page
from crm.web.sessions import Sessions
from crm.web.store_threads import StoreThreads
from crm.web.terminals import Terminals
from crm.web.unsubscribing import Follow


class FormRefused(Exception):
    """A form that did not come from a page of ours, or from one that is too old."""


@dataclass(frozen=True)
class Site:
    """The site that pages belong to. `has_fixed_origin` tells whether this program knows its own address."""

    accounts: StoreThreads[Accounts]
    sessions: Sessions
    terminals: Terminals
    tokens: FormTokens
    has_fixed_origin: bool
    opt_outs: StoreThreads[Follow]

    async def signed_in(self, request: HTTPConnection) -> SignedIn | None:
        """The session that the browser belongs to, None where nobody is signed in. Raises StoreError."""
        signed_in = await self.sessions.of(cookies.read_cookie(request, cookies.SESSION))
        if signed_in:
            request.scope["crm.session"] = signed_in.session
        return signed_in

    def form(self, request: Request, name: str, error: CRMError | None = None, **values: Any) -> HTMLResponse:
        """The page of this name with a token for its form; `error` is what was wrong with what was sent before."""
        cookie = cookies.read_cookie(request, cookies.FORM) or self.tokens.new_cookie()
        token = self.tokens.token(cookie, cookies.read_cookie(request, cookies.SESSION))
        wait = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttemptsError) else None
        answer = page(name, {"token": token, "error": _sentence(error), **values}, _status(error), wait)
        cookies.set_cookie(answer, request, cookies.FORM, cookie, cookies.FORM_SECONDS)
        return answer

    async def read(self, request: Request) -> Mapping[str, str]:
        """The fields of a form that was sent. Raises FormRefused where it was not one of ours."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise FormRefused
        sent = await request.form()
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
        cookie = cookies.read_cookie(request, cookies.FORM)
        session = cookies.read_cookie(request, cookies.SESSION)
        if not self.tokens.is_ours(fields.get("token", ""), cookie, session):
            raise FormRefused
        return fields

    def welcome(self, request: Request, who: SignedIn, *, to: str) -> Response:
        """Send the browser of somebody who has just signed in on its way, with a session and a new cookie for
        forms."""
        answer = RedirectResponse(to, 303)
        cookies.set_cookie(answer, request, cookies.SESSION, who.token, cookies.SESSION_SECONDS)
        cookies.set_cookie(answer, request, cookies.FORM, self.tokens.new_cookie(), cookies.FORM_SECONDS)
        if cookies.read_cookie(request, cookies.SECOND_STEP):
            cookies.drop_cookie(answer, request, cookies.SECOND_STEP)
        return answer

    async def leave(self, session: int, why: str) -> None:
        """End a session and tell its terminal why."""
        await self.accounts.ask(lambda accounts: accounts.sessions.end(session))
        self.sessions.forget(session)
        await self.terminals.end(session, why)

    async def note_refusals(self) -> None:
        """Write refused sign-ins into the store. It is called at times that nobody chooses: how long that takes would
        tell which accounts there are. Raises StoreError."""
        await self.accounts.leave_to_do(lambda accounts: accounts.authentication.note_refusals())

    async def close(self) -> None:
        """Let go of the accounts, once what they still had to do is done."""
        with suppress(CRMError):
            await self.note_refusals()
        await self.accounts.close()
        await self.sessions.close()
        await self.opt_outs.close()


def _status(error: CRMError | None) -> int:
    """The HTTP status that says the same as an error."""
    match error:
        case None:
            return 200
        case FieldError():
            return 422
        case TooManyAttemptsError():
            return 429
        case OutwardError():
            return 503
    return 403


def _sentence(error: CRMError | None) -> str:
    """An error as a page tells it: as a sentence, which a reason for a field need not be."""
    if error is None:
        return ""
    text = error.sentence[:1].upper() + error.sentence[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def refused_form() -> HTMLResponse:
    """The page for a form that is refused."""
    message = "This page was open for too long, or your browser blocks cookies. Nothing was done. Try again."
    return notice("Please try again", message, 403)
