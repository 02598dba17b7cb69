"""Run the notebooks of the gallery and store their outputs: `python scripts/run_notebooks.py [NAME ...]`.

Each runs in an empty folder, so that the files it writes are not left in the documentation.
"""

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

GALLERY = Path(__file__).resolve().parents[1] / "docs" / "gallery"
TIMEOUT_S = 1200  # of a cell


def run(file: Path) -> None:
    """Run one notebook, and replace its file."""
    notebook = nbformat.read(file, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=TIMEOUT_S, resources=resources, record_timing=False)
        client.execute()
    notebook.metadata.language_info = {"name": "python"}  # without the version of this machine
    nbformat.write(notebook, file)


def main(names: list[str]) -> None:
    """Run the named notebooks, by default all."""
    files = [GALLERY / f"{name}.ipynb" for name in names] or sorted(GALLERY.glob("*.ipynb"))
    for file in files:
        print(file.name)
        run(file)


if __name__ == "__main__":
    main(sys.argv[1:])
