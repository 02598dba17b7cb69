"""Outcomes of single clips, for tests of metrics."""

from learnet.core.records import Outcome

CLASSES = ("negative", "positive", "surprise")


def outcome(
    clip: str, truth: str, prediction: str, seed: int = 0, scores: tuple[float, ...] = (0.5, 0.3, 0.2)
) -> Outcome:
    """Return the outcome of a clip that is named dataset/subject/clip."""
    dataset = clip.split("/")[0]
    person = clip.rsplit("/", 1)[0]
    return Outcome("s", "f", seed, clip, dataset, person, truth, prediction, scores)


def scored_outcome(person: int, number: int, correct: bool, score: float, seed: int = 0) -> Outcome:
    """Return a prediction `positive` with this score; if it is not correct, the true class is another one."""
    rest = (1 - score) / 2
    truth = "positive" if correct else "surprise"
    return outcome(f"d/{person}/{number}", truth, "positive", seed, (rest, score, rest))
