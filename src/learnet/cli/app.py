"""The command-line application to which the modules of this package add their commands."""

from collections.abc import Sequence
from typing import Any, get_args

from cyclopts import App, Group, Parameter, Token, convert

from learnet import __version__


def _convert(kind: Any, tokens: Sequence[Token]) -> Any:
    """Convert the value of an option, but refuse to round 28.5 to a whole number as cyclopts would.

    Raises:
        ValueError: the option is an integer and the value is not; cyclopts turns this into its own error.
    """
    if int in (kind, *get_args(kind)) and float not in get_args(kind):
        for token in tokens:
            if "." in token.value and _has_fraction(token.value):
                raise ValueError(f"{token.value} is not a whole number.")
    return convert(kind, tokens)


def _has_fraction(text: str) -> bool:
    """Return whether a text is a number that is not whole."""
    try:
        return not float(text).is_integer()
    except ValueError:  # not a number: cyclopts reports it
        return False


def _default_text(value: Any) -> str | None:
    """Return a default value as it would be typed."""
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in (None, "") else None


app = App(
    default_parameter=Parameter(
        # A file name that begins with a bracket is no JSON.
        json_list=False,
        json_dict=False,
        converter=_convert,
        negative_iterable=(),
        show_default=_default_text,
    ),
    name="learnet",
    version=__version__,
    suppress_keyboard_interrupt=False,  # `main` reports what Ctrl-C leaves behind
    help="Recognise micro-expressions in videos: dynamic images, LEARNet, leak-free studies.\n\n"
    "The steps of a study are audit, prepare, study and report. "
    "`learnet demo OUT --study` runs all of them on synthetic faces.",
)
DATA = Group("Data", sort_key=1)
STUDIES = Group("Studies", sort_key=2)
VIDEO = Group("Your own video", sort_key=3)
Flat = Parameter(name="*")
"""Turns each field of a settings record into an option of its own."""
