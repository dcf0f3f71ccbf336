"""Names, aliases and codes of the larger coins, and the words that mean the whole market."""

from typing import Final

_COINS: Final = """
BTC!  bitcoin, bitcoins
ETH!  ethereum, ether
XRP!  ripple, xrpl, xrp ledger
BNB!  binance coin, bnb chain, binance chain, binance smart chain
SOL   solana
DOGE! dogecoin
ADA   cardano
TRX!  tron, tronix
AVAX! ava labs
SHIB! shiba inu, shibarium
DOT   polkadot
LINK  chainlink
TON   toncoin, the open network
BCH!  bitcoin cash
LTC!  litecoin
NEAR  near protocol
UNI   uniswap
XLM!  stellar lumens, stellar network, stellar development
ICP   internet computer, dfinity
APT   aptos
HBAR! hedera, hedera hashgraph
ETC   ethereum classic
CRO   cronos
ATOM  cosmos hub
FIL   filecoin
ARB   arbitrum
VET   vechain
OP    optimism mainnet, optimism network, op mainnet
INJ   injective
MKR!  makerdao
SKY   sky protocol
GRT!  graph protocol
AAVE! aave
ALGO! algorand
RUNE  thorchain
THETA theta network
STX   stacks network
IMX   immutable x, immutable
SEI   sei network
SUI   sui network
TIA   celestia
EGLD! multiversx, elrond
SAND  the sandbox, sandbox
MANA  decentraland
AXS!  axie infinity, axie
FLOW  flow blockchain
XTZ!  tezos
EOS   eosio
QNT   quant network
FTM   fantom
SONIC sonic labs
KAS   kaspa
XMR!  monero
ZEC!  zcash
DASH  dashpay
IOTA! iota foundation
NEO   neo blockchain
KLAY  klaytn
CHZ   chiliz
CRV   curve finance, curve dao
LDO   lido, lido dao
SNX   synthetix
COMP  compound finance
SUSHI sushiswap
CAKE  pancakeswap
YFI   yearn, yearn finance
DYDX! dydx exchange
GMX   gmx exchange
RNDR! render network, render token
FET   fetch ai, fetch.ai
TAO   bittensor
WLD   worldcoin, world coin
PEPE! pepe coin, pepecoin
WIF   dogwifhat
BONK  bonk inu
FLOKI floki inu
ENS   ethereum name service
APE   apecoin
LUNA  terra, terra luna
LUNC  luna classic, terra classic
UST   terrausd
WAVES waves platform
ZIL   zilliqa
KSM   kusama
ENJ   enjin
BAT   basic attention token
ZRX   0x protocol
GALA  gala games
ROSE  oasis network
HNT   helium network
AR    arweave
MINA  mina protocol
ONE   harmony protocol, harmony bridge, harmony one
CELO  celo network
KDA   kadena
POL   polygon
MATIC polygon matic
BSV!  bitcoin sv
BTG   bitcoin gold
FTT   ftx token
LEO   unus sed leo
OKB!  okb token
KCS   kucoin token
NEXO  nexo token
HT    huobi token
XDC   xdc network
CFX   conflux
JASMY jasmycoin
ORDI  ordinals token
JUP   jupiter exchange
PYTH  pyth network
JTO   jito
ENA   ethena
ONDO  ondo finance
PENDLE pendle finance
STRK  starknet
ZK    zksync
MNT   mantle network
BLUR  blur marketplace
GMT   stepn
LRC   loopring
ANKR  ankr network
SKL   skale
STORJ storj labs
SC    siacoin
DCR   decred
XEM   nem blockchain
QTUM  qtum
ZEN   horizen
ICX   icon network
ONT   ontology network
GAS   neogas
SUN   sun token
HYPE  hyperliquid
TRUMP trumpcoin, official trump
VIRTUAL virtuals protocol
MOVE  movement network
BERA  berachain
KAVA  kava labs
OM    mantra dao
W     wormhole token
ZRO   layerzero
EIGEN eigenlayer
ETHFI ether.fi
"""
"""Code, `!` where it is no word even in small letters, then names and aliases."""


def _read() -> tuple[dict[str, bool], dict[str, str]]:
    codes: dict[str, bool] = {}
    names: dict[str, str] = {}
    for line in _COINS.split("\n"):
        if not line:
            continue
        code, _, listed = line.partition(" ")
        codes[code.rstrip("!").lower()] = code.endswith("!")
        names |= {name.strip(): code.rstrip("!") for name in listed.split(",")}
    return codes, names


_READ: Final = _read()

CODES: Final[dict[str, bool]] = {c: plain for c, plain in _READ[0].items() if len(c) > 2}
"""Codes in small letters; True where it counts in small letters too. Shorter ones are left out:
they stand for too much else ("AR", "SC"), and count as `$CODE` or in a pair only."""

NAMES: Final[dict[str, str]] = _READ[1] | {
    # names that begin like a coin's but are none of it
    "bitcoin magazine": "", "bitcoin suisse": "", "ripple effect": "", "ripple effects": "",
    "ether.fi": "ETHFI", "sand dollar": "",
}  # fmt: skip
"""Name in small letters to code; empty where the words name no coin."""

DELICATE: Final[dict[str, str]] = {
    "Avalanche": "AVAX", "Cosmos": "ATOM", "The Graph": "GRT", "Sui": "SUI", "Aptos": "APT",
    "Maker": "MKR", "Stellar": "XLM", "Fantom": "FTM", "Render": "RNDR", "Harmony": "ONE",
    "Celo": "CELO", "Kava": "KAVA", "Pepe": "PEPE", "Theta": "THETA",
    "Worldcoin": "WLD", "Helium": "HNT", "Flare": "FLR", "Sei": "SEI",
}  # fmt: skip
"""Names that are words as well: they count as written here, capitals and all."""

MARKET_WORDS: Final = (
    # the market as such
    "crypto", "cryptos", "cryptocurrency", "cryptocurrencies", "digital asset", "digital assets",
    "altcoin", "altcoins", "stablecoin", "stablecoins", "blockchain", "defi", "traders", "miners",
    "token sales", "virtual assets", "risk assets", "anonymous wallets", "crypto funds", "tether",
    "usdt", "usdc", "mining", "lending platform", "trading platform", "web3", "liquidations",
    # policy
    "fed", "fomc", "federal reserve", "powell", "ecb", "central bank", "central banks", "inflation",
    "cpi", "interest rate", "interest rates", "rate hike", "rate hikes", "rate cut", "rate cuts",
    "sec", "cftc", "fca", "mica", "fatf", "irs", "imf", "treasury secretary", "us treasury",
    "regulator", "regulators", "regulation", "regulations", "lawmaker", "lawmakers", "congress",
    "senate", "senator", "white house", "cbdc", "cbdcs", "tariff", "tariffs", "recession",
    # exchanges and houses that hold many coins
    "exchange", "exchanges", "binance", "coinbase", "kraken", "ftx", "bitfinex", "okx", "bybit",
    "kucoin", "huobi", "gemini", "bitstamp", "upbit", "crypto com", "robinhood", "grayscale",
    "microstrategy", "blackrock", "fidelity", "mt gox", "celsius", "alameda", "etf", "etfs",
)  # fmt: skip
"""Words in small letters that make a headline market-wide when it names no coin."""

_NO_COINS: Final = """
AI API APY ATH ATM ATMS CBDC CBDCS CEO CFO CFTC CIO COO CPI CTO DAO DAOS DCG DDOS DEX DEXS DOJ ECB
ETF ETFS ETP ETPS EUR FATF FBI FCA FOMC FTX FUD FOMO GBP GDP GPU ICO IDO IEO IMF IPO IRS JPY KYC
AML LLC MICA NASA NBA NFL NFT NFTS NYSE NYC OTC POS POW RSI SEC SAFU TVL UAE UFC USA USD USDC USDT
VIP WEB WTO BAYC BIS DBS FDIC GOP HSBC IBM ICE JPM MIT NYU OECD PWC SBF SPAC TPS TRY UBS VC
"""

NOT_CODES: Final = frozenset(_NO_COINS.split())
"""Words in capitals that are hardly ever a coin."""
