"""Sentences on the scores of a study: against chance, and further measures."""

from learnet.metrics.chance import ChanceTest
from learnet.metrics.probabilities import OtherMeasures
from learnet.metrics.study_metrics import StudyMetrics


def study_remarks(name: str, summary: StudyMetrics) -> list[str]:
    """Return what is to be said of a study beside its table, each sentence with its name."""
    remarks = []
    if summary.chance:
        remarks.append(f"{name} {chance_text(summary.chance)}")
    if summary.other:
        remarks.append(f"{name}: {other_text(summary.other)}")
    return remarks


def chance_text(test: ChanceTest) -> str:
    """Return the test of UF1 against chance as the rest of a sentence."""
    if not test.people:
        return "against chance: nothing to permute, because nobody has clips of two classes."
    uf1 = test.measures["uf1"]
    p = f"{uf1.p:.2g}" if uf1.p >= 0.001 else "<0.001"
    return (
        f"against chance (true classes permuted within people): "
        f"UF1 {uf1.mean:.3f} on average, 95 % below {uf1.high:.3f}; p {p}."
    )


def other_text(other: OtherMeasures) -> str:
    """Return further measures as a list."""
    parts = [f"MCC {other.mcc:.3f}"]
    if other.log_loss is not None and other.brier is not None:
        parts += [f"log loss {other.log_loss:.3f}", f"Brier score {other.brier:.3f}"]
    if other.auc is not None:
        parts.append(f"macro AUC {other.auc:.3f}")
    return f"{', '.join(parts)}."
