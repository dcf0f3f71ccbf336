"""Pictures for notebooks, results and pages; HoloViews is imported only when one is made."""

from opportunity.plots.backtest_chart import backtest as backtest
from opportunity.plots.decay import decay_chart as decay_chart
from opportunity.plots.looks import rendered as rendered
from opportunity.plots.reliability import calibration_chart as calibration_chart
from opportunity.plots.reliability import reliability_chart as reliability_chart
from opportunity.plots.research_charts import surface as surface
from opportunity.plots.research_charts import sweep as sweep
from opportunity.plots.research_charts import walk_forward as walk_forward
from opportunity.plots.score_chart import score_chart as score_chart
