"""Small instances of the branches, and clips for them."""

import pytest
import torch

from skbst.nn import LogMelMDFD, LogSTFTTransformer, MFCCResidualTDNN

N_BINS = 16
BRANCHES = {
    "log-stft": lambda **kw: LogSTFTTransformer(N_BINS, d_model=32, n_layers=2, n_heads=2, d_feedforward=64, **kw),
    "log-mel": lambda **kw: LogMelMDFD(
        N_BINS,
        widths=(11, 11, 22),
        stem_channels=4,
        stem_stride=(1, 2),
        pooling=((2, 2), (2, 2), (1, 2)),
        **kw,
    ),
    "mfcc": lambda **kw: MFCCResidualTDNN(N_BINS, n_channels=16, **kw),
}


@pytest.fixture(params=BRANCHES)
def make_branch(request):
    """Constructor of a small branch; keyword arguments go on to it."""

    def make(**kwargs):
        torch.manual_seed(0)
        return BRANCHES[request.param](**kwargs)

    return make


@pytest.fixture
def clips():
    """Standardised frames of six clips, zeros past their lengths."""
    generator = torch.Generator().manual_seed(1)
    lengths = torch.tensor([61, 1, 17, 40, 60, 2])
    frames = torch.randn(6, 61, N_BINS, generator=generator)
    frames[torch.arange(61) >= lengths[:, None]] = 0
    return frames, lengths
