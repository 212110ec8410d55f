"""What a connector's author tells the contract suite about the system under test."""

from abc import ABC, abstractmethod
from typing import ClassVar

from connectors.protocol import Action, Connector, Selection, Values


class Bench(ABC):
    """One empty system: a connector to it, and hands of its people.

    Pages must hold three records at most, so that a listing of seven has several.
    """

    connector: Connector
    #: of leads, with ``text``, ``name`` and ``search`` among its fields
    selection: Selection
    text: ClassVar[str]  #: a field that ``values`` leaves empty and any short text fits
    name: ClassVar[str]  #: a field that ``values`` gives
    search: ClassVar[str]  #: a field that ``fetch`` can look up, of one value per record
    refused: ClassVar[Values]  #: one field with a value that the system does not take
    many: ClassVar[tuple[str, str, str] | None] = None  #: a set field and two values for it
    #: what makes a lead a customer in place by ``Action.CONVERT``; None where it does not
    conversion: ClassVar[Values | None] = None
    #: the object that a lead becomes by ``Action.CONVERT``; None where the system cannot
    becomes: ClassVar[str | None] = None
    #: what its people can do beside create, edit and delete: merge, undelete, convert, hide
    #: (records become visible late); and whether cursors ``expire``
    can: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def values(self, number: int) -> Values:
        """What record ``number`` is created with, in the connector's terms."""

    @abstractmethod
    def create(self, number: int) -> str:
        """A person creates record ``number``; gives its id."""

    @abstractmethod
    def edit(self, id: str, text: str) -> None:
        """A person gives the field ``text`` a value."""

    @abstractmethod
    def delete(self, id: str) -> None: ...

    @abstractmethod
    def later(self) -> None:
        """Time passes: what happens from now on has a later stamp."""

    @abstractmethod
    def lose_answer(self, action: Action = Action.CREATE) -> None:
        """The next write of that sort is carried out, but its answer is lost."""

    @abstractmethod
    def calls(self) -> int:
        """How often the system was called."""

    @abstractmethod
    def written(self) -> int:
        """Writes that connectors have made."""

    # What only some systems do: called where ``can`` names it, so a bench that names
    # what it does not bring fails loudly.

    def merge(self, survivor: str, loser: str) -> None:
        raise _lacking("merge")

    def undelete(self, id: str) -> None:
        raise _lacking("undelete")

    def convert(self, id: str) -> None:
        raise _lacking("convert")

    def hide(self) -> None:
        """What is changed from now on is not visible before ``show``."""
        raise _lacking("hide")

    def show(self) -> None:
        raise _lacking("show")

    def expire(self) -> None:
        """Every cursor that was given is too old now."""
        raise _lacking("expire")


def _lacking(ability: str) -> NotImplementedError:
    return NotImplementedError(f"the bench names {ability} in ``can`` and does not bring it")
