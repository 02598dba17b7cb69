"""What a video shows beside what was found in it, where the truth is known."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from learnet.core.labels import SCHEMES
from learnet.datasets.synthetic.films import SyntheticFilm
from learnet.inference.timeline import Span
from learnet.simulation.film import BLINK, REST

ELSEWHERE = "rest"
NOTHING = "none"


@dataclass(frozen=True)
class ShownAndFound:
    """A movement that a video shows, or that it does not show, and what was found at that time."""

    shown: str  # class of an expression, another movement, or ELSEWHERE
    detail: str  # more about it, such as action units
    start_s: float
    end_s: float
    found: tuple[Span, ...]  # events that overlap in time
    unjudged: str  # reason why a part of it could not be judged; empty if all was
    right: bool

    @property
    def answer(self) -> str:
        """What was found, in words."""
        if self.found:
            return "; ".join(_words(event) for event in self.found)
        return f"not judged: {self.unjudged}" if self.unjudged else NOTHING


def film_truth(film: SyntheticFilm) -> list[Span]:
    """Return the movements in a synthetic film: the class of expressions in MEGC2019, the name of others."""
    classes = SCHEMES["megc-3"].of
    spans = []
    for part in film.parts:
        if part.kind == REST:
            continue
        text = part.kind
        detail = ""
        if part.emotion:
            text = classes[part.emotion]
            detail = f"{part.emotion}, action units {part.action_units}"
        spans.append(Span(film.seconds(part.onset), film.seconds(part.offset), text, detail=detail))
    return spans


def compare_with_truth(
    truth: Sequence[Span], events: Sequence[Span], unjudged: Sequence[Span], classes: Collection[str]
) -> list[ShownAndFound]:
    """Compare the movements in a video with the events found.

    An expression is right if exactly one event that is no blink overlaps with it in time and names its class.
    Any other movement is right if no event overlaps but those that have its name, and rest if none does.

    Args:
        truth: all movements, in time order. The text is the class of an expression, or the name of another
            movement, such as "blink".
        events: found movements; the text is the class, or "blink".
        unjudged: periods that could not be judged.
        classes: names of the expressions.

    Returns:
        A row for each movement, and one for each event at a time when nothing moved; in time order.
    """
    rows = []
    for shown in truth:
        found = tuple(event for event in events if _overlap(shown, event))
        reasons = [period.text for period in unjudged if _overlap(shown, period)]
        right = all(event.text == shown.text for event in found)
        if shown.text in classes:
            right = [event.text for event in found if event.text != BLINK] == [shown.text]
        reason = reasons[0] if reasons else ""
        rows.append(ShownAndFound(shown.text, shown.detail, shown.start_s, shown.end_s, found, reason, right))
    for event in events:
        if not any(_overlap(shown, event) for shown in truth):
            rows.append(ShownAndFound(ELSEWHERE, "", event.start_s, event.end_s, (event,), "", False))
    return sorted(rows, key=lambda row: row.start_s)


def _overlap(a: Span, b: Span) -> bool:
    return a.start_s < b.end_s and b.start_s < a.end_s


def _words(event: Span) -> str:
    score = "" if event.score is None else f" {event.score:.2f}"
    units = f", AU {event.units}" if event.units else ""
    return f"{event.text}{score}{units}"
