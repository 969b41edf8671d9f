"""Pictures of the README and the guide: run the program on its sample data and save the screens.

`python -m docs.pictures` from the project's folder; with names (`python -m docs.pictures board`) only those.
"""

import io
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.color import ANSI_COLOR_NAMES
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.terminal.conftest import Session

HERE = Path(__file__).parent
COLUMNS, LINES = 80, 26
# Nothing is sent while pictures are drawn; that a mail server is set up is all that the pages ask for.
SETTINGS = {
    "CRM_USER": "you",
    "CRM_SMTP_URL": "smtp://127.0.0.1:9",
    "CRM_MAIL_FROM": "Wickerby & Daughters <hello@example.com>",
    "CRM_BACKGROUND": "dark",
}

# What leads from the main menu to what is drawn.
Steps = Callable[[Session], Session]
SCREENS: Mapping[str, Steps] = {
    "menu": lambda session: session.sees("SAMPLE DATA").sees("Exit"),
    "find": lambda session: session.press("/").sees("Find").press("castelan").sees("chiara.castellan52"),
    "client": lambda session: SCREENS["find"](session).press("down", "enter").sees("More").sees("Back"),
    "timeline": lambda session: SCREENS["client"](session).choose("Timeline").sees("1-").sees("0 back"),
    "capture": lambda session: (
        session.sees("q quick note")
        .press("q")
        .sees("follow up):")
        .press("call Brandt, wants a quote, fri 10:00", "enter")
        .sees("0)")
    ),
    "today": lambda session: session.choose("Today").sees("To do"),
    "follow-ups": lambda session: session.choose("Follow-ups").sees("0 back"),
    "board": lambda session: session.choose("Deals").sees("Proposal").sees("Back"),
    "deal": lambda session: SCREENS["board"](session).press("enter").sees("Mark as won"),
    "won": lambda session: (
        SCREENS["deal"](session)
        .choose("Mark as won")
        .sees("Amount")
        .press("enter")
        .settled()
        .press("enter")
        .sees("Won")
    ),
    "preview": lambda session: (
        SCREENS["client"](session).press("m").choose("Long time").choose("Preview and send").sees(") Send")
    ),
    "many": lambda session: (
        session.choose("E-mail")
        .sees("? keys")
        .press(".")
        .choose("New mailing")
        .choose("All in a saved view")
        .choose("Best")
        .choose("Long time")
        .choose("Preview and send")
        .sees("Who is excluded")
    ),
    "arranging": lambda session: SCREENS["today"](session).press("e").sees("Pipeline by stage"),
    "sales": lambda session: session.choose("Reports").choose("Sales over time").sees("Back").press("v").sees("█"),
    "unpaid": lambda session: session.choose("Billing").choose("Unpaid").sees("overdue").sees("0 back"),
    "invoice": lambda session: (
        session.choose("Billing").choose("Invoices").sees("0 back").press("4").sees("Skip a reminder").sees("Back")
    ),
    "funnel": lambda session: session.choose("Reports").choose("Deal funnel").sees("Conversion").sees("Back"),
}


def as_text(session: Session) -> Text:
    """The screen as text, with its colours."""
    screen = session.screen
    last = max((at for at, line in enumerate(session.lines) if line), default=0)
    text = Text()
    for line in range(last + 1):
        for column in range(screen.columns):
            cell = screen.buffer[line][column]
            text.append(cell.data or " ", Style(color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold))
        text.append("\n")
    return text


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    name = name.replace("brown", "yellow").replace("bright", "bright_")
    return name if name in ANSI_COLOR_NAMES else f"#{name}"


def draw(steps: Steps, target: Path, columns: int = COLUMNS) -> None:
    """Save one picture."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder) / "crm.sqlite3", columns, LINES, **SETTINGS)
        try:
            shown = steps(session.choose("Try it on sample data").sees("SAMPLE DATA")).settled()
        finally:
            session.child.close(force=True)
    console = Console(record=True, width=columns, file=io.StringIO())
    console.print(as_text(shown), end="")
    console.save_svg(str(target), title="python run.py")


def main(names: list[str]) -> None:
    """Save the pictures of these names, or all."""
    for name in names or SCREENS:
        target = HERE / "menu.svg" if name == "menu" else HERE / "screens" / f"{name}.svg"
        target.parent.mkdir(exist_ok=True)
        draw(SCREENS[name], target)


if __name__ == "__main__":
    main(sys.argv[1:])
