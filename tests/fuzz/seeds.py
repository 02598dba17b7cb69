"""Good inputs, from which mutated ones are made. All are synthetic and small."""

import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import openpyxl
import torch

from learnet.core.settings import Preparation, Resources, Study, Training
from learnet.datasets.prepared.importing import import_images
from learnet.inference.onnx_export import export_onnx
from learnet.networks import NETWORKS
from learnet.study.run import run_study
from learnet.training.checkpoint import save_checkpoint
from learnet.training.metadata import CheckpointMetadata
from tests.builders.written_by_hand import NINE
from tests.builders.written_study import write_prepared

FRAMES = 30
FPS = 25
PEOPLE = 4
EMOTIONS = ("happiness", "disgust", "surprise")
CLASSES = ("negative", "positive", "surprise")


@dataclass(frozen=True)
class Container:
    """How a video is encoded."""

    file: str
    codec: str
    pixel_format: str = "yuv420p"
    format: str | None = None  # of the container, where the suffix does not tell it
    options: tuple[tuple[str, str], ...] = ()  # of the container
    encoder: tuple[tuple[str, str], ...] = ()


FRAGMENTED = (("movflags", "frag_keyframe+empty_moov+default_base_moof"),)
GROUPS = (("g", "10"),)
CONTAINERS = (
    Container("h264.mp4", "libx264", encoder=GROUPS),
    Container("fragmented.mp4", "libx264", options=FRAGMENTED, encoder=GROUPS),
    Container("hevc.mp4", "libx265", encoder=(("x265-params", "log-level=none:keyint=10"),)),
    Container("mpeg4.mp4", "mpeg4"),
    Container("h264.mov", "libx264", encoder=GROUPS),
    Container("prores.mov", "prores_ks", "yuv422p10le"),
    Container("qtrle.mov", "qtrle", "rgb24"),
    Container("h264.mkv", "libx264", encoder=GROUPS),
    Container("ffv1.mkv", "ffv1"),
    Container("mjpeg.mkv", "mjpeg", "yuvj420p"),
    Container("vp8.webm", "libvpx", encoder=GROUPS),
    Container("vp9.webm", "libvpx-vp9", encoder=GROUPS),
    Container("live.webm", "libvpx", options=(("live", "1"),), encoder=GROUPS),
    Container("mjpeg.avi", "mjpeg", "yuvj420p"),
    Container("mpeg4.avi", "mpeg4"),
    Container("ffv1.avi", "ffv1"),
    Container("h264.ts", "libx264", encoder=GROUPS),
    Container("mpeg2.mpg", "mpeg2video"),
    Container("flv.flv", "flv"),
    Container("wmv2.wmv", "wmv2"),
    Container("gif.gif", "gif", "rgb8"),
    Container("mjpeg.mjpeg", "mjpeg", "yuvj420p", format="mjpeg"),
    Container("raw.h264", "libx264", format="h264", encoder=GROUPS),
)


def moving_pattern(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Return one frame of a wave that moves by a pixel a frame, so that no two frames are equal."""
    rows, columns = np.mgrid[:height, :width]
    wave = 128 + 100 * np.sin((columns + number) / 5) * np.cos(rows / 7)
    return np.stack([wave, wave[::-1], wave[:, ::-1]], axis=-1).astype(np.uint8)


def write_container(folder: Path, container: Container) -> None:
    """Write FRAMES frames at FPS frames per second."""
    target = folder / container.file
    with av.open(str(target), "w", format=container.format, options=dict(container.options)) as output:
        stream = output.add_stream(container.codec, rate=FPS, options=dict(container.encoder))
        stream.width, stream.height, stream.pix_fmt = 64, 48, container.pixel_format
        stream.codec_context.time_base = Fraction(1, FPS)
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(moving_pattern(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


def image(number: int, size: int = 28) -> np.ndarray:
    """Return a motion image of noise."""
    return np.random.default_rng(number).integers(0, 256, (size, size, 3), dtype=np.uint8)


def write_images(folder: Path) -> None:
    """Write one image in each format, and labels.csv for `learnet import`."""
    (folder / "images").mkdir()
    encodings = {
        "a.png": (),
        "b.jpg": (),
        "c.jpg": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "d.jpg": (cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
        "e.bmp": (),
    }
    for number, (name, parameters) in enumerate(encodings.items()):
        cv2.imwrite(str(folder / "images" / name), image(number), parameters)
    cv2.imwrite(str(folder / "images" / "f.png"), image(5)[..., 0].astype(np.uint16) * 257)
    lines = ["image,subject,emotion"]
    for number, file in enumerate(sorted((folder / "images").iterdir())):
        lines.append(f"{file.name},{number % PEOPLE:02d},{EMOTIONS[number % 3]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def write_labelled_images(folder: Path) -> None:
    """Write 12 PNG images of PEOPLE people and labels.csv with every column that `learnet import` reads."""
    (folder / "images").mkdir()
    lines = ["image,subject,emotion,action_units,dataset,clip"]
    for number in range(3 * PEOPLE):
        name = f"{number:02d}.png"
        cv2.imwrite(str(folder / "images" / name), image(number))
        lines.append(f"{name},{number // 3:02d},{EMOTIONS[number % 3]},4+7,own,clip {number}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def write_own_clips(folder: Path) -> None:
    """Write clips as `learnet prepare folder` takes them, with labels.csv."""
    lines = ["path,subject,emotion,onset,apex,offset"]
    for number in range(6):
        clip = folder / f"clip{number}"
        clip.mkdir()
        for frame in range(1, 6):
            cv2.imwrite(str(clip / f"img{frame:03d}.png"), moving_pattern(frame + number))
        lines.append(f"clip{number},{number % 3:02d},{EMOTIONS[number % 3]},1,3,5")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def write_casme2(folder: Path) -> None:
    """Write a CASME II with six clips of three frames and its workbook."""
    book = openpyxl.Workbook()
    book.active.append(NINE)
    for number in range(6):
        subject, name = f"{number // 2 + 1:02d}", f"EP02_{number:02d}"
        clip = folder / "Cropped" / f"sub{subject}" / name
        clip.mkdir(parents=True)
        for frame in (10, 11, 12):
            cv2.imwrite(str(clip / f"reg_img{frame}.jpg"), moving_pattern(frame))
        book.active.append((subject, name, "", 10, 11, 12, "", "4+7", EMOTIONS[number % 3]))
    book.save(folder / "CASME2-coding-20140508.xlsx")


def write_predictions(folder: Path) -> None:
    """Write the same predictions as a table with scores, a log of MEGC2019 and a plain log."""
    table = ["clip,person,truth,prediction," + ",".join(f"score_{name}" for name in CLASSES)]
    log = []
    for number in range(20):
        truth, prediction = CLASSES[number % 3], CLASSES[number // 2 % 3]
        scores = ",".join("0.6" if name == prediction else "0.2" for name in CLASSES)
        table.append(
            f"smic/s{number // 4:02d}/c{number},smic/s{number // 4:02d},{truth},{prediction},{scores}"
        )
        if number % 4 == 0:
            log.append(f"smic s{number // 4:02d}")
        log.append(f"c{number} {number % 3} {number // 2 % 3}")
    (folder / "table.csv").write_text("\n".join(table) + "\n")
    (folder / "log.txt").write_text("\n".join(log) + "\n")


def write_spotting_log(folder: Path) -> None:
    """Write a log of spotted intervals of two videos and the table of all videos' lengths."""
    lines = ["video,truth_onset,truth_offset,onset,offset,truth_kind,kind,score"]
    for number in range(8):
        start = 100 * number + 10
        intervals = f"{start},{start + 20},{start + 2},{start + 25}"
        lines.append(f"s{number % 2}/v{number % 2},{intervals},micro,micro,0.{number}")
    (folder / "log.csv").write_text("\n".join(lines) + "\n")


RECIPE = """title = "One"
claim = "a"
source = "b"
unknown = ["c"]
networks = ["linear-svm", "majority"]
against = "majority"

[[databases]]
name = "casme2"
classes = "casme2-5"

[preparation]
motion = "dynamic"
size = 28

[study]
protocol = "loso"
seeds = 1

[training]
epochs = 2
"""

CANDIDATES = """[short]
epochs = 1

[long]
epochs = 2
learning_rate = 0.01
"""


def write_toml(folder: Path) -> None:
    """Write a recipe of `learnet run` and candidates of `learnet select`."""
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "candidates.toml").write_text(CANDIDATES)


def write_prepared_folder(folder: Path) -> None:
    """Write a prepared folder of 24 noise images, with the table of findings."""
    write_prepared(folder / "prepared", people=PEOPLE, clips=6)


def write_studies(folder: Path) -> None:
    """Write a prepared folder and two finished studies over it."""
    write_prepared_folder(folder)
    for network in ("majority", "linear-svm"):
        run_study(
            folder / "prepared",
            folder / network,
            Study(network=network, keep_weights=False),
            Training(),
            Resources(jobs=1),
        )


def write_interrupted_study(folder: Path) -> None:
    """Write a study that stopped after two of its folds."""
    write_prepared_folder(folder)
    study = folder / "study"
    run_study(folder / "prepared", study, Study(network="majority"), Training(), Resources(jobs=1))
    for name in ("metrics.json", "run.json", "megc.log"):
        (study / name).unlink(missing_ok=True)
    outcomes = (study / "outcomes.csv").read_text().splitlines(keepends=True)
    (study / "outcomes.csv").write_text("".join(outcomes[: 1 + 2 * 6]))


def checkpoint(network: str, size: int) -> tuple[torch.nn.Module, CheckpointMetadata]:
    """Return a network with random weights and its metadata."""
    torch.manual_seed(0)
    metadata = CheckpointMetadata(
        network=network,
        classes=CLASSES,
        size=size,
        preparation=Preparation(size=size),
        training=Training(mirror="none", detrend=False),
        data={"images_kind": "image", "synthetic": "yes"},
        versions={"torch": "2"},
    )
    return NETWORKS[network](len(CLASSES), size), metadata


def write_checkpoints(folder: Path) -> None:
    """Write weights of two networks, as safetensors and as ONNX."""
    for network in ("ststnet", "linear-svm"):
        save_checkpoint(folder / f"{network}.safetensors", *checkpoint(network, 28))
    export_onnx(folder / "ststnet.safetensors", folder / "ststnet.onnx")


def write_annotations(folder: Path) -> None:
    """Write the same three events in every format of annotations."""
    from learnet.datasets.annotations.files import write_annotations as write
    from tests.builders.annotated_events import EVENTS, RECORDING

    for name in ("events.csv", "events.eaf", "events.boris", "events.TextGrid", "events.vtt"):
        write(folder / name, EVENTS, RECORDING)


def import_some(folder: Path) -> None:
    """Write images with labels and the prepared folder that `learnet import` makes of them."""
    write_labelled_images(folder)
    import_images(folder / "images", folder / "labels.csv", folder / "prepared", kind="image")


def copy(folder: Path, target: Path) -> None:
    """Copy a seed to the folder of a case."""
    shutil.copytree(folder, target)
