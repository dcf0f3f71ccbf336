from importlib import metadata

import pytest

from app.doctor.software import check_packages, check_python


@pytest.mark.parametrize(
    ("version", "verdict"), [((3, 11, 0), "OK"), ((3, 13, 1), "OK"), ((3, 10, 9), "FAIL")]
)
def test_python(version, verdict):
    assert check_python(version).verdict == verdict


def of(**others):
    def version(name):
        if name in others:
            if others[name] is None:
                raise metadata.PackageNotFoundError(name)
            return others[name]
        return "9999.1"

    return version


def test_packages_as_they_are_here():
    assert check_packages().verdict in ("OK", "WARN")


def test_missing_and_old_packages_fail(tmp_path):
    check = check_packages(of(ccxt="4.5.9", orjson=None), tmp_path / "no.lock")
    assert check.verdict == "FAIL"
    assert "ccxt is 4.5.9, 4.5.90 is needed" in check.text
    assert "orjson is missing" in check.text
    assert check_packages(of(), tmp_path / "no.lock").verdict == "OK"


def test_other_versions_than_tested_warn(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "numpy==1.0 ; python_full_version < '3.12' \\\n    --hash=sha256:0\n"
        "numpy==9999.1 ; python_full_version >= '3.12' \\\n    --hash=sha256:0\n"
        "param==1.2.3 \\\n    --hash=sha256:0\nabsent==3\n"
    )
    check = check_packages(of(absent=None), lock)
    assert check.verdict == "WARN"
    assert "param 9999.1 (tested: 1.2.3)" in check.text
    assert "numpy" not in check.text
    assert "absent" not in check.text
    lock.write_text("param==9999.1 \\\n")
    assert check_packages(of(), lock).verdict == "OK"
