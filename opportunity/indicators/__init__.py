"""Indicators: for each a state dtype, a compiled step of one stream, and its batch form on bars.

A state whose bytes are all zero is a stream that has seen nothing.
"""

from opportunity.indicators.adx import ADX, Adx, adx, adx_step
from opportunity.indicators.atr import ATR, atr, atr_step, true_range
from opportunity.indicators.average import EMA, SMA, ema, ema_step, sma, sma_step
from opportunity.indicators.bollinger import BOLLINGER, Bollinger, bollinger, bollinger_step
from opportunity.indicators.macd import MACD, Macd, macd, macd_step
from opportunity.indicators.rsi import RSI, rsi, rsi_step
from opportunity.indicators.sar import SAR, sar, sar_step

__all__ = [
    "ADX",
    "ATR",
    "BOLLINGER",
    "EMA",
    "MACD",
    "RSI",
    "SAR",
    "SMA",
    "Adx",
    "Bollinger",
    "Macd",
    "adx",
    "adx_step",
    "atr",
    "atr_step",
    "bollinger",
    "bollinger_step",
    "ema",
    "ema_step",
    "macd",
    "macd_step",
    "rsi",
    "rsi_step",
    "sar",
    "sar_step",
    "sma",
    "sma_step",
    "true_range",
]
