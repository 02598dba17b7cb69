"""Files are there completely or as they were before; links are followed, and what is no file is written
through."""

import errno
import os
import threading
from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.core.files import (
    append_durably,
    atomic_file,
    atomic_folder,
    disk_error_hint,
    disk_error_reason,
    report_disk_errors,
    shortened_list,
    write_atomically,
)


class Failed(Exception):
    pass


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.txt"
    write_atomically(file, "Zoë\r\n")
    assert file.read_bytes() == b"Zo\xc3\xab\r\n"
    with atomic_file(file) as draft:
        draft.write_bytes(b"half")
        assert file.read_bytes() == b"Zo\xc3\xab\r\n"  # until the end of the block
    assert file.read_bytes() == b"half" and names(file.parent) == ["a.txt"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("before")
    with pytest.raises(Failed), atomic_file(file, ".txt") as draft:
        assert draft.suffix == ".txt"
        draft.write_text("half")
        raise Failed
    assert file.read_text() == "before" and names(tmp_path) == ["a.txt"]
    with pytest.raises(Failed), atomic_folder(tmp_path / "folder") as draft:
        (draft / "b.txt").write_text("half")
        raise Failed
    assert names(tmp_path) == ["a.txt"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a.txt").write_text("before")
    (tmp_path / "link.txt").symlink_to(tmp_path / "target" / "a.txt")
    write_atomically(tmp_path / "link.txt", "after")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "target" / "a.txt").read_text() == "after"
    assert names(tmp_path / "target") == ["a.txt"]


def test_a_pipe_is_written_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, "through")
    reader.join()
    assert received == [b"through"] and pipe.is_fifo()


def test_a_pipe_without_a_reader_is_told_and_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    with pytest.warns(UserWarning, match="pipe: waiting for a program that reads this pipe") as warned:
        threading.Timer(0.2, reader.start).start()
        write_atomically(pipe, "through")
    reader.join()
    assert received == [b"through"] and len(warned) == 1


def test_a_reader_of_a_pipe_that_ends_too_early_is_the_reason(tmp_path: Path) -> None:
    """It is no reader of the standard output, which may end when it wants: other outputs may follow."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    threading.Timer(0.2, lambda: os.close(reader)).start()
    with pytest.raises(BadInput, match="pipe: the program that reads this pipe ended before all was written"):
        write_atomically(pipe, b"x" * 1_000_000)


def test_a_name_of_the_greatest_length(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 251 + ".txt")
    write_atomically(file, "x")
    assert file.read_text() == "x"


def test_a_folder_takes_the_place_of_an_empty_one_only(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with atomic_folder(tmp_path / "out") as draft:
        (draft / "a.txt").write_text("a")
    assert names(tmp_path / "out") == ["a.txt"] and names(tmp_path) == ["out"]
    with pytest.raises(OSError), atomic_folder(tmp_path / "out") as draft:
        (draft / "b.txt").write_text("b")
    assert names(tmp_path / "out") == ["a.txt"] and names(tmp_path) == ["out"]


def test_text_is_added_to_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    for text in ("a\n", "ë\n"):
        append_durably(tmp_path / "a.csv", text)
    assert (tmp_path / "a.csv").read_bytes() == b"a\n\xc3\xab\n"
    (tmp_path / "a.csv").unlink()
    with pytest.raises(FileNotFoundError, match="a.csv"):
        append_durably(tmp_path / "a.csv", "c\n")
    assert names(tmp_path) == []


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    """The system names none where it refuses a write."""
    with pytest.raises(OSError) as error, atomic_file(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert error.value.filename == str(tmp_path / "a.txt")


def test_errors_of_the_disk_name_the_output(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(BadInput, match="out.csv: this cannot be written"),
        report_disk_errors(Path("out.csv")),
    ):
        write_atomically(tmp_path / "file" / "a.txt", "x")


def test_no_error_names_the_draft(tmp_path: Path) -> None:
    """Users know their file, and not the hidden one beside it."""
    with pytest.raises(OSError) as error, atomic_file(tmp_path / "a.txt") as draft:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), draft)
    assert error.value.filename == str(tmp_path / "a.txt") and ".part" not in str(error.value)
    with pytest.raises(FileNotFoundError) as missing, atomic_folder(tmp_path / "out") as folder:
        (folder / "nowhere" / "a.txt").write_bytes(b"x")
    assert missing.value.filename == str(tmp_path / "out")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EACCES, "Change its permissions"),
        (errno.EROFS, "Change its permissions"),
        (errno.ENAMETOOLONG, "Name another path"),
    ],
)
def test_advice_fits_the_reason(number: int, advice: str) -> None:
    reason = disk_error_reason(OSError(number, os.strerror(number)))
    assert disk_error_hint(reason).startswith(advice)
    assert disk_error_hint(disk_error_reason(OSError("short write"))).startswith("Make room")  # NumPy's


def test_long_lists_are_shortened() -> None:
    assert shortened_list(["a", "b"]) == "a, b"
    assert shortened_list(list("abcdef")) == "a, b, c, d, e, …"


def test_a_library_may_go_back_in_what_becomes_the_content_of_a_pipe(tmp_path: Path) -> None:
    """Writers of pictures and videos do; a pipe itself cannot."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    with atomic_file(pipe, ".bin") as draft, draft.open("wb") as handle:
        assert draft.suffix == ".bin"
        handle.write(b"????content")
        handle.seek(0)
        handle.write(b"full")
    reader.join()
    assert received == [b"fullcontent"] and pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_circle_of_links_is_an_error_of_the_system(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)
    with pytest.raises(OSError, match="symbolic links"):
        write_atomically(link, "text")
    assert link.is_symlink()


def test_names_that_are_not_utf_8_are_escaped(tmp_path: Path) -> None:
    write_atomically(tmp_path / "text", os.fsdecode(b"\xc4"))
    append_durably(tmp_path / "text", os.fsdecode(b"\xe3"))
    assert (tmp_path / "text").read_text(encoding="ascii") == r"\udcc4\udce3"
