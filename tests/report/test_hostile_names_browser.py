"""Names that try to run something, in every page, in Chromium: nothing runs but the script of the page."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from learnet.core.records import Finding
from learnet.datasets.prepared.store import load_prepared, save_prepared
from learnet.inference.recognition import Recognition
from learnet.report.comparison.compare import compare
from learnet.report.comparison.writers import write_comparison
from learnet.report.event_page import write_event_page
from learnet.report.page import write_report
from learnet.report.recognition_page import write_recognition_page
from tests.builders.event_pages import numbered_video, read_motion, some_recognition
from tests.builders.written_study import write_prepared, write_study

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

RUN = "window.ran=1"
NAMES = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</title><img src=x onerror={RUN}>",
    f'"><img src=x onerror="{RUN}">',
    f"'><svg onload='{RUN}'>",
    f"--><script>{RUN}</script><!--",
    f"<svg><script>{RUN}</script></svg>",
    f'<a href="javascript:{RUN}" autofocus onfocus="{RUN}">name</a>',
    f'<iframe srcdoc="<script>parent.ran=1</script>">{RUN}',
    '<meta http-equiv="refresh" content="0;url=https://example.org/">',
    '<link rel="stylesheet" href="https://example.org/x.css">',
    '<img src="https://example.org/x.png">',
    "{{ 7 * 7 }}{% for x in y %}",
    "${alert(1)}`${window.ran=1}`",
    "\\u003cscript\\u003ewindow.ran=1",
    "=cmd|' /C calc'!A0",
    "a\x1b[31m\x00\x07b\u2028c",
    "photo\u202egpj.exe",
    "&lt;script&gt;&amp;#60;",
)
"""Markup, quotes, ends of elements, control characters, reversed direction, formulas."""

INJECTED = (
    f"<script>{RUN}</script><script src='ADDRESS/x.js'></script>"
    f'<img src=x onerror="{RUN}"><img src="ADDRESS/x.png"><svg onload="{RUN}"></svg>'
    '<link rel="stylesheet" href="ADDRESS/x.css"><base href="ADDRESS/"><form action="ADDRESS/"></form>'
    f"<iframe src='ADDRESS/'></iframe><video src='ADDRESS/x.mp4'></video><body onload='{RUN}'>"
)
"""What would stand in a page if one escape were forgotten; ADDRESS is that of a server."""


@dataclass(frozen=True)
class Opened:
    """A page in the browser, and what it asked for."""

    page: "sync_api.Page"
    requests: list[str]
    errors: list[str]


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def open_file(browser: "sync_api.Browser") -> Iterator[Callable[[Path], Opened]]:
    contexts = []

    def opened(path: Path) -> Opened:
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        requests: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        return Opened(page, requests, errors)

    yield opened
    for context in contexts:
        context.close()


def in_a_file_name(name: str) -> str:
    """A name without what no file name may have."""
    return name.replace("/", "|").replace("\x00", "")


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two studies whose clips, people, databases and folders have hostile names."""
    folder = tmp_path_factory.mktemp("studies")
    plain = load_prepared(write_prepared(folder / "plain", people=20, clips=2))
    clips = plain.clips.copy()
    for row in range(len(clips)):
        name = NAMES[row // 2].replace("\x00", "")
        dataset = name.replace("/", "|") if row >= 30 else "casme2"
        clips.loc[row, ["dataset", "subject", "name"]] = (dataset, name, f"{name}-{row}")
        clips.loc[row, ["person", "clip"]] = (f"{dataset}/{name}", f"{dataset}/{name}/{name}-{row}")
        clips.loc[row, "warnings"] = name
    findings = [Finding(name, name, name, serious=True) for name in NAMES]
    save_prepared(folder / "prepared", plain.images, clips, plain.record, findings)
    names = [in_a_file_name(NAMES[1]), in_a_file_name(NAMES[4])]
    return [
        write_study(folder / name, folder / "prepared", skill=0.3 + 0.2 * i) for i, name in enumerate(names)
    ]


@pytest.fixture(scope="module")
def recognition(tmp_path_factory: pytest.TempPathFactory) -> Recognition:
    path = numbered_video(
        tmp_path_factory.mktemp("film") / "film.mp4", [40 * number for number in range(175)]
    )
    return some_recognition(path, *read_motion(path))


def named(recognition: Recognition, name: str, folder: Path) -> Recognition:
    """The same recognition of a copy with another name, whose labels and reasons are hostile, too."""
    path = folder / f"{in_a_file_name(name)}.mp4"
    shutil.copy(recognition.source, path)
    spotting = recognition.spotting
    events = tuple(replace(event, reason=name, source=name) for event in spotting.events)
    return replace(recognition, source=str(path), warnings=(name,), spotting=replace(spotting, events=events))


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", asked
    running.shutdown()
    thread.join()
    running.server_close()


def check_nothing_ran(opened: Opened, scripts: int) -> None:
    assert opened.page.evaluate("window.ran") is None
    assert opened.page.evaluate("document.querySelectorAll('script:not([type])').length") == scripts
    handlers = (
        "[...document.querySelectorAll('*')].some(e => [...e.attributes].some(a => /^on/.test(a.name)))"
    )
    assert not opened.page.evaluate(handlers)
    assert not opened.page.evaluate(
        "document.querySelectorAll('iframe, meta[http-equiv=refresh], base').length"
    )
    check_no_request(opened)


def check_no_request(opened: Opened) -> None:
    assert all(address.startswith(("file:", "data:", "blob:")) for address in opened.requests)
    assert opened.page.url.startswith("file:")


def check_sorting(page: "sync_api.Page") -> None:
    """The script of a report makes tables sortable."""
    button = page.locator("table.sortable th button").first
    button.click()
    assert button.evaluate("button => button.parentElement.getAttribute('aria-sort')") == "ascending"


def test_reports_run_nothing_but_their_script(
    studies: list[Path], tmp_path: Path, open_file: Callable[[Path], Opened]
) -> None:
    opened = open_file(write_report(studies, tmp_path / "report.html", explained=0))
    check_nothing_ran(opened, scripts=1)
    check_sorting(opened.page)
    assert not opened.errors
    text = opened.page.content()
    assert "\x1b" not in text and "\u202e" not in text


def test_comparisons_run_nothing_but_their_script(
    studies: list[Path], tmp_path: Path, open_file: Callable[[Path], Opened]
) -> None:
    write_comparison(compare(studies), html=tmp_path / "page.html")
    opened = open_file(tmp_path / "page.html")
    check_nothing_ran(opened, scripts=1)
    assert not opened.errors


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_pages_of_videos_run_nothing_but_their_script(
    recognition: Recognition, number: int, tmp_path: Path, open_file: Callable[[Path], Opened]
) -> None:
    hostile = named(recognition, NAMES[number], tmp_path)
    opened = open_file(write_event_page(hostile, tmp_path / "page.html"))
    opened.page.wait_for_selector("html[data-ready]")
    check_nothing_ran(opened, scripts=1)
    assert not opened.errors
    assert opened.page.locator("#events-body tr").count() == 3
    opened = open_file(write_recognition_page(hostile, tmp_path / "static.html"))
    check_nothing_ran(opened, scripts=0)


def test_the_policy_holds_where_an_escape_is_forgotten(
    studies: list[Path],
    recognition: Recognition,
    tmp_path: Path,
    open_file: Callable[[Path], Opened],
    server: tuple[str, list[str]],
) -> None:
    address, asked = server
    write_comparison(compare(studies), html=tmp_path / "comparison.html")
    pages = [
        write_report(studies, tmp_path / "report.html", explained=0),
        tmp_path / "comparison.html",
        write_event_page(named(recognition, "film", tmp_path), tmp_path / "events.html"),
        write_recognition_page(named(recognition, "film", tmp_path), tmp_path / "static.html"),
    ]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.count("<body>") == 1
        injected = text.replace("<body>", "<body>" + INJECTED.replace("ADDRESS", address))
        page.write_text(injected, encoding="utf-8")
        opened = open_file(page)
        assert opened.page.evaluate("window.ran") is None, page
        assert opened.page.url.startswith("file:")
        if page.name == "report.html":
            check_sorting(opened.page)
        if page.name == "events.html":
            opened.page.wait_for_selector("html[data-ready]")
    assert not asked


def test_without_the_policy_all_of_this_would_happen(
    tmp_path: Path, open_file: Callable[[Path], Opened], server: tuple[str, list[str]]
) -> None:
    """So the test above shows something."""
    address, asked = server
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><body>{INJECTED.replace('ADDRESS', address)}", encoding="utf-8")
    assert open_file(page).page.evaluate("window.ran") == 1
    assert {"/x.js", "/x.png", "/x.css", "/x.mp4", "/"} <= set(asked)
