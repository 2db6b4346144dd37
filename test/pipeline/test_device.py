from interwild_ros.errors import DeviceError, SettingError
from interwild_ros.pipeline.device import choose_device
import pytest
import torch

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason='a GPU is here')


def test_the_cpu_is_always_there():
    assert choose_device('cpu', require_gpu=False) == (torch.device('cpu'), ())


@without_gpu
def test_an_absent_gpu_falls_back_with_a_warning_that_says_so():
    device, warnings = choose_device('cuda:1', require_gpu=False)
    assert device.type == 'cpu'
    assert 'cuda:1' in warnings[0]
    assert choose_device('auto', require_gpu=False)[1] == ()


@without_gpu
@pytest.mark.parametrize('wanted', ['auto', 'cuda'])
def test_a_required_gpu_that_is_absent_is_an_error(wanted):
    with pytest.raises(DeviceError, match='0 GPUs'):
        choose_device(wanted, require_gpu=True)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU is here')
def test_auto_takes_the_gpu():
    assert choose_device('auto', require_gpu=True)[0].type == 'cuda'


@pytest.mark.parametrize('word', ['gpu', 'cuda:x', 'cpu:1', ''])
def test_another_word_is_refused(word):
    with pytest.raises(SettingError, match='wanted auto'):
        choose_device(word, require_gpu=False)
