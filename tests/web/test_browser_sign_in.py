"""Sign-in and sign-out in a real browser, and attacks on them by pages of other sites."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, Router

from tests.support.serving import served
from tests.support.terminal_browser import contrasts
from tests.support.whole_site import PASSWORD, WebSite

expect.set_options(timeout=30_000)
pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]


@pytest.fixture
def context(chromium: Browser, site: WebSite) -> Iterator[BrowserContext]:
    with visiting(chromium, site) as opened:
        yield opened


@contextmanager
def visiting(chromium: Browser, site: WebSite, **how: Any) -> Iterator[BrowserContext]:
    """A browser that has never been here; whatever the pages complain of fails the test."""
    opened = chromium.new_context(base_url=site.url, **how)
    opened.set_default_timeout(30_000)
    complaints: list[str] = []
    opened.on("weberror", lambda error: complaints.append(str(error.error)))
    opened.on("console", lambda output: complaints.append(output.text) if "Content Security" in output.text else None)
    yield opened
    opened.close()
    assert complaints == []


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.goto("/")
    page.get_by_label("E-mail").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def expect_terminal(page: Page) -> None:
    expect(page.locator(".xterm-rows")).to_contain_text("Sample menu")


def test_somebody_signs_in_works_and_signs_out(site: WebSite, context: BrowserContext) -> None:
    site.add("anna")
    page = context.new_page()
    sign_in(page, "anna", "not my password")
    expect(page.get_by_role("alert")).to_contain_text("is wrong")
    # Only what was wrong has to be typed again.
    expect(page.get_by_label("E-mail")).to_have_value("anna@example.com")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect_terminal(page)
    assert page.evaluate("document.cookie") == ""
    assert {(cookie.get("httpOnly"), cookie.get("sameSite")) for cookie in context.cookies()} == {(True, "Strict")}

    page.locator("#more summary").click()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.go_back()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert site.terminals.sessions() == set()


def test_a_second_factor_is_typed(site: WebSite, context: BrowserContext) -> None:
    app = site.with_app(site.add("emil"))
    page = context.new_page()
    sign_in(page, "emil")
    code = page.get_by_label("Code")
    expect(code).to_be_focused()
    page.keyboard.type(app.at(site.clock.now()))
    page.keyboard.press("Enter")
    expect_terminal(page)


def test_a_one_time_password_is_replaced_first(site: WebSite, context: BrowserContext) -> None:
    once = site.accounts.administration.set_one_time_password(site.add("greta").id)
    page = context.new_page()
    sign_in(page, "greta", once)
    expect(page.get_by_role("heading", name="Choose your password")).to_be_visible()
    page.goto("/")
    page.get_by_label("One-time password").fill(once)
    page.get_by_label("New password", exact=True).fill("purple monday rhubarb train")
    page.get_by_label("New password again").fill("purple monday rhubarb train")
    page.get_by_role("button", name="Change password").click()
    expect_terminal(page)


def test_an_expired_session_leads_to_the_sign_in(site: WebSite, context: BrowserContext) -> None:
    user = site.add("karl")
    page = context.new_page()
    sign_in(page, "karl")
    expect_terminal(page)
    site.clock.ahead += timedelta(hours=12, seconds=1)
    expect(page.get_by_role("status")).to_contain_text("Your session is over")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, "karl")
    expect_terminal(page)
    site.accounts.sessions.end_all(user.id)


def test_the_pages_work_without_javascript(site: WebSite, chromium: Browser) -> None:
    site.add("nora")
    with visiting(chromium, site, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, "nora")
        expect(page).to_have_url(f"{site.url}/")
        page.goto("/sign-out")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("status")).to_have_text("You are signed out.")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_pages_fit_a_telephone(site: WebSite, chromium: Browser, scheme: str) -> None:
    with visiting(
        chromium, site, viewport={"width": 320, "height": 560}, color_scheme=scheme, has_touch=True, is_mobile=True
    ) as context:
        page = context.new_page()
        sign_in(page, "nobody", "not a password")
        expect(page.get_by_role("alert")).to_contain_text("is wrong")
        assert min(contrasts(page))[0] >= 4.5
        for path in ("/sign-in", "/sign-in?note=changed", "/forgotten", "/reset/x", "/nothing"):
            page.goto(path)
            assert min(contrasts(page))[0] >= 4.5, contrasts(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
            # What is smaller makes telephones zoom in, or is missed by a finger.
            for field in page.locator("input:visible, button:visible").all():
                box = field.bounding_box()
                assert box
                assert box["height"] >= 44
                assert field.evaluate("element => parseFloat(getComputedStyle(element).fontSize)") >= 16
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
        assert dark == (scheme == "dark")


@contextmanager
def elsewhere(content: str) -> Iterator[str]:
    """Somebody else's site, of one page."""

    async def show(_: object) -> Response:
        return HTMLResponse(f"<!doctype html><title>Elsewhere</title>{content}")

    with served(Router([Route("/", show)])) as url:
        yield url


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_another_site_cannot_open_the_terminal(site: WebSite, context: BrowserContext, host: str) -> None:
    name = f"socket-{host.replace('.', '-')}"
    site.add(name)
    page = context.new_page()
    sign_in(page, name)
    expect_terminal(page)
    address = site.url.replace("http", "ws")
    script = f"""<p id=told></p><script>
        const line = new WebSocket("{address}/terminal");
        line.onopen = () => told.textContent = "open";
        line.onmessage = () => told.textContent = "read";
        line.onclose = (event) => told.textContent ||= "closed " + event.code;
    </script>"""
    # Another port is the same site to a cookie; another name is not.
    with elsewhere(script) as url:
        other = context.new_page()
        other.goto(url.replace("127.0.0.1", host))
        expect(other.locator("#told")).to_have_text("closed 1006")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_another_site_cannot_send_our_forms(site: WebSite, context: BrowserContext, host: str) -> None:
    name = f"form-{host.replace('.', '-')}"
    user = site.add(name)
    page = context.new_page()
    sign_in(page, name)
    expect_terminal(page)
    form = f"""<form method=post action="{site.url}/sign-out"><input name=token value=guessed></form>
        <script>document.forms[0].submit()</script>"""
    with elsewhere(form) as url:
        other = context.new_page()
        with other.expect_response(f"{site.url}/sign-out") as refused:
            other.goto(url.replace("127.0.0.1", host))
        assert refused.value.status == 403
    assert len(site.accounts.sessions.of_user(user.id)) == 1
    page.reload()
    expect_terminal(page)


def test_another_site_cannot_frame_our_pages(site: WebSite, chromium: Browser) -> None:
    with elsewhere(f'<iframe src="{site.url}/sign-in"></iframe>') as url:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(url)
        frame = page.frames[1]
        assert frame.locator("input").count() == 0
        context.close()


def test_a_link_elsewhere_leads_to_the_terminal(site: WebSite, context: BrowserContext) -> None:
    site.add("mona")
    page = context.new_page()
    sign_in(page, "mona")
    expect_terminal(page)
    # Another site to the browser, so that it shows no cookie at first.
    with elsewhere(f'<a href="{site.url}/">Open the CRM</a>') as url:
        other = context.new_page()
        other.goto(url.replace("127.0.0.1", "localhost"))
        other.get_by_role("link").click()
        expect_terminal(other)
