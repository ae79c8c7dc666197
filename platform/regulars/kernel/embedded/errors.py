"""What can go wrong with embedded servers; each text is a sentence that says what to do."""


class EmbeddedError(Exception):
    """A server cannot be started or stopped."""


class FolderInUseError(EmbeddedError):
    """Another living process uses the data folder."""
