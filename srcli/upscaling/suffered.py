"""Whether inputs have suffered what their model was not trained on, and what a user should know of it."""

import math
from dataclasses import dataclass, field

from srcli.generators.bundled import GENTLER
from srcli.generators.description import Description
from srcli.pictures.noise import estimate_noise
from srcli.upscaling.pictures import Picture

LEAST_EXACT_QUALITY = 90
"""JPEGs of this quality look enough like the exact averages that most models are trained on.

At 90, `faces` does as well as bicubic enlargement, and at 85 worse.
"""


@dataclass(frozen=True)
class Suffered:
    """What a picture has suffered beyond what its model was trained on; None for what it has not.

    Attributes:
        jpeg_quality: Estimated, 1 to 100.
        noise: Its estimated standard deviation, of 255 levels.
    """

    jpeg_quality: int | None = None
    noise: float | None = None

    def to_json(self) -> dict[str, float] | None:
        """What it has suffered, by name; None for nothing."""
        suffered = {"jpeg_quality": self.jpeg_quality, "noise": self.noise}
        return {name: value for name, value in suffered.items() if value is not None} or None


@dataclass(frozen=True)
class Known:
    """What inputs a model was trained on.

    Attributes:
        exact: Whether on exact averages alone.
        least_quality: Of JPEGs; None if it saw none.
        most_noise: Standard deviation, of 255 levels.
    """

    exact: bool
    least_quality: int | None
    most_noise: float


def known_by(description: Description) -> Known:
    """What inputs a model was trained on, as it says itself."""
    changes, degradation = description.input_changes, description.input_changes.settings()
    noises = [255 * changes.input_noise]
    if degradation is None:
        return Known(changes.input_noise == 0, None, *noises)
    noises += [kind.sigma[1] for kind in (degradation.noise, degradation.shot_noise) if kind.probability]
    quality = degradation.jpeg.quality[0] if degradation.jpeg.probability else None
    return Known(False, quality, max(noises))


def suffered_beyond_training(picture: Picture, known: Known) -> Suffered:
    """Judges a decoded picture for the model that is to enlarge it."""
    quality, noise = picture.jpeg_quality, round(estimate_noise(picture.colour), 1)
    least = LEAST_EXACT_QUALITY if known.least_quality is None else known.least_quality
    return Suffered(
        quality if quality is not None and quality < least else None,
        noise if noise > known.most_noise else None,
    )


@dataclass
class _Tally:
    """Pictures that have suffered one thing, without a list of them: there may be millions."""

    first: str = ""
    last: str = ""
    count: int = 0
    least: float = math.inf
    most: float = -math.inf

    def add(self, picture: str, value: float) -> None:
        """Notes a picture by name; the faces of a photograph, which follow each other, are one."""
        self.first = self.first or picture
        self.count += picture != self.last
        self.last, self.least, self.most = picture, min(self.least, value), max(self.most, value)

    @property
    def names(self) -> str:
        more = f" and {self.count - 1:,} more" if self.count > 1 else ""
        return self.first + more

    @property
    def span(self) -> str:
        least, most = f"{self.least:.0f}", f"{self.most:.0f}"
        return least if least == most else f"{least} to {most}"


@dataclass(frozen=True)
class Hints:
    """Collects what the pictures of a run have suffered, to say it once."""

    model: Description
    _jpegs: _Tally = field(default_factory=_Tally)
    _noisy: _Tally = field(default_factory=_Tally)

    def note(self, picture: str, suffered: Suffered) -> None:
        """Notes what a picture, by name, has suffered."""
        if suffered.jpeg_quality is not None:
            self._jpegs.add(picture, suffered.jpeg_quality)
        if suffered.noise is not None:
            self._noisy.add(picture, suffered.noise)

    def lines(self) -> list[str]:
        """One line for JPEGs and one for noise, each if there are such pictures."""
        known, name, lines = known_by(self.model), self.model.name, []
        if self._jpegs.count:
            what = "a JPEG" if self._jpegs.count == 1 else "JPEGs"
            advice = self._advice(known, "A less compressed original does better.")
            lines.append(
                f"{self._jpegs.names}: {what} of quality about {self._jpegs.span}; {name} was trained"
                f" {_trained_on_jpegs(known)}. {advice}"
            )
        if self._noisy.count:
            advice = self._advice(known, "A less noisy original does better.")
            lines.append(
                f"{self._noisy.names}: noise of about {self._noisy.span} of 255 levels; {name} was trained"
                f" {_trained_on_noise(known)}. {advice}"
            )
        return lines

    def _advice(self, known: Known, otherwise: str) -> str:
        gentler = GENTLER.get(self.model.sha256) if known.exact else None
        return f"--model {gentler} does so less." if gentler else otherwise


def _trained_on_jpegs(known: Known) -> str:
    if known.exact:
        return "on exact averages and sharpens JPEG blocks"
    quality = known.least_quality
    return "without JPEGs" if quality is None else f"on JPEGs of quality {quality} and more"


def _trained_on_noise(known: Known) -> str:
    if known.exact:
        return "on exact averages and amplifies noise"
    return f"on noise of up to {known.most_noise:g} levels" if known.most_noise else "without noise"
