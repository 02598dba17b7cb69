"""The command that runs a recipe."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import STUDIES, Flat, app
from learnet.core.errors import LearnetError
from learnet.core.recipe_overrides import RecipeOverrides
from learnet.core.settings import Resources
from learnet.study.shipped import RECIPES, shipped_names

if TYPE_CHECKING:
    from learnet.report.experiment_tables import Group
    from learnet.study.experiments.recipe import Recipe

RECIPE = Parameter(help=f"Recipe file (docs/recipes.md), or a name: {', '.join(shipped_names(RECIPES))}.")


@app.command(group=STUDIES, default_parameter=Parameter(consume_multiple=True, negative=""))
def run(  # noqa: PLR0913 (options)
    recipe: Annotated[Path, RECIPE],
    out: Path,
    /,
    *,
    data: tuple[str, ...] = (),
    synthetic: bool = False,
    people: int = 6,
    changes: Annotated[RecipeOverrides, Flat] = RecipeOverrides(),
    resources: Annotated[Resources, Flat] = Resources(),
    face_model: Path | None = None,
) -> None:
    """Run every study of a recipe and write its table of results. An interrupted run continues where it
    stopped.

    Parameters
    ----------
    out
        Folder for all results.
    data
        Database folders as distributed by their owners, or NAME=DIR where a folder is not recognised.
        Prepared folders whose settings match the recipe are used as they are.
    synthetic
        Generate small synthetic databases instead, to try the recipe. The tables are marked accordingly.
    people
        Number of synthetic people in each database.
    face_model
        YuNet face model; without one, OpenCV's Haar cascades are used.
    """
    from learnet.study.experiments.recipe_files import override_recipe, read_recipe

    # Errors in the recipe are reported before torch is loaded.
    effective, deviations = override_recipe(read_recipe(recipe), changes, recipe)
    if synthetic == bool(data):
        hint = "--data names database folders; --synthetic generates some to try the recipe on."
        raise LearnetError("Specify either real or synthetic data.", hint)
    from learnet.report.experiment_tables import groups, write_results
    from learnet.study.experiments.run import Means, check, run_experiments
    from learnet.study.experiments.run import synthetic as synthesize_databases
    from learnet.study.experiments.sources import find_available_data, resolve_sources, unused_data

    check(effective, recipe)
    means = Means(console.bar, resources, face_model)
    if synthetic:
        available = synthesize_databases(effective, out, people, means)
    else:
        available = find_available_data(data)
    parts = resolve_sources(effective, available)
    for note in unused_data(effective, available, parts):
        console.err.print(note, markup=False)
    run_experiments(effective, out, parts, means)
    results = groups(effective, out)
    files = write_results(effective, out, results, deviations)
    _print_results(effective, results, deviations)
    console.paths(*files)


def _print_results(recipe: "Recipe", results: Sequence["Group"], deviations: Sequence[str]) -> None:
    """Print the tables of a recipe, which studies leak, and how the recipe was changed."""
    from learnet.report.comparison.tables import leak_notes
    from learnet.report.experiment_tables import heading, in_two, sheet

    console.out.print(heading(recipe, results), style="bold", markup=False)
    for group in results:
        for half in in_two(sheet(group)):
            console.text_table(half)
        for note in leak_notes(group.comparison):
            console.red_note(note)
    for deviation in deviations:
        console.out.print(f"Deviation from the recipe: {deviation}.", markup=False)
