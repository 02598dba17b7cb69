"""Records as JSON: what is written is what is read, and errors name the file and the path of the key."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core import serialisation
from learnet.core.errors import BadInput, LearnetError
from learnet.core.serialisation import (
    MOST_NESTED,
    decode_record,
    key_named,
    optional_key,
    parse_json,
    parse_toml,
    read_json,
    to_json,
    to_plain,
)


@dataclass(frozen=True)
class Leaf:
    number: int
    share: float = 0.5
    kind: Literal["one", "two"] = "one"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.number < 0:
            raise LearnetError("--number must be positive.", "Give another.")


@dataclass(frozen=True)
class Other:
    text: str


@dataclass(frozen=True, kw_only=True)
class Tree:
    first: Leaf | None
    by_name: dict[str, Leaf] = field(default_factory=dict)
    listed: list[Leaf] = field(default_factory=list)
    either: Leaf | Other | None = None
    spaced: str = key_named("with spaces")
    extra: dict[str, int] | None = optional_key()


GOOD = {
    "first": {"number": 1, "share": 0.25, "kind": "two", "names": ["a", "b"]},
    "by_name": {"x": {"number": 2}},
    "listed": [{"number": 3}],
    "either": {"text": "t"},
    "with spaces": "s",
}

LEAVES = st.builds(
    Leaf,
    st.integers(0, 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["one", "two"]),
    st.lists(st.text()).map(tuple),
)
TREES = st.builds(
    Tree,
    first=LEAVES | st.none(),
    by_name=st.dictionaries(st.text(), LEAVES, max_size=3),
    listed=st.lists(LEAVES, max_size=3),
    either=LEAVES | st.builds(Other, st.text()) | st.none(),
    spaced=st.text(),
    extra=st.dictionaries(st.text(), st.integers(), max_size=2) | st.none(),
)


@given(TREES)
def test_what_is_written_is_what_is_read(tree: Tree) -> None:
    assert decode_record(json.loads(to_json(tree)), Tree, "f") == tree


def test_a_file_by_hand(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text(json.dumps(GOOD))
    tree = read_json(tmp_path / "f.json", Tree)
    assert tree == Tree(
        first=Leaf(1, 0.25, "two", ("a", "b")),
        by_name={"x": Leaf(2)},
        listed=[Leaf(3)],
        either=Other("t"),
        spaced="s",
    )
    assert list(to_plain(tree)) == list(GOOD)  # no key for what is optional and not there
    assert "extra" in to_plain(Tree(first=None, spaced="", extra={}))


def changed(path: list[str | int], value: object) -> dict:
    content = json.loads(json.dumps(GOOD))
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return content


@pytest.mark.parametrize(
    ("content", "path", "says"),
    [
        (changed(["first", "number"], "1"), "$.first.number", 'got "1". It should be a whole number'),
        (changed(["first", "number"], True), "$.first.number", "got true"),
        (changed(["first", "number"], 1.5), "$.first.number", "got 1.5"),
        (changed(["first", "share"], "x"), "$.first.share", "It should be a number"),
        (changed(["first", "kind"], "thre"), "$.first.kind", '"thre" is not known here'),
        (changed(["first", "kind"], 3), "$.first.kind", "Choose from one, two"),
        (changed(["first", "names"], "ab"), "$.first.names", "It should be a list"),
        (changed(["first", "names"], ["a", 1]), "$.first.names[1]", "It should be a text"),
        (changed(["first", "numbr"], 1), "$.first.numbr", "there is no such key. Did you mean 'number'?"),
        (changed(["first", "number"], ...), "$.first.number", "this key is missing"),
        (changed(["with spaces"], ...), "$.with spaces", "this key is missing"),
        (changed(["by_name", "x", "number"], None), "$.by_name.x.number", "got None"),
        (changed(["listed", 0, "share"], []), "$.listed[0].share", "got []"),
        (changed(["listed"], {}), "$.listed", "got a table"),
        (changed(["first"], [1]), "$.first", "It should be a table"),
        (changed(["either"], {"text": 1}), "$.either.text", "It should be a text"),
        (changed(["listed", 0, "number"], -1), "$.listed[0]", "--number must be positive. Give another."),
        ([], "$", "It should be a table"),
    ],
)  # fmt: skip
def test_errors_name_the_path_of_the_key(content: object, path: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        decode_record(content, Tree, "made-up.json", "Restore it.")
    assert str(refused.value).startswith(f"made-up.json: `{path}`: ")
    assert says in str(refused.value) and "\n" not in str(refused.value)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([*GOOD, "number", "share", "a\nb"]), inner, max_size=4
    ),
))  # fmt: skip
def test_anything_is_a_record_or_one_line(content: object) -> None:
    try:
        decode_record(content, Tree, "made-up.json")
    except BadInput as refused:
        assert str(refused).startswith("made-up.json: `$") and "\n" not in str(refused)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b""])
def test_files_that_are_no_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.json").write_bytes(content)
    with pytest.raises(BadInput, match="f.json: this is not JSON"):
        read_json(tmp_path / "f.json", Tree)


def test_toml_that_is_none() -> None:
    assert parse_toml("a = 1", "f.toml", "") == {"a": 1}
    with pytest.raises(BadInput, match="f.toml: this is not TOML.*Look it up"):
        parse_toml("a = ", "f.toml", "Look it up.")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_is_nested_to_a_limit(opening: str) -> None:
    """Every conversion of it is recursive, and would end in a traceback beyond Python's own limit."""
    closing = {"[": "]"}.get(opening, "}")

    def nested(levels: int) -> str:
        return opening * levels + "1" + closing * levels

    assert parse_json(nested(MOST_NESTED - 1)) == json.loads(nested(MOST_NESTED - 1))
    for levels in (MOST_NESTED, 900, 100_000):
        with pytest.raises(ValueError, match=f"nested more than {MOST_NESTED} deep"):
            parse_json(nested(levels))


def test_every_reader_of_json_has_the_limit() -> None:
    """`json.loads` stands in `parse_json`, and where learnet reads back what it has in memory."""
    package = Path(serialisation.__file__).parents[1]
    readers = [file for file in package.rglob("*.py") if "json.load" in file.read_text()]
    names = sorted(file.relative_to(package).as_posix() for file in readers)
    assert names == ["core/serialisation.py", "inference/live/recogniser.py"]
