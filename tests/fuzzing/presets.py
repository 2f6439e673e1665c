"""Presets: experiment files in YAML."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml
from tiny_experiments import PRESETS, parse_experiment

from fuzzing.mutations import mutate_bytes, mutate_tree
from srcli.experiment.loading import load_experiment
from srcli.training.state import refuse_large_networks

LINES = (
    "a: &a [1, 2]\nb: [*a, *a]",
    "steps: 1" + "0" * 5000,
    "steps: 0x" + "f" * 50_000,
    "steps: 0b" + "1" * 90_000,
    "steps: " + ":".join(["59"] * 20_000),
    "steps: 2001-99-99",
    "steps: 1e400",
    "steps: .nan",
    "name: !!python/object/apply:os.system ['touch /tmp/out']",
    "name: !!binary aGVsbG8=",
    "name: !!set {a, b}",
    "name: !!timestamp 2001-01-01",
    "<<: {a: 1}",
    "<<: [1, 2]",
    "? [a, b]\n: c",
    "? {a: b}\n: c",
    "? 1\n: 2",
    "null: 1",
    "2001-01-01: 1",
    "a: " + "[" * 50_000,
    "a: " + "{a: " * 20_000,
    "- " * 30_000,
    "a: |\n  " + "x" * 60_000,
    "%YAML 9.9\n---",
    "---\na: 1\n---\nb: 2",
    "\u2028\u0085a: b",
    "\ta: b",
    "init_from: https://example.org/model.safetensors",
    "init_from: /dev/zero",
    "=: 1",
    '"\\e[31m": 1',
    "\n".join(f"s{number}: 1" for number in range(8000)),
)


class Presets:
    """Damaged text, hostile YAML, and settings out of bounds."""

    name = "presets"

    def hostile(self, random: Random) -> Mapping[str, bytes]:
        texts = _texts()
        text = random.choice(texts)
        change = random.random()
        if change < 0.3:
            content = mutate_bytes(text, random, texts)
        elif change < 0.5:
            lines = text.decode().splitlines()
            lines.insert(random.randrange(len(lines) + 1), random.choice(LINES))
            content = "\n".join(lines).encode("utf-8", "surrogatepass")
        else:
            content = _dumped(mutate_tree(yaml.safe_load(text), random, random.choice((1, 1, 2, 5))), random)
        return {"mine.yaml": content}

    def use(self, given: Path, _work: Path) -> None:
        experiment = load_experiment(given / "mine.yaml", [])
        again = parse_experiment(experiment.to_yaml(), "again")
        assert again == experiment, "an experiment does not survive being written and read"
        # What training would refuse; building what it accepts is for `--dry-run` to time.
        refuse_large_networks(experiment)


@cache
def _texts() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(PRESETS.glob("*.yaml")))


def _dumped(value: Any, random: Random) -> bytes:
    try:
        flow = random.choice((True, False, None))
        text: str = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow)
    except (RecursionError, ValueError, yaml.YAMLError):
        text = "generator: " + random.choice("[{-") * random.choice((50, 5000))
    return text.encode("utf-8", "surrogatepass")
