"""One step of damped least squares in three unknowns, on plain numbers.

For three unknowns a call of LAPACK is mostly the way to it and back; this costs a third of one.
"""

from __future__ import annotations

import math

from interwild_ros.records import Array
import numpy as np


def damped_step(matrix: Array, gradient: Array, damping: float) -> Array | None:
    """Solve (matrix + damping * its diagonal) step = gradient for a step (3,).

    By LDL^T (Golub and Van Loan, Matrix Computations, 4th edition, section 4.1); the diagonal is
    Marquardt's (1963), which makes steps independent of the unknowns' units. None where that
    matrix is not positive definite, so that there is no least point, or beyond all bounds.

    :param matrix: (3, 3) symmetric; `gradient` (3,).
    """
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = matrix.tolist()
    x, y, z = gradient.tolist()
    more = 1 + damping

    first = xx * more
    if not first > 0:  # which NaN is not
        return None
    y_by_x, z_by_x = xy / first, xz / first
    second = yy * more - y_by_x * xy
    if not second > 0:
        return None
    left = yz - y_by_x * xz
    z_by_y = left / second
    third = zz * more - z_by_x * xz - z_by_y * left
    if not third > 0:
        return None

    y -= y_by_x * x
    z = (z - z_by_x * x - z_by_y * y) / third
    y = y / second - z_by_y * z
    x = x / first - y_by_x * y - z_by_x * z
    return np.array([x, y, z]) if math.isfinite(x + y + z) else None
