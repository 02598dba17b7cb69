"""Names and streams of all kinds: no terminal, encoding or reader of the output causes a traceback."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from learnet.cli import console, main
from learnet.cli.streams import escape_json
from learnet.core.printable import encode_text, printable, printable_lines, storable, stored_path

PREDICTIONS = "clip,truth,prediction\na,negative,negative\nb,positive,surprise\n"
ESCAPE, OVERRIDE = "\x1b[31m", "\u202e"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text(PREDICTIONS)
    return path


def learnet(*words: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "learnet", *map(os.fsencode, map(str, words))]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, timeout=120, **options)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the one line with which a command is refused."""
    with pytest.raises(SystemExit) as caught:
        main([*words])
    line = capsys.readouterr().err
    assert caught.value.code == 2
    assert line.count("\n") == 1 and line.endswith("\n")
    return line


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp437", "ascii"])
def test_a_console_of_any_encoding_receives_every_name(table: Path, encoding: str) -> None:
    named = table.rename(table.with_name("帧\U0001f600é.csv"))
    run = learnet(
        "score", named, "--csv", table.with_name("ū.csv"), stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    name = run.stdout.decode(encoding)
    assert "ū.csv" in name if encoding == "utf-8" else "\\u016b.csv" in name


def test_json_in_ascii_is_the_same_json() -> None:
    content = {"video": "帧 \U0001f600 \udcc4 \\ é.mp4", "n": [1.5, None]}
    text = json.dumps(content, ensure_ascii=False)
    escaped = escape_json(text)
    assert escaped.isascii()
    assert json.loads(escaped) == content


@pytest.mark.parametrize("name", [f"a{ESCAPE}\nb", f"a{OVERRIDE}b", "a\x9b31mb", "[/red][b]"])
def test_control_characters_of_names_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    line = refused(capsys, "score", name)
    assert not any(character in line[:-1] for character in "\x1b\x9b\u202e\n")
    assert printable(name) in line
    console.paths(Path(name))
    assert capsys.readouterr().out == f"-> {printable(name)}\n"


def test_tables_and_texts_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console.out.print(f"[/red] {ESCAPE} x\ny")
    console.table(f"of {ESCAPE}[b]", ["name", "n"], [[f"[bold]{ESCAPE}", 3]])
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "[/red] \\x1b[31m x\ny" in text and "[bold]\\x1b[31m" in text and "of \\x1b[31m[b]" in text


def test_what_can_be_printed_stays_as_it_is() -> None:
    for text in ("Müller's 帧.mp4", "فيلم \u200d", "a\u00a0b"):
        assert printable(text) == printable_lines(text) == storable(text) == text
    assert printable_lines("a\tb\nc\r") == "a\tb\nc\\r"
    assert printable("a\tb\nc\r") == "a\\tb\\nc\\r"


def test_names_that_are_not_utf_8_are_stored_and_found_again() -> None:
    name = os.fsdecode(b"\xc4\xe3/a.mp4")
    assert encode_text(name) == b"\\udcc4\\udce3/a.mp4"
    assert json.loads(f'"{encode_text(name).decode()}"') == name
    assert os.fsencode(stored_path(storable(name))) == b"\xc4\xe3/a.mp4"


def test_no_path_has_the_character_nul(capsys: pytest.CaptureFixture[str]) -> None:
    assert "NUL" in refused(capsys, "score", "a\0b.csv")


def test_a_dash_stands_for_no_file(capsys: pytest.CaptureFixture[str], table: Path) -> None:
    assert "standard input is not read" in refused(capsys, "score", "-")
    assert "Name a file" in refused(capsys, "score", str(table), "--csv", "-")


def test_a_reader_that_closes_the_pipe_wants_no_more(table: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        for words in (("score", table, "--csv", table.with_name("out.csv")), ("--help",)):
            run = learnet(*words, stdout=writing)
            assert (run.returncode, run.stderr) == (0, b"")
    finally:
        os.close(writing)
    assert table.with_name("out.csv").is_file()


def test_streams_may_be_closed(table: Path) -> None:
    script = f'exec "{sys.executable}" -m learnet score "{table}" >&-'
    run = subprocess.run(["sh", "-c", script], check=False, stderr=subprocess.PIPE, timeout=120)
    assert (run.returncode, run.stderr) == (0, b"")


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ESTALE, errno.EFBIG, errno.ELOOP])
def test_what_the_system_refuses_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, table: Path, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number), str(table))

    monkeypatch.setattr("learnet.metrics.score.score", refuse)
    assert f"{table}: {os.strerror(number)}." in refused(capsys, "score", str(table))


def test_too_little_memory_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, table: Path
) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("learnet.metrics.score.score", refuse)
    assert "memory" in refused(capsys, "score", str(table))


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, table: Path) -> None:
    def fail(*_: object) -> None:
        raise OSError("no number, so not from the system")

    monkeypatch.setattr("learnet.metrics.score.score", fail)
    with pytest.raises(OSError, match="no number"):
        main(["score", str(table)])


def test_a_disk_that_is_full_when_stdout_is_written_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, table: Path
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("learnet.cli.streams.discard_stdout", lambda: None)
    monkeypatch.setattr(sys, "stdout", Full())
    assert "output: No space left on device." in refused(capsys, "--version")


def test_circles_of_links_are_refused(capsys: pytest.CaptureFixture[str], table: Path) -> None:
    first, second = table.with_name("first.csv"), table.with_name("second.csv")
    first.symlink_to(second)
    second.symlink_to(first)
    assert "no such file" in refused(capsys, "score", str(first))
    assert "leads to itself" in refused(capsys, "score", str(table), "--csv", str(first))
    assert "no such folder" in refused(capsys, "report", str(first))
    assert first.is_symlink() and second.is_symlink()
