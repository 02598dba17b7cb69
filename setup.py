"""The description on a package index: README.md without what works only beside the other files.

Everything else about the package is in pyproject.toml. An index shows README.md alone, and the project has no
public address that links could lead to. So a link to a file becomes the name of the file, and a picture from
a file is left out.
"""

import re
from pathlib import Path

from setuptools import setup

README = Path(__file__).with_name("README.md")
CODE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"^!\[[^\]]*\]\((?!https?://)[^)]*\)\n+", re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\((?!https?://|#)([^)#]+)[^)]*\)")


def without_files(markdown: str) -> str:
    """Return a text without pictures from files, and with the names of files in place of links to them."""
    parts = CODE.split(markdown)
    parts[::2] = [LINK.sub(_named, PICTURE.sub("", text)) for text in parts[::2]]
    return "".join(parts)


def _named(link: re.Match[str]) -> str:
    text, file = link.groups()
    return text if text == file else f"{text} (`{file}`)"


setup(
    long_description=without_files(README.read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
)
