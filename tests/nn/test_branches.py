"""What every acoustic branch promises."""

import copy
import io

import pytest
import torch
from torch import nn

N_BINS = 16


@pytest.fixture
def branch(make_branch):
    return make_branch(dropout=0.0)


def append_garbage(frames, lengths, n_more, value):
    garbage = torch.full((len(frames), frames.shape[1] + n_more, frames.shape[2]), value)
    garbage[:, : frames.shape[1]] = frames
    garbage[torch.arange(garbage.shape[1]) >= lengths[:, None]] = value
    return garbage


def with_used_statistics(branch, clips):
    """The branch in eval mode, its running statistics moved away from their start."""
    with torch.no_grad():
        for _ in range(3):
            branch(*clips)
    return branch.eval()


def test_output_shape(branch, clips):
    assert branch(*clips).shape == (6, branch.out_features)
    assert branch.eval()(clips[0][:1]).shape == (1, branch.out_features)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("value", [1e6, float("nan"), float("inf")])
@pytest.mark.parametrize("n_more", [0, 1, 30])
def test_garbage_in_the_padding_changes_nothing(branch, clips, training, value, n_more):
    frames, lengths = clips
    with_used_statistics(branch, clips).train(training)
    garbled = append_garbage(frames, lengths, n_more, value)
    twin = copy.deepcopy(branch)
    torch.testing.assert_close(twin(garbled, lengths), branch(frames, lengths), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(dict(twin.named_buffers()), dict(branch.named_buffers()))


def test_garbage_in_the_padding_gets_no_gradient(branch, clips):
    frames, lengths = clips
    garbled = append_garbage(frames, lengths, 4, 7.0).requires_grad_()
    (branch(garbled, lengths) * torch.randn(branch.out_features)).sum().backward()
    padding = torch.arange(garbled.shape[1]) >= lengths[:, None]
    assert garbled.grad.isfinite().all()
    assert not garbled.grad[padding].any()
    assert garbled.grad[~padding].any(dim=1).all()


def test_eval_output_does_not_depend_on_the_batch(branch, clips):
    frames, lengths = clips
    with_used_statistics(branch, clips)
    together = branch(frames, lengths)
    alone = torch.cat([branch(f[None, :n], n[None]) for f, n in zip(frames, lengths)])
    torch.testing.assert_close(alone, together, rtol=1e-5, atol=1e-5)
    without_lengths = torch.cat([branch(f[None, :n]) for f, n in zip(frames, lengths)])
    torch.testing.assert_close(without_lengths, together, rtol=1e-5, atol=1e-5)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(branch(frames[order], lengths[order]), together[order], rtol=1e-5, atol=1e-5)


def test_clips_differ_and_order_in_time_matters(branch, clips):
    frames, lengths = clips
    with_used_statistics(branch, clips)
    z = branch(frames, lengths)
    assert torch.pdist(z).min() > 1e-2
    assert (branch(frames.flip(1)[:1]) - z[:1]).abs().max() > 1e-3


def test_gradient_reaches_every_parameter(branch, clips):
    (branch(*clips) * torch.randn(branch.out_features)).sum().backward()
    assert [n for n, p in branch.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_overfits_64_clips(make_branch):
    torch.manual_seed(0)
    branch = make_branch()
    network = nn.ModuleDict({"branch": branch, "head": nn.Linear(branch.out_features, 8)})
    frames, lengths = torch.randn(64, 24, N_BINS), torch.randint(4, 25, (64,))
    target = torch.arange(64) % 8
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for step in range(120):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network["head"](branch(frames, lengths)), target).backward()
        optimizer.step()
        if step % 10 == 9:
            network.eval()
            accuracy = (network["head"](branch(frames, lengths)).argmax(1) == target).float().mean()
            if accuracy == 1:
                return
            network.train()
    pytest.fail(f"64 clips fitted to {accuracy:.0%} only")


def test_copies_and_state_dict_give_the_same_output(make_branch, clips):
    branch = with_used_statistics(make_branch(), clips)
    expected = branch(*clips)
    assert torch.equal(copy.deepcopy(branch)(*clips), expected)
    file = io.BytesIO()
    torch.save(branch.state_dict(), file)
    file.seek(0)
    fresh = make_branch()
    fresh.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(fresh.eval()(*clips), expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_forward_and_backward_are_finite(make_branch, clips, dtype):
    branch = make_branch()
    with torch.autocast("cpu", dtype=dtype):
        z = branch(*clips)
    z.float().square().mean().backward()
    assert z.isfinite().all()
    assert all(p.grad.isfinite().all() for p in branch.parameters())


def test_dropout_acts_in_training_only(make_branch, clips):
    branch = make_branch(dropout=0.5)
    assert not torch.equal(branch(*clips), branch(*clips))
    branch.eval()
    assert torch.equal(branch(*clips), branch(*clips))
    branch.train()
    torch.manual_seed(3)
    first = branch(*clips)
    torch.manual_seed(3)
    assert torch.equal(branch(*clips), first)


@pytest.mark.slow
def test_compiles(branch, clips):
    with_used_statistics(branch, clips)
    compiled = torch.compile(branch, backend="eager")
    torch.testing.assert_close(compiled(*clips), branch(*clips), rtol=1e-4, atol=1e-4)
