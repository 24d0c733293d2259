"""The parts of a figure that are told apart in its label map."""

from enum import IntEnum


class Part(IntEnum):
    SKIN = 1
    FACE = 2
    HAIR = 3
    HAIR_SHAPE = 4  # what makes the hair long, a ponytail or a bun
    HAT = 5
    GLASSES = 6
    UPPER = 7
    INNER = 8
    LOWER = 9
    SHOES = 10
    BAG = 11
    STRAP = 12
    UMBRELLA = 13
    MOTIF = 14
    SLEEVE = 15
    LEG = 16
