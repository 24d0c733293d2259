"""Losses that bring a student to a teacher: its similarities, its geometry, its vectors.

Student and teacher may have vectors of different widths in all but `feature_distillation`.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

# Below this squared length two vectors count as one: the root has no slope at 0.
_TINY = 1e-12


def similarity_distillation(
    image: Tensor,
    text: Tensor,
    teacher_image: Tensor,
    teacher_text: Tensor,
    *,
    stretch: float = 4.0,
) -> Tensor:
    """`dist_rel`: the mean squared difference of all cosines in the batch, student to teacher.

    The teacher's are multiplied by `stretch` and cut at 1: a SigLIP-like teacher gives people low
    scores, of which the upper part alone tells them apart.

    Args:
        image, text: (B, D) and (T, D) of the student; teacher_image, teacher_text: (B, E), (T, E).

    Returns: scalar.
    Raises: ValueError, student and teacher differ in length.
    """
    _same_length(image, teacher_image)
    _same_length(text, teacher_text)
    wanted = (stretch * cosines(teacher_image, teacher_text)).clamp(max=1)
    return F.mse_loss(cosines(image, text), wanted)


def cosines(rows: Tensor, columns: Tensor) -> Tensor:
    """(R, D), (C, D) -> (R, C)."""
    return F.normalize(rows, dim=1) @ F.normalize(columns, dim=1).T


def rkd_angle(student: Tensor, teacher: Tensor) -> Tensor:
    """Smooth L1 between the cosines of all angles that three vectors of the batch make.

    Args: student (B, D), teacher (B, E), as they are, not normalized here.

    Returns: scalar, the mean over the B^3 triplets; memory grows with B^3.
    Source: Park et al., Relational Knowledge Distillation, CVPR 2019.
    """
    _same_length(student, teacher)
    return F.smooth_l1_loss(_angles(student), _angles(teacher))


def _angles(vectors: Tensor) -> Tensor:
    """(B, B, B) [j, i, k]: the cosine at vector j between the directions to i and to k."""
    direction = F.normalize(vectors[None] - vectors[:, None], dim=2)
    return direction @ direction.transpose(1, 2)


def rkd_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Smooth L1 between all distances in the batch, each side's divided by their mean.

    Args: student (B, D), teacher (B, E).

    Source: as `rkd_angle`.
    """
    _same_length(student, teacher)
    return F.smooth_l1_loss(_distances(student), _distances(teacher))


def _distances(vectors: Tensor) -> Tensor:
    square = (vectors[:, None] - vectors[None, :]).square().sum(dim=2)
    apart = square > _TINY
    # Where the root has no slope a constant stands, so that no gradient is infinite.
    distance = torch.where(apart, square, 1.0).sqrt() * apart
    return distance / (distance.sum() / apart.sum().clamp(min=1)).clamp(min=_TINY)


def feature_distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """Smooth L1 between the unit vectors of student and teacher, both (B, D).

    Raises: ValueError, they are not of one shape.
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f"the student's vectors are {tuple(student.shape)}, the teacher's "
            f"{tuple(teacher.shape)}: feature distillation needs one width"
        )
    return F.smooth_l1_loss(F.normalize(student, dim=1), F.normalize(teacher, dim=1))


def raw_distillation(student: Tensor, teacher: Tensor, *, length: float) -> Tensor:
    """Smooth L1 between a student's vectors as they are and the teacher's made `length` long.

    Makes the student's length constant too, for consumers that do not normalize.
    Raises: ValueError, they are not of one shape.
    """
    if student.shape != teacher.shape:
        raise ValueError(f"{tuple(student.shape)} is not {tuple(teacher.shape)}")
    return F.smooth_l1_loss(student, length * F.normalize(teacher, dim=1))


def positive_distance(image: Tensor, text: Tensor) -> Tensor:
    """`d_pos`: 1 less the mean cosine of the pairs, rows of (B, D) and (B, D)."""
    return 1 - F.cosine_similarity(image, text, dim=1).mean()


def stranger_similarity(image: Tensor, text: Tensor, belongs: Tensor) -> Tensor:
    """`s_neg`: the mean cosine of images and texts that do not belong together.

    Args:
        image: (B, D). text: (T, D). belongs: (B, T) bool. In the original only the diagonal
            does, so that a second picture of a person counts as a stranger's.

    Returns: scalar, 0 where all belong together.
    """
    score = cosines(image, text)
    return (score * ~belongs).sum() / (~belongs).sum().clamp(min=1)


def _same_length(student: Tensor, teacher: Tensor) -> None:
    if len(student) != len(teacher):
        raise ValueError(f"{len(student)} vectors of the student, {len(teacher)} of the teacher")
