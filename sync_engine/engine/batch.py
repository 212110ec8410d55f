"""The links that a batch of changes of one source touches, before and after."""

from dataclasses import dataclass, field

from sync_engine.store import LinkRow


@dataclass(slots=True)
class Batch:
    """By record, and what became of them."""

    layout: int  #: of what the source shows now
    links: dict[str, LinkRow]
    fresh: list[LinkRow] = field(default_factory=list)
    changed: dict[int, LinkRow] = field(default_factory=dict)
    dirty: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)  #: links whose state changed
    rekeyed: dict[int, LinkRow] = field(default_factory=dict)  #: whose keys may have changed
    owners: dict[str, int] = field(default_factory=dict)  #: record -> whose it is by our key
    #: (source, record) -> the link of what a lead was converted into
    targets: dict[tuple[int, str], LinkRow] = field(default_factory=dict)
    #: (field, native choice) that no value map knows
    strange: set[tuple[str, str]] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)  #: fields that hold no value of theirs
    #: link -> fields that may be stored otherwise than we wrote them -> whether nobody else did it
    doubted: dict[int, dict[str, bool]] = field(default_factory=dict)
    customers: set[int] = field(default_factory=set)  #: entities that are customers
    _fresh: set[int] = field(default_factory=set)

    def add(self, link: LinkRow, *, first: bool = False) -> None:
        """A link that is to be inserted; ``first`` before those that point to it."""
        self.fresh.insert(0 if first else len(self.fresh), link)
        self._fresh.add(link.id)

    def rekey(self, link: LinkRow) -> None:
        """Its keys may have changed."""
        if link.id not in self._fresh:
            self.rekeyed[link.id] = link

    def touch(self, link: LinkRow) -> None:
        if link.id not in self._fresh:
            self.changed[link.id] = link
        if link.entity_id is not None:
            self.dirty.add(link.entity_id)
