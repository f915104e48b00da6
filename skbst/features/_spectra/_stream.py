"""Decode each sound once and hand it to every feature that wants it."""

import numpy as np
from joblib import Parallel, delayed

from skbst._progress import progress_bar
from skbst._torch import one_torch_thread
from skbst.audio import OUT_OF_MEMORY
from skbst.features._clips._memory import ran_out_of_memory

__all__ = ["MemoryOutput", "stream_frames"]

# clips between two writes into a store; taken as it is
_BATCH_SIZE = 16


class MemoryOutput:
    """Frames of one feature in memory.

    Parameters
    ----------
    kernel : LogSTFTKernel, LogMelKernel or MFCCKernel
        What makes the frames.

    n_samples : int
        Number of sounds.
    """

    def __init__(self, kernel, n_samples):
        self.kernel = kernel
        self.todo = np.ones(n_samples, dtype=bool)
        self.n_valid = np.zeros(n_samples, dtype=np.int64)
        self.problems = {}
        self._values = np.empty((n_samples, kernel.spectrum.n_frames, kernel.n_bins), dtype=np.float32)

    def buffers(self, rows):
        """Where the frames of some rows are written, by row."""
        return {row: self._values[row] for row in rows}

    def commit(self, buffers, n_valid, problems):
        """Take the frames that were written; the dictionaries go by row."""
        for row in buffers:
            self.n_valid[row] = n_valid[row]
            if row in problems:
                self.problems[row] = problems[row]

    def result(self):
        """Return the frames, None (they are in order), n_valid and problems."""
        return self._values, None, self.n_valid, self.problems


def stream_frames(sources, positions, loader, outputs, *, n_jobs=None, verbose=0):
    """Make the frames of all outputs that are still to do.

    Parameters
    ----------
    sources : sequence
        What `loader` loads.

    positions : ndarray of shape (n_samples,), float in [0, 1]
        Place of each crop.

    loader : ClipLoader
        Of fixed duration.

    outputs : list
        Objects like `MemoryOutput`.

    n_jobs : int, default=None
        Number of threads; each runs torch on one core.

    verbose : int, default=0
        Above 0 a progress bar is shown.
    """
    todo = np.flatnonzero(np.logical_or.reduce([output.todo for output in outputs]))
    batches = [todo[first : first + _BATCH_SIZE] for first in range(0, len(todo), _BATCH_SIZE)]
    with one_torch_thread(), progress_bar(total=len(todo), desc="Featurizing", verbose=verbose) as bar:
        parallel = Parallel(n_jobs=n_jobs, require="sharedmem", return_as="generator")
        jobs = parallel(delayed(_run_batch)(sources, positions, loader, outputs, rows) for rows in batches)
        for n_rows in jobs:
            bar.update(n_rows)


def _run_batch(sources, positions, loader, outputs, rows):
    """Load some sounds and write their frames."""
    engines = {spectrum: spectrum.engine() for spectrum in {output.kernel.spectrum for output in outputs}}
    buffers = [output.buffers(rows[output.todo[rows]].tolist()) for output in outputs]
    waveform = np.empty(loader.n_samples, dtype=np.float32)
    n_valid, problems = {}, {}
    for row in rows.tolist():
        _, n_valid[row], problem = loader.load(sources[row], positions[row], out=waveform)
        if problem is not None:
            problems[row] = problem
        wanted = [(output.kernel, buffer[row]) for output, buffer in zip(outputs, buffers) if row in buffer]
        try:
            _write_frames(waveform, engines, wanted)
        except (MemoryError, RuntimeError) as error:
            if not ran_out_of_memory(error):
                raise
            waveform[:] = 0
            n_valid[row], problems[row] = 0, OUT_OF_MEMORY
            _write_frames(waveform, engines, wanted)
    for output, buffer in zip(outputs, buffers):
        output.commit(buffer, n_valid, problems)
    return len(rows)


def _write_frames(waveform, engines, wanted):
    """Make the frames of one sound; each of the spectra is made once."""
    from torch import from_numpy

    powers = {}
    for kernel, frames in wanted:
        if kernel.spectrum not in powers:
            powers[kernel.spectrum] = engines[kernel.spectrum](waveform)
        kernel(powers[kernel.spectrum], from_numpy(frames))
