"""What was measured, as Prometheus reads it."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from app.observing.families import (
    COUNTS,
    DURATIONS,
    PREFIX,
    counter,
    gauge,
    gauges,
    measured_families,
)
from opportunity.measured import BOUNDS_S, Measured


class Of(Collector):
    """A collector of given families."""

    def __init__(self, families) -> None:
        self._families = list(families)

    def collect(self):
        return self._families


def written(families) -> dict:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Of(families))
    text = generate_latest(registry).decode()
    return {f.name: f for f in text_string_to_metric_families(text)}


def test_what_is_not_there_is_no_number() -> None:
    assert list(gauge("x", "text", None)) == []
    assert list(counter("x", "text", None)) == []
    assert written(gauge("x", "text", True))["opportunity_x"].samples[0].value == 1.0
    assert written(counter("x", "text", 3))["opportunity_x"].samples[0].name == (
        "opportunity_x_total"
    )


def test_labels_are_kept_apart() -> None:
    (family,) = written([gauges("x", "text", "kind", [("a", 1), ("b", 2)])]).values()
    assert {s.labels["kind"]: s.value for s in family.samples} == {"a": 1.0, "b": 2.0}


def test_histograms_are_cumulative_and_complete() -> None:
    measured = Measured()
    for seconds in (2e-5, 0.003, 0.003, 7.0, 99.0):
        measured.took("detector", seconds, "smc")
    measured.took("scan", 0.2)
    families = written(measured_families(measured))
    family = families[PREFIX + DURATIONS["detector"][0]]
    bins = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}
    assert [float(le) for le in bins] == [*BOUNDS_S, float("inf")]
    assert bins["5e-05"] == 1
    assert bins["0.005"] == 3
    assert bins["10.0"] == 4
    assert bins["+Inf"] == 5
    by_name = {s.name: s.value for s in family.samples}
    assert by_name[family.name + "_count"] == 5
    assert abs(by_name[family.name + "_sum"] - 106.00602) < 1e-9
    assert {s.labels.get("detector") for s in family.samples} == {"smc"}
    assert families[PREFIX + DURATIONS["scan"][0]].samples[0].labels.keys() == {"le"}


def test_counts_without_label_begin_at_0() -> None:
    families = written(measured_families(Measured()))
    for name, _, label in COUNTS.values():
        samples = families[PREFIX + name].samples
        assert [s.value for s in samples] == ([] if label else [0.0])


def test_names_say_unit_and_nothing_twice() -> None:
    names = [name for name, _, _ in (*DURATIONS.values(), *COUNTS.values())]
    assert len(set(names)) == len(names)
    assert all(name.endswith("_seconds") for name, _, _ in DURATIONS.values())
    assert not any(name.endswith("_total") for name in names)
