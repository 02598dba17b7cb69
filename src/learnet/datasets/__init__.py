"""Databases that can be read, by the name they have on the command line: `DATASETS["casme2"].read(root)`."""

from learnet.datasets.casme2 import CASME2
from learnet.datasets.dataset import Dataset
from learnet.datasets.folder import FOLDER

DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in (CASME2, FOLDER)}

__all__ = ["DATASETS", "Dataset"]
