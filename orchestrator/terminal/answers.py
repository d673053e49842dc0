"""What a terminal answers by itself to a program that asks, told from what somebody types.

Every terminal that shows a session answers; a program that asked once expects one answer.
Sequences as in XTerm Control Sequences (Dickey).
"""

import re

_ANSWER = re.compile(
    rb"\x1b\[[?>=][0-9;]*c"  # attributes
    rb"|\x1b\[\??[0-9]+(?:;[0-9]+)+R"  # where the cursor is; Shift+F3 looks like its first line
    rb"|\x1b\[\??[0-9;]*n"  # status
    rb"|\x1b\[\??[0-9;]*\$y"  # a mode
    rb"|\x1b\[[0-9;]+[tx]"  # the window, parameters
    rb"|\x1b\[\?[0-9]*u"  # keyboard
    rb"|\x1b\][0-9]+;[^\x07\x18\x1a\x1b]*(?:\x07|\x1b\\)"  # colours, clipboard
    rb"|\x1bP[^\x07\x18\x1a\x1b]*\x1b\\"  # settings, terminfo, version
)


def without_answers(typed: bytes) -> bytes:
    """Return what is left of input without answers; they come whole, as terminals send them."""
    return _ANSWER.sub(b"", typed)
