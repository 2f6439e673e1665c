"""The hair of drawn faces: strands, volume behind the head, and hair on the forehead."""

import numpy as np

from srcli.drawn_faces.canvas import Canvas, Dice, Numbers, Plane, ellipse, glow, soft, texture, wave
from srcli.drawn_faces.people import Person


def draw_strands(canvas: Canvas, person: Person, dice: Dice) -> Plane:
    """Noise in 0..1 along the hair, running away from the parting, bent by its curl."""
    across = (canvas.u - person.middle - dice.between(-9, 9)) / np.maximum(canvas.v + 48, 6)
    bend = wave(canvas.v * dice.between(0.05, 0.16) + across) * person.curl * dice.between(2, 12)
    return texture(person.strands, across * 44 + bend)


def paint_hair_behind(canvas: Canvas, person: Person, strand: Plane, dice: Dice) -> None:
    """The hair's volume around the head, and long hair falling beside the neck."""
    u, v = canvas.u - person.middle, canvas.v
    volume = dice.between(0, 1) ** 2 * 7 + person.curl * 3
    ragged = (strand - 0.5) * (0.6 + 2.5 * person.curl)
    around = ellipse(u, v + 4, person.half + volume, 25 + volume) + ragged
    length = np.where(dice.chance(0.75) * (1 - person.beard) > 0, dice.between(12, 70), np.float32(-30))
    side = person.half + volume + dice.between(-1, 5) * np.clip((v + 4) * 0.03, 0, 2) - np.abs(u)
    falling = np.minimum(np.minimum(side, length - v), v + 6) + ragged
    hair = _hair_colour(canvas, person, strand) * np.float32(0.8)
    canvas.paint(soft(np.maximum(around, falling)) * (1 - _bald(person)), hair)


def paint_hair_in_front(canvas: Canvas, person: Person, strand: Plane, dice: Dice) -> None:
    """Hair on the forehead above a hairline: receding, swept aside, parted or a fringe."""
    u, v = canvas.u - person.middle, canvas.v
    across = (u - dice.between(-7, 7)) / person.half
    centre = dice.between(-24, -13) + dice.chance(0.2) * (1 - person.beard) * 8
    edge = centre + dice.between(2, 16) * across * across + dice.between(-9, 9) * across
    ragged = (strand - 0.5) * (2 + 5 * dice.between(0, 1))
    volume = dice.between(0.3, 2.5)
    within = ellipse(u, v + 4, person.half + volume, 25 + volume) + (strand - 0.5) * 2
    cover = soft(np.minimum(within, edge - v + ragged)) * (1 - _bald(person))
    canvas.shade(soft(np.minimum(within, edge - v + ragged + 1.6)) * (1 - _bald(person)), 0.3)
    canvas.paint(cover, _hair_colour(canvas, person, strand))


def _hair_colour(canvas: Canvas, person: Person, strand: Plane) -> Numbers:
    """Lit strands, (B, 3, H, W)."""
    lit = 1 + 0.012 * person.light_u * (canvas.u - person.middle)
    gloss = glow(canvas.u - person.middle - 8 * person.light_u, canvas.v + 21, 16, 7)
    tone = (0.45 + 0.75 * strand) * lit
    return person.hair * tone[:, None] + (0.22 * gloss * strand)[:, None]


def _bald(person: Person) -> Plane:
    """1 for the few who are bald on top, decided by their first strand."""
    return (person.beard * (person.strands[:, 0, None, None] < 0.12)).astype(np.float32)
