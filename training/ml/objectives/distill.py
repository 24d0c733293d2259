"""A student learns a teacher's similarities, and who is who.

The weights have the names and defaults of the system that the recipe comes from. Its other options
are settings under these names: feature-dim `dim`, image-size `height` and `width`, max-seq-length
`max_tokens` (a character tower reads 512 characters), iterations `steps`, optim `optimizer`,
warm-up `warmup`, lr-min `lr_end` (as a share of `lr`), fp16 `precision`, train-modules `freeze`
(what is not trained). Pictures are decoded once, so there are no workers, and a run that was cut
off goes on by itself, so there is no resume.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training.ml.config import IN_TEACHERS_SPACE, ConfigError, TrainConfig
from training.ml.data import ATTRIBUTES, CAPTION, PROMPT, PairData
from training.ml.losses import distillation
from training.ml.losses.circle import circle_loss
from training.ml.losses.memory import FeatureQueue
from training.ml.objectives.base import Objective, Outputs, Targets

# By the kind of a text, the term of its circle loss with the teacher's vectors.
_CIRCLES = {CAPTION: "cap_c", ATTRIBUTES: "a_c", PROMPT: "p_c"}


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Of each term; a term of weight 0 is not computed. See `Distill` for what they are."""

    dist_rel: float
    rkda_img: float
    rkda_cap: float
    rkdd_img: float
    rkdd_cap: float
    img_dist: float
    cap_dist: float
    img_c: float
    cap_c: float
    a_c: float
    p_c: float
    id_img: float
    id_cap: float
    id_img_cap: float
    d_pos: float
    s_neg: float


class Distill(Objective):
    """Terms, each times its weight:

    dist_rel: the cosines of pictures and captions, to the teacher's stretched ones.
    rkda_img, rkda_cap, rkdd_img, rkdd_cap: angles and distances within pictures, within captions.
    img_dist, cap_dist: the vectors themselves.
    img_c, cap_c, a_c, p_c: circle loss of pictures, captions, attributes, prompt captions
        together with the teacher's vectors of them, by person.
    id_img, id_cap, id_img_cap: circle loss by person against long queues of earlier pictures,
        captions, and both.
    d_pos, s_neg: less the cosine of a pair; the cosine of a picture and a stranger's caption.

    Records without a teacher's vector take part in the id terms alone.

    Args:
        stretch: of the teacher's cosines in dist_rel. margin, gamma: of the circle losses.
        queue, growth: size of each memory queue, and how much longer it gets with each step.
        strangers: whether s_neg leaves out captions that fit the picture; the original counts
            all but the picture's own.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        dim: int,
        stretch: float,
        margin: float,
        gamma: float,
        queue: int,
        growth: int,
        strangers: bool,
    ) -> None:
        super().__init__()
        self.weights = weights
        self.stretch = stretch
        self.circle = {"margin": margin, "gamma": gamma}
        self.strangers = strangers
        self.queues = torch.nn.ModuleDict(
            {
                name: FeatureQueue(dim, size=queue, growth=growth)
                for name in ("id_img", "id_cap", "id_img_cap")
                if getattr(weights, name)
            }
        )

    def forward(self, outputs: Outputs, targets: Targets) -> dict[str, Tensor]:
        """The terms whose weight is not 0 and that the batch has something for."""
        if outputs.image is None or outputs.text is None:
            raise ValueError("distill trains pictures and texts together")
        lesson = _Lesson(
            F.normalize(outputs.image, dim=1), F.normalize(outputs.text, dim=1), targets
        )
        found = self._identity(lesson)
        if lesson.images.numel() and lesson.captions.numel():
            found |= self._relations(lesson)
            found |= self._vectors(lesson)
        return {name: getattr(self.weights, name) * loss for name, loss in found.items()}

    def _identity(self, lesson: "_Lesson") -> dict[str, Tensor]:
        """What needs no teacher."""
        image, caption = lesson.image, lesson.text[lesson.is_caption]
        people, of_caption = lesson.people, lesson.text_people[lesson.is_caption]
        inputs = {
            "id_img": (image, people),
            "id_cap": (caption, of_caption),
            "id_img_cap": (torch.cat([image, caption]), torch.cat([people, of_caption])),
        }
        losses = {}
        for name, queue in self.queues.items():
            vectors, who = inputs[name]
            keys, whose = queue(vectors, who)
            own = torch.arange(len(vectors), device=vectors.device)
            losses[name] = circle_loss(vectors, who, keys, whose, own=own, **self.circle)
        return losses

    def _relations(self, lesson: "_Lesson") -> dict[str, Tensor]:
        """Of pictures to captions, among pictures, and among captions."""
        image, taught_image = lesson.image[lesson.images], lesson.teacher_image[lesson.images]
        text, taught_text = lesson.text[lesson.captions], lesson.teacher_text[lesson.captions]
        weights, losses = self.weights, {}
        if weights.dist_rel:
            losses["dist_rel"] = distillation.similarity_distillation(
                image, text, taught_image, taught_text, stretch=self.stretch
            )
        for name, relation, student, teacher in (
            ("rkda_img", distillation.rkd_angle, image, taught_image),
            ("rkda_cap", distillation.rkd_angle, text, taught_text),
            ("rkdd_img", distillation.rkd_distance, image, taught_image),
            ("rkdd_cap", distillation.rkd_distance, text, taught_text),
        ):
            if getattr(weights, name):
                losses[name] = relation(student, teacher)
        if weights.d_pos:
            pictures = lesson.described[lesson.captions]
            paired = lesson.image_known[pictures]
            if paired.any():
                losses["d_pos"] = distillation.positive_distance(
                    lesson.image[pictures[paired]], text[paired]
                )
        if weights.s_neg:
            own = lesson.described[lesson.captions][None, :] == lesson.images[:, None]
            fits = lesson.fits[lesson.captions][:, lesson.images].T if self.strangers else own
            losses["s_neg"] = distillation.stranger_similarity(image, text, fits | own)
        return losses

    def _vectors(self, lesson: "_Lesson") -> dict[str, Tensor]:
        """To the teacher's vectors themselves."""
        image, taught = lesson.image[lesson.images], lesson.teacher_image[lesson.images]
        losses = {}
        if self.weights.img_dist:
            losses["img_dist"] = distillation.feature_distillation(image, taught)
        if self.weights.img_c:
            losses["img_c"] = self._beside(image, taught, lesson.people[lesson.images])
        if self.weights.cap_dist:
            losses["cap_dist"] = distillation.feature_distillation(
                lesson.text[lesson.captions], lesson.teacher_text[lesson.captions]
            )
        for kind, name in _CIRCLES.items():
            rows = torch.nonzero(lesson.text_known & (lesson.kinds == kind))[:, 0]
            if getattr(self.weights, name) and rows.numel():
                losses[name] = self._beside(
                    lesson.text[rows], lesson.teacher_text[rows], lesson.text_people[rows]
                )
        return losses

    def _beside(self, student: Tensor, teacher: Tensor, people: Tensor) -> Tensor:
        both, twice = torch.cat([student, teacher]), people.repeat(2)
        own = torch.arange(len(both), device=both.device)
        return circle_loss(both, twice, both, twice, own=own, **self.circle)


class _Lesson:
    """A batch with all that it may lack filled in.

    images, captions: the rows of pictures and of captions that the teacher knows.
    """

    def __init__(self, image: Tensor, text: Tensor, targets: Targets) -> None:
        place = image.device
        self.image, self.text = image, text
        if targets.identities is None or targets.text_identities is None:
            raise ValueError("distill needs data that know who is in each picture")
        self.people, self.text_people = targets.identities, targets.text_identities
        self.fits = targets.positive
        rows = torch.arange(len(text), device=place)
        self.described = rows if targets.described is None else targets.described
        none = torch.zeros(len(text), dtype=torch.long, device=place)
        self.kinds = none if targets.kinds is None else targets.kinds
        self.is_caption = self.kinds == CAPTION
        self.teacher_image = _filled(targets.teacher_image, image)
        self.teacher_text = _filled(targets.teacher_text, text)
        self.image_known = _known(targets.teacher_image_known, targets.teacher_image, image)
        self.text_known = _known(targets.teacher_text_known, targets.teacher_text, text)
        self.images = torch.nonzero(self.image_known)[:, 0]
        self.captions = torch.nonzero(self.text_known & self.is_caption)[:, 0]


def _filled(taught: Tensor | None, student: Tensor) -> Tensor:
    return torch.zeros_like(student) if taught is None else taught.to(student.dtype)


def _known(known: Tensor | None, taught: Tensor | None, student: Tensor) -> Tensor:
    if known is not None:
        return known
    shape = (len(student),)
    return torch.full(shape, taught is not None, dtype=torch.bool, device=student.device)


def build(config: TrainConfig, data: PairData, dim: int) -> Distill:
    """Raises: ConfigError, there is no teacher, or its vectors have another width."""
    weights = Weights(**{name: getattr(config, name) for name in Weights.__dataclass_fields__})
    if not data.teacher_dim:
        raise ConfigError("distill needs a teacher: set teacher=NAME")
    needing = [name for name in IN_TEACHERS_SPACE if getattr(weights, name)]
    if needing and data.teacher_dim != dim:
        raise ConfigError(
            f"{', '.join(needing)} compare with the teacher's vectors of {data.teacher_dim} "
            f"dimensions: set dim={data.teacher_dim}, or these to 0"
        )
    return Distill(
        weights,
        dim=dim,
        stretch=config.stretch,
        margin=config.circle_margin,
        gamma=config.circle_gamma,
        queue=config.queue,
        growth=config.queue_growth,
        strangers=config.s_neg_of == "strangers",
    )
