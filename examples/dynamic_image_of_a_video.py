"""Compute the dynamic image of a video of a face and write it as a picture.

python examples/dynamic_image_of_a_video.py VIDEO PICTURE.png
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from learnet import Preparation, open_video
from learnet.face import face_finder
from learnet.motion.pipeline import make_image

with open_video(Path(sys.argv[1])) as video:
    frames = [frame.pixels for frame in video]
made = make_image(np.stack(frames), Preparation(normalise="signed"), face_finder("auto"))
cv2.imwrite(sys.argv[2], cv2.cvtColor(made.image, cv2.COLOR_RGB2BGR))
print(f"dynamic image of {len(frames)} frames; {'; '.join(made.aligned.warnings) or 'no warnings'}")
