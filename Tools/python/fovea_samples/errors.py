"""What is raised about a file."""


class SampleSetError(ValueError):
    """A sample set is not what it should be, or has no such value: one sentence with file, field, expected and
    found."""


def mismatch(path, field, expected, found):
    """The error that `field` of the file at `path` holds `found` where `expected` was needed."""
    return SampleSetError(f"{path}: {field}: expected {expected}, found {found}")


def listed(items, most=10):
    """`items` in words; what goes beyond `most` is counted."""
    items = list(items)
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(str(item) for item in items[:most]) + more
