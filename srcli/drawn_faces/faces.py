"""Procedurally drawn faces, so that everything can be tried without a dataset.

They are framed like CelebA's 72x72 window: eyes near row 30, columns 27 and 45. Skin, hair, light, pose,
glasses, beards, mouths and backgrounds vary; strands, rims, lashes and teeth are lost at 16x16.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from srcli.data.dataset import SPLITS, Dataset, digest_of, fingerprint_of
from srcli.data.task import PAPER
from srcli.drawn_faces.canvas import Canvas, Dice, Numbers, ellipse, glow, line, soft, texture, wave
from srcli.drawn_faces.hair import draw_strands, paint_hair_behind, paint_hair_in_front
from srcli.drawn_faces.people import Person, draw_person, head_distance
from srcli.pictures.pixels import Pixels, to_uint8

_DRAWS = 320  # uniform numbers per face, more than it uses
_BATCH = 16  # faces drawn at a time, so that their planes stay in the cache

_IRISES = "3a2416 5c3c22 68703e 466e96 6e8088"
_LIPS = "b25254 c4625c a43c46 c82438 96544c"
_CLOTHES = "20222c e6e6ea 7a1e28 284a82 3c6e54 d8a03c 5a5a60 be7896"
_WALLS = "14161c ecece8 96282c 3c5a8c bec8d2 786450 466e50 e4be78 6e7078"


def draw_faces(count: int, seed: int, size: int = PAPER.face_size) -> Pixels:
    """Draws faces, (count, S, S, 3); face i depends only on `seed`, `size` and i, on every machine."""
    table = np.random.default_rng(seed).random((count, _DRAWS), dtype=np.float32)
    faces = np.empty((count, size, size, 3), np.uint8)

    def draw(start: int) -> None:
        pixels = _draw(Dice(table[start : start + _BATCH]), min(_BATCH, count - start), size)
        faces[start : start + _BATCH] = to_uint8(pixels * np.float32(255)).transpose(0, 2, 3, 1)

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy releases the GIL
        list(pool.map(draw, range(0, count, _BATCH)))
    return faces


@lru_cache(maxsize=1)
def built_in_dataset(count: int = 2000, seed: int = 0, size: int = PAPER.face_size) -> Dataset:
    """Drawn faces as a dataset: the last tenth is the test split, the tenth before it validation.

    Drawing takes seconds: the last dataset is kept, for a program that trains on it and then compares on it.
    """
    faces = draw_faces(count, seed, size)
    faces.setflags(write=False)
    tenth = count // 10
    parts = np.split(np.arange(count), [count - 2 * tenth, count - tenth])
    splits = dict(zip(SPLITS, parts, strict=True))
    return Dataset(faces, splits, fingerprint_of(faces.shape, map(digest_of, faces), splits), "built-in")


def _draw(dice: Dice, count: int, size: int) -> Numbers:
    canvas, person = _canvas(dice, count, size), draw_person(dice)
    _background(canvas, dice)
    strand = draw_strands(canvas, person, dice)
    paint_hair_behind(canvas, person, strand, dice)
    _clothes(canvas.part(np.s_[34:72, 0:72]), person, dice)
    _ears(canvas.part(np.s_[20:50, 0:72]), person)
    _skin(canvas.part(np.s_[0:72, 8:64]), person, dice)
    _beard(canvas.part(np.s_[26:72, 8:64]), person, dice)
    _nose(canvas.part(np.s_[22:52, 20:52]), person, dice)
    _mouth(canvas.part(np.s_[40:64, 16:56]), person, dice)
    _wrinkles(canvas.part(np.s_[8:58, 12:60]), person)
    _eyes(canvas.part(np.s_[16:42, 10:62]), person, dice)
    rows, columns = canvas.scaled(top := np.s_[0:56, 2:70])
    paint_hair_in_front(canvas.part(top), person, strand[:, rows, columns], dice)
    _glasses(canvas.part(np.s_[16:48, 6:66]), person, dice)
    _exposure(canvas, dice)
    return np.clip(canvas.pixels, 0, 1)


def _canvas(dice: Dice, count: int, size: int) -> Canvas:
    """An empty canvas in a frame that is a little tilted, scaled and shifted."""
    slope = dice.between(-0.16, 0.16) * dice.between(0, 1)
    cosine = 1 / np.sqrt(1 + slope**2)
    scale = dice.between(1, 1.12)
    zoom = size / PAPER.face_size
    along = ((np.arange(size) + 0.5) / zoom - 0.5).astype(np.float32)
    x = along[None, None, :] - np.float32(35.5) + dice.between(-1.2, 1.2)
    y = along[None, :, None] - np.float32(30) + dice.between(-1.2, 1.2)
    u = (x + slope * y) * (cosine / scale)
    v = (y - slope * x) * (cosine / scale)
    return Canvas(np.zeros((count, 3, size, size), np.float32), u, v, zoom)


def _background(canvas: Canvas, dice: Dice) -> None:
    """A wall with a gradient, perhaps striped, perhaps with lights out of focus."""
    u, v = canvas.u, canvas.v
    canvas.paint(np.ones_like(u), dice.colour(_WALLS, 0.08))
    lean, pace = dice.between(-1, 1), dice.between(0.02, 0.12)
    place = u + lean * v + dice.between(0, 40)
    canvas.shade(np.clip(0.5 + place * 0.012, 0, 1), dice.between(-0.2, 0.6))
    stripes = np.clip((wave(place * pace) - dice.between(0.3, 0.7)) / pace * 0.4 + 0.5, 0, 1)
    canvas.paint(stripes * dice.chance(0.3) * dice.between(0.2, 0.9), dice.colour(_WALLS, 0.08))
    lights = dice.chance(0.4)
    for _ in range(2):
        radius = dice.between(3, 10)
        disc = ellipse(u - dice.between(-34, 34), v - dice.between(-30, 20), radius, radius)
        canvas.paint(soft(disc) * lights * dice.between(0.3, 0.8), dice.colour(_WALLS, 0.1))


def _clothes(canvas: Canvas, person: Person, dice: Dice) -> None:
    """Neck, shoulders and a collar."""
    u, v = canvas.u - person.middle * 0.4, canvas.v
    neck = np.minimum(person.half * dice.between(0.5, 0.68) - np.abs(u), v - 8)
    canvas.paint(soft(neck), person.skin * np.float32(0.72))
    shoulders = ellipse(u, v - 62, dice.between(34, 52), dice.between(24, 34))
    collar = np.maximum(np.abs(u) - (46 - v) * dice.between(0.3, 1.3), v - 60)
    cloth = dice.colour(_CLOTHES, 0.06)
    weave = 1 - 0.35 * dice.chance(0.4) * wave((u + v * dice.between(-1, 1)) * dice.between(0.1, 0.4))
    canvas.paint(soft(np.minimum(shoulders, collar)), cloth * weave[:, None])
    canvas.shade(line(collar, 1.6) * soft(shoulders), 0.35)


def _ears(canvas: Canvas, person: Person) -> None:
    u, v = np.abs(canvas.u - person.middle) - person.half, canvas.v - 4
    canvas.paint(soft(ellipse(u, v, 3.2, 6.5)), person.skin * np.float32(0.82))
    canvas.shade(glow(u - 0.6, v, 2, 4.5), 0.4)


def _skin(canvas: Canvas, person: Person, dice: Dice) -> None:
    """The face, lit as a ball, with cheeks, freckles and eye sockets."""
    u, v = canvas.u - person.middle, canvas.v
    across, down = u / (person.half + 2), (v - 3) / 34
    toward = np.sqrt(np.clip(1 - across**2 - down**2, 0.04, 1))
    light = 0.42 * person.light_u * across + 0.3 * person.light_v * down + 0.62 * toward
    bright = np.clip(0.5 + 0.72 * light, 0.25, 1.2)[:, None]
    warmth = np.array([0.12, 0, -0.06], np.float32)[:, None, None]
    canvas.paint(soft(head_distance(canvas, person)), person.skin * (bright + warmth * (1 - bright)))
    blush = glow(np.abs(canvas.u - person.yaw) - 11, v - 11, 8, 7) * dice.between(0, 0.2)
    canvas.paint(blush, np.array([0.85, 0.3, 0.3], np.float32)[None, :, None, None])
    freckles = texture(person.strands, u * 1.3 + np.floor(v * 0.8) * 37.7) > 0.86
    canvas.shade(freckles * glow(np.abs(u) - 8, v - 9, 9, 8), 0.3 * dice.chance(0.15))
    canvas.shade(glow(np.abs(canvas.u) - 8, v + 1, 8, 7), dice.between(0.1, 0.3))


def _beard(canvas: Canvas, person: Person, dice: Dice) -> None:
    """Stubble or a beard for some: cheeks below a line, the upper lip, the chin."""
    u, v = canvas.u - 0.5 * person.yaw, canvas.v
    aside = np.abs(u) / person.half
    below = v - 14.5 + 15 * aside * aside * aside - dice.between(-1, 2)
    reach = dice.between(0.35, 2.2)  # a goatee's to beyond the ears
    area = np.minimum(np.minimum(below, head_distance(canvas, person)), (reach - aside) * 12)
    hairs = texture(person.strands, u * 1.1 + 0.25 * wave(v * 0.3) + np.floor(v * 0.5) * 5.3)
    density = person.beard * dice.chance(0.7) * dice.between(0.15, 1.1)
    cover = np.clip(area * 0.4 + (hairs - 0.5) * 1.2, 0, 1) * np.clip(density * (0.6 + 0.6 * hairs), 0, 0.95)
    canvas.paint(cover, person.hair * (0.5 + 0.6 * hairs)[:, None])


def _nose(canvas: Canvas, person: Person, dice: Dice) -> None:
    u, v = canvas.u - person.yaw * np.clip(canvas.v + 6, 0, 20) * 0.16, canvas.v
    tip, broad = dice.between(10, 13), dice.between(0.8, 1.35)
    dark_side = np.where(person.light_u > 0, np.float32(-1), np.float32(1))
    canvas.shade(glow(u - dark_side * 3.2 * broad, v - tip * 0.55, 3.4, tip * 0.8), 0.3)
    canvas.shade(glow(u + dark_side * 0.4, v - tip * 0.45, 1.8, tip * 0.62), -0.16)
    canvas.shade(glow(u, v - tip + 0.6, 2.6, 2.2), -0.14)
    canvas.shade(soft(ellipse(np.abs(u) - 2.2 * broad, v - tip - 1.9, 1.5, 0.95)), 0.62)
    wing = ellipse(np.abs(u) - 2.9 * broad, v - tip - 0.3, 2.1, 2.5)
    canvas.shade(line(wing, 1.1) * soft(np.abs(u) - 3.4 * broad), 0.32)
    canvas.shade(glow(u, v - tip - 4, 5, 2.4), 0.2)


def _mouth(canvas: Canvas, person: Person, dice: Dice) -> None:
    """Two lips around a gap, with teeth in it."""
    u, v = canvas.u - 1.3 * person.yaw, canvas.v
    half, smile = dice.between(5.6, 8.2), dice.between(-0.8, 3.2)
    gap = np.maximum(dice.between(-3, 4), 0) * np.clip(smile + 0.6, 0.2, 1)
    half = half + np.clip(smile, 0, 3) * 0.6
    arch = np.clip(1 - (u / half) ** 2, 0, 1)
    middle = v - dice.between(18.8, 21.5) + smile * (1 - arch) - smile * 0.5
    upper, lower = dice.between(1.1, 2.1), dice.between(1.6, 3)
    dip = 0.5 * glow(u, u * 0, 1.6, 1)
    over, under = middle + gap * 0.4 * arch, gap * 0.6 * arch - middle  # inside the gap both are positive
    corner = np.clip(arch * 4, 0, 1)
    lips = soft(np.minimum(over + (upper - dip) * arch, under + lower * arch)) * corner
    inside = soft(np.minimum(over, under)) * corner * (gap > 0)
    canvas.shade(glow(u, middle - lower - 2.6, half * 0.8, 2.6), 0.2)
    tint = dice.colour(_LIPS, 0.05) * np.float32(0.65) + person.skin * np.float32(0.3)
    canvas.paint(lips, tint * (1 - 0.2 * soft(-over))[:, None])
    canvas.shade(glow(u - 1.5, middle - gap * 0.6 - lower * 0.45, half * 0.5, 1.1), -0.22)
    canvas.paint(inside, np.array([0.22, 0.06, 0.07], np.float32)[None, :, None, None])
    teeth = inside * soft(np.minimum(under, dice.between(1.4, 3.2) - over)) * (gap > 0.5)
    enamel = 0.93 - 0.3 * np.clip(1.6 - 4 * wave(u * 0.36), 0, 1) - 0.25 * (1 - arch)
    canvas.paint(teeth, enamel[:, None] * np.array([1, 0.98, 0.92], np.float32)[:, None, None])
    canvas.shade(line(middle, 0.9) * corner * (gap == 0), 0.55)


def _wrinkles(canvas: Canvas, person: Person) -> None:
    """Folds beside the mouth, bags below the eyes, lines on the forehead: the older the deeper."""
    u, v = np.abs(canvas.u - person.yaw), canvas.v
    fold = line(u - 5 - (v - 11) * 0.42, 1.3) * np.clip(np.minimum(v - 10, 22 - v) * 0.3, 0, 1)
    bag = line(ellipse(u - 9, v - 1, 5.5, 4.6), 1.2) * soft(v - 4)
    brow = line(wave((v + 0.012 * u * u) * 0.28) - 1, 0.5) * glow(u, v + 14, 13, 7)
    canvas.shade(np.clip(fold + bag * 0.5 + brow * 0.6, 0, 1), 0.04 + 0.26 * person.age)


def _eyes(canvas: Canvas, person: Person, dice: Dice) -> None:
    """Brows, lids, lashes, irises that look somewhere, and a glint."""
    side = np.where(canvas.u < 0, np.float32(-1), np.float32(1))
    u, v = canvas.u - 9 * side, canvas.v
    outward = u * side
    half, opening = dice.between(4, 5.1), dice.between(1.5, 2.7)
    arch = 1 - (u / half) ** 2
    slant = v + outward * dice.between(-0.06, 0.16)
    top, bottom = slant + opening * arch, opening * 0.62 * arch - slant
    open_eye = soft(np.minimum(top, bottom))
    canvas.paint(open_eye, np.array([0.93, 0.91, 0.89], np.float32)[None, :, None, None])
    look_u, look_v = u - dice.between(-1, 1) - person.yaw, v - dice.between(-0.6, 0.5)
    ball = ellipse(look_u, look_v, 2.3, 2.3)
    canvas.paint(open_eye * soft(ball), dice.colour(_IRISES, 0.05))
    canvas.shade(open_eye * line(ball, 0.9), 0.5)
    canvas.shade(open_eye * soft(ellipse(look_u, look_v, 1.05, 1.05)), 0.9)
    glint = soft(ellipse(look_u - person.light_u, look_v + 0.9, 0.75, 0.75)) * soft(top + 0.5)
    canvas.paint(glint * 0.95, np.ones((1, 3, 1, 1), np.float32))
    made_up = dice.between(0.4, 1) - 0.3 * person.beard
    lid = np.clip(arch * 3 + 0.6, 0, 1)
    canvas.shade(line(top - 0.2, 1.3) * lid, np.clip(made_up + 0.2, 0, 0.92))
    canvas.shade(line(bottom, 0.8) * lid, 0.5 * made_up)
    canvas.shade(line(top - dice.between(-2.6, -1.4), 0.8) * lid, 0.3)
    height, bow, thick = dice.between(5, 7.5), dice.between(0.6, 2.4), dice.between(0.9, 2.6)
    curve = v + height + bow * (1 - (outward / 7) ** 2) - outward * dice.between(-0.16, 0.1)
    taper = np.clip((6.8 - np.abs(outward)) * 0.35, 0, 1)
    hairs = texture(person.strands, u * 1.2 + v * 0.6)
    brow = line(curve, thick * np.clip(1.1 - 0.07 * outward, 0.4, 1.5)) * taper * (0.55 + 0.45 * hairs)
    canvas.paint(brow, person.hair * np.float32(0.6))


def _glasses(canvas: Canvas, person: Person, dice: Dice) -> None:
    """Glasses for some, dark ones for a few."""
    worn, dark = dice.chance(0.22), dice.chance(0.2)
    u, v = np.abs(canvas.u - 0.4 * person.yaw), canvas.v
    half, tall = dice.between(5.8, 7.6), dice.between(3.8, 6.2)
    square_u, square_v = ((u - 9) * (1 / half)) ** 2, ((v - 1) * (1 / tall)) ** 2
    inside = (1 - np.sqrt(np.sqrt(square_u * square_u + square_v * square_v))) * np.minimum(half, tall)
    frame = dice.colour("141416 462c1e a08250 787c82", 0.04)
    tint = frame * np.float32(0.5) + np.float32(0.15) * (1 - dark[:, None])
    canvas.paint(soft(inside) * worn * (0.08 + 0.82 * dark), tint)
    glare = line(u + v * 0.8 - dice.between(2, 14), 1.8) * soft(inside - 1)
    canvas.paint(glare * worn * 0.35, np.ones((1, 3, 1, 1), np.float32))
    bridge = line(v + 0.8, 1.1) * soft(9 - half - u)
    on_head = soft(person.half + 2 - np.abs(canvas.u - person.middle))
    temple = line(v + 0.6, 1.1) * soft(u - 9 - half) * on_head
    rim = line(inside, dice.between(0.9, 2))
    canvas.paint(np.maximum(np.maximum(rim, bridge), temple) * worn, frame)


def _exposure(canvas: Canvas, dice: Dice) -> None:
    """The camera: contrast, brightness and a colour cast."""
    contrast, brightness = dice.between(0.8, 1.15)[:, None], dice.between(-0.08, 0.08)[:, None]
    cast = np.concatenate([dice.between(0.94, 1.06) for _ in range(3)], axis=1)[..., None]
    contrasted = (canvas.pixels - np.float32(0.5)) * contrast + (brightness + np.float32(0.5))
    np.multiply(contrasted, cast, out=canvas.pixels)
