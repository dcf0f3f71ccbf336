"""Which assets move as one: agglomerative clusters of correlations."""

import numpy as np

from opportunity.market.bars import FloatArray


def clusters_of(correlations: FloatArray, least: float = 0.7) -> tuple[tuple[int, ...], ...]:
    """Group assets whose correlations are high on average.

    Parameters
    ----------
    correlations : ndarray of shape (n_assets, n_assets)
        Symmetric, in [-1, 1]; NaN where unknown: such a pair keeps clusters apart.
    least : float
        Two clusters become one while the mean correlation between their members is at least
        this, [-1, 1].

    Returns
    -------
    tuple of tuples of int
        Members ascending; clusters by their first member. The same matrix always gives the same
        clusters, and its order only renames them unless two pairs are equally near.

    Raises
    ------
    ValueError
        If the matrix is not square, or `least` out of its range.

    Notes
    -----
    Average linkage (UPGMA) on the distance 1 - correlation, cut at 1 - least; of equally near
    pairs the first one in row order is joined. Cost O(n^3). Source: Sokal and Michener, 1958, A
    statistical method for evaluating systematic relationships, University of Kansas Science
    Bulletin 38.
    """
    n = len(correlations)
    if correlations.shape != (n, n):
        raise ValueError(f"correlations must be square, were of shape {correlations.shape}")
    if not -1.0 <= least <= 1.0:
        raise ValueError(f"least correlation must be in [-1, 1], was {least}")
    distance = np.where(np.isfinite(correlations), 1.0 - correlations, np.inf)
    np.fill_diagonal(distance, np.inf)
    members: list[list[int]] = [[i] for i in range(n)]
    while n > 1:
        first, second = divmod(int(distance.argmin()), n)
        if not distance[first, second] <= 1.0 - least:
            break
        first, second = min(first, second), max(first, second)
        _join(distance, members, first, second)
        members[first] += members[second]
        members[second] = []
    found = [tuple(sorted(group)) for group in members if group]
    return tuple(sorted(found))


def _join(distance: FloatArray, members: list[list[int]], first: int, second: int) -> None:
    """Make row `first` the mean of both, by their sizes, and take `second` out."""
    a, b = len(members[first]), len(members[second])
    mean = (a * distance[first] + b * distance[second]) / (a + b)
    mean[first] = np.inf
    distance[first], distance[:, first] = mean, mean
    distance[second], distance[:, second] = np.inf, np.inf
