"""How fast are data sets read: will reading keep a GPU busy?

usage: python bench/datasets.py [--annotations 40000] [--pictures 400] [--workers 2]

A made-up InterHand2.6M (stand-in hands, pictures of 512 x 334 px as there) is written to a
temporary folder and read. The last line is JSON: annotations a second from JSON, from the cache
and one at a time; bytes of memory an annotation; pictures a second with one process and with
`workers`; pictures a second that the check looks at.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json
import multiprocessing
from pathlib import Path
import tempfile
import time
from typing import Any

from interwild_ros.testing.tiny_datasets import write_interhand26m, write_json
from interwild_ros.train.datasets.interhand26m import InterHand26M, read_interhand26m
from interwild_ros.train.datasets.pictures import check_pictures, load_picture
import numpy as np

IMAGE_SIZE = (512, 334)
CAMERAS = 8
READS = 4
KEPT: list[InterHand26M] = []  # of a worker process


def main() -> None:
    args = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder) / 'data', Path(folder) / 'cache'
        moments = max(1, args.pictures // CAMERAS)
        write_interhand26m(root, moments=moments, cameras=CAMERAS, image_size=IMAGE_SIZE)
        annotations = repeat_annotations(root, args.annotations)
        result = {
            'name': 'datasets',
            'annotations': len(annotations),
            **reading(root, cache, len(annotations)),
            **pictures(annotations, moments * CAMERAS, args.workers),
        }
    for name, value in result.items():
        print(f'{name:36}{value}')
    print(json.dumps(result))


def repeat_annotations(root: Path, wanted: int) -> InterHand26M:
    """Annotate every picture many times over, so that the JSON is long, and read it."""
    path = root / 'annotations' / 'train' / 'InterHand2.6M_train_data.json'
    content = json.loads(path.read_text())
    once = content['annotations']
    repeated = [{**once[i % len(once)], 'id': i} for i in range(wanted)]
    images = [{**content['images'][i % len(once)], 'id': i} for i in range(wanted)]
    for i, annotation in enumerate(repeated):
        annotation['image_id'] = i
    write_json(path, {'images': images, 'annotations': repeated})
    return read_interhand26m(root)


def reading(root: Path, cache: Path, count: int) -> dict[str, Any]:
    """Time reading the annotations, from JSON and from the cache, and making them."""
    from_json_s, annotations = timed(lambda: read_interhand26m(root))
    read_interhand26m(root, cache_dir=cache)
    from_cache_s, _ = timed(lambda: read_interhand26m(root, cache_dir=cache))
    some = np.linspace(0, count - 1, 2000).astype(int).tolist()
    one_by_one_s, _ = timed(lambda: [annotations[index] for index in some])
    (file,) = cache.glob('*.npz')
    return {
        'annotations_per_sec_json': round(count / from_json_s),
        'annotations_per_sec_cache': round(count / from_cache_s),
        'annotations_per_sec_made': round(len(some) / one_by_one_s),
        'bytes_per_annotation': round(file.stat().st_size / count),
    }


def pictures(annotations: InterHand26M, count: int, workers: int) -> dict[str, Any]:
    """Time annotations with their pictures, as a training's workers ask for them."""
    paths = [annotations.picture_path(index) for index in range(count)]
    count = READS * count  # every picture several times
    alone_s, _ = timed(lambda: [load(annotations, index) for index in range(count)])
    spawn = multiprocessing.get_context('spawn')
    with spawn.Pool(workers, initializer=keep, initargs=(annotations,)) as pool:
        pool.map(load_kept, range(workers * 50))  # start before the clock does
        together_s, _ = timed(lambda: pool.map(load_kept, range(count)))
    check_s, _ = timed(lambda: check_pictures(annotations, thorough=True))
    return {
        'picture_bytes': round(np.mean([p.stat().st_size for p in paths])),
        'pictures_per_sec_1_process': round(count / alone_s),
        'workers': workers,
        'pictures_per_sec': round(count / together_s),
        'pictures_per_sec_checked': round(len(annotations) / check_s),
    }


def load(annotations: InterHand26M, index: int) -> int:
    return load_picture(annotations[index]).nbytes


def keep(annotations: InterHand26M) -> None:
    KEPT.append(annotations)


def load_kept(index: int) -> int:
    return load(KEPT[0], index)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long it took, in seconds, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--annotations', type=int, default=40_000)
    parser.add_argument('--pictures', type=int, default=400)
    parser.add_argument('--workers', type=int, default=2)
    return parser.parse_args()


if __name__ == '__main__':
    main()
