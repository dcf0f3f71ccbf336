"""The detectors that have a name and a weight but no kernel yet: always unavailable.

They go through the same machinery as the built ones, so weights, scans and pages already treat
them as what they are: absent, never neutral.
"""

from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.base import Detector
from opportunity.detectors.events import EVENT, N_EVENTS
from opportunity.kernels import kernel

STATE: Final = np.dtype(
    [("n", "i8"), ("n_events", "i4"), ("events", EVENT, (N_EVENTS,))], align=True
)
PARAMS: Final = np.dtype([("unused", "i8")])


@kernel
def run(
    states: Any, rows: Any, params: Any, time: Any, values: Any,
    obs: Any, out: Any, events: Any, counts: Any,
) -> None:  # fmt: skip
    """Count the bars and leave every output NaN; see `Detector`."""
    for k in range(rows.size):
        for j in range(time.shape[1]):
            if not np.isnan(values[k, j, 3]):
                states[rows[k]].n += 1
        out[k] = np.nan


class Pending(Detector):
    """A detector that is not built yet: score and confidence are NaN on every bar.

    Source: none; it holds the place of its name.
    """

    built = False
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)

    def _pack(self) -> np.ndarray[Any, Any]:
        return np.zeros(1, PARAMS)


class Harmonic(Pending):
    """Harmonic patterns on swing pivots; not built yet, always unavailable.

    Source: Carney, Harmonic Trading, 2010.
    """

    name = param.String("harmonic", constant=True, doc="Name on the wire and in weights.")
    title = "Harmonic"


class Elliott(Pending):
    """Elliott wave counts on swing pivots; not built yet, always unavailable.

    Source: Frost and Prechter, Elliott Wave Principle.
    """

    name = param.String("elliott", constant=True, doc="Name on the wire and in weights.")
    title = "Elliott"


class Smc(Pending):
    """Market structure, order blocks and gaps; not built yet, always unavailable.

    Source: none published; practice known as smart money concepts.
    """

    name = param.String("smc", constant=True, doc="Name on the wire and in weights.")
    title = "SMC"


class Sentiment(Pending):
    """Fear & Greed, funding and open interest; not built yet, always unavailable.

    Source: see docs/detectors when it is built.
    """

    name = param.String("sentiment", constant=True, doc="Name on the wire and in weights.")
    title = "Sentiment"


class News(Pending):
    """Tone and impact of headlines; not built yet, always unavailable.

    Source: Loughran and McDonald, Journal of Finance, 2011, for negation.
    """

    name = param.String("news", constant=True, doc="Name on the wire and in weights.")
    title = "News"


class Whales(Pending):
    """Large prints, order flow and transfers; not built yet, always unavailable.

    Source: Cont, Kukanov and Stoikov, Journal of Financial Econometrics, 2014.
    """

    name = param.String("whales", constant=True, doc="Name on the wire and in weights.")
    title = "Whales"
