"""Writes Tests/NetworksTests/Fixtures/adapter_factors.json: frozen factors of adapters, bit for bit.

From the description in Sources/Networks/Adapters/FrozenFactor.swift alone: integers from SHA-256 and Philox, then + - *
/ and square roots in float64, in the order that is stated there. Any site can compute the factors so, in any language.
"""

import hashlib
import json
import struct

import numpy

import fixture
from philox import philox

STREAM = 10  # RandomStream.adapterFactor


def seed(base_digest: bytes, path: str) -> int:
    digest = hashlib.sha256(b"fovea-adapter-factor-1\0" + base_digest + path.encode()).digest()
    return int.from_bytes(digest[:8], "little")


def uniform(seed: int, index: int, count: int):
    """In (-1, 1)."""
    tagged = index ^ STREAM << 56
    key = (seed & 0xFFFFFFFF, seed >> 32)
    words = []
    for position in range((count + 3) // 4):
        words += philox((position & 0xFFFFFFFF, position >> 32, tagged & 0xFFFFFFFF, tagged >> 32), key)
    return [2 * ((word + 0.5) * 2.0**-32) - 1 for word in words[:count]]


def product(a, b):
    """a and b are [n, 8]."""
    sums = numpy.zeros(8)
    for x, y in zip(a, b):
        sums = sums + x * y
    four = sums[:4] + sums[4:]
    two = four[:2] + four[2:]
    return two[0] + two[1]


def vectors(seed: int, count: int, length: int):
    units = []
    for j in range(count):
        numbers = uniform(seed, j, length)
        vector = numpy.array(numbers + [0.0] * (-length % 8)).reshape(-1, 8)

        def without_projections(vector):
            for unit in units:
                vector = vector - product(vector, unit) * unit
            return vector

        before = product(vector, vector)
        vector = without_projections(vector)
        after = product(vector, vector)
        if after < before / 4:
            vector = without_projections(vector)
            after = product(vector, vector)
        units.append(vector / numpy.sqrt(after))
    return [unit.reshape(-1)[:length].astype(numpy.float32) for unit in units]


if __name__ == "__main__":
    cases = []
    for path, count, length in [
        ("down_blocks.0.resnets.0.conv1.weight", 3, 144),
        ("mid_block.attentions.0.to_q.weight", 8, 13),
        ("conv_in.weight", 7, 7),
    ]:
        base = hashlib.sha256(path.encode()).digest()
        bits = [
            struct.unpack("<I", struct.pack("<f", value))[0]
            for vector in vectors(seed(base, path), count, length)
            for value in vector
        ]
        cases.append(
            {
                "base": base.hex(),
                "path": path,
                "count": count,
                "length": length,
                "seed": str(seed(base, path)),
                "bits": bits,
            }
        )
    certificate = {"script": "Tools/reference/adapter_factor.py", "numpy": fixture.release(numpy)}
    target = fixture.REPOSITORY / "Tests/NetworksTests/Fixtures/adapter_factors.json"
    target.write_text(json.dumps({"certificate": certificate, "cases": cases}, separators=(",", ":")) + "\n")
