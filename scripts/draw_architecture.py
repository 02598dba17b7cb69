"""Draw docs/architecture.svg: the packages of learnet in layers, and how many imports go from each to each.

The picture is computed from the source under src/learnet, with the packages in the order of the table in
docs/architecture.md, so the same files give the same bytes.

    python scripts/draw_architecture.py [OUT.svg]
"""

import ast
import re
import sys
import textwrap
from collections import Counter
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "learnet"
PAGE = ROOT / "docs" / "architecture.md"
OUT = ROOT / "docs" / "architecture.svg"

ROW, CELL, TEXT = 30, 30, 560  # pixels: height of a row, width of a matrix column, width of the boxes
MARGIN, HEAD = 16, 110  # pixels: around the picture, above the matrix for the names of the columns
ABOUT = 78  # characters of a package's description
INK, MUTED, LINE, SHADES = "#1d2433", "#5b6478", "#c9cfdb", ("#eef2fb", "#e2e9f8")

Imports = Counter[tuple[str, str]]  # (importing package, imported package) -> import statements


def packages() -> dict[str, str]:
    """Return the packages under src/learnet and the first sentence of their docstrings."""
    found = {}
    for init in sorted(SOURCE.glob("*/__init__.py")):
        docstring = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or ""
        sentence = " ".join(docstring.split("\n\n")[0].split()).split(". ")[0].rstrip(".")
        found[init.parent.name] = textwrap.shorten(sentence, ABOUT, placeholder="…")
    return found


def table_order() -> list[str]:
    """Return the packages in the order of the table in docs/architecture.md."""
    return re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def imported_names(file: Path) -> list[str]:
    """Return the full name of every module that a file imports, once per import statement."""
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "learnet":
            names.extend(f"learnet.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return names


def count_imports(names: dict[str, str]) -> Imports:
    """Count the import statements between packages. Imports inside functions count too."""
    counts: Imports = Counter()
    for package in names:
        for file in sorted((SOURCE / package).rglob("*.py")):
            for name in imported_names(file):
                target = name.split(".")[1] if name.startswith("learnet.") else ""
                if target in names and target != package:
                    counts[package, target] += 1
    return counts


def layers(names: dict[str, str], counts: Imports) -> dict[str, int]:
    """Return the layer of each package: 0 imports no other; others lie one below the lowest they import.

    Raises:
        graphlib.CycleError: packages import each other.
    """
    needs = {name: {target for source, target in counts if source == name} for name in names}
    layer: dict[str, int] = {}
    for name in TopologicalSorter(needs).static_order():
        layer[name] = 1 + max((layer[target] for target in needs[name]), default=-1)
    return layer


def text(x: float, y: float, content: str, style: str = "") -> str:
    """Return one line of text."""
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(content)}</text>'


def draw_row(row: int, name: str, about: str, layer: int) -> list[str]:
    """Return the box of one package: its name and what it is for."""
    y = HEAD + row * ROW
    place = f'x="{MARGIN}" y="{y + 2}" width="{TEXT - 12}" height="{ROW - 4}"'
    box = f'<rect {place} rx="3" fill="{SHADES[layer % 2]}"/>'
    title = text(MARGIN + 8, y + 20, name, 'font-weight="600"')
    return [box, title, text(MARGIN + 104, y + 20, about, f'fill="{MUTED}" font-size="11"')]


def draw_matrix(order: list[str], counts: Imports) -> list[str]:
    """Return the matrix of import counts: a row per importing package, a column per imported one."""
    left, size = MARGIN + TEXT, len(order) * ROW
    parts = []
    for place, name in enumerate(order):
        x, y = left + place * CELL, HEAD + place * ROW
        turned = f'transform="rotate(-60 {x + 18} {HEAD - 8})"'
        parts.append(text(x + 18, HEAD - 8, name, turned))
        parts.append(f'<rect x="{x}" y="{y}" width="{CELL}" height="{ROW}" fill="{LINE}"/>')
        parts.append(f'<path d="M{left} {y}h{size}M{x} {HEAD}v{size}" stroke="{LINE}"/>')
    for (source, target), count in sorted(counts.items()):
        x, y = left + order.index(target) * CELL + CELL / 2, HEAD + order.index(source) * ROW + 20
        parts.append(text(x, y, str(count), 'text-anchor="middle"'))
    return parts


def draw() -> str:
    """Return the picture as SVG."""
    names = packages()
    counts = count_imports(names)
    layer = layers(names, counts)
    order = [name for name in table_order() if name in names]
    width, height = 2 * MARGIN + TEXT + len(order) * CELL, HEAD + len(order) * ROW + 2 * MARGIN + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="13" fill="{INK}" role="img">',
        "<title>Packages of learnet and the imports between them</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        text(MARGIN, HEAD - 8, "package, each importing only from packages above it", f'fill="{MUTED}"'),
    ]
    for row, name in enumerate(order):
        parts.extend(draw_row(row, name, names[name], layer[name]))
    parts.extend(draw_matrix(order, counts))
    note = f"{len(counts)} pairs of packages, {sum(counts.values())} import statements: row imports column"
    parts.append(text(MARGIN, height - MARGIN, note, f'fill="{MUTED}"'))
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.write_text(draw(), encoding="utf-8")
