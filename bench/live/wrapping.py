"""Publish the same hands in two ways, in turns: `wrapping.py HANDS`, a process of its own.

* ours: the package's own Outputs, with hands, TF and markers as patched bytes
* naive: as wrappers of networks usually do: a typed message is filled field by field, numbers
  from lists, a Point object for every corner, and rclpy serialises it

HANDS is what `save` wrote: hands as the node published them, their topology and card. Stamps are
those of the moment before the work. The last line is JSON: milliseconds of wall and of processor
time to make and publish two_hands, TF and markers of a frame, medians.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import json
from pathlib import Path
import pickle
from statistics import median
import sys
import time

from geometry_msgs.msg import Point, TransformStamped
from interwild_ros.config import Settings
from interwild_ros.msg import Hand as HandMsg
from interwild_ros.msg import TwoHands as TwoHandsMsg
from interwild_ros.pipeline.following import Followed
from interwild_ros.records import Hand, JOINT_COUNT, ModelCard, Side, Topology, TwoHands
from interwild_ros.ros.hands_out import header_message
from interwild_ros.ros.outputs import Outputs
from interwild_ros.ros.tf_out import TF_QOS
import numpy as np
import rclpy
from rclpy.node import Node
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

NAME = 'bench_wrapping'
TOPICS = {'ours': f'/{NAME}', 'naive': '/naive'}
FRAMES = 100
WARM_UP = 5  # pairs, not counted
RATE = 10.0  # pairs a second, so that DDS never queues
SETTLING_SEC = 1.0  # until all know of each other


def save(path: Path, hands: list[TwoHands], topology: Topology, card: ModelCard) -> None:
    """Write hands for the process."""
    path.write_bytes(pickle.dumps((hands, topology, card)))


class NaiveOutputs:
    """Publishes typed messages."""

    def __init__(self, node: Node, topology: Topology) -> None:
        self._triangles = {
            Side.RIGHT: topology.right_triangles.ravel().tolist(),
            Side.LEFT: topology.left_triangles.ravel().tolist(),
        }
        self._parents = topology.joint_parents
        top = TOPICS['naive']
        self._two_hands = node.create_publisher(TwoHandsMsg, f'{top}/two_hands', 10)
        self._markers = node.create_publisher(MarkerArray, f'{top}/markers', 4)
        self._tf = node.create_publisher(TFMessage, '/tf', TF_QOS)

    def publish(self, two_hands: TwoHands) -> None:
        """Publish hands, TF and markers in the order of the package."""
        header = header_message(two_hands.stamp_ns, two_hands.frame_id)
        message = TwoHandsMsg(header=header, interacting=two_hands.interacting)
        transforms, markers = [], []
        for hand in two_hands.hands:
            _fill(message.right if hand.side is Side.RIGHT else message.left, hand)
            transforms.append(_transform(header, hand))
            markers += [self._mesh(header, hand), self._skeleton(header, hand)]
        self._two_hands.publish(message)
        self._tf.publish(TFMessage(transforms=transforms))
        self._markers.publish(MarkerArray(markers=markers))

    def _mesh(self, header, hand: Hand) -> Marker:
        marker = _marker(header, f'{hand.side.label}_mesh', Marker.TRIANGLE_LIST, 1.0)
        for vertex in self._triangles[hand.side]:
            marker.points.append(_point(hand.vertices_m[vertex]))
        return marker

    def _skeleton(self, header, hand: Hand) -> Marker:
        marker = _marker(header, f'{hand.side.label}_skeleton', Marker.LINE_LIST, 0.004)
        for joint in range(1, JOINT_COUNT):
            for end in (self._parents[joint], joint):
                marker.points.append(_point(hand.joints_m[end]))
        return marker


def _fill(message: HandMsg, hand: Hand) -> None:
    message.side, message.tracked = int(hand.side), True
    message.score = float(hand.box.score)
    message.box = list(hand.box.corners)
    message.joints = hand.joints_m.ravel().tolist()
    message.joints_image = hand.joints_image_px.ravel().tolist()
    message.vertices = hand.vertices_m.ravel().tolist()
    message.pose = hand.pose.tolist()
    message.betas = hand.betas.tolist()
    position, turn = message.wrist.position, message.wrist.orientation
    position.x, position.y, position.z = hand.wrist_m.tolist()
    turn.x, turn.y, turn.z, turn.w = hand.wrist_quaternion_xyzw.tolist()


def _transform(header, hand: Hand) -> TransformStamped:
    message = TransformStamped(header=header, child_frame_id=f'naive_{hand.side.label}_hand')
    origin, turn = message.transform.translation, message.transform.rotation
    origin.x, origin.y, origin.z = hand.wrist_m.tolist()
    turn.x, turn.y, turn.z, turn.w = hand.wrist_quaternion_xyzw.tolist()
    return message


def _marker(header, namespace: str, kind: int, scale: float) -> Marker:
    marker = Marker(header=header, ns=namespace, type=kind, action=Marker.ADD)
    marker.pose.orientation.w = marker.color.a = marker.color.g = 1.0
    marker.scale.x = marker.scale.y = marker.scale.z = scale
    return marker


def _point(xyz) -> Point:
    return Point(x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))


def _timed_ms(publish: Callable[[TwoHands], None], hands: TwoHands) -> tuple[float, float]:
    """Publish hands with the stamp of now; return wall and processor milliseconds."""
    stamped = replace(hands, stamp_ns=time.time_ns())
    wall_sec, cpu_sec = time.perf_counter(), time.thread_time()
    publish(stamped)
    wall_ms = 1e3 * (time.perf_counter() - wall_sec)
    return wall_ms, 1e3 * (time.thread_time() - cpu_sec)


def main() -> None:
    hands, topology, card = pickle.loads(Path(sys.argv[1]).read_bytes())
    rclpy.init()
    node = Node(NAME)
    ours, naive = Outputs(node, topology, card), NaiveOutputs(node, topology)
    settings = Settings()
    ways = {
        'ours': lambda two_hands: ours.publish(Followed(two_hands, lambda: two_hands), settings),
        'naive': naive.publish,
    }
    times = {way: [] for way in ways}
    time.sleep(SETTLING_SEC)
    for number in range(WARM_UP + FRAMES):
        for way, publish in ways.items():
            spent = _timed_ms(publish, hands[number % len(hands)])
            if number >= WARM_UP:
                times[way].append(spent)
            time.sleep(0.5 / RATE)
    medians = {}
    for way, spent in times.items():
        wall_ms, cpu_ms = np.transpose(spent)
        medians |= {f'{way}_ms': median(wall_ms), f'{way}_cpu_ms': median(cpu_ms)}
    print(json.dumps({key: round(float(value), 3) for key, value in medians.items()}), flush=True)
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
