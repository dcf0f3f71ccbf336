"""Which detectors have what they read: what is absent is missing, never neutral."""

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors import DETECTORS
from opportunity.market.bars import FloatArray


def existing(scores: FloatArray | None = None) -> NDArray[np.bool_]:
    """Tell for each detector whether it has what it reads.

    Parameters
    ----------
    scores : ndarray, shape (..., n_detectors), optional
        A detector that reads more than bars counts where it has any score here.

    Returns
    -------
    ndarray of bool, shape (n_detectors,)
    """
    found = np.array([not d.needs for d in DETECTORS])
    if scores is not None:
        found |= np.isfinite(scores.reshape(-1, len(DETECTORS))).any(axis=0)
    return found
