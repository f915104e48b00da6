"""From a waveform to what CLAP's audio encoder reads; the same for every backend."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

__all__ = [
    "FRAMES_AT_ONCE",
    "AudioSpec",
    "frames_to_mel",
    "is_longer",
    "log_mel",
    "prepare",
    "quantize_int16",
    "repeat_pad",
    "thirds",
    "windows_at_random",
]

# 16 MiB of complex spectrum at n_fft 1024; longer sounds take no more memory
FRAMES_AT_ONCE = 4096


@dataclass(frozen=True)
class AudioSpec:
    """What an audio encoder was trained on.

    Parameters
    ----------
    sample_rate : int, default=48000
        In Hz.

    n_fft, hop_length, n_mels : int, default=1024, 480, 64
        Of the log-Mel spectrogram.

    f_min, f_max : float, default=50.0, 14000.0
        Range of the Mel bank, in Hz.

    max_samples : int, default=480000
        Length of the window that the encoder reads.

    fusion : bool, default=True
        Whether longer sounds are read as a shrunk whole and three windows (HTK Mel bank), or as one window
        (Slaney Mel bank).
    """

    sample_rate: int = 48000
    n_fft: int = 1024
    hop_length: int = 480
    n_mels: int = 64
    f_min: float = 50.0
    f_max: float = 14000.0
    max_samples: int = 480000
    fusion: bool = True

    @property
    def n_frames(self):
        """Frames of one window."""
        return self.max_samples // self.hop_length + 1


def quantize_int16(waveform):
    """Round to 16 bits toward zero and back, as laion-clap does to arrays and files.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,), float32
        Clipped to [-1, 1].

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
        Multiples of 1 / 32767.
    """
    return ((np.clip(waveform, -1.0, 1.0) * 32767.0).astype(np.int16) / 32767.0).astype(np.float32)


def is_longer(n_samples, spec):
    """Whether a sound is read in windows. One of less than a hop above the window is read whole by a fusion encoder."""
    if not spec.fusion:
        return n_samples > spec.max_samples
    return n_samples > spec.max_samples and n_samples // spec.hop_length + 1 != spec.n_frames


def thirds(n_samples, spec):
    """Start of the windows: the centre of each third of the possible starts.

    Returns
    -------
    starts : tuple of int
        A fusion encoder: three starts in frames. Another: one start in samples, the middle of the sound. Empty where
        the sound fits into one window.
    """
    if not is_longer(n_samples, spec):
        return ()
    if not spec.fusion:
        return ((n_samples - spec.max_samples) // 2,)
    return tuple(int(part[(len(part) - 1) // 2]) for part in _start_thirds(n_samples, spec))


def windows_at_random(n_samples, spec, random_state):
    """Start of the windows as laion-clap draws them, with the same calls in the same order.

    Parameters
    ----------
    n_samples : int
        Length of the sound.

    spec : AudioSpec
        What the encoder reads.

    random_state : RandomState
        Moves on as NumPy's global generator would have.

    Returns
    -------
    starts : tuple of int
        As `thirds`.
    """
    if n_samples <= spec.max_samples:
        return ()
    starts = ()
    if spec.fusion and is_longer(n_samples, spec):
        starts = tuple(int(random_state.choice(part)) for part in _start_thirds(n_samples, spec))
    crop = int(random_state.randint(0, n_samples - spec.max_samples + 1))
    return starts if spec.fusion else (crop,)


def _start_thirds(n_samples, spec):
    n_starts = n_samples // spec.hop_length + 1 - spec.n_frames + 1
    return [part if len(part) else np.zeros(1, dtype=int) for part in np.array_split(np.arange(n_starts), 3)]


def repeat_pad(waveform, n_samples):
    """Repeat a short sound as often as it fits whole, then pad with zeros.

    Parameters
    ----------
    waveform : ndarray of shape (n,), float32
        A sound without a sample counts as silence.

    n_samples : int
        The length that is wanted; a longer sound is left alone.

    Returns
    -------
    padded : ndarray of shape (max(n, n_samples),), float32
    """
    if len(waveform) >= n_samples:
        return waveform
    padded = np.zeros(n_samples, dtype=np.float32)
    if len(waveform):
        n_repeats = n_samples // len(waveform)
        padded[: n_repeats * len(waveform)] = np.tile(waveform, n_repeats)
    return padded


def log_mel(waveform, spec):
    """Log-Mel power in dB: ``10 log10(max(mel, 1e-10))``, centred frames, reflected edges, periodic Hann window.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,), float32
        One channel; more than ``n_fft / 2`` samples.

    spec : AudioSpec
        What the encoder reads. The HTK bank without normalisation for fusion encoders, the Slaney bank
        with area normalisation for the others.

    Returns
    -------
    mel : Tensor of shape (n_samples // hop_length + 1, n_mels), float32
    """
    import torch

    # an own tensor is aligned, a NumPy array need not be, and the FFT may round by alignment
    samples = torch.empty(len(waveform), dtype=torch.float32)
    samples.copy_(torch.from_numpy(np.ascontiguousarray(waveform, dtype=np.float32)))
    padded = torch.nn.functional.pad(samples[None], (spec.n_fft // 2, spec.n_fft // 2), mode="reflect")[0]
    n_frames = len(waveform) // spec.hop_length + 1
    mel = torch.empty(n_frames, spec.n_mels, dtype=torch.float32)
    for start in range(0, n_frames, FRAMES_AT_ONCE):
        stop = min(start + FRAMES_AT_ONCE, n_frames)
        part = padded[start * spec.hop_length : (stop - 1) * spec.hop_length + spec.n_fft]
        mel[start:stop] = frames_to_mel(part, spec)
    return mel


def frames_to_mel(samples, spec):
    """Log-Mel power of all frames that fit into a part of a sound, without any edge.

    Parameters
    ----------
    samples : ndarray or Tensor of shape (n_samples,), float32
        At least one window of the Fourier transform.

    spec : AudioSpec
        What the encoder reads.

    Returns
    -------
    mel : Tensor of shape ((n_samples - n_fft) // hop_length + 1, n_mels), float32
    """
    import torch

    part = torch.as_tensor(samples)
    window = torch.hann_window(spec.n_fft, dtype=torch.float32)
    spectrum = torch.stft(part, spec.n_fft, spec.hop_length, window=window, center=False, return_complex=True)
    mel = spectrum.abs().square().T @ _mel_bank(spec)
    return mel.clamp_(min=1e-10).log10_().mul_(10.0)


@lru_cache(maxsize=8)
def _mel_bank(spec):
    import torchaudio

    kind = {"norm": None, "mel_scale": "htk"} if spec.fusion else {"norm": "slaney", "mel_scale": "slaney"}
    n_freqs = spec.n_fft // 2 + 1
    return torchaudio.functional.melscale_fbanks(
        n_freqs, spec.f_min, spec.f_max, spec.n_mels, spec.sample_rate, **kind
    ).float()


def prepare(waveform, spec, starts, *, antialias=True):
    """Make the input of the audio encoder for one sound.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,), float32
        The whole sound at ``spec.sample_rate``.

    spec : AudioSpec
        What the encoder reads.

    starts : tuple of int
        From `thirds` or `windows_at_random`.

    antialias : bool, default=True
        How the whole of a longer sound is shrunk to one window.

    Returns
    -------
    mel : Tensor of shape (n_channels, n_frames, n_mels), float32
        One channel, or four for a sound that a fusion encoder reads in windows: the shrunk whole and three windows.
    """
    import torch

    if not spec.fusion and starts:
        waveform = waveform[starts[0] : starts[0] + spec.max_samples]
        starts = ()
    mel = log_mel(repeat_pad(waveform, spec.max_samples), spec)
    if not starts:
        return mel[None]
    size = (spec.n_frames, spec.n_mels)
    whole = torch.nn.functional.interpolate(
        mel[None, None], size=size, mode="bilinear", align_corners=False, antialias=antialias
    )
    return torch.stack([whole[0, 0], *(mel[start : start + spec.n_frames] for start in starts)])
