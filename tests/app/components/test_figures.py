from app.components.figures import figured_module, figured_style
from app.components.island import COMMON_CSS, COMMON_JS


def test_a_component_has_what_all_share_and_figures_before_its_own() -> None:
    module = figured_module("exposure")
    assert module.startswith(COMMON_JS)
    assert module.index("function money(") < module.index("export function render(")
    assert figured_style("exposure").startswith(COMMON_CSS)
    assert ".track" in figured_style("exposure")
