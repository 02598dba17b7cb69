"""Values of a recipe that a run of it replaces."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RecipeOverrides:
    """Values that replace those of a recipe, to try it on a smaller scale. The results name each of them."""

    only: tuple[str, ...] = ()
    """Databases of the recipe to run; by default all."""

    networks: tuple[str, ...] = ()
    """Networks instead of the recipe's."""

    protocol: str | None = None
    """Protocol instead of the recipe's, such as groups."""

    groups: int | None = None
    """Number of groups instead of the recipe's."""

    seeds: int | None = None
    """Number of seeds instead of the recipe's."""

    epochs: int | None = None
    """Number of epochs instead of the recipe's."""
