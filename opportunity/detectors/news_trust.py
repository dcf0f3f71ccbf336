"""How much a publisher's word weighs."""

from typing import Final

UNKNOWN: Final = 0.4
"""Weight of a publisher that is not listed."""

_LISTED: Final = {
    1.0: (
        "reuters, bloomberg, associated press, financial times, wall street journal, wsj, sec, "
        "federal reserve, cftc, binance announcements, coinbase announcements, kraken blog"
    ),
    0.9: "cnbc, coindesk, the block, bbc, new york times, forbes, nikkei, the economist",
    0.8: "decrypt, dl news, blockworks, fortune, the defiant, protos, yahoo finance, marketwatch",
    0.7: "cointelegraph, messari, glassnode, coinshares, chainalysis, techcrunch, business insider",
    0.6: "cryptonews, cryptopotato, beincrypto, bitcoin magazine, cryptoslate, cryptobriefing",
    0.5: "newsbtc, bitcoinist, u.today, ambcrypto, coingape, cryptoglobe, finbold, dailyhodl",
}

TRUST: Final[dict[str, float]] = {
    name.strip(): weight for weight, names in _LISTED.items() for name in names.split(",")
}
"""Weight in [0.5, 1] by publisher in small letters; defaults of ours, not fitted."""


def trust(publisher: str, own: dict[str, float] | None = None) -> float:
    """Return the weight of a publisher in [0, 1].

    Parameters
    ----------
    publisher : str
        Its name or address; case, a leading `www.` and an ending such as `.com` do not matter.
    own : dict of str to float, optional
        Weights that win over the list, by the name as it is spelt in the records.
    """
    if own and publisher in own:
        return own[publisher]
    name = " ".join(publisher.lower().removeprefix("www.").split())
    short = name.removeprefix("the ").removesuffix(".com").removesuffix(".co").removesuffix(".org")
    return TRUST.get(name, TRUST.get(short, UNKNOWN))
