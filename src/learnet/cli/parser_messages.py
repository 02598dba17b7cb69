"""Errors of the command-line parser in plain words: what was wrong, and what was probably meant."""

from collections.abc import Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from learnet.core.suggestions import suggestion

VALUES_IN_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    str: "a text",
}


def parser_message(error: CycloptsError) -> str:
    """Return an error of the command-line parser in plain words, in one line."""
    if isinstance(error, UnknownOptionError):
        return _unknown_option(error)
    if isinstance(error, UnknownCommandError) and error.unused_tokens:
        return _unknown_command(error, error.unused_tokens[0])
    if isinstance(error, CoercionError) and error.token and error.target_type:
        return _wrong_value(error.token.keyword, error.token.value, error.target_type, str(error))
    if isinstance(error, MissingArgumentError) and error.argument:
        return f"{error.argument.name} is missing."
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"Unexpected: {' '.join(map(repr, error.unused_tokens))}."
    return " ".join(str(error).split())


def _unknown_option(error: UnknownOptionError) -> str:
    option = (error.token.keyword or error.token.value).partition("=")[0]
    known: list[str] = []
    for argument in error.argument_collection:
        known += [name for name in argument.names if name.startswith("--")]
    return f"There is no option {option}.{_meant(option, known)}"


def _unknown_command(error: UnknownCommandError, command: str) -> str:
    known = [name for name in error.app or () if not name.startswith("-")]
    return f"There is no command called {command!r}.{_meant(command, known)}"


def _wrong_value(option: str | None, value: str, kind: Any, text: str) -> str:
    choices = _choices(kind)
    expected = _in_words(kind)
    if not expected:
        return " ".join(text.split())
    problem = f"{option or 'The argument'} cannot be {value!r}: it should be {expected}."
    return f"{problem}{_meant(value, choices)}"


def _choices(kind: Any) -> list[str]:
    """Return the words that a value may be."""
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    return [choice for member in get_args(kind) for choice in _choices(member)]


def _in_words(kind: Any) -> str:
    """Return the values of a type in words: "a whole number or auto"; empty where there are none."""
    if kind in VALUES_IN_WORDS:
        return VALUES_IN_WORDS[kind]
    members: Sequence[str]
    if get_origin(kind) is Literal:
        members = _choices(kind)
    else:
        members = [_in_words(member) for member in get_args(kind) if member is not NoneType]
    if not all(members):
        return ""
    *rest, last = members or ("",)
    return f"{', '.join(rest)} or {last}" if rest else last


def _meant(name: str, known: Sequence[str]) -> str:
    meant = suggestion(name, known)
    return f" Did you mean {meant}?" if meant else ""
