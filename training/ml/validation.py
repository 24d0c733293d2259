"""How well a model finds what its probe asks for: what selection, and nothing else, looks at."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F

from training.ml.data import Pixels, Probe, Vectors
from training.ml.dual_encoder import DualEncoder
from training.ml.loader import to_pictures
from training.ml.ranking import recall_at
from training.ml.text_tower import grouped


@torch.no_grad()
def encode_pictures(model: DualEncoder, pixels: Pixels, batch: int = 128) -> Vectors:
    """(N, D) unit vectors of pictures (N, H, W, 3), with the model as it would serve."""
    assert model.image is not None
    was_training = model.training
    model.eval()
    place = next(model.parameters()).device
    images = [
        model.image(to_pictures(pixels[start : start + batch]).to(place)).float().cpu()
        for start in range(0, len(pixels), batch)
    ]
    model.train(was_training)
    vectors: Vectors = F.normalize(torch.cat(images)).numpy()
    return vectors


@torch.no_grad()
def encode_texts(model: DualEncoder, texts: Sequence[str]) -> Vectors:
    """(M, D) unit vectors of texts, with the model as it would serve."""
    assert model.text is not None
    was_training = model.training
    model.eval()
    tokens = grouped(model.text, texts).to(next(model.parameters()).device)
    embedded = torch.cat([model.text(*group) for group in tokens.groups])[tokens.order]
    model.train(was_training)
    vectors: Vectors = F.normalize(embedded.float()).cpu().numpy()
    return vectors


def validate(model: DualEncoder, probe: Probe) -> dict[int, float]:
    """Share of the probe's queries with a fitting picture among the first 1, 5 and 10."""
    gallery = probe.vectors
    if gallery is None:
        gallery = encode_pictures(model, probe.pixels)
    if probe.texts:
        return recall_at(encode_texts(model, probe.texts) @ gallery.T, probe.positive)
    similarity = gallery @ gallery.T
    np.fill_diagonal(similarity, -np.inf)  # nobody is asked to find itself
    positive = probe.positive & ~np.eye(len(gallery), dtype=bool)
    asked = positive.any(axis=1)
    return recall_at(similarity[asked], positive[asked])


def judged_order(model: DualEncoder, probe: Probe) -> float | None:
    """Of the texts that people judged, the mean share of pairs of a confirmed picture and a
    refused one that are in order; None where the probe has no such pair."""
    if not probe.questions:
        return None
    pictures = encode_pictures(model, probe.pixels)
    asked = encode_texts(model, [one.text for one in probe.questions]) @ pictures.T
    shares = [
        float((scores[one.confirmed][:, None] > scores[one.refused][None, :]).mean())
        for one, scores in zip(probe.questions, asked, strict=True)
    ]
    return float(np.mean(shares))
