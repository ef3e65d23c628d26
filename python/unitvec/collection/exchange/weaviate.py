"""Weaviate's batch objects: class, id (a UUID), properties, vector, vectors (those with names).

Sources: https://docs.weaviate.io/weaviate/api/rest (objects of a batch), the rules for names in
the server's entities/schema/validation.go, and the checks of its Python client.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from unitvec.collection.exchange.layouts import (
    Column,
    Layout,
    Options,
    UnfitError,
    joined_vectors,
    own_and_named,
)
from unitvec.collection.exchange.pinecone import exact_number
from unitvec.collection.results import Record

#: The property that keeps an id which is no UUID.
ID_PROPERTY = "unitvec_id"

_CLASS = re.compile(r"[A-Z][_0-9A-Za-z]{0,254}")
_PROPERTY = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,230}")
#: "vector" is refused by the Python client alone, at every level; the others by the server.
_RESERVED = {"id", "_id", "_additional", "vector"}


class WeaviateLayout(Layout):
    """One object a line, as `POST /v1/batch/objects` takes them in its list."""

    NAME = "weaviate"
    FORMATS = ("jsonl",)
    COLUMNS = (
        Column("class", "text"),
        Column("id", "text"),
        Column("properties", "json"),
        Column("vector", "vector"),
        Column("vectors", "vectors"),
        # What Weaviate itself gives out beside these: its own bookkeeping.
        Column("creationTimeUnix", "json"),
        Column("lastUpdateTimeUnix", "json"),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._class = None if options.name is None else require_class(options.name)

    def to_row(self, record: Record) -> dict[str, Any]:
        """The object; the text is a property, and so is an id that is no UUID."""
        self._require_free(record, ID_PROPERTY, "rename the key")
        properties = self._with_text(record)
        identity = object_id(record.id)
        if identity != record.id:
            properties[ID_PROPERTY] = record.id
        vector, vectors = own_and_named(record)
        for name in vectors or ():
            if not _PROPERTY.fullmatch(name):
                raise ValueError(
                    f"[export] expected vectors whose names are GraphQL names for Weaviate, got "
                    f"{name!r}"
                )
        return {
            "class": self._class,
            "id": identity,
            "properties": properties,
            "vector": vector,
            "vectors": vectors or None,
        }

    def from_row(self, row: dict[str, Any]) -> Record | None:
        """The document; objects of other collections than the chosen one are passed over."""
        if not self._is_chosen(row.get("class")):
            self.skipped += 1
            return None
        properties = row.get("properties")
        identity, text, metadata = row.get("id"), None, properties
        if isinstance(properties, dict):
            text, metadata = self._without_text(properties)
            if isinstance(metadata.get(ID_PROPERTY), str):
                identity = metadata[ID_PROPERTY]
                metadata = {k: v for k, v in metadata.items() if k != ID_PROPERTY}
        # Where there is one vector, Weaviate gives the other field out empty.
        vector = joined_vectors(row.get("vector") or None, row.get("vectors") or None)
        return Record(identity, text, {} if metadata is None else metadata, vector)  # type: ignore[arg-type]

    def _is_chosen(self, name: Any) -> bool:
        """Whether objects of this collection are wanted: the chosen one, or the only one."""
        if self._options.name is not None:
            return bool(name == self._class)
        if self._class is None:
            self._class = name
        if name != self._class:
            raise ValueError(
                f"expected objects of one collection, got {self._class!r} and {name!r}; name= "
                "chooses one"
            )
        return True

    def _key_problem(self, key: str) -> str | None:
        if key in _RESERVED:
            return "a reserved name"
        return None if _PROPERTY.fullmatch(key) else "a key that is no GraphQL name"

    def _fit_value(self, value: Any) -> Any:
        if value is None:
            raise UnfitError("null")  # its type cannot be told, and would be fixed for all objects
        if isinstance(value, list):
            return _fit_list(value)
        if isinstance(value, dict):
            return _fit_object(value)
        return exact_number(value)


def _fit_object(value: dict[str, Any]) -> dict[str, Any]:
    if not value:
        raise UnfitError("an object without keys")
    fitted: dict[str, Any] = {}
    for key, item in value.items():
        if key == "vector" or not _PROPERTY.fullmatch(key):
            raise UnfitError("an object with a key that is no property's name")
        if item is None:
            raise UnfitError("null in an object")
        if isinstance(item, list):
            fitted[key] = _fit_list(item)
        else:
            fitted[key] = _fit_object(item) if isinstance(item, dict) else exact_number(item)
    return fitted


def _fit_list(value: list[Any]) -> list[Any]:
    """A list of one type; integers among other numbers become floats, as all do in Weaviate."""
    kinds = {type(item) for item in value}
    if kinds == {int, float}:
        return [float(exact_number(item)) for item in value]
    if len(kinds) > 1 or kinds & {list, type(None)}:
        raise UnfitError("a list of several types, of lists or of nulls")
    if kinds == {dict}:
        return [_fit_object(item) for item in value]
    return [exact_number(item) for item in value]


def object_id(identity: str) -> str:
    """The id of an object: the document's where it is a UUID as Weaviate writes them.

    Any other id gives the UUID that `weaviate.util.generate_uuid5(id)` gives, so that who knows
    the id finds the object.
    """
    try:
        if str(uuid.UUID(identity)) == identity:
            return identity
    except ValueError:
        pass
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, identity))


def require_class(name: str) -> str:
    """The name of a collection, its first letter a capital as Weaviate itself makes it.

    Raises:
        ValueError: it is none.
    """
    capitalised = name[:1].upper() + name[1:]
    if not _CLASS.fullmatch(capitalised):
        raise ValueError(
            "[name] expected a collection's name of letters, digits and _, at most 255, a letter "
            f"first, got {name!r}"
        )
    return capitalised


def class_of(stem: str) -> str:
    """A collection's name made from that of a folder: "my notes" gives "MyNotes"."""
    words = re.findall(r"[0-9A-Za-z]+", stem)
    name = "".join(word[:1].upper() + word[1:] for word in words)[:255]
    return name if _CLASS.fullmatch(name) else f"Documents{name}"[:255]
