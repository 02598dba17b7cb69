"""Typed records as JSON or TOML: every key and value is checked on reading, and errors name the key by its
path.

A record is a frozen dataclass. Its fields are the keys of the file, in their order. `msgspec` checks the
values that are no records themselves.
"""

import json
import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import MISSING, Field, field, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from learnet.core.earlier_names import current_key
from learnet.core.errors import BadInput, LearnetError, UnknownName

Record = TypeVar("Record")

ROOT = "$"  # path of the outermost value
LONGEST_SHOWN = 60  # characters of a value in a message
MOST_NESTED = 100  # levels of a JSON file: conversions are recursive
TOO_DEEP = f"its values are nested more than {MOST_NESTED} deep"
KIND_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


class InvalidValue(Exception):
    """A value that a record cannot hold. Readers of files turn it into an error that names the file.

    Args:
        path: of the value, such as "$.training.epochs".
        problem: what is wrong with the value.
        hint: what to do about it.
    """

    def __init__(self, path: str, problem: str, hint: str = "") -> None:
        super().__init__(path, problem, hint)
        self.path = path
        self.problem = problem
        self.hint = hint

    def in_file(self, file: Path | str, hint: str = "") -> BadInput:
        """Return the error for `file`; `hint` is said where the value itself suggests nothing."""
        problem = " ".join(self.problem.split()).rstrip(".")
        return BadInput(
            file, f"`{' '.join(self.path.split())}`: {problem}", " ".join((self.hint or hint).split())
        )


def optional_key() -> Any:
    """Declare a field that is in the file only where it is not None."""
    return field(default=None, metadata={"optional": True})


def later_key(default: Any) -> Any:
    """Declare a field that earlier files lack: it is in the file only where it differs from its default."""
    return field(default=default, metadata={"later": True})


def automatic_key(earlier: Any) -> Any:
    """Declare a field whose default None is replaced by a value for the images at hand, before it is used.

    Args:
        earlier: what a record means that was written without the field, before it became automatic.
    """
    return field(default=None, metadata={"earlier": earlier})


def key_named(key: str) -> Any:
    """Declare a field whose key in the file is no identifier of Python."""
    return field(metadata={"key": key})


def read_json(file: Path, kind: type[Record], hint: str = "Restore the file.") -> Record:
    """Read a JSON file as a record of type `kind`.

    Raises:
        BadInput: the file is not UTF-8 or not JSON, or a key or value in it is unknown, missing or of
            another type.
        OSError: the file cannot be read.
    """
    try:
        content = parse_json(file.read_text(encoding="utf-8"))
    except ValueError as error:  # a decoding error is a ValueError
        raise BadInput(file, f"this is not JSON ({error})", hint) from None
    return decode_record(content, kind, file, hint)


def parse_json(text: str | bytes) -> Any:
    """Parse JSON that somebody else may have written; every reader of JSON files uses this.

    Raises:
        ValueError: this is not JSON, or it is nested deeper than any file that learnet reads.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    level = [content]
    for _ in range(MOST_NESTED):
        level = _values_inside(level)
        if not level:
            return content
    raise ValueError(TOO_DEEP)


def _values_inside(values: list[Any]) -> list[Any]:
    """Return the values one level deeper."""
    inside: list[Any] = []
    for value in values:
        if isinstance(value, dict):
            inside += value.values()
        elif isinstance(value, list):
            inside += value
    return inside


def parse_toml(text: str, file: Path | str, hint: str) -> dict[str, Any]:
    """Parse the content of the TOML file `file`.

    Raises:
        BadInput: this is not TOML.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(file, f"this is not TOML ({error})", hint) from None


def decode_record(content: object, kind: type[Record], file: Path | str, hint: str = "") -> Record:
    """Convert parsed JSON or TOML to a record of type `kind`.

    Args:
        content: dictionaries, lists and plain values.
        kind: a dataclass.
        file: named in errors.
        hint: what to do about an error, where the value itself suggests nothing.

    Raises:
        BadInput: a key or value is unknown, missing or of another type, or the record refuses its values.
    """
    try:
        return convert(content, kind, ROOT)
    except InvalidValue as error:
        raise error.in_file(file, hint) from None


def convert(value: object, kind: Any, path: str) -> Any:
    """Convert a parsed value to the type `kind`, which may hold records at any depth.

    Raises:
        InvalidValue: with the path of the first key or value that does not fit.
    """
    arguments = get_args(kind)
    if is_dataclass(kind):
        return _record(value, kind, path)
    if get_origin(kind) in (Union, UnionType):
        return _member_of_union(value, kind, path)
    if get_origin(kind) is dict and isinstance(value, dict):
        return {
            _key_of_table(key, arguments[0], path): convert(inner, arguments[1], f"{path}.{key}")
            for key, inner in value.items()
        }
    if get_origin(kind) in (list, tuple) and isinstance(value, list | tuple):
        items = [convert(item, arguments[0], f"{path}[{index}]") for index, item in enumerate(value)]
        return items if get_origin(kind) is list else tuple(items)
    return _plain_value(value, kind, path)


def to_json(record: object, ensure_ascii: bool = True) -> str:
    """Return a record as the content of a JSON file, with other than ASCII characters escaped or as they
    are."""
    return json.dumps(to_plain(record), indent=2, ensure_ascii=ensure_ascii) + "\n"


def _is_omitted(declared: Field[Any], value: Any) -> bool:
    """Return whether a field is left out of the file."""
    if declared.metadata.get("optional"):
        return value is None
    return bool(declared.metadata.get("later")) and value == declared.default


def to_plain(value: Any) -> Any:
    """Return a record, or whatever holds records, as dictionaries, lists and plain values."""
    if is_dataclass(value):
        pairs = [(declared, getattr(value, declared.name)) for declared in fields(value)]
        kept = [(declared, inner) for declared, inner in pairs if not _is_omitted(declared, inner)]
        return {_key(declared): to_plain(inner) for declared, inner in kept}
    if isinstance(value, dict):
        return {key: to_plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def shown(value: object) -> str:
    """Return a value as text of one line for a message."""
    if isinstance(value, dict):
        return "a table"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def convert_fields(table: object, kind: Any, path: str, without: Sequence[str] = ()) -> dict[str, Any]:
    """Convert a table that names some fields of the record `kind`.

    Args:
        table: parsed JSON or TOML.
        kind: a dataclass.
        path: of the table, for errors.
        without: fields that the table must not name.

    Returns:
        The values by the names of the fields.

    Raises:
        InvalidValue: no table, or an unknown key or a value of another type in it.
    """
    declared, types = declared_fields(kind, without)
    values: dict[str, Any] = {}
    for key, inner in checked_table(table, declared, path, kind.__name__).items():
        name = declared[current_key(kind.__name__, key)].name
        if name in values:
            raise InvalidValue(f"{path}.{key}", f"this is the earlier name of {name}, which is there too")
        values[name] = convert(inner, types[name], f"{path}.{key}")
    return values


def checked_table(table: object, known: Collection[str], path: str, record: str = "") -> dict[str, Any]:
    """Return a table once it is known to have no other keys than `known`, or earlier names of them in
    `record`.

    Raises:
        InvalidValue: this is no table, or it has an unknown key.
    """
    if not isinstance(table, dict):
        raise InvalidValue(path, f"got {shown(table)}", "It should be a table.")
    for key in table:
        if current_key(record, key) not in known:
            raise InvalidValue(f"{path}.{key}", "there is no such key", UnknownName("key", key, known).hint)
    return table


def _record(value: object, kind: Any, path: str) -> Any:
    values = convert_fields(value, kind, path)
    for declared in fields(kind):
        if "earlier" in declared.metadata:
            values.setdefault(declared.name, declared.metadata["earlier"])
        optional = declared.default is not MISSING or declared.default_factory is not MISSING
        if declared.name not in values and not optional:
            raise InvalidValue(f"{path}.{_key(declared)}", "this key is missing")
    try:
        return kind(**values)
    except LearnetError as error:
        raise InvalidValue(path, error.what, error.hint) from None


def declared_fields(kind: Any, without: Sequence[str] = ()) -> tuple[dict[str, Field], dict[str, Any]]:
    """Return the fields of a record by their key in the file, and their types by name."""
    declared, types = _all_fields(kind)
    return {key: one for key, one in declared.items() if key not in without}, types


@lru_cache(maxsize=64)
def _all_fields(kind: Any) -> tuple[dict[str, Field], dict[str, Any]]:
    """Return the fields of a record by their key in the file, and their types by name."""
    return {_key(one): one for one in fields(kind)}, get_type_hints(kind)


def _key_of_table(key: str, kind: type, path: str) -> str | int:
    """Return the key of a dictionary: files write whole numbers as text."""
    if kind is not int:
        return key
    try:
        return int(key)
    except ValueError:
        raise InvalidValue(path, f"the key {shown(key)} is not a whole number") from None


def _key(declared: Field) -> str:
    return declared.metadata.get("key", declared.name)


def _member_of_union(value: object, kind: Any, path: str) -> Any:
    """Convert to the member of a union that fits: None, a plain type, or the record that knows most of the
    keys."""
    if value is None and NoneType in get_args(kind):
        return None
    members = [member for member in get_args(kind) if member is not NoneType]
    records: list[Any] = [member for member in members if is_dataclass(member)]
    others = [member for member in members if not is_dataclass(member)]
    if isinstance(value, dict) and records:
        keys = set(value)
        nearest = min(records, key=lambda record: len(keys - set(_all_fields(record)[0])))
        return _record(value, nearest, path)
    if not others:
        return _record(value, records[0], path)
    return convert(value, others[0], path) if len(others) == 1 else _plain_value(value, kind, path)


def _plain_value(value: object, kind: Any, path: str) -> Any:
    try:
        return msgspec.convert(value, kind, strict=True)
    except (msgspec.ValidationError, OverflowError) as error:
        raise InvalidValue(path, *_mismatch(value, kind, str(error))) from None


def _mismatch(value: object, kind: Any, error: str) -> tuple[str, str]:
    """Return in words that a value is not of a type, and what would be."""
    choices = get_args(kind)
    if get_origin(kind) is Literal and isinstance(value, str):
        return f"{shown(value)} is not known here", UnknownName("value", value, choices).hint
    if get_origin(kind) is Literal:
        return f"got {shown(value)}", f"Choose from {', '.join(choices)}."
    if get_origin(kind) in (list, tuple):
        return f"got {shown(value)}", 'It should be a list, as in ["one", "two"].'
    if kind in KIND_NAMES:
        return f"got {shown(value)}", f"It should be {KIND_NAMES[kind]}."
    return f"got {shown(value)} ({re.sub('`', '', error)})", ""
