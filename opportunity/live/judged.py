"""What a batch led to: a ranking, and all that it came of besides the streams."""

from typing import NamedTuple

from opportunity.live.config import AgentConfig
from opportunity.market.trust import Faults
from opportunity.strategy import Evaluation


class Judged(NamedTuple):
    """A ranking, and all that it came of besides the streams."""

    evaluation: Evaluation
    config: AgentConfig
    faults: Faults | None
