"""Sign-in and sign-out over HTTP, as a browser without JavaScript does it."""

import asyncio
import re
import time
from datetime import timedelta
from typing import Any, cast

import httpx

from crm.accounts import SignedIn
from crm.model import SignIn
from crm.repository import Query
from crm.web.sessions import Sessions
from tests.support.whole_site import PASSWORD, Browser, WebSite, closing_code


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}


def test_without_a_sign_in_only_the_sign_in_page_is_shown(site: WebSite) -> None:
    browser = site.browser()
    for path in ("/", "/password", "/sign-out"):
        assert browser.get(path).url.path == "/sign-in"
    assert browser.get("/files/abc").status_code == 404
    assert browser.get("/nothing").status_code == 404
    page = browser.get("/sign-in").text
    assert 'autocomplete="username"' in page
    assert 'name="password" type="password" autocomplete="current-password"' in page
    assert "<script" not in page


def test_somebody_signs_in_and_out(site: WebSite) -> None:
    user = site.add("anna")
    browser = site.browser("203.0.113.5")
    answer = browser.sign_in("Anna@Example.com ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = cookies_of(answer)["crm"]
    assert all(word in cookie for word in ("HttpOnly", "Path=/", "SameSite=strict", "Max-Age=43200"))
    opened = browser.get("/")
    assert opened.url.path == "/"
    assert 'id="terminal"' in opened.text
    assert "script-src 'self'" in opened.headers["content-security-policy"]
    assert opened.headers["cache-control"] == "no-store"
    (session,) = site.accounts.sessions.of_user(user.id)
    assert (session.address, session.device) == ("203.0.113.5", "Firefox on Linux")
    # Somebody who is signed in is not asked again.
    assert browser.get("/sign-in").url.path == "/"

    assert "Sign out" in browser.get("/sign-out").text
    token = browser.http.cookies["crm"]
    assert browser.post("/sign-out").headers["location"] == "/sign-in?note=signed-out"
    assert "crm" not in browser.http.cookies
    assert browser.get("/sign-in?note=signed-out").status_code == 200
    assert browser.message == "You are signed out."
    assert site.accounts.sessions.of_user(user.id) == []
    # The back button, or whoever has kept the cookie, gets nowhere.
    browser.http.cookies.set("crm", token)
    assert browser.get("/").url.path == "/sign-in"
    assert browser.message == "Your session is over. Please sign in again."


def test_a_wrong_password_and_an_unknown_account_look_alike(site: WebSite) -> None:
    site.add("berta")
    site.accounts.administration.edit(site.add("gone"), active=False)
    answers = []
    for email in ("berta@example.com", "nobody@example.com", "gone@example.com", "x", ""):
        browser = site.browser("203.0.113.6")
        answer = browser.sign_in(email, PASSWORD if email.startswith("gone") else "wrong password")
        kept = re.sub(r'value="[^"]*"|autofocus', "", answer.text)
        answers.append((answer.status_code, browser.message, sorted(cookies_of(answer)), kept.split()))
    assert answers[0][0] == 403
    assert answers[0][1]
    # But for the address, which is there to be mended.
    assert all(answer == answers[0] for answer in answers[:4])
    assert answers[4][:2] == answers[0][:2]


def test_refused_sign_ins_are_logged_after_the_response(site: WebSite) -> None:
    user = site.add("carla")
    site.browser().sign_in("carla@example.com", "wrong password")
    until = time.monotonic() + 30
    while True:
        with site.repository.read() as snapshot:
            noted = snapshot.find_all(SignIn, Query(filters={"user": user.id}))
        if noted or time.monotonic() > until:
            break
        time.sleep(0.02)
    assert [sign_in.state for sign_in in noted] == ["refused"]


def test_too_many_wrong_passwords_have_to_wait(site: WebSite) -> None:
    site.add("dora")
    for email in ("dora@example.com", "no.dora@example.com"):
        browser = site.browser("203.0.113.7")
        answers = [browser.sign_in(email, "wrong password") for _ in range(7)]
        assert [answer.status_code for answer in answers][-1] == 429
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert "Wait" in browser.message
        # Nor does the right one help now.
        assert browser.sign_in(email).status_code == 429


def test_a_code_by_an_app_is_asked_for(site: WebSite) -> None:
    user = site.add("emil")
    app = site.with_app(user)
    browser = site.browser()
    answer = browser.sign_in("emil@example.com")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/code")
    assert "crm" not in browser.http.cookies
    token = cookies_of(answer)["crm-code"]
    assert all(word in token for word in ("HttpOnly", "SameSite=strict", "Max-Age=300"))
    page = browser.get("/sign-in/code").text
    assert 'autocomplete="one-time-code"' in page
    assert "Send again" not in page
    assert browser.get("/").url.path == "/sign-in"
    browser.get("/sign-in/code")
    refused = browser.post("/sign-in/code", code="000000")
    assert refused.status_code == 403
    assert browser.message
    assert browser.post("/sign-in/code", code=app.at(site.clock.now())).headers["location"] == "/"
    assert browser.get("/").url.path == "/"
    # The code is used up, and so is the sign-in that asked for it.
    again = site.browser()
    again.sign_in("emil@example.com")
    again.get("/sign-in/code")
    assert again.post("/sign-in/code", code=app.at(site.clock.now())).status_code == 403
    # A recovery code works in its place, once.
    assert again.post("/sign-in/code", code=site.recovery[0]).status_code == 303


def test_a_code_without_a_password_is_refused(site: WebSite) -> None:
    browser = site.browser()
    assert browser.get("/sign-in/code").url.path == "/sign-in"
    assert browser.post("/sign-in/code", code="123456").status_code == 403
    browser.http.cookies.set("crm-code", "totp..made-up")
    browser.get("/sign-in/code")
    assert browser.post("/sign-in/code", code="123456").status_code == 403
    assert "crm" not in browser.http.cookies


def test_a_code_by_sms_is_sent_and_sent_again(site: WebSite) -> None:
    user = site.add("frida", phone="+43 660 1234567")
    token = site.accounts.self_service.begin_sms(user.id)
    site.accounts.self_service.confirm_sms(user.id, token, code_in(site.texts.letters[-1][1]))
    browser = site.browser()
    browser.sign_in("frida@example.com")
    sent = len(site.texts.letters)
    assert "67)" in browser.get("/sign-in/code").text
    assert browser.post("/sign-in/code/again").status_code == 200
    assert browser.message == "A new code is on its way."
    assert len(site.texts.letters) == sent + 1
    assert browser.post("/sign-in/code", code=code_in(site.texts.letters[-1][1])).status_code == 303


def code_in(text: str) -> str:
    found = re.search(r"\b\d{6}\b", text)
    assert found
    return found.group()


def test_a_one_time_password_leads_to_a_password_of_ones_own(site: WebSite) -> None:
    user = site.add("greta")
    once = site.accounts.administration.set_one_time_password(user.id)
    browser = site.browser()
    assert browser.sign_in("greta@example.com", once).headers["location"] == "/password"
    # Nothing else can be done before.
    assert browser.get("/").url.path == "/password"
    with browser.terminal() as line:
        assert closing_code(line) == 4403
    own = "purple monday rhubarb train"
    assert change(browser, once, own, "another").status_code == 422
    assert "do not match" in browser.message
    assert change(browser, once, "short").status_code == 422
    assert change(browser, once, "greta@example.com").status_code == 422
    assert change(browser, "wrong", own).status_code == 403
    assert change(browser, once, own).headers["location"] == "/"
    assert browser.get("/").url.path == "/"
    assert site.browser().sign_in("greta@example.com", once).status_code == 403
    assert site.browser().sign_in("greta@example.com", own).status_code == 303


def change(browser: Browser, current: str, new: str, again: str = "") -> httpx.Response:
    browser.get("/password")
    return browser.post("/password", current=current, new=new, again=again or new)


def test_a_new_password_ends_the_other_sessions(site: WebSite) -> None:
    site.add("hanna")
    here, other = site.browser(), site.browser()
    for browser in (here, other):
        browser.sign_in("hanna@example.com")
    assert change(here, PASSWORD, "seven green umbrellas dance").status_code == 303
    assert here.get("/").url.path == "/"
    site_forgets(other)


def site_forgets(browser: Browser) -> None:
    """Wait for the moment from which a browser is signed out; at most what is promised."""
    until = time.monotonic() + 11
    while browser.get("/").url.path == "/":
        assert time.monotonic() < until
        time.sleep(0.1)
    assert browser.page.count('type="password"') == 1


def test_a_session_that_has_just_ended_changes_no_password(site: WebSite) -> None:
    user = site.add("hugo")
    here, other = site.browser(), site.browser()
    for browser in (here, other):
        browser.sign_in("hugo@example.com")
        browser.get("/password")
    ended = min(session.id for session in site.accounts.sessions.of_user(user.id))
    site.accounts.sessions.end(ended)
    answer = here.post("/password", current=PASSWORD, new="seven green umbrellas", again="seven green umbrellas")
    assert answer.headers["location"] == "/sign-in?note=over"
    assert len(site.accounts.sessions.of_user(user.id)) == 1
    assert site.browser().sign_in("hugo@example.com").status_code == 303


def test_signing_out_ends_a_tab_that_is_still_loading() -> None:
    class SlowToAnswer:
        """Reads at once, and answers when it is told to."""

        def __init__(self) -> None:
            self.ended = False
            self.may_answer = asyncio.Event()

        async def ask(self, _: object) -> SignedIn | None:
            found = None if self.ended else SignedIn(1, 1, "ina@example.com", "Ina", "staff", 0, False, False, "1.1.x")
            await self.may_answer.wait()
            return found

    async def two_tabs() -> None:
        accounts = SlowToAnswer()
        sessions = Sessions(cast(Any, accounts))
        tab = asyncio.create_task(sessions.of("1.1.x"))
        await asyncio.sleep(0)
        accounts.ended = True
        sessions.forget(1)
        accounts.may_answer.set()
        await tab
        assert await sessions.of("1.1.x") is None

    asyncio.run(two_tabs())


def test_signing_in_anew_ends_the_session_before_and_changes_all_tokens(site: WebSite) -> None:
    user = site.add("ida")
    browser = site.browser()
    browser.sign_in("ida@example.com")
    before = dict(browser.http.cookies)
    (first,) = site.accounts.sessions.of_user(user.id)
    browser.get("/password")
    page = browser.page
    assert browser.post("/sign-in", email="ida@example.com", password=PASSWORD).status_code == 303
    assert first.id not in {session.id for session in site.accounts.sessions.of_user(user.id)}
    assert all(browser.http.cookies[name] != before[name] for name in ("crm", "crm-form"))
    # A form from before is none any more.
    browser.page = page
    assert browser.post("/sign-out").status_code == 403


def test_a_forgotten_password_is_reset_by_mail(site: WebSite) -> None:
    site.add("jana")
    browser = site.browser("203.0.113.9")
    answers = []
    for email in ("nobody@example.com", "jana@example.com"):
        browser.get("/forgotten")
        answers.append(browser.post("/forgotten", email=email))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
    until = time.monotonic() + 30
    while not (letters := [text for to, text in site.mail.letters if to == "jana@example.com"]):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert not any(to == "nobody@example.com" for to, _ in site.mail.letters)
    found = re.search(rf"{site.url}(/reset/\S+)", letters[0])
    assert found
    link = found.group(1)
    # Whatever looks at links in mails does not use it up.
    for _ in range(2):
        assert browser.get(link).status_code == 200
    assert browser.post(link, new="password12", again="password12").status_code == 422
    own = "nine blue lamps whisper"
    assert browser.post(link, new=own, again=own).headers["location"] == "/sign-in?note=changed"
    browser.get(link)
    assert browser.post(link, new=own, again=own).status_code == 403
    assert site.browser().sign_in("jana@example.com", own).status_code == 303


def test_a_session_ends_after_twelve_hours(site: WebSite) -> None:
    site.add("karl")
    browser = site.browser()
    browser.sign_in("karl@example.com")
    assert browser.get("/").url.path == "/"
    with browser.terminal() as line:
        line.recv(5)
        site.clock.ahead += timedelta(hours=12, seconds=1)
        assert closing_code(line) == 4401
    site_forgets(browser)


def test_a_form_without_our_csrf_token_is_refused(site: WebSite) -> None:
    site.add("lena")
    browser = site.browser()
    fields = {"email": "lena@example.com", "password": PASSWORD}
    # No cookie, no token, the token of another browser, one that was made up.
    assert browser.post("/sign-in", **fields).status_code == 403
    browser.get("/sign-in")
    assert browser.post("/sign-in", token="", **fields).status_code == 403
    assert browser.post("/sign-in", token="é" * 64, **fields).status_code == 403
    other = site.browser()
    other.get("/sign-in")
    browser.get("/sign-in")
    browser.page = other.page
    assert browser.post("/sign-in", **fields).status_code == 403
    browser.get("/sign-in")
    for origin in ("https://evil.example", "null", site.url.replace("127.0.0.1", "localhost")):
        assert browser.post("/sign-in", origin=origin, **fields).status_code == 403
    as_json = browser.http.post("/sign-in", json=fields, headers={"Origin": site.url})
    assert as_json.status_code == 403
    browser.get("/sign-in")
    assert browser.post("/sign-in", **fields).status_code == 303
    # Nor can anybody be signed out by a page of somebody else's.
    browser.page = ""
    assert browser.post("/sign-out").status_code == 403
    assert browser.get("/").url.path == "/"


def test_typed_text_is_shown_as_plain_text(site: WebSite) -> None:
    browser = site.browser()
    page = browser.sign_in('"><script>alert(1)</script>@x', "wrong").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "script" not in browser.get("/sign-in?note=<script>").text
    browser.http.cookies.set("crm-code", "sms.%3Cscript%3E.x")
    assert "<script>" not in browser.get("/sign-in/code").text


def test_a_link_from_another_site_is_redirected_once(site: WebSite) -> None:
    site.add("mona")
    browser = site.browser()
    browser.sign_in("mona@example.com")
    cookies = dict(browser.http.cookies)
    browser.http.cookies.clear()
    # Without the cookie, as browsers do with links on other sites.
    page = browser.get("/", **{"Sec-Fetch-Site": "cross-site"}).text
    assert 'http-equiv="refresh" content="0; url=/sign-in"' in page
    browser.http.cookies.update(cookies)
    assert browser.get("/sign-in").url.path == "/"


def test_behind_tls_cookies_belong_to_this_host_alone(site: WebSite) -> None:
    headers = {"Host": "crm.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.10"}
    page = httpx.get(f"{site.url}/sign-in", headers=headers)
    cookie = cookies_of(page)["__Host-crm-form"]
    assert all(word in cookie for word in ("Secure", "HttpOnly", "Path=/", "SameSite=strict"))
    assert "Domain" not in cookie
    found = re.search(r'name="token" value="([^"]*)"', page.text)
    assert found
    site.add("nina")
    answer = httpx.post(
        f"{site.url}/sign-in",
        headers={**headers, "Origin": "https://crm.example.com", "Cookie": cookie.partition(";")[0]},
        data={"token": found.group(1), "email": "nina@example.com", "password": PASSWORD},
    )
    assert answer.status_code == 303
    assert "Secure" in cookies_of(answer)["__Host-crm"]
    # A cookie that another page of the domain has set is none of ours: with a blank that only some take for one, or
    # beside ours.
    session = cookies_of(answer)["__Host-crm"].partition(";")[0].encode()
    for sent, path in ((session, "/"), (b"\xa0" + session, "/sign-in"), (b"__Host-crm=1.1.x; " + session, "/sign-in")):
        opened = httpx.get(f"{site.url}/", headers={**headers, "Cookie": sent})
        assert opened.headers.get("location", "/").partition("?")[0] == path
    # Links would lead to whatever address somebody named, so there are none.
    assert "ask an admin" in httpx.get(f"{site.url}/forgotten", headers=headers).text
