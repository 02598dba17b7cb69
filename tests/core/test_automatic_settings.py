"""Automatic values of `detrend` and `clipping_percentile`, by a table worked by hand."""

import pytest

from learnet.core.automatic_settings import resolve_detrend
from learnet.core.errors import LearnetError
from learnet.core.serialisation import decode_record
from learnet.core.settings import Training

FLOW_TABLE = [
    # detrend, clipping_percentile -> detrend, clipping_percentile, what `motion.detrend` is given
    (None, None, True, 98, 98),
    (None, 98, True, 98, 98),
    (None, 90, True, 90, 90),
    (None, 100, True, 100, 100),
    (True, None, True, 98, 98),
    (True, 90, True, 90, 90),
    (True, 100, True, 100, 100),
    (False, None, False, 100, 0),
    (False, 100, False, 100, 0),
]
OTHER_TABLE = [
    (None, None, False, 100, 0),
    (None, 100, False, 100, 0),
    (False, None, False, 100, 0),
    (False, 100, False, 100, 0),
]
CASES = [("flow", *row) for row in FLOW_TABLE]
CASES += [(kind, *row) for kind in ("image", "histograms", "unknown") for row in OTHER_TABLE]


@pytest.mark.parametrize(("kind", "detrend", "clipping", "detrended", "clipped", "given"), CASES)
def test_values_follow_from_the_kind_of_the_images(
    kind: str, detrend: bool | None, clipping: int | None, detrended: bool, clipped: int, given: int
) -> None:
    resolved = resolve_detrend(Training(epochs=7, detrend=detrend, clipping_percentile=clipping), kind)
    assert resolved == Training(epochs=7, detrend=detrended, clipping_percentile=clipped)
    assert resolved.detrend is detrended and resolved.detrend_percentile == given
    assert resolve_detrend(resolved, kind) == resolved


def test_varied_clipping_needs_no_other_setting_for_flow() -> None:
    expected = Training(detrend=True, clipping_percentile=98, vary_clipping=90)
    assert resolve_detrend(Training(vary_clipping=90), "flow") == expected


@pytest.mark.parametrize("kind", ["image", "histograms", "unknown"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("detrend", {"detrend": True}),
        ("detrend", {"detrend": True, "clipping_percentile": 90}),
        ("clipping_percentile", {"clipping_percentile": 90}),
        ("vary_clipping", {"vary_clipping": 90}),
    ],
)
def test_other_images_are_neither_detrended_nor_clipped(kind: str, name: str, settings: dict) -> None:
    expected = f"{name} is for flow images, and these are none. Leave it out."
    if kind == "unknown":
        expected = (
            f"{name} is for flow images, and these are of unknown kind. "
            "Leave it out, or import flow images with --kind flow."
        )
    with pytest.raises(LearnetError, match=f"^{expected}$"):
        resolve_detrend(Training(**settings), kind)


@pytest.mark.parametrize("settings", [{}, {"detrend": True}, {"clipping_percentile": 90}])
def test_an_automatic_value_is_taken_for_no_other(settings: dict) -> None:
    with pytest.raises(LearnetError, match="the kind of the images is not known here. Set both"):
        assert Training(**settings).detrend_percentile


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, (False, 100)),
        ({"detrend": True}, (True, 100)),
        ({"level": True, "stretch": 98}, (True, 98)),
        ({"detrend": False, "clipping_percentile": 100}, (False, 100)),
    ],
)
def test_a_record_without_the_settings_was_written_when_both_were_off(
    content: dict, expected: tuple[bool, int]
) -> None:
    detrend, clipping = expected
    assert decode_record(content, Training, "f") == Training(detrend=detrend, clipping_percentile=clipping)
