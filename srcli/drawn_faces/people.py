"""The traits that all layers of a drawn face share."""

from dataclasses import dataclass

import numpy as np

from srcli.drawn_faces.canvas import Canvas, Dice, Numbers, Plane, ellipse

_SKINS = "ffe0c8 f6cdaf e8b894 d6a078 b47d58 8c5c3e 623e2c"
_HAIRS = "181414 302018 543622 7e4e2c a84a24 cea05c e8cc8c a09e9c"


@dataclass(frozen=True)
class Person:
    """Traits shared by the layers of a face; numbers are (B, 1, 1), colours (B, 3, 1, 1)."""

    skin: Numbers
    hair: Numbers
    strands: Numbers  # (B, 96), random
    curl: Plane
    beard: Plane  # 1 for faces that may have one
    age: Plane  # 0..1
    yaw: Plane  # -1 looks left, 1 right
    light_u: Plane  # where the light comes from, -1 left, 1 right
    light_v: Plane  # -1 above, 1 below
    middle: Plane  # the head's middle, u
    half: Plane  # half the head's width
    chin: Plane  # v
    jaw: Plane  # how much narrower the chin is


def draw_person(dice: Dice) -> Person:
    """Draws a random person for each picture."""
    yaw, skin, hair = dice.between(-1, 1), dice.colour(_SKINS, 0.03), dice.colour(_HAIRS, 0.03)
    dark_hair = (skin[:, :1] < 0.75) * dice.chance(0.8)[:, None]
    return Person(
        skin=skin,
        hair=hair * (1 - np.float32(0.75) * dark_hair),
        strands=dice.many(96),
        curl=dice.between(0, 1) ** 2,
        beard=dice.chance(0.45),
        age=dice.between(0, 1) ** 2,
        yaw=yaw,
        light_u=dice.between(-1, 1),
        light_v=dice.between(-1, 0.3),
        middle=-2.5 * yaw,
        half=dice.between(18, 21.5),
        chin=dice.between(30, 33.5),
        jaw=dice.between(0.12, 0.42),
    )


def head_distance(canvas: Canvas, person: Person) -> Plane:
    """The signed distance inside the outline of the head without hair."""
    down = np.clip(canvas.v / person.chin, 0, 1)
    half = person.half * (1 - person.jaw * down * down)
    height = np.where(canvas.v > 2, person.chin - 2, np.float32(27))
    return ellipse(canvas.u - person.middle, canvas.v - 2, half, height)
