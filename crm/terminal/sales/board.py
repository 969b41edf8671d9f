"""The board of deals at the menu: stages side by side, or one at a time where it is narrow; keys move a card."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from rich.text import Text

from crm.commands.ownership import owner_filter
from crm.commands.registry import named
from crm.commands.sales.board import on_board
from crm.commands.sales.pipeline import DealShown, StageSum, cards, stages, sums
from crm.errors import Cancelled, NotFoundError
from crm.model import Conventions, Deal, Stage
from crm.repository.queries.deals import place_in_stage
from crm.repository.queries.people import EVERYBODY
from crm.terminal.console.keyboard import Back, Choice
from crm.terminal.drawing.screen import Screen, clean, data
from crm.terminal.sales.rendering import WHAT_A_DEAL_IS
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.pages import flow
from crm.terminal.toolkit.session import Aside, Session

# A stage has so many columns at least, in which most titles are whole; from _WORDY on there is room for words.
_NARROWEST, _WORDY = 24, 32
# In a wide window all stages are seen where each has so many.
_LEAST_OF_ALL = 18
_GAP = 2
_LINES = 3
# The two heads, what is left out, the entries below with a blank line, and the keys; in a narrow window a line says
# which stages are seen.
_AROUND, _NARROW = 7, 60
_ABOUT = (
    "The arrows go from card to card, and the board scrolls sideways. Won and lost deals stay for 30 days."
    " ! marks deals past their expected close date."
)


class BoardPage:
    """The board: which stage and which card of it is pointed at, and what of each stage is seen."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.owner = EVERYBODY
        # Before the stages are read: the first that has deals.
        self.at = -1
        self._first = 0
        # By the number of the stage: the card that is pointed at there, and the first one that is seen.
        self._places: dict[int, int] = {}
        self._tops: dict[int, int] = {}
        self._sums: Sequence[StageSum] = ()
        self._card: DealShown | None = None
        # Whether a blank line is between cards.
        self._apart = False

    def show(self) -> None:
        """Show the board until the person goes back."""
        while True:
            self.draw()
            entries = (
                [Choice(self.session.screen.cut(f"Open {self._card.deal.title}", 8), self._open)] if self._card else []
            )
            try:
                chosen = self.session.choose("", entries, keys=self._keys(), silent=self._arrows(), about=_ABOUT)
            except (Back, Cancelled):
                return
            before = self._card.deal if self._card else None
            self.session.attempt(chosen)
            if before is not None and isinstance(chosen, Aside):
                # An undo may have moved it.
                with suppress(NotFoundError):
                    self._follow(before)

    def draw(self) -> None:
        """Read what is to be seen, and no more, and draw it."""
        screen, by = self.session.screen, self.session.conventions
        rows = self._rows()
        with self.session.crm.read() as snapshot:
            known = stages(snapshot)
            which = on_board(known, self.owner, snapshot.today)
            self._sums = sums(snapshot, known, which)
            seen = self._seen(rows)
            by_stage = [
                cards(snapshot, stage.stage, which, rows, self._tops.get(stage.stage.id, 0)) if stage.deals else []
                for stage in seen
            ]
        self._card = self._card_of(seen, by_stage)
        self.session.page("Deals", about=self._summary(seen, by), foot=True)
        # Cards stand apart where all of them have room for that, with titles of two lines too.
        most = max(map(len, by_stage))
        is_whole = all(stage.deals == len(deals) for stage, deals in zip(seen, by_stage, strict=True))
        self._apart = is_whole and most * (_LINES + 2) - 1 <= rows * _LINES
        width = (screen.width - _GAP * (len(seen) - 1)) // len(seen)
        columns = [
            list(self._column(stage, deals, rows, width, by)) for stage, deals in zip(seen, by_stage, strict=True)
        ]
        for lines in zip(*columns, strict=True):
            screen.print(Text(" " * _GAP).join(lines))
        if not any(sum_.deals for sum_ in self._sums):
            screen.print(Text(f"No deals yet. {letters.NEW.key} adds one.", "muted"))
            screen.explain(WHAT_A_DEAL_IS, "muted")

    def _rows(self) -> int:
        """The number of cards of a stage that there is room for."""
        screen = self.session.screen
        room = screen.height - self.session.lines_above() - (screen.width < _NARROW)
        return max(1, (room - _AROUND) // _LINES)

    def _seen(self, rows: int) -> Sequence[StageSum]:
        """The stages that are seen; what is pointed at is among them, and so is its card."""
        screen = self.session.screen
        fit = max(1, min((screen.width + _GAP) // (_NARROWEST + _GAP), len(self._sums)))
        if screen.side and (screen.width + _GAP) // (_LEAST_OF_ALL + _GAP) >= len(self._sums):
            fit = len(self._sums)
        if self.at < 0:
            self.at = next((place for place, sum_ in enumerate(self._sums) if sum_.deals), 0)
        self.at = max(0, min(self.at, len(self._sums) - 1))
        self._first = min(max(self._first, self.at - fit + 1), self.at, len(self._sums) - fit)
        for sum_ in self._sums:
            number = sum_.stage.id
            at = self._places[number] = max(0, min(self._places.get(number, 0), sum_.deals - 1))
            top = min(self._tops.get(number, 0), max(0, sum_.deals - rows))
            self._tops[number] = min(max(top, at - rows + 1), at)
        return self._sums[self._first : self._first + fit]

    def _card_of(self, seen: Sequence[StageSum], cards: Sequence[Sequence[DealShown]]) -> DealShown | None:
        column = self.at - self._first
        number = seen[column].stage.id
        line = self._places[number] - self._tops[number]
        return cards[column][line] if line < len(cards[column]) else None

    def _summary(self, seen: Sequence[StageSum], by: Conventions) -> str:
        """The owner of the deals, and the stages that are seen."""
        owner = f"{self.owner.name}'s" if self.owner else "everyone's"
        last = self._first + len(seen)
        if len(seen) == len(self._sums):
            return owner
        which = f"stage {last}" if len(seen) == 1 else f"stages {self._first + 1}-{last}"
        before, after = self._first > 0, last < len(self._sums)
        signs = [self.session.screen.sign("←", "<")] * before + [self.session.screen.sign("→", ">")] * after
        return f"{owner} · {which} of {by.number(len(self._sums))}  {' '.join(signs)}"

    # Drawing

    def _column(
        self, summed: StageSum, deals: Sequence[DealShown], rows: int, width: int, by: Conventions
    ) -> "list[Text]":
        """A stage as lines of one width: its name, count and sum, its cards, and how many more there are."""
        screen = self.session.screen
        here = summed is self._sums[self.at]
        pointed = self._card.deal.id if here and self._card else 0
        count = by.number(summed.deals)
        figures = f"{count} · {_money(summed.value, by, width - len(count) - 3)}"
        head = data(summed.stage.name, "selected" if here else "bold")
        lines = [_fitted(head, width, screen), _fitted(Text(figures, "muted"), width, screen)]
        # Where all cards of the stage have room for it, a long title goes on in a second line.
        cards = [[*self._lines(deal, deal.deal.id == pointed, width, by, most=2)] for deal in deals]
        if sum(map(len, cards)) > rows * _LINES:
            cards = [[*self._lines(deal, deal.deal.id == pointed, width, by, most=1)] for deal in deals]
        if self._apart:
            cards = [[*([Text()] if place else []), *card] for place, card in enumerate(cards)]
        lines += [_fitted(line, width, screen) for card in cards for line in card]
        lines += [Text(" " * width)] * (2 + rows * _LINES - len(lines))
        top = self._tops[summed.stage.id]
        above, below = top, summed.deals - top - len(deals)
        more = [f"{screen.sign('↑', '^')} {by.number(above)}"] if above else []
        more += [f"{screen.sign('↓', 'v')} {by.number(below)} more"] if below > 0 else []
        return [*lines, _fitted(Text("  " + "  ".join(more), "muted"), width, screen)]

    def _lines(self, card: DealShown, pointed: bool, width: int, by: Conventions, *, most: int) -> Sequence[Text]:
        """A card: title, client, and on one line its value, the days in its stage, and a mark where it is late; the
        title on `most` lines."""
        screen = self.session.screen
        sign = screen.sign("»", ">") if pointed else screen.sign("·", "-")
        title = [data(card.deal.title, "bold")]
        if most > 1 and title[0].cell_len > width - _GAP:
            begin, *rest = title[0].wrap(screen.console, width - _GAP)
            title = [begin, Text(" ", "bold").join(rest)]
        titles = [
            Text.assemble((f"{' ' if place else sign} ", "muted"), line, style="chosen" if pointed else "")
            for place, line in enumerate(title)
        ]
        wordy = width >= _WORDY
        # Nothing of one that came here today.
        days = f" {by.number(card.days)} {'days' if wordy else 'd'}" if card.days else ""
        late = "! late" if wordy else "!"
        room = width - 2 - len(days) - (len(late) + 1 if card.overdue else 0)
        figures = Text(f"  {_money(card.deal.value, by, room)}").append(days, "muted")
        if card.overdue:
            figures.append(f" {late}", "alert")
        drawn = [*titles, Text(f"  {clean(card.client)}"), figures]
        if pointed:
            # The ground of what is pointed at is that of lists.
            drawn = [_fitted(line, width, screen) for line in drawn]
            for line in drawn:
                line.stylize("row")
        return drawn

    # Keys

    def _arrows(self) -> Sequence[Choice]:
        keys: dict[str, tuple[str, Callable[[], Any]]] = {
            "left": ("other stage", lambda: self._go(-1)),
            "right": ("other stage", lambda: self._go(1)),
            "up": ("other deal", lambda: self._step(-1)),
            "down": ("other deal", lambda: self._step(1)),
            "s-left": ("move the deal a stage", lambda: self._move(-1)),
            "s-right": ("move the deal a stage", lambda: self._move(1)),
        }
        return [Choice(label, action, key) for key, (label, action) in keys.items()]

    def _keys(self) -> Sequence[Choice]:
        session = self.session
        moves = [
            letters.MOVE_ON(lambda: self._move(1), "a stage"),
            letters.MOVE_BACK(lambda: self._move(-1), "a stage"),
        ]
        # A deal that is closed is reopened first.
        ends = (letters.WON(lambda: self._end("deals win")), letters.LOST(lambda: self._end("deals lose")))
        return [
            *(move for move, steps in zip(moves, (1, -1), strict=True) if not self._sums or self._beside(steps)),
            *(ends if not self._sums or self._sums[self.at].stage.outcome == "open" else ()),
            letters.NEW(lambda: session.start(named("deals add")), "deal"),
            letters.LIST(lambda: session.start(named("deals list"))),
            (letters.EVERYONES if self.owner else letters.MINE)(self._turn),
            *session.more("deals board"),
        ]

    def _go(self, steps: int) -> None:
        self.at = max(0, min(self.at + steps, len(self._sums) - 1))

    def _step(self, steps: int) -> None:
        summed = self._sums[self.at]
        self._places[summed.stage.id] = max(0, min(self._places[summed.stage.id] + steps, summed.deals - 1))

    def _turn(self) -> None:
        """Mine, or everyone's."""
        crm = self.session.crm
        with crm.read() as snapshot:
            self.owner = owner_filter(crm, snapshot, not self.owner)
        self._places, self._tops = {}, {}

    def _open(self) -> None:
        self.session.open(self._pointed())

    def _pointed(self) -> Deal:
        """The deal that is pointed at. Raises NotFoundError where there is none."""
        if self._card is None:
            raise NotFoundError("No deal here.")
        return self._card.deal

    def _beside(self, steps: int) -> Stage | None:
        """The stage that a card moves to from the one that is pointed at: on to the next open one or to won, back to
        an open one; None for none. A deal is lost by a key of its own alone."""
        stages = [sum_.stage for sum_ in self._sums]
        if steps > 0:
            is_open = stages[self.at].outcome == "open"
            return next((stage for stage in stages[self.at + 1 :] if is_open and stage.outcome != "lost"), None)
        return next((stage for stage in reversed(stages[: self.at]) if stage.outcome == "open"), None)

    def _move(self, steps: int) -> None:
        """Move the card to the stage beside its own, and point at it there."""
        deal, to = self._pointed(), self._beside(steps)
        if to is not None:
            self.session.start(named("deals move"), deal=deal, to=to)
            self._follow(deal)
        elif self._sums[self.at].stage.outcome != "open":
            self.session.say(f"{deal.title} is closed. {letters.MOVE_BACK.key} reopens it.")

    def _end(self, words: str) -> None:
        deal = self._pointed()
        self.session.start(named(words), deal=deal)
        self._follow(deal)

    def _follow(self, deal: Deal) -> None:
        """Point at a deal in the stage where it is now."""
        with self.session.crm.read() as snapshot:
            moved = snapshot.get(Deal, deal.id)
            which = on_board([sum_.stage for sum_ in self._sums], self.owner, snapshot.today)
            at = place_in_stage(snapshot, moved, which)
        self.at = next((column for column, sum_ in enumerate(self._sums) if sum_.stage.id == moved.stage), self.at)
        self._places[moved.stage] = at


def _fitted(line: Text, width: int, screen: Screen) -> Text:
    line.truncate(width, overflow="ellipsis" if screen.unicode else "crop", pad=True)
    return line


def _money(amount: Any, by: Conventions, room: int) -> str:
    """An amount with its cents and its currency where there is room, else in whole numbers."""
    whole = by.money(amount)
    return whole if len(whole) <= room else by.number(round(amount))


@flow("deals board")
def board(session: Session, **_: Any) -> None:
    """The board; where nothing can be drawn, the list of deals by stage."""
    if session.screen.plain:
        session.start(named("deals list"))
        return
    BoardPage(session).show()
