"""MediaPipe Hands on a clip, for bench/forward.py; runs in an environment of its own.

usage: python bench/mediapipe_hands.py CLIP.npz      (pip install mediapipe==0.10.21)

CLIP.npz holds `images` (N, H, W, 3) uint8 RGB. Two hands are tracked, as in a video, with
MediaPipe's default model. The last line is JSON: milliseconds of every picture, hands seen.
"""

import json
import sys
import time

import mediapipe
import numpy as np


def main() -> None:
    with np.load(sys.argv[1]) as file:
        images = file['images']
    times_ms, seen = [], 0
    with mediapipe.solutions.hands.Hands(static_image_mode=False, max_num_hands=2) as hands:
        hands.process(images[0])
        for image in images:
            began = time.perf_counter()
            found = hands.process(image)
            times_ms.append((time.perf_counter() - began) * 1e3)
            seen += len(found.multi_hand_landmarks or ())
    print(json.dumps({'times_ms': times_ms, 'hands': seen}))


if __name__ == '__main__':
    main()
