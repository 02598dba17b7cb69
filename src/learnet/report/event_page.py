"""Write the events of a video as an interactive page beside it: look at them, and correct them."""

import hashlib
import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

import learnet
from learnet.core.errors import LearnetError
from learnet.core.figure_style import CLASS_COLOURS
from learnet.core.labels import FACS_RANGES
from learnet.core.output_checks import HTML, check_suffix
from learnet.core.records import MICRO_MAX_S, Event
from learnet.datasets.annotations.tables import COLUMNS
from learnet.face import EYE_COLUMNS, EYE_ROW
from learnet.inference.decision import NO_EXPRESSION
from learnet.inference.event_maps import CROP_PX, MOVEMENT_CELLS, RESPONSE_CELLS, EventMaps
from learnet.inference.recognition import Recognition
from learnet.inference.spotting.points import face_points
from learnet.motion.evidence import FACE_CENTRE, FACE_RADII
from learnet.report.content_policy import BESIDE, NOTHING, content_policy, script_text
from learnet.report.explain.face_regions import face_placement
from learnet.report.page import page_template, write_page
from learnet.report.page_data import Json, encode_frames, encode_maps, encode_motion, rounded
from learnet.report.recognition_page import page_parts, unjudged_rows, write_recognition_page
from learnet.simulation.geometry import average_face
from learnet.simulation.outline import face_lines
from learnet.simulation.units import UNITS
from learnet.video.images import image_files

START = "<!doctype html>\n<!-- learnet events -->"
SCRIPTS = (
    "page_values",
    "picture_players",
    "event_store",
    "event_exports",
    "page_timeline",
    "page_faces",
    "event_editor",
    "event_page",
)
"""Scripts of the page in the order in which they use each other."""

ANONYMOUS_NAME = "VIDEO"


def write_video_page(recognition: Recognition, out: Path, anonymous: bool = False) -> Path:
    """Write the page that suits a recognition: interactive where the motion was recorded, else a static one.

    See `write_event_page` and `write_recognition_page`.
    """
    if recognition.motion is None:
        return write_recognition_page(recognition, out)
    return write_event_page(recognition, out, anonymous)


def write_event_page(recognition: Recognition, out: str | Path, anonymous: bool = False) -> Path:
    """Write an interactive HTML page about the events in a video.

    The page shows the video from its place, refers to it by a path relative to the page, and has no picture
    of the person itself. It loads nothing else and needs no server. A person can look at each event frame by
    frame, correct it, and export all as files that `import-annotations` reads. The same recognition and
    place give the same bytes.

    Args:
        recognition: of a file or a folder of images, by a `Recogniser` with `records_motion`.
        out: the page; an earlier page of this kind is replaced, any other file is not.
        anonymous: show nothing of the person: neither the video nor its name.

    Returns:
        `out`.

    Raises:
        BadInput: the name of the page does not end with `.html` or `.htm`.
        OutputTaken: `out` is another file.
        LearnetError: the motion was not recorded.
    """
    out = Path(out)
    check_suffix(out, HTML)
    return write_page(event_page(recognition, out, anonymous), out)


def event_page(recognition: Recognition, out: Path, anonymous: bool = False) -> str:
    """Return the page as text; see `write_event_page`."""
    if recognition.motion is None:
        raise LearnetError(
            f"{recognition.source}: the motion was not recorded, which the page of events shows.",
            "Use a Recogniser with records_motion=True, or write_recognition_page.",
        )
    data = _page_data(recognition, out, anonymous)
    script = _script()
    sources = NOTHING if anonymous else BESIDE
    name = "" if anonymous else Path(recognition.source).name
    parts = page_parts(recognition, name or ANONYMOUS_NAME)
    parts["command"] = f"{parts['command']} {_page_options(out, anonymous)}"
    return page_template("event_page").render(
        start=Markup(START),
        policy=content_policy(script, pictures=sources, media=sources),
        script=Markup(script),
        data=Markup(_json_for_html(data)),
        name=name,
        kind=data["video"]["kind"],
        anonymous=anonymous,
        recognition=recognition,
        classes=[*recognition.metadata.classes],
        conversion=_conversion(name),
        unjudged_rows=unjudged_rows(recognition),
        version=learnet.__version__,
        **parts,
    )


def _page_options(out: Path, anonymous: bool) -> str:
    """Return the options that write the page. The name of an anonymous page may name the person."""
    if anonymous:
        return f"--page {ANONYMOUS_NAME}.html --anonymous"
    return f"--page {shlex.quote(_readable(out.name))}"


def _script() -> str:
    """Return the scripts as one. None sees what another page or extension defines."""
    return '"use strict";\n{\n' + "\n".join(map(script_text, SCRIPTS)) + "}\n"


def _json_for_html(data: Json) -> str:
    """Return JSON that can stand inside a script element: nothing in it ends the element."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _page_data(recognition: Recognition, out: Path, anonymous: bool) -> Json:
    motion = recognition.motion
    assert motion is not None
    info = recognition.info
    data: Json = {
        "video": _describe_video(recognition, out, anonymous),
        "frames": encode_frames(motion, info.fps),
        "motion": encode_motion(motion, max(info.width, info.height)),
        "face": _describe_face(recognition),
        "events": _events(recognition),
        "unjudged": [asdict(stretch) for stretch in recognition.unjudged],
        "colours": _class_colours(recognition.metadata.classes),
        "facs": _facs(),
        "columns": list(COLUMNS),
        "micro_max_s": MICRO_MAX_S,
        "movement_cells": MOVEMENT_CELLS,
        "response_cells": RESPONSE_CELLS,
    }
    # Drafts of corrections belong to these events of this video.
    content = json.dumps([data["video"]["stem"], data["frames"], data["events"]])
    data["key"] = hashlib.sha256(content.encode()).hexdigest()[:16]
    return data


def _describe_video(recognition: Recognition, out: Path, anonymous: bool) -> Json:
    info = recognition.info
    video: Json = {"kind": "none", "name": "", "stem": "events", "mime": ""}
    video |= {"width": info.width, "height": info.height, "fps": info.fps}
    if anonymous or info.kind not in ("file", "folder"):
        return video
    path = Path(recognition.source)
    address = relative_address(path, out)
    video |= {"kind": info.kind, "name": _readable(path.name), "stem": _readable(path.stem)}
    if info.kind == "file":
        return video | {"address": address, "mime": f"video/{path.suffix.lower().lstrip('.')}"}
    return video | {"images": _describe_images(path, address, recognition)}


def relative_address(target: Path, page: Path) -> str:
    """Return the address of a file relative to a page, percent-encoded byte by byte.

    On another drive, which has no relative path, it is the whole address.
    """
    try:
        relative = os.path.relpath(target.absolute(), page.absolute().parent)
    except ValueError:
        return target.absolute().as_uri()
    return "./" + quote(os.fsencode(Path(relative).as_posix()))


def _readable(name: str) -> str:
    """Return a file name as text: bytes that are not UTF-8 become question marks."""
    return os.fsencode(name).decode("utf-8", errors="replace")


def _describe_images(folder: Path, address: str, recognition: Recognition) -> Json:
    """Return the addresses of the images: a pattern if the names differ in their number only."""
    assert recognition.motion is not None
    known = image_files(folder)
    numbers = recognition.motion.frames.tolist()
    names = [known[number].name for number in numbers]
    images: Json = {"folder": f"{address}/", "names": None}
    match = re.fullmatch(r"(.*?)(\d+)(\.\w+)", names[0])
    if match:
        prefix, digits, suffix = match[1], len(match[2]), match[3]
        made = [f"{prefix}{number:0{digits}d}{suffix}" for number in numbers]
        if made == names:
            return images | {"prefix": quote(os.fsencode(prefix)), "digits": digits, "suffix": suffix}
    return images | {"names": [quote(os.fsencode(name)) for name in names]}


def _describe_face(recognition: Recognition) -> Json:
    """Return the geometry of the face crop, the patches of the regions, and the average face as lines."""
    points = face_points()
    patches = []
    for index, region in enumerate(points.regions):
        of_patch = np.flatnonzero(points.patch_of_point == index)
        x, y = points.positions[of_patch].mean(axis=0).round(3).tolist()
        patches.append({"region": region, "x": x, "y": y})
    return {
        "eye_row": EYE_ROW,
        "eye_columns": EYE_COLUMNS,
        "patches": patches,
        "lines": _average_face("found"),
        "map_lines": _average_face("given") if recognition.face == "none" else None,
        "centre": FACE_CENTRE,
        "radii": FACE_RADII,
    }


def _average_face(kind: str) -> list[list[list[float]]]:
    """Return the lines of the average face in a crop, in widths of the crop."""
    placement = face_placement(kind, CROP_PX)
    assert placement is not None
    lines = []
    for line in face_lines(average_face()):
        pixels = placement.to_pixels(line)
        lines.append(((pixels + 0.5) / CROP_PX).round(4).tolist())
    return lines


def _events(recognition: Recognition) -> list[Json]:
    maps: dict[tuple[int, int], EventMaps] = {}
    for prediction in recognition.predictions:
        if prediction.movement and prediction.maps:
            maps[prediction.movement.onset, prediction.movement.apex] = prediction.maps
    return [_event(event, maps.get((event.onset, event.apex))) for event in recognition.events]


def _event(event: Event, maps: EventMaps | None) -> Json:
    units = [{"unit": unit.unit, "side": unit.side, "score": unit.score} for unit in event.action_units]
    return {
        "onset": event.onset,
        "apex": event.apex,
        "offset": event.offset,
        "is_blink": event.is_blink,
        "label": event.label,
        "score": round(event.score, 6),
        "emotions": rounded(event.emotions),
        "action_units": units,
        "regions": list(event.regions),
        "strength_px": event.strength_px,
        "reason": event.reason,
        "maps": encode_maps(maps) if maps else None,
    }


def _class_colours(classes: Sequence[str]) -> dict[str, str]:
    """Return the colour of each class but `none`, as in the timeline figure."""
    names = [name for name in classes if name != NO_EXPRESSION]
    return {name: CLASS_COLOURS[index % len(CLASS_COLOURS)] for index, name in enumerate(names)}


def _facs() -> Json:
    return {
        "ranges": FACS_RANGES,
        "paired": [number for number, unit in UNITS.items() if unit.paired],
        "names": {number: unit.name for number, unit in UNITS.items()},
    }


def _conversion(name: str) -> str:
    """Return the command that makes a copy which browsers play, with the same frames and times."""
    if not name:
        return ""
    source = "'" + name.replace("'", "'\\''") + "'"
    copy = "'" + Path(name).stem.replace("'", "'\\''") + "-copy.mp4'"
    return f"ffmpeg -i {source} -fps_mode passthrough -c:v libx264 -crf 12 -pix_fmt yuv420p -an {copy}"
