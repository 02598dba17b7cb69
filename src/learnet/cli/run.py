"""The command that runs a recipe."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from learnet.cli import console
from learnet.cli.app import STUDIES, Flat, app
from learnet.core.errors import LearnetError
from learnet.core.settings import RecipeOverrides, Resources


@app.command(group=STUDIES, default_parameter=Parameter(consume_multiple=True, negative=""))
def run(
    recipe: Path,
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
    """Run every study of a recipe and write the table that settles its claim. A run that was cut off goes on where it stopped.

    Parameters
    ----------
    recipe
        File that says what to run (docs/recipes.md).
    out
        Folder to write everything to.
    data
        Folders of the databases, as their owners ship them, or NAME=DIR where one is not recognised; prepared folders that were
        made as the recipe says are used as they are.
    synthetic
        Make small synthetic databases instead, to try the recipe. The tables say so.
    people
        Synthetic people in each database.
    face_model
        The YuNet face model; without one the built-in Haar cascades are used.
    """
    if synthetic == bool(data):
        hint = "--data names the folders of the databases; --synthetic makes some to try the recipe on."
        raise LearnetError("Say which data to run on, real or synthetic.", hint)
    from learnet.study.experiments.recipe import override_recipe, read_recipe

    asked, told = override_recipe(
        read_recipe(recipe), changes, recipe
    )  # what a person can get wrong is told before torch is loaded
    from learnet.report.experiment_tables import groups, heading, in_two, sheet, write_results
    from learnet.study.experiments.run import Means, check, run_experiments
    from learnet.study.experiments.run import synthetic as make_synthetic
    from learnet.study.experiments.sources import find_available_data, resolve_sources, unused_data

    check(asked, recipe)
    means = Means(console.bar, resources, face_model)
    offer = make_synthetic(asked, out, people, means) if synthetic else find_available_data(data)
    parts = resolve_sources(asked, offer)
    for sentence in unused_data(asked, offer, parts):
        console.err.print(sentence, markup=False)
    run_experiments(asked, out, parts, means)
    found = groups(asked, out)
    written = write_results(asked, out, found, told)
    console.out.print(heading(asked, found), style="bold", markup=False)
    for group in found:
        for shown in in_two(sheet(group)):
            red = {place for place, line in enumerate(shown.lines) if line.leaky}
            console.table(shown.title, shown.columns, [line.cells for line in shown.lines], red)
    for sentence in told:
        console.out.print(f"Not as the recipe says: {sentence}.", markup=False)
    console.paths(*written)
