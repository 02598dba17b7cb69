"""A folder of numbered images as a video."""

import itertools
from collections.abc import Collection, Iterator
from pathlib import Path

from learnet.core.errors import BadVideo
from learnet.video.base import DEFAULT_FPS, Frame, FrameRange, Pixels, Video, VideoInfo
from learnet.video.images import image_files, read_image, used_bits

# Kinds of losses, as counted in `Video.losses`.
UNREADABLE_IMAGES = "images that could not be read"
NUMBER_GAPS = "frame numbers without an image"


class FolderVideo(Video):
    """The images of a folder as frames; frame numbers are those of the file names."""

    def __init__(self, source: Path, fps: float | None, bounds: FrameRange) -> None:
        self._select_images(source, bounds)
        self.bits = 16  # of the values of 16 bit images
        first_image = self._first_readable_image()
        if first_image is None:
            raise BadVideo(source, "none of the images can be read")
        number, pixels = first_image
        self.decoded = {number: pixels}  # already decoded to learn the size
        height, width, _ = pixels.shape
        info = VideoInfo(
            source=str(source),
            kind="folder",
            fps=fps or DEFAULT_FPS,
            width=width,
            height=height,
            frames=len(self.images),
            variable_rate=False,
            rotation=0,
        )
        notes = []
        if not fps:
            notes.append(f"Images carry no frame rate; {DEFAULT_FPS:g} frames per second is assumed.")
        if self.bits < 16:
            notes.append(
                f"The first image uses {self.bits} of its 16 bits, so all are read as {self.bits}-bit images."
            )
        super().__init__(info, bounds, notes)

    def _select_images(self, source: Path, bounds: FrameRange) -> None:
        """Set `images` to those in the range, `start` to the first number and `wanted` to the range."""
        images = image_files(source)
        if not images:
            raise BadVideo(
                source,
                "no image with a number in its name is there",
                "Give a video file, or a folder of jpg, png or bmp.",
            )
        first, last = bounds
        self.start, end = min(images), max(images)
        range_start = self.start if first is None else first
        range_end = end if last is None else last
        self.wanted = range(range_start, range_end + 1)
        self.images = {number: path for number, path in images.items() if number in self.wanted}
        if not self.images:
            raise BadVideo(
                source,
                f"no image has a number from {first} to {last}; there are {self.start} to {end}",
            )

    def _first_readable_image(self) -> tuple[int, Pixels] | None:
        for number, path in self.images.items():
            self.bits = used_bits(path)
            pixels = read_image(path, bits=self.bits)
            if pixels is not None:
                return number, pixels
        return None

    def _frame_label(self, number: int) -> str:
        return self.images[number].name

    def _frames(self) -> Iterator[Frame]:
        self.losses, self.unreadable = {}, []
        self._add_loss(NUMBER_GAPS, self.wanted.stop - self.wanted.start - len(self.images))
        buffers = itertools.repeat(None) if self.decode_buffer is None else iter(self.decode_buffer)
        for (number, path), buffer in zip(self.images.items(), buffers, strict=False):
            pixels = self.decoded.pop(number, None)
            if pixels is None:
                pixels = read_image(path, buffer, self.bits)
            if pixels is None:
                self._add_loss(UNREADABLE_IMAGES)
                self.unreadable.append(path)
            else:
                yield Frame(number, (number - self.start) / self.info.fps, pixels)

    def pixels_at(self, numbers: Collection[int]) -> Iterator[tuple[int, Pixels]]:
        """Yield some images; see `Video.pixels_at`. Images that cannot be read are left out."""
        for number, path in self.images.items():
            pixels = read_image(path, bits=self.bits) if number in numbers else None
            if pixels is not None:
                yield number, pixels
