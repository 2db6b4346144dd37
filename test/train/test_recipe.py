import math
from pathlib import Path

from interwild_ros.errors import AssetError, SettingError
from interwild_ros.train.recipe import read_recipe, recipe_from, TASKS
from interwild_ros.train.recipe_sections import CropData
import pytest

CONFIG = Path(__file__).resolve().parents[2] / 'config' / 'train'
BUDGET = {'optimisation': {'steps': 5}}


@pytest.mark.parametrize('name', ['compact', 'compact_gpu', 'compact_further', 'official'])
def test_the_recipes_that_ship_are_read(name):
    recipe = read_recipe(CONFIG / f'{name}.yaml')
    assert recipe.general.variant == name.partition('_')[0]
    assert {task.name for task in recipe.tasks} <= set(TASKS)


def test_the_official_recipe_is_the_papers():
    optimisation = read_recipe(CONFIG / 'official.yaml').task('joint').optimisation
    assert (optimisation.epochs, optimisation.batch_size, optimisation.learning_rate) == (
        *(7, 128, 1e-4),
    )
    assert optimisation.optimizer == 'adam'
    assert optimisation.drops == (4,)
    assert optimisation.clip_norm == optimisation.weight_decay == optimisation.average_decay == 0


@pytest.mark.parametrize(
    ('content', 'named'),
    [
        ({'tasks': {'shnet': BUDGET}, 'speed': 3}, 'speed'),
        ({'tasks': {'shnets': BUDGET}}, 'shnets'),
        ({'tasks': {'shnet': {**BUDGET, 'loss': {}}}}, 'loss'),
        ({'tasks': {'shnet': {**BUDGET, 'losses': {'mesh': 1.0}}}}, 'mesh'),
        ({'tasks': {'shnet': {'optimisation': {'steps': 5, 'lr': 1e-3}}}}, 'lr'),
        ({'tasks': {'shnet': BUDGET}, 'running': {'worker': 1}}, 'worker'),
    ],
)
def test_a_name_that_is_not_known_is_refused_and_named(content, named):
    with pytest.raises(SettingError, match=rf'\b{named}\b'):
        recipe_from(content)


@pytest.mark.parametrize('budget', [{}, {'steps': 5, 'seconds': 1.0}, {'steps': 5, 'epochs': 1}])
def test_there_is_one_budget(budget):
    with pytest.raises(SettingError, match='budget'):
        recipe_from({'tasks': {'shnet': {'optimisation': budget}}})


def test_a_value_out_of_range_is_refused_with_its_place():
    with pytest.raises(SettingError, match=r'tasks\.shnet\.optimisation: batch_size is 0'):
        recipe_from({'tasks': {'shnet': {'optimisation': {'steps': 5, 'batch_size': 0}}}})


def test_drops_of_the_learning_rate_are_numbers():
    budget = {'steps': 5, 'drops': [0.5, 4]}
    found = recipe_from({'tasks': {'shnet': {'optimisation': budget}}}).task('shnet')
    assert found.optimisation.drops == (0.5, 4)
    with pytest.raises(SettingError, match="optimisation: drops has '4', nan, wanted numbers"):
        recipe_from({'tasks': {'shnet': {'optimisation': {**budget, 'drops': ['4', math.nan]}}}})


def test_crops_for_shnet_are_not_all_as_they_should_be_and_a_recipe_says_how_many():
    assert recipe_from({'tasks': {'shnet': BUDGET}}).task('shnet').data == CropData()
    data = {'mirrored': 0.0, 'strays': 0.5, 'loose': 1.0, 'turns': 3}
    found = recipe_from({'tasks': {'shnet': {**BUDGET, 'data': data}}}).task('shnet').data
    assert found == CropData(**data)


@pytest.mark.parametrize('name', ['mirrored', 'strays', 'loose'])
@pytest.mark.parametrize('value', [-0.1, 1.1])
def test_shares_of_crops_are_from_0_to_1(name, value):
    content = {'tasks': {'shnet': {**BUDGET, 'data': {name: value}}}}
    with pytest.raises(SettingError, match=rf'tasks\.shnet\.data: {name} is'):
        recipe_from(content)
    with pytest.raises(SettingError, match=rf'\b{name}\b'):
        recipe_from({'tasks': {'detectnet': {**BUDGET, 'data': {name: 0.5}}}})


def test_a_recipe_without_a_task_is_refused():
    with pytest.raises(SettingError, match='tasks is empty'):
        recipe_from({'variant': 'compact'})


def test_a_file_that_is_no_recipe_is_named(tmp_path):
    with pytest.raises(AssetError, match=r'none\.yaml'):
        read_recipe(tmp_path / 'none.yaml')
    (tmp_path / 'cut.yaml').write_text('tasks: {shnet: ')
    with pytest.raises(AssetError, match=r'cut\.yaml'):
        read_recipe(tmp_path / 'cut.yaml')
    (tmp_path / 'list.yaml').write_text('- 1\n')
    with pytest.raises(SettingError, match=r'list\.yaml'):
        read_recipe(tmp_path / 'list.yaml')


def test_how_it_is_run_decides_nothing():
    one = recipe_from({'tasks': {'shnet': BUDGET}, 'running': {'workers': 1}})
    other = recipe_from({'tasks': {'shnet': BUDGET}, 'running': {'workers': 7}})
    assert one.deciding('shnet') == other.deciding('shnet')
