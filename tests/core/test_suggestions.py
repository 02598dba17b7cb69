"""What is suggested for a name that is not known: what was meant, and not what is spelt a little like it."""

from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from learnet.cli.app import app
from learnet.core import settings
from learnet.core.labels import SCHEMES
from learnet.core.suggestions import OTHER_NAMES, suggestion
from learnet.datasets import DATASETS
from learnet.motion import MOTION_IMAGES
from learnet.networks import NETWORKS
from learnet.study.experiments.recipe import Recipe
from tests.builders.commands import learnet


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("casmeii", DATASETS, "casme2"),
        ("CASME II", DATASETS, "casme2"),
        ("casme-2", DATASETS, "casme2"),
        ("CAS(ME)^2", DATASETS, "casme-sq"),
        ("CAS(ME)²", DATASETS, "casme-sq"),
        ("casme^2", DATASETS, "casme-sq"),
        ("cas(me)3", DATASETS, "casme3"),
        ("SAMM", DATASETS, "samm"),
        ("svm", NETWORKS, "linear-svm"),
        ("ResNet", NETWORKS, "resnet18"),
        ("resnet-50", NETWORKS, "resnet50"),
        ("STSTNet", NETWORKS, "ststnet"),
        ("optical_flow", MOTION_IMAGES, "flow-tvl1"),
        ("gpu", ["auto", "cpu", "cuda"], "cuda"),
        ("--lr", ["--cluster", "--learning-rate"], "--learning-rate"),
        ("lr", ["cluster", "learning_rate"], "learning_rate"),
        ("--bs", ["--jobs", "--batch-size"], "--batch-size"),
        ("--model", ["--network", "--epochs"], "--network"),
        ("--model", ["--weights", "--classes"], "--weights"),
        ("LOSO", ["loso", "groups"], "loso"),
        ("learnt", NETWORKS, "learnet"),
        ("svn", ["svm", "majority"], "svm"),
        ("samn", DATASETS, "samm"),
        ("js", ["jobs"], ""),
        ("tre", ["tree", "part"], "tree"),
        ("xyz", NETWORKS, ""),
        ("", NETWORKS, ""),
        ("do", ["lodo", "loso"], ""),
    ],
)
def test_what_was_meant(name: str, known: Any, meant: str) -> None:
    assert suggestion(name, known) == meant


def every_name() -> set[str]:
    """All names that learnet takes: commands, options, choices, databases, networks, schemes."""
    names = {*DATASETS, *NETWORKS, *MOTION_IMAGES, *SCHEMES, *Recipe.__dataclass_fields__}
    commands = [app]
    while commands:
        command = commands.pop()
        commands += [command[name] for name in command if not name.startswith("-")]
        names.update(name for name in command if not name.startswith("-"))
        if command.default_command:
            for argument in command.assemble_argument_collection(parse_docstring=False):
                names.update(option.lstrip("-") for option in argument.names)
    for record in vars(settings).values():
        if isinstance(record, type) and record.__module__ == settings.__name__:
            for hint in get_type_hints(record).values():
                if get_origin(hint) is not None:
                    names.update(map(str, get_args(hint)))
    return names


def test_whatever_is_suggested_exists() -> None:
    assert OTHER_NAMES.keys() <= every_name(), OTHER_NAMES.keys() - every_name()


def test_no_name_of_its_own_is_taken_for_another() -> None:
    """A known name is its own suggestion, whatever it means elsewhere."""
    for table in (DATASETS, NETWORKS, MOTION_IMAGES, SCHEMES):
        for name in table:
            assert suggestion(name.upper(), table) == name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prepare", "casmeii", "x", "y"), "Did you mean 'casme2'?"),
        (("study", "x", "y", "--lr", "1"), "There is no option --lr. Did you mean --learning-rate?"),
        (("study", "x", "y", "--lr=1"), "There is no option --lr. Did you mean --learning-rate?"),
        (("study", "x", "y", "--device", "gpu"), "--device cannot be 'gpu': it should be auto, cpu or cuda."),
        (("study", "x", "y", "--device", "gpu"), "Did you mean cuda?"),
        (("study", "x", "y", "--jobs", "many"), "--jobs cannot be 'many': it should be a whole number."),
        (("study", "x", "y", "--parallel-folds", "two"), "it should be a whole number or auto."),
        (("simulate", "x", "--size", "28.5"), "--size cannot be '28.5': it should be a whole number."),
        (("webcam",), "There is no command called 'webcam'. Did you mean live?"),
    ],
)
def test_the_command_line_says_it_in_plain_words(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    line = learnet(*words, code=2).stderr
    assert said in line and line.count("\n") == 1
    assert not any(notation in line for notation in ("int|", "Literal", "<class", "Optional"))


def test_help_shows_values_as_they_are_typed() -> None:
    said = learnet("simulate", "--help").stdout
    assert "('negative'" not in said and "--empty" not in said
    assert "[default:negativepositivesurprise]" in "".join(said.replace("│", "").split())
    assert "()" not in learnet("study", "--help").stdout
