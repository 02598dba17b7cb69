"""Run a leave-one-subject-out study of three networks in Python and plot their UF1 with confidence intervals.

The clips are SYNTHETIC: `learnet` renders six people who do not exist, in the layout of the database MMEW.
The scores show that the pipeline works and say nothing about real expressions.

    python examples/study_in_python.py [PICTURE.png]
"""

import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

from learnet import Preparation, Study, Training, prepare, read_dataset, run_study
from learnet.datasets.synthetic.databases import synthesize
from learnet.metrics.study_metrics import MeanScore

NETWORKS = ("majority", "linear-svm", "ststnet")


def uf1_of(network: str, prepared: Path, out: Path) -> MeanScore:
    """Test a network on each person once, trained on all others; return UF1 and its 95 % interval."""
    study = Study(network=network, protocol="loso", classes="megc-3")
    metrics = run_study(prepared, out, study, Training(epochs=40))
    return metrics.mean["uf1"]


def main(picture: Path) -> None:
    """Make the database, prepare it, run one study per network, and plot."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        reading = read_dataset("mmew", synthesize(work / "mmew", "mmew", people=6))
        prepare(reading, work / "prepared", Preparation(motion="flow-dis", size=28))
        scores = {name: uf1_of(name, work / "prepared", work / name) for name in NETWORKS}

    figure = Figure(figsize=(6.5, 2.4), layout="constrained")
    axes = figure.subplots()
    for row, (name, uf1) in enumerate(scores.items()):
        print(f"{name}: UF1 {uf1.value:.3f} [{uf1.low:.2f}, {uf1.high:.2f}]")
        axes.plot([uf1.low, uf1.high], [row, row], color="0.55")
        axes.plot(uf1.value, row, "o", color="black")
    axes.set(xlabel="UF1 with 95 % interval over people", xlim=(0, 1.02), ylim=(-0.5, len(scores) - 0.5))
    axes.set_yticks(range(len(scores)), list(scores))
    axes.set_title("Leave-one-subject-out on SYNTHETIC clips", size=11)
    figure.savefig(picture, dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "study_in_python.png"))
