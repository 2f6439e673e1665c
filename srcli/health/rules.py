"""Rules that judge the health of a run from its log alone; see docs/health.md."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from srcli.health.wording import WINDOW, course, nothing_found
from srcli.storage.bounded import JsonObject, is_number

BLOCK = 10
START = 100
"""Steps in which critic and generator settle: that the estimate leaps in them is not a finding."""

MOST_CLIPPED = 0.95
MOST_GRADIENT_DISTANCE = 0.75
TERM_BOUNDS = {"critic_loss": 1e3, "wasserstein": 1e3, "gradient_penalty": 1e2, "l1": 2.0, "pixel_l1": 2.0}
LEAST_SPREAD = 0.25
MOST_DUPLICATES = 0.5
MOST_SWING = 0.5
MOST_OVERFITTING = 0.5

Findings = dict[str, str]


class StuckPoint(NamedTuple):
    """A value of a critic's term at which the generator learns nothing from the critic.

    Attributes:
        within: How far from the value still counts as being there.
        meaning: What the critic does there, in a few words.
    """

    term: str
    value: float
    within: float
    meaning: str


class History:
    """The terms of the last `WINDOW` steps and the last two evaluations, except those of the first steps."""

    def __init__(self, stuck_points: Sequence[StuckPoint]) -> None:
        self.stuck_points = stuck_points
        self._steps: deque[JsonObject] = deque(maxlen=WINDOW)
        self._evaluations: deque[JsonObject] = deque(maxlen=2)

    def add(self, entry: JsonObject, *, evaluated: bool) -> None:
        """Takes in the numbers of the next entry of the log, which may come from a stranger."""
        numbers = {name: value for name, value in entry.items() if is_number(value)}
        self._steps.append(numbers)
        if evaluated and entry["step"] >= WINDOW:
            self._evaluations.append(numbers)

    def smoothed(self, term: str) -> NDArray[np.float64]:
        """Means of a term over 10 steps each, up to 20 of them, oldest first; none where it is not logged."""
        values = [entry[term] for entry in self._steps if term in entry]
        blocks = len(values) // BLOCK
        newest = np.array(values[len(values) - blocks * BLOCK :], np.float64)
        means: NDArray[np.float64] = newest.reshape(blocks, BLOCK).mean(axis=1)
        return means

    def window(self, term: str, after: int = 0) -> NDArray[np.float64] | None:
        """All 20 smoothed values of a term; None before there are so many of steps beyond `after`."""
        values = self.smoothed(term)
        if self._steps and self._steps[0]["step"] <= after:
            return None
        return values if len(values) == WINDOW // BLOCK else None

    def evaluated(self, *figures: str) -> list[JsonObject]:
        """The last two evaluations; none unless both hold all the figures."""
        whole = [entry for entry in self._evaluations if all(figure in entry for figure in figures)]
        return whole if len(whole) == 2 else []


@dataclass(frozen=True)
class Rule:
    """One fault: its name in files, what is found of it in a history (None for nothing), and what helps."""

    name: str
    find: Callable[[History], str | None]
    advice: str


def dead_critic(history: History) -> str | None:
    """A term of the critic has stayed at a value at which the generator learns nothing from it."""
    for point in history.stuck_points:
        values = history.window(point.term)
        if values is not None and np.median(np.abs(values - point.value)) <= point.within:
            return f"{point.term} has stood at {np.median(values):.3g} for {WINDOW} steps: {point.meaning}"
    return None


def clip_saturation(history: History) -> str | None:
    """Nearly all weights of the critic lie at the ends of what clipping allows."""
    evaluations = history.evaluated("clipped_share")
    if evaluations and all(entry["clipped_share"] > MOST_CLIPPED for entry in evaluations):
        return f"{evaluations[-1]['clipped_share']:.1%} of the critic's weights lie at +-clip_value"
    return None


def gradient_norm(history: History) -> str | None:
    """The norm of the critic's gradient is far from the 1 that the penalty asks for."""
    penalties = history.window("gradient_penalty")
    distance = 0.0 if penalties is None else np.sqrt(max(np.median(penalties), 0.0))
    if distance <= MOST_GRADIENT_DISTANCE:
        return None
    return f"the norm of the critic's gradient is {distance:.2g} away from 1 (root mean square)"


def exploding_terms(history: History) -> str | None:
    """A term has left the range that pictures and critics of a sensible slope can give."""
    for term, bound in TERM_BOUNDS.items():
        values = history.smoothed(term)
        if len(values) and np.abs(values).max() > bound:
            return f"{term} reached {values[np.abs(values).argmax()]:.3g}"
    return None


def collapse(history: History) -> str | None:
    """The outputs for different inputs are nearly the same."""
    evaluations = history.evaluated("spread", "copies")
    if evaluations and all(entry["spread"] < LEAST_SPREAD for entry in evaluations):
        return f"outputs differ {evaluations[-1]['spread']:.0%} as much as real faces do"
    if evaluations and all(entry["copies"] > MOST_DUPLICATES for entry in evaluations):
        return f"{evaluations[-1]['copies']:.0%} of the outputs have a near copy among the others"
    return None


def oscillation(history: History) -> str | None:
    """The Wasserstein estimate of a living critic swings to and fro, far beyond the noise of batches."""
    estimates = history.window("wasserstein", after=START)
    if estimates is None or dead_critic(history) is not None or (swing := swing_of(estimates)) <= MOST_SWING:
        return None
    return f"wasserstein swings by {swing:.0%} of its size about its trend"


def swing_of(values: NDArray[np.float64]) -> float:
    """The standard deviation about the straight line through the values, over their mean magnitude."""
    times = np.arange(len(values))
    rest = values - np.polyval(np.polyfit(times, values, 1), times)
    return float(rest.std() / max(np.abs(values).mean(), np.finfo(np.float64).tiny))


def critic_overfitting(history: History) -> str | None:
    """Held-out real faces look more like outputs than like training faces to the critic."""
    evaluations = history.evaluated("score_train", "score_test", "score_fake")
    shares = [_lost_share(entry) for entry in evaluations]
    if shares and all(share > MOST_OVERFITTING for share in shares):
        return f"held-out real faces have lost {shares[-1]:.0%} of what training faces score above outputs"
    return None


def _lost_share(entry: JsonObject) -> float:
    """`r_v` of Karras et al. 2020 (ADA, equation 1): 0 without overfitting, 1 for a critic that memorised."""
    lead = entry["score_train"] - entry["score_fake"]
    return float((entry["score_train"] - entry["score_test"]) / lead) if lead > 0 else 0.0


_RAISE_PENALTY = "raise objective.gradient_penalty_weight or lower optimizer.learning_rate"
RULES = (
    Rule("dead_critic", dead_critic, "change the balance: another critic, n_critic or learning rate"),
    Rule("clip_saturation", clip_saturation, "raise objective.clip_value, or use wgan-gp"),
    Rule("gradient_norm", gradient_norm, _RAISE_PENALTY),
    Rule("exploding_terms", exploding_terms, "lower optimizer.learning_rate"),
    Rule("collapse", collapse, "raise objective.gamma, or use a Wasserstein objective"),
    Rule("oscillation", oscillation, "lower optimizer.learning_rate or raise objective.n_critic"),
    Rule("critic_overfitting", critic_overfitting, "train on more faces, augment more, or stop earlier"),
)


class Watch:
    """Follows a run's log, on from its entries so far, and says at each evaluation which rules hold.

    Nothing is kept beyond the log.
    """

    def __init__(self, points: Sequence[StuckPoint], log: Iterable[JsonObject]) -> None:
        self._history = History(points)
        self._judged: list[tuple[int, Findings]] = []
        for entry in log:
            health = entry.get("health")
            self._history.add(entry, evaluated=isinstance(health, dict))
            if isinstance(health, dict):
                self._judged.append((entry["step"], _texts(health)))

    @property
    def findings(self) -> Findings:
        """What the last evaluation found, by the name of the rule."""
        return self._judged[-1][1] if self._judged else {}

    def judge(self, entry: JsonObject, *, evaluated: bool) -> JsonObject:
        """Takes in the next entry and returns it as it is to be logged: evaluations get their `health`."""
        self._history.add(entry, evaluated=evaluated)
        if not evaluated:
            return entry
        findings = _texts({rule.name: rule.find(self._history) for rule in RULES})
        self._judged.append((entry["step"], findings))
        return {**entry, "health": findings}

    def record(self) -> JsonObject:
        """What `run.json` holds: each finding with the first and last step at which it was made."""
        found: dict[str, dict[str, Any]] = {}
        for step, findings in self._judged:
            for name, text in findings.items():
                found.setdefault(name, {"first_step": step}).update(last_step=step, text=text)
        for rule in RULES:
            if rule.name in found:
                found[rule.name]["advice"] = rule.advice
        return {"judged_at": self._judged[-1][0] if self._judged else None, "findings": found}


def _texts(health: JsonObject) -> Findings:
    """The texts of the rules' findings, in the order of the rules."""
    return {rule.name: text for rule in RULES if isinstance(text := health.get(rule.name), str)}


def health_lines(health: JsonObject) -> list[str]:
    """A run's health for a person, from what `Watch.record` gave: a line for each finding, or one in all."""
    judged_at, lines = health["judged_at"], []
    for name, finding in health["findings"].items():
        when = course(name, finding["first_step"], finding["last_step"], judged_at)
        if finding["last_step"] < judged_at:
            lines.append(f"health: {when}, no longer: {finding['text']}")
        else:
            lines.append(f"unhealthy: {when}: {finding['text']}; what may help: {finding['advice']}")
    return lines or [f"health: {nothing_found(judged_at)}"]
