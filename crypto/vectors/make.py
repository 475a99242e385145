#!/usr/bin/env python3
"""Makes signatures.txt: an Ed25519 of its own, straight from RFC 8032, so that the vectors do not come from the library that
they test. Slow and not constant in time: for test keys only. Run it in this folder; it writes the same file every time."""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    (x, y), (u, v) = a, b
    t = D * x * u * y * v % P
    return ((x * v + u * y) * pow(1 + t, P - 2, P) % P, (y * v + x * u) * pow(1 - t, P - 2, P) % P)


def times(n, point):
    total = (0, 1)
    while n:
        if n & 1:
            total = add(total, point)
        point, n = add(point, point), n >> 1
    return total


def x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def write(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def number(data):
    return int.from_bytes(data, "little")


def sha(*parts):
    return number(hashlib.sha512(b"".join(parts)).digest()) % L


BASE = (x_of(4 * pow(5, P - 2, P) % P, 0), 4 * pow(5, P - 2, P) % P)


def torsion():
    """A point of order eight: L times some point of the whole group."""
    y = 2
    while True:
        x = x_of(y, 0)
        if x is not None:
            point = times(L, (x, y))
            if times(4, point) != (0, 1):
                return point
        y += 1


T8 = torsion()


class Key:
    def __init__(self, seed, twist=(0, 1)):
        h = hashlib.sha512(seed).digest()
        self.a = number(h[:32]) & (1 << 254) - 8 | 1 << 254
        self.prefix = h[32:]
        self.public = write(add(times(self.a, BASE), twist))


def message(domain, data):
    return domain.encode() + b"\0" + data


def sign(key, domain, data, twist=(0, 1)):
    m = message(domain, data)
    r = sha(key.prefix, m)
    R = write(add(times(r, BASE), twist))
    return R + ((r + sha(R, key.public, m) * key.a) % L).to_bytes(32, "little")


def flip(data, bit):
    data = bytearray(data)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def search(make, wanted):
    """The first message for which the challenge has the remainder that is wanted, mod 8."""
    for n in range(10_000):
        data = b"try %d" % n
        key, sig = make(data)
        if wanted(sha(sig[:32], key, message(HEADER, data)) % 8):
            return data, key, sig
    raise SystemExit("no luck")


HEADER = "starfish 2026 v1 header signature"
OTHER = "starfish 2026 v1 node certificate"
alice, bob = Key(bytes([1]) * 32), Key(bytes([2]) * 32)
mixed = Key(bytes([3]) * 32, T8)
text = b"example"
good = sign(alice, HEADER, text)
rows = []


def row(name, holds, domain, data, key, signature):
    rows.append((name, "holds" if holds else "fails", domain, data.hex(), key.hex(), signature.hex()))


row("a plain signature", True, HEADER, text, alice.public, good)
row("no bytes at all", True, HEADER, b"", alice.public, sign(alice, HEADER, b""))
row("a page of bytes", True, OTHER, bytes(range(256)) * 4, bob.public, sign(bob, OTHER, bytes(range(256)) * 4))
row("another key", True, OTHER, text, bob.public, sign(bob, OTHER, text))
data, key, sig = search(lambda d: (mixed.public, sign(mixed, HEADER, d)), lambda k: k == 0)
row("a key of mixed order whose small part cancels: the equation is exact", True, HEADER, data, key, sig)

row("made for another domain", False, OTHER, text, alice.public, good)
row("the domain with its last letter moved into the bytes", False, HEADER[:-1], HEADER[-1:].encode() + text, alice.public, good)
row("the separator moved into the bytes", False, HEADER, b"\0" + text, alice.public, good)
r = sha(alice.prefix, text)
R = write(times(r, BASE))
bare = R + ((r + sha(R, alice.public, text) * alice.a) % L).to_bytes(32, "little")
row("made without a domain", False, HEADER, text, alice.public, bare)
row("first bit of the bytes flipped", False, HEADER, flip(text, 0), alice.public, good)
row("last bit of the bytes flipped", False, HEADER, flip(text, len(text) * 8 - 1), alice.public, good)
row("bytes cut short", False, HEADER, text[:-1], alice.public, good)
row("bytes with a zero behind", False, HEADER, text + b"\0", alice.public, good)
for bit in (0, 100, 254, 255):
    row(f"bit {bit} of R flipped", False, HEADER, text, alice.public, flip(good, bit))
for bit in (256, 300, 507, 508, 509, 510, 511):
    row(f"bit {bit - 256} of S flipped", False, HEADER, text, alice.public, flip(good, bit))
for bit in (0, 200, 255):
    row(f"bit {bit} of the key flipped", False, HEADER, text, flip(alice.public, bit), good)
row("somebody else's key", False, HEADER, text, bob.public, good)
row("somebody else's signature", False, HEADER, text, alice.public, sign(bob, HEADER, text))
row("R and S exchanged", False, HEADER, text, alice.public, good[32:] + good[:32])
row("a signature of zeros", False, HEADER, text, alice.public, bytes(64))
row("a signature of ones", False, HEADER, text, alice.public, b"\xff" * 64)
s = number(good[32:])
for n in (1, 2, 7):
    row(f"S not reduced, {n} times the order added", False, HEADER, text, alice.public, good[:32] + (s + n * L).to_bytes(32, "little"))
row("S is the order", False, HEADER, text, alice.public, good[:32] + L.to_bytes(32, "little"))
row("S negated", False, HEADER, text, alice.public, good[:32] + (L - s).to_bytes(32, "little"))
row("R negated", False, HEADER, text, alice.public, flip(good, 255)[:32] + (L - s).to_bytes(32, "little"))

for n in range(8):
    small = write(times(n, T8))
    # R is the base point times S without the key, so that the equation holds whenever the challenge cancels the key.
    S = (5).to_bytes(32, "little")
    data, key, sig = search(lambda d: (small, write(times(5, BASE)) + S), lambda k: k == 0)
    row(f"a key of small order, {n} times the generator of eight", False, HEADER, data, key, sig)
row("the neutral key and the neutral R with S zero", False, HEADER, text, write((0, 1)), write((0, 1)) + bytes(32))
for n in range(8):
    R = write(times(n, T8))

    def with_small(d):
        k = sha(R, alice.public, message(HEADER, d))
        return alice.public, R + (k * alice.a % L).to_bytes(32, "little")

    key, sig = with_small(text)
    row(f"R of small order, {n} times the generator of eight", False, HEADER, text, key, sig)

row("R with a small part: only the equation with the cofactor holds", False, HEADER, text, alice.public, sign(alice, HEADER, text, T8))
row("R with a part of order two", False, HEADER, text, alice.public, sign(alice, HEADER, text, times(4, T8)))
data, key, sig = search(lambda d: (mixed.public, sign(mixed, HEADER, d)), lambda k: k % 2 == 1)
row("a key of mixed order whose small part does not cancel", False, HEADER, data, key, sig)

for y, why in ((P, "zero"), (P + 1, "one"), (P + 3, "three"), (2**255 - 1, "eighteen")):
    for sign_bit in (0, 1):
        encoded = (y | sign_bit << 255).to_bytes(32, "little")
        row(f"a key whose y is {why} and the prime, sign {sign_bit}", False, HEADER, text, encoded, good)
        row(f"R whose y is {why} and the prime, sign {sign_bit}", False, HEADER, text, alice.public, encoded + good[32:])
row("the neutral key with a sign", False, HEADER, text, (1 | 1 << 255).to_bytes(32, "little"), good)
row("R neutral with a sign", False, HEADER, text, alice.public, (1 | 1 << 255).to_bytes(32, "little") + good[32:])
off = next(y for y in range(2, 100) if x_of(y, 0) is None)
row("a key that is no point", False, HEADER, text, off.to_bytes(32, "little"), good)
row("R that is no point", False, HEADER, text, alice.public, off.to_bytes(32, "little") + good[32:])

row("no signature", False, HEADER, text, alice.public, b"")
row("half a signature", False, HEADER, text, alice.public, good[:32])
row("a signature one byte short", False, HEADER, text, alice.public, good[:-1])
row("a signature one byte long", False, HEADER, text, alice.public, good + b"\0")
row("two signatures", False, HEADER, text, alice.public, good + good)

with open("signatures.txt", "w") as out:
    out.write("# Made by make.py. Columns: what, whether it holds, domain, bytes, key, signature (hex; - is empty).\n")
    for columns in rows:
        out.write(" | ".join(column or "-" for column in columns) + "\n")
print(len(rows), "rows")
