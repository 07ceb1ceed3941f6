"""OpenCV writes and reads images, and finds its data: its loader resolves its own path."""

import hashlib
from pathlib import Path

import cv2
import numpy as np

image = np.zeros((40, 60, 3), np.uint8)
cv2.circle(image, (30, 20), 10, (0, 128, 255), -1)
for suffix in ("png", "jpg", "webp"):
    print(suffix, cv2.imwrite(f"image.{suffix}", image), cv2.imread(f"image.{suffix}").shape)
print(hashlib.sha256(cv2.GaussianBlur(image, (3, 3), 0).tobytes()).hexdigest()[:12])
print(sorted(path.suffix for path in Path(cv2.data.haarcascades).iterdir())[-1:])
if hasattr(cv2, "CascadeClassifier"):  # not in OpenCV 5
    print(cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml").empty())
print(cv2.dnn.getAvailableTargets(cv2.dnn.DNN_BACKEND_OPENCV)[:1], cv2.typing.MatLike is not None)
