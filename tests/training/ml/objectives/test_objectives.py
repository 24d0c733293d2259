"""Objectives: which terms a batch gives, what leaves a record out, and what they refuse."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from training.ml import objectives
from training.ml.config import ConfigError, TrainConfig
from training.ml.data import ATTRIBUTES, CAPTION, PROMPT
from training.ml.losses import distillation
from training.ml.losses.circle import circle_loss
from training.ml.objectives.base import Outputs, Targets
from training.ml.recipes import RECIPES

DIM = 6
EVERY = dict.fromkeys(("rkda_img", "rkda_cap", "rkdd_img", "rkdd_cap", "img_dist", "cap_dist"), 1.0)


class Knows:
    """As much of the data as an objective asks about."""

    fields = ()

    def __init__(self, classes=4, teacher_dim=DIM):
        self.classes = classes
        self.teacher_dim = teacher_dim


def vectors(count, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, DIM, generator=generator)


def built(recipe, data=None, **settings):
    config = TrainConfig.of_recipe(recipe, {"dim": DIM, "text_heads": 1, **settings})
    return objectives.build(config, data or Knows(), DIM)


def lesson(known_images=(1, 1, 1, 1), known_texts=(1,) * 6):
    """Four pictures; four captions, then attributes of the first and a prompt of the second."""
    described = torch.tensor([0, 1, 2, 3, 0, 1])
    people = torch.tensor([0, 1, 0, 2])
    return Targets(
        positive=people[described][:, None] == people[None, :],
        identities=people,
        text_identities=people[described],
        described=described,
        kinds=torch.tensor([CAPTION] * 4 + [ATTRIBUTES, PROMPT]),
        teacher_image=vectors(4, 3) * torch.tensor(known_images)[:, None],
        teacher_image_known=torch.tensor(known_images, dtype=torch.bool),
        teacher_text=vectors(6, 4) * torch.tensor(known_texts)[:, None],
        teacher_text_known=torch.tensor(known_texts, dtype=torch.bool),
    )


OUT = Outputs(image=vectors(4, 1), text=vectors(6, 2))


def test_every_recipe_names_an_objective_that_can_be_built():
    for recipe in RECIPES:
        built(recipe)


def test_distill_has_every_term_with_its_weight():
    found = built("distill", **EVERY)(OUT, lesson())
    whole = "dist_rel rkda_img rkda_cap rkdd_img rkdd_cap img_dist cap_dist img_c cap_c a_c p_c"
    assert set(found) == set(whole.split()) | {"id_img", "id_cap", "id_img_cap", "d_pos", "s_neg"}
    target = lesson()
    expected = distillation.similarity_distillation(
        OUT.image, OUT.text[:4], target.teacher_image, target.teacher_text[:4]
    )
    assert found["dist_rel"].item() == pytest.approx(100 * expected.item(), rel=1e-5)
    both = torch.cat([F.normalize(OUT.text[4:5]), target.teacher_text[4:5]])
    own = torch.arange(2)
    twice = torch.zeros(2)
    alone = circle_loss(both, twice, both, twice, own=own)
    assert found["a_c"].item() == pytest.approx(0.1 * alone.item(), abs=1e-7)
    assert found["d_pos"].item() == pytest.approx(
        distillation.positive_distance(OUT.image, OUT.text[:4]).item()
    )


def test_a_term_of_weight_0_is_not_computed():
    found = built("distill", s_neg=0.0, id_cap=0.0, a_c=0.0)(OUT, lesson())
    assert not {"s_neg", "id_cap", "a_c", "rkda_img"} & set(found)


def test_records_without_a_teacher_take_part_in_identity_terms_alone():
    """Their gradient is that of the identity terms; with zero weights there it is zero."""
    none = dict.fromkeys(("id_img", "id_cap", "id_img_cap"), 0.0)
    for settings, moved in ((none, False), ({}, True)):
        image, text = (one.clone().requires_grad_() for one in (OUT.image, OUT.text))
        target = lesson(known_images=(1, 0, 1, 1), known_texts=(1, 0, 1, 1, 1, 0))
        found = built("distill", **EVERY, **settings)(Outputs(image=image, text=text), target)
        torch.stack(list(found.values())).sum().backward()
        assert bool(image.grad[1].any()) == moved
        assert bool(text.grad[1].any()) == moved
        assert not text.grad[5].any(), "a prompt without a teacher has no term at all"
        assert image.grad[0].any()
        assert text.grad[0].any()


def test_a_batch_that_the_teacher_does_not_know_has_identity_terms_alone():
    found = built("distill", **EVERY)(OUT, lesson((0,) * 4, (0,) * 6))
    assert set(found) == {"id_img", "id_cap", "id_img_cap"}


def test_s_neg_leaves_out_fitting_captions_unless_asked_for_all_others():
    image, text = OUT.image, OUT.text[:4]
    score = distillation.cosines(image, text)
    people = lesson().identities
    same = people[:, None] == people[None, :]
    own = torch.eye(4, dtype=torch.bool)
    for settings, kept in (({}, ~same), ({"s_neg_of": "all"}, ~own)):
        found = built("distill", **settings)(OUT, lesson())["s_neg"]
        assert found.item() == pytest.approx(score[kept].mean().item())


def test_the_queues_of_distill_remember_earlier_steps_and_are_part_of_its_state():
    objective = built("distill", queue_growth=100)
    first = objective(OUT, lesson())["id_img"].item()
    other = Outputs(image=vectors(4, 8), text=vectors(6, 9))
    second = objective(other, lesson())["id_img"].item()
    fresh = built("distill", queue_growth=100)(other, lesson())["id_img"].item()
    assert second != pytest.approx(fresh)
    again = built("distill", queue_growth=100)
    again(OUT, lesson())
    copy = built("distill", queue_growth=100)
    copy.load_state_dict(again.state_dict())
    assert copy(other, lesson())["id_img"].item() == pytest.approx(second)
    assert first != second
    assert len(again.queues["id_img_cap"].features) == 8


def test_a_student_of_another_width_may_learn_relations_but_not_vectors():
    data = Knows(teacher_dim=9)
    with pytest.raises(ConfigError, match=r"img_c, cap_c, a_c, p_c compare .* set dim=9"):
        built("distill", data)
    no_vectors = dict.fromkeys(("img_c", "cap_c", "a_c", "p_c"), 0.0)
    assert built("distill", data, **no_vectors)
    with pytest.raises(ConfigError, match="9 dimensions"):
        built("distill_text", data)
    for recipe in ("distill", "distill_text"):
        with pytest.raises(ConfigError, match="needs a teacher"):
            built(recipe, Knows(teacher_dim=0))


def test_each_language_learns_the_teachers_vectors_by_itself():
    text = vectors(6, 2)
    target = Targets(
        positive=torch.zeros(6, 0, dtype=torch.bool),
        described=torch.tensor([0, 1, 2, 0, 1, 2]),
        languages=torch.tensor([0, 0, 0, 1, 1, 1]),
        teacher_text=vectors(3, 4).repeat(2, 1),
        teacher_text_known=torch.tensor([1, 1, 0, 1, 1, 1], dtype=torch.bool),
    )
    found = built("distill_text")(Outputs(text=text), target)
    assert set(found) == {
        f"{term}_{language}"
        for term in ("text_sim", "text_rel", "text_l1", "text_info")
        for language in ("en", "zh")
    }
    student, teacher = F.normalize(text[:2]), F.normalize(vectors(3, 4)[:2])
    logits = 20 * student @ teacher.T
    expected = F.cross_entropy(logits, torch.arange(2))
    assert found["text_info_en"].item() == pytest.approx(expected.item(), rel=1e-5)
    sim = 10 * F.mse_loss(student @ student.T, teacher @ teacher.T)
    assert found["text_sim_en"].item() == pytest.approx(sim.item(), rel=1e-5)
    perfect = Outputs(text=16 * F.normalize(target.teacher_text))
    assert built("distill_text")(perfect, target)["text_l1_zh"].item() == pytest.approx(0, abs=1e-9)


def test_cmpm_watches_what_its_system_printed():
    objective = built("cmpm")
    target = Targets(
        positive=torch.eye(4, dtype=torch.bool),
        text_identities=torch.tensor([0, 1, 0, 2]),
        described=torch.arange(4),
    )
    found = objective(Outputs(image=OUT.image, text=OUT.text[:4]), target)
    assert set(found) == {"cmpm", "cmpc"}
    assert set(objective.watched()) == {"pos_avg_sim", "neg_avg_sim", "precision"}
    with pytest.raises(ConfigError, match="who is in each"):
        built("cmpm", Knows(classes=0))
    with pytest.raises(ConfigError, match="nothing to learn"):
        built("cmpm", cmpm=0.0, cmpc=0.0)


@pytest.mark.parametrize("loss", ["batch", "tuples", "triplet", "classes"])
def test_gem_has_one_loss_that_falls_when_identities_come_together(loss):
    people = torch.tensor([0, 0, 1, 1])
    tuples = torch.tensor([[0, 1, 2, 3], [2, 3, 0, 1]])
    target = Targets(positive=torch.zeros(0, 4, dtype=torch.bool), identities=people, tuples=tuples)
    objective = built("gem", gem_loss=loss)
    image = vectors(4, 1).requires_grad_()
    moved = torch.optim.SGD([image, *objective.parameters()], lr=0.3)
    curve = []
    for _ in range(30):
        (value,) = objective(Outputs(image=image), target).values()
        curve.append(value.item())
        moved.zero_grad()
        value.backward()
        moved.step()
    assert np.isfinite(curve).all()
    assert curve[-1] < curve[0]


def test_gem_without_a_tuple_in_the_batch_learns_nothing_and_does_not_break():
    target = Targets(
        positive=torch.zeros(0, 2, dtype=torch.bool),
        identities=torch.tensor([0, 1]),
        tuples=torch.zeros(0, 6, dtype=torch.long),
    )
    found = built("gem", gem_loss="tuples")(Outputs(image=vectors(2, 1)), target)
    assert found["tuples"].item() == 0


def test_clip_weighs_what_was_refused_and_leaves_it_out_where_nothing_was():
    fits = torch.eye(4, dtype=torch.bool).repeat(2, 1)[:6]
    refused = torch.zeros_like(fits)
    refused[0, 1] = True
    plain, judged = Targets(positive=fits), Targets(positive=fits, rejected=refused)
    twice, once = (built("clip", rejection_weight=weight) for weight in (2.0, 1.0))
    assert set(once(OUT, plain)) == {"contrastive"}
    assert set(built("clip", rejection_weight=0.0)(OUT, judged)) == {"contrastive"}
    found = once(OUT, judged)
    assert twice(OUT, judged)["rejected"].item() == pytest.approx(2 * found["rejected"].item())
    assert found["contrastive"].item() == once(OUT, plain)["contrastive"].item()
    # The temperature is not learned from it: a lower one would always pay.
    seen = Outputs(image=OUT.image.clone().requires_grad_(), text=OUT.text)
    once(seen, judged)["rejected"].backward()
    assert once.log_scale.grad is None
    assert seen.image.grad[1].abs().sum() > 0
