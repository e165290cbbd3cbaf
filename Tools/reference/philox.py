"""Philox 4x32-10, from Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section
3.3."""

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_INCREMENTS = (0x9E3779B9, 0xBB67AE85)  # the golden ratio and sqrt(3) - 1, as fractions of 2^32
ROUNDS = 10
MASK = 0xFFFFFFFF

# The known answers published with the paper's library, Random123: (counter, key, result), lowest word first.
PUBLISHED = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((MASK,) * 4, (MASK,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def philox(counter, key):
    """Four 32-bit words of counter and two of key to four random words."""
    key = list(key)
    for _ in range(ROUNDS):
        high0, low0 = divmod(MULTIPLIERS[0] * counter[0], 1 << 32)
        high1, low1 = divmod(MULTIPLIERS[1] * counter[2], 1 << 32)
        counter = (high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0)
        key = [(word + increment) & MASK for word, increment in zip(key, KEY_INCREMENTS, strict=True)]
    return tuple(counter)


for counter, key, expected in PUBLISHED:
    assert philox(counter, key) == expected
