"""Questions asked one after the other: Esc goes back to the one before, and what was typed stays."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from crm.errors import Cancelled
from crm.terminal.console.keyboard import Back, FormPlace, Keyboard
from crm.terminal.toolkit.discarding import discards, leave

if TYPE_CHECKING:
    from crm.commands.registry import Parameter


class Asking(Protocol):
    """The part of a session that asks questions."""

    keyboard: Keyboard

    @property
    def prompts(self) -> Any:
        """The questions for parameters."""


_Session = TypeVar("_Session", bound=Asking)
_NOTHING: Mapping[str, str] = {}
# Asks for something and keeps the answer; raises Back to go to the step before.
Step = Callable[[], Any]


def in_steps(
    session: Asking,
    steps: Sequence[Step] | Callable[[], Sequence[Step]],
    written: Callable[[], bool] = lambda: False,
    at: int = 0,
) -> Any:
    """Take one step after the other, from the one `at` that place; what the last one gave. `steps` is a function where
    later steps depend on the answers to earlier ones.

    Back goes to the step before. From the first step it is raised; where `written` says that something was typed, the
    person is asked first, and so they are where they press Ctrl-C. Raises Cancelled.
    """
    while True:
        listed = steps() if callable(steps) else steps
        try:
            answer = listed[at]()
        except Back:
            if at:
                at -= 1
            elif not written() or discards(session.keyboard):
                raise
            continue
        except Cancelled as left:
            leave(session.keyboard, left, is_written=written())
            continue
        at += 1
        if at == len(listed):
            return answer


class Answers(Generic[_Session]):
    """The answers to questions for parameters, by their names: an answer is there to be changed when its question is
    asked again, and so is what was typed when it was left. `values` are those known from the start."""

    def __init__(self, session: _Session, **arguments: Any) -> None:
        self.session = session
        self.values: dict[str, Any] = arguments
        self._known = frozenset(arguments)
        self._begun: dict[str, str] = {}
        # What is asked at the moment, and what comes after it.
        self._asked: Collection[str] = ()

    @property
    def answered(self) -> Mapping[str, Any]:
        """The answers to the questions before the one that is asked: what comes after it counts as not answered yet."""
        return {name: value for name, value in self.values.items() if name not in self._asked}

    def is_written(self) -> bool:
        """Return whether anything was answered, or begun in a line that was left, that somebody would miss."""
        return self.is_begun() or any(value for name, value in self.values.items() if name not in self._known)

    def is_begun(self) -> bool:
        """Return whether something was typed in a line that was left."""
        return any(self._begun.values())

    def steps(
        self,
        parameters: "Sequence[Parameter]",
        page: Callable[[], None],
        typed: Mapping[str, str] = _NOTHING,
        foresee: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> list[Step]:
        """A step for each parameter: on a `page` stand the answers to those before it, what they will bring where
        `foresee` can say so, and then its question. `typed` are lines to begin with, by name."""

        def asks(place: int) -> Step:
            def ask() -> None:
                self._asked = [parameter.name for parameter in parameters[place:]]
                page()
                wide = max((len(parameter.label) for parameter in parameters[:place]), default=0)
                for parameter in parameters[:place]:
                    self.session.prompts.show_answer(parameter, self.values[parameter.name], wide)
                foresee(self.answered)
                form = FormPlace(bool(place), [parameter.label for parameter in parameters[place + 1 :]])
                self.ask(parameters[place], typed.get(parameters[place].name, ""), form)

            return ask

        return [asks(place) for place in range(len(parameters))]

    def ask(self, parameter: "Parameter", typed: str = "", form: FormPlace | None = None) -> Any:
        """Ask for a parameter; `typed` is in the line the first time. What is in a line that is left is kept. Raises
        Back."""
        name, prompts = parameter.name, self.session.prompts
        if name in self.values:
            typed = prompts.typed(parameter, self.values[name])
        begun = self._begun.pop(name, None)
        line = begun or typed
        try:
            self.values[name] = prompts.ask(
                parameter, typed=line, begun=begun is not None, form=form or FormPlace(), beside=self.values
            )
        except Back as left:
            if begun is not None or left.typed != line:
                self._begun[name] = left.typed
            raise
        return self.values[name]

    def correct(self, parameter: "Parameter") -> None:
        """Have an answer that was refused are there to be corrected, not to be replaced."""
        if parameter.name in self.values:
            self._begun[parameter.name] = self.session.prompts.typed(parameter, self.values[parameter.name])
