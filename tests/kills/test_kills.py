"""Each command is killed 20 times (slow ones 10 times), at moments that its seed fixes, and run again.

`python -m tests.kills 50` kills each 50 times and prints the table.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kills.harness import Harness, tree
from tests.kills.targets import TARGETS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    harness = Harness(tmp_path_factory.mktemp("kills"))
    yield harness
    harness.close()


@pytest.mark.parametrize("name", TARGETS)
def test_a_killed_command_goes_on_and_ends_with_the_same_bytes(harness: Harness, name: str) -> None:
    kills = TARGETS[name].kills
    result = harness.kill(name, kills)
    assert not result.failures, "\n".join(result.failures)
    assert result.kills >= kills // 2  # the others ended before their moment, on a machine at rest


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "spotter, a folder"])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(harness: Harness, name: str) -> None:
    failures = harness.fill(name, (100, 1000, 3000, 10_000))
    assert not failures, "\n".join(failures)


def test_the_comparison_sees_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / ".hidden.part").write_text("half")
    (tmp_path / "run.json").write_text("the clock")
    assert tree(tmp_path) == {"empty/": b"", ".hidden.part": b"half"}
    assert tree(tmp_path, [".hidden.part"]) == {"empty/": b"", ".hidden.part": b""}
