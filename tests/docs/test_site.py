"""The site builds without a warning, and no page makes a browser ask another host for anything."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "object": "data"}
RELATIONS = {"canonical", "next", "prev", "alternate", "license"}  # links that no browser follows by itself
REMOTE = re.compile(r"^(?:https?:)?//")
REMOTE_IN_STYLE = re.compile(r"""(?:@import\s+|url\()\s*["']?(?:https?:)?//""")


class Requests(HTMLParser):
    """Collects what a browser loads by itself when it shows a page."""

    def __init__(self) -> None:
        super().__init__()
        self.remote: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        url = values.get(FETCHED.get(tag, ""), "")
        if tag == "link" and values.get("rel") not in RELATIONS:
            url = values.get("href", "")
        if REMOTE.match(url):
            self.remote.append(f"<{tag}> {url}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return out


@pytest.mark.slow
def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        requests = Requests()
        requests.feed(page.read_text(encoding="utf-8"))
        assert not requests.remote, f"{page.relative_to(site)}: {requests.remote}"
    for style in site.rglob("*.css"):
        assert not REMOTE_IN_STYLE.search(style.read_text(encoding="utf-8")), style.name


@pytest.mark.slow
def test_the_command_tables_and_the_public_names_are_on_the_site(site: Path) -> None:
    commands = (site / "commands.html").read_text(encoding="utf-8")
    assert "[COMMAND TABLES]" not in commands
    assert "--protocol" in commands
    assert "learnet.run_study" in (site / "reference" / "study.html").read_text(encoding="utf-8")
