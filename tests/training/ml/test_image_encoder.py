import torch
from torch import Tensor, nn

from training.ml.image_encoder import GAP, ImageEncoder, augment, build_backbone, feature_maps

TINY = {
    "model_type": "resnet",
    "embedding_size": 4,
    "hidden_sizes": [4, 6, 8],
    "depths": [1, 1, 1],
    "layer_type": "basic",
}


def encoder(detail: int, maps: int = 3, parts: int = 5) -> ImageEncoder:
    torch.manual_seed(1)
    backbone, channels = build_backbone(TINY, maps=maps)
    return ImageEncoder(
        backbone, channels=channels, pool=GAP(), parts=parts, detail=detail, dim=16
    ).eval()


def pictures() -> Tensor:
    return torch.rand(2, 3, 96, 32, generator=torch.Generator().manual_seed(2)) * 255


def test_a_new_detail_head_changes_nothing_yet():
    with_head = encoder(detail=8)
    without = encoder(detail=0)
    without.load_state_dict(with_head.state_dict(), strict=False)
    assert torch.equal(with_head(pictures()), without(pictures()))


def test_the_detail_head_learns_from_shallow_maps():
    tower = encoder(detail=8)
    assert tower.detail is not None
    last = tower.detail[4]
    assert isinstance(last, nn.Linear)
    nn.init.ones_(last.weight)
    first = tower.detail[1]
    assert isinstance(first, nn.Linear)
    tower(pictures()).sum().backward()
    gradient = first.weight.grad
    assert gradient is not None
    # The columns of the first, shallowest map: 4 channels, mean and maximum, of 6 regions.
    assert gradient[:, : 4 * 2 * 6].abs().sum() > 0


def test_a_map_lower_than_its_stripes_still_gives_numbers():
    assert torch.isfinite(encoder(detail=8)(pictures()[:, :, :32])).all()


def test_the_maps_that_are_read_end_with_the_deepest():
    backbone, channels = build_backbone(TINY, maps=2)
    maps = feature_maps(backbone.eval(), pictures(), 2)
    assert channels == [6, 8]
    assert [one.shape[1] for one in maps] == channels
    assert torch.equal(maps[-1], backbone(pictures()).last_hidden_state)


def test_a_backbone_of_few_maps_is_read_as_far_as_it_goes():
    backbone, channels = build_backbone(TINY, maps=9)
    assert channels == [4, 4, 6, 8]
    tower = ImageEncoder(backbone, channels=channels, pool=GAP(), parts=2, detail=4, dim=16)
    assert tower.eval()(pictures()).shape == (2, 16)


def test_augmented_pictures_stay_pictures_and_each_gets_its_own_luck():
    noise = torch.rand(64, 3, 40, 16, generator=torch.Generator().manual_seed(1)) * 120 + 60
    kept = noise.clone()
    found = augment(noise, torch.Generator().manual_seed(3))
    assert torch.equal(noise, kept)
    assert found.shape == noise.shape
    assert found.min() >= 0
    assert found.max() <= 255
    assert len({float(one.sum()) for one in found}) == 64
    steps = (found[:, :, :, 1:] - found[:, :, :, :-1]).abs()
    # One in five is blurred, and in one in four a box has one colour.
    blurred = steps.mean(dim=(1, 2, 3)) < 11
    erased = (steps.sum(dim=1) == 0).flatten(1).sum(dim=1) > 6
    for share in (blurred, erased):
        assert 0.08 < share.float().mean() < 0.45


def test_a_part_of_a_batch_gets_what_it_would_get_among_all():
    pixels = torch.rand(12, 3, 40, 16) * 255
    whole = augment(pixels, torch.Generator().manual_seed(5))
    part = augment(pixels[4:9], torch.Generator().manual_seed(5), total=12, first=4)
    torch.testing.assert_close(part, whole[4:9])
