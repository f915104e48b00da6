"""A page on disk to look, listen and decide."""

from numbers import Integral

import pandas as pd

from skbst.curation._page import (
    clip_records,
    finish,
    make_excerpts,
    own_folder,
    page_data,
    page_html,
    remove_left_overs,
    review_rows,
    sounds_of,
    text_index,
)
from skbst.exceptions import DataFormatError
from skbst.taxonomy import resolve_taxonomy

__all__ = ["review_page"]


def review_page(table, clips, out, *, taxonomy=None, limit=None, n_jobs=None, verbose=0):
    """Write a folder with a page on which a person listens to clips and decides about their labels.

    The page opens from disk without a server and asks no host for anything. Decisions stay in the browser and are
    saved as a file that `read_review` reads.

    Parameters
    ----------
    table : DataFrame
        Rows to review; the index, or a column ``sound_id``, holds the sound_ids. One of

        - in the order given, ``label`` and optionally ``suggestion``, ``proba_label``, ``proba_suggestion``,
          ``reason``, ``neighbours``, ``near_duplicate``, ``set`` and ``node``, as in
          ``LabelAudit.ranking_``;
        - what ``label_library`` wrote (``predicted``, ``proba``, ``class_1``, ``proba_1``, ..., ``set``, ``node``,
          ``reason``, ``problem``), which is shown least sure first, or the sample of it that `review_sample` draws, in
          whose order it is shown, with the precision that the decisions give;
        - what ``KNNPriorBlender.explain`` returns: the answers and the neighbours that made them.

    clips : DataFrame
        The same sound_ids as index; columns ``audio`` (path), ``title``, ``tags``, ``description``, ``license``,
        ``url`` and ``uploader``, each optional. A sound that cannot be decoded is shown without a player. The first 3
        neighbours of a row that are among the clips can be heard beside it.

    out : str or path-like
        Folder; made if needed. One that holds something else than an earlier page is refused and left as it is; of an
        earlier page ``index.html`` and the numbered files in ``sounds`` are replaced, and nothing else.

    taxonomy : Taxonomy, default=None
        The tree; None takes BST where all labels are BST codes, the flat tree where none is.

    limit : int, default=None
        How many rows of the table are shown; None shows all.

    n_jobs : int, default=None
        Number of threads that make excerpts.

    verbose : int, default=0
        Above 0 a progress bar is shown.

    Returns
    -------
    page : Path
        The page, ``out/index.html``.

    Raises
    ------
    DataFormatError
        If a column, label or sound is missing, a sound_id stands twice, or `out` holds something else.

    OSError
        If the folder cannot be written.

    ValueError
        If `limit` is no number of rows.

    Warns
    -----
    AudioDecodeWarning
        If a sound cannot be decoded.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> from skbst.curation import review_page
    >>> table = pd.DataFrame({"label": ["fx-a"], "suggestion": ["fx-n"]}, index=["7"])
    >>> clips = pd.DataFrame({"title": ["<b>door</b>"]}, index=["7"])
    >>> review_page(table, clips, tempfile.mkdtemp()).name
    'index.html'
    """
    if limit is not None and (not isinstance(limit, Integral) or limit < 1):
        raise ValueError(f"limit is a number of rows from 1, or None; got {limit!r}.")
    table = review_rows(table).iloc[:limit]
    clips = _known(table, clips)
    labels = table["label"].astype(str)
    suggested = [code for row in table["suggestions"] for code, _ in row]
    taxonomy = resolve_taxonomy(taxonomy, list(dict.fromkeys([*labels, *suggested])))
    out = own_folder(out)
    excerpts = make_excerpts(sounds_of(table, clips), out, n_jobs=n_jobs, verbose=verbose, stacklevel=2)
    records = clip_records(table, clips, taxonomy.top_of(labels.to_numpy()).tolist(), excerpts)
    page = finish(out, page_html(page_data(records, table, taxonomy)))
    remove_left_overs(out, {files[kind] for files in excerpts.values() for kind in ("sound", "picture")})
    return page


def _known(table, clips):
    """The clips by their names as text; each row has one."""
    if not isinstance(clips, pd.DataFrame):
        raise DataFormatError(f"The clips must be a DataFrame with the sound_ids as index; got {type(clips).__name__}.")
    clips = clips.set_axis(text_index(clips.index))
    if not clips.index.is_unique:
        raise DataFormatError("A sound_id stands twice in the clips; make the index unique.")
    missing = table.index.difference(clips.index, sort=False)
    if len(missing):
        raise DataFormatError(
            f"{len(missing)} of {len(table)} rows have no clip (first: {missing[0]!r}; the clips have such as "
            f"{clips.index[0] if len(clips) else None!r})."
        )
    return clips
