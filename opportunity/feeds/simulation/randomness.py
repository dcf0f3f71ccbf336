"""Random numbers as a pure function of (key, index), so that any moment can be drawn alone.

A counter-based generator has no state to advance: the value at an index is a hash of key and
index, so blocks of the market may be drawn in any order, in any thread, twice, and agree bit
for bit. Keys fork into independent streams by hashing a stream number into them.

Source of the mixing function: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
generators", OOPSLA (the finaliser of SplitMix64).
"""

import hashlib
import math
from typing import Any

import numpy as np

from opportunity.kernels import kernel

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 2.0**-53


def key_of(seed: int, name: str) -> np.uint64:
    """Hash a seed and a name into the key from which all numbers of that name come."""
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


@kernel
def scramble(x: Any) -> Any:
    """Mix the 64 bits of `x` (uint64) so that each input bit moves each output bit."""
    x = (x ^ (x >> _S30)) * _FIRST
    x = (x ^ (x >> _S27)) * _SECOND
    return x ^ (x >> _S31)


@kernel
def fork(key: Any, stream: Any) -> Any:
    """Return the key of stream number `stream` of `key`."""
    return scramble(key + _GOLDEN * (np.uint64(stream) + np.uint64(1)))


def branch(key: np.uint64, stream: int) -> np.uint64:
    """Return `fork` to Python, typed.

    A kernel's result reaches Python as a plain integer, and would enter the next kernel as
    another type.
    """
    return np.uint64(fork(key, stream))


@kernel
def uniform(key: Any, index: Any) -> Any:
    """Return the uniform number in (0, 1) at `index`; neither end can occur."""
    word = scramble(scramble(key ^ (_GOLDEN * np.uint64(index))) + _GOLDEN)
    return (np.float64(word >> _S11) + 0.5) * _UNIT


@kernel
def quantile(p: Any) -> Any:
    """Return the quantile of the standard normal distribution, to about 1e-7 relative.

    Source: Wichura 1988, "Algorithm AS 241", Applied Statistics 37 (routine PPND7).
    """
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179
        return q * top / (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0)
    r = math.sqrt(-math.log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        r -= 1.6
        top = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
        x = top / ((0.12021132975 * r + 0.73700164250) * r + 1.0)
    else:
        r -= 5.0
        top = ((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150
        x = top / ((0.012258202635 * r + 0.24197894225) * r + 1.0)
    return -x if q < 0.0 else x


@kernel
def normal(key: Any, index: Any) -> Any:
    """Return the standard normal number at `index`."""
    return quantile(uniform(key, index))


@kernel
def add_wave(key: Any, first: Any, scale: Any, amplitude: Any, out: Any) -> None:
    """Add smooth noise of standard deviation `amplitude` to out[i] at time `first + i`.

    Independent normals stand at the multiples of `scale`; between two of them the noise is
    cos(a) left + sin(a) right with a running from 0 to 90 degrees, which keeps its variance
    constant. Bit-equal only for the same `first`: call it for whole blocks.
    """
    i = 0
    while i < out.size:
        cell = (first + i) // scale
        left, right = normal(key, cell), normal(key, cell + 1)
        step = 0.5 * math.pi / scale
        angle = (first + i - cell * scale) * step
        cosine, sine = math.cos(angle), math.sin(angle)
        turn_c, turn_s = math.cos(step), math.sin(step)
        end = min(out.size, (cell + 1) * scale - first)
        while i < end:
            out[i] += amplitude * (cosine * left + sine * right)
            cosine, sine = cosine * turn_c - sine * turn_s, sine * turn_c + cosine * turn_s
            i += 1


@kernel
def normals(key: Any, first: Any, n: Any) -> Any:
    """Return `n` standard normal numbers from index `first` on."""
    out = np.empty(n)
    for i in range(n):
        out[i] = normal(key, first + i)
    return out
