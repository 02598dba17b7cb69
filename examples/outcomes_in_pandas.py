"""Read the predictions of a study with pandas: accuracy per person, most confident errors, confusion matrix.

The images are SYNTHETIC: optical flow from the movement model of `learnet`. The numbers say nothing about
real expressions.

    python examples/outcomes_in_pandas.py [PICTURE.png]
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from learnet import Study, Training, run_study
from learnet.datasets.synthetic.flow_images import simulate_flow


def draw_confusion(confusion: pd.DataFrame, picture: Path) -> None:
    """Draw a confusion matrix: one row per true class, one column per predicted class."""
    figure = Figure(figsize=(4.6, 3.9), layout="constrained")
    axes = figure.subplots()
    axes.imshow(confusion, cmap="Blues", vmin=0)
    half = confusion.to_numpy().max() / 2
    for row, counts in enumerate(confusion.to_numpy()):
        for column, count in enumerate(counts):
            colour = "white" if count > half else "black"
            axes.text(column, row, count, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(confusion)), confusion.columns)
    axes.set_yticks(range(len(confusion)), confusion.index)
    axes.set(xlabel="prediction", ylabel="truth")
    axes.set_title("Confusion matrix, SYNTHETIC images", size=11)
    figure.savefig(picture, dpi=100)


def main(picture: Path) -> None:
    """Run a small study, read outcomes.csv, print three tables, and draw the confusion matrix."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        simulate_flow(work / "images", images=160, estimator="measured")  # eight images per person
        study = Study(network="linear-svm", classes="megc-3")
        metrics = run_study(work / "images", work / "study", study, Training())
        outcomes = pd.read_csv(work / "study" / "outcomes.csv")

    outcomes["correct"] = outcomes["truth"] == outcomes["prediction"]
    print(outcomes.groupby("person")["correct"].agg(["mean", "count"]).sort_values("mean").head())

    classes = metrics.classes
    outcomes["score"] = outcomes[classes].max(axis="columns")  # the score of the predicted class
    errors = outcomes[~outcomes["correct"]].sort_values("score", ascending=False)
    print(errors[["clip", "truth", "prediction", "score"]].head())

    confusion = pd.crosstab(outcomes["truth"], outcomes["prediction"])
    confusion = confusion.reindex(index=classes, columns=classes, fill_value=0)
    print(confusion)
    draw_confusion(confusion, picture)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "outcomes_in_pandas.png"))
