class EmbeddedError(RuntimeError):
    """The private database cannot be had, and why, in words for the person at the terminal."""
