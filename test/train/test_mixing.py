"""Which sample comes when: equal groups, every process its own, and nothing lost on resuming."""

from collections import Counter
import json

from interwild_ros.errors import SettingError
from interwild_ros.records import Side
from interwild_ros.testing.some_annotations import IMAGE_SIZE, some_annotation
from interwild_ros.train.mixing import BatchPlan, Draw, MixedBatches, Mixture, Progress
from interwild_ros.train.sources import AnnotatedPictures
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

SEED = 5


class Numbers:
    """A data set whose samples say where they come from and what was drawn for them."""

    def __init__(self, name, length):
        self.name = name
        self.length = length

    def __len__(self):
        return self.length

    def sample(self, index, rng):
        return self.name, index, float(rng.random())


def located(mixture, epoch=0):
    places = [mixture.locate(Draw(epoch, place)) for place in range(len(mixture))]
    return [(source.name, index) for source, index in places]


def drawn(batches):
    return [draw for batch in batches for draw in batch]


def test_groups_are_equally_long_and_the_longer_one_is_seen_once():
    mixture = Mixture([[Numbers('a', 7), Numbers('b', 4)], [Numbers('c', 3)]], seed=SEED)
    places = located(mixture)
    assert len(places) == len(mixture) == 22
    assert Counter(places[:11]) == Counter(
        [('a', i) for i in range(7)] + [('b', i) for i in range(4)]
    )
    assert {name for name, _ in places[11:]} == {'c'}


def test_the_shorter_group_repeats_while_whole_repetitions_fit_then_draws():
    mixture = Mixture([[Numbers('long', 11)], [Numbers('short', 3)]], seed=SEED)
    short = [index for _, index in located(mixture)[11:]]
    assert short[:9] == [0, 1, 2] * 3
    tails = {tuple(i for _, i in located(mixture, epoch)[20:]) for epoch in range(20)}
    assert {len(tail) for tail in tails} == {2}
    assert {index for tail in tails for index in tail} == {0, 1, 2}
    assert len(tails) > 1  # anew in each epoch
    assert located(mixture, 3) == located(mixture, 3)  # but the same when asked again


def test_a_group_without_samples_falls_away_and_no_sample_at_all_is_refused():
    assert len(Mixture([[Numbers('a', 7)], [], [Numbers('b', 0)]], seed=SEED)) == 7
    with pytest.raises(SettingError, match='0 samples'):
        Mixture([[], [Numbers('b', 0)]], seed=SEED)


def test_a_sample_depends_on_seed_epoch_and_place_alone():
    groups = [[Numbers('a', 7)]]
    first, again, other = (Mixture(groups, seed=seed) for seed in (1, 1, 2))
    assert first[Draw(0, 3)] == again[Draw(0, 3)]
    different = {first[Draw(0, 3)], first[Draw(1, 3)], other[Draw(0, 3)]}
    assert len({value for _, _, value in different}) == 3


def test_processes_share_an_epoch_without_overlap():
    plan = BatchPlan(length=50, batch_size=4, world_size=3, seed=SEED)
    shares = [drawn(MixedBatches(plan, rank=rank)) for rank in range(3)]
    assert [len(share) for share in shares] == [16, 16, 16]  # 4 batches; 2 samples are left out
    together = [draw.place for share in shares for draw in share]
    assert len(set(together)) == 48
    assert set(together) <= set(range(50))


def test_every_epoch_is_shuffled_in_its_own_way_by_the_seed():
    plan = BatchPlan(length=40, batch_size=4, world_size=1, seed=SEED)
    batches = MixedBatches(plan)
    first = drawn(batches)
    assert [d.place for d in first] != sorted(d.place for d in first)
    for _ in range(len(batches)):
        batches.advance()
    assert batches.progress == Progress(epoch=1, batch=0)
    second = drawn(batches)
    assert {d.epoch for d in second} == {1}
    assert [d.place for d in first] != [d.place for d in second]
    assert drawn(MixedBatches(plan)) == first


def run(batches, steps):
    """Train for some steps as a loop does, with a loader that reads ahead."""
    seen = []
    while len(seen) < steps:
        ahead = list(batches)  # everything is read before the first step
        for batch in ahead[: steps - len(seen)]:
            seen.append(batch)
            batches.advance()
    return seen


@pytest.mark.parametrize('killed_after', [1, 5, 9, 10, 13])
def test_a_killed_run_that_resumes_sees_what_the_unbroken_one_sees(killed_after):
    plan = BatchPlan(length=43, batch_size=4, world_size=1, seed=SEED)
    unbroken = run(MixedBatches(plan), 25)
    before = MixedBatches(plan)
    first = run(before, killed_after)
    saved = json.loads(json.dumps(before.state_dict()))
    after = MixedBatches(plan)
    after.load_state_dict(saved)
    assert first + run(after, 25 - killed_after) == unbroken


@pytest.mark.parametrize(
    ('name', 'other'), [('length', 44), ('batch_size', 5), ('world_size', 2), ('seed', 6)]
)
def test_a_position_of_another_plan_is_refused_with_both_values(name, other):
    plan = {'length': 43, 'batch_size': 4, 'world_size': 1, 'seed': SEED}
    saved = MixedBatches(BatchPlan(**plan | {name: other})).state_dict()
    with pytest.raises(SettingError, match=rf'{name} {other}, this run has {plan[name]}'):
        MixedBatches(BatchPlan(**plan)).load_state_dict(saved)


def test_an_epoch_without_a_whole_batch_and_a_rank_outside_are_refused():
    with pytest.raises(SettingError, match=r'7 samples.*batch of 4 for each of 2'):
        BatchPlan(length=7, batch_size=4, world_size=2, seed=SEED)
    plan = BatchPlan(length=8, batch_size=4, world_size=2, seed=SEED)
    with pytest.raises(SettingError, match='rank is 2'):
        MixedBatches(plan, rank=2)


class MadeUpSet:
    """Annotations as a reader of files gives them."""

    name = 'made up'
    has_3d = True

    def __init__(self, annotations):
        self.annotations = annotations

    def __len__(self):
        return len(self.annotations)

    def __getitem__(self, index):
        return self.annotations[index]


def test_a_loader_makes_batches_of_augmented_samples(hand_models):
    annotations = [some_annotation(hand_models, *Side, seed=seed) for seed in range(3)]
    picture = np.full((IMAGE_SIZE[1], IMAGE_SIZE[0], 3), 200, np.uint8)
    source = AnnotatedPictures(MadeUpSet(annotations), lambda _: picture, hand_models)
    mixture = Mixture([[source]], seed=SEED)
    plan = BatchPlan(length=len(mixture), batch_size=3, world_size=1, seed=SEED)
    loader = DataLoader(mixture, batch_sampler=MixedBatches(plan))
    (batch,) = list(loader)
    (again,) = list(loader)
    assert batch.picture.shape == (3, 3, 512, 384)
    assert batch.targets.vertices_m.shape == (3, 1556, 3)
    assert batch.validity.has_3d.shape == (3,)
    assert len(torch.unique(batch.targets.box_sizes)) == 12  # each with a draw of its own
    torch.testing.assert_close(batch, again)
