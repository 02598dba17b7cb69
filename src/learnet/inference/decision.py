"""The label of a window: a class of the network, `none`, `uncertain`, or no label at all."""

from collections.abc import Mapping
from dataclasses import dataclass

from learnet.motion.evidence import MotionEvidence

NO_EXPRESSION = "none"
"""Label where nothing is expressed: the skin does not move, or the network has this class and predicts it."""

UNCERTAIN = "uncertain"
"""Label where the two highest scores are closer than UNCERTAIN_MARGIN, or the head moves too far."""

UNCERTAIN_MARGIN = 0.1
"""Smallest difference of the two highest scores at which the higher one becomes the label.

Storing the same film by another codec, or as images, changes the difference by this much
(`benchmarks/uncertain_margin.py`, simulated films; docs/pretrained.md).
"""


@dataclass(frozen=True)
class Decision:
    """The label of a window and why it is not simply the class with the highest score."""

    label: str | None  # a class, NO_EXPRESSION or UNCERTAIN; None: the window cannot be judged
    reason: str = ""  # empty where the label is the class with the highest score


def judge_motion(evidence: MotionEvidence) -> Decision | None:
    """Return the decision that needs no network: nothing moves, or the movement cannot be judged.

    Returns:
        None where the skin moves, so that a network has to decide.
    """
    if evidence.obstacle:
        return Decision(None, evidence.obstacle)
    if evidence.why_none:
        return Decision(NO_EXPRESSION, evidence.why_none)
    return None


def judge_scores(
    scores: Mapping[str, float], margin: float = UNCERTAIN_MARGIN, obstacle: str = ""
) -> Decision:
    """Return the class with the highest score, or UNCERTAIN where it may as well be another one.

    Args:
        scores: probability of each class.
        margin: smallest difference of the two highest scores.
        obstacle: why the scores are not to be trusted; empty if they are.
    """
    if obstacle:
        return Decision(UNCERTAIN, obstacle)
    ranked = sorted(scores, key=lambda name: scores[name], reverse=True)
    best = ranked[0]
    if len(ranked) == 1:
        return Decision(best)
    second = ranked[1]
    if scores[best] - scores[second] >= margin:
        return Decision(best)
    reason = (
        f"{best} {scores[best]:.2f} and {second} {scores[second]:.2f} differ by less than {margin:g}, "
        "which video compression alone can change"
    )
    return Decision(UNCERTAIN, reason)
