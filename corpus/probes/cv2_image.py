"""OpenCV writes and reads images, and loads a classifier from its data: its loader resolves its own path."""

import hashlib

import cv2
import numpy as np

image = np.zeros((40, 60, 3), np.uint8)
cv2.circle(image, (30, 20), 10, (0, 128, 255), -1)
for suffix in ("png", "jpg", "webp"):
    print(suffix, cv2.imwrite(f"image.{suffix}", image), cv2.imread(f"image.{suffix}").shape)
print(hashlib.sha256(cv2.GaussianBlur(image, (3, 3), 0).tobytes()).hexdigest()[:12])
classifier = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
print(classifier.empty(), cv2.dnn.getAvailableTargets(cv2.dnn.DNN_BACKEND_OPENCV)[:1], cv2.typing.MatLike is not None)
