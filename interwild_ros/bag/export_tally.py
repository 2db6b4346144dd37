"""What is counted while a recording is exported, and what is told of it at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from interwild_ros.bag.export_input import ExportInput
from interwild_ros.errors import InputError
from interwild_ros.records import NS_PER_SEC, Side

Say = Callable[[str, int, int], None]  # what is written, how much of it, of how much


@dataclass(frozen=True, eq=False)
class Written:
    """What a file holds.

    `frames` differ in their stamps; `pictures`, `hands` and `transforms` are counted;
    `tracked` says in how many frames a side is there, `lost` how often it was there no more;
    `skipped` counts messages that cannot be used, by cause.
    """

    frames: int
    pictures: int
    hands: int
    tracked: dict[str, int]
    lost: dict[str, int]
    transforms: int
    skipped: dict[str, int]
    duration_sec: float
    size_bytes: int
    warnings: tuple[str, ...]


@dataclass
class ExportTally:
    """What is counted on the way."""

    pictures: int = 0
    hands: int = 0
    transforms: int = 0
    tracked: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def skip(self, problem: InputError) -> None:
        """Count what cannot be used, and keep the first reason of each kind."""
        self.skipped[problem.cause] += 1
        self.problems.setdefault(problem.cause, str(problem))

    def warn(self, text: str) -> None:
        """Keep a sentence once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def written(self, source: ExportInput, size_bytes: int) -> Written:
        """Return what a file of this size holds."""
        said = [*source.warnings, *self.warnings]
        for cause, text in sorted(self.problems.items()):
            said.append(f'{self.skipped[cause]} messages are skipped, {cause}: {text}')
        sides = [side.label for side in Side]
        return Written(
            frames=len(source.stamps_ns),
            pictures=self.pictures,
            hands=self.hands,
            tracked={side: self.tracked[side] for side in sides},
            lost={side: self.lost[side] for side in sides},
            transforms=self.transforms,
            skipped=dict(sorted(self.skipped.items())),
            duration_sec=float(source.stamps_ns[-1] - source.stamps_ns[0]) / NS_PER_SEC,
            size_bytes=size_bytes,
            warnings=tuple(said),
        )
