import ast
import importlib
import importlib.metadata
import importlib.util
import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import opportunity as op

# Rooms of later issues may not be there yet; what is there must work.
BUILT = [n for n, m in op._HOMES.items() if importlib.util.find_spec(m or f"opportunity.{n}")]


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()


def test_import_is_quick_and_loads_no_heavy_package():
    code = (
        "import sys, time; a = time.perf_counter(); import opportunity; "
        "b = time.perf_counter(); dir(opportunity); "
        "print(b - a, *(m for m in ('pandas', 'numba', 'numpy', 'pyarrow', 'param', 'ccxt')"
        " if m in sys.modules))"
    )
    seconds, *heavy = run(code)
    assert heavy == []
    assert float(seconds) < 0.3


@pytest.mark.parametrize("name", BUILT)
def test_every_name_is_the_one_its_module_owns(name):
    home = op._HOMES[name]
    module = importlib.import_module(home or f"opportunity.{name}")
    assert getattr(op, name) is (module if home is None else getattr(module, name))
    assert name in vars(op)  # found once, it is no longer looked up


def test_names_of_the_design_are_there():
    named = {
        "Agent", "BacktestResult", "Bar", "BarStore", "Bars", "Costs", "DETECTORS", "PRESETS",
        "ReplayFeed", "RiskLimits", "ScanRules", "SimulatedFeed", "Sizing", "TIMEFRAMES",
        "TradeRules", "Weights", "backtest", "detectors", "indicators", "read_bars", "resample",
        "scan", "score", "search", "sweep", "walk_forward",
    }  # fmt: skip
    assert named <= set(op._HOMES)


def test_the_package_of_backtests_is_called_as_its_function_is():
    from opportunity.backtest import engine

    assert inspect.signature(op.backtest) == inspect.signature(engine.backtest)
    with pytest.raises(TypeError, match="bars must be Bars"):
        op.backtest(42)


def test_help_of_backtest_is_that_of_the_function():
    text = pydoc.render_doc(op.backtest, renderer=pydoc.plaintext)
    assert "Trade history as the live agent would have traded it." in text
    assert "op.backtest(" in text
    assert "    cash=10000.0," in text
    assert "BacktestResult" in text
    assert "Raises\n" in inspect.getdoc(op.backtest)
    code = "import sys, opportunity.backtest; print('opportunity.backtest.engine' in sys.modules)"
    assert run(code) == ["False"]


def test_dir_lists_every_public_name():
    assert {*op._HOMES, "__version__", "__doc__"} <= set(dir(op))


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(op.__file__).read_text())
    block = next(n for n in tree.body if isinstance(n, ast.If))
    seen = {}
    for node in block.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name  # else it is private to strict checkers
                seen[alias.name] = None if node.module == "opportunity" else node.module
    # The package answers to the call of the function, which is what a reader of code sees.
    assert seen == op._HOMES | {"backtest": "opportunity.backtest.engine"}


def test_unknown_names_are_answered_with_a_near_one():
    with pytest.raises(AttributeError, match="Did you mean 'resample'"):
        op.resampel  # noqa: B018 - looking is the test
    with pytest.raises(AttributeError, match=r"was 'zzz'.*Known: Agent"):
        op.zzz  # noqa: B018 - looking is the test
    assert not hasattr(op, "__path_of_nothing__")


def test_version_is_a_string():
    assert isinstance(op.__version__, str)
    assert op.__version__


def test_version_comes_from_the_installed_package():
    try:
        installed = importlib.metadata.version("opportunity")
    except importlib.metadata.PackageNotFoundError:
        installed = "0+unknown"
    assert op.__version__ == installed


def test_from_import_works():
    code = "from opportunity import Bars, resample; print(Bars.__name__, resample.__name__)"
    assert run(code) == ["Bars", "resample"]
