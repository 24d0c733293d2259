"""A body in three dimensions: its proportions, its pose, and where it lands on the picture.

Body units: 1 is the height from sole to crown. x is across the body, y up from the ground,
z forward. The body turns by `yaw` about its axis: 0 faces the viewer.
"""

from dataclasses import dataclass

import numpy as np

from gallery.synthetic.attributes import Person
from gallery.synthetic.canvas import Floats, Polygon

_HEIGHTS = np.array([0.43, 0.50, 0.56, 0.62, 0.70, 0.76, 0.805, 0.832, 0.86])
_WIDTHS = {
    "man": np.array([0.080, 0.086, 0.082, 0.081, 0.094, 0.103, 0.107, 0.080, 0.038]),
    "woman": np.array([0.086, 0.096, 0.084, 0.064, 0.075, 0.082, 0.084, 0.061, 0.031]),
}
_DEPTHS = {
    "man": np.array([0.062, 0.070, 0.064, 0.062, 0.070, 0.072, 0.056, 0.046, 0.040]),
    "woman": np.array([0.066, 0.078, 0.062, 0.052, 0.070, 0.074, 0.048, 0.040, 0.032]),
}
# Thigh, knee, calf, ankle; shoulder, elbow, wrist.
_LEG = {"man": (0.055, 0.038, 0.037, 0.024), "woman": (0.055, 0.035, 0.034, 0.020)}
_ARM = {"man": (0.031, 0.024, 0.018), "woman": (0.024, 0.019, 0.0145)}
_SIDES = (-1.0, 1.0)


@dataclass(frozen=True)
class Build:
    """How much wider than average a body is: trunk, belly (depth and waist), limbs, face."""

    trunk: float
    belly: float
    limbs: float
    face: float


_BUILDS = {
    "slim": Build(0.84, -0.04, 0.80, 0.95),
    "average": Build(1.0, 0.0, 1.0, 1.0),
    "stout": Build(1.26, 0.36, 1.30, 1.13),
}


@dataclass(frozen=True)
class Gesture:
    """What an arm does: swing (forward), spread (aside) and bend of the elbow, in radians."""

    swing: float
    spread: float
    bend: float
    inward: float = 0.0


class Body:
    """One posed body.

    Joints are (2, 3) arrays in body units, row 0 the body's side at negative x.
    """

    def __init__(
        self,
        person: Person,
        rng: np.random.Generator,
        *,
        scale: float,
        origin: tuple[float, float],
    ) -> None:
        self.scale = scale
        self.origin = origin
        self.gender = person.gender
        build = _BUILDS[person.build]
        vary = 1 + 0.035 * rng.uniform(-1, 1, 4)
        self.limbs = build.limbs * vary[0]
        self.face = build.face * vary[1]
        self.head = 1.13 * (1 + 0.04 * rng.uniform(-1, 1))
        belly = np.exp(-(((_HEIGHTS - 0.59) / 0.075) ** 2)) * build.belly
        self._widths = _WIDTHS[person.gender] * (build.trunk * vary[2] + 0.75 * belly)
        self._depths = _DEPTHS[person.gender] * (build.trunk * vary[2] + 1.5 * belly)
        self.walking = person.pose == "walking"
        self.yaw = self._turn(person.view, rng)
        self.cos, self.sin = float(np.cos(self.yaw)), float(np.sin(self.yaw))
        self.pitch = float(rng.uniform(0.1, 0.3))
        self.head_yaw = self.yaw + float(rng.uniform(-0.3, 0.3))
        self._stand(rng)
        self._hang(rng)

    @staticmethod
    def _turn(view: str, rng: np.random.Generator) -> float:
        jitter = float(rng.uniform(-1, 1))
        if view == "front":
            return 0.42 * jitter
        if view == "back":
            return np.pi + 0.42 * jitter
        return (1 if rng.random() < 0.5 else -1) * (np.pi / 2 + 0.3 * jitter)

    @property
    def facing(self) -> bool:
        """The chest is turned to the viewer."""
        return self.cos > 0

    @property
    def near(self) -> int:
        """The side (0 or 1) that is nearer to the viewer."""
        return 0 if self.sin > 0 else 1

    @property
    def profile(self) -> bool:
        return abs(self.cos) < 0.5

    def px(self, points: Floats) -> Polygon:
        """(N, 3) body units -> (N, 2) pixels. What is nearer to the viewer stands lower."""
        x = points[:, 0] * self.cos + points[:, 2] * self.sin
        near = points[:, 2] * self.cos - points[:, 0] * self.sin
        out = np.empty((len(points), 2))
        out[:, 0] = self.origin[0] + self.scale * x
        out[:, 1] = self.origin[1] - self.scale * (points[:, 1] - self.pitch * near)
        return out

    def near_by(self, point: Floats) -> float:
        """How far towards the viewer a point is, in body units."""
        return float(point[2] * self.cos - point[0] * self.sin)

    def _leg_lengths(self) -> tuple[float, float]:
        return 0.238, 0.232

    def _stand(self, rng: np.random.Generator) -> None:
        thigh, shin = self._leg_lengths()
        if self.walking:
            phase = rng.uniform(0, 2 * np.pi)
            stride = rng.uniform(0.36, 0.54)
            swing = np.array([np.sin(phase), -np.sin(phase)]) * stride
            lift = np.array([np.cos(phase), -np.cos(phase)])
            bend = 0.1 + 0.85 * np.maximum(lift, 0) * rng.uniform(0.6, 1.0)
            # The leg behind bends at the knee, the leg in front is nearly straight.
            bend += 0.3 * np.maximum(-swing / stride, 0)
        else:
            swing = rng.uniform(-0.05, 0.07, 2)
            bend = np.maximum(rng.uniform(-0.15, 0.14, 2), 0)
            phase = 0.0
        self.phase = float(phase)
        apart = rng.uniform(0.0, 0.07) if not self.walking else rng.uniform(0.0, 0.03)
        hip_x = 0.5 * self.width(0.47)
        hips, knees, ankles = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3))
        for i, side in enumerate(_SIDES):
            hips[i] = (side * hip_x, 0.49, 0)
            aside = side * apart
            knees[i] = hips[i] + thigh * np.array(
                [np.sin(aside), -np.cos(swing[i]) * np.cos(aside), np.sin(swing[i])]
            )
            low = swing[i] - bend[i]
            ankles[i] = knees[i] + shin * np.array(
                [np.sin(aside) * 0.8, -np.cos(low) * np.cos(aside), np.sin(low)]
            )
        self.foot_pitch = np.clip((bend - 0.15) * 0.8, 0, 0.9) if self.walking else np.zeros(2)
        drop = float(ankles[:, 1].min()) - 0.042
        for joints in (hips, knees, ankles):
            joints[:, 1] -= drop
        self.drop = drop
        self.hips, self.knees, self.ankles = hips, knees, ankles
        self.toe_out = rng.uniform(0.05, 0.3, 2)

    def _hang(self, rng: np.random.Generator) -> None:
        shoulder_x = float(np.interp(0.8, _HEIGHTS, self._widths))
        self.shoulders = np.array(
            [[side * shoulder_x * 0.95, 0.784 - self.drop, 0.0] for side in _SIDES]
        )
        # A wide body holds its arms further out.
        free = 0.06 + 0.55 * max(0.0, self.width(0.59) - 0.085)
        self._spread = free
        if self.walking:
            amount = rng.uniform(0.25, 0.5)
            swings = np.array([-np.sin(self.phase), np.sin(self.phase)]) * amount
            bends = 0.2 + 0.5 * np.maximum(swings, 0) + rng.uniform(0, 0.2, 2)
        else:
            swings = rng.uniform(-0.08, 0.12, 2)
            bends = rng.uniform(0.08, 0.35, 2)
        spreads = free + rng.uniform(0.0, 0.12, 2)
        gestures = [Gesture(float(swings[i]), float(spreads[i]), float(bends[i])) for i in range(2)]
        kind = rng.random()
        if kind < 0.1:  # a phone in front of the chest
            gestures[int(rng.integers(2))] = Gesture(0.25, 0.12, 1.9, 0.45)
        elif kind < 0.25 and not self.walking:  # a hand in the pocket
            gestures[int(rng.integers(2))] = Gesture(-0.28, free + 0.2, 0.75, 0.32)
        self.elbows = np.zeros((2, 3))
        self.hands = np.zeros((2, 3))
        for i in range(2):
            self.bend_arm(i, gestures[i])

    def bend_arm(self, side: int, gesture: Gesture) -> None:
        """Put one arm into a gesture."""
        upper, lower = 0.162, 0.150
        out = _SIDES[side]
        a, s = gesture.swing, gesture.spread
        self.elbows[side] = self.shoulders[side] + upper * np.array(
            [out * np.sin(s), -np.cos(a) * np.cos(s), np.sin(a)]
        )
        b = a + gesture.bend
        s2 = s * 0.35 - gesture.inward
        self.hands[side] = self.elbows[side] + lower * np.array(
            [out * np.sin(s2), -np.cos(b) * np.cos(s2), np.sin(b) * np.cos(s2)]
        )

    def width(self, height: float) -> float:
        """Half the trunk's width at a height (of a body that stands straight)."""
        return float(np.interp(height, _HEIGHTS, self._widths))

    def leg_radii(self) -> tuple[float, float, float, float]:
        thigh, knee, calf, ankle = _LEG[self.gender]
        k = self.limbs
        return thigh * k, knee * k, calf * k, ankle * (0.6 + 0.4 * k)

    def arm_radii(self) -> tuple[float, float, float]:
        shoulder, elbow, wrist = _ARM[self.gender]
        k = self.limbs
        return shoulder * (0.3 + 0.7 * k), elbow * k, wrist * (0.5 + 0.5 * k)

    def ring(self, height: float, ease: float = 0.0) -> tuple[float, float]:
        """Half width and half depth of the clothed trunk at a height, in body units."""
        return (
            float(np.interp(height, _HEIGHTS, self._widths)) + ease,
            float(np.interp(height, _HEIGHTS, self._depths)) + ease,
        )

    def reach(self, width: float, depth: float) -> float:
        """Half of what an elliptic section shows to the viewer."""
        return float(np.hypot(width * self.cos, depth * self.sin))

    def shell(self, heights: Floats, ease: Floats) -> Polygon:
        """The outline of the clothed trunk between heights, as one polygon in pixels.

        heights: (N,) from top to bottom. ease: (N,) cloth off the body, in body units.
        """
        w = np.interp(heights, _HEIGHTS, self._widths) + ease
        d = np.interp(heights, _HEIGHTS, self._depths) + ease
        half = np.hypot(w * self.cos, d * self.sin)
        # Chest and belly bulge forward, the seat backward: seen from the side only.
        forward = 0.18 * d * np.interp(heights, [0.4, 0.5, 0.6, 0.73, 0.8], [0, -0.9, 0.7, 0.6, 0])
        centre = forward * self.sin
        y = self.origin[1] - self.scale * (heights - self.drop)
        x = self.origin[0] + self.scale * centre
        left = np.stack([x - self.scale * half, y], axis=1)
        right = np.stack([x + self.scale * half, y], axis=1)
        return np.concatenate([left, right[::-1]])

    def surface(
        self, height: float, azimuth: float, ease: float = 0.0
    ) -> tuple[float, float, float]:
        """A point on the clothed trunk: x, y in pixels, and its facing (1 towards the viewer).

        azimuth: 0 is the middle of the chest, pi / 2 the side at positive x.
        """
        w, d = self.ring(height, ease)
        x, z = w * np.sin(azimuth), d * np.cos(azimuth)
        facing = np.cos(azimuth) * self.cos - np.sin(azimuth) * self.sin
        return (
            self.origin[0] + self.scale * (x * self.cos + z * self.sin),
            self.origin[1] - self.scale * (height - self.drop),
            float(facing),
        )
