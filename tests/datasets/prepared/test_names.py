"""Names that are not UTF-8 in a prepared folder: the names of an archive from another part of the world."""

import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnet.core.printable import stored_path
from learnet.core.records import Clip, Finding
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset, load_prepared, read_findings, save_prepared

GBK = os.fsdecode("你".encode("gbk"))  # two bytes that are no character of UTF-8
WRITTEN = r"\udcc4\udce3"


@pytest.fixture
def prepared(tmp_path: Path) -> PreparedDataset:
    clip = Clip(tmp_path / GBK / "a.mp4", "folder", GBK, f"{GBK}-1", "happiness", 0, 1, 2, 60.0)
    row = asdict(clip) | {"image": 0, "clip": clip.key, "person": clip.person, "frames": 3}
    images = np.zeros((1, 28, 28, 3), np.uint8)
    record = PrepareRecord(preparation=None, images_kind="image", reading={"labels": GBK})
    finding = Finding("warning", GBK, f"{GBK} is dark")
    return save_prepared(tmp_path / GBK / "out", images, pd.DataFrame([row]), record, [finding])


def test_they_are_written_as_utf_8_and_read_back(prepared: PreparedDataset) -> None:
    for name in ("clips.csv", "audit.csv", "prepare.json"):
        assert WRITTEN in (prepared.folder / name).read_bytes().decode("utf-8")
    again = load_prepared(prepared.folder)
    assert again.record.fingerprint == prepared.record.fingerprint
    assert again.clips.loc[0, "clip"] == f"folder/{WRITTEN}/{WRITTEN}-1"
    assert again.record.reading == {"labels": GBK}
    assert read_findings(prepared.folder) == [Finding("warning", WRITTEN, f"{WRITTEN} is dark")]


def test_the_clip_is_found_by_its_path(prepared: PreparedDataset, tmp_path: Path) -> None:
    assert stored_path(prepared.clips.loc[0, "path"]) == tmp_path / GBK / "a.mp4"
