"""The trunk of the official baseline: an encoder per embedding, attention fusion, latent projector."""

import torch
from torch import nn

from skbst.nn._dropout import Dropout
from skbst.nn._length_scale import LengthScale

__all__ = ["HATR"]


class HATR(nn.Module):
    """Trunk of the DCASE 2026 Task 1 baseline: CLAP embeddings to one latent vector.

    Each embedding has its own residual MLP encoder; an attention over the embeddings, two in the baseline, weighs and
    adds them; a projector and two more residual blocks make the latent vector that every head takes.

    Parameters
    ----------
    n_audio : int or None
        Width of the audio embedding; None leaves the modality out.

    n_text : int or None, default=None
        Width of the text embedding; None leaves the modality out.

    others : mapping of str to int, default=None
        Names and widths of more embeddings, such as those of a second encoder of sounds: ``{"audio_2": 768}``.

    width : int, default=128
        Width of an encoded embedding; even. The latent vector has half of it.

    encoder_width : int, default=None
        Width inside the encoders; None takes the wider of the embedding and ``2 * width``.

    n_blocks : int, default=3
        Residual blocks of each encoder.

    input_norm : {"batch", "length"}, default="batch"
        What embeddings pass first: the baseline's batch normalisation, or `LengthScale`, which has no parameters and
        keeps the proportions of the dimensions.

    dropout : float in [0, 1), default=0.1
        Dropout of encoders, fusion and projector; half of it in the last blocks.

    Attributes
    ----------
    out_features : int
        Width of the latent vector.

    References
    ----------
    Anastasopoulou, Dal Ri, Serra & Font, "Hierarchical and multimodal learning for heterogeneous sound
    classification", DCASE Workshop 2025, and the baseline of DCASE 2026 Challenge Task 1. With two 512-d
    embeddings the trunk has 7,316,674 parameters, 7,319,513 with `BaselineHead` for 23 classes.

    Examples
    --------
    >>> import torch
    >>> from skbst.nn import HATR
    >>> trunk = HATR(512, 512).eval()
    >>> trunk(torch.zeros(3, 512), torch.zeros(3, 512)).shape
    torch.Size([3, 64])
    """

    def __init__(
        self,
        n_audio,
        n_text=None,
        *,
        others=None,
        width=128,
        encoder_width=None,
        n_blocks=3,
        input_norm="batch",
        dropout=0.1,
    ):
        super().__init__()
        others = dict(others or {})
        n_embeddings = (n_audio is not None) + (n_text is not None) + len(others)
        if n_embeddings == 0:
            raise ValueError("HATR needs the width of at least one modality: n_audio, n_text or both.")
        settings = {"encoder_width": encoder_width, "n_blocks": n_blocks, "input_norm": input_norm, "dropout": dropout}
        self.audio_encoder = None if n_audio is None else _EmbeddingEncoder(n_audio, width, **settings)
        self.text_encoder = None if n_text is None else _EmbeddingEncoder(n_text, width, **settings)
        self.other_encoders = nn.ModuleDict(
            {name: _EmbeddingEncoder(n_features, width, **settings) for name, n_features in others.items()}
        )
        self.fusion = _AttentionFusion(n_embeddings, width, dropout) if n_embeddings > 1 else None
        self.projector = nn.Sequential(
            *_dense(width, 2 * width, dropout),
            *_dense(2 * width, width, dropout),
            *_dense(width, width // 2, dropout / 2),
        )
        self.blocks = nn.Sequential(*(_ResidualBlock(width // 2, width, dropout / 2) for _ in range(2)))
        self.out_features = width // 2

    def forward(self, audio=None, text=None, **others):
        """Return the latent vectors of shape (batch, out_features); `others` are embeddings by name."""
        encoded = []
        if self.audio_encoder is not None:
            encoded.append(self.audio_encoder(audio))
        if self.text_encoder is not None:
            encoded.append(self.text_encoder(text))
        encoded += [encoder(others[name]) for name, encoder in self.other_encoders.items()]
        fused = encoded[0] if self.fusion is None else self.fusion(*encoded)
        return self.blocks(self.projector(fused))


class _ResidualBlock(nn.Module):
    """``act(x + BN(W2 drop(act(BN(W1 x)))))``."""

    def __init__(self, n_features, n_hidden, dropout):
        super().__init__()
        self.linear1 = nn.Linear(n_features, n_hidden)
        self.norm1 = nn.BatchNorm1d(n_hidden)
        self.linear2 = nn.Linear(n_hidden, n_features)
        self.norm2 = nn.BatchNorm1d(n_features)
        self.activation = nn.LeakyReLU()
        self.dropout = Dropout(dropout)

    def forward(self, x):
        hidden = self.dropout(self.activation(self.norm1(self.linear1(x))))
        return self.activation(x + self.norm2(self.linear2(hidden)))


class _EmbeddingEncoder(nn.Module):
    """One embedding to `width` features: batch norm, residual blocks twice as wide inside, batch norm."""

    def __init__(self, n_features, width, *, encoder_width, n_blocks, input_norm, dropout):
        super().__init__()
        inner = encoder_width or max(n_features, 2 * width)
        self.input_norm = nn.BatchNorm1d(n_features) if input_norm == "batch" else LengthScale()
        self.input_projection = nn.Sequential(*_dense(n_features, inner, dropout))
        self.blocks = nn.Sequential(*(_ResidualBlock(inner, 2 * inner, dropout) for _ in range(n_blocks)))
        self.output_projection = nn.Sequential(*_dense(inner, inner // 2, dropout), nn.Linear(inner // 2, width))
        self.output_norm = nn.BatchNorm1d(width)

    def forward(self, x):
        x = self.blocks(self.input_projection(self.input_norm(x)))
        return self.output_norm(self.output_projection(x))


class _AttentionFusion(nn.Module):
    """``w_1 z_1 + w_2 z_2 + ...`` with the weights from a softmax over ``W2 tanh(W1 [z_1 ; z_2 ; ...])``."""

    def __init__(self, n_embeddings, width, dropout):
        super().__init__()
        self.attention = nn.Sequential(
            nn.Linear(n_embeddings * width, width), nn.Tanh(), nn.Linear(width, n_embeddings), nn.Softmax(dim=-1)
        )
        self.dropout = Dropout(dropout)

    def forward(self, *encoded):
        weights = self.attention(torch.cat(encoded, dim=-1))
        return self.dropout(sum(weights[:, i : i + 1] * z for i, z in enumerate(encoded)))


def _dense(n_in, n_out, dropout):
    return nn.Linear(n_in, n_out), nn.LeakyReLU(), Dropout(dropout)
