import pytest
import torch

from skbst.nn import (
    AttentionPooling,
    MeanMaxPooling,
    length_mask,
    masked_max,
    masked_mean,
    padding_mask,
    trim_padding,
    zero_padding,
)


@pytest.fixture
def sequences():
    """Two clips of 3 and 1 valid frames, NaN behind them."""
    x = torch.full((2, 4, 2), float("nan"))
    x[0, :3] = torch.tensor([[1.0, 6.0], [2.0, -4.0], [6.0, 1.0]])
    x[1, :1] = torch.tensor([[-5.0, -7.0]])
    return x, torch.tensor([3, 1])


def test_mask_marks_the_first_frames():
    expected = [[True, False, False], [True, True, True], [False, False, False]]
    assert length_mask(torch.tensor([1, 3, 0]), 3).tolist() == expected


def test_no_mask_where_nothing_is_padded():
    assert padding_mask(None, 5) is None
    assert padding_mask(torch.tensor([5, 5]), 5) is None
    assert padding_mask(torch.tensor([5, 4]), 5).tolist() == [[True] * 5, [True] * 4 + [False]]


def test_trim_keeps_the_longest_clip():
    x = torch.arange(24.0).view(2, 6, 2)
    assert torch.equal(trim_padding(x, torch.tensor([2, 4])), x[:, :4])
    assert trim_padding(x, None) is x
    assert trim_padding(x, torch.tensor([9, 1])).shape == x.shape


def test_zero_padding_removes_nan(sequences):
    x, lengths = sequences
    zeroed = zero_padding(x, length_mask(lengths, 4))
    assert zeroed.isfinite().all()
    assert torch.equal(zeroed[0, :3], x[0, :3])
    assert not zeroed[0, 3:].any()
    assert not zeroed[1, 1:].any()


def test_mean_and_max_by_hand(sequences):
    x, lengths = sequences
    mask = length_mask(lengths, 4)
    assert masked_mean(x, mask).tolist() == [[3.0, 1.0], [-5.0, -7.0]]
    assert masked_max(x, mask).tolist() == [[6.0, 6.0], [-5.0, -7.0]]
    assert MeanMaxPooling()(x, lengths).tolist() == [[3.0, 1.0, 6.0, 6.0], [-5.0, -7.0, -5.0, -7.0]]


def test_a_clip_without_frames_has_mean_zero():
    assert masked_mean(torch.ones(1, 2, 3), torch.zeros(1, 2, dtype=bool)).tolist() == [[0.0, 0.0, 0.0]]


def test_attention_pooling_by_hand(sequences):
    x, lengths = sequences
    pooling = AttentionPooling(2, n_hidden=1)
    with torch.no_grad():
        pooling.projection.weight.copy_(torch.tensor([[0.5, 0.25]]))
        pooling.projection.bias.fill_(-1.0)
        pooling.score.weight.fill_(2.0)
    # W h + b of the three frames: 1, -1, 2.25
    scores = torch.exp(2.0 * torch.tanh(torch.tensor([1.0, -1.0, 2.25])))
    weights = scores / scores.sum()
    pooled = pooling(x, lengths)
    torch.testing.assert_close(pooled[0], (weights[:, None] * x[0, :3]).sum(0))
    torch.testing.assert_close(pooled[1], x[1, 0])


def test_attention_weights_sum_to_one_and_skip_padding():
    torch.manual_seed(0)
    x, mask = torch.randn(3, 7, 5), length_mask(torch.tensor([7, 3, 1]), 7)
    weights = AttentionPooling(5).weights(x, mask)
    torch.testing.assert_close(weights.sum(1), torch.ones(3))
    assert not weights[~mask].any()


@pytest.mark.parametrize("pooling", [MeanMaxPooling(), AttentionPooling(4)])
def test_no_lengths_is_the_same_as_full_lengths(pooling):
    x = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0))
    expected = torch.cat([pooling(row[None]) for row in x])
    torch.testing.assert_close(pooling(x), expected)
    torch.testing.assert_close(pooling(x, torch.tensor([6, 6, 6])), expected)
