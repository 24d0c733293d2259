"""Distillation losses against loops, and that a perfect student loses nothing."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from training.ml.losses import distillation as d


def vectors(count=5, dim=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, generator=generator, dtype=torch.float64)


def cosine(a, b):
    return float(a @ b / (a.norm() * b.norm()))


def smooth_l1(difference):
    difference = abs(difference)
    return 0.5 * difference**2 if difference < 1 else difference - 0.5


def test_the_similarities_of_the_teacher_are_stretched_and_cut_at_one():
    image, text = vectors(), vectors(3, seed=1)
    teacher_image, teacher_text = vectors(5, 7, seed=2), vectors(3, 7, seed=3)
    expected, cut = [], 0
    for i in range(5):
        for j in range(3):
            wanted = 4 * cosine(teacher_image[i], teacher_text[j])
            cut += wanted > 1
            expected.append((cosine(image[i], text[j]) - min(wanted, 1)) ** 2)
    assert cut, "the case is worth nothing when no score is cut"
    found = d.similarity_distillation(image, text, teacher_image, teacher_text)
    assert found.item() == pytest.approx(np.mean(expected))


def test_a_student_with_the_teachers_similarities_loses_nothing_without_stretch():
    image, text = vectors(5, 7), vectors(5, 7, seed=1)
    turn = torch.linalg.qr(vectors(7, 7, seed=2)).Q
    loss = d.similarity_distillation(3 * image @ turn, text @ turn, image, text, stretch=1.0)
    assert loss.item() == pytest.approx(0, abs=1e-12)


def test_rkd_angle_compares_the_angles_of_all_triplets():
    student, teacher = vectors(4, 3), vectors(4, 6, seed=1)

    def angle(of, j, i, k):
        a, b = of[i] - of[j], of[k] - of[j]
        return 0.0 if a.norm() == 0 or b.norm() == 0 else cosine(a, b)

    triplets = itertools.product(range(4), repeat=3)
    expected = [smooth_l1(angle(student, *t) - angle(teacher, *t)) for t in triplets]
    assert d.rkd_angle(student, teacher).item() == pytest.approx(np.mean(expected))


def test_rkd_distance_compares_distances_relative_to_their_mean():
    student, teacher = vectors(4, 3), vectors(4, 6, seed=1)

    def relative(of):
        pairs = np.array([[float((a - b).norm()) for a in of] for b in of])
        return pairs / pairs[pairs > 0].mean()

    difference = (relative(student) - relative(teacher)).ravel()
    expected = np.mean([smooth_l1(one) for one in difference])
    assert d.rkd_distance(student, teacher).item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", [d.rkd_angle, d.rkd_distance])
def test_a_student_turned_and_moved_keeps_the_teachers_geometry(loss):
    teacher = vectors(5, 4)
    turn = torch.linalg.qr(vectors(4, 4, seed=2)).Q
    assert loss(2.5 * teacher @ turn + 3, teacher).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("loss", [d.rkd_angle, d.rkd_distance])
def test_gradients_are_finite_where_two_vectors_are_equal(loss):
    student = torch.ones(3, 4, dtype=torch.float64)
    student[2] = 2
    student.requires_grad_()
    loss(student, vectors(3, 6)).backward()
    assert torch.isfinite(student.grad).all()


@pytest.mark.parametrize("loss", [d.rkd_angle, d.rkd_distance, d.feature_distillation])
def test_gradients_match_finite_differences(loss):
    student, teacher = vectors(4, 3).requires_grad_(), vectors(4, 3, seed=1)
    assert torch.autograd.gradcheck(lambda s: loss(s, teacher), (student,))


def test_feature_distillation_compares_directions_and_raw_the_lengths_too():
    student, teacher = vectors(), vectors(seed=1)
    units = [F.normalize(one, dim=1) for one in (student, teacher)]
    expected = np.mean([smooth_l1(x) for x in (units[0] - units[1]).flatten().tolist()])
    assert d.feature_distillation(student, teacher).item() == pytest.approx(expected)
    assert d.feature_distillation(9 * teacher, teacher).item() == pytest.approx(0, abs=1e-12)
    assert d.raw_distillation(220 * units[1], teacher, length=220).item() == pytest.approx(0)
    assert d.raw_distillation(units[1], teacher, length=220).item() > 1


def test_vectors_of_another_width_or_number_are_refused():
    with pytest.raises(ValueError, match="one width"):
        d.feature_distillation(vectors(5, 4), vectors(5, 6))
    with pytest.raises(ValueError, match="4 vectors of the student, 5"):
        d.rkd_angle(vectors(4), vectors(5))


def test_pairs_and_strangers_are_told_apart():
    image, text = vectors(), vectors(seed=1)
    score = np.array([[cosine(i, t) for t in text] for i in image])
    assert d.positive_distance(image, text).item() == pytest.approx(1 - np.diag(score).mean())
    own = np.eye(5, dtype=bool)
    found = d.stranger_similarity(image, text, torch.from_numpy(own))
    assert found.item() == pytest.approx(score[~own].mean())
    people = np.array([0, 1, 0, 2, 1])
    same = people[:, None] == people
    found = d.stranger_similarity(image, text, torch.from_numpy(same))
    assert found.item() == pytest.approx(score[~same].mean())
    assert d.stranger_similarity(image, text, torch.ones(5, 5, dtype=torch.bool)).item() == 0
