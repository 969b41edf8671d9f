"""One person at the menu: pages, menus and forms, and the guard around every step."""

import dataclasses
import errno
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.constrain import Constrain
from rich.rule import Rule
from rich.text import Text

from crm.commands import menus
from crm.commands.context import CRM
from crm.commands.registry import Command, commands, may_run, named
from crm.errors import (
    Cancelled,
    CRMError,
    FieldError,
    ForbiddenError,
    NotFoundError,
    SignedOutError,
    StoreAccessError,
    StoreBusyError,
    StoreError,
    StoreOfflineError,
    StoreUnsureError,
)
from crm.lean_dataclass import dataclass
from crm.model import Client, FollowUp, Record, Sale, StatusRule
from crm.model.rights import OWNER
from crm.terminal.console.keyboard import (
    BACK,
    CAPITAL,
    CONTINUE,
    KEYS_APART,
    YES_OR_NO,
    Back,
    Choice,
    Closed,
    FormPlace,
    Keyboard,
    lines_of,
    yes_or_no,
)
from crm.terminal.drawing.links import without_links
from crm.terminal.drawing.screen import Screen, clean
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.keys_on_questions import QuestionKeyboard
from crm.terminal.toolkit.pages import Pieces, done_sentence, flow_of, page_of
from crm.terminal.toolkit.steps import Answers, in_steps
from crm.wording import as_sentences

if TYPE_CHECKING:
    from crm.terminal.console.file_transfer import FileTransfer
    from crm.terminal.drawing.list_conventions import ListConventions
    from crm.terminal.toolkit.prompts import Prompts

# The way back, the hint and what an entry may be too long by are below the entries of a menu.
AROUND_MENU = 3
# The way back and a line of keys.
_BELOW_ENTRIES = 2
# What comes next, said once: after the first record that a command has made.
_FIRST_RECORDS: Mapping[str, tuple[type[Record], str]] = {
    "sales add": (Sale, "Your first sale. Next: add a follow-up, so that you do not forget to call."),
    "follow-ups add": (
        FollowUp,
        "Your first follow-up. The main menu shows it when it is due. Next: / finds another client.",
    ),
}
# The breadcrumbs of a page of a record; one more leads to what is done with it. Its name keeps so many columns.
_SECTION_AND_RECORD, _LEAST_NAME = 2, 6
# The blanks between the title and the sign that this is sample data.
_BEFORE_SAMPLE = 2
# Of longer menus so many entries are seen beside what is above them; the others are reached by arrows.
LEAST_ENTRIES = 6
# So many lines of a long page are seen at least; below what is only read stand its place and the way on.
_LEAST_LINES, _AROUND_READ = 3, 1
_GONE = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO)
_NARROWEST = 40
# As many lines are said above the keys; what is longer is at the top of the page.
_FOOT_LINES = 3
UNCHANGED = "Nothing changed."
_SHOWN_ONCE = "this page is shown only once; type yes when you have saved it"


@dataclass(frozen=True, slots=True)
class Aside:
    """An action from which one comes back to the page that one was on."""

    action: Callable[[], Any]

    def __call__(self) -> Any:
        return self.action()


class _Reading:
    """Lines that are longer than the window, of which a part is seen: where it begins, and how many lines it has (0
    where all are seen)."""

    def __init__(self) -> None:
        self.top = 0
        self.room = 0
        self.count = 0

    def show(self, screen: Screen, lines: Sequence[str], room: int, keys: str = "") -> None:
        """Show the part, and where it stands, with the keys that go on."""
        self.count = len(lines)
        if self.count <= room:
            self.room = 0
            screen.write_lines(lines)
            return
        self.room = max(1, room - 1)
        self.top = max(0, min(self.top, self.count - self.room))
        screen.write_lines(lines[self.top : self.top + self.room])
        place = f"lines {self.top + 1}-{self.top + self.room} of {self.count}{keys}"
        screen.print(Text(screen.cut(place, 1), "muted"))

    def turn(self, pages: int) -> bool:
        """Go on or back by parts; whether there was more."""
        before = self.top
        self.top = max(0, min(self.top + pages * self.room, self.count - self.room))
        return bool(self.room) and self.top != before

    def keys(self) -> list[Choice]:
        """The keys that turn it."""
        if not self.room:
            return []
        return [
            Choice("scroll down", Aside(lambda: self.turn(1)), "pagedown"),
            Choice("scroll up", Aside(lambda: self.turn(-1)), "pageup"),
        ]


class Session:
    """A session of the menu: what its pages and forms share. `real` is the team's own store while the sample data is in
    use; with an `exchange` the person sits at another device, and knows nothing of the files and settings of this
    one."""

    def __init__(
        self,
        crm: CRM,
        keyboard: Keyboard,
        screen: Screen,
        *,
        debug: bool = False,
        exchange: "FileTransfer | None" = None,
    ) -> None:
        self.crm = crm
        self.real: CRM | None = None
        self.debug = exchange is None and debug
        self.keyboard: Keyboard = QuestionKeyboard(keyboard, self._keys_on_questions, screen, self._draw_beside)
        self.screen = screen
        screen.statuses = self._coloured_statuses
        # The statuses that have a colour, and the moment of the store that they are of; on each page they are looked at
        # once.
        self._statuses: Sequence[str] = ()
        self._statuses_of: object = None
        self._has_statuses = False
        self.exchange = exchange
        # The search from every page, which the main menu hands in.
        self.search: Callable[[Session], None] | None = None
        # The panel beside a question about a client, by number, or in a menu; it hands that in too.
        self.panel: Callable[[Session, int, str], Pieces] | None = None
        # The key to what else a section has, which it hands in as well.
        self.sections: (
            Callable[[Session, str, Callable[[], Client | None], Callable[[], Sequence[Choice]]], list[Choice]] | None
        ) = None
        self._notes: list[Callable[[], None]] = []
        # The notes of this page, to be shown again where all of it is redrawn.
        self._page_notes: list[Callable[[], None]] = []
        # Those of them that are above the keys, as they are drawn.
        self._foot = ""
        # The lines above this page about what has just happened, where they are too many for its foot.
        self.message_lines = 0
        # What this page says about what has just happened, as it is drawn.
        self._message = ""
        # Where the person is, by the titles of the pages that led there.
        self.place: Sequence[str] = ()
        # What the page is for, beside its keys.
        self._purpose = ""
        # What is beside the questions of this page where it says so itself, and the client that they are about.
        self._beside: Callable[[], Pieces] | None = None
        self._about_client = 0
        # The client of the open page; 0 for none.
        self.client_number = 0

    @property
    def conventions(self) -> "ListConventions":
        """The team's conventions as pages write them: near days are words. What is typed and edited has whole dates."""
        from crm.terminal.drawing.list_conventions import ListConventions

        return ListConventions.of(self.crm.conventions)

    @property
    def prompts(self) -> "Prompts":
        """Ask for parameters of commands on the store in use."""
        from crm.terminal.toolkit.prompts import Prompts

        return Prompts(self.crm, self.keyboard, self.screen, self.insist, self.exchange)

    def close(self) -> None:
        """Let go of the stores."""
        for crm in {id(crm): crm for crm in (self.crm, self.real) if crm is not None}.values():
            crm.repository.close()

    # Pages

    def page(
        self,
        *crumbs: str,
        about: str = "",
        foot: bool = False,
        purpose: str = "",
        client: int = 0,
        beside: Callable[[], Pieces] | None = None,
    ) -> None:
        """Start a page: the title, `about` it at the right, then whatever the step before had to tell; with a `foot`
        that is said above the keys, unless it is too long for it. Its `purpose` is beside its keys. A wide window has
        the `client` that it is about, by number, beside its questions, or what `beside` draws."""
        notice = self._notice()
        self._has_statuses = False
        self.place, self._purpose, self._beside, self._about_client = crumbs, purpose, beside, client
        self.screen.clear()
        self.screen.is_side_broad = False
        self._foot, self._message, self.message_lines = "", "", 0
        below = self._draw_title(crumbs, about)
        if notice:
            self.screen.print(Text(clean(notice), "warning"))
        notes, self._notes = self._notes, []
        self._page_notes = notes
        drawn = without_links(self.screen.drawn(notes)) if foot and notes and not self.screen.plain else ""
        self._message = drawn
        if drawn and drawn.count("\n") <= _FOOT_LINES:
            self._foot = drawn
        elif notes:
            before = self.screen.used
            for note in notes:
                note()
            self.screen.print()
            self.message_lines = 0 if self.screen.plain else self.screen.used - before
        if below:
            self.screen.print(Text(below, "muted"))

    @property
    def lines_below(self) -> int:
        """The number of lines about what has just happened above the keys of this page."""
        return self._foot.count("\n")

    def says(self, words: str) -> bool:
        """Return whether the message on this page has these words."""
        return " ".join(words.split()) in " ".join(Text.from_ansi(self._message).plain.split())

    def _coloured_statuses(self) -> Sequence[str]:
        """The statuses that have a colour, those of the rules first; none for a person who may not see the rules."""
        if not self._has_statuses:
            from crm.commands.clients.status_colours import coloured_statuses

            self._has_statuses = True
            try:
                with self.crm.read() as snapshot:
                    of = (self.crm.repository.url, snapshot.revision, self.crm.reader)
                    if of != self._statuses_of:
                        self._statuses, self._statuses_of = coloured_statuses(snapshot), of
            except CRMError:
                self._statuses, self._statuses_of = (), None
        return self._statuses

    def path_to(self, title: str, menu: str = "", of: str = "") -> Sequence[str]:
        """The breadcrumbs of a page that is opened from this one, or from a menu where none is open; `of` is the record
        that it is about, named where the page is opened from a list."""
        known = menus()
        place = [*self.place] or ([known[menu].title] if menu in known else [])
        place = place[:-1] if place[-1:] == [title] else place
        return [*place, *([of] if of and len(place) == 1 else []), title]

    def lines_above(self) -> int:
        """The number of lines of the title and the message on a new page."""
        notice = bool(self._notice())
        return 2 + notice + self.screen.drawn(self._notes).count("\n")

    def _draw_title(self, crumbs: Sequence[str], about: str) -> str:
        """Draw where one is at the left, and about it at the right; give that back where there is no room for it. The
        main menu, which has no breadcrumbs, does without."""
        screen = self.screen
        sample = " SAMPLE DATA " if self.real is not None else ""
        room = screen.width - len(sample) - _BEFORE_SAMPLE * bool(sample)
        if crumbs:
            title = _title(screen, crumbs, room)
        else:
            try:
                name = self.crm.settings["company_name"]
            except CRMError:
                name = ""
            title = Text(clean(name or "CRM"), "bold")
        title.truncate(room, overflow="ellipsis")
        title.append(" " * _BEFORE_SAMPLE * bool(sample)).append(sample, "sample")
        about = clean(about)
        between = screen.width - title.cell_len - screen.measure(about)
        beside = not screen.plain and between > 1
        if about and beside:
            title.append(" " * between).append(about, "muted")
        screen.print(title)
        if not screen.plain:
            rule = Rule(style="muted", characters=screen.sign("─", "-"))
            # A page in a browser has forty columns at least: a longer line would be two once another tab is narrower.
            screen.print(Constrain(rule, _NARROWEST) if self.exchange else rule)
        return "" if beside or not crumbs else about

    def _notice(self) -> str:
        """The notice above a page: that the data is not of this moment."""
        try:
            with self.crm.read():
                return self.crm.repository.notice()
        except SignedOutError:
            raise
        except CRMError:
            # The next read of data reports the error.
            return ""

    def say(self, words: str, style: str = "") -> None:
        """Show a sentence on the next page."""
        self._notes.append(lambda: self.screen.print_signed(Text(clean(words, lines=True), style)))

    def tell(self, result: Any, title: str = "") -> None:
        """Show the result of a command on the next page, and hand over the files that it made."""
        result = self.with_files(result)
        is_bulk = isinstance(result, list) and bool(result) and isinstance(result[0], Client | StatusRule)
        if isinstance(result, Client | StatusRule) or (is_bulk and title):
            self.say(f"{self.screen.sign('✓', 'OK:')} {title}: {_result_text(result)}", "success")
        else:
            from crm.terminal.drawing.render import names_in, show

            by, names = self.conventions, names_in(self.crm, result)
            self.tell_drawn(lambda: show(self.screen, result, by, names))

    def tell_drawn(self, draw: Callable[[], None]) -> None:
        """Draw a result on the next page."""
        self._notes.append(draw)

    def with_files(self, result: Any) -> Any:
        """The result of a command whose files are handed over, or named with their folders where the menu runs."""
        return _with_whole_paths(result) if self.exchange is None else _handed_over(self.exchange, result)

    def say_next(self, words: str) -> None:
        """Say on the next page what comes next, where a command has just made the first record of its kind."""
        kind, sentence = _FIRST_RECORDS.get(words, (Client, ""))
        if sentence:
            with self.crm.read() as snapshot:
                is_first = snapshot.count(kind) == 1
            if is_first:
                self.say(sentence, "muted")

    def done(self, words: str, *, changed: bool = True) -> None:
        """Show on the next page that something was done, or that it was so already."""
        if changed:
            self.say(f"{self.screen.sign('✓', 'OK:')} {words}", "success")
        else:
            self.say(UNCHANGED)

    def fail(self, error: CRMError) -> None:
        """Show an error on the next page; what somebody may not do is noted in a browser too."""
        if self.exchange is not None and isinstance(error, ForbiddenError):
            self.exchange.note(error)
        self.say(f"{self.screen.sign('✗', '!')} {self.prompts.in_menu(error.sentence)}", "danger")

    # Steps

    def attempt(self, action: Callable[[], Any]) -> Any:
        """One step of the menu: its errors are shown on the next page, and the menu continues."""
        try:
            return action()
        except Back:
            return None
        except SignedOutError:
            raise
        except Cancelled as left:
            self.say(left.sentence, "warning")
        except CRMError as error:
            self.fail(error)
        except KeyboardInterrupt:
            self.say("Interrupted. Unfinished changes were not saved.", "warning")
        except Closed:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _GONE:
                raise Closed from error
            # It may come of what another program has put into the store.
            if (damage := self.crm.repository.damage(error)) is not None:
                self.fail(damage)
            else:
                self._crashed(error)
        return None

    def insist(self, action: Callable[[], Any]) -> Any:
        """Do an action with much typed input: if the store cannot be reached or refuses, it can be repeated as it is.
        Raises Back."""
        while True:
            try:
                return action()
            except StoreUnsureError as error:
                self._look_whether_saved(error)
            except (StoreOfflineError, StoreBusyError, StoreAccessError) as error:
                self.page("Not done yet", beside=lambda: ())
                self.screen.explain(error.sentence, "danger")
                self.screen.print()
                again = Choice("Try again", True)
                self.keyboard.choose("What you typed is still here.", [again], back="Cancel")

    def _look_whether_saved(self, error: StoreUnsureError) -> None:
        """Let a person look until they know whether a change was saved, or do the action again. Raises Back where it
        was, or where they leave it open."""
        sentence, tone = error.sentence, "warning"
        while True:
            self.page("This may have been saved", beside=lambda: ())
            self.screen.explain(sentence, tone)
            self.screen.print()
            entries = [Choice("Look whether it was saved", "look"), Choice("Save it again", "again")]
            can_look = error.change and self.offers(named("history find"))
            chosen = self.keyboard.choose("What you typed is still here.", entries[not can_look :], back="Leave it")
            if chosen == "again":
                return
            try:
                self.call("history find", change=error.change)
            except (StoreError, NotFoundError) as found:
                sentence, tone = found.sentence, "danger"
            else:
                self.say("It was saved.")
                raise Back

    def _crashed(self, error: Exception) -> None:
        if self.exchange is not None:
            self.exchange.note(error)
        if self.debug:
            import traceback

            self.say("".join(traceback.format_exception(error)), "danger")
        self.say(
            f"Something went wrong in this program ({type(error).__name__}). This step was not saved."
            + ("" if self.exchange else " Start it with --debug to see the details."),
            "danger",
        )

    def menu(
        self,
        crumbs: Sequence[str] | Callable[[], Sequence[str]],
        entries: Callable[[], Sequence[Choice]],
        *,
        above: Callable[[], None] | None = None,
        question: str = "",
        back: str = "Back",
        keys: Sequence[Choice] | Callable[[], Sequence[Choice]] = (),
        about: str = "",
        once: bool = False,
        rows: bool = False,
    ) -> None:
        """A menu whose values are actions, until the person goes back. What `above` shows, or `crumbs` names again
        each time, may be gone (deleted, merged): then the menu is left. `about` says what the page is for; the entries
        may be `rows`, as long as those of a list. It is left `once` something of it was done that is no Aside. Raises
        NotFoundError where it was gone from the first."""
        reading = _Reading()
        for visit in count():
            self._page_notes = []
            try:
                with self.screen.at_once():
                    with self.crm.at_one_moment():
                        named = crumbs() if callable(crumbs) else crumbs
                        self.page(*named, foot=True)
                        # The actions on a record are short.
                        self.screen.is_side_broad = above is not None and not rows
                        if above is not None:
                            above()
                        listed = entries()
                    if above is None:
                        self.read_first(named, len(listed))
                    else:
                        below = min(len(listed), LEAST_ENTRIES) + AROUND_MENU + self.lines_below
                        self._draw_part(named, above, reading, below)
                chosen = self.choose(
                    question,
                    listed,
                    back=back,
                    keys=keys() if callable(keys) else keys,
                    about=about,
                    silent=reading.keys(),
                )
            except NotFoundError:
                if not visit:
                    raise
                # The note about it is shown on the page that one goes back to.
                self._draw_again()
                return
            except (Back, Cancelled):
                return
            except KeyboardInterrupt:
                continue
            if self._is_done(chosen) and once and not isinstance(chosen, Aside):
                return

    def _is_done(self, action: Callable[[], Any]) -> bool:
        """Do an action as one step; return whether it was done, and not left or refused."""
        done: list[Any] = []
        self.attempt(lambda: done.append(action()))
        return bool(done)

    def _draw_part(self, crumbs: Sequence[str], above: Callable[[], None], reading: "_Reading", below: int) -> None:
        """Draw a page again as far as there is room, where what is above the entries is longer than the window: it is
        read on by the keys that turn pages."""
        screen = self.screen
        reading.room = 0
        if screen.plain or screen.left >= below:
            return
        self._draw_again()
        self.page(*crumbs, foot=True)
        lines = screen.drawn([above]).splitlines()
        reading.show(screen, lines, max(_LEAST_LINES, screen.left - below), ", PgUp and PgDn")

    def read(self, crumbs: Sequence[str], draw: Callable[[], Any], *, finds: bool = False) -> None:
        """Show what is only read, a window at a time where it is longer, until the person has read it; `/` searches
        from a page that `finds`. Raises Back."""
        screen, reading = self.screen, _Reading()
        while True:
            self.page(*crumbs)
            if screen.plain:
                draw()
            else:
                lines = screen.drawn([draw]).splitlines()
                room = max(_LEAST_LINES, screen.left - _AROUND_READ)
                is_last = reading.top + room > len(lines)
                reading.show(screen, lines, room, "" if is_last else ", any key: next")
            if screen.plain or screen.left > _AROUND_READ:
                screen.print()
            if finds and self.search and not screen.plain and self.leads_to("clients search"):
                keys = [letters.SEARCH(self.find), letters.KEYS(lambda: None)]
                pressed = self.keyboard.choose("", (), back="", hidden=keys, hint=CONTINUE, room=screen.left)
                if pressed is not None:
                    pressed()
                    return
            else:
                self.keyboard.pause(screen.left)
            if screen.plain or not reading.turn(1):
                return

    def read_first(self, crumbs: Sequence[str], entries: int) -> None:
        """Pause after the notes where a menu of so many entries does not fit below them."""
        if self._page_notes and not self._foot and not self.screen.plain and self.screen.left < entries + AROUND_MENU:
            self.keyboard.pause()
            self.page(*crumbs)

    def leads_to(self, words: str) -> bool:
        """Return whether the menu leads to a command that makes sense wherever they sit, by its words. The owner may
        run everything, and the first menu need not wait until all there is was loaded."""
        return self.crm.reader == OWNER or self.offers(named(words))

    def offers(self, command: Command) -> bool:
        """Return whether the menu leads to a command: the person may run it, and it makes sense where they sit and with
        the data in use."""
        is_elsewhere = command.here and self.exchange is not None
        is_about_other_data = command.own_store and self.real is not None
        return may_run(command, self.crm.reader) and not (is_elsewhere or is_about_other_data)

    def choose(
        self,
        question: str,
        entries: Sequence[Choice],
        *,
        back: str = "Back",
        keys: Sequence[Choice] = (),
        about: str = "",
        quiet: Sequence[Choice] = (),
        silent: Sequence[Choice] = (),
        at: Any = None,
        in_column: int = 0,
    ) -> Any:
        """An action from a page, on which `/`, `u` and `?` work as well. `about` says what the page is for. The `quiet`
        keys are named by `?` alone; of the `silent` ones, arrows and the like, nothing is said. Raises Back, Cancelled,
        Closed."""
        if at is None and entries and entries[0].instant:
            at = next((entry.value for entry in entries if not entry.instant), BACK)
        notes_down = self.leads_to("capture") and not any(key.key == letters.NOTE.key for key in keys)
        if back and at is not BACK and self.scrolls(entries):
            # The way back is among the keys then, and always seen.
            back, keys = "", [letters.BACK(BACK), *keys]
        # The page of a change has an undo of its own.
        undoes = any(key.key == letters.UNDO.key for key in keys)
        jumps = next((key.value for key in silent if key.key == CAPITAL), None)
        everywhere = [
            *([letters.SEARCH(Aside(self.find))] if self.search and self.leads_to("clients search") else []),
            *([letters.UNDO(Aside(self._undo_last))] if self.leads_to("history undo") and not undoes else []),
            *([letters.REDO(Aside(lambda: self.redo(jumps)))] if self.leads_to("history undo") else []),
        ]
        note = [letters.NOTE(Aside(lambda: self.start(named("capture"))))] if notes_down else []
        all_keys = letters.KEYS(
            Aside(lambda: self._show_keys(entries, known, about, silent=silent, in_columns=in_column > 0))
        )
        known = [*keys, *quiet, *everywhere, *note, all_keys]
        return self.keyboard.choose(
            question,
            entries,
            back=back,
            hidden=[*known, *silent],
            # A quick note is named where one begins.
            hint=self._key_line([*keys, *everywhere, all_keys]),
            at=at,
            resized=self._draw_again,
            room=self.screen.left,
            note=self._foot,
            in_column=in_column,
        )

    def scrolls(self, entries: Sequence[Choice]) -> bool:
        """Return whether entries, the way back and the keys are more than what is left of the window."""
        lines = lines_of(entries, self.screen.width) + _BELOW_ENTRIES + self.lines_below
        return not self.screen.plain and lines > self.screen.left

    def _draw_beside(self) -> Pieces:
        """The panel beside a question in a wide window: what its page says, or the client that it is about, or the
        list of the section."""
        if self._beside is not None:
            return self._beside()
        return self._panel(self._about_client, _menu_called(self.place))

    def _panel(self, client: int, menu: str) -> Pieces:
        return self.panel(self, client or self.client_number, menu) if self.panel else ()

    def _key_line(self, keys: Sequence[Choice]) -> str:
        """The keys of a page on one line: those that there is room for, and always how the others are found."""
        always = [key for key in keys if key.key in letters.ALWAYS_NAMED]
        own = [key for key in keys if key.key not in (*letters.ALWAYS_NAMED, letters.REDO.key)]
        room = self.screen.width - 2
        line = letters.line([*own, *always])
        if self.screen.plain or len(line) <= room:
            return line
        words = {key.key: letters.line([key], short=True) for key in (*own, *always)}
        named = {key.key for key in always}
        # The most needed first, then each for which there is still room, where it stands among the others.
        for key in sorted(own, key=lambda key: -letters.LEAST_NEEDED_FIRST.find(key.key)):
            longer = KEYS_APART.join(words[other] for other in words if other in named or other == key.key)
            if len(longer) <= room:
                named.add(key.key)
        return KEYS_APART.join(words[other] for other in words if other in named)

    def start(self, command: Command, **arguments: Any) -> None:
        """Lead through a command: its own flow, or its parameters one by one. Raises Back."""
        if leads := flow_of(command):
            leads(self, **arguments)
        else:
            self.lead(command, **arguments)

    def open(self, record: Record, **around: Any) -> None:
        """Open the page of a record; `around` is what its page takes besides. Raises Back."""
        page_of(type(record))(self, record, **around)

    def lead(
        self, command: Command, *, foresee: Callable[[Mapping[str, Any]], None] = lambda _: None, **arguments: Any
    ) -> None:
        """Ask for the parameters of a command that are not given, one by one, and run it; `foresee` may say what the
        answers so far will bring. Raises Back."""
        from crm.terminal.toolkit.prompts import in_order

        asked = [parameter for parameter in in_order(command) if parameter.name not in arguments]
        prompts, answers = self.prompts, Answers(self, **arguments)
        crumbs = self.path_to(command.title, command.menu)
        fresh = True

        def page() -> None:
            nonlocal fresh
            if fresh or not self.screen.plain:
                self.page(*crumbs, beside=lambda: self._panel(_client_in(answers.answered), command.menu))
                self.screen.print(Text(command.summary, "muted"))
            fresh = False
            for name, value in arguments.items():
                if name in command.parameters and value != command.parameters[name].default:
                    prompts.show_answer(command.parameters[name], value)

        def run() -> None:
            nonlocal fresh
            if not asked:
                page()
            try:
                result = prompts.run(command, answers.values)
                if sentence := done_sentence(command, result):
                    self.done(sentence)
                if isinstance(result, list | tuple) and not result:
                    self.say(command.nothing, "muted")
                else:
                    self.tell(result, command.title)
                self.say_next(command.words)
            except Cancelled:
                raise
            except CRMError as refused:
                # What was typed is not lost: the last question is asked again.
                if not asked:
                    raise
                self.fail(refused)
                answers.correct(asked[-1])
                fresh = True
                raise Back from refused

        in_steps(self, [*answers.steps(asked, page, foresee=foresee), run], answers.is_written)

    def call(self, words: str, **arguments: Any) -> Any:
        """Call a command, asking what it asks. Raises Back."""
        return self.prompts.run(named(words), arguments)

    def confirm(self, question: str, yes: str, no: str = "No, go back", *, destructive: bool = False) -> None:
        """Go on where the person says yes, which is not offered first where it is `destructive`: it deletes or sends
        something, or cannot be undone. Raises Back."""
        at = BACK if destructive else None
        self.keyboard.choose(question, [Choice(yes, True)], back=no, hidden=yes_or_no(True), hint=YES_OR_NO, at=at)

    def show_once(self, draw: Callable[[], None]) -> None:
        """Show a page that cannot be shown again, like a one-time password, until the person says that it is written
        down: no key that was meant for another page ends it. Raises Closed."""

        def written_down(typed: str) -> bool:
            if typed.strip().casefold() != "yes":
                raise FieldError(_SHOWN_ONCE)
            return True

        error = ""
        while True:
            draw()
            self.screen.print()
            with suppress(Back, Cancelled, KeyboardInterrupt):
                self.keyboard.text(
                    "Saved it? Type yes", written_down, error=error, passing=True, form=FormPlace(leaves=False)
                )
                return
            error = as_sentences(_SHOWN_ONCE)

    def _draw_again(self) -> None:
        """The page once more: the terminal has another size."""
        self._notes = [*self._page_notes, *self._notes]

    def more(
        self,
        words: str,
        client: Callable[[], Client | None] = lambda: None,
        own: Callable[[], Sequence[Choice]] = tuple,
    ) -> list[Choice]:
        """The key to what else can be done in the section that opens on the page of a command, about the client that is
        pointed at there, with the page's `own` entries below."""
        return self.sections(self, words, client, own) if self.sections else []

    def find(self) -> None:
        """Search from whatever page this is. Raises Back."""
        if self.search is not None:
            self.search(self)

    def _keys_on_questions(
        self, entries: Sequence[Choice], keys: Sequence[Choice], *, narrows: bool = False
    ) -> list[Choice]:
        """The search and the keys of the page, where a question is asked or a form is filled in; letters may narrow its
        entries."""
        purpose = self._purpose

        def show() -> None:
            self._show_keys(entries, [*keys, *known], purpose, narrows=narrows)

        known = [letters.KEYS(lambda: self._aside(show))]
        if self.search and self.leads_to("clients search"):
            known.insert(0, letters.SEARCH(lambda: self._aside(self.find)))
        return known

    def _aside(self, action: Callable[[], None]) -> None:
        """Do something from within a page, which then is there as before."""
        page, place, notes, foot = self.screen.page(), self.place, self._page_notes, self._foot
        purpose, beside, client = self._purpose, self._beside, self._about_client
        is_side_broad = self.screen.is_side_broad

        def done() -> None:
            with suppress(Cancelled):
                action()

        self.attempt(done)
        self.screen.show_page(page)
        self.place, self._page_notes, self._foot = place, notes, foot
        self._purpose, self._beside, self._about_client = purpose, beside, client
        self.screen.is_side_broad = is_side_broad

    def _undo_last(self) -> None:
        from crm.commands.data.history import (
            last_stays,
            my_last,
            nothing_to_undo,
            passed_over_message,
            undo_preview,
            undo_title_of,
        )

        mine = my_last(self.crm)
        if mine is None:
            self.say(nothing_to_undo(self.crm))
            return
        last, passed = mine
        title = undo_title_of(self.crm, last)
        question = f"Undo: {title} ({self.conventions.time(last.at)})?"
        if stays := last_stays(self.crm, passed):
            # What is offered is older than what was done last.
            question = f"{stays}\n\nBefore that: {title} ({self.conventions.time(last.at)})."
        lines = ["" if stays else passed_over_message(passed), question, *undo_preview(self.crm, last)]
        self.page(*self.place, letters.UNDO.word)
        # What is older than something that stays is not undone by Enter alone.
        self.confirm(
            "\n".join(filter(None, lines)), "Undo the older change" if stays else "Undo it", destructive=bool(passed)
        )
        self.tell(self.call("history undo", transaction=last.id))
        self.say(f"{letters.REDO.key} redoes it.", "muted")

    def redo(self, jumps: Callable[[str], None] | None = None) -> None:
        """Do again what was taken back last. With nothing to redo, the key is a capital letter like any other on a
        list where these jump. Raises Back."""
        from crm.commands.data.history import my_last_undo, undo_preview, undo_title_of

        undo = my_last_undo(self.crm)
        if undo is None and jumps:
            jumps(letters.REDO.key)
            return
        if undo is None:
            self.say("Nothing to redo. You can redo only right after an undo.")
            return
        self.page(*self.place, letters.REDO.word)
        self.confirm("\n".join((f"Redo: {undo_title_of(self.crm, undo)}?", *undo_preview(self.crm, undo))), "Redo it")
        self.tell(self.call("history undo", transaction=undo.id))

    def _show_keys(self, entries: Sequence[Choice], keys: Sequence[Choice], about: str = "", **how: Any) -> None:
        """The keys of the page that is shown, and what the page is for, until any key is pressed; `how` is as for
        draw_keys."""
        from crm.terminal.toolkit.cheat_sheet import draw_keys

        about = self.prompts.in_menu(about or self._purpose or _purpose_of(self.place))
        crumbs = [*self.place, letters.KEYS.word]
        self.read(
            crumbs,
            lambda: draw_keys(self.screen, entries, keys, self.screen.left - _AROUND_READ, about, **how),
            finds=True,
        )


def _breadcrumbs(screen: Screen, crumbs: Sequence[str]) -> Text:
    title = Text()
    for place, crumb in enumerate(crumbs):
        title.append(f" {screen.sign('›', '/')} " if place else "", "muted").append(clean(crumb), "bold")
    return title


def _title(screen: Screen, crumbs: Sequence[str], room: int) -> Text:
    """Breadcrumbs in so many columns: the first give way, then the end of the record's name. The page itself is named
    last."""
    title = _breadcrumbs(screen, crumbs)
    has_record = len(crumbs) > _SECTION_AND_RECORD
    while title.cell_len > room and len(crumbs) > 1:
        if has_record and len(crumbs) == _SECTION_AND_RECORD:
            rest = _breadcrumbs(screen, ["", crumbs[-1]])
            if room - rest.cell_len >= _LEAST_NAME:
                return _breadcrumbs(screen, [screen.fit(clean(crumbs[0]), room - rest.cell_len), crumbs[-1]])
        crumbs = crumbs[1:]
        title = _breadcrumbs(screen, [screen.sign("…", "..."), *crumbs])
    return title


def _menu_called(crumbs: Sequence[str]) -> str:
    """The name of the menu whose title the breadcrumbs begin with; '' for none."""
    return next((name for name, menu in menus().items() if [menu.title] == [*crumbs[:1]]), "")


def _purpose_of(crumbs: Sequence[str]) -> str:
    """The purpose of a page by the last of its breadcrumbs that is the title of a command or menu, or the word of a
    key that opens it."""
    known = {command.title: command.summary for command in commands()}
    known |= {menu.title: f"{menu.hint}." for menu in menus().values() if menu.hint}
    known |= letters.PURPOSES
    return next((known[crumb] for crumb in reversed(crumbs) if crumb in known), "")


def _client_in(answers: Mapping[str, Any]) -> int:
    """The number of the client whom answers are about; 0 for none."""
    for value in answers.values():
        if isinstance(value, Record):
            return value.id if isinstance(value, Client) else getattr(value, "client", 0)
    return 0


def _with_whole_paths(result: Any) -> Any:
    """The result of a command whose files are named with their folders: the menu has none that one is in."""
    if not dataclasses.is_dataclass(result) or isinstance(result, type):
        return result
    paths = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    whole = {name: path.absolute() for name, path in paths.items() if isinstance(path, Path)}
    return dataclasses.replace(result, **whole) if whole else result


def _handed_over(exchange: "FileTransfer", result: Any) -> Any:
    """The result of a command whose files are offered to the person, without the folders of this machine."""
    if not dataclasses.is_dataclass(result) or isinstance(result, type):
        return result
    named = {}
    for field in dataclasses.fields(result):
        path = getattr(result, field.name)
        if isinstance(path, Path):
            if path.is_relative_to(exchange.folder) and path.is_file():
                exchange.offer(path, path.name)
            named[field.name] = Path(path.name)
    return dataclasses.replace(result, **named) if named else result


def _result_text(result: Any) -> str:
    match result:
        case Client():
            return f"{result.name} (no. {result.id})"
        case StatusRule():
            return f"{result.status} when {result.when}" if result.when else f"{result.status} otherwise"
        case [Record(), *_] if len(result) > 1:
            return f"{len(result)} {result[0].nouns}"
        case [Record() as only]:
            return _result_text(only)
    return str(result)
