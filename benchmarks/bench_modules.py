"""Seconds per clip of each network, forward and backward, against the matmul floor and against a plain peer.

The floor is the time that the counted multiply-adds would take at the rate of a large matrix product, measured in the
same run. The peers are what one writes first with torch's own modules: `nn.TransformerEncoder` with a key padding mask,
Conv1d and BatchNorm1d over padded frames, and frequency dynamic convolution that stacks its basis outputs, multiplies
them by the attention and gates by a 1x1 convolution. Everything runs in turns in one process; times are the smallest
CPU times of the repeats. The "mixed" rows have clips of all lengths, evenly spread, as real collections do.

    python benchmarks/bench_modules.py [--sizes report small] [--batch 16] [--repeats 5] [--threads 1] [--fast]
"""

import argparse
import os
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from skbst.neural._architecture import SIZES
from skbst.nn import (
    HATR,
    BaselineHead,
    FrequencyDynamicConv2d,
    LogMelMDFD,
    LogSTFTTransformer,
    MFCCResidualTDNN,
    length_mask,
    sinusoidal_positions,
)

N_FRAMES = 501
SMALL = SIZES["small"]
BRANCHES = {
    ("log-stft", "report"): (257, lambda: LogSTFTTransformer(257)),
    ("log-stft", "small"): (257, lambda: LogSTFTTransformer(257, **SMALL["log-stft"])),
    ("log-mel", "report"): (128, lambda: LogMelMDFD(128)),
    ("log-mel", "published"): (128, lambda: LogMelMDFD(128, **LogMelMDFD.PUBLISHED)),
    ("log-mel", "small"): (128, lambda: LogMelMDFD(128, **SMALL["log-mel"])),
    ("mfcc", "report"): (13, lambda: MFCCResidualTDNN(13)),
    ("mfcc", "small"): (13, lambda: MFCCResidualTDNN(13, **SMALL["mfcc"])),
}


class PlainTransformer(nn.Module):
    """The log-STFT branch from torch's modules."""

    def __init__(self, d_model=256, n_layers=6, d_feedforward=1024, n_heads=4):
        super().__init__()
        self.stem = nn.ModuleList([nn.Conv1d(257, d_model, 3, 2, 1), nn.Conv1d(d_model, d_model, 3, 2, 1)])
        layer = nn.TransformerEncoderLayer(
            d_model, n_heads, d_feedforward, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, n_layers, nn.LayerNorm(d_model), enable_nested_tensor=False)

    def forward(self, x, lengths=None):
        x = x.transpose(1, 2)
        for convolution in self.stem:
            x = F.gelu(convolution(x))
        x = x.transpose(1, 2)
        x = x + sinusoidal_positions(x.shape[1], x.shape[2])
        valid = torch.ones(x.shape[:2], dtype=bool) if lengths is None else length_mask((lengths + 3) // 4, x.shape[1])
        x = self.encoder(x, src_key_padding_mask=None if lengths is None else ~valid)
        return (x * valid.unsqueeze(2)).sum(1) / valid.sum(1, keepdim=True)


class PlainTDNN(nn.Module):
    """The MFCC branch from Conv1d and BatchNorm1d over padded frames."""

    def __init__(self, n_channels=128):
        super().__init__()
        sizes = [(13, 5, 1), *((n_channels, 3, d) for d in (1, 2, 3, 4)), (n_channels, 1, 1)]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv1d(n_in, n_channels, k, padding=d * (k // 2), dilation=d, bias=False),
                          nn.BatchNorm1d(n_channels), nn.ReLU(), nn.Dropout(0.1 if 0 < i < 5 else 0.0))
            for i, (n_in, k, d) in enumerate(sizes)
        )  # fmt: skip

    def forward(self, x, lengths=None):
        x = x.transpose(1, 2)
        for i, layer in enumerate(self.layers):
            x = x + layer(x) if 0 < i < 5 else layer(x)
        if lengths is None:
            return torch.cat([x.mean(2), x.amax(2)], 1)
        valid = length_mask(lengths, x.shape[2]).unsqueeze(1)
        mean = (x * valid).sum(2) / valid.sum(2)
        return torch.cat([mean, x.masked_fill(~valid, -torch.inf).amax(2)], 1)


class StackingConv(FrequencyDynamicConv2d):
    """Frequency dynamic convolution that stacks the basis outputs of a branch and multiplies them."""

    def forward(self, x, strip=None):
        pi, basis = self.mixture_weights(x, strip), {}
        for dilation, slots in self.slots.items():
            kernels = torch.cat(
                [*(self.weight[slot] for slot in slots), self.static_weight][: len(slots) + (dilation == 1)]
            )
            maps = F.conv2d(x, kernels, padding=(1, dilation), dilation=(1, dilation))
            basis.update(zip(slots, maps.split(self.weight.shape[2], dim=1)))
            if dilation == 1:
                outputs = [maps[:, len(slots) * self.weight.shape[2] :]]
        for branch in range(self.weight.shape[0]):
            stacked = torch.stack([basis[branch, kernel] for kernel in range(self.weight.shape[1])], dim=1)
            outputs.append((stacked * pi[:, branch, :, None, None]).sum(1))
        return torch.cat(outputs, 1)


class StackingMDFD(LogMelMDFD):
    """The log-Mel branch with `StackingConv`, gates by 1x1 convolution and torch's dropout; it pads clips in full."""

    def __init__(self, **sizes):
        super().__init__(128, **sizes)
        for block in self.blocks:
            block.convolution.__class__ = StackingConv
            block.dropout = nn.Dropout(block.dropout.p)
            block._gate_scores = nn.Conv2d(block.gate.in_features, block.gate.in_features, 1)

    def forward(self, x, lengths=None):
        return super().forward(x)


PEERS = {
    ("log-stft", "report"): ("nn.TransformerEncoder", PlainTransformer),
    ("log-stft", "small"): ("nn.TransformerEncoder", lambda: PlainTransformer(**SMALL["log-stft"])),
    ("log-mel", "report"): ("stacked basis outputs", StackingMDFD),
    ("log-mel", "small"): ("stacked basis outputs", lambda: StackingMDFD(**SMALL["log-mel"])),
    ("mfcc", "report"): ("Conv1d + BatchNorm1d", PlainTDNN),
    ("mfcc", "small"): ("Conv1d + BatchNorm1d", lambda: PlainTDNN(**SMALL["mfcc"])),
}


def seconds(step, repeats):
    step()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return min(times)


def matmul_rate(repeats):
    """Multiply-adds per second of a 1024 x 1024 x 1024 product."""
    a = torch.randn(1024, 1024)
    return 1024**3 / seconds(lambda: a @ a, max(repeats, 5))


def count(step):
    """Multiply-adds of a step; attention is counted through its unfused form."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        step()
    return counter.get_total_flops() / 2


def training_step(module, inputs):
    def step():
        module(*inputs).sum().backward()
        module.zero_grad(set_to_none=True)

    return step


def inference(module, inputs):
    @torch.inference_mode()
    def step():
        module.eval()(*inputs)
        module.train()

    return step


def bench_branch(name, size, batch, repeats):
    n_bins, build = BRANCHES[name, size]
    if size == "published":
        batch = min(batch, 2)
    frames = torch.randn(batch, N_FRAMES, n_bins)
    lengths = torch.linspace(N_FRAMES / batch, N_FRAMES, batch).long()
    module, peer = build(), PEERS.get((name, size))
    rate = matmul_rate(repeats)
    step = training_step(module, (frames,))
    floor = count(step) / rate
    full = seconds(step, repeats)
    mixed = seconds(training_step(module, (frames, lengths)), repeats)
    forward = seconds(inference(module, (frames,)), repeats)
    n_parameters = sum(p.numel() for p in module.parameters())
    print(
        f"{name:9}{size:10}{n_parameters:>11,}{1e3 * full / batch:9.1f}{full / floor:8.2f}"
        f"{1e3 * mixed / batch:9.1f}{1e3 * forward / batch:9.1f}",
        end="",
    )
    if peer is None:
        print()
        return
    plain = peer[1]()
    ratio = seconds(training_step(plain, (frames,)), repeats) / full
    ratio_mixed = seconds(training_step(plain, (frames, lengths)), repeats) / mixed
    print(f"   {peer[0]}: {ratio:.2f}x (full), {ratio_mixed:.2f}x (mixed)")


def bench_trunk(repeats, batch=64):
    module = nn.Sequential(HATR(512), BaselineHead(64, 23))
    step = training_step(module, (torch.randn(batch, 512),))
    rate = matmul_rate(repeats)
    full = seconds(step, repeats)
    n_parameters = sum(p.numel() for p in module.parameters())
    print(f"{'HATR':9}{'audio':10}{n_parameters:>11,}{1e3 * full / batch:9.3f}{full * rate / count(step):8.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["report", "small"], choices=["report", "small", "published"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--fast", action="store_true", help="small sizes, few clips, one repeat")
    args = parser.parse_args()
    if args.fast:
        args.sizes, args.batch, args.repeats = ["small"], 4, 1
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    print(f"{2 * matmul_rate(args.repeats) / 1e9:.0f} GFLOP/s in a matrix product, {args.threads} thread(s)")
    print("ms a clip: forward + backward of full clips (and over the floor), of mixed lengths; forward at inference")
    print(f"{'branch':9}{'size':10}{'parameters':>11}{'full':>9}{'/floor':>8}{'mixed':>9}{'forward':>9}   peer / ours")
    for name, size in BRANCHES:
        if size in args.sizes:
            bench_branch(name, size, args.batch, args.repeats)
    bench_trunk(args.repeats)


if __name__ == "__main__":
    main()
