import argparse

from interwild_ros.cli.flags import add_setting_flags, given_settings
from interwild_ros.config import CameraSettings, Settings, settings_of
from interwild_ros.errors import SettingError
import pytest

ALL = [(kind, setting) for kind in (Settings, CameraSettings) for setting in settings_of(kind)]


def parsed(kind, *words, only=()):
    parser = argparse.ArgumentParser()
    add_setting_flags(parser, kind, title='settings', only=only)
    return given_settings(parser.parse_args(words), kind)


def as_words(setting, value):
    flag = f'--{setting.name.replace("_", "-")}'
    if setting.type is bool:
        return [flag if value else flag.replace('--', '--no-', 1)]
    if setting.type is tuple:
        return [flag, ','.join(value)]
    return [flag, str(value)]


@pytest.mark.parametrize('kind', [Settings, CameraSettings])
def test_nothing_given_is_nothing_set(kind):
    assert parsed(kind) == {}


@pytest.mark.parametrize(
    ('kind', 'setting'),
    [(kind, s) for kind in (Settings, CameraSettings) for s in settings_of(kind)],
)
def test_every_setting_has_a_flag_that_sets_it(kind, setting):
    value = setting.default or (setting.choices or ('text',))[0]
    if setting.type is bool:
        value = not setting.default
    elif setting.type is tuple:
        value = ('front', 'wrist')
    elif setting.type is not str:
        value = setting.type(setting.high if setting.high is not None else setting.default)
    assert parsed(kind, *as_words(setting, value)) == {setting.name: value}


@pytest.mark.parametrize('kind', [Settings, CameraSettings])
def test_help_says_what_every_setting_is(kind, capsys):
    with pytest.raises(SystemExit):
        parsed(kind, '--help')
    text = ' '.join(capsys.readouterr().out.split())
    for setting in settings_of(kind):
        assert ' '.join(setting.help.split()[:3]) in text


def test_a_value_out_of_range_is_refused_by_name():
    with pytest.raises(SettingError, match=r'min_score is 7\.0, wanted 0 to 1'):
        parsed(Settings, '--min-score', '7')


def test_only_the_named_settings_are_offered():
    with pytest.raises(SystemExit):
        parsed(Settings, '--threads', '2', only=('variant',))
