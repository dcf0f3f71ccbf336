import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.feeds.syndication import (
    LONGEST_TITLE,
    MOST_ENTRIES,
    Entry,
    FeedError,
    parse_entries,
    plain,
    read_date,
)

DATE = 1_704_110_400_000  # 2024-01-01 12:00 UTC
RFC, ISO = "Mon, 01 Jan 2024 12:00:00 GMT", "2024-01-01T14:00:00+02:00"

RSS = f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>The Paper</title>
<item><title>Coin rises</title><link>https://a.example/1</link><guid>g1</guid>
  <pubDate>{RFC}</pubDate><source url="https://b.example">The Wire</source></item>
<item><title><![CDATA[<b>Coin</b> &amp; fund]]></title><link>https://a.example/2</link>
  <dc:date>{ISO}</dc:date></item>
<item><link>https://a.example/3</link><title/></item>
</channel></rss>"""

ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Paper</title>
<entry><title type="html">Coin &lt;i&gt;falls&lt;/i&gt; 5 &amp;lt; 6 %</title><id>urn:1</id>
  <link href="https://a.example/1"/><updated>{ISO}</updated>
  <source><id>x</id><title>Desk</title></source></entry>
<entry><title>No date</title><link href="https://a.example/2"/></entry></feed>"""

RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/"><channel><title>x</title></channel>
 <item><title>Old style</title><link>https://a.example/1</link></item></rdf:RDF>"""


def test_rss_is_read():
    assert parse_entries(RSS.encode()) == [
        Entry("g1", "Coin rises", "The Wire", DATE),
        Entry("https://a.example/2", "Coin & fund", "", DATE),
    ]


def test_atom_is_read():
    assert parse_entries(ATOM.encode()) == [
        Entry("urn:1", "Coin falls 5 < 6 %", "Desk", DATE),
        Entry("https://a.example/2", "No date", "", None),
    ]


def test_rss_of_the_first_version_is_read():
    assert parse_entries(RDF.encode()) == [Entry("https://a.example/1", "Old style")]


@pytest.mark.parametrize(
    "wrap",
    [lambda x: x, lambda x: {"items": x}, lambda x: {"status": "ok", "articles": x}],
    ids=["list", "items", "articles"],
)
def test_json_is_read(wrap):
    items = [
        {"id": 7, "title": "Coin <b>rises</b>", "date_published": ISO,
         "symbols": ["BTC/USDT", "x", 1]},
        {"url": "https://a.example/2", "title": "Fund", "published_on": DATE // 1000,
         "source": {"name": "The Wire"}},
        {"headline": "Bank", "timestamp": DATE, "publisher": "Desk"},
        {"title": None}, {"title": 5}, "text", None,
    ]  # fmt: skip
    assert parse_entries(json.dumps(wrap(items)).encode()) == [
        Entry("7", "Coin rises", "", DATE, ("BTC/USDT",)),
        Entry("https://a.example/2", "Fund", "The Wire", DATE),
        Entry("Bank", "Bank", "Desk", DATE),
    ]


def test_an_empty_feed_is_no_error():
    for body in (b"<rss><channel/></rss>", b"[]", b'{"items": []}', b"<feed/>"):
        assert parse_entries(body) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"<html><body>login</body></html>", b"<!doctype html><p>down<br>", b"plain text",
     b"<rss><channel>", b"{", b'{"error": "no"}', b"7", b"\x00\xff" * 50, b"<" * 1000,
     b"[" * 100_000, b'{"items":' * 50_000],
)  # fmt: skip
def test_garbage_is_an_error_that_shows_nothing_of_it(body):
    with pytest.raises(FeedError) as caught:
        parse_entries(body)
    assert "login" not in str(caught.value)


BOMB = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<rss><channel><item><title>&c;</title></item></channel></rss>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<rss><channel><item><title>&a;</title></item></channel></rss>"""


@pytest.mark.parametrize("body", [BOMB, OUTSIDE])
def test_entities_are_refused(body):
    with pytest.raises(FeedError, match="must not declare entities"):
        parse_entries(body.encode())


def test_a_document_type_without_entities_is_harmless():
    old = '<!DOCTYPE rss PUBLIC "-//N//DTD RSS 0.91//EN" "http://a.example/r.dtd">' + RSS[38:]
    assert len(parse_entries(old.encode())) == 2


ITEM = "<rss><channel><item><title>{}</title></item></channel></rss>"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Bulls & bears", "Bulls & bears"),
        ("Bulls&nbsp;&amp;&hellip;", "Bulls &\u2026"),
        ("a &unknown; b", "a &unknown; b"),
        ("a\x0bb\x00c", "abc"),
    ],
)
def test_usual_faults_are_mended(text, title):
    assert parse_entries(ITEM.format(text).encode())[0].title == title


@pytest.mark.parametrize(
    ("declared", "written", "charset"),
    [("utf-8", "cp1252", ""), ("utf-8", "latin-1", "iso-8859-1"), ("nonsense-9", "utf-8", ""),
     ("windows-1252", "cp1252", ""), ("utf-16", "utf-16", ""), ("iso-8859-1", "latin-1", "utf-8")],
)  # fmt: skip
def test_wrong_encodings_are_survived(declared, written, charset):
    body = f'<?xml version="1.0" encoding="{declared}"?>' + ITEM.format("Caf\xe9 coin")
    assert parse_entries(body.encode(written), charset)[0].title == "Caf\xe9 coin"


def test_titles_are_plain_and_short():
    assert plain("<a href='x'>Coin</a>\n <script>x</script>  &#39;up&#39;") == "Coin x 'up'"
    assert plain("&lt;b&gt;up&lt;/b&gt;") == "up"
    assert plain("5 < 6 and 7 > 2") == "5 < 6 and 7 > 2"
    assert len(plain("x" * 10_000_000)) == LONGEST_TITLE
    assert plain("<" * 100_000) == "<" * LONGEST_TITLE


def test_only_so_many_entries_are_read():
    body = json.dumps([{"title": f"t{i}"} for i in range(MOST_ENTRIES + 5)]).encode()
    assert len(parse_entries(body)) == MOST_ENTRIES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RFC, DATE), ("Mon, 01 Jan 2024 07:00:00 EST", DATE), (ISO, DATE),
        ("2024-01-01T12:00:00Z", DATE), ("2024-01-01 12:00:00", DATE),
        ("2024-01-01", DATE - 43_200_000),
        (DATE, DATE), (DATE // 1000, DATE), (str(DATE // 1000), DATE), (DATE / 1000, DATE),
        ("", None), ("yesterday", None), (None, None), (True, None), ([], None), ("9" * 99, None),
        ("0001-01-01T00:00:00+23:59", None), (-5, None), (float("nan"), None), (1e300, None),
        (10**40, None), ("Mon, 99 Jan 2024 99:00:00 GMT", None), ("1969-01-01", None),
    ],
)  # fmt: skip
def test_dates_of_many_kinds_are_read_and_broken_ones_missing(text, expected):
    assert read_date(text) == expected


def test_dates_agree_with_the_standard_library():
    moment = datetime(2023, 7, 3, 4, 5, 6, tzinfo=UTC)
    assert read_date(moment.isoformat()) == int(moment.timestamp() * 1000)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_body_gives_entries_or_the_one_error(body):
    for prefix in (b"", b"<rss><channel><item><title>", b'{"items": [{"title": "'):
        try:
            found = parse_entries(prefix + body)
        except FeedError:
            continue
        assert all(e.title for e in found)


@given(st.text(max_size=60) | st.integers() | st.floats() | st.none() | st.lists(st.integers()))
def test_any_date_is_a_time_or_missing(value):
    found = read_date(value)
    assert found is None or isinstance(found, int)
