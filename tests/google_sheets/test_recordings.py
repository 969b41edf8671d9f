"""The stand-in for Google Sheets answers as the real service did when gspread's tests were recorded."""

import json
import lzma
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from tests.support.google_sheets import StandIn

RECORDINGS = Path(__file__).parents[1] / "support" / "google_sheets" / "recordings" / "gspread.jsonl.xz"
LINES = [json.loads(line) for line in lzma.decompress(RECORDINGS.read_bytes()).decode().splitlines()]

# What the stand-in says that it does not do, by the names of recordings: nothing that is recorded.
UNSUPPORTED: set[str] = set()

FILE_IDS = {"spreadsheetId", "id"}
IDS = {"sheetId", "namedRangeId", "protectedRangeId"}
TIMES = {"createdTime", "modifiedTime"}
# How a new spreadsheet looks is not recorded; what an error says about itself for machines differs by its wording.
NOT_COMPARED = {"defaultFormat", "spreadsheetTheme", "details"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UPLOADED = {"kind", "id", "title", "mimeType"}
A_FILE = re.compile(r"/(?:spreadsheets|files)/(recorded-file-\d+)")


class Recording:
    """One recording on its way through the stand-in: which recorded id stands for which one there."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.ids: dict[tuple[str, Any], Any] = {("sheetId", 0): 0}
        self.times: dict[tuple[str, str], tuple[str, str]] = {}

    def text(self, recorded: str) -> str:
        """A text with the ids of the stand-in's files."""
        return re.sub(r"recorded-file-\d+", lambda found: self.files.get(found[0], found[0]), recorded)

    def request(self, recorded: Any) -> Any:
        """A body with the ids that the stand-in gave."""
        if isinstance(recorded, dict):
            return {
                name: self.ids.get((name, value), value) if name in IDS else self.request(value)
                for name, value in recorded.items()
            }
        if isinstance(recorded, list):
            return [self.request(one) for one in recorded]
        return self.text(recorded) if isinstance(recorded, str) else recorded

    def differences(self, recorded: Any, told: Any, path: str = "", owner: str = "") -> Iterator[str]:
        """Where two replies differ."""
        name = path.rpartition(".")[2]
        if isinstance(recorded, dict) and isinstance(told, dict):
            owner = recorded.get("id", owner)
            for key in (recorded.keys() | told.keys()) - NOT_COMPARED:
                if key not in recorded or key not in told:
                    yield f"{path}.{key}: {recorded.get(key, 'nothing')!r} and {told.get(key, 'nothing')!r}"
                else:
                    yield from self.differences(recorded[key], told[key], f"{path}.{key}", owner)
        elif isinstance(recorded, list) and isinstance(told, list):
            if path.endswith(".files"):
                told = [one for one in told if one["id"] in self.files.values()]
            for at, (one, other) in enumerate(zip_longest(recorded, told)):
                # Who may change a protected range is another account here.
                if name != "users" or other is None:
                    yield from self.differences(one, other, f"{path}[{at}]", owner)
        elif not self.alike(name, recorded, told, owner):
            yield f"{path}: {recorded!r} and {told!r}"

    def alike(self, name: str, recorded: Any, told: Any, owner: str) -> bool:
        """Whether two values, that are neither objects nor lists, say the same."""
        if name in FILE_IDS:
            return bool(told) and self.files.setdefault(recorded, told) == told
        if name in IDS:
            return type(recorded) is type(told) and self.ids.setdefault((name, recorded), told) == told
        if name in TIMES:
            before, now = self.times.get((owner, name), (recorded, told))
            self.times[owner, name] = recorded, told
            return bool(MOMENT.fullmatch(told)) and (recorded > before, recorded < before) == (told > now, told < now)
        if name == "spreadsheetUrl":
            return bool(self.text(recorded) == told)
        if name == "pixelSize" and recorded != 100:
            # How wide letters are is not known here.
            return isinstance(told, int) and told != 100
        if isinstance(recorded, float) or isinstance(told, float):
            return bool(recorded == pytest.approx(told))
        return type(recorded) is type(told) and bool(recorded == told)


@pytest.fixture(scope="module")
def google() -> Iterator[StandIn]:
    """The stand-in, without quotas: recordings come as fast as they can."""
    with StandIn(quota=False) as google:
        yield google


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Requests with a token that the stand-in always knows."""
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer test-token"
        yield session


@pytest.mark.parametrize(("name", "steps"), LINES, ids=[name for name, _ in LINES])
def test_recording(google: StandIn, session: requests.Session, name: str, steps: list[list[Any]]) -> None:
    """Each recorded request is answered as it was."""
    recording = Recording()
    for number, (method, path, body, content_type, status, reply_type, recorded) in enumerate(steps):
        file = A_FILE.search(path)
        if file and file[1] not in recording.files:
            assert status == 403, "only what may not be seen was not made by the recording itself"
            recording.files[file[1]] = google.make("somebody else's", access="none")
        sent = recording.text(path)
        data = recording.text(body) if isinstance(body, str) else body and json.dumps(recording.request(body))
        headers = {"Content-Type": content_type} if content_type else {}
        reply = session.request(method, google.url + sent, data=data and data.encode(), headers=headers, timeout=30)
        if reply.status_code == 501:
            assert name in UNSUPPORTED, reply.text
            return
        told = f"{name} #{number} {method} {unquote(sent)} {reply.text[:300]}"
        assert reply.status_code == status, told
        if isinstance(recorded, str):
            assert reply.text.split() == recorded.split(), told
            continue
        assert reply.headers["Content-Type"].split(";")[0] == reply_type, told
        answer = reply.json()
        if path.startswith("/upload/"):
            answer = {key: value for key, value in answer.items() if key in UPLOADED}
        assert list(recording.differences(recorded, answer)) == [], told
    assert name not in UNSUPPORTED


def test_how_many_recordings() -> None:
    """None was lost on the way."""
    assert len(LINES) == 74
    assert sum(len(steps) for _, steps in LINES) > 1000


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"values": [["1"]]}, {"values": [[1]]}),
        ({"values": [["1"], []]}, {"values": [["1"]]}),
        ({"x": [{"sheetId": 7}, {"sheetId": 7}]}, {"x": [{"sheetId": 8}, {"sheetId": 9}]}),
        ({"sheetId": 0}, {"sheetId": 5}),
        ({"error": {"message": "one"}}, {"error": {"message": "other"}}),
    ],
)
def test_a_difference_is_seen(recorded: Any, told: Any) -> None:
    """The comparison is worth something."""
    assert list(Recording().differences(recorded, told))
