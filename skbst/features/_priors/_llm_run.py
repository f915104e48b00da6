"""From the clips of one call to what a language model thinks of them."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from skbst.audio import DecodeProblem
from skbst.features._priors._distribution import normalize_rows
from skbst.features._priors._llm_answer import AnswerError, read_answer
from skbst.features._priors._llm_prompt import write_prompt
from skbst.features._store._keys import content_key

__all__ = ["LLMRun", "label_names"]

# raise it when the same settings give other rows than before; 2 reads no rest of a damaged answer
_FORMAT = 2


def label_names(taxonomy):
    """What a model may write for a label, in lower case, and the label: codes, "other", and names that are unique."""
    names = {}
    for code, name in [*taxonomy.leaf_names.items(), *taxonomy.top_names.items()]:
        names.setdefault(name.casefold(), set()).add(code)
    known = {name: next(iter(codes)) for name, codes in names.items() if len(codes) == 1}
    codes = [*taxonomy.leaves.tolist(), *taxonomy.tops.tolist(), "other"]
    return known | {code.casefold(): code for code in codes}


class LLMRun:
    """One call of `transform`.

    Parameters
    ----------
    featurizer : LLMPriorFeaturizer
        Fitted.

    records : list of str
        What is known about each clip.
    """

    def __init__(self, featurizer, records):
        self.featurizer = featurizer
        self.records = records
        self._problems = {}
        self._asked = {}  # a failure too is not asked about twice in one call
        self._labels = label_names(featurizer.taxonomy_)

    def prompt(self, row):
        """What is asked about one clip."""
        return write_prompt(self.featurizer.taxonomy_, self.records[row])

    def pipeline(self):
        """Identity of the answers beside the text, which is the key."""
        own = self.featurizer
        shared = content_key(write_prompt(own.taxonomy_, ""))
        return {"format": _FORMAT, "embedding": "llm_prior", "model_name": own.model_name, "prompt": shared}

    def keys(self, rows):
        """Name clips by what is known about them; equal ones are asked about once."""
        return [content_key(self.records[row]) for row in rows]

    def compute(self, rows):
        """Ask about some clips; returns their priors, and for each whether there was an answer that may be kept."""
        new = {self.records[row]: row for row in rows if self.records[row] not in self._asked}
        with ThreadPoolExecutor(self.featurizer.n_jobs, "skbst-llm") as pool:
            self._asked.update(zip(new, pool.map(self._ask, new.values())))
        results = [self._asked[self.records[row]] for row in rows]
        self._problems.update({row: problem for row, (_, problem) in zip(rows, results) if problem is not None})
        nothing = np.zeros(len(self.featurizer.classes_), dtype=np.float32)
        priors = [nothing if prior is None else prior for prior, _ in results]
        return priors, [prior is not None for prior, _ in results]

    @property
    def problems(self):
        """What went wrong, by row; clips with equal texts share it."""
        by_record = {self.records[row]: problem for row, problem in self._problems.items()}
        return {row: by_record[record] for row, record in enumerate(self.records) if record in by_record}

    def _ask(self, row):
        """Prior of one clip and what went wrong; a failure is never given mass."""
        record = self.records[row]
        if not record:
            return None, DecodeProblem("no text", silent=True, detail="nothing was asked")
        try:
            answer = self.featurizer.client(self.prompt(row))
        except Exception as error:  # whatever a client raises, one row must not end a paid run
            return None, DecodeProblem("client failed", silent=True, detail=f"{type(error).__name__}: {error}"[:200])
        try:
            mass = read_answer(answer, self._labels, said=self._said(record))
            return normalize_rows(self.featurizer._distributions.mass(mass)[None])[0], None
        except AnswerError as error:
            return None, DecodeProblem("no answer", silent=True, detail=str(error)[:200])

    def _said(self, record):
        """The clip's text as it was written and as it stands in the prompt."""
        return "\n".join([record, *(value for value in json.loads(record).values() if isinstance(value, str))])
