"""How Salesforce says no: to one row, or to a request that it cannot even read."""


class RowError(Exception):
    """One row is refused; in Salesforce's code, words and fields."""

    def __init__(self, code: str, message: str, *fields: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.fields, self.status = code, message, fields, status


class BodyError(Exception):
    """A body that is not well formed: the whole request is refused with 400 and no row is
    touched (resources_composite_sobjects_collections_upsert)."""


def missing(name: str) -> RowError:
    return RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{name}]", name)


def not_found(words: str = "The requested resource does not exist") -> RowError:
    return RowError("NOT_FOUND", words, status=404)


def deleted() -> RowError:
    return RowError("ENTITY_IS_DELETED", "entity is deleted", status=404)


def no_reference(*fields: str) -> RowError:
    return RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", *fields)
