"""Where the money is: by asset, by side, by cluster, and how concentrated."""

from dataclasses import dataclass, field

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.risk.clusters import clusters_of
from opportunity.risk.covariance import correlations, ledoit_wolf
from opportunity.risk.held import Held
from opportunity.risk.returns import LEAST_ROWS


@dataclass(frozen=True, slots=True)
class Cluster:
    """Positions that move as one; money in quote currency."""

    symbols: tuple[str, ...]
    net: float
    gross: float


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Exposure:
    """Where the money is; money in quote currency.

    Parameters
    ----------
    long, short : float
        Notional of each side, both >= 0.
    by_asset : dict
        Signed notional by symbol, largest first.
    largest : float
        Largest notional of one symbol, as a fraction of the equity; NaN without equity.
    herfindahl : float
        Sum of the squared shares of the gross, (0, 1]; 1: all in one. 0 when nothing is held.
    clusters : tuple of Cluster or None
        Largest gross first; None while correlations are not known.
    correlation : ndarray of shape (n_positions, n_positions) or None
        From the shrunk covariance.
    """

    long: float
    short: float
    by_asset: dict[str, float]
    largest: float
    herfindahl: float
    clusters: tuple[Cluster, ...] | None
    correlation: FloatArray | None = field(repr=False)

    @property
    def effective_positions(self) -> float:
        """How many equal positions would be as concentrated: 1 / herfindahl."""
        return 0.0 if self.herfindahl == 0.0 else 1.0 / self.herfindahl


def exposure_of(held: Held, max_correlation: float = 0.7) -> Exposure:
    """Add up what is held.

    Parameters
    ----------
    held : Held
    max_correlation : float
        From here on two assets count as one, see `clusters_of`.

    Notes
    -----
    Source of the concentration: Herfindahl, 1950; Hirschman, 1964, The paternity of an index,
    American Economic Review 54.
    """
    sizes = np.abs(held.notionals)
    matrix = correlation_of(held)
    order = sorted(range(len(held.symbols)), key=lambda i: (-sizes[i], held.symbols[i]))
    largest = 0.0
    if sizes.size:
        largest = float(sizes.max()) / held.equity if held.equity > 0 else float("nan")
    return Exposure(
        long=float(held.notionals[held.notionals > 0].sum()),
        short=float(sizes[held.notionals < 0].sum()),
        by_asset={held.symbols[i]: float(held.notionals[i]) for i in order},
        largest=largest,
        herfindahl=herfindahl(held.notionals),
        clusters=None if matrix is None else _clusters(held, matrix, max_correlation),
        correlation=matrix,
    )


def herfindahl(notionals: FloatArray) -> float:
    """Return the sum of the squared shares of the gross; 0 when nothing is held."""
    gross = float(np.abs(notionals).sum())
    return 0.0 if gross == 0.0 else float(((notionals / gross) ** 2).sum())


def correlation_of(held: Held) -> FloatArray | None:
    """Return the correlations of what is held; None while they are not known."""
    if not held.symbols:
        return np.empty((0, 0))
    if not held.known or held.returns is None or len(held.returns) < LEAST_ROWS:
        return None
    return correlations(ledoit_wolf(held.moves()).covariance)


def mean_correlation(notionals: FloatArray, correlation: FloatArray) -> float:
    """Return the mean correlation of the P&L of pairs of positions, by their notionals.

    A long and a short of assets that move as one count as -1: they hedge. 0 with fewer than two
    positions; unknown pairs are left out.
    """
    products = np.outer(notionals, notionals)
    np.fill_diagonal(products, 0.0)
    known = np.isfinite(correlation)
    total = float(np.abs(products[known]).sum())
    return 0.0 if total == 0.0 else float((products[known] * correlation[known]).sum()) / total


def hours_to_leave(held: Held, share: float = 0.01) -> FloatArray:
    """Return how long leaving each position takes, hours, shape (n_positions,).

    Parameters
    ----------
    held : Held
    share : float
        Of the volume that trades meanwhile that one may be, (0, 1].

    Returns
    -------
    ndarray
        Notional by `share` of the 24 h volume, times 24; NaN where the volume is unknown,
        infinite where nothing trades.

    Raises
    ------
    ValueError
        If the share is out of its range.
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"share of the volume must be in (0, 1], was {share}")
    with np.errstate(divide="ignore"):
        hours: FloatArray = 24.0 * np.abs(held.notionals) / (share * held.volumes)
    return hours


def _clusters(held: Held, matrix: FloatArray, least: float) -> tuple[Cluster, ...]:
    found = []
    for rows in clusters_of(matrix, least):
        part = held.notionals[list(rows)]
        found.append(
            Cluster(
                tuple(held.symbols[i] for i in rows), float(part.sum()),
                float(np.abs(part).sum()),
            )
        )
    return tuple(sorted(found, key=lambda c: (-c.gross, c.symbols)))
