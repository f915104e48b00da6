import pytest
import torch

from skbst.nn import CropAndPatch, EmbeddingMasking, EmbeddingNoise, RandomTimeCrop, TimeMasking, length_mask
from skbst.nn._augmentation._crop_and_patch import patch_areas


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def clips():
    """Frames that tell clip, time and bin: value = 1000 clip + 10 time + bin, plus one."""
    lengths = torch.tensor([40, 1, 7, 33, 40, 12])
    frames = 1000 * torch.arange(6.0)[:, None, None] + 10 * torch.arange(40.0)[:, None] + torch.arange(4.0) + 1
    return frames.masked_fill(~length_mask(lengths, 40).unsqueeze(2), 0.0), lengths


CALLS = {
    "TimeMasking": lambda m, f, n, g: m(f, n, generator=g),
    "RandomTimeCrop": lambda m, f, n, g: m(f, n, generator=g),
    "CropAndPatch": lambda m, f, n, g: m(f, n, torch.eye(6), generator=g),
    "EmbeddingNoise": lambda m, f, n, g: m(f[:, :, 0], generator=g),
    "EmbeddingMasking": lambda m, f, n, g: m(f[:, :, 0], generator=g),
}
MODULES = {m.__name__: m for m in (TimeMasking, RandomTimeCrop, CropAndPatch, EmbeddingNoise, EmbeddingMasking)}


@pytest.mark.parametrize("name", CALLS)
def test_generator_decides_and_the_global_one_is_left_alone(name, clips):
    module, before = MODULES[name](), torch.random.get_rng_state()

    def call(seed):
        output = CALLS[name](module, *clips, seeded(seed))
        return output if isinstance(output, tuple) else (output,)

    assert all(torch.equal(a, b) for a, b in zip(call(1), call(1)))
    assert any(a.shape != b.shape or not torch.equal(a, b) for a, b in zip(call(1), call(2)))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", CALLS)
def test_identity_in_eval_mode(name, clips):
    output = CALLS[name](MODULES[name]().eval(), *clips, None)
    first = output[0] if isinstance(output, tuple) else output
    expected = clips[0][:, :, 0] if name.startswith("Embedding") else clips[0]
    assert torch.equal(first, expected)


@pytest.mark.parametrize("name", CALLS)
def test_input_is_not_written_to(name, clips):
    copy = clips[0].clone()
    CALLS[name](MODULES[name](), *clips, seeded())
    assert torch.equal(clips[0], copy)


def test_time_masks_lie_within_the_clips_and_below_their_limits(clips):
    frames, lengths = clips
    module, hidden_counts = TimeMasking(n_masks=2, max_frames=5, max_share=0.3), []
    for seed in range(300):
        masked = module(frames, lengths, generator=seeded(seed))
        hidden = (masked == 0).all(2) & length_mask(lengths, 40)
        changed = (masked != frames).any(2)
        assert torch.equal(hidden, changed)
        hidden_counts.append(hidden.sum(1))
    most = torch.stack(hidden_counts).amax(0)
    # twice min(5, floor(.3 length)) where the two stretches do not overlap
    assert most.tolist() == [10, 0, 4, 10, 10, 6]
    starts = torch.stack([module(frames, lengths, generator=seeded(s))[0, :, 0] == 0 for s in range(300)]).float()
    assert starts.mean(0).min() > 0.02


def test_time_mask_fill_per_bin(clips):
    frames, lengths = clips
    fill = torch.tensor([-1.0, -2.0, -3.0, -4.0])
    masked = TimeMasking()(frames, lengths, fill=fill, generator=seeded())
    hidden = (masked != frames).any(2)
    assert hidden.any()
    assert torch.equal(masked[hidden], fill.expand(int(hidden.sum()), 4))


def test_crops_are_stretches_of_the_clip(clips):
    frames, lengths = clips
    shortest, first_starts = torch.full((6,), 99), set()
    for seed in range(200):
        cropped, kept = RandomTimeCrop(min_share=0.5)(frames, lengths, generator=seeded(seed))
        assert cropped.shape[1] == kept.max()
        assert (kept >= 1).all()
        assert (kept <= lengths).all()
        for clip in range(6):
            start = int((cropped[clip, 0, 0] - 1 - 1000 * clip) / 10)
            assert torch.equal(cropped[clip, : kept[clip]], frames[clip, start : start + kept[clip]])
            assert start + kept[clip] <= lengths[clip]
            assert not cropped[clip, kept[clip] :].any()
        shortest = shortest.minimum(kept)
        first_starts.add(int((cropped[0, 0, 0] - 1) / 10))
    assert torch.all(shortest >= (lengths * 0.5).floor())
    assert shortest[0] <= 22
    assert len(first_starts) > 12


def test_crop_without_lengths_and_min_share_one(clips):
    full = clips[0][[0, 4]]
    cropped, kept = RandomTimeCrop(min_share=1.0)(full, generator=seeded())
    assert torch.equal(cropped, full)
    assert kept.tolist() == [40, 40]


def test_patch_areas_sum_to_one():
    areas = patch_areas(torch.tensor([0.0, 0.25, 1.0]), 0.5)
    assert areas.sum(0).tolist() == [1.0, 1.0, 1.0]
    assert areas[:, 1].tolist() == [0.125, 0.375, 0.125, 0.375]


def test_mixed_targets_are_the_areas_seen_in_the_frames(clips):
    frames, lengths = clips
    n_cut = 0
    for seed in range(100):
        patched, same_lengths, mixed = CropAndPatch(beta=1.0)(frames, lengths, torch.eye(6), generator=seeded(seed))
        assert same_lengths is lengths
        torch.testing.assert_close(mixed.sum(1), torch.ones(6))
        source = ((patched - 1) / 1000).floor().long()
        for clip in range(6):
            seen = torch.bincount(source[clip, : lengths[clip]].flatten(), minlength=6) / (4.0 * lengths[clip])
            torch.testing.assert_close(mixed[clip], seen, atol=1e-5, rtol=0)
            assert not patched[clip, lengths[clip] :].any()
        n_cut += int((mixed[0] > 0).sum() > 2)
        bins = (patched - 1).remainder(10)[length_mask(lengths, 40)]
        assert torch.equal(bins.round(), torch.arange(4.0).expand_as(bins))
    assert n_cut > 20


def test_patches_are_contiguous_in_time_and_repeat_short_clips(clips):
    frames, lengths = clips
    patched, _, _ = CropAndPatch(beta=1.0)(frames, lengths, generator=seeded(3)) + (None,)
    code = patched - 1
    clip, time = (code / 1000).floor(), (code.remainder(1000) / 10).floor()
    for row in range(6):
        for band in range(4):
            c, t = clip[row, : lengths[row], band], time[row, : lengths[row], band]
            same = c[1:] == c[:-1]
            step = (t[1:] - t[:-1]) % lengths[c[:-1].long()]
            assert (step[same] == 1 % lengths[c[:-1].long()][same]).all()


def test_noise_and_masking_statistics():
    x = torch.ones(4000, 200)
    noise = EmbeddingNoise(std=0.5)(x, generator=seeded()) - 1
    assert abs(noise.std() - 0.5) < 1e-2
    assert abs(noise.mean()) < 1e-2
    share = (EmbeddingMasking()(x, generator=seeded()) == 0).float()
    assert share.mean() == pytest.approx(0.355, abs=0.01)
    # shares drawn evenly between the limits, and about each of them the spread of 200 draws
    drawn = torch.linspace(0.01, 0.70, 4001)
    spread = drawn.var() + (drawn * (1 - drawn)).mean() / 200
    assert share.mean(1).var() == pytest.approx(spread.item(), rel=0.05)
    assert share.mean(1).quantile(0.25) == pytest.approx(0.1825, abs=0.02)
    assert share.mean(0).std() < 0.02
    assert set(EmbeddingMasking()(x, generator=seeded()).unique().tolist()) == {0.0, 1.0}


def test_masking_at_its_limits():
    for limit in (0.0, 1.0):
        masked = EmbeddingMasking(min_share=limit, max_share=limit)(torch.ones(7, 10), generator=seeded())
        assert (masked == 1 - limit).all()


def test_dimensions_are_masked_independently():
    masked = EmbeddingMasking(min_share=0.5, max_share=0.5)(torch.ones(20_000, 3), generator=seeded()) == 0
    patterns = torch.bincount((masked * torch.tensor([1, 2, 4])).sum(1), minlength=8)
    assert (patterns / 20_000 - 1 / 8).abs().max() < 0.01


def test_whole_numbers_are_fine_for_crop_and_patch(clips):
    frames, lengths = clips
    patched, _ = CropAndPatch(beta=1)(frames, lengths, generator=seeded())
    assert patched.shape == frames.shape
