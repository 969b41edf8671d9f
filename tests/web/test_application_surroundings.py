"""Deployment of the web server: the address it listens on, the proxies it trusts, and storage that it refuses because
data would be lost."""

import dataclasses
import resource
import socket

import pytest

from crm.config import Config, from_environment
from crm.errors import UsageError
from crm.web.deployment import Deployment, surroundings
from crm.web.uvicorn_server import _open_files, listen

SECRET = "what protects the accounts of these tests"


def _around(_host: str = "", _port: int = 0, **environment: str) -> Deployment:
    return surroundings(environment, from_environment(environment), _host, _port)


def test_a_server_on_a_personal_computer_listens_on_loopback_only() -> None:
    assert _around() == Deployment("127.0.0.1", 8000, "")
    assert _around("0.0.0.0", 9000) == Deployment("0.0.0.0", 9000, "")


def test_a_container_host_names_the_port_and_connects_from_outside() -> None:
    assert _around(PORT="5000") == Deployment("0.0.0.0", 5000, "")
    assert _around("", 6000, PORT="5000").port == 6000
    assert _around(PORT="5000", FORWARDED_ALLOW_IPS="10.0.0.0/8").trusted == "10.0.0.0/8"


def test_on_heroku_the_router_is_trusted() -> None:
    around = _around(DYNO="web.1", PORT="5000", CRM_STORE="sheets://abc", CRM_SECRET=SECRET)
    assert around == Deployment("0.0.0.0", 5000, "*")


@pytest.mark.parametrize("port", ["0", "65536", "80a", "-1", "٣"])
def test_an_invalid_port_is_refused(port: str) -> None:
    with pytest.raises(UsageError, match="PORT cannot be used"):
        _around(PORT=port)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "CRM_STORE"),
        ({"CRM_STORE": "sqlite:////data/crm.sqlite3"}, "Files are lost here"),
        ({"CRM_STORE": "sheets://abc", "CRM_SECRET": ""}, "CRM_SECRET is missing"),
    ],
)
def test_storage_that_heroku_would_lose_is_refused(environment: dict[str, str], message: str) -> None:
    given = {"DYNO": "web.1", "CRM_SECRET": SECRET, **environment}
    with pytest.raises(UsageError, match=message):
        surroundings(given, from_environment(given))


def test_an_address_without_tls_is_refused_before_anybody_signs_in_there() -> None:
    with pytest.raises(UsageError, match="CRM_ORIGIN cannot be used: http://crm"):
        _around(CRM_ORIGIN="http://crm.example.com")
    for origin in ("http://localhost:8000", "http://127.0.0.1", "https://crm.example.com"):
        assert _around(CRM_ORIGIN=origin).port == 8000


def test_a_configured_database_that_is_not_supported_is_reported() -> None:
    with pytest.raises(UsageError, match="DATABASE_URL"):
        _around(DATABASE_URL="postgres://user@host/name")
    assert _around(DATABASE_URL="postgres://user@host/name", CRM_STORE="sqlite:///x").port == 8000


def test_the_settings_of_the_web_are_checked() -> None:
    config = from_environment({"CRM_ORIGIN": "https://crm.example.com/", "CRM_ADMIN_EMAIL": "Anna@Example.com"})
    assert (config.origin, config.admin_email) == ("https://crm.example.com", "anna@example.com")
    for wrong in ({"CRM_ORIGIN": "crm.example.com"}, {"CRM_ADMIN_EMAIL": "anna"}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            from_environment(wrong)
    assert "secret" not in repr(dataclasses.replace(Config("", ""), credentials="secret"))


def test_a_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("allowed", "wanted"),
    [
        ((256, resource.RLIM_INFINITY), 4096),
        ((256, 1024), 1024),
        ((1024, 1_048_576), 4096),
        ((8192, 8192), 8192),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), resource.RLIM_INFINITY),
    ],
)
def test_the_limit_of_open_files_is_raised_for_many_terminals(allowed: tuple[int, int], wanted: int) -> None:
    assert _open_files(*allowed) == wanted
