from interwild_ros.networks.variants import VARIANTS
from interwild_ros.testing.some_streams import SomeJointPairs
from interwild_ros.train.repeating import RepeatingStream
import pytest
import torch

SPACES = VARIANTS['compact'].spaces


class Counting:
    """A stream that counts what is asked of it."""

    def __init__(self):
        self.asked = []
        self._stream = SomeJointPairs(SPACES)

    def draw(self, indices):
        self.asked += indices
        return self._stream.draw(indices)


def marked(batch, indices):
    return batch._replace(interacting=torch.tensor([float(i) for i in indices]))


def stream(turns=3, distance=4):
    counting = Counting()
    return RepeatingStream(counting, marked, turns, distance), counting


def rows(batches):
    """Return the joints of all samples, in order of neither."""
    joints = torch.cat([batch.joints.flatten(1) for batch in batches])
    return joints[joints[:, 0].argsort()]


def test_a_sample_is_drawn_once_and_comes_in_all_its_turns():
    repeating, counting = stream()
    batches = [repeating.draw(range(n * 6, n * 6 + 6)) for n in range(12)]
    assert counting.asked == sorted(set(counting.asked))
    shown = torch.cat([batch.joints[:, 0, 0, 0] for batch in batches])
    _, counts = shown.unique(return_counts=True)
    # the first ones come a second time for want of others, the last ones have turns to come
    assert counts.float().mean() == pytest.approx(3.0, abs=0.5)
    assert counts.max() <= 5


def test_only_later_turns_are_altered():
    repeating, _ = stream()
    batch = repeating.draw(range(60, 66))
    plain = SomeJointPairs(SPACES).draw(range(6)).interacting
    assert batch.interacting[2:].tolist() == [61, 62, 64, 65]
    assert set(batch.interacting[:2].tolist()) <= set(plain.tolist())


def test_samples_depend_on_their_index_alone():
    whole, _ = stream()
    batches = [whole.draw(range(n * 6, n * 6 + 6)) for n in range(10)]
    late, _ = stream()  # as after a break, or in another worker
    assert torch.equal(rows([late.draw(range(54, 60))]), rows(batches[9:]))
    other, _ = stream()
    parts = [other.draw(range(n * 2, n * 2 + 2)) for n in range(27, 30)]
    assert torch.equal(rows(parts), rows(batches[9:]))


def test_what_has_had_its_turns_is_forgotten():
    repeating, _ = stream()
    for n in range(50):
        repeating.draw(range(n * 6, n * 6 + 6))
    assert len(repeating._kept) <= 3 * 4 + 2
