"""Recipes: what to run to settle a claim, as a TOML file that people read. docs/recipes.md says how one is written.

Only the file is read here. Whether its networks and databases exist is asked in `learnet.study.experiments.run`, where those are loaded.
"""

import itertools
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from learnet.core.errors import BadInput, LearnetError, UnknownName, pick
from learnet.core.settings import DatasetSubset, Preparation, RecipeOverrides, Study, Training

Choices = Mapping[str, tuple[Any, ...]]
"""Field of a settings record -> the values it takes, one or several; every combination is run."""

OWN = (
    "network",
    "classes",
)  # fields of Study that a recipe says elsewhere: at its top, and with each database
PLAIN = (
    "title",
    "claim",
    "source",
    "networks",
    "against",
    "unknown",
    "pooled",
    "imported",
)  # keys of a recipe that are no tables
LEAVES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}

Record = TypeVar("Record", Preparation, Study, Training)


@dataclass(frozen=True)
class Database:
    """A database of a recipe, and what is taken of it."""

    name: str  # one of DATASETS
    classes: str = "auto"  # class scheme
    tree: str | None = None  # these three as in settings.Selection
    part: str | None = None
    expressions: Literal["micro", "macro", "all"] = "micro"

    def selection(self, listed: Path | None = None) -> DatasetSubset:
        """Which part is read; LISTED is the organisers' list of MEGC2019."""
        return DatasetSubset(self.tree, self.part, self.expressions, listed)


@dataclass(frozen=True)
class Setting:
    """One combination of what a recipe names: a study of each of its sets."""

    name: str  # tells it from the other combinations, and names its folder
    preparation: Preparation
    study: Study  # its classes are the database's
    training: Training


@dataclass(frozen=True)
class Recipe:
    """A claim, and the studies that settle it."""

    title: str
    claim: str  # what somebody says
    source: str  # who says it, and where
    databases: tuple[Database, ...]
    networks: tuple[str, ...]
    against: str  # the network all others are compared with, under the first of the values that vary
    unknown: tuple[str, ...] = ()  # what would have to be known to repeat the claim exactly, and is not
    pooled: bool = False  # one study over all databases together, not one of each
    imported: bool = (
        False  # folders of imported images count as prepared in this way, if size and kind are the same
    )
    preparation: Choices = field(default_factory=dict)
    study: Choices = field(default_factory=dict)
    training: Choices = field(default_factory=dict)
    own: Mapping[str, Choices] = field(
        default_factory=dict
    )  # network -> fields of its preparation that take the place of those above

    def __post_init__(self) -> None:
        _refuse_twice("databases", self.labels)
        _refuse_twice("networks", self.networks)
        for network in (self.against, *self.own):
            pick(dict.fromkeys(self.networks), network, "network in the recipe")
        if self.pooled and len({database.classes for database in self.databases}) > 1:
            raise LearnetError(
                "databases that are pooled have one class scheme, and here are several.",
                "Name the same for all.",
            )
        _refuse_twice(
            "studies", [setting.name for setting in self.settings]
        )  # refuses values that cannot work, too

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each database: its own; of one that is taken twice, with what is taken of it."""
        names = [database.name for database in self.databases]
        return tuple(
            _longer(database) if names.count(database.name) > 1 else database.name
            for database in self.databases
        )

    @property
    def sets(self) -> dict[str, tuple[Database, ...]]:
        """Label -> databases of one study: each by itself, or all of them pooled."""
        if self.pooled:
            return {"+".join(self.labels): self.databases}
        return {label: (database,) for label, database in zip(self.labels, self.databases, strict=True)}

    @property
    def reference(self) -> str:
        """Name of the setting that the others are compared with."""
        return next(setting.name for setting in self.settings if setting.study.network == self.against)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Every combination of networks and values, the networks together.

        Raises:
            LearnetError: values that cannot work, alone or together.
        """
        found = [
            (
                (i, j, k),
                Setting(
                    recipe_settings_of((network, *words, *more, *most)),
                    preparation,
                    replace(study, network=network),
                    training,
                ),
            )
            for network in self.networks
            for i, (words, preparation) in enumerate(self._prepared_for(network))
            for j, (more, study) in enumerate(_combined(Study, self.study))
            for k, (most, training) in enumerate(_combined(Training, self.training))
        ]
        return tuple(setting for _, setting in sorted(found, key=lambda one: one[0]))

    def _prepared_for(self, network: str) -> list[tuple[tuple[str, ...], Preparation]]:
        """The preparations under which a network is run, with the words that tell them apart."""
        return _combined(Preparation, {**self.preparation, **self.own.get(network, {})})

    @property
    def preparations(self) -> dict[str, Preparation]:
        """Name -> preparation; the name is empty where there is one. Those of one network alone are called after it."""
        made = {
            recipe_settings_of(words): preparation
            for words, preparation in _combined(Preparation, self.preparation)
        }
        for network in self.own:
            made |= {
                recipe_settings_of(("for", network, *words)): preparation
                for words, preparation in self._prepared_for(network)
            }
        return made


def read_recipe(path: Path) -> Recipe:
    """A recipe file.

    Raises:
        BadInput: no such file, no TOML, a key or value nobody knows, a wrong type, something missing, or values that cannot work.
    """
    if not path.is_file():
        raise BadInput(path, "there is no such recipe", "Name a file such as recipes/paper.toml.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput(path, "this is not text in UTF-8", "Save it as UTF-8.") from None
    return parse(text, path)


def parse(text: str, where: Path | str) -> Recipe:
    """A recipe from the content of the file WHERE, which is named in every error. Raises as `read_recipe`."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            where, f"this is not TOML ({error})", "docs/recipes.md shows how a recipe is written."
        ) from None
    return _recipe(table, where)


def override_recipe(recipe: Recipe, changes: RecipeOverrides, where: Path | str) -> tuple[Recipe, list[str]]:
    """The recipe with CHANGES, and a sentence for each thing that is no longer as it was written.

    Raises:
        LearnetError: a database that the recipe does not name, or a value that cannot work.
    """
    table, told = _table(recipe), []
    names = [database.name for database in recipe.databases]
    for name in changes.only:
        pick(dict.fromkeys(names), name, "database in the recipe")
    if changes.only:
        table["databases"] = [entry for entry in table["databases"] if entry["name"] in changes.only]
        if left := sorted({*names} - {*changes.only}):
            told.append(
                f"only {', '.join(dict.fromkeys(changes.only))}: {', '.join(left)} of the recipe {_are(left)} left out"
            )
    if changes.networks and changes.networks != recipe.networks:
        table["networks"] = list(dict.fromkeys(changes.networks))
        table["own"] = {
            network: what for network, what in table.get("own", {}).items() if network in changes.networks
        }
        told.append(f"networks {', '.join(table['networks'])} (the recipe: {', '.join(recipe.networks)})")
        if recipe.against not in table["networks"]:
            table["against"] = table["networks"][0]
            told.append(f"compared with {table['against']} (the recipe: {recipe.against})")
    asked: list[tuple[str, str, Any, Any]] = [
        ("study", "protocol", changes.protocol, Study.protocol),
        ("study", "groups", changes.groups, Study.groups),
        ("study", "seeds", changes.seeds, Study.seeds),
        ("training", "epochs", changes.epochs, Training.epochs),
    ]
    for part, key, value, default in asked:
        before = (recipe.study if part == "study" else recipe.training).get(key, (default,))
        if value is not None and before != (value,):
            table.setdefault(part, {})[key] = value
            told.append(f"{key} {value} (the recipe: {', '.join(map(str, before))})")
    return _recipe(table, where), told


def recipe_to_toml(recipe: Recipe) -> str:
    """The recipe as a file that reads as the same recipe."""
    table = _table(recipe)
    lines = [
        f"{key} = {_written(value)}"
        for key, value in table.items()
        if key != "databases" and not isinstance(value, dict)
    ]
    for entry in table["databases"]:
        lines += ["", "[[databases]]", *(f"{key} = {_written(value)}" for key, value in entry.items())]
    for key, value in table.items():
        if isinstance(value, dict):
            tables = (
                {f"own.{_written(network)}": what for network, what in value.items()}
                if key == "own"
                else {key: value}
            )
            for head, settings in tables.items():
                lines += ["", f"[{head}]", *(f"{name} = {_written(what)}" for name, what in settings.items())]
    return "\n".join(lines) + "\n"


def recipe_settings_of(words: Sequence[str]) -> str:
    """Words as one name that may be a folder's."""
    return re.sub(r"[^A-Za-z0-9._+-]", "-", "-".join(filter(None, words)))


# ---- from a table of TOML to records


def _recipe(table: dict[str, Any], where: Path | str) -> Recipe:
    _refuse_unknown(table, {one.name for one in fields(Recipe)}, "a recipe", where)
    hints = get_type_hints(Recipe)
    for one in fields(Recipe):
        if (
            one.name not in table
            and one.default is MISSING
            and one.default_factory is MISSING
            and one.name != "against"
        ):
            raise BadInput(where, f"{one.name} is missing", "docs/recipes.md says what a recipe needs.")
    plain = {key: _read(value, hints[key], key, where) for key, value in table.items() if key in PLAIN}
    for key in ("title", "claim", "source", "networks"):
        if not plain[key]:
            raise BadInput(where, f"{key} is empty", "Fill it in.")
    records: tuple[tuple[str, type[Any], tuple[str, ...]], ...] = (
        ("preparation", Preparation, ()), ("study", Study, OWN), ("training", Training, ()),
    )  # fmt: skip
    parts = {key: _choices(table.get(key, {}), kind, key, without, where) for key, kind, without in records}
    if not isinstance(tables := table.get("own", {}), dict):
        raise BadInput(
            where,
            f"own is {_shown(tables)}, and should hold tables",
            "Write [own.NETWORK] and its settings below it.",
        )
    own = {
        network: _choices(settings, Preparation, f"own.{network}", (), where)
        for network, settings in tables.items()
    }
    databases = _databases(table["databases"], where)
    try:
        return Recipe(
            **{"against": plain["networks"][0], **plain, **parts, "own": own, "databases": databases}
        )
    except LearnetError as error:
        raise BadInput(where, error.what.rstrip("."), error.hint) from None


def _databases(entries: object, where: Path | str) -> tuple[Database, ...]:
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise BadInput(
            where,
            "databases names none",
            'Write [[databases]] and below it name = "casme2", for each of them.',
        )
    hints, made = get_type_hints(Database), []
    for entry in entries:
        _refuse_unknown(entry, set(hints), "[[databases]]", where)
        if "name" not in entry:
            raise BadInput(
                where, "an entry of [[databases]] has no name", 'Add, for example, name = "casme2".'
            )
        made.append(
            Database(
                **{key: _read(value, hints[key], f"databases.{key}", where) for key, value in entry.items()}
            )
        )
    return tuple(made)


def values_of(
    table: object, kind: type[Any], name: str, where: Path | str, without: Sequence[str] = ()
) -> dict[str, Any]:
    """The value of each field of the record KIND that a table of TOML names.

    Raises:
        BadInput: no table, a key that KIND does not have or that stands in WITHOUT, or a value of another type.
    """
    hints = _fields_of(table, kind, name, where, without)
    return {key: _read(value, hints[key], f"{name}.{key}", where) for key, value in cast(dict, table).items()}


def _fields_of(
    table: object, kind: type[Any], name: str, where: Path | str, without: Sequence[str]
) -> dict[str, Any]:
    """The types of a record's fields, once it is known that the table names no others."""
    if not isinstance(table, dict):
        raise BadInput(
            where,
            f"{name} is {_shown(table)}, and should be a table",
            f"Write [{name}] and its settings below it.",
        )
    hints = {key: hint for key, hint in get_type_hints(kind).items() if key not in without}
    _refuse_unknown(table, set(hints), f"[{name}]", where)
    return hints


def _choices(table: object, kind: type[Any], name: str, without: Sequence[str], where: Path | str) -> Choices:
    """The values of each field that a table names. Several stand in a list, but for fields that are lists themselves."""
    hints = _fields_of(table, kind, name, where, without)
    found = {}
    for key, value in cast(dict, table).items():
        several = value if isinstance(value, list) and get_origin(hints[key]) is not tuple else [value]
        if not several:
            raise BadInput(where, f"{name}.{key} is an empty list", "Give a value, or leave it out.")
        found[key] = tuple(_read(one, hints[key], f"{name}.{key}", where) for one in several)
        if len(set(found[key])) < len(several):
            raise BadInput(where, f"{name}.{key} names a value twice", "Take one of them out.")
    return found


def _refuse_unknown(table: Mapping[str, Any], known: set[str], name: str, where: Path | str) -> None:
    for key in table:
        if key not in known:
            raise BadInput(where, f"{name} has no key {key!r}", UnknownName("key", key, known).hint)


def _read(value: Any, hint: Any, key: str, where: Path | str) -> Any:
    """A value of the type that a field has."""
    if get_origin(hint) is Literal:
        if type(value) is str and value in get_args(hint):
            return value
        known = get_args(hint)
        advice = (
            UnknownName("value", value, known).hint
            if type(value) is str
            else f"Choose from {', '.join(known)}."
        )
        raise BadInput(where, f"{key} cannot be {_shown(value)}", advice)
    if get_origin(hint) is tuple:
        if isinstance(value, list) and all(type(one) is str for one in value):
            return tuple(value)
        raise BadInput(
            where, f"{key} is {_shown(value)}", 'It should be a list of texts, as in ["one", "two"].'
        )
    leaf = next(leaf for leaf in LEAVES if leaf is hint or leaf in get_args(hint))  # `str | None` is text
    if leaf is float and type(value) is int and abs(value) < 2**53:
        return float(value)
    if type(value) is not leaf:
        raise BadInput(where, f"{key} is {_shown(value)}", f"It should be {LEAVES[leaf]}.")
    return value


def _combined(kind: type[Record], choices: Choices) -> list[tuple[tuple[str, ...], Record]]:
    """Every combination of values as a record, with the words that tell it from the others."""
    made = []
    for values in itertools.product(*choices.values()):
        given = dict(zip(choices, values, strict=True))
        words = tuple(_word(key, value) for key, value in given.items() if len(choices[key]) > 1)
        made.append((words, kind(**given)))
    return made


def _longer(database: Database) -> str:
    start = () if database.classes.startswith(database.name) else (database.name,)
    expressions = database.expressions if database.expressions != Database.expressions else None
    return recipe_settings_of(
        [*start, *filter(None, (database.classes, database.tree, database.part, expressions))]
    )


def _word(key: str, value: Any) -> str:
    """A value in a name: itself, its key with a number, and of true or false the key or nothing."""
    name = key.replace("_", "-")
    if isinstance(value, bool):
        return name if value else ""
    return value if isinstance(value, str) else f"{name}-{value}"


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LearnetError(f"{what}: {', '.join(twice)} stands twice.", "Take one of them out.")


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


# ---- from records to a table of TOML


def _table(recipe: Recipe) -> dict[str, Any]:
    """What `_recipe` reads; what is as it would be anyway is left out."""
    table: dict[str, Any] = {}
    for one in fields(Recipe):
        value = getattr(recipe, one.name)
        if one.name == "databases":
            table["databases"] = [_entry(database) for database in value]
        elif one.name == "own":
            table["own"] = {
                network: {key: _plain(values) for key, values in what.items()}
                for network, what in value.items()
            }
        elif isinstance(value, Mapping):
            if value:
                table[one.name] = {key: _plain(values) for key, values in value.items()}
        elif value != one.default:
            table[one.name] = list(value) if isinstance(value, tuple) else value
    return table


def _entry(database: Database) -> dict[str, Any]:
    return {
        one.name: value for one in fields(Database) if (value := getattr(database, one.name)) != one.default
    }


def _plain(values: tuple[Any, ...]) -> Any:
    single = [list(value) if isinstance(value, tuple) else value for value in values]
    return single if len(single) > 1 else single[0]


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return (
        json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        if isinstance(value, str)
        else repr(value)
    )


def _shown(value: Any) -> str:
    text = (
        _written(value)
        if isinstance(value, (str, bool, int, float))
        else "a table"
        if isinstance(value, dict)
        else f"{value}"
    )
    return text if len(text) <= 60 else f"{text[:60]}…"
