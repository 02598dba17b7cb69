"""The note about action units of an explained clip, with a stand-in for their network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch import nn

from learnet.core.settings import Preparation
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset
from learnet.report.explain.clip_units import add_units
from learnet.report.explain.clips import ExplainedClip
from tests.builders.action_units import StandIn, stand_in
from tests.builders.explained import METADATA

FLOW = Preparation(motion="flow-dis", size=28).settled
NAMED = "AU 1 both sides, 0.90; AU 12 left side, 0.80; AU 2 both sides, 0.75"
SPEAK_FOR = "AU 1+2 speak for surprise, AU L12 speaks for happiness (criteria of CASME II)"


def images() -> np.ndarray:
    """Return two images: of the second, the strain is on the right half, the person's left."""
    pixels = np.full((2, 28, 28, 3), 127, np.uint8)
    pixels[1, :, 14:, 2] = 255
    return pixels


def note(
    kind: str = "flow", preparation: Preparation | None = FLOW, network: StandIn | None = None, **row: object
) -> str:
    """Return the notes that are added about the second clip of a prepared folder."""
    pixels = images()
    table = pd.DataFrame({"clip": ["a/1/x", "a/1/y"], "action_units": "", "still": ""})
    for name, value in row.items():
        table[name] = ["", value]
    record = PrepareRecord(
        imported=True,
        preparation=preparation,
        images_kind=kind,  # type: ignore[arg-type]
        inputs="",
        versions={},
        clips=2,
        people=1,
    )
    prepared = PreparedDataset(Path("prepared"), table, record, images=pixels)
    clip = ExplainedClip(nn.Identity(), METADATA, pixels[1], "a/1/y", "a/1", "surprise", None, ("first",))
    notes = add_units(clip, prepared, stand_in(network)).notes
    assert notes[0] == "first"
    return "; ".join(notes[1:])


def test_named_and_annotated_units_are_told() -> None:
    network = StandIn()
    assert note(network=network) == f"{NAMED}; {SPEAK_FOR}"
    np.testing.assert_allclose((network.batches[0][0] + 1) * 127.5, images()[1].transpose(2, 0, 1), atol=1e-3)
    assert note(action_units="1+2") == f"{NAMED}; {SPEAK_FOR}; annotated action units: 1+2"
    nothing = StandIn(dict.fromkeys((1, 2, 4, 12, 17), 0.1))
    assert note(network=nothing) == "no action unit is named"


def test_imported_flow_is_accepted_and_other_images_are_not() -> None:
    assert note(preparation=None).startswith(NAMED)
    assert note(kind="image", preparation=None) == ""
    assert note(kind="image", preparation=None, action_units="4") == "annotated action units: 4"
    assert note(preparation=replace(FLOW, normalise="signed")) == ""


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"still": "nothing moves"}, "nothing moves"),
        (
            {"obstacle": "the head turns, which looks like an expression"},
            "the head turns, which looks like an expression, so action units are not to be trusted",
        ),
        (
            {"head_px": 0.6},
            "the head moves by 2.4 pixels of a face 112 pixels wide, so action units are not to be trusted",
        ),
        ({"head_px": 0.2}, f"{NAMED}; {SPEAK_FOR}"),
        ({"head_px": np.nan}, f"{NAMED}; {SPEAK_FOR}"),
    ],
)
def test_units_that_are_not_to_be_trusted_are_not_told(row: dict[str, object], told: str) -> None:
    assert note(**row) == told


def test_without_the_network_only_annotated_units_are_told() -> None:
    table = pd.DataFrame({"clip": ["a/1/y"], "action_units": ["4+7"]})
    clip = ExplainedClip(nn.Identity(), METADATA, images()[1], "a/1/y", "a/1", "surprise", None, ())
    record = PrepareRecord(
        imported=True, preparation=None, images_kind="flow", inputs="", versions={}, clips=1, people=1
    )
    prepared = PreparedDataset(Path("prepared"), table, record, images=images()[1:])
    assert add_units(clip, prepared, None).notes == ("annotated action units: 4+7",)


def test_many_units_are_told_in_short() -> None:
    network = StandIn(dict.fromkeys((1, 2, 4, 12, 17), 0.9))
    assert note(network=network).startswith(
        "AU 1 0.90, 2 0.90, 4 0.90, L12 0.90, 17 0.90; AU 1+2+4 speak for"
    )
