"""The shape of the repository: mirrored tests, small rooms, nothing local in what is shared."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path.relative_to(ROOT)
    for room in ("opportunity", "app")
    for path in (ROOT / room).rglob("*.py")
)
MIRRORED = [
    path for path in SOURCES if path.name != "__init__.py" and "migrations" not in path.parts
]
TOP_LEVEL = {
    "app", "docs", "notebooks", "opportunity", "tests", ".ci", ".gitignore", ".gitattributes",
    "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "environment.yml",
    "pyproject.toml", "requirements.lock", "requirements-uv.lock",
}  # fmt: skip


def _mirror(source: Path) -> Path:
    parts = source.parts[1:] if source.parts[0] == "opportunity" else source.parts
    return ROOT / "tests" / Path(*parts[:-1]) / f"test_{source.name}"


@pytest.mark.parametrize("source", MIRRORED, ids=str)
def test_module_has_its_mirrored_test(source: Path) -> None:
    assert _mirror(source).exists(), f"{source} has no {_mirror(source).relative_to(ROOT)}"


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]


def test_top_level_holds_nothing_else() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in _tracked()} <= TOP_LEVEL


EXTRAS = ("postgres", "redis", "research", "tracing", "test")


def test_lock_files_carry_no_address() -> None:
    for path in ROOT.glob("requirements*.lock"):
        text = path.read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_environment_equals_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [r for name in EXTRAS for r in extras[name]]
    listed = re.findall(r"^      - (.+)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    assert listed == wanted


def test_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [r for name in EXTRAS for r in extras[name]]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    for requirement in wanted:
        name = re.split(r"[><=\[]", requirement)[0].lower().replace("_", "-")
        assert name in locked, f"{requirement} is not locked; run `make lock`"


def test_nothing_names_somebodys_home() -> None:
    local = re.compile(r"/(?:home|Users)/\w+/|[A-Z]:\\\\Users")
    for path in _tracked():
        if path.suffix in {".py", ".md", ".toml", ".yml", ".ipynb", ".js", ".css", ".svg", ""}:
            found = local.search(path.read_text(errors="replace"))
            assert found is None, f"{path.relative_to(ROOT)} holds {found.group()!r}"
