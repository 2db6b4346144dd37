from interwild_ros.ros.stamps import Order, StampOrder


def test_time_goes_forward_repeats_or_goes_back():
    order = StampOrder()
    assert order.compare(0) is Order.FORWARD
    order.accept(10)
    assert order.compare(11) is Order.FORWARD
    assert order.compare(10) is Order.REPEATED
    assert order.compare(9) is Order.BACKWARD


def test_a_stamp_that_was_not_accepted_does_not_count():
    order = StampOrder()
    order.accept(10)
    order.compare(20)
    assert order.compare(15) is Order.FORWARD


def test_after_forgetting_any_stamp_is_forward():
    order = StampOrder()
    order.accept(10)
    order.forget()
    assert order.compare(1) is Order.FORWARD
    assert order.compare(10) is Order.FORWARD
