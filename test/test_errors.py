import pickle

from interwild_ros.errors import InputError


def test_an_error_of_a_picture_is_the_same_in_another_process():
    error = pickle.loads(pickle.dumps(InputError('bad_size', 'the width is 0, wanted 1 or more')))
    assert isinstance(error, InputError)
    assert error.cause == 'bad_size'
    assert str(error) == 'the width is 0, wanted 1 or more'
