"""From the flags of `interwild play` and what is in the bag to what is played, and for whom."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from interwild_ros.bag.cameras import CameraTopics, Wanted
from interwild_ros.bag.one_camera import frame_id_of, is_compressed, one_camera
from interwild_ros.bag.playlist import Choice, Playlist, playlist_of
from interwild_ros.bag.sturdy import SturdyReader
from interwild_ros.cli.flags import given_settings, with_whole_paths
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError, SettingError
from interwild_ros.ros.player import Pace
from interwild_ros.ros.replay import HANDS_NODE, not_installed, Replay
from interwild_ros.ros.rviz import rviz_command

# The bag and the pace decide on these.
_NOT_OFFERED = ('cameras', 'image_transport', 'qos_reliability', 'every_frame', 'autostart')
HANDS_SETTINGS = tuple(f.name for f in fields(Settings) if f.name not in _NOT_OFFERED)

CONSUMED, REAL_TIME = 'consumed', 'real_time'
# Depth that comes after its picture does so while that one is under way.
_DEPTH_WAIT_MS = 1000.0
_COMPRESSED = '/compressed'
_RULE = ':='


def plan_of(args: argparse.Namespace, bag: SturdyReader) -> Replay:
    """Return what to do with an open bag.

    :raises InterwildError: when a topic or RViz is not there, or a value is refused.
    """
    pace = _pace(args)
    given = with_whole_paths(given_settings(args, Settings))
    runs_node = not (args.no_node or args.hands_node)
    if given and not runs_node:
        raise SettingError(f'{", ".join(given)}: no hands node is started that could be told')
    if args.no_node and pace.waits:
        raise SettingError('--pace consumed waits for a hands node, and --no-node has none')
    node = '' if args.no_node else f'/{(args.hands_node or HANDS_NODE).strip("/")}'
    camera = _camera(args, bag, use_depth=bool(given.get('use_depth', args.depth)))
    choice = Choice(
        topics=tuple(args.topics),
        excluded=tuple(args.exclude_topics),
        needed=camera.topics if node and camera else (),
        names=_names(args.remap),
        node=node,
        tells_time=pace.clock_hz > 0,
    )
    playlist = playlist_of(bag.topics, choice, latched=bag.latched, obstacle=not_installed)
    if camera is not None and node:
        _check_reaches_node(camera, playlist)
    return Replay(
        playlist=playlist,
        camera=camera,
        pace=pace,
        node=node,
        parameters=_parameters(given, bag, camera, pace) if runs_node and camera else None,
        inputs=_inputs(bag, camera, playlist.names) if runs_node and camera else {},
        listeners=args.wait_for_subscribers,
        rviz=_rviz(bag, camera, node) if args.rviz else (),
    )


def remarks_of(bag: SturdyReader, plan: Replay) -> Iterator[str]:
    """Return what has to be said before the playing."""
    if bag.compression:
        yield f'compressed ({bag.compression}): it is unpacked while it is read'
    for damage in bag.damage:
        yield f'damaged: {damage}'
    for topic, reason in plan.playlist.left_out.items():
        yield f'not played: {topic} ({bag.topics[topic].count} messages): {reason}'


def _pace(args: argparse.Namespace) -> Pace:
    for name in ('rate', 'duration'):
        value = getattr(args, name)
        if value is not None and not value > 0:
            raise SettingError(f'--{name} is {value:g}, wanted above 0')
    for name in ('start_offset', 'clock', 'wait_for_subscribers'):
        value = getattr(args, name)
        if not value >= 0:
            raise SettingError(f'--{name.replace("_", "-")} is {value:g}, wanted at least 0')
    return Pace(
        rate=args.rate,
        offset_sec=args.start_offset,
        length_sec=args.duration,
        loop=args.loop,
        clock_hz=args.clock,
        waits=(args.pace or (REAL_TIME if args.no_node else CONSUMED)) == CONSUMED,
    )


def _camera(
    args: argparse.Namespace, bag: SturdyReader, *, use_depth: bool
) -> CameraTopics | None:
    """Return the camera whose pictures the hands node works on."""
    if args.no_node and not args.camera:
        return None
    wanted = Wanted(
        images=(args.camera,) if args.camera else (),
        info=args.camera_info,
        depth=args.depth,
        use_depth=use_depth,
    )
    return one_camera(bag, wanted)


def _names(rules: list[str]) -> dict[str, str]:
    names = {}
    for rule in rules:
        topic, _, name = rule.partition(_RULE)
        if not (topic.startswith('/') and name.startswith('/')):
            raise SettingError(f'--remap {rule}: wanted /old{_RULE}/new, two whole names')
        names[topic] = name
    return names


def _check_reaches_node(camera: CameraTopics, playlist: Playlist) -> None:
    for topic in camera.topics:
        if topic not in playlist.names:
            reason = playlist.left_out.get(topic, 'it has no messages')
            raise AssetError(f'the hands node needs {topic}, which is not played: {reason}')


def _inputs(bag: SturdyReader, camera: CameraTopics, names: Mapping[str, str]) -> dict[str, str]:
    """Return what the hands node's names of its inputs stand for."""
    image = names[camera.image]
    raw = image.removesuffix(_COMPRESSED)
    # Without a calibration a name that nobody publishes: one of another camera would be wrong.
    info = names[camera.info] if camera.info else f'{raw}/camera_info'
    pictures = {'image': image}
    if is_compressed(bag, camera):
        pictures = {'image': raw, f'image{_COMPRESSED}': image}
    depth = {'depth': names[camera.depth]} if camera.depth else {}
    return {**pictures, 'camera_info': info, **depth}


def _parameters(
    given: dict[str, Any], bag: SturdyReader, camera: CameraTopics, pace: Pace
) -> dict[str, Any]:
    """Return the ROS parameters of the hands node."""
    parameters = {'depth_wait_ms': _DEPTH_WAIT_MS, **given} if pace.waits else dict(given)
    return parameters | {
        'image_transport': 'compressed' if is_compressed(bag, camera) else 'raw',
        'every_frame': pace.waits,
        'use_depth': bool(camera.depth),
        'use_sim_time': pace.clock_hz > 0,
    }


def _rviz(bag: SturdyReader, camera: CameraTopics | None, node: str) -> tuple[str, ...]:
    frame_id = frame_id_of(bag, camera) if camera else ''
    return tuple(rviz_command(hands_node=node, frame_id=frame_id))
