import pytest

from app.components import local as module
from app.components.language import LANGUAGES
from app.components.local import local


@pytest.mark.parametrize("name", ["alerts_bell", "preferences"])
def test_a_part_is_closed_in_itself_and_ends_no_script(name) -> None:
    script = local(name, languages="</script>")
    assert "export" not in script
    assert "</script" not in script
    assert script.startswith(f'mount("{name}", ":host')
    assert script.rstrip().endswith("return render;\n})());")


def test_facts_come_to_the_model() -> None:
    script = local("preferences", languages=LANGUAGES)
    assert "فارسی" in script.partition("(() => {")[0]


def test_a_module_without_render_is_refused(monkeypatch, tmp_path) -> None:
    (tmp_path / "empty.js").write_text("const a = 1;")
    monkeypatch.setattr(module, "HERE", tmp_path)
    with pytest.raises(ValueError, match=r"empty\.js must export one render, has 0"):
        local("empty")
