import resource

from interwild_ros.train.allocation import keep_freed_memory
import pytest
import torch


def faults_of_taking(count):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(count):
        torch.ones(4 << 20)  # 16 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_memory_that_is_freed_is_not_asked_for_again():
    keep_freed_memory()
    faults_of_taking(2)
    pages = 20 * (16 << 20) // resource.getpagesize()
    assert faults_of_taking(20) < pages / 4


def test_it_may_be_asked_for_twice():
    keep_freed_memory()
    keep_freed_memory()
    assert torch.ones(3).sum() == pytest.approx(3)
