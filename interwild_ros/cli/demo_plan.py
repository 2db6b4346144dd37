"""From the flags of `interwild demo` to what the two nodes are to do."""

from __future__ import annotations

import argparse
from dataclasses import replace
import math
from pathlib import Path
from typing import Any

from interwild_ros.cli.flags import existing_path, given_settings, with_whole_paths
from interwild_ros.config import CameraSettings, Settings
from interwild_ros.errors import AssetError, SettingError
from interwild_ros.imaging.demo_clip import CAMERA_FILE, write_demo_clip
from interwild_ros.ros.domain import DOMAIN_IDS, free_domain_id
from interwild_ros.ros.recording import Plan

HANDS_SETTINGS = (
    'variant',
    'weights',
    'mano_dir',
    'axis_angle',
    'device',
    'require_gpu',
    'threads',
    'mirrored_image',
    'min_score',
    'max_reprojection_px',
    'placement',
)
CAMERA_SETTINGS = ('camera_info', 'fov_deg', 'rate_hz', 'pace')

_TRANSPORT = 'compressed'
_SUBSCRIBERS = 2  # the hands node and the recorder: no picture is sent before both listen
_WEBCAM_SEC = 10.0
_CLIP_SEC = 5.0
_CLIP_RATE_HZ = 30.0


def is_own_source(args: argparse.Namespace) -> bool:
    """Return whether pictures of the user's own were named, and not the demo clip."""
    return any(source is not None for source in (args.video, args.images, args.camera))


def plan_of(args: argparse.Namespace, *, clip: Path) -> Plan:
    """Return what to run.

    :param clip: folder of the demo clip, which is drawn there unless a source was named.
    :raises InterwildError: when a file that was named is absent or a value is refused.
    """
    camera = with_whole_paths(given_settings(args, CameraSettings))
    hands = with_whole_paths(given_settings(args, Settings))
    plan = Plan(
        camera={
            **camera,
            'image_transport': _TRANSPORT,
            'wait_for_subscribers': _SUBSCRIBERS,
        },
        hands={
            **hands,
            'image_transport': _TRANSPORT,
            'every_frame': camera.get('pace') == 'consumed',
        },
        domain_id=_domain_id(args.domain_id),
        length_sec=_length_sec(args),
    )
    if is_own_source(args):
        return replace(plan, camera={**_own_source(args), **plan.camera})
    source = _drawn_clip(clip, plan.length_sec)  # which has an end of its own
    return replace(plan, camera={**source, **plan.camera}, length_sec=None)


def _drawn_clip(clip: Path, length_sec: float | None) -> dict[str, Any]:
    """Draw as much of the demo clip as will be played, and return how to play it."""
    length_sec = min(length_sec or _CLIP_SEC, _CLIP_SEC)
    frames = math.ceil(length_sec * _CLIP_RATE_HZ)
    write_demo_clip(clip, frames=frames, rate_hz=_CLIP_RATE_HZ)
    return {'source': str(clip), 'camera_info': str(clip / CAMERA_FILE)}


def _own_source(args: argparse.Namespace) -> dict[str, Any]:
    """Return how to play the user's own pictures."""
    if args.camera is not None:
        return {'source': str(args.camera)}
    path = args.video or args.images
    if args.images and not path.is_dir():
        raise AssetError(f'--images {path}: no such folder')
    return {'source': existing_path(path)}


def _domain_id(wanted: int | None) -> int:
    if wanted is None:
        return free_domain_id()
    if wanted not in DOMAIN_IDS:
        raise SettingError(f'--domain-id is {wanted}, wanted {DOMAIN_IDS[0]} to {DOMAIN_IDS[-1]}')
    return wanted


def _length_sec(args: argparse.Namespace) -> float | None:
    """Return when to end a source by force: a webcam has no end of its own."""
    if args.seconds is None:
        return _WEBCAM_SEC if args.camera is not None else None
    if not args.seconds > 0:
        raise SettingError(f'--seconds is {args.seconds:g}, wanted above 0')
    return float(args.seconds)
