"""Mutations of bytes, of trees of plain values, and of numbers declared in headers."""

import copy
import json
import struct
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

INTERESTING = (0, 1, 2, 7, 8, 16, 72, 127, 128, 255, 256, 4095, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1)
HUGE = (2**31, 2**32 - 1, 2**33, 10**9, 10**12, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, 10**400)

TEXTS = (
    "",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m\u202egnp.exe",
    "a\nerror: b",
    "../../../../tmp/out.png",
    "/etc/passwd",
    "[/bold][link=http://x]",
    "<script>alert(1)</script>",
    "https://example.org/x.yaml",
    "!!python/object/apply:os.system [echo]",
    "$\\frac{$",
    "nan",
    "0-99999999999",
    "0-3,2-9",
    "-1--5",
    "\ud800",
    "\x00",
    "a" * 70_000,
    "é漢🙂",
)


def hostile_value(random: Random) -> Any:
    """A plain value that is invalid for any setting."""
    choices = (
        lambda: random.choice(INTERESTING),
        lambda: -random.choice((*INTERESTING, *HUGE)),
        lambda: random.choice(HUGE),
        lambda: random.choice((0.0, -0.0, 1e-320, 1e308, float("inf"), float("-inf"), float("nan"), 0.5)),
        lambda: random.choice(TEXTS),
        lambda: random.choice((None, True, False, [], {}, [[]], {"": {}})),
        lambda: nested(random.choice((3, 50, 400, 5000)), random.choice(("list", "mapping"))),
        lambda: [random.choice(INTERESTING)] * random.choice((1, 3, 4, 1000)),
    )
    return random.choice(choices)()


def nested(depth: int, kind: str) -> Any:
    """Nested lists or mappings."""
    value: Any = 0
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    return value


def mutate_tree(value: Any, random: Random, changes: int = 1) -> Any:
    """A tree of mappings and lists with some of its nodes replaced, removed, renamed or doubled."""
    tree = copy.deepcopy(value)
    for _ in range(changes):
        places = list(_places(tree))
        if not places:
            return hostile_value(random)
        parent, key = random.choice(places)
        action = random.random()
        if action < 0.65:
            parent[key] = hostile_value(random)
        elif action < 0.75:
            del parent[key]
        elif isinstance(parent, dict):
            new = random.choice(TEXTS) if action < 0.9 else f"{key}s"
            parent[new] = parent.pop(key) if action < 0.83 else parent[key]
        else:
            parent.append(parent[key])
    return tree


def json_bytes(value: Any) -> bytes:
    """JSON of a value of any depth."""
    try:
        return json.dumps(value).encode("utf-8", "surrogatepass")
    except (RecursionError, ValueError):
        return b'{"a":' * 20_000 + b"0" + b"}" * 20_000


def mutate_bytes(content: bytes, random: Random, others: Sequence[bytes] = ()) -> bytes:
    """One to four byte-level changes, most of them near the start, where headers are."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        random.choice(_BYTE_CHANGES)(changed, random, others)
    return bytes(changed)


def _places(tree: Any, depth: int = 0) -> Any:
    if depth > 30:
        return
    items = tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(items):
        yield tree, key
        yield from _places(value, depth + 1)


def _position(content: bytearray, random: Random) -> int:
    reach = random.choice((32, 256, 2048, len(content)))
    end = max(min(len(content), reach), 1)
    # Archives and pictures keep directories at their ends, too.
    return (
        random.randrange(end)
        if random.random() < 0.75
        else max(len(content) - end, 0) + random.randrange(end)
    )


def _flip(content: bytearray, random: Random, _: Sequence[bytes]) -> None:
    if content:
        content[min(_position(content, random), len(content) - 1)] ^= 1 << random.randrange(8)


def _set(content: bytearray, random: Random, _: Sequence[bytes]) -> None:
    if content:
        content[min(_position(content, random), len(content) - 1)] = random.choice((0, 1, 127, 128, 254, 255))


def _number(content: bytearray, random: Random, _: Sequence[bytes]) -> None:
    code = random.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(code)
    value = random.choice((*INTERESTING, *HUGE)) % 2 ** (8 * size)
    place = _position(content, random)
    content[place : place + size] = struct.pack(code, value)


def _truncate(content: bytearray, random: Random, _: Sequence[bytes]) -> None:
    del content[_position(content, random) :]


def _remove(content: bytearray, random: Random, _: Sequence[bytes]) -> None:
    place = _position(content, random)
    del content[place : place + random.choice((1, 4, 16, 512, 5000))]


def _repeat(content: bytearray, random: Random, _: Sequence[bytes]) -> None:
    place = _position(content, random)
    part = content[place : place + random.choice((1, 8, 64, 512))]
    content[place:place] = part * random.choice((1, 2, 100))


def _splice(content: bytearray, random: Random, others: Sequence[bytes]) -> None:
    if others:
        other, place = random.choice(others), _position(content, random)
        start = random.randrange(max(len(other), 1))
        length = random.choice((4, 64, 1024, len(other)))
        content[place : place + random.choice((0, length))] = other[start : start + length]


def _swap(content: bytearray, random: Random, _: Sequence[bytes]) -> None:
    length = random.choice((1, 4, 64))
    first, second = _position(content, random), _position(content, random)
    if first + length <= second and second + length <= len(content):
        part = content[first : first + length]
        content[first : first + length] = content[second : second + length]
        content[second : second + length] = part


_BYTE_CHANGES = (_flip, _flip, _set, _set, _number, _number, _truncate, _remove, _repeat, _splice, _swap)
