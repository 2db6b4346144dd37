"""A training recipe: every choice once, read from a yaml file and checked before anything runs.

A recipe has one or more tasks that are trained one after the other. `TASKS` says which there are,
and what each may be told; a name that is not known is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from interwild_ros.config import Checked, setting
from interwild_ros.errors import AssetError, SettingError
from interwild_ros.train.recipe_sections import (
    AnnotatedData,
    BodyData,
    CropData,
    DetectnetWeights,
    JointWeights,
    Optimisation,
    PairData,
    Running,
    ShnetWeights,
    TransnetWeights,
)
import yaml

# name: (weights of its losses, where its samples come from)
TASKS: dict[str, tuple[type[Checked], type[Checked]]] = {
    'shnet': (ShnetWeights, CropData),
    'detectnet': (DetectnetWeights, BodyData),
    'transnet': (TransnetWeights, PairData),
    'joint': (JointWeights, AnnotatedData),
}


@dataclass(frozen=True)
class General(Checked):
    """What all tasks of a recipe share."""

    variant: str = setting('compact', 'network sizes', choices=('official', 'compact'))
    seed: int = setting(0, 'of initial weights and of all samples', low=0, high=2**31 - 1)
    begin: str = setting('', 'weights file to begin with; empty draws initial weights')


@dataclass(frozen=True)
class TaskRecipe:
    """How one task is trained; `losses` and `data` are of the kinds that `TASKS` names."""

    name: str
    optimisation: Optimisation
    losses: Checked
    data: Checked


@dataclass(frozen=True)
class Recipe:
    """A whole recipe. `running` has no influence on what comes out."""

    general: General
    tasks: tuple[TaskRecipe, ...]
    running: Running

    def task(self, name: str) -> TaskRecipe:
        """Look a task up.

        :raises SettingError: when the recipe has none of this name.
        """
        for task in self.tasks:
            if task.name == name:
                return task
        names = ', '.join(task.name for task in self.tasks)
        raise SettingError(f'the recipe has no task {name!r}, wanted one of {names}')

    def with_optimisation(self, changes: Mapping[str, Any]) -> Recipe:
        """Return a recipe with the same changes in every task's optimisation."""
        tasks = tuple(
            replace(task, optimisation=task.optimisation.changed(changes)) for task in self.tasks
        )
        return replace(self, tasks=tasks)

    def deciding(self, name: str) -> dict[str, Any]:
        """Return what decides the outcome of a task, as plain numbers and texts by dotted name."""
        task = self.task(name)
        sections = {
            'general': self.general,
            'optimisation': task.optimisation,
            'losses': task.losses,
            'data': task.data,
        }
        return {
            f'{section}.{key}': value
            for section, record in sections.items()
            for key, value in asdict(record).items()  # type: ignore[call-overload]
        }


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    :raises AssetError: when the file cannot be read or is no yaml.
    :raises SettingError: for an unknown name or a value that is refused.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise AssetError(f'recipe {path}: cannot be read ({error.strerror})') from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise AssetError(f'recipe {path}: no yaml ({error})') from None
    try:
        return recipe_from(content)
    except SettingError as error:
        raise SettingError(f'recipe {path}: {error}') from None


def recipe_from(content: Any) -> Recipe:
    """Make a recipe of nested dictionaries."""
    content = _dictionary(content, 'the recipe', {*_names(General), 'tasks', 'running'})
    tasks = _dictionary(content.get('tasks'), 'tasks', TASKS)
    if not tasks:
        raise SettingError(f'tasks is empty, wanted one or more of {", ".join(TASKS)}')
    general = {name: value for name, value in content.items() if name in _names(General)}
    return Recipe(
        general=General(**general),
        tasks=tuple(_task(name, section) for name, section in tasks.items()),
        running=_section(Running, content.get('running'), 'running'),
    )


def _task(name: str, content: Any) -> TaskRecipe:
    weights, data = TASKS[name]
    content = _dictionary(content, f'tasks.{name}', ('optimisation', 'losses', 'data'))
    where = f'tasks.{name}.'
    return TaskRecipe(
        name=name,
        optimisation=_section(Optimisation, content.get('optimisation'), f'{where}optimisation'),
        losses=_section(weights, content.get('losses'), f'{where}losses'),
        data=_section(data, content.get('data'), f'{where}data'),
    )


def _section(kind: Any, content: Any, where: str) -> Any:
    content = _dictionary(content, where, _names(kind))
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
    try:
        return kind(**values)
    except SettingError as error:
        raise SettingError(f'{where}: {error}') from None


def _dictionary(content: Any, where: str, known: Any) -> dict[str, Any]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingError(f'{where} is {content!r}, wanted names with values')
    unknown = sorted(str(name) for name in content if name not in known)
    if unknown:
        raise SettingError(
            f'{where} has {", ".join(unknown)}, known are {", ".join(sorted(known))}'
        )
    return content


def _names(kind: Any) -> set[str]:
    return {field.name for field in fields(kind)}
