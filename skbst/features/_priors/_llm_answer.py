"""Read a distribution out of what a language model said, or say why there is none."""

import json
import math
import re

__all__ = ["AnswerError", "read_answer"]

# of a cut answer, or one with labels of its own: with less, what is missing could be the class
_LEAST_KNOWN = 0.5
# five pairs are some 300 characters; each bracket without an end costs another look at all that follows
_LONGEST = 20_000
# so that an answer full of brackets ends
_MOST_STARTS = 500
# models that reason write drafts between these; the end that counts is the last, since a title may quote one
_THOUGHTS = "<think>", "</think>"
_ANSWERS = re.compile(r'\[\s*\{\s*"(label|probability)"')


class AnswerError(ValueError):
    """An answer holds no distribution that can be trusted."""


def read_answer(answer, labels, *, said=""):
    """Read one answer.

    Parameters
    ----------
    answer : str
        JSON ``[{"label": code, "probability": number}, ...]``, alone or with prose around it. What stands between
        "<think>" at the start and the last "</think>" is passed over.

    labels : mapping of str to str
        What may stand for a label, in lower case, and the label. Others are dropped, up to half of the mass.

    said : str, default=""
        What was asked about; a list that stands in there word for word is a quotation and no answer.

    Returns
    -------
    mass : dict of str to float
        Not normalised; empty where the model said that it knows nothing.

    Raises
    ------
    AnswerError
        If there is no such list, or two that differ; if a probability is no number of at least 0, or an item says two
        things under one name; if labels that are no classes hold more than half of the mass; if the answer was cut off
        before half of the mass was named; if all is 0, or sums to infinity; or if it is far too long or nested.

    Examples
    --------
    >>> from skbst.features._priors._llm_answer import read_answer
    >>> answer = 'Sure! [{"label": "FX-A", "probability": 0.9}, {"label": "zz", "probability": 0.1}]'
    >>> read_answer(answer, {"fx-a": "fx-a"})
    {'fx-a': 0.9}
    """
    if not isinstance(answer, str):
        raise AnswerError(f"the client gave {type(answer).__name__} instead of text")
    if answer.lstrip().startswith(_THOUGHTS[0]):
        answer = answer.rpartition(_THOUGHTS[1])[2] if _THOUGHTS[1] in answer else ""
    if len(answer) > _LONGEST:
        raise AnswerError(f"an answer of {len(answer)} characters")
    found = [pairs for pairs, text in _lists(answer) if text not in said]
    if not found:
        found = _cut_off(answer, said)
    if not found:
        raise AnswerError("no JSON list of labels and probabilities")
    masses = [_mass(pairs, labels) for pairs in found]
    if any(mass != masses[0] for mass in masses[1:]):
        raise AnswerError(f"{len(masses)} lists that differ")
    return masses[0]


def _lists(answer):
    """All lists of pairs in a text, with the text of each; what stands inside one that was read is not read again."""
    decoder = json.JSONDecoder(object_pairs_hook=_without_doubles)
    place, broken, damaged = 0, False, False
    for _ in range(_MOST_STARTS):
        start = min((i for i in (answer.find("[", place), answer.find("{", place)) if i >= 0), default=-1)
        if start < 0:
            return
        try:
            value, stop = decoder.raw_decode(answer, start)
        except AnswerError:
            raise
        except RecursionError as error:
            raise AnswerError("nested too deeply") from error
        except ValueError:
            broken, place = True, start + 1
            damaged = damaged or _ANSWERS.match(answer, start) is not None
            continue
        pairs = _pairs(value)
        # after what cannot be read, an object is the rest of a list without an end, or of lines one of which is damaged
        if pairs is not None and not (broken and isinstance(value, dict)):
            if damaged:
                raise AnswerError("a list that cannot be read before another")
            yield pairs, answer[start:stop]
        place = stop
    raise AnswerError(f"more than {_MOST_STARTS} brackets")


def _without_doubles(pairs):
    """An object, unless it says two things under one name."""
    values = dict(pairs)
    if any(values[name] is not value and values[name] != value for name, value in pairs):
        raise AnswerError(f"two values of one name in {str(pairs)[:60]}")
    return values


def _pairs(value):
    """(label, probability) of each item; None where the value is no answer."""
    if isinstance(value, dict):
        if _is_item(value):
            return [(value["label"], value["probability"])]
        inside = [item for item in value.values() if isinstance(item, list)]
        if len(inside) == 1:
            return _pairs(inside[0])
        numbers = value and all(_is_number(item) for item in value.values())
        return list(value.items()) if numbers else None
    if not isinstance(value, list) or not all(map(_is_item, value)):
        return None
    return [(item["label"], item["probability"]) for item in value]


def _is_item(value):
    return isinstance(value, dict) and {"label", "probability"} <= value.keys()


def _cut_off(answer, said):
    """The whole items of a list that has no end."""
    start = answer.rfind("[")
    if start < 0 or answer[start:] in said:
        return []
    pairs, decoder, place = [], json.JSONDecoder(object_pairs_hook=_without_doubles), start + 1
    while (place := answer.find("{", place)) >= 0:
        try:
            item, stop = decoder.raw_decode(answer, place)
        except AnswerError:
            raise
        except ValueError:
            break
        if answer[place:stop] in said or not _is_item(item):
            return []
        pairs.append((item["label"], item["probability"]))
        place = stop
    known = sum(number for _, number in pairs if _is_number(number))
    if pairs and known < _LEAST_KNOWN:
        raise AnswerError(f"cut off after {known:.2f} of the mass")
    return [pairs] if pairs else []


def _mass(pairs, labels):
    mass, strange = {}, 0.0
    for label, number in pairs:
        if not _is_number(number) or number < 0:
            raise AnswerError(f"the probability of {str(label)[:30]!r} is {str(number)[:20]!r}")
        label = labels.get(label.strip().casefold()) if isinstance(label, str) else None
        if label is None:
            strange += float(number)
        else:
            mass[label] = mass.get(label, 0.0) + float(number)
    if strange > sum(mass.values()) > 0:
        raise AnswerError(f"{strange:.2g} of the mass on labels that are no classes")
    if pairs and not mass:
        raise AnswerError(f"none of the labels is known (first: {str(pairs[0][0])[:30]!r})")
    if pairs and not sum(mass.values()) > 0:
        raise AnswerError("all probabilities are 0")
    if not math.isfinite(strange + sum(mass.values())):
        raise AnswerError("the probabilities sum to infinity")
    return mass


def _is_number(value):
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False
