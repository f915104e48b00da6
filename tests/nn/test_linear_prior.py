import math

import pytest
import torch
from torch.testing import assert_close

from skbst.nn import HATR, BaselineHead, ClipNet, LengthScale, LinearPrior, LocalPerLevelHead


def test_length_is_the_root_of_the_width_and_zero_stays_zero():
    x = torch.randn(5, 16)
    x[2] = 0
    scaled = LengthScale()(x)
    expected = torch.full((5,), 4.0)
    expected[2] = 0
    assert_close(scaled.norm(dim=1), expected)
    assert_close(scaled[0] / scaled[0].norm(), x[0] / x[0].norm())


def make_prior(**kwargs):
    torch.manual_seed(0)
    prior = LinearPrior(8, 6, 3, **kwargs)
    for share, model in zip((0.5, 2.0), prior.models.values()):
        model.weight.normal_()
        model.bias.normal_()
        model.share.fill_(share)
    return prior


@pytest.mark.parametrize("unit_length", [True, False])
def test_log_probabilities_are_weighted_and_added(unit_length):
    prior = make_prior(unit_length=unit_length)
    audio, text = torch.randn(4, 8), torch.randn(4, 6)
    expected = 0
    for share, model, x in zip((0.5, 2.0), prior.models.values(), (audio, text)):
        x = x / x.norm(dim=1, keepdim=True) if unit_length else x
        logits = x @ model.weight.T + model.bias
        expected = expected + share * (logits - logits.exp().sum(1, keepdim=True).log())
    assert_close(prior(audio, text), expected)


def test_no_model_rules_a_class_out():
    prior = LinearPrior(2, None, 2, min_proba=1e-3)
    prior.models["audio"].bias.copy_(torch.tensor([0.0, -100.0]))
    prior.models["audio"].share.fill_(1.0)
    assert_close(prior(torch.ones(1, 2)), torch.tensor([[0.0, math.log(1e-3)]]))


def test_nothing_of_it_is_trained_and_all_of_it_is_kept():
    prior = make_prior()
    assert not any(parameter.requires_grad for parameter in prior.parameters())
    assert sum(parameter.numel() for parameter in prior.parameters()) == (8 + 6) * 3 + 2 * 3 + 2
    again = LinearPrior(8, 6, 3)
    again.load_state_dict(prior.state_dict())
    audio, text = torch.randn(4, 8), torch.randn(4, 6)
    assert_close(again(audio, text), prior(audio, text), rtol=0, atol=0)


def make_net(head):
    prior = make_prior()
    return ClipNet(HATR(8, 6, width=8, n_blocks=1), head, prior=prior).eval()


def test_the_network_adds_to_the_prior():
    net = make_net(BaselineHead(4, 3))
    audio, text = torch.randn(4, 8), torch.randn(4, 6)
    head = net.head(net.embed(audio, text))
    assert_close(net(audio, text), head + net.prior(audio, text))
    held_out = torch.randn(4, 3)
    assert_close(net(audio, text, prior=held_out), head + held_out)


def test_the_top_level_gets_the_sums_of_the_prior():
    net = make_net(LocalPerLevelHead(4, [0, 0, 1]))
    audio, text = torch.randn(4, 8), torch.randn(4, 6)
    prior = net.prior(audio, text)
    head_leaf, head_top = net.head(net.embed(audio, text))
    leaf, top = net(audio, text)
    assert_close(leaf, head_leaf + prior)
    proba = prior.exp()
    assert_close(top, head_top + torch.stack([proba[:, 0] + proba[:, 1], proba[:, 2]], dim=1).log())


def test_one_modality_and_gradients_everywhere():
    net = ClipNet(HATR(None, 6, width=8, input_norm="length"), BaselineHead(4, 3), prior=LinearPrior(None, 6, 3))
    text, target = torch.randn(16, 6), torch.arange(16) % 3
    torch.nn.functional.cross_entropy(net(None, text), target).backward()
    assert all(p.grad.abs().sum() > 0 for p in net.head.parameters())


def make_three(lone_shares):
    prior = LinearPrior(8, 6, 3, others={"audio_2": 4})
    torch.manual_seed(1)
    for share, lone_share, model in zip((0.5, 2.0, 1.0), lone_shares, prior.models.values()):
        model.weight.normal_()
        model.bias.normal_()
        model.share.fill_(share)
        model.lone_share.fill_(lone_share)
    return prior, {"audio": torch.randn(5, 8), "text": torch.randn(5, 6), "audio_2": torch.randn(5, 4)}


def test_what_is_missing_says_nothing_and_the_others_speak_for_it():
    prior, x = make_three(lone_shares=(10.0, 10.0, 10.0))
    x["text"][1] = 0
    x["audio"][2] = x["text"][2] = 0
    for rows in x.values():
        rows[3] = 0
    said = {name: prior.log_proba(name, rows) for name, rows in x.items()}
    found, both = prior(**x), 0.5 * said["audio"] + 1.0 * said["audio_2"]
    assert_close(found[1], both[1] * 3.5 / 1.5)
    assert_close(found[2], said["audio_2"][2] * 3.5)
    assert_close(found[3], both[3] + 2.0 * said["text"][3])
    assert_close(found[[0, 4]], (both + 2.0 * said["text"])[[0, 4]])
    for row in range(5):  # whatever stands beside it
        alone = prior(**{name: rows[row : row + 1] for name, rows in x.items()})
        assert_close(alone[0], found[row], rtol=0, atol=1e-6)


def test_what_is_left_is_as_sure_as_it_would_be_alone():
    prior, x = make_three(lone_shares=(0.8, 2.0, 1.3))
    x["text"][1] = 0
    x["audio"][2] = x["text"][2] = 0
    x["audio_2"][3] = 0
    for rows in x.values():
        rows[4] = 0
    expected = [1.0, (0.8 + 1.3) / 3.5, 1.3 / 3.5, (0.5 * 3.5 / 2.5 + 2.0) / 3.5, 1.0]
    assert_close(prior.certainty(**x), torch.tensor(expected)[:, None])


def test_what_counts_for_nothing_beside_others_speaks_where_they_are_missing():
    prior, x = make_three(lone_shares=(0.8, 2.0, 1.4))
    for name in ("audio", "audio_2"):
        prior.models[name].share.zero_()
    x["text"][[1, 2]] = 0
    x["audio"][2] = 0
    said = {name: prior.log_proba(name, rows) for name, rows in x.items()}
    found = prior(**x)
    assert_close(found[0], 2.0 * said["text"][0])
    assert_close(found[1], 2.0 * (0.8 * said["audio"][1] + 1.4 * said["audio_2"][1]) / 2.2)
    assert_close(found[2], 2.0 * said["audio_2"][2])
    assert_close(prior.certainty(**x)[:3, 0], torch.tensor([1.0, 1.0, 0.7]))


@pytest.mark.parametrize("head", [BaselineHead(4, 3), LocalPerLevelHead(4, [0, 0, 1])])
def test_the_whole_answer_is_less_sure_where_an_embedding_is_missing(head):
    net = make_net(head)
    for model in net.prior.models.values():
        model.lone_share.fill_(0.75)
    audio, text = torch.randn(4, 8), torch.randn(4, 6)
    text[1] = 0
    found, certainty = net(audio, text), torch.tensor([1.0, 0.75 / 2.5, 1.0, 1.0])[:, None]
    for model in net.prior.models.values():
        model.lone_share.fill_(torch.inf)
    as_before = net(audio, text)
    for now, before in zip(*(each if isinstance(each, tuple) else (each,) for each in (found, as_before))):
        assert_close(now, certainty * before)


def test_a_prior_saved_before_answers_as_before():
    prior, x = make_three(lone_shares=(0.8, 2.0, 1.3))
    again, _ = make_three(lone_shares=(0.0, 0.0, 0.0))
    again.load_state_dict({name: value for name, value in prior.state_dict().items() if "lone" not in name})
    x["text"][1] = 0
    x["audio"][2] = x["audio_2"][2] = 0
    said = {name: prior.log_proba(name, rows) for name, rows in x.items()}
    found = again(**x)
    assert_close(again.certainty(**x), torch.ones(5, 1))
    assert_close(found[1], (0.5 * said["audio"] + 1.0 * said["audio_2"])[1] * 3.5 / 1.5)
    assert_close(found[2], 3.5 * said["text"][2])
    again.models["text"].share.zero_()  # nothing is known of the text alone, and the models say what they say of zeros
    assert_close(again(**x)[2], (0.5 * said["audio"] + 1.0 * said["audio_2"])[2])
