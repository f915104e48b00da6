"""Short excerpts of sounds, and pictures of them."""

import struct
import zlib
from itertools import pairwise

import numpy as np
import soundfile
from joblib import Parallel, delayed

from skbst._progress import progress_bar
from skbst.audio import ClipLoader, announce_problems, problem_report

__all__ = ["make_excerpts", "write_excerpt", "write_picture"]

# taken as it is: long enough to hear what a clip is, short enough for a page of thousands
_SECONDS = 10.0
# libsndfile's Vorbis has lengths (2 s at 32 kHz, many below 0.5 s) that Chromium refuses for their timestamps; its Opus
# has none. WAV, where libsndfile is older than 1.0.29, is kept small by a lower rate.
_OPUS, _WAV = ("ogg", "OPUS", 48000), ("wav", "PCM_16", 24000)
# pixels of the picture, and samples of one column's Fourier transform; taken as they are
_WIDTH, _WAVE_HEIGHT, _SPECTRUM_HEIGHT, _N_FFT = 600, 56, 144, 1024
# what a picture shows below the loudest; taken as it is
_DECIBELS = 80
# of the loudest bin: below, a sound is drawn as quiet as it is, and silence black
_QUIETEST = -20
# few levels make small files
_LEVELS = 40
# black over violet and orange to pale yellow, in steps of equal lightness
_COLOURS = ((0, 0, 4), (60, 15, 110), (150, 40, 110), (220, 80, 60), (250, 160, 40), (250, 250, 170))


def make_excerpts(sounds, out, *, n_jobs=None, verbose=0, stacklevel=2):
    """Write an excerpt and a picture of each sound, on several threads.

    Parameters
    ----------
    sounds : dict
        Name of a clip -> what `skbst.audio.load_clip` takes.

    out : Path
        The page's folder.

    n_jobs : int, default=None
        Number of threads; each holds one excerpt in memory.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    stacklevel : int, default=2
        As in `warnings.warn`.

    Returns
    -------
    excerpts : dict
        Name of a clip -> ``sound``, ``picture`` (paths below `out`; "" where nothing could be decoded) and
        ``problem`` (what was wrong, or "").

    Warns
    -----
    AudioDecodeWarning
        Once, if anything was wrong.
    """
    # numbered names: a stranger's id never becomes a file name
    jobs = (delayed(write_excerpt)(sound, out, f"sounds/{number:05d}") for number, sound in enumerate(sounds.values()))
    parallel = Parallel(n_jobs=n_jobs, require="sharedmem", return_as="generator")
    made = list(progress_bar(parallel(jobs), total=len(sounds), desc="Excerpts", verbose=verbose))
    problems = {number: problem for number, (_, problem) in enumerate(made) if problem is not None}
    report = problem_report(problems, ids=list(sounds), sources=list(sounds.values()))
    announce_problems(report, len(sounds), stacklevel=stacklevel + 1)
    return {
        name: {**files, "problem": "" if problem is None else ": ".join(filter(None, (problem.reason, problem.detail)))}
        for name, (files, problem) in zip(sounds, made, strict=True)
    }


def write_excerpt(source, out, stem):
    """Write the first seconds of one sound; a sound that cannot be decoded writes nothing."""
    end, subtype, sample_rate = _OPUS if "OPUS" in soundfile.available_subtypes("OGG") else _WAV
    waveform, n_valid, problem = ClipLoader(sample_rate, _SECONDS).load(source)
    if not n_valid:
        return {"sound": "", "picture": ""}, problem
    waveform = np.clip(waveform[:n_valid], -1, 1)
    names = {"sound": f"{stem}.{end}", "picture": f"{stem}.png"}
    with soundfile.SoundFile(out / names["sound"], "w", sample_rate, 1, format=end.upper(), subtype=subtype) as file:
        # libsndfile's writers overflow the stack on long blocks
        for start in range(0, n_valid, sample_rate):
            file.write(waveform[start : start + sample_rate])
    write_picture(waveform, sample_rate, out / names["picture"])
    return names, problem


def write_picture(waveform, sample_rate, path):
    """Write a PNG: the waveform above its spectrogram over 80 dB on a Mel axis, low frequencies at the bottom."""
    pixels = np.vstack([_wave(waveform), _spectrogram(waveform, sample_rate)]).astype(np.uint8)
    palette = np.stack([np.interp(np.linspace(0, 5, _LEVELS), range(6), part) for part in zip(*_COLOURS, strict=True)])
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 3, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"PLTE", palette.T.round().astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks))


def _wave(waveform):
    """The loudest sample of each column as a bar around the middle."""
    pieces = np.array_split(np.concatenate([waveform, np.zeros(max(0, _WIDTH - len(waveform)), np.float32)]), _WIDTH)
    peak = np.array([np.abs(piece).max() for piece in pieces])
    heights = np.abs(np.linspace(-1, 1, _WAVE_HEIGHT))[:, None]
    return np.where(heights <= np.maximum(peak, 0.02)[None], _LEVELS - 5, 1)


def _spectrogram(waveform, sample_rate):
    """Levels of a column every 600th of the sound, in `_LEVELS` steps."""
    padded = np.pad(waveform, (0, _N_FFT))
    starts = np.linspace(0, len(padded) - _N_FFT, _WIDTH).astype(int)
    frames = padded[starts[:, None] + np.arange(_N_FFT)] * np.hanning(_N_FFT)
    decibels = 20 * np.log10(np.abs(np.fft.rfft(frames)) + 1e-9)
    mel = np.linspace(0, np.log1p(sample_rate / 2 / 700), _SPECTRUM_HEIGHT + 1)
    edges = np.expm1(mel) * 700 * _N_FFT / sample_rate
    rows = [decibels[:, int(low) : max(int(low) + 1, int(high))].max(axis=1) for low, high in pairwise(edges)]
    level = np.stack(rows[::-1])
    return np.clip((level - max(level.max(), _QUIETEST) + _DECIBELS) / _DECIBELS, 0, 1) * (_LEVELS - 1)


def _chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
