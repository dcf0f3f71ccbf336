"""Sentences of the simulated news: templates by scope and tone, all our own.

`{name}` is the coin's name, `{code}` its code, `{move}` the size of its last day's move.
"""

from typing import Final

PUBLISHERS: Final = ("Simulated Wire", "Simulated Ledger", "Simulated Desk")

NAMES: Final = {
    "BTC": "Bitcoin", "ETH": "Ethereum", "SOL": "Solana", "BNB": "BNB", "XRP": "XRP",
    "DOGE": "Dogecoin", "ADA": "Cardano", "AVAX": "Avalanche", "LINK": "Chainlink",
    "DOT": "Polkadot", "TRX": "Tron", "LTC": "Litecoin", "BCH": "Bitcoin Cash", "POL": "Polygon",
    "UNI": "Uniswap", "ATOM": "Cosmos", "XLM": "Stellar", "ETC": "Ethereum Classic",
    "FIL": "Filecoin", "NEAR": "Near Protocol", "APT": "Aptos", "ARB": "Arbitrum",
    "OP": "Optimism", "INJ": "Injective", "SUI": "Sui", "AAVE": "Aave", "MKR": "Maker",
    "ALGO": "Algorand", "VET": "VeChain", "ICP": "Internet Computer", "HBAR": "Hedera",
    "GRT": "The Graph", "SAND": "The Sandbox", "MANA": "Decentraland", "AXS": "Axie Infinity",
    "EGLD": "MultiversX", "XTZ": "Tezos", "THETA": "Theta", "SHIB": "Shiba Inu", "PEPE": "Pepe",
}

MARKET: Final = {
    1: (
        "Regulator signals approval of more crypto funds",
        "Stablecoin supply reaches an all-time high as money returns to crypto",
        "Central bank hints at rate cuts, risk assets rally",
        "Crypto funds record strong inflows for another week",
        "Large bank opens crypto custody to its clients",
        "Traders turn bullish as selling pressure fades",
        "Payment company launches crypto settlement in twelve countries",
    ),
    0: (
        "Crypto market holds steady as traders await inflation data",
        "What to watch in crypto this week",
        "Exchange volumes little changed from last month",
        "Opinion: why the next cycle may look different",
        "Developers discuss wallet standards at yearly conference",
        "How miners are adapting to higher energy prices",
        "Explainer: how perpetual funding rates work",
        "Survey finds households curious but careful about digital assets",
    ),
    -1: (
        "Exchange halts withdrawals after unusual transfers",
        "Lawmakers propose a ban on anonymous wallets",
        "Crypto funds suffer outflows as fear returns",
        "Regulator files lawsuit against a large trading platform",
        "Leverage washed out as liquidations hit the crypto market",
        "Lending platform warns of losses after a default",
        "Hawkish central bank weighs on crypto prices",
    ),
}

LEADER: Final = {
    1: (
        "{name} funds see the largest inflow in a month",
        "Listed company adds {name} to its treasury",
        "{name} hash rate reaches an all-time high",
        "Whales accumulate {name}, chain data shows",
        "Analysts turn bullish on {name} as supply on exchanges shrinks",
    ),
    0: (
        "{name} price analysis: levels to watch",
        "{name} trades sideways as volume dries up",
        "{name} options traders expect a quiet week",
        "What long-term holders of {name} are doing now",
    ),
    -1: (
        "{name} funds see outflows for a third day",
        "Large holder moves {name} to an exchange",
        "Miners sell {name} as margins shrink",
        "Analysts warn of weak demand for {name}",
        "{name} faces selling pressure before options expiry",
    ),
}

COIN: Final = {
    1: (
        "{name} surges after major partnership is announced",
        "{name} upgrade goes live and cuts fees",
        "Asset manager files for {name} fund",
        "{name} listing on a large exchange lifts demand",
        "Developers return to {name} as activity reaches a record",
        "{name} ({code}) adopted by payment network",
        "Whales accumulate {name}, chain data shows",
    ),
    0: (
        "{name} price analysis: levels to watch",
        "{name} trades sideways as volume dries up",
        "{name} community votes on treasury proposal",
        "{name} foundation publishes its quarterly report",
        "Inside the roadmap of {name} for next year",
        "{code} options traders expect a quiet week",
    ),
    -1: (
        "{name} bridge hit by exploit, team investigates",
        "{name} plunges as large holder moves coins to an exchange",
        "Exchange to delist {code} pairs after review",
        "{name} network halts for an hour, validators restart",
        "Regulator names {name} in lawsuit over unregistered sales",
        "{name} faces selling pressure before token unlock",
        "Analysts warn of weak demand for {name}",
    ),
}

REPORT: Final = {
    1: ("{name} jumps {move}% in a day", "{name} rallies, up {move}%", "{code} climbs {move}%"),
    -1: ("{name} drops {move}% in a day", "{name} slides {move}%", "{code} falls {move}%"),
}
