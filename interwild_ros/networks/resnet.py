"""ResNet trunks (He et al. 2015) with torchvision's parameter names and no classifier.

Source: NETWORKS.md section 3. The stride of a bottleneck sits on its 3 x 3 convolution.
"""

from __future__ import annotations

from interwild_ros.networks.variants import TrunkSize
from torch import nn, Tensor


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, width, H/stride, W/stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        out: Tensor = self.relu(x + shortcut)
        return out


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two 1 x 1 ones, with a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, 4 width, H/stride, W/stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        out: Tensor = self.relu(x + shortcut)
        return out


class Trunk(nn.Module):
    """A stem and its stages, four as a rule: (B, 3, H, W) to (B, size.outputs, H/32, W/32)."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        block = Bottleneck if size.block == 'bottleneck' else BasicBlock
        self.conv1 = nn.Conv2d(3, size.width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(size.width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = size.width
        for stage, depth in enumerate(size.depths):
            width = size.width * 2**stage
            blocks = []
            for i in range(depth):
                blocks.append(block(inputs, width, 2 if stage > 0 and i == 0 else 1))
                inputs = width * block.expansion
            self.add_module(f'layer{stage + 1}', nn.Sequential(*blocks))
        self._stage_count = len(size.depths)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features of pictures."""
        return self.after_stem(self.stem(pictures))

    def stem(self, pictures: Tensor) -> Tensor:
        """Return what stage one works on: (B, width, H/4, W/4)."""
        x: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(pictures))))
        return x

    def stages(self, pictures: Tensor) -> list[Tensor]:
        """Return the features after each stage, strides 4, 8, 16 and 32."""
        return self.stages_after_stem(self.stem(pictures))

    def stages_after_stem(self, x: Tensor) -> list[Tensor]:
        """Return the features after each stage, of what the stem gives."""
        features = [x]
        for stage in self._layers():
            features.append(stage(features[-1]))
        return features[1:]

    def after_stem(self, x: Tensor) -> Tensor:
        """Return the features of something that is already as wide as stage one: no stem."""
        for stage in self._layers():
            x = stage(x)
        return x

    def first_stages(self, count: int) -> list[nn.Module]:
        """Return the stem's parts and the first stages, or nothing for a count of 0."""
        return [self.conv1, self.bn1, *self._layers()[:count]] if count else []

    def _layers(self) -> list[nn.Module]:
        return [self.get_submodule(f'layer{i + 1}') for i in range(self._stage_count)]


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    if inputs == outputs and stride == 1:
        return None
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
    )
