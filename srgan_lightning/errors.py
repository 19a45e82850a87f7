"""The one kind of error that is the user's to mend."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in a command, a config or an input file.

    The message is one line that says what is wrong, where, and what to do. The command line
    prints it without a traceback and ends with exit status 2.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known names come nearest to a misspelt one.

    >>> nearest("srresnt", ["srresnet", "rdn"])
    'did you mean srresnet? Known: rdn, srresnet'
    >>> nearest("zzz", ["srresnet", "rdn"])
    'known: rdn, srresnet'
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    listing = ", ".join(names)
    if close:
        return f"did you mean {' or '.join(close)}? Known: {listing}"
    return f"known: {listing}"
