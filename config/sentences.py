"""pydantic's findings as sentences that say what would be valid, each at its line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from config.faults import Fault, suggestion
from config.tree import Location, Tree

#: pydantic's name of an error, or how it begins -> what is said of it
_SENTENCES = {
    "string_type": "must be text",
    "int_": "must be a whole number",
    "float_": "must be a number",
    "bool_": "must be true or false",
    "dict_type": "must be keys with values, indented below",
    "model_": "must be keys with values, indented below",
    "list_type": "must be a list, such as [a, b]",
    "path_type": "must be a path",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "too_short": "needs at least {min_length} entries",
    "too_long": "may have at most {max_length} entries",
    "value_error": "{error}",
}


def model_faults(
    tree: Tree, where: Location, error: ValidationError, model: type[BaseModel]
) -> list[Fault]:
    """The faults of a model that stands at ``where`` in the file."""
    found = []
    for each in error.errors(include_url=False):
        location = (*where, *each["loc"])
        what, remedy = sentence(each, model)
        written = _written(tree, location)
        if each["type"] == "extra_forbidden":
            written = written[:-1]
        named = ".".join(str(part) for part in written)
        found.append(tree.fault(location, f"{named}: {what}" if named else what, remedy))
    return list(dict.fromkeys(found))


def sentence(each: Mapping[str, Any], model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong, and what would be valid, from one of pydantic's error dictionaries."""
    kind, location, context = each["type"], each["loc"], each.get("ctx", {})
    if kind == "missing":
        return f"{location[-1]} is missing", ""
    if kind == "extra_forbidden":
        known = _keys(_places(model, location[:-1]))
        return f"unknown key {location[-1]}", suggestion(str(location[-1]), known)
    if each["input"] is None:
        return "has no value", "give one, or leave the key out"
    if kind in ("literal_error", "enum"):
        choices = str(context["expected"]).replace("'", "")
        near = get_close_matches(str(each["input"]), choices.replace(" or ", ", ").split(", "), 1)
        return f"must be {choices}", f"did you mean {near[0]}?" if near else ""
    if kind == "string_pattern_mismatch":
        return _like(_places(model, location), context["pattern"]), ""
    if "min_length" in context and isinstance(each["input"], str | SecretStr):
        least = context["min_length"]
        return "must not be empty" if least == 1 else f"must have at least {least} characters", ""
    for begins, words in _SENTENCES.items():
        if kind.startswith(begins):
            return words.format(**context), _remedy(each, model)
    return str(each["msg"]).replace("Input should", "must", 1), ""


def _remedy(each: Mapping[str, Any], model: type[BaseModel]) -> str:
    if each["type"] == "string_type" and isinstance(each["input"], int | float):
        return "put it in quotes"
    if each["type"].startswith("model_"):
        return f"its keys are: {', '.join(_keys(_places(model, each['loc'])))}"
    return ""


def _like(places: Sequence[Any], pattern: str) -> str:
    """What a text must look like; an example of the model's says it better than a pattern."""
    examples = [
        one for place in places if isinstance(place, FieldInfo) for one in place.examples or ()
    ]
    return f"must look like {examples[0]}" if examples else f"must fit the pattern {pattern}"


def _written(tree: Tree, location: Location) -> list[str | int]:
    """The parts of a location that are in the file, not pydantic's names of union members."""
    present: list[str | int] = []
    node: Any = tree.values
    for part in location:
        inside = isinstance(node, dict) and part in node
        listed = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if inside or listed:
            present.append(part)
            node = node[part]
    return present


def _places(model: type[BaseModel], location: Location) -> Sequence[Any]:
    """The annotations, or fields, that a location of pydantic's may mean."""
    here: Sequence[Any] = [model]
    for part in location:
        here = [below for one in here for below in _below(one, part)] or here
    return here


def _below(place: Any, part: str | int) -> Iterator[Any]:
    for one in _alternatives(place):
        origin, arguments = get_origin(one), get_args(one)
        if origin is dict:
            yield arguments[1]
        elif origin is list and isinstance(part, int):
            yield arguments[0]
        elif _is_model(one) and part in one.model_fields:
            yield one.model_fields[part]


def _alternatives(place: Any) -> Iterator[Any]:
    """What a field or annotation may hold, without unions and metadata."""
    if isinstance(place, FieldInfo):
        yield from _alternatives(place.annotation)
    elif get_origin(place) is Annotated:
        yield from _alternatives(get_args(place)[0])
    elif get_origin(place) in (Union, UnionType):
        for one in get_args(place):
            yield from _alternatives(one)
    else:
        yield place


def _keys(places: Iterable[Any]) -> list[str]:
    return sorted(
        key
        for place in places
        for one in _alternatives(place)
        if _is_model(one)
        for key in one.model_fields
    )


def _is_model(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)
