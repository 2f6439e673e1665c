"""The earth mover's distance between samples, exactly."""

import numpy as np
from torch import Tensor


def exact_em(first: Tensor, second: Tensor) -> float:
    """EM distance between the uniform distributions on equally many points (N, D) each.

    Some one-to-one assignment is then an optimal transport plan (Birkhoff's theorem), so that an assignment
    problem takes the place of the linear program; it takes N^3 operations.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    costs = cdist(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))
    return float(costs[linear_sum_assignment(costs)].mean())
