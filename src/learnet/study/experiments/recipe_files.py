"""Recipe files (TOML): reading, overriding, writing. docs/recipes.md says how a recipe is written.

Only the file is checked here. `learnet.study.experiments.run` checks that its networks and databases exist,
which takes loading them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_origin

import tomli_w

from learnet.core.earlier_names import current_key
from learnet.core.errors import BadInput, LearnetError, pick
from learnet.core.recipe_overrides import RecipeOverrides
from learnet.core.serialisation import (
    ROOT,
    InvalidValue,
    checked_table,
    convert,
    declared_fields,
    parse_toml,
    shown,
)
from learnet.core.settings import Preparation, Study, Training
from learnet.study.experiments.recipe import Choices, Database, Recipe
from learnet.study.shipped import RECIPES, resolve_shipped

HOW_TO_WRITE = "docs/recipes.md shows how a recipe is written."
ELSEWHERE = ("network", "classes")  # fields of Study that a recipe has at its top and with each database
FILLED_IN = ("title", "claim", "source", "networks", "databases")  # keys that must not be empty


@dataclass(frozen=True)
class _RecipeTable:
    """The keys of a recipe that hold no settings, with their types."""

    title: str
    claim: str
    source: str
    databases: list[Database]
    networks: tuple[str, ...]
    against: str = ""
    unknown: tuple[str, ...] = ()
    pooled: bool = False
    imported: bool = False


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Args:
        path: file, or name of a shipped recipe.

    Raises:
        BadInput: no such file, no TOML, an unknown key or value, a wrong type, something missing, or values
            that cannot work.
    """
    path = resolve_shipped(path, RECIPES, "recipe")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput(path, "this is not text in UTF-8", "Save it as UTF-8.") from None
    return parse_recipe(text, path)


def parse_recipe(text: str, file: Path | str) -> Recipe:
    """Parse the content of the recipe file `file`, which is named in every error. Raises as `read_recipe`."""
    return _recipe(parse_toml(text, file, HOW_TO_WRITE), file)


def override_recipe(recipe: Recipe, changes: RecipeOverrides, file: Path | str) -> tuple[Recipe, list[str]]:
    """Return the recipe with changes, and a sentence for each thing that is no longer as it was written.

    Raises:
        LearnetError: a database that the recipe does not name, or a value that cannot work.
    """
    table = _table(recipe)
    notes = [
        *_override_databases(table, recipe, changes.only),
        *_override_networks(table, recipe, changes.networks),
        *_override_settings(table, recipe, changes),
    ]
    return _recipe(table, file), notes


def recipe_to_toml(recipe: Recipe) -> str:
    """Return the recipe as a file that reads as the same recipe."""
    return tomli_w.dumps(_table(recipe))


def _override_databases(table: dict[str, Any], recipe: Recipe, only: Sequence[str]) -> list[str]:
    names = {database.name: None for database in recipe.databases}
    for name in only:
        pick(names, name, "database in the recipe")
    if not only:
        return []
    table["databases"] = [entry for entry in table["databases"] if entry["name"] in only]
    left_out = sorted({*names} - {*only})
    if not left_out:
        return []
    kept = ", ".join(dict.fromkeys(only))
    verb = "is" if len(left_out) == 1 else "are"
    return [f"only {kept}: {', '.join(left_out)} of the recipe {verb} left out"]


def _override_networks(table: dict[str, Any], recipe: Recipe, networks: Sequence[str]) -> list[str]:
    if not networks or tuple(networks) == recipe.networks:
        return []
    chosen = list(dict.fromkeys(networks))
    table["networks"] = chosen
    for network in set(table.get("own", {})) - set(chosen):
        del table["own"][network]
    notes = [f"networks {', '.join(chosen)} (the recipe: {', '.join(recipe.networks)})"]
    if recipe.against not in chosen:
        table["against"] = chosen[0]
        notes.append(f"compared with {chosen[0]} (the recipe: {recipe.against})")
    return notes


def _override_settings(table: dict[str, Any], recipe: Recipe, changes: RecipeOverrides) -> list[str]:
    overrides: list[tuple[str, Choices, str, Any, Any]] = [
        ("study", recipe.study, "protocol", changes.protocol, Study.protocol),
        ("study", recipe.study, "groups", changes.groups, Study.groups),
        ("study", recipe.study, "seeds", changes.seeds, Study.seeds),
        ("training", recipe.training, "epochs", changes.epochs, Training.epochs),
    ]
    notes = []
    for part, choices, key, value, default in overrides:
        before = choices.get(key, (default,))
        if value is not None and before != (value,):
            table.setdefault(part, {})[key] = value
            notes.append(f"{key} {value} (the recipe: {', '.join(map(str, before))})")
    return notes


# ---- from TOML to records


def _recipe(table: dict[str, Any], file: Path | str) -> Recipe:
    try:
        return _converted_recipe(table)
    except InvalidValue as error:
        raise error.in_file(file, HOW_TO_WRITE) from None
    except LearnetError as error:
        raise BadInput(file, error.what.rstrip("."), error.hint) from None


def _converted_recipe(table: dict[str, Any]) -> Recipe:
    checked_table(table, [one.name for one in fields(Recipe)], ROOT)
    plain_table = {}
    for one in fields(_RecipeTable):
        if one.name in table:
            plain_table[one.name] = table[one.name]
    for key in FILLED_IN:
        if key in plain_table and plain_table[key] in ("", []):
            raise InvalidValue(f"{ROOT}.{key}", "this is empty", "Fill it in.")
    plain: _RecipeTable = convert(plain_table, _RecipeTable, ROOT)
    own_tables = table.get("own", {})
    if not isinstance(own_tables, dict):
        hint = "Write [own.NETWORK] and its settings below it."
        raise InvalidValue(f"{ROOT}.own", f"got {shown(own_tables)}", hint)
    own = {}
    for network, settings in own_tables.items():
        own[network] = _choices(settings, Preparation, f"{ROOT}.own.{network}")
    return Recipe(
        title=plain.title,
        claim=plain.claim,
        source=plain.source,
        databases=tuple(plain.databases),
        networks=plain.networks,
        against=plain.against or plain.networks[0],
        unknown=plain.unknown,
        pooled=plain.pooled,
        imported=plain.imported,
        preparation=_choices(table.get("preparation", {}), Preparation, f"{ROOT}.preparation"),
        study=_choices(table.get("study", {}), Study, f"{ROOT}.study", without=ELSEWHERE),
        training=_choices(table.get("training", {}), Training, f"{ROOT}.training"),
        own=own,
    )


def _choices(table: object, kind: type[Any], path: str, without: Sequence[str] = ()) -> Choices:
    """Return the values of each setting in a table. Several are in a list, except of settings that are
    lists."""
    declared, types = declared_fields(kind, without)
    choices: dict[str, tuple[Any, ...]] = {}
    for key, value in checked_table(table, declared, path, kind.__name__).items():
        name, key_path = current_key(kind.__name__, key), f"{path}.{key}"
        is_list = get_origin(types[name]) is tuple
        several = value if isinstance(value, list) and not is_list else [value]
        if not several:
            raise InvalidValue(key_path, "this is an empty list", "Give a value, or leave it out.")
        if name in choices:
            raise InvalidValue(key_path, f"this is the earlier name of {name}, which is there too")
        choices[name] = tuple(convert(one, types[name], key_path) for one in several)
        if len(set(choices[name])) < len(several):
            raise InvalidValue(key_path, "a value is there twice", "Take one of them out.")
    return choices


# ---- from records to TOML


def _table(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as TOML values, without those that are the default."""
    table: dict[str, Any] = {}
    for one in fields(Recipe):
        value = getattr(recipe, one.name)
        default = one.default if one.default_factory is MISSING else one.default_factory()
        if value == default:
            continue
        if one.name == "databases":
            table[one.name] = [_database_table(database) for database in value]
        elif one.name == "own":
            table[one.name] = {network: _choices_table(choices) for network, choices in value.items()}
        elif isinstance(value, Mapping):
            table[one.name] = _choices_table(value)
        else:
            table[one.name] = list(value) if isinstance(value, tuple) else value
    return table


def _database_table(database: Database) -> dict[str, Any]:
    table = {}
    for one in fields(Database):
        value = getattr(database, one.name)
        if value != one.default:
            table[one.name] = value
    return table


def _choices_table(choices: Choices) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, values in choices.items():
        plain = [list(value) if isinstance(value, tuple) else value for value in values]
        table[key] = plain if len(plain) > 1 else plain[0]
    return table
