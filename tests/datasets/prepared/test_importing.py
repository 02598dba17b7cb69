"""Imported images: a real folder against matplotlib's reader, and every way in which a label file can be
wrong."""

import hashlib
from pathlib import Path

import cv2
import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import BadInput, LearnetError, OutputTaken, UnknownName
from learnet.core.labels import UnknownLabel
from learnet.datasets.prepared.importing import import_images
from learnet.datasets.prepared.store import load_prepared, read_findings, read_text_table


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Four images of 40 pixels and their labels."""
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png", "c.bmp", "d.png"):
        cv2.imwrite(str(tmp_path / "images" / name), rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    return tmp_path


GOOD = "image,subject,emotion\na.png,01,Happy\nb.png,01,surprise\nc.bmp,02,ne\nd.png,03,others\n"


def labelled(folder: Path, text: str = GOOD, encoding: str = "utf-8") -> tuple[Path, Path, Path]:
    (folder / "labels.csv").write_text(text, encoding=encoding)
    return folder / "images", folder / "labels.csv", folder / "out"


def test_real_flow_images(shared: Path, tmp_path: Path) -> None:
    """309 optical-flow images of MEGC2019: pixels as matplotlib reads them, people and emotions as the CSV
    has them."""
    flow = shared / "real" / "megc2019_flow"
    labels = flow / "labels.csv"
    prepared = import_images(flow / "images", labels, tmp_path / "out", kind="flow")
    expected = pd.read_csv(labels, dtype=str)
    assert prepared.images.shape == (309, 28, 28, 3) and prepared.clips["person"].nunique() == 40
    assert prepared.clips["emotion"].tolist() == expected["emotion"].tolist()
    assert (
        prepared.clips["clip"].tolist()
        == (expected["dataset"] + "/" + expected["subject"] + "/" + expected["clip"]).tolist()
    )
    for place in range(0, 309, 20):
        pixels = matplotlib.image.imread(flow / "images" / expected["image"][place])[..., :3]
        assert (prepared.images[place] == np.rint(pixels * 255)).all()
    assert (
        prepared.record.imported
        and prepared.record.preparation is None
        and prepared.record.images_kind == "flow"
    )
    larger = import_images(flow / "images", labels, tmp_path / "larger", size=112, kind="flow")
    assert larger.images.shape == (309, 112, 112, 3)
    small = cv2.resize(larger.images[7], (28, 28), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small - prepared.images[7]).mean() < 6  # the same picture


def test_names_emotions_and_defaults(folder: Path) -> None:
    prepared = import_images(*labelled(folder))
    assert prepared.clips["clip"].tolist() == [
        "imported/01/a",
        "imported/01/b",
        "imported/02/c",
        "imported/03/d",
    ]
    assert prepared.clips["emotion"].tolist() == ["happiness", "surprise", "negative", "others"]
    assert prepared.clips["onset"].isna().all() and prepared.record.images_kind == "unknown"
    assert (prepared.images[2] == cv2.imread(str(folder / "images" / "c.bmp"))[..., ::-1]).all()
    assert sorted(path.name for path in folder.iterdir()) == ["images", "labels.csv", "out"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_spreadsheets_write_it_in_many_ways(folder: Path, encoding: str) -> None:
    rows = ("01; happy ;a.png;casme2;EP01", "01;sad;b.png;smic;EP01", "01;fear;d.png;;")
    text = " Subject ; EMOTION;Image;dataset;clip\r\n" + "".join(f"{row}\r\n" for row in rows)
    prepared = import_images(*labelled(folder, text, encoding))
    assert prepared.clips["clip"].tolist() == ["casme2/01/EP01", "smic/01/EP01", "imported/01/d"]
    assert prepared.clips["person"].nunique() == 3  # 01 of one dataset is not 01 of another


def test_a_comma_at_the_end_of_every_row_moves_no_column(folder: Path) -> None:
    text = "image,subject,emotion\na.png,01,happy,\nb.png,02,sad,\n"
    assert import_images(*labelled(folder, text)).clips["subject"].tolist() == ["01", "02"]


def test_resizing_enlarges_bicubic_and_shrinks_by_area(folder: Path) -> None:
    images, labels, out = labelled(folder)
    shrunk = import_images(images, labels, out, size=28)
    original = cv2.imread(str(images / "a.png"))[..., ::-1].astype(float)
    weights = np.zeros((28, 40))  # shares of 40 pixels in 28, counted by hand
    for row in range(28):
        for column in range(40):
            weights[row, column] = (
                max(0, min(column + 1, (row + 1) * 40 / 28) - max(column, row * 40 / 28)) * 28 / 40
            )
    expected = np.einsum("ya,xb,abc->yxc", weights, weights, original)
    assert np.abs(shrunk.images[0] - expected).max() <= 1
    enlarged = import_images(images, labels, folder / "large", size=80)
    assert np.abs(enlarged.images[0].astype(float).mean((0, 1)) - original.mean((0, 1))).max() < 2
    assert (
        enlarged.images[0].std() > cv2.resize(original, (80, 80), interpolation=cv2.INTER_LINEAR).std()
    )  # bicubic keeps more contrast


def test_sizes_that_differ_need_a_size(folder: Path) -> None:
    images, labels, out = labelled(folder)
    cv2.imwrite(str(images / "b.png"), np.zeros((30, 40, 3), np.uint8))
    with pytest.raises(BadInput, match=r"3 of 40x40, 1 of 40x30.*--size"):
        import_images(images, labels, out)
    assert not out.exists()
    assert import_images(images, labels, out, size=56).images.shape == (4, 56, 56, 3)
    for name in ("a.png", "b.png", "c.bmp", "d.png"):
        cv2.imwrite(str(images / name), np.zeros((30, 40, 3), np.uint8))
    with pytest.raises(BadInput, match=r"not square and of one size \(4 of 40x30\)"):
        import_images(images, labels, folder / "oblong")


def test_action_units_are_kept_as_written(folder: Path) -> None:
    """Beside emotions, and in their place; a code may be empty where nobody annotated the clip."""
    text = (
        "image,subject,emotion,Action Units\na.png,01,happy,4+7+L10\nb.png,02,sad,\nc.bmp,02,sad,R6 or R12\n"
    )
    both = import_images(*labelled(folder, text))
    assert both.clips["action_units"].tolist() == ["4+7+L10", "", "R6 or R12"]
    assert both.clips["emotion"].tolist() == ["happiness", "sadness", "sadness"]
    images, labels, _ = labelled(folder, 'image,subject,action_units\na.png,01,"R2A,5"\nb.png,02,\n')
    alone = import_images(images, labels, folder / "alone")
    assert alone.clips["action_units"].tolist() == ["R2A,5", ""] and set(alone.clips["emotion"]) == {""}
    assert import_images(images, labels, folder / "alone").reused
    labelled(folder, 'image,subject,action_units\na.png,01,"R2A,6"\nb.png,02,\n')
    with pytest.raises(OutputTaken, match="inputs"):
        import_images(images, labels, folder / "alone")


def test_an_import_of_an_earlier_version_is_recognised(folder: Path) -> None:
    """The digest of an import without action units is that of 0.1.0: SHA-256 of the pixels and the table."""
    prepared = import_images(*labelled(folder))
    columns = ["image", "subject", "emotion", "dataset", "name", "person", "clip"]
    table = prepared.clips[columns].assign(image=["a.png", "b.png", "c.bmp", "d.png"])
    table.index = pd.Index([2, 3, 4, 5])
    expected = hashlib.sha256(prepared.images.tobytes() + table.to_csv().encode()).hexdigest()
    assert prepared.record.inputs == expected


@pytest.mark.parametrize(
    "code", ["4 7", "4;7", "4/7", "4&7", "12L", "smile", "4+smile 1 2", "99", "B4", "4+"]
)
def test_action_units_that_would_be_misread_are_refused(folder: Path, code: str) -> None:
    text = f'image,subject,action_units\na.png,01,4+7\nb.png,02,"{code}"\n'
    allowed = r"Write them as 4\+7\+L10: numbers of FACS \(1, 2, 4 to 46, 50 to 66, "
    with pytest.raises(BadInput, match=rf"cannot be read in line 3 .*{allowed}") as refusal:
        import_images(*labelled(folder, text))
    assert "\n" not in str(refusal.value) and code in str(refusal.value)


@pytest.mark.parametrize(
    "code", ["4+7+L10", "A9E+ref(10)", "(R6 or R12)+R15", "R14+17+soft focus", "AU12_r", "0"]
)
def test_action_units_as_databases_write_them_are_accepted(folder: Path, code: str) -> None:
    text = f'image,subject,action_units\na.png,01,"{code}"\nb.png,02,4\n'
    assert import_images(*labelled(folder, text)).clips["action_units"][0] == code


WRONG = {
    "neither emotions nor units": (
        "image,subject,action_units\na.png,01,\n",
        "there is no column emotion, and action_units is empty in all lines",
    ),
    "units twice": (
        "image,subject,action_units,action units\na.png,01,4,4\n",
        "columns action_units are missing, or there twice",
    ),
    "columns": (
        "picture,subject,label\na.png,01,happy\n",
        "columns image, emotion are missing, or there twice; it has picture, subject, label",
    ),
    "column twice": (
        "image,subject,emotion,Emotion\na.png,01,happy,sad\n",
        "columns emotion are missing, or there twice",
    ),
    "files": (GOOD + "e.png,01,happy\nf.png,01,happy\n", "2 of 6 images not found: e.png, f.png"),
    "image twice": (GOOD + "a.png,02,happy\n", "1 name is there twice in image: a.png"),
    "clip twice": (
        "image,subject,emotion,clip\na.png,01,happy,x\nb.png,01,sad,x\n",
        "1 name is there twice in clip: imported/01/x",
    ),
    "blank": ("image,subject,emotion\na.png,,happy\nb.png,01,sad\nc.bmp,01,\n", "is empty in line 2, 4"),
    "short row": ("image,subject,emotion\na.png,01\n", "is empty in line 2"),
    "no rows": ("image,subject,emotion\n", "no rows"),
    "nothing": ("", "it has none"),
    "long row": (
        "image,subject,emotion\na.png,01,happy\n\nb.png,01,happy,what\n",
        "more values than columns in line 4",
    ),
    "endless value": ("image,subject,emotion\na.png,01," + 200_000 * "x" + "\n", "not a table"),
    "blank after gap": ("image,subject,emotion\n\na.png,01,\n", "is empty in line 3"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_listed(folder: Path, case: str) -> None:
    text, wrong = WRONG[case]
    with pytest.raises(BadInput, match=wrong) as refusal:
        import_images(*labelled(folder, text))
    assert "\n" not in str(refusal.value) and not (folder / "out").exists()


def test_other_mistakes(folder: Path) -> None:
    images, labels, out = labelled(folder)
    with pytest.raises(UnknownLabel, match=r"'delight' \(1: "):
        import_images(*labelled(folder, GOOD.replace("Happy", "delight")))
    labelled(folder)
    with pytest.raises(BadInput, match="none.csv: there is no such file"):
        import_images(images, folder / "none.csv", out)
    with pytest.raises(UnknownName, match="Did you mean 'flow'"):
        import_images(images, labels, out, kind="flwo")
    with pytest.raises(LearnetError, match="28 to 1024"):
        import_images(images, labels, out, size=3)
    (images / "d.png").write_bytes(b"no image")
    with pytest.raises(BadInput, match="1 image cannot be read: d.png"):
        import_images(images, labels, out)
    labels.write_bytes(b"image,subject,emotion\n\xff\xfe.png,1,happy\n")
    with pytest.raises(BadInput, match="UTF-8"):
        import_images(images, labels, out)
    assert not out.exists()


def test_same_import_is_returned_and_another_is_refused(folder: Path) -> None:
    images, labels, out = labelled(folder)
    first = import_images(images, labels, out)
    assert not first.reused and import_images(images, labels, out).reused
    with pytest.raises(OutputTaken, match="inputs"):
        import_images(*labelled(folder, GOOD.replace("surprise", "fear")))
    assert load_prepared(out).record == first.record


def test_names_in_two_normal_forms_are_one(folder: Path) -> None:
    """A person with the letter ë and one with e and two dots are one; an image is found whichever of them its
    file has."""
    joined, apart = "Zo\u00eb", "Zoe\u0308"
    for old, new in (("a.png", f"{apart}1.png"), ("b.png", f"{joined}2.png")):
        (folder / "images" / old).rename(folder / "images" / new)
    rows = f"image,subject,emotion\n{joined}1.png,{apart},sad\n{apart}2.png,{joined},sad\nc.bmp,02,fear\n"
    prepared = import_images(*labelled(folder, rows))
    assert prepared.clips["clip"].tolist() == [
        f"imported/{joined}/{joined}1",
        f"imported/{joined}/{joined}2",
        "imported/02/c",
    ]
    assert prepared.clips["person"].nunique() == 2 and all(
        Path(path).is_file() for path in prepared.clips["path"]
    )
    with pytest.raises(BadInput, match="1 name is there twice in image"):
        import_images(
            *labelled(folder, f"image,subject,emotion\n{joined}1.png,01,sad\n{apart}1.png,02,sad\n")
        )


def test_a_prepared_folder_that_may_not_be_read_is_not_called_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The administrator may read everything, so the system's answer is put in place of his."""
    prepared = import_images(*labelled(folder)).folder

    def closed(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(np.lib.format, "open_memmap", closed)
    with pytest.raises(BadInput, match="out/images.npy: this may not be read. Change its permissions"):
        load_prepared(prepared)


def test_images_one_folder_down(folder: Path) -> None:
    """In the folder of the subject, even where others have an image of that name; and in any other folder."""
    images, labels, out = labelled(
        folder, "image,subject,emotion\na.png,01,joy\nd.png,02,anger\nb.png,01,fear\n"
    )
    flat = import_images(images, labels, out)
    for person in ("01", "02", "more"):
        (images / person).mkdir()
    for name, place in (("a.png", "01/a.png"), ("d.png", "02/a.png"), ("b.png", "more/b.png")):
        (images / name).rename(images / place)
    labels.write_text("image,subject,emotion\na.png,01,joy\na.png,02,anger\nb.png,01,fear\n")
    nested = import_images(images, labels, folder / "nested")
    np.testing.assert_array_equal(nested.images, flat.images)
    labels.write_text("image,subject,emotion\na.png,03,joy\n")
    with pytest.raises(BadInput, match="in several folders: a.png"):
        import_images(images, labels, folder / "more")


def test_the_folder_is_missing_and_not_the_table(folder: Path) -> None:
    with pytest.raises(BadInput, match="nowhere: there is no such folder"):
        import_images(folder / "nowhere", folder / "no.csv", folder / "out")


def test_a_stray_quotation_mark_loses_no_row(folder: Path) -> None:
    """Two marks make one cell of the lines between them, which would be three images less."""
    marked = (
        GOOD.replace("surprise", 'surprise,"')
        .replace("others", 'others,"')
        .replace("emotion", "emotion,note")
    )
    with pytest.raises(BadInput, match=r"labels.csv line 3: a cell in quotation marks goes on to line 5"):
        import_images(*labelled(folder, marked))
    with pytest.raises(BadInput, match=r"labels.csv line 3: this is not a table"):
        import_images(*labelled(folder, marked.replace('others,"', "others,")))


@pytest.mark.parametrize("column", ["dataset", "clip", "person", "action_units"])
def test_a_column_that_is_there_twice(folder: Path, column: str) -> None:
    text = f"image,subject,emotion,{column},{column}\na.png,01,fear,x,x\n"
    with pytest.raises(BadInput, match=f"the columns {column} are missing, or there twice"):
        import_images(*labelled(folder, text))


def test_names_that_begin_like_a_formula(folder: Path) -> None:
    """In the file an apostrophe stands before them; whoever opens the folder has the names as they were."""
    text = "image,subject,emotion,dataset,clip\na.png,=1+1,fear,@x,+y\nb.png,''=1+1,fear,-z,-1\n"
    prepared = import_images(*labelled(folder, text))
    expected = {"subject": ["=1+1", "'=1+1"], "dataset": ["@x", "-z"], "name": ["+y", "-1"]}
    assert prepared.clips[list(expected)].to_dict("list") == expected
    stored = pd.read_csv(prepared.folder / "clips.csv", dtype=str)
    assert stored["subject"].tolist() == ["'=1+1", "''=1+1"] and stored["name"].tolist() == ["'+y", "-1"]
    assert read_text_table(prepared.folder / "clips.csv")["person"].tolist() == ["@x/=1+1", "-z/'=1+1"]


def test_one_person_under_two_names_is_a_serious_finding(folder: Path) -> None:
    text = "image,subject,emotion\na.png,01,fear\nb.png,1.0,fear\nc.bmp,Bo,fear\nd.png,1,fear\n"
    (finding,) = read_findings(import_images(*labelled(folder, text)).folder) or ()
    assert (
        finding.serious and "'imported/01', 'imported/1' and 'imported/1.0' may be one person" in finding.what
    )


def test_people_of_smic_e_are_those_of_smic(folder: Path) -> None:
    text = "image,subject,emotion,dataset\na.png,s01,ne,smic-e\nb.png,s01,po,smic\n"
    clips = import_images(*labelled(folder, text)).clips
    assert clips["person"].tolist() == ["smic/s01"] * 2
    assert clips["clip"].tolist() == ["smic-e/s01/a", "smic/s01/b"]
