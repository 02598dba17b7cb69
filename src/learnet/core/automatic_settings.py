"""Values of settings of training that are automatic until the kind of the images is known."""

from dataclasses import replace

from learnet.core.errors import LearnetError
from learnet.core.settings import Training

FLOW_CLIPPING = 98  # percentile; on 309 real images better than no clipping (docs/results-flow.md)
NO_CLIPPING = 100  # percentile


def resolve_detrend(training: Training, images_kind: str) -> Training:
    """Replace automatic values of `detrend` and `clipping_percentile` by those for these images.

    Flow images are detrended and then clipped at `FLOW_CLIPPING`; all other images stay as they are.

    Args:
        training: settings; values that are not None stay.
        images_kind: "image", "flow", "histograms" or "unknown", as in the record of a prepared folder.

    Raises:
        LearnetError: detrending or clipping of images that are no flow.
    """
    if images_kind != "flow":
        _refuse_detrend(training, images_kind)
    detrend = images_kind == "flow" if training.detrend is None else training.detrend
    percentile = training.clipping_percentile
    if percentile is None:
        percentile = FLOW_CLIPPING if detrend else NO_CLIPPING
    return replace(training, detrend=detrend, clipping_percentile=percentile)


def _refuse_detrend(training: Training, images_kind: str) -> None:
    """Raise an error if settings ask for detrending, or for clipping, which follows it."""
    requests = {
        "detrend": bool(training.detrend),
        "clipping_percentile": training.clipping_percentile not in (None, NO_CLIPPING),
        "vary_clipping": training.vary_clipping != 0,
    }
    for name, requested in requests.items():
        if requested:
            known, hint = "none", "Leave it out."
            if images_kind == "unknown":
                known, hint = "of unknown kind", "Leave it out, or import flow images with --kind flow."
            raise LearnetError(f"{name} is for flow images, and these are {known}.", hint)
