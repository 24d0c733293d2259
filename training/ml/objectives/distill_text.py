"""A text tower alone learns a teacher's space, so that the teacher's galleries are its own."""

import torch
from torch import Tensor
from torch.nn import functional as F

from training.ml.config import ConfigError, TrainConfig
from training.ml.data import CHINESE, ENGLISH, PairData
from training.ml.losses import distillation
from training.ml.losses.circle import circle_loss
from training.ml.losses.contrastive import info_nce
from training.ml.objectives.base import Objective, Outputs, Targets

_LANGUAGES = {"en": ENGLISH, "zh": CHINESE}


class DistillText(Objective):
    """For the texts of each language by themselves, e against the teacher's t of each:

    text_sim: all cosines among e to those among t. text_rel: circle loss of e and t together, by
    meaning. text_l1: the vectors themselves, t made `length` long. text_info: each e finds its t
    among all of the batch.

    Args:
        length: of the student's vectors that text_l1 asks for.
        scale: 1 / temperature of text_info. margin, gamma: of the circle loss.
    """

    def __init__(
        self,
        *,
        text_sim: float,
        text_rel: float,
        text_l1: float,
        text_info: float,
        length: float,
        scale: float,
        margin: float,
        gamma: float,
    ) -> None:
        super().__init__()
        self.weights = {
            "text_sim": text_sim,
            "text_rel": text_rel,
            "text_l1": text_l1,
            "text_info": text_info,
        }
        self.length = length
        self.scale = scale
        self.circle = {"margin": margin, "gamma": gamma}

    def forward(self, outputs: Outputs, targets: Targets) -> dict[str, Tensor]:
        """Terms such as `text_sim_en`, of the languages that the batch has."""
        if outputs.text is None or targets.teacher_text is None:
            raise ValueError("distill_text needs texts and a teacher's vectors of them")
        count = len(outputs.text)
        place = outputs.text.device
        known, meaning, languages = (
            targets.teacher_text_known,
            targets.described,
            targets.languages,
        )
        if known is None:
            known = torch.ones(count, dtype=torch.bool, device=place)
        if meaning is None:
            meaning = torch.arange(count, device=place)
        found: dict[str, Tensor] = {}
        for name, language in _LANGUAGES.items():
            rows = known if languages is None else known & (languages == language)
            if rows.any() and (languages is not None or language == ENGLISH):
                terms = self._terms(outputs.text[rows], targets.teacher_text[rows], meaning[rows])
                found |= {f"{term}_{name}": loss for term, loss in terms.items()}
        # No text of the batch is known to the teacher: nothing to learn, and no step to skip.
        return found or {"text_sim": outputs.text.sum() * 0}

    def _terms(self, text: Tensor, teacher: Tensor, meaning: Tensor) -> dict[str, Tensor]:
        unit, taught = F.normalize(text, dim=1), F.normalize(teacher.to(text.dtype), dim=1)
        losses: dict[str, Tensor] = {}
        if self.weights["text_sim"]:
            losses["text_sim"] = F.mse_loss(unit @ unit.T, taught @ taught.T)
        if self.weights["text_rel"]:
            both, twice = torch.cat([unit, taught]), meaning.repeat(2)
            own = torch.arange(len(both), device=both.device)
            losses["text_rel"] = circle_loss(both, twice, both, twice, own=own, **self.circle)
        if self.weights["text_l1"]:
            losses["text_l1"] = distillation.raw_distillation(text, taught, length=self.length)
        if self.weights["text_info"]:
            same = meaning[:, None] == meaning[None, :]
            losses["text_info"] = info_nce(self.scale * unit @ taught.T, same)
        return {name: self.weights[name] * loss for name, loss in losses.items()}


def build(config: TrainConfig, data: PairData, dim: int) -> DistillText:
    """Raises: ConfigError, there is no teacher, or its space has another width."""
    if not data.teacher_dim:
        raise ConfigError("distill_text needs a teacher: set teacher=NAME")
    if data.teacher_dim != dim:
        raise ConfigError(f"the teacher's space has {data.teacher_dim} dimensions: set dim to that")
    return DistillText(
        text_sim=config.text_sim,
        text_rel=config.text_rel,
        text_l1=config.text_l1,
        text_info=config.text_info,
        length=config.text_length,
        scale=config.info_scale,
        margin=config.circle_margin,
        gamma=config.circle_gamma,
    )
