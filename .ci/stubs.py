"""Type stubs of the public names, made from signatures and numpydoc types, so that types are said in one place.

    python .ci/stubs.py            writes skbst/__init__.pyi and skbst/*/__init__.pyi
    python .ci/stubs.py --check    ends with 1 where a file is not the one that would be written

A parameter without a type in its docstring, a type that is not understood and a return value that is not described are
errors: a public function without types cannot be added.
"""

import ast
import importlib
import inspect
import re
import sys
import textwrap
from pathlib import Path

import skbst
from skbst._docstrings import _entries, _sections

PACKAGE = Path(skbst.__file__).parent
SPECIAL = ("__len__", "__getitem__", "__iter__", "__contains__", "__call__")
HEADER = "# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.\n"

PLAIN = {
    **{name: name for name in ("int", "float", "bool", "str", "bytes", "object", "None")},
    **dict.fromkeys(("self", "classifier", "estimator", "transformer", "splitter"), "Any"),
    "dict": "dict[Any, Any]",
    "list": "list[Any]",
    "tuple": "tuple[Any, ...]",
    "pair": "tuple[Any, Any]",
    "mapping": "Mapping[Any, Any]",
    "sequence": "Sequence[Any]",
    "sequences": "Sequence[Any]",
    "iterable": "Iterable[Any]",
    "iterator": "Iterator[Any]",
    "container": "Container[Any]",
    "generator": "Iterator[Any]",
    "callable": "Callable[..., Any]",
    "array-like": "ArrayLike",
    "ndarray": "NDArray[Any]",
    "path-like": "PathLike[str]",
    "DataFrame": "pandas.DataFrame",
    "Series": "pandas.Series",
    "Bunch": "Bunch",
    "Path": "Path",
    "RandomState": "numpy.random.RandomState",
    "Generator": "numpy.random.Generator",
    "Pipeline": "Pipeline",
    "GridSearchCV": "GridSearchCV",
    "Tensor": "torch.Tensor",
    "tensor": "torch.Tensor",
    "Module": "torch.nn.Module",
    "torch.nn.Module": "torch.nn.Module",
    "torch.Generator": "torch.Generator",
    "torch.device": "torch.device",
    "torch.dtype": "torch.dtype",
    "matplotlib Axes": "matplotlib.axes.Axes",
    "matplotlib Figure": "matplotlib.figure.Figure",
    "Colormap": "matplotlib.colors.Colormap",
}
# what a caller may pass is wider than what is returned
GIVEN = {"ndarray": "ArrayLike", "array": "ArrayLike", "Path": "str | PathLike[str]", "path": "str | PathLike[str]"}
ANYTHING = ("whatever", "anything", "fitted maker", "sklearn.callback", "skorch", "ignored", "a ", "the ")
# what methods take under these names, where they do not say it again
COMMON = {
    **dict.fromkeys(("X", "y", "groups", "sample_weight", "y_true", "y_pred"), "ArrayLike"),
    "estimator": "Any",
}
# what they return, by the protocol that all classifiers, splitters and displays keep
PROTOCOL = {
    **dict.fromkeys(("predict", "predict_proba", "predict_log_proba", "decision_function"), "NDArray[Any]"),
    **dict.fromkeys(("predict_top", "predict_top_proba", "predict_set", "predict_node"), "NDArray[Any]"),
    **dict.fromkeys(("predict_p_values", "embed", "class_prior"), "NDArray[Any]"),
    "embed_predict_proba": "tuple[NDArray[Any], NDArray[Any]]",
    "score": "float",
    "get_n_splits": "int",
    "get_metadata_routing": "Any",
    "from_estimator": "Self",
}
# methods that describe what the others of their class take, too
OTHERS = ("fit", "fit_resample", "forward", "take")
ELEMENTS = ("list", "sequence", "iterable", "container", "tuple", "dict", "mapping")
IMPORTS = {
    "Any": "typing",
    "Literal": "typing",
    "Self": "typing",
    "Callable": "collections.abc",
    "Container": "collections.abc",
    "Iterable": "collections.abc",
    "Iterator": "collections.abc",
    "Mapping": "collections.abc",
    "Sequence": "collections.abc",
    "PathLike": "os",
    "Path": "pathlib",
    "ArrayLike": "numpy.typing",
    "NDArray": "numpy.typing",
    "Bunch": "sklearn.utils",
    "Pipeline": "sklearn.pipeline",
    "GridSearchCV": "sklearn.model_selection",
}
MODULES = ("numpy.random", "pandas", "torch.nn", "torch", "matplotlib.axes", "matplotlib.figure", "matplotlib.colors")


def rooms():
    return [importlib.import_module(f"skbst.{name}") for name in sorted(skbst.__all__) if not name.startswith("_")]


# where each public class is imported from
HOMES = {
    name: room.__name__
    for room in rooms()
    for name in room.__all__
    if inspect.isclass(getattr(room, name)) and getattr(room, name).__module__.startswith(room.__name__)
}


class Untyped(Exception):
    """Something public that says no type."""


def type_of(text, *, given):
    """Annotation of a numpydoc type, such as ``{"a", "b"} or None``; `given` for what a caller passes."""
    text = re.sub(r",? ?\bdefault=.*$", "", text).strip()
    text = re.sub(r":class:`~?([\w.]+)`", lambda match: match[1].rpartition(".")[2], text)
    text = _without_details(text)
    found = []
    for part in _alternatives(text):
        if part.strip().startswith("("):  # another shape of the one before
            continue
        annotation = _one(part.strip(), given)
        if annotation not in found:
            found.append(annotation)
    if not found:
        raise Untyped(f"type {text!r}")
    if "Any" in found:
        return "Any"
    return " | ".join([name for name in found if name != "None"] + ["None"] * ("None" in found))


_BRACKETS = r"\((?:[^()]|\([^()]*\))*\)"


def _without_details(text):
    """Cut shapes, ranges and kinds of numbers."""
    text = re.sub(r", or of shape \([^()]*\), \w+", "", text.replace(" instance", ""))
    text = re.sub(r" with (columns|sound ids|an?|``)[^;]*;?", " ", text)
    previous = None
    while previous != text:
        previous = text
        text = re.sub(rf" of (any )?shapes?( of `\w+`| {_BRACKETS}|)( (or|and) {_BRACKETS})*", "", text)
        text = re.sub(r" in [\[(][^\])]*[\])]", "", text)
        text = re.sub(r" of (`?n_\w+`?|two|whole value|at most n|one)( rows?| samples)?", "", text)
    # the kind of numbers follows a comma
    return re.sub(r", (int64|int|float32|float64|bool|str|object|float|same shape)(?=$|,? or None$)", "", text)


def _alternatives(text):
    """Split at commas and "or" outside of brackets and quotes."""
    parts, depth, start = [], 0, 0
    for match in re.finditer(r"[\[({]|[\])}]|,? or (?:an? )?|, |; ", text):
        token = match[0]
        if token in "[({":
            depth += 1
        elif token in "])}":
            depth -= 1
        elif depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
    parts.append(text[start:])
    return [part for part in parts if part.strip()]


def _one(text, given):
    if text.startswith("{"):
        return _literal(ast.literal_eval(f"[{text.strip('{}').replace('np.nan', '0.0')}]"))
    if text.startswith(('"', "'")):
        return _literal([ast.literal_eval(text)])
    if text in ("path", "path to one"):
        return GIVEN["path"] if given else "Path"
    if text.startswith(ANYTHING):
        return "Any"
    name = re.split(r" of | \(| that | as | from | for | with | by | which | what | indexed ", text)[0].strip("`* ")
    inner = re.search(r"^(list|sequence|iterable|tuple) of (\w[\w.-]*)s?$", text)
    if inner and name in ELEMENTS:
        item = _element(inner[2], given)
        return f"tuple[{item}, ...]" if name == "tuple" else f"{PLAIN[name].split('[')[0]}[{item}]"
    if inner := re.search(r"^(dict|mapping) of (\w+) to (\w[\w.-]*)$", text):
        key, value = _element(inner[2], given), _element(inner[3], given)
        return f"dict[{key}, {value}]" if name == "dict" else f"Mapping[{key}, {value}]"
    if given and name in GIVEN:
        return GIVEN[name]
    if name in PLAIN:
        return PLAIN[name]
    if name in HOMES:
        return name
    raise Untyped(f"type {text!r}")


def _element(name, given):
    for word in (name, name.removesuffix("s")):
        if given and word in GIVEN:
            return GIVEN[word]
        if word in PLAIN:
            return PLAIN[word]
        if word in HOMES:
            return word
    return "Any"


def _literal(values):
    plain = [value for value in values if isinstance(value, (str, bool)) or value is None]
    if any(isinstance(value, float) for value in values):
        return "float"
    quoted = ", ".join(f'"{value}"' for value in plain if isinstance(value, str))
    return (f"Literal[{quoted}]" if quoted else "") + (" | None" if None in plain else "")


def signature_of(function, where, *, document=None, method=False, tensors=False, owner=None):
    """``(self, X: ArrayLike, *, k: int = ...) -> Self`` of a function, from its own or another docstring."""
    text = inspect.getdoc(function if document is None else document) or ""
    sections = _sections(text)
    entries = _entries(sections.get("Parameters", "")) | _entries(sections.get("Other Parameters", ""))
    if document is not None and not sections.get("Parameters"):
        entries = _entries(sections.get("Attributes", ""))
    parts, star = [], False
    for number, parameter in enumerate(inspect.signature(function).parameters.values()):
        if number == 0 and method:
            parts.append(parameter.name)
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        star = star or parameter.kind is parameter.VAR_POSITIONAL
        plain = parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if method and plain and parameter.name not in entries and (tensors or parameter.name in COMMON):
            switch = isinstance(parameter.default, bool)
            annotation = ("bool" if switch else "torch.Tensor") if tensors else COMMON[parameter.name]
            none = parameter.default is None and "None" not in annotation
            default = "" if parameter.default is parameter.empty else " = ..."
            parts.append(f"{parameter.name}: {annotation}{' | None' * none}{default}")
            continue
        parts.append(_parameter(parameter, entries, where, owner))
    if function.__name__ == "__init__":
        answer = "None"
    elif method and "Returns" not in sections and (tensors or function.__name__ in PROTOCOL):
        answer = PROTOCOL.get(function.__name__, "Any")
    else:
        answer = _answer(function, sections, where)
    return f"({', '.join(parts)}) -> {answer}"


def _parameter(parameter, entries, where, owner=None):
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    if stars:
        return f"{stars}{parameter.name}: Any"
    head = _head(parameter.name, entries.get(parameter.name), owner)
    if head is None:
        raise Untyped(f"{where}: {parameter.name} has no type")
    try:
        annotation = type_of(head.split(" : ", 1)[1], given=True)
    except (Untyped, ValueError, SyntaxError) as error:
        raise Untyped(f"{where}: {parameter.name}: {error}") from error
    if parameter.default is None and annotation != "Any" and "None" not in annotation.split(" | "):
        annotation += " | None"
    return f"{parameter.name}: {annotation}" + (" = ..." if parameter.default is not parameter.empty else "")


def _head(name, entry, owner, depth=0):
    """Line of a docstring that says the type of a parameter: here, where it refers to, or in another method."""
    head = "" if entry is None else entry.split("\n", 1)[0]
    if " : " in head and " : see " not in head:
        return head
    for reference in re.findall(r"`~?([\w.]+)`", entry or ""):
        source = _find(reference, owner)
        if source is not None and depth < 3:
            found = _head(name, _described(source).get(name), owner, depth + 1)
            if found is not None:
                return found
    for method in (
        [] if owner is None or entry is not None else ("fit", "fit_resample", "forward", "select", "take", "correct")
    ):
        head = _described(getattr(owner, method, None)).get(name, "").split("\n", 1)[0]
        if " : " in head:
            return head
    return None


def _described(item):
    return _entries(_sections(inspect.getdoc(item) or "").get("Parameters", "")) if item is not None else {}


def _find(reference, owner):
    """A method of the same class, or what a room has under this name."""
    name = reference.rpartition(".")[2]
    places = [owner, *rooms()]
    return next((getattr(place, name) for place in places if place is not None and hasattr(place, name)), None)


def _answer(function, sections, where):
    section = sections.get("Returns") or sections.get("Yields")
    if not section:
        if _returns_something(function):
            said = _property(function)  # one line that ends in what is given: "..., a list of str."
            if said != "Any":
                return said
            raise Untyped(f"{where}: what it returns is not described")
        return "None"
    heads = [entry.split("\n", 1)[0] for entry in dict.fromkeys(_entries(section).values())]
    # what depends on an option, as of return_X_y, is one thing or the other
    if any(head.startswith("(") or "Bunch` or tuple" in head for head in heads):
        return "Any"
    found = []
    for head in heads:
        name, colon, kind = head.partition(" : ")
        if name == "self":
            return "Self"
        try:
            annotations = [type_of(kind if colon else head, given=False)]
        except (Untyped, ValueError, SyntaxError) as error:
            if colon:
                raise Untyped(f"{where} returns {error}") from error
            annotations = ["Any"]
        found += annotations * (len(name.split(", ")) if colon or annotations == ["Any"] else 1)
    return found[0] if len(found) == 1 else f"tuple[{', '.join(found)}]"


def _returns_something(function):
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body[0]
    except (OSError, SyntaxError):
        return True
    inner = {
        node
        for nested in ast.walk(tree)
        if isinstance(nested, (ast.FunctionDef, ast.Lambda)) and nested is not tree
        for node in ast.walk(nested)
    }
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return) and node not in inner]
    return any(node.value is not None and not _is_none(node.value) for node in returns)


def _is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


def class_lines(name, cls, problems):
    """Lines of a class: its public bases of other packages, its attributes and methods."""
    where = f"{HOMES[name]}.{name}"
    bases = [base for base in cls.__mro__ if not base.__module__.startswith("skbst") and base is not object]
    bases = [base for base in bases if not any(other is not base and issubclass(other, base) for other in bases)]
    names = [_public_base(base) for base in bases]
    lines = [f"class {name}({', '.join(names)}):" if names else f"class {name}:"]
    members = _members(cls)
    attributes = _entries(_sections(inspect.getdoc(cls) or "").get("Attributes", ""))
    parameters = _described(cls)
    given = list(inspect.signature(cls).parameters) if "__init__" in vars(cls) else []
    for attribute in dict.fromkeys([*given, *attributes]):
        if attribute.isidentifier() and attribute not in members:
            lines.append(f"    {attribute}: {_attribute(attributes.get(attribute), parameters.get(attribute))}")
    if given or "__init__" in vars(cls):
        lines.append(f"    def __init__{signature_of(cls.__init__, where, document=cls, method=True)}: ...")
    for member, raw in members.items():
        try:
            lines += [f"    {line}" for line in _member_lines(member, raw, f"{where}.{member}", cls)]
        except Untyped as error:
            problems.append(str(error))
    return [*lines, *(["    ..."] if len(lines) == 1 else [])], names


def _attribute(learnt, stored):
    """Type of what a fit learns, or of a parameter as it is stored, which may be set to what may be given."""
    head = (learnt or stored or "").split("\n", 1)[0]
    try:
        annotation = type_of(head.split(" : ", 1)[1], given=learnt is None)
    except (Untyped, ValueError, SyntaxError, IndexError):
        return "Any"
    return annotation + " | None" * (
        learnt is None and "default=None" in head and annotation != "Any" and "None" not in annotation
    )


def _members(cls):
    found = {}
    for base in cls.__mro__:
        if base.__module__.startswith("skbst"):
            for name, raw in vars(base).items():
                if not name.startswith("_") or name in (
                    "__len__",
                    "__getitem__",
                    "__iter__",
                    "__contains__",
                    "__call__",
                ):
                    found.setdefault(name, raw)
    return {name: raw for name, raw in sorted(found.items()) if _is_method(raw)}


def _is_method(raw):
    return isinstance(raw, (property, classmethod, staticmethod)) or inspect.isfunction(raw) or hasattr(raw, "fn")


def _member_lines(name, raw, where, owner):
    if isinstance(raw, property):
        return ["@property", f"def {name}(self) -> {_property(raw)}: ..."]
    if name.startswith("__"):
        answer = {"__len__": "int", "__iter__": "Iterator[Any]", "__contains__": "bool"}.get(name, "Any")
        return [f"def {name}(self{'' if name in ('__len__', '__iter__') else ', item: Any'}) -> {answer}: ..."]
    tensors = any(base.__module__.startswith("torch") for base in owner.__mro__)
    function = getattr(raw, "fn", getattr(raw, "__func__", raw))
    kind = type(raw).__name__
    lines = [f"@{kind}"] if kind in ("classmethod", "staticmethod") else []
    text = signature_of(function, where, method=kind != "staticmethod", tensors=tensors, owner=owner)
    return [*lines, f"def {name}{text}: ..."]


def _property(raw):
    """Type of a property: what follows the last ", a" or ", an" of its first line, if that is one."""
    line = (inspect.getdoc(raw) or "").split("\n", 1)[0].rstrip(".")
    for text in (line.rpartition(", ")[2], line):
        try:
            return type_of(re.sub(r"^an? ", "", text), given=False)
        except (Untyped, ValueError, SyntaxError):
            continue
    return "Any"


def _public_base(base):
    parts = base.__module__.split(".")
    private = next((i for i, part in enumerate(parts) if part.startswith("_")), len(parts))
    for module in (".".join(parts[:private]), base.__module__):
        if getattr(importlib.import_module(module), base.__name__, None) is base:
            return f"{module}.{base.__name__}" if module != "builtins" else base.__name__
    raise Untyped(f"base {base}")


def stub_of(room, problems):
    """Text of the stub of a room; what has no types is added to `problems`."""
    body, modules = [], set()
    for name in sorted(room.__all__):
        item = getattr(room, name)
        try:
            if inspect.isclass(item) and HOMES.get(name) == room.__name__:
                lines, bases = class_lines(name, item, problems)
                modules |= {base.rpartition(".")[0] for base in bases if "." in base}
                body.append("\n".join(lines))
            elif inspect.isfunction(item) and item.__module__.startswith((room.__name__, "skbst._")):
                body.append(f"def {name}{signature_of(item, f'{room.__name__}.{name}')}: ...")
            elif inspect.isfunction(item) or inspect.isclass(item):
                home = ".".join(item.__module__.split(".")[:2])
                body.append(f"from {home} import {name} as {name}")
            else:
                body.append(f"{name}: {type(item).__name__ if type(item).__name__ in HOMES else 'Any'}")
        except Untyped as error:
            problems.append(str(error))
    text = "\n".join(body)
    return (
        HEADER
        + _imports(text, room.__name__, modules)
        + "\n"
        + text
        + f"\n\n__all__ = {sorted(room.__all__)!r}\n".replace("'", '"')
    )


def _imports(text, room, modules):
    words = set(re.findall(r"(?<![.\w\"])\w+", text))
    lines = {f"from {module} import {name}" for name, module in IMPORTS.items() if name in words}
    lines |= {f"from {HOMES[name]} import {name}" for name in words & set(HOMES) if HOMES[name] != room}
    lines |= {f"import {module}" for module in modules}
    lines |= {f"import {module}" for module in MODULES if re.search(rf"\b{re.escape(module)}\.\w", text)}
    return "\n".join(sorted(lines, key=lambda line: (not line.startswith("import"), line))) + "\n"


def package_stub():
    names = [name for name in sorted(skbst.__all__) if not name.startswith("_")]
    lines = [f"from skbst import {name} as {name}" for name in names]
    return HEADER + "\n".join(lines) + "\n\n__version__: str\n"


def stubs():
    """Text of every stub by its path; an Untyped that lists all that has no types."""
    problems = []
    made = {PACKAGE / "__init__.pyi": package_stub()}
    made |= {Path(room.__file__).with_suffix(".pyi"): stub_of(room, problems) for room in rooms()}
    if problems:
        raise Untyped(f"{len(problems)} public names have no types:\n" + "\n".join(problems))
    return made


def main():
    made = stubs()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        if stale:
            raise Untyped(f"Run python .ci/stubs.py: {len(stale)} stubs are not as the docstrings say ({stale[0]}).")
        return
    for path in stale:
        path.write_text(made[path], encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except Untyped as error:
        sys.exit(str(error))
