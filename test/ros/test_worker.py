import threading
import time

from interwild_ros.ros.worker import Mailbox, Turns, Worker
import pytest


def taken_in(seconds, mailbox):
    taken = []
    thread = threading.Thread(target=lambda: taken.append(mailbox.take()), daemon=True)
    thread.start()
    thread.join(seconds)
    return taken


def test_live_the_newest_item_pushes_out_the_older_one():
    mailbox = Mailbox(capacity=1, waits=False)
    assert [mailbox.put(number) for number in (1, 2, 3)] == [0, 1, 1]
    assert mailbox.take() == 3


def test_items_come_out_in_order():
    mailbox = Mailbox(capacity=4, waits=False)
    for number in range(4):
        mailbox.put(number)
    assert not mailbox.has_room
    assert [mailbox.take() for _ in range(4)] == [0, 1, 2, 3]
    assert mailbox.has_room


def test_a_waiting_put_goes_on_when_there_is_room():
    mailbox = Mailbox(capacity=1, waits=True)
    mailbox.put('first')
    second = threading.Thread(target=mailbox.put, args=('second',), daemon=True)
    second.start()
    second.join(0.05)
    assert second.is_alive()
    assert mailbox.take() == 'first'
    second.join(2.0)
    assert not second.is_alive()
    assert mailbox.take() == 'second'


def test_taking_waits_for_an_item():
    mailbox = Mailbox(capacity=1, waits=False)
    assert taken_in(0.05, mailbox) == []
    mailbox.put('late')


@pytest.mark.parametrize('waits', [False, True])
def test_closing_frees_who_waits_and_drops_what_is_left(waits):
    mailbox = Mailbox(capacity=1, waits=waits)
    mailbox.put('left')
    putting = threading.Thread(target=mailbox.put, args=('more',), daemon=True)
    putting.start()
    mailbox.close()
    putting.join(2.0)
    assert not putting.is_alive()
    assert taken_in(2.0, mailbox) == [None]


def test_clearing_drops_what_was_not_taken():
    mailbox = Mailbox(capacity=1, waits=False)
    mailbox.put('old')
    mailbox.clear()
    assert mailbox.has_room
    mailbox.put('new')
    assert mailbox.take() == 'new'


def test_several_mailboxes_are_emptied_in_turn_however_full_one_is():
    turns = Turns(3, capacity=3)
    full, half, other = turns.mailboxes
    for number in range(3):
        full.put(('full', number))
    half.put(('half', 0))
    other.put(('other', 0))
    assert [turns.take()[0] for _ in range(4)] == ['full', 'half', 'other', 'full']
    half.put(('half', 1))
    assert [turns.take() for _ in range(2)] == [('half', 1), ('full', 2)]


def test_in_turn_each_mailbox_pushes_out_its_own_items_alone():
    turns = Turns(2, capacity=1)
    fast, slow = turns.mailboxes
    assert slow.put('slow') == 0
    assert [fast.put(number) for number in range(3)] == [0, 1, 1]
    assert {turns.take(), turns.take()} == {'slow', 2}


@pytest.mark.parametrize('number', [0, 1])
def test_taking_in_turn_waits_for_an_item_of_any_mailbox(number):
    turns = Turns(2, capacity=1)
    taken = []
    taking = threading.Thread(target=lambda: taken.append(turns.take()), daemon=True)
    taking.start()
    taking.join(0.05)
    assert taking.is_alive()
    turns.mailboxes[number].put('late')
    taking.join(2.0)
    assert taken == ['late']


def test_closing_turns_frees_who_waits_and_drops_what_is_left():
    turns = Turns(2, capacity=1)
    turns.mailboxes[1].put('left')
    turns.close()
    assert taken_in(2.0, turns) == [None]


def test_a_worker_does_its_items_in_order_and_stops():
    done = []
    mailbox = Mailbox(capacity=1, waits=True)
    worker = Worker('test', done.append, mailbox)
    for number in range(50):
        mailbox.put(number)
    while len(done) < 50:
        time.sleep(0.001)
    worker.stop()
    worker.check()
    assert done == list(range(50))


def test_stopping_finishes_the_item_in_work():
    begun, done = threading.Event(), []

    def work(item):
        begun.set()
        time.sleep(0.1)
        done.append(item)

    mailbox = Mailbox(capacity=2, waits=False)
    worker = Worker('test', work, mailbox)
    mailbox.put('in work')
    mailbox.put('waiting')
    begun.wait(2.0)
    worker.stop()
    assert done == ['in work']


def test_what_ends_a_worker_is_raised_where_it_is_asked_for():
    mailbox = Mailbox(capacity=1, waits=False)
    worker = Worker('test', lambda item: 1 / item, mailbox)
    worker.check()
    mailbox.put(0)
    worker._thread.join(2.0)
    with pytest.raises(ZeroDivisionError):
        worker.check()
    worker.stop()
