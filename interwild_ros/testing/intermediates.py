"""What passes between and through the networks' modules, under the goldens' names.

Source of the names: NETWORKS.md sections 12, 13 and 18.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interwild_ros.geometry import crops
from interwild_ros.geometry.regions import HAND_BOX_SCALE, input_from_image, overlap, view_box
from interwild_ros.geometry.spaces import apply_affine, invert_scaling
from interwild_ros.geometry.weak_perspective import volume_from_virtual
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.networks.detectnet import Detections
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.resnet import Trunk
from interwild_ros.pipeline.official import official_outputs
import torch
from torch import nn, Tensor
import torch.nn.functional as F

DEMO_PICTURE_SIZE = (384, 512)  # of the original's demo, the one golden with `pre/` and `demo/`


def computed_values(
    networks: InterWild, hand_models: HandPair, picture: Tensor
) -> dict[str, Tensor]:
    """Run everything, and return `out/*` and those `mid/*` that our modules have."""
    watch = _Watch(networks)
    with torch.inference_mode():
        outputs = official_outputs(networks, hand_models, picture)
        values = {f'out/{key}': value for key, value in outputs.items()}
        mids = watch.values | _derived(networks, watch, outputs)
        values |= {f'mid/{key}': value for key, value in mids.items()}
        values |= _demo_preprocessing(networks, outputs)
    watch.close()
    return values


def _last_stage(trunk: Trunk) -> nn.Module:
    return trunk.get_submodule('layer4')


class _Watch:
    """Keeps what flows through the named modules."""

    def __init__(self, networks: InterWild) -> None:
        rotation, trans = networks.hand_rotation_net, networks.hand_trans_net
        self.values: dict[str, Tensor] = {}
        self.kept: dict[str, Any] = {}
        outputs: dict[str, nn.Module] = {
            'body_feat': _last_stage(networks.body_backbone),
            'body_deconv': networks.body_box_net.deconv,
            'bbox_center_hm': networks.body_box_net.bbox_center,
            'hand_feat': networks.hand_roi_net,
            'hand_hm': networks.hand_position_net.conv,
            'joint_img_hm': networks.hand_position_net,
            'rot_feat': rotation.conv,
            'shape_raw': rotation.shape_out,
            'cam_raw': rotation.cam_out,
            'root_6d': rotation.root_pose_out,
            'pose_6d': rotation.pose_out,
            'trans_conv': trans.conv[2],
            'trans_feat': _last_stage(trans.backbone),
        }
        inputs: dict[str, nn.Module] = {
            'body_img': networks.body_backbone.conv1,
            'hand_img': networks.hand_roi_net,
            'hand_gap': rotation.shape_out,
            'rot_joint_feat': rotation.root_pose_out,
            'trans_fc_in': trans.fc,
        }
        records = {'detections': networks.body_box_net, 'pose': rotation, 'trans_in': trans}
        self._hooks = [m.register_forward_hook(self._output(n)) for n, m in outputs.items()]
        self._hooks += [m.register_forward_hook(self._input(n)) for n, m in inputs.items()]
        self._hooks += [m.register_forward_hook(self._record(n)) for n, m in records.items()]

    def close(self) -> None:
        """Take the hooks away."""
        for hook in self._hooks:
            hook.remove()

    def _output(self, name: str) -> Any:
        def keep(_: nn.Module, __: Any, output: Tensor) -> None:
            self.values[name] = output.clone()  # ReLUs work in place

        return keep

    def _input(self, name: str) -> Any:
        def keep(_: nn.Module, inputs: tuple[Tensor, ...], __: Any) -> None:
            self.values[name] = inputs[0]

        return keep

    def _record(self, name: str) -> Any:
        def keep(_: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
            self.kept[name] = inputs if name == 'trans_in' else output

        return keep


def _derived(
    networks: InterWild, watch: _Watch, outputs: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the values that pass between the modules rather than through one."""
    detections: Detections = watch.kept['detections']
    crop_boxes = networks.crop_boxes(detections)[0]
    crop_from_input, input_from_crop = crops.crop_maps(crop_boxes, networks.spaces)
    pose = watch.kept['pose']
    return {
        **_pair_space(networks, watch, input_from_crop),
        'rjoint_proj_hm': _projected(networks, outputs, 'r'),
        'ljoint_proj_hm': _projected(networks, outputs, 'l'),
        'hand_img_32x32': blocks(watch.values['hand_img'], 8),
        'orig2hand_trans': crop_from_input,
        'hand2orig_trans': input_from_crop,
        'rhand_center': detections.centre[:, 0],
        'lhand_center': detections.centre[:, 1],
        'rhand_size': detections.size[:, 0],
        'lhand_size': detections.size[:, 1],
        'rhand_conf': detections.score[:, 0],
        'lhand_conf': detections.score[:, 1],
        'rhand_roi_bbox': crop_boxes[:1] / 2,
        'lhand_roi_bbox': crop_boxes[1:] / 2,
        'rot_root_pose': pose.root,
        'rot_hand_pose': pose.fingers,
        'rot_shape': pose.betas,
        'rot_root_trans': pose.virtual_wrist_m,
    }


def _projected(networks: InterWild, outputs: Mapping[str, Tensor], hand: str) -> Tensor:
    placed = outputs[f'{hand}mano_joint_cam'] + outputs[f'{hand}root_cam'][:, None]
    return volume_from_virtual(placed, networks.spaces)


def _demo_preprocessing(networks: InterWild, outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return section 13's values for the original's demo picture."""
    box = view_box((0, 0, *DEMO_PICTURE_SIZE), DEMO_PICTURE_SIZE)
    to_input = torch.from_numpy(input_from_image(box))
    image_from_input = invert_scaling(to_input)
    values = {
        'pre/bbox': torch.from_numpy(box),
        'pre/img2bb_trans': to_input,
        'pre/bb2img_trans': image_from_input,
    }
    corners = {}
    for hand in 'rl':
        joints = outputs[f'{hand}joint_img'][..., :2].double()
        values[f'demo/{hand}joint_px'] = apply_affine(image_from_input[None], joints)[0]
        body = outputs[f'{hand}hand_bbox'].double()
        corners[hand] = body[0].tolist()
        box_px = networks.spaces.input_from_body(body.reshape(-1, 2, 2))
        values[f'demo/{hand}hand_bbox_px'] = apply_affine(image_from_input[None], box_px)[0]
    values['demo/iou'] = torch.tensor([overlap(corners['r'], corners['l'])])
    return values


def _pair_space(networks: InterWild, watch: _Watch, input_from_crop: Tensor) -> dict[str, Tensor]:
    joints, _ = watch.kept['trans_in']
    input_xy = networks.input_joints(joints.flatten(0, 1), input_from_crop)
    tight = crops.enlarged(torch.cat([input_xy.amin(1), input_xy.amax(1)], -1), HAND_BOX_SCALE)
    union = torch.cat([tight[:, :2].amin(0), tight[:, 2:].amax(0)])[None]
    right, left = networks.hand_trans_net.pair_joints(joints, input_from_crop[:, None])[0]
    depths = joints[:, 0, :, 2:]
    px = torch.cat([input_xy, depths], dim=-1)
    return {
        'rjoint_img_px': px[:1],
        'ljoint_img_px': px[1:],
        'trans_rhand_bbox': tight[:1],
        'trans_lhand_bbox': tight[1:],
        'trans_union_bbox_tight': union,
        'trans_union_bbox': crops.squared(union),
        'trans_rjoint': right[None],
        'trans_ljoint': left[None],
    }


def blocks(pictures: Tensor, side: int) -> Tensor:
    """Return the means of square blocks of pictures (B, C, H, W)."""
    return F.avg_pool2d(pictures, side)
