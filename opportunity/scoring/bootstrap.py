"""How far a number would have strayed on other samples of the same market: blocks drawn anew.

Calls that overlap or stand near each other are alike, so single calls must not be drawn; blocks
of neighbouring ones are. Time runs in a circle, so that every part of it is drawn equally often.

Source: Politis, Romano, "A circular block-resampling procedure for stationary data", 1992, and
"The stationary bootstrap", Journal of the American Statistical Association 89, 1994.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import unknown
from opportunity.market.bars import FloatArray

Kind = Literal["moving", "stationary"]
KINDS: Final[tuple[Kind, ...]] = ("moving", "stationary")

N_DRAWS: Final = 1_000
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Resamples of n places in order, as blocks; arrays of shape (n_draws, n_blocks).

    Parameters
    ----------
    n : int
        Places.
    starts, lengths : ndarray of int64
        A block runs over `lengths` places from `starts` on, from the last to the first place
        too; lengths of a draw sum to n.
    """

    n: int
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sums of each resample.

        Parameters
        ----------
        values : ndarray of shape (n,) or (n, m)

        Returns
        -------
        ndarray of shape (n_draws,) or (n_draws, m)
        """
        if len(values) != self.n:
            raise ValueError(f"values must be of length {self.n}, was {len(values)}")
        columns = values.reshape(self.n, -1)
        found = np.empty((len(self.starts), columns.shape[1]))
        ends = self.starts + self.lengths
        # A column at a time: the running sums stay in the cache while blocks pick from them.
        for i, column in enumerate(columns.T):
            running = np.concatenate([[0.0], np.cumsum(np.concatenate([column, column]))])
            found[:, i] = (running[ends] - running[self.starts]).sum(axis=1)
        return found[:, 0] if values.ndim == 1 else found

    def places(self) -> NDArray[np.int64]:
        """Return the drawn places themselves, shape (n_draws, n); for small samples."""
        flat = self.lengths.reshape(-1)
        first = np.repeat(self.starts.reshape(-1) - (np.cumsum(flat) - flat), flat)
        return ((first + np.arange(flat.sum())) % self.n).reshape(-1, self.n)


def draw_blocks(
    n: int, block: int, n_draws: int = N_DRAWS, seed: int = 0, kind: Kind = "moving"
) -> Draws:
    """Draw resamples in blocks.

    Parameters
    ----------
    n : int
        Places in order, >= 1.
    block : int
        Length of a block, >= 1; with ``stationary`` the mean of lengths that are geometric.
    n_draws : int
        Resamples, >= 1.
    seed : int
        The same seed draws the same blocks.
    kind : {"moving", "stationary"}

    Raises
    ------
    ValueError
        If a number is out of its range or the kind unknown.
    """
    for name, value in (("n", n), ("block", block), ("n_draws", n_draws)):
        if value < 1:
            raise ValueError(f"{name} must be >= 1, was {value}")
    if kind not in KINDS:
        raise ValueError(unknown("kind", kind, KINDS))
    block = min(block, n)
    rng = np.random.default_rng(seed)
    if kind == "moving":
        n_blocks = -(-n // block)
        lengths = np.full((n_draws, n_blocks), block, np.int64)
    else:
        # So many that a draw too short is out of the question; what is too much is cut below.
        n_blocks = min(n, int(n / block + 10 * np.sqrt(n / block) + 10))
        lengths = rng.geometric(1.0 / block, (n_draws, n_blocks)).astype(np.int64)
    ends = np.minimum(np.cumsum(lengths, axis=1), n)
    ends[:, -1] = n
    lengths = np.diff(ends, axis=1, prepend=0)
    return Draws(n, rng.integers(0, n, lengths.shape), lengths)


def interval(draws: FloatArray, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Return the bounds between which `level` of the draws lie, along the first axis; NaN aside."""
    tail = (1.0 - level) / 2.0
    low, high = np.nanquantile(draws, [tail, 1.0 - tail], axis=0)
    return low, high
