"""Evaluate a network of your own under the protocol of `learnet`, next to a linear SVM.

The images are SYNTHETIC: optical flow from the movement model of `learnet`, each of another simulated person.
The scores say nothing about real expressions.

    python examples/own_network.py [PICTURE.png]
"""

import sys
import tempfile
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import nn

from learnet import NETWORKS, Resources, Study, Training, run_study
from learnet.datasets.synthetic.flow_images import simulate_flow
from learnet.metrics.significance import difference
from learnet.study.outcomes import read_outcomes

NAMES = ("two-layers", "linear-svm")


def two_layers(classes: int, size: int = 112, *, seed: int = 0) -> nn.Module:
    """Make a network: input (B, 3, size, size) in -1..1, output (B, classes) before softmax.

    The same seed must give the same weights, and the global generator stays untouched.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, 16, kernel_size=5, stride=2, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, stride=2, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, classes),
        )


def main(picture: Path) -> None:
    """Register the network, run both studies over the same folds, and plot both scores."""
    NETWORKS["two-layers"] = two_layers
    metrics = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        simulate_flow(work / "images", images=400)
        for name in NAMES:
            study = Study(network=name, protocol="groups", groups=4, classes="megc-3")
            # One process, because other processes do not know the network registered above.
            one_process = Resources(jobs=1)
            metrics[name] = run_study(work / "images", work / name, study, Training(epochs=20), one_process)
        predictions = [read_outcomes(work / name) for name in NAMES]
    gain = difference(*predictions, metrics["two-layers"].classes)
    print(f"{NAMES[0]} minus {NAMES[1]}: UF1 {gain.values['uf1']:.3f}, p {gain.p['uf1']:.3f}")

    figure = Figure(figsize=(6.5, 2.2), layout="constrained")
    axes = figure.subplots()
    for row, name in enumerate(NAMES):
        uf1 = metrics[name].mean["uf1"]
        print(f"{name}: UF1 {uf1.value:.3f} [{uf1.low:.2f}, {uf1.high:.2f}]")
        axes.plot([uf1.low, uf1.high], [row, row], color="0.55")
        axes.plot(uf1.value, row, "o", color="black")
    axes.set(xlabel="UF1 with 95 % interval over people", xlim=(0, 1.02), ylim=(-0.5, 1.5))
    axes.set_yticks(range(len(NAMES)), NAMES)
    axes.set_title("A network of your own on SYNTHETIC flow images", size=11)
    figure.savefig(picture, dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "own_network.png"))
