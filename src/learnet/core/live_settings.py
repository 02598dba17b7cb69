"""Settings of live recognition."""

from dataclasses import dataclass

from learnet.core.settings import window_rule
from learnet.core.settings_checks import check_rules


@dataclass(frozen=True)
class LiveSettings:
    """How often a stream of frames is scored, and on which window."""

    every: int = 10
    """Frames from one prediction to the next."""

    window_s: float = 0.5
    """Length of a window in seconds; a micro-expression lasts at most half a second."""

    def __post_init__(self) -> None:
        check_rules(
            (self.every >= 1, f"every must be at least 1, not {self.every}"),
            window_rule(self.window_s),
        )
