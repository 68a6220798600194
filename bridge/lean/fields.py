"""The fields of a JSON object in Lean's answer."""

from __future__ import annotations

from bridge.errors import AnswerError

__all__ = ["Fields"]


class Fields:
    """Strict access to one JSON object: every field is taken exactly once.

    Every method raises `AnswerError`, which names the field, where it is not as expected.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise AnswerError(f"{where}: expected an object but got {value!r:.200}")
        self._fields = dict(value)
        self._where = where

    def take(self, name: str) -> object:
        """The field as it is."""
        try:
            return self._fields.pop(name)
        except KeyError:
            raise AnswerError(f"{self._where}: the field {name!r} is missing") from None

    def _typed(self, name: str, kind: type, what: str) -> object:
        value = self.take(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise AnswerError(f"{self._where}: expected {what} but got {name}={value!r:.200}")
        return value

    def text(self, name: str) -> str:
        """A field that is text."""
        value = self._typed(name, str, "text")
        assert isinstance(value, str)
        return value

    def optional_text(self, name: str) -> str | None:
        """A field that is text or null."""
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            raise AnswerError(f"{self._where}: expected text or null but got {name}={value!r:.200}")
        return value

    def integer(self, name: str) -> int:
        """A field that is an integer."""
        value = self._typed(name, int, "an integer")
        assert isinstance(value, int)
        return value

    def boolean(self, name: str) -> bool:
        """A field that is true or false."""
        value = self._typed(name, bool, "true or false")
        assert isinstance(value, bool)
        return value

    def array(self, name: str) -> list[object]:
        """A field that is an array."""
        value = self._typed(name, list, "an array")
        assert isinstance(value, list)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that is an array of texts."""
        items = self.array(name)
        for item in items:
            if not isinstance(item, str):
                raise AnswerError(
                    f"{self._where}: expected only text in {name} but got {item!r:.200}"
                )
        return tuple(str(item) for item in items)

    def reader(self, name: str) -> Fields:
        """A field that is an object."""
        return Fields(self.take(name), f"{self._where}.{name}")

    def has(self, name: str) -> bool:
        """Whether a field is left."""
        return name in self._fields

    def finish(self) -> None:
        """Refuse fields that were not taken."""
        if self._fields:
            unknown = ", ".join(sorted(map(repr, self._fields)))
            raise AnswerError(
                f"{self._where}: unknown fields {unknown}",
                remedy="the Lean library `Obligations` and this bridge are of different versions; "
                "use one checkout for both",
            )
