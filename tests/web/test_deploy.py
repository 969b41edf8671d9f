"""The program as Heroku runs it: from a fresh copy, by the Procfile, with the variables that Heroku gives."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from crm.config import ENVIRONMENT
from tests.conftest import PROJECT, google
from tests.support.whole_site import Browser, closing_code

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

HOST = "team.herokuapp.com"
EMAIL = "boss@example.com"
OWN = "purple monday rhubarb train"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a clone of it would be, with what `npm ci` brings."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    folder = tmp_path_factory.mktemp("app")
    for name in filter(None, listed.stdout.split("\0")):
        source = PROJECT / name
        if source.is_file() and not name.startswith("node_modules/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    (folder / "node_modules").symlink_to(PROJECT / "node_modules")
    return folder


@dataclass
class Dyno:
    """One dyno: its folder, the variables it is given, and what it has written."""

    folder: Path
    environment: dict[str, str]
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as `heroku run` does."""
        return subprocess.run(
            command, shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60
        )

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run what the Procfile says; give the process once it listens."""
        command = (self.folder / "Procfile").read_text().removeprefix("web:").strip()
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                ["sh", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                until = time.monotonic() + 60
                while '"listening"' not in self.written:
                    assert process.poll() is None, self.written
                    assert time.monotonic() < until, self.written
                    time.sleep(0.05)
                yield process
            finally:
                process.kill()
                process.wait()

    @property
    def written(self) -> str:
        """Everything on stdout and stderr so far."""
        return self.output.read_text("utf-8")


@pytest.fixture
def dyno(copy: Path, tmp_path: Path) -> Dyno:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(tmp_path / "home"),
        "LANG": "en_US.UTF-8",
        "PORT": str(port),
        "DYNO": "web.1",
        "CREDS": json.dumps(google().credentials()),
        "CRM_STORE": f"sheets://{google().make('Team')}",
        "CRM_SECRET": "3f9c1e7ab04d5826" + "c57b90d2e8461fa3" * 3,
        "CRM_ADMIN_EMAIL": EMAIL,
        # In the place of Google.
        "CRM_GOOGLE_URL": google().url,
    }
    (tmp_path / "home").mkdir()
    return Dyno(copy, environment, tmp_path / "log")


def family(pid: int) -> set[int]:
    """A process and all that it has started, directly or not."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    return found


@pytest.mark.slow
def test_the_procfile_serves_a_team_on_heroku(dyno: Dyno) -> None:
    # A spreadsheet that nobody has set up yet is told as a sentence, and set up by a command.
    refused = dyno.run("python run.py web")
    assert refused.returncode == 1
    assert "sheets setup" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert dyno.run("python run.py sheets setup").returncode == 0

    with dyno.started() as process, Browser(dyno.url, host=HOST, address="203.0.113.5") as browser:
        found = re.search(rf"{re.escape(EMAIL)}, one-time password (\S+)", dyno.written)
        assert found
        assert browser.sign_in(EMAIL, found.group(1)).headers["location"] == "/password"
        browser.get("/password")
        answer = browser.post("/password", current=found.group(1), new=OWN, again=OWN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert 'id="terminal"' in browser.get("/").text
        assert browser.http.get("/readyz").text == "ready\n"
        with browser.terminal() as line:
            seen = b""
            while b"How do you want to start?" not in seen:
                got = line.recv(20)
                seen += got if isinstance(got, bytes) else b""
            everything = family(process.pid)
            assert len(everything) >= 3
            began = time.monotonic()
            # As Heroku does: every process of the dyno is told at once.
            for pid in everything:
                os.kill(pid, signal.SIGTERM)
            assert closing_code(line) == 4503
        assert process.wait(10) == 0
        assert time.monotonic() - began < 10
        assert not [pid for pid in everything if Path(f"/proc/{pid}").exists()]
    first, second, *lines = dyno.written.splitlines()
    assert EMAIL in first
    assert "once" in second
    noted = [json.loads(line) for line in lines]
    assert {"listening", "request", "terminal opened", "terminal ended", "ended"} <= {line["what"] for line in noted}
    assert not [line for line in lines if EMAIL in line or "203.0.113" in line or OWN in line]

    # A dyno that restarts has lost its disk, and nobody is made twice.
    shutil.rmtree(dyno.environment["HOME"])
    with dyno.started(), Browser(dyno.url, host=HOST) as browser:
        assert "one-time" not in dyno.written
        assert browser.sign_in(EMAIL, OWN).headers["location"] == "/"

    # What does not fit is told by the start, and not to the first who signs in.
    for wrong in ({"CRM_SECRET": "fedcba9876543210" * 4}, {"CRM_IMAP_URL": "mail.example.com"}):
        refused = replace(dyno, environment=dyno.environment | wrong).run("python run.py web")
        assert refused.returncode in (1, 2)
        assert next(iter(wrong)) in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


def test_a_web_terminal_without_an_admin_does_not_open(copy: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PORT": "1"}
    refused = Dyno(copy, environment, tmp_path / "log").run(f"{sys.executable} run.py web")
    assert refused.returncode == 2
    assert "python run.py users add --role admin" in refused.stderr
    assert "CRM_ADMIN_EMAIL" in refused.stderr


def test_app_json_names_settings_that_there_are() -> None:
    described = json.loads((PROJECT / "app.json").read_text())
    assert [buildpack["url"] for buildpack in described["buildpacks"]] == ["heroku/nodejs", "heroku/python"]
    assert described["env"]["CRM_SECRET"]["generator"] == "secret"
    assert all(variable["description"].endswith(".") for variable in described["env"].values())
    assert set(described["env"]) <= {option.variable for option in ENVIRONMENT} | {"LANG", "TZ"}
    assert re.fullmatch(r"3\.1[1-4]\n", (PROJECT / ".python-version").read_text())
