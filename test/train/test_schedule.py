from interwild_ros.train.recipe_sections import Optimisation, Running
from interwild_ros.train.schedule import Rhythm, Schedule, Spent
import pytest


def rates(optimisation, *, epoch_steps=1, count=100):
    schedule = Schedule(optimisation, epoch_steps=epoch_steps)
    return [schedule.learning_rate(Spent(step)) for step in range(count)]


def test_cosine_falls_from_the_highest_rate_to_its_last_share():
    found = rates(Optimisation(steps=100, learning_rate=2.0, last_share=0.1))
    assert found[0] == pytest.approx(2.0)
    assert found[50] == pytest.approx(1.1)
    assert found[-1] == pytest.approx(0.2, rel=0.01)
    assert found == sorted(found, reverse=True)


def test_the_warm_up_rises_evenly():
    found = rates(Optimisation(steps=10**9, learning_rate=1.0, warm_up_steps=4), count=5)
    assert found == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])


def test_the_original_divides_by_ten_from_the_fifth_epoch_on():
    optimisation = Optimisation(epochs=7, learning_rate=1e-4, schedule='step', drops=(4,))
    found = rates(optimisation, epoch_steps=10, count=70)
    assert found[:40] == pytest.approx([1e-4] * 40)
    assert found[40:] == pytest.approx([1e-5] * 30)


def test_a_budget_of_time_ends_where_its_time_ends():
    schedule = Schedule(Optimisation(seconds=60.0))
    assert schedule.fraction(Spent(10**6, 30.0)) == pytest.approx(0.5)
    assert schedule.fraction(Spent(3, 61.0)) == 1.0


def test_a_job_is_due_once_in_its_time():
    running = Running(log_every_sec=10.0)
    rhythm = Rhythm(running, Spent())
    due = [rhythm.is_time('log', Spent(s, float(s))) for s in range(1, 31)]
    assert [i + 1 for i, is_due in enumerate(due) if is_due] == [10, 20, 30]


def test_the_pace_is_that_since_it_was_last_asked():
    rhythm = Rhythm(Running(), Spent())
    assert rhythm.steps_per_sec(Spent(10, 5.0)) == pytest.approx(2.0)
    assert rhythm.steps_per_sec(Spent(11, 6.0)) == pytest.approx(1.0)
