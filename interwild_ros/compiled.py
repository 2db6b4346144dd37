"""Loops over the few numbers of a frame, compiled by numba.

What is done between the networks and the messages is arithmetic on some ten or hundred numbers.
NumPy spends most of its time there on the way into its loops and out of them; compiled, it is a
tenth. Compiled code is kept on disk beside its file, or in the user's cache where that folder is
not writable, so that only the first process after an installation compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

_Function = TypeVar('_Function', bound=Callable[..., Any])


def compiled_with(**options: Any) -> Callable[[_Function], _Function]:
    """Return what has a function compiled when it is first called, with options of numba's `njit`.

    It is compiled for the types of each call: hand it contiguous arrays of one precision. Others
    may run meanwhile.

    What is kept on disk is known by the file of the function alone: a compiled function calls only
    compiled functions of its own file, or it would go on with what these were before a change.
    """

    def compiled_function(function: _Function) -> _Function:
        try:
            kept: _Function = numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # no folder can be written to: each process compiles for itself
            forgotten: _Function = numba.njit(nogil=True, **options)(function)
            return forgotten
        return kept

    return compiled_function


compiled = compiled_with(error_model='numpy')
"""As `compiled_with`; division by zero gives infinity or NaN, as NumPy's does, unwarned."""
