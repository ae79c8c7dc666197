"""Marking of texts that are translated later."""


def N_(text: str) -> str:  # noqa: N802 -- the gettext convention for "mark, translate later"
    """Mark a text for extraction without translating it now.

    Args:
        text: the English source text.

    Returns:
        The same text; whoever shows it passes it through gettext.
    """
    return text
