"""A short excerpt of a sound, and a picture of it."""

import struct
import zlib

import numpy as np
import soundfile

from skbst.audio import load_clip

__all__ = ["write_excerpt", "write_picture"]

_WIDTH, _WAVE_HEIGHT, _N_FFT = 600, 60, 512
# libsndfile's Vorbis has lengths (2 s at 32 kHz, many below 0.5 s) that Chromium refuses for their timestamps; its Opus
# has none. WAV, where libsndfile is older than 1.0.29, is kept small by a lower rate.
_OPUS, _WAV = ("ogg", "OPUS", 48000), ("wav", "PCM_16", 24000)


def write_excerpt(source, stem, duration):
    """Write the first seconds as a sound and a PNG.

    Returns
    -------
    names : tuple of (str, str)
        What was added to the name of `stem` for the sound and the picture; "" and "" where nothing could be decoded.
    """
    end, subtype, sample_rate = _OPUS if "OPUS" in soundfile.available_subtypes("OGG") else _WAV
    waveform, n_valid = load_clip(source, sample_rate=sample_rate, duration=duration)
    waveform = np.clip(waveform[:n_valid], -1, 1)
    if not n_valid:
        return "", ""
    with soundfile.SoundFile(f"{stem}.{end}", "w", sample_rate, 1, format=end.upper(), subtype=subtype) as file:
        # libsndfile's writers overflow the stack on long blocks
        for start in range(0, n_valid, sample_rate):
            file.write(waveform[start : start + sample_rate])
    write_picture(waveform, f"{stem}.png")
    return f".{end}", ".png"


def write_picture(waveform, path):
    """Write a grey PNG: the waveform above its spectrogram over 80 dB, low frequencies at the bottom."""
    pieces = np.array_split(np.concatenate([waveform, np.zeros(max(0, _WIDTH - len(waveform)), np.float32)]), _WIDTH)
    peak = np.array([np.abs(piece).max() for piece in pieces])
    heights = np.abs(np.linspace(-1, 1, _WAVE_HEIGHT))[:, None]
    wave = np.where(heights <= np.maximum(peak, 0.02)[None], 220, 20)
    padded = np.pad(waveform, (0, _N_FFT))
    starts = np.linspace(0, len(padded) - _N_FFT, _WIDTH).astype(int)
    frames = padded[starts[:, None] + np.arange(_N_FFT)] * np.hanning(_N_FFT)
    level = 20 * np.log10(np.abs(np.fft.rfft(frames)).T[::-1] + 1e-9)
    spectrogram = np.clip((level - level.max() + 80) / 80, 0, 1) * 255
    pixels = np.vstack([wave, spectrogram]).astype(np.uint8)
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks))


def _chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
