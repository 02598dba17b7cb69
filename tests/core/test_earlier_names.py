"""Names of earlier versions: accepted in files and on the command line, with a note, and never mixed up with
names of today."""

from dataclasses import fields

import pytest

from learnet.cli.app import app
from learnet.core import settings
from learnet.core.earlier_names import (
    EARLIER_COMMANDS,
    EARLIER_KEYS,
    current_arguments,
    earlier_options,
)
from learnet.core.errors import BadInput
from learnet.core.serialisation import decode_record
from learnet.core.settings import Preparation, Resources, Study, Training
from tests.builders.commands import learnet

EARLIER_TRAINING = {
    "batch": 8,
    "level": True,
    "stretch": 98,
    "vary_stretch": 90,
    "mix": 0.4,
    "from_": "pretrained",
    "keep_start": 0.3,
}


def test_every_earlier_key_is_read_as_the_field_of_today() -> None:
    """Written out by hand, so that a wrong pair in the table is seen."""
    assert decode_record(EARLIER_TRAINING, Training, "f") == Training(
        batch_size=8,
        detrend=True,
        clipping_percentile=98,
        vary_clipping=90,
        mixup=0.4,
        init="pretrained",
        interpolate_init=0.3,
    )
    earlier = {"motion": "flow-dis", "steady": True, "still_flow": True}
    today = Preparation("flow-dis", stabilise=True, remove_global_motion=True)
    assert decode_record(earlier, Preparation, "f") == today
    assert decode_record({"learn_from": 3}, Study, "f") == Study(train_people=3)
    assert decode_record({"at_once": 2}, Resources, "f") == Resources(parallel_folds=2)


def test_an_earlier_key_beside_the_key_of_today_is_refused() -> None:
    with pytest.raises(BadInput, match=r"`\$.mixup`.*earlier name|`\$.mix`.*earlier name"):
        decode_record({"mix": 0.4, "mixup": 0.2}, Training, "f")


def test_no_earlier_key_is_a_field_of_its_record() -> None:
    for record, keys in EARLIER_KEYS.items():
        names = {one.name for one in fields(getattr(settings, record))}
        assert not names & set(keys) and set(keys.values()) <= names


def test_no_option_of_a_command_is_taken_for_an_earlier_name() -> None:
    """The option names of every command, as cyclopts has them."""
    options = set()
    commands = [app]
    while commands:
        command = commands.pop()
        commands += [command[name] for name in command if not name.startswith("-")]
        if command.default_command:
            for argument in command.assemble_argument_collection(parse_docstring=False):
                options.update(argument.names)
    assert "--detrend" in options and "--selection" in options
    assert not options & set(earlier_options())
    current = {name for name in earlier_options().values() if not name.startswith("--no-")}
    assert current <= options


@pytest.mark.parametrize(
    ("earlier", "today"),
    [
        (["study", "--level", "--stretch", "98"], ["study", "--detrend", "--clipping-percentile", "98"]),
        (["study", "--no-level"], ["study", "--no-detrend"]),
        (["study", "--from=w", "--keep-start=0.3"], ["study", "--init=w", "--interpolate-init=0.3"]),
        (["study", "--choice", "d"], ["study", "--selection", "d"]),
        (["prepare", "--steady", "--still-flow"], ["prepare", "--stabilise", "--remove-global-motion"]),
        (["choose", "a", "b"], ["select", "a", "b"]),
        (["explain", "when", "v"], ["explain", "temporal", "v"]),
        (["study", "--", "--level"], ["study", "--", "--level"]),
        (["explain", "clip", "when"], ["explain", "clip", "when"]),
        (["study", "level", "mix"], ["study", "level", "mix"]),
    ],
)
def test_arguments_of_earlier_versions_are_translated(earlier: list[str], today: list[str]) -> None:
    translated, notes = current_arguments(earlier)
    assert translated == today
    changed = sum(before != now for before, now in zip(earlier, today, strict=True))
    assert len(notes) == changed


def test_the_command_line_accepts_an_earlier_option_and_says_what_it_is_now() -> None:
    done = learnet("study", "missing-folder", "out", "--mix", "0.4", code=2)
    assert "`--mix` is now called `--mixup`" in done.stderr and "missing-folder" in done.stderr
    assert "--mixup" in learnet("choose", "--help").stdout


def test_help_lists_no_earlier_name() -> None:
    shown = learnet("study", "--help").stdout + learnet("prepare", "--help").stdout + learnet("--help").stdout
    words = {word.strip("│ ,.") for word in shown.split()}
    assert not words & set(earlier_options())
    assert not words & {command[-1] for command in EARLIER_COMMANDS}
    assert {"--detrend", "--stabilise", "select"} <= words
