import html.parser
import math
from dataclasses import replace

from opportunity.detectors.sightings import Sighting
from opportunity.scoring.explanation import Component, Explanation
from opportunity.scoring.wording import headline, markup, sees, sighted, text, title

NAN = math.nan
NOON = 1_600_000_000_000 // 3_600_000 * 3_600_000


def seen(text, detector="smc", side=-1, age=3, kind="choch", state="active"):
    return Sighting(detector, kind, side, state, 0.5, age, NOON, text)


def part(name, score=NAN, contribution=NAN, reason="", sightings=()):
    there = score == score
    return Component(
        name, there, score, score, 0.4 if there else NAN, 0.2, contribution, 1.0 if there else NAN,
        reason, sightings,
    )


def told(**changes):
    values = {
        "timeframe": "1h", "closed": NOON, "final": 0.31, "net": -0.38, "strength": 0.38,
        "direction": "BEARISH", "advice": "SELL", "confidence": 0.2, "disagreement": 0.1,
        "coverage": 1.0, "bull_mass": 0.02, "bear_mass": 0.4, "trend": "DOWN", "volatility": 0.9,
        "flagged": False, "symbol": "BTC/USDT", "price": 64_250.0, "atr": 514.0, "rsi": 71.2,
        "components": (
            part("harmonic", reason="not in this version yet"),
            part("smc", -0.4, -0.3, sightings=(
                seen("Bearish change of character at 64,210"), seen("Bearish order block", age=1),
            )),
            part("fibonacci", 0.1, 0.02),
            part("price_action", 0.0, 0.0),
            part("sar", -0.2, -0.1, sightings=(seen("Bearish SAR flip at 65,000", "sar", age=0),)),
            part("news", reason="no data"),
        ),
    }
    return Explanation(**values | changes)


def test_headline_reads_as_a_trader_says_it():
    assert headline(told()) == (
        "Bearish 0.31, confidence 0.20: SMC bearish change of character at 64,210 (3 bars ago), "
        "bearish order block (1 bar ago); bearish SAR flip at 65,000 (now); against it Fibonacci "
        "leans up. RSI 71, trend down, high volatility (rank 0.90), ATR 0.80 % of the price. "
        "Not available: Harmonic (not in this version yet); News (no data)."
    )


def test_success_is_told_where_it_is_known():
    assert headline(told(success=0.534)).startswith(
        "Bearish 0.31, confidence 0.20, success 0.53: SMC"
    )


def test_headline_of_nothing():
    nothing = told(
        net=NAN, final=NAN, direction="NEUTRAL", confidence=NAN,
        components=(part("smc", reason="no data"), part("sar", reason="no data")),
    )
    assert headline(nothing) == "No score: no detector is available (SMC, SAR (no data))."
    assert "no net" in text(nothing)


def test_what_is_not_known_is_left_out():
    bare = headline(told(symbol="", price=NAN, atr=NAN, rsi=NAN, volatility=NAN, trend="RANGING"))
    assert "RSI" not in bare
    assert "nan" not in bare
    assert ". No trend. Not" in bare
    assert title(told(symbol="", price=NAN, timeframe="")) == "bar opened 2020-09-13T12:00Z UTC"


def test_title_names_the_bar():
    assert title(told()) == "BTC/USDT 1h closed 2020-09-13T12:00Z UTC, close 64,250"


def test_table_has_a_line_for_each_detector_and_its_columns_line_up():
    lines = text(told()).splitlines()
    head = lines.index(next(line for line in lines if line.startswith("detector")))
    rows = lines[head + 1 : head + 7]
    assert [row.split()[0] for row in rows] == [
        "Harmonic", "SMC", "Fibonacci", "Price", "SAR", "News",
    ]
    place = lines[head].index("sees")
    assert rows[0][place:] == "not available: not in this version yet"
    assert rows[1][place:].startswith("bearish change of character")
    assert rows[3][place:] == "both sides cancel"
    assert lines[-1].startswith("net -0.3800 = bull 0.0200 - bear 0.4000; score (1 + net) / 2")


def test_a_detector_without_a_thing_says_what_it_goes_by():
    mood = replace(part("sentiment", 0.3, 0.1), remark="Fear & Greed 71")
    assert sees(mood) == "Fear & Greed 71"
    assert "Sentiment leans up (Fear & Greed 71)" in headline(told(components=(mood,)))
    shown = replace(mood, sightings=(seen("Bullish extreme", "sentiment", 1),))
    assert sees(shown) == "bullish extreme (3 bars ago)"
    assert sees(part("sar", 0.3, 0.1)) == ""
    assert sees(part("sar", 0.0, 0.0)) == "both sides cancel"
    assert sees(replace(part("sar", 0.0, 0.0), confidence=0.0)) == "nothing now"


def test_sightings_in_words():
    assert sighted(()) == ""
    assert sighted((seen("Bearish zone", state="touched"),)) == "bearish zone (touched 3 bars ago)"
    named = seen("Bearish Bat, forming at 5", state="forming", age=1)
    assert sighted((named,)) == "bearish Bat, forming at 5 (1 bar ago)"
    assert sighted((seen("Listed on an exchange", age=0),)) == "Listed on an exchange (now)"


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.said = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.said.append(data)


def test_markup_escapes_whatever_comes_from_outside():
    evil = "<script>alert('1')</script> & <b>"
    page = markup(told(symbol=evil, components=(
        part("news", -0.4, -0.38, sightings=(seen(evil, "news"),)),
    )))
    reader = Tags()
    reader.feed(page)
    assert "script" not in reader.tags
    assert set(reader.tags) == {"div", "b", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert evil in "".join(reader.said)
    assert told()._repr_html_() == markup(told())


def test_bars_that_cannot_be_trusted_are_told_last():
    assert "Trust" not in headline(told())
    doubted = told(trust=0.625, trust_note="4 % of the 1h bars missing lately")
    assert headline(doubted).endswith(
        " Trust in the data 0.62, which lowers the confidence: 4 % of the 1h bars missing lately."
    )
    assert headline(told(trust=0.5)).endswith("0.50, which lowers the confidence.")
