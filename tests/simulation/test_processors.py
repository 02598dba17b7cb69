"""Rendering gives the same bytes on other processors, as far as one processor can imitate another."""

import hashlib
import os
import subprocess
import sys

from learnet.simulation.render import Camera, render
from learnet.simulation.scenes import make_scene

OLD_PROCESSOR = {
    "OPENCV_IPP": "sse42",
    "OPENCV_CPU_DISABLE": "AVX512-SKX,AVX512-COMMON,AVX512-ICL,AVX512-CLX,AVX512-CNL,AVX2,FMA3,AVX,FP16",
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENBLAS_CORETYPE": "Nehalem",
    # The names of numpy 2.4 and those before; a numpy that does not know one ignores it.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3 AVX512_SKX AVX512_ICL AVX512_SPR AVX512F AVX2 FMA3",
}
"""Settings of NumPy, OpenBLAS and OpenCV that switch off what processors before 2013 do not have."""


def digest_of_frames() -> str:
    """Return a digest of frames of three people: stills, expressions, blinks, drift, light and noise."""
    digest = hashlib.sha256()
    for person, emotion in enumerate(("disgust", "happiness", "surprise"), start=1):
        scene = make_scene(11, person, 1, emotion, Camera(240, 320, 200.0, 125.0))
        for frame in render(scene.recording, range(0, 40, 4)):
            digest.update(frame.tobytes())
    return digest.hexdigest()


def test_frames_have_the_same_bytes_on_an_old_processor() -> None:
    code = "from tests.simulation.test_processors import digest_of_frames; print(digest_of_frames())"
    old = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | OLD_PROCESSOR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert old.stdout.strip() == digest_of_frames(), old.stderr
