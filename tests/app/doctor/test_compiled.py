from app.doctor.compiled import check_kernels, kernel_names
from opportunity.kernels import HOME, ROOT, module_hash


def test_names_of_kernels():
    source = (
        "from opportunity.kernels import kernel\n"
        "@kernel\ndef one(x):\n    return x\n\n@other\ndef two(x):\n    return x\n"
        "@kernel\ndef _three(x):\n    return x\n"
    )
    assert kernel_names(source) == {"one", "_three"}
    assert kernel_names("def one(): pass") == set()


def test_nothing_is_compiled_in_an_empty_folder(tmp_path):
    check = check_kernels(tmp_path)
    assert check.verdict == "WARN"
    assert check.text.startswith("0 of ")
    assert "about 90 s longer" in check.text
    assert check.advice == "run `opportunity warm` once"
    assert list(tmp_path.iterdir()) == []


def test_compiled_ones_are_counted(tmp_path):
    path = ROOT / "indicators" / "average.py"
    folder = tmp_path / module_hash(path) / "indicators_0123"
    folder.mkdir(parents=True)
    (folder / "average.sma_step-40.py311.nbi").touch()
    (folder / "average._run_sma-60.py311.nbi").touch()
    (folder / "average._run_sma-60.py311.1.nbc").touch()
    (folder / "average.gone-60.py311.nbi").touch()
    stale = tmp_path / ("0" * 16)
    stale.mkdir()
    (stale / "average._run_ema-60.py311.nbi").touch()
    assert check_kernels(tmp_path).text.startswith("2 of ")


def test_real_names_are_understood():
    if any(HOME.rglob("*.nbi")):  # as numba writes them
        assert int(check_kernels(HOME).text.split()[0]) > 0
