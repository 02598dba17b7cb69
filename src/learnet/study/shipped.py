"""Recipes and candidates that come with learnet, which commands take by name."""

from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.files import check_input

RECIPES = Path(__file__).parent / "recipes"
CANDIDATES = RECIPES / "candidates"


def shipped_names(folder: Path) -> list[str]:
    """Return the names of the files in RECIPES or CANDIDATES, in alphabetical order."""
    return sorted(file.stem for file in folder.glob("*.toml"))


def resolve_shipped(path: Path, folder: Path, kind: str) -> Path:
    """Return the path of a file that may be named like a shipped one, as `paper` or `paper.toml`.

    A file of that name in the working directory comes first.

    Args:
        path: file or name.
        folder: RECIPES or CANDIDATES.
        kind: "recipe" or "file of candidates", for messages.

    Raises:
        BadInput: neither; the message lists the names.
    """
    if path.is_file():
        return path
    shipped = folder / f"{path.name.removesuffix('.toml')}.toml"
    if path.parent == Path() and shipped.is_file():
        return shipped
    if path.exists() and not path.is_dir():
        check_input(path, f"Name a {kind}.")
    names = ", ".join(shipped_names(folder))
    raise BadInput(path, f"there is no such {kind}", f"Name a file, or one of these: {names}.")
