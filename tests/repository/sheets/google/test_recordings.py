"""The stand-in for Google Sheets answers as the real service did when gspread's tests were recorded."""

import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests

from tests.support.google_sheets import StandIn
from tests.support.shared_data import SHARED, WHY

# What gspread's own tests recorded (tests/cassettes in its repository), a file for each.
FOLDER = SHARED / "google-sheets" / "recordings"
RECORDINGS = sorted(FOLDER.glob("*.json"))

FILE_IDS = {"spreadsheetId", "id"}
IDS = {"sheetId", "namedRangeId", "protectedRangeId"}
TIMES = {"createdTime", "modifiedTime"}
# How a new spreadsheet looks is not recorded; what an error says about itself for machines differs by its wording.
NOT_COMPARED = {"defaultFormat", "spreadsheetTheme", "details"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UPLOADED = {"kind", "id", "title", "mimeType"}
A_FILE = re.compile(r"/(?:spreadsheets|files)/([\w-]{20,})")


class Recording:
    """One recording on its way through the stand-in: which recorded id stands for which one there."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.ids: dict[tuple[str, Any], Any] = {("sheetId", 0): 0}
        self.times: dict[tuple[str, str], tuple[str, str]] = {}

    def text(self, recorded: str) -> str:
        """A text with the ids of the stand-in's files."""
        for id, own in self.files.items():
            recorded = recorded.replace(id, own)
        return recorded

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

    def differences(self, recorded: Any, answered: Any, path: str = "", owner: str = "") -> Iterator[str]:
        """The differences between two replies."""
        name = path.rpartition(".")[2]
        if isinstance(recorded, dict) and isinstance(answered, dict):
            owner = recorded.get("id", owner)
            for key in (recorded.keys() | answered.keys()) - NOT_COMPARED:
                if key not in recorded or key not in answered:
                    yield f"{path}.{key}: {recorded.get(key, 'nothing')!r} and {answered.get(key, 'nothing')!r}"
                else:
                    yield from self.differences(recorded[key], answered[key], f"{path}.{key}", owner)
        elif isinstance(recorded, list) and isinstance(answered, list):
            if path.endswith(".files"):
                recorded = [one for one in recorded if one["id"] in self.files]
                answered = [one for one in answered if one["id"] in self.files.values()]
            for at, (one, other) in enumerate(zip_longest(recorded, answered)):
                # Who may change a protected range is another account here.
                if name != "users" or other is None:
                    yield from self.differences(one, other, f"{path}[{at}]", owner)
        elif not self.alike(name, recorded, answered, owner):
            yield f"{path}: {recorded!r} and {answered!r}"

    def alike(self, name: str, recorded: Any, answered: Any, owner: str) -> bool:
        """True if two plain values mean the same; neither is an object or a list."""
        if name in FILE_IDS:
            return bool(answered) and self.files.setdefault(recorded, answered) == answered
        if name in IDS:
            return type(recorded) is type(answered) and self.ids.setdefault((name, recorded), answered) == answered
        if name in TIMES:
            before, now = self.times.get((owner, name), (recorded, answered))
            self.times[owner, name] = recorded, answered
            return bool(MOMENT.fullmatch(answered)) and (recorded > before, recorded < before) == (
                answered > now,
                answered < now,
            )
        if name == "spreadsheetUrl":
            return bool(self.text(recorded) == answered)
        if name == "pixelSize" and recorded != 100:
            # How wide letters are is not known here.
            return isinstance(answered, int) and answered != 100
        if isinstance(recorded, float) or isinstance(answered, float):
            return bool(recorded == pytest.approx(answered))
        return type(recorded) is type(answered) and bool(recorded == answered)


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


def steps(file: Path) -> Iterator[tuple[str, str, str, str, int, str, str]]:
    """Requests and replies: method, path, body and its type, status, type and body of the reply."""
    for interaction in json.loads(file.read_text("utf-8"))["interactions"]:
        asked, answer, url = interaction["request"], interaction["response"], urlsplit(interaction["request"]["uri"])
        path = url.path + (f"?{url.query}" if url.query else "")
        content, reply = (_header(one["headers"], "content-type") for one in (asked, answer))
        yield (
            asked["method"], path, asked["body"] or "", content, answer["status"]["code"], reply.split(";")[0],
            answer["body"]["string"],
        )  # fmt: skip


def _header(headers: dict[str, list[str]], wanted: str) -> str:
    return next((values[0] for name, values in headers.items() if name.lower() == wanted), "")


def _json(text: str) -> Any:
    """The JSON that a text is, None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


@pytest.mark.parametrize(
    "file", RECORDINGS or [pytest.param(FOLDER, marks=pytest.mark.skip(reason=WHY))], ids=lambda file: file.stem
)
def test_the_stand_in_replies_as_recorded(google: StandIn, session: requests.Session, file: Path) -> None:
    """Each recorded request is answered as it was."""
    recording = Recording()
    for number, (method, path, body, content_type, status, reply_type, recorded) in enumerate(steps(file)):
        asked = A_FILE.search(path)
        if asked and asked[1] not in recording.files:
            if status != 403:
                # A file of somebody else, whose content nobody knows.
                continue
            recording.files[asked[1]] = google.make("somebody else's", access="none")
        sent = recording.text(path)
        content = _json(body)
        data = recording.text(body) if content is None else json.dumps(recording.request(content))
        headers = {"Content-Type": content_type} if content_type else {}
        reply = session.request(method, google.url + sent, data=data.encode() or None, headers=headers, timeout=30)
        text = f"{file.stem} #{number} {method} {unquote(sent)} {reply.text[:300]}"
        assert reply.status_code == status, text
        expected = _json(recorded)
        if expected is None:
            assert reply.text.split() == recorded.split(), text
            continue
        assert reply.headers["Content-Type"].split(";")[0] == reply_type, text
        answer = reply.json()
        if path.startswith("/upload/"):
            expected, answer = ({key: one[key] for key in UPLOADED if key in one} for one in (expected, answer))
        assert list(recording.differences(expected, answer)) == [], text


@pytest.mark.skipif(not RECORDINGS, reason=WHY)
def test_no_recording_is_missing() -> None:
    """None was lost on the way."""
    assert len(RECORDINGS) == 74
    assert sum(len(list(steps(file))) for file in RECORDINGS) > 1000


@pytest.mark.parametrize(
    ("recorded", "answered"),
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
def test_the_comparison_finds_differences(recorded: Any, answered: Any) -> None:
    """The comparison is worth something."""
    assert list(Recording().differences(recorded, answered))
