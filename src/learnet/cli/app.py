"""The command-line application that the commands of this package hang themselves on."""

from collections.abc import Sequence
from typing import Any, get_args

from cyclopts import App, Group, Parameter, Token, convert

from learnet import __version__


def _whole(kind: Any, tokens: Sequence[Token]) -> Any:
    """The value of an option as cyclopts makes it, but that it would round 28.5 where a whole number is asked for.

    Raises:
        ValueError: a number that is not whole; cyclopts makes its error of it.
    """
    if int in (kind, *get_args(kind)) and float not in get_args(kind):
        for token in tokens:
            if "." in token.value and _is_broken(token.value):
                raise ValueError(f"{token.value} is not a whole number.")
    return convert(kind, tokens)


def _is_broken(text: str) -> bool:
    """Whether a text is a number with something behind the point."""
    try:
        return not float(text).is_integer()
    except ValueError:  # no number at all, which cyclopts tells
        return False


app = App(
    default_parameter=Parameter(converter=_whole),
    name="learnet",
    version=__version__,
    suppress_keyboard_interrupt=False,  # `main` says what Ctrl-C leaves
    help="Name the micro-expression in a video of a face: dynamic images, LEARNet, and studies that cannot leak.\n\n"
    "A study goes: audit a database, prepare it, study it, report. `learnet demo OUT` does all of it on synthetic faces.",
)
DATA = Group("Data", sort_key=1)
STUDIES = Group("Studies", sort_key=2)
VIDEO = Group("Your own video", sort_key=3)
Flat = Parameter(name="*")  # a settings record gives one option per field
