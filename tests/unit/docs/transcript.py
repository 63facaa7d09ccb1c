"""Whether what commands printed is what a page promises of them."""

import re

ELLIPSIS = "…"
_NAME = re.compile(r"<([a-z]+)>")


def matches(promised: str, printed: str) -> bool:
    """Compares line by line; runs of blanks count as one, and blank lines don't count.

    In a promise, `…` stands for any text within a line, and alone on a line for any number of lines. `<word>` stands
    for any text without blanks, the same wherever the word occurs.
    """
    lines = [" ".join(line.split()) for line in printed.splitlines() if line.strip()]
    seen: set[str] = set()
    pattern = "".join(_line(" ".join(line.split()), seen) for line in promised.splitlines() if line.strip())
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def _line(promise: str, seen: set[str]) -> str:
    if promise == ELLIPSIS:
        return r"(?:[^\n]*\n)*?"
    parts = []
    for number, part in enumerate(_NAME.split(promise)):
        if number % 2 == 0:
            parts.append(r"[^\n]*?".join(re.escape(text) for text in part.split(ELLIPSIS)))
        elif part in seen:
            parts.append(f"(?P={part})")
        else:
            seen.add(part)
            parts.append(rf"(?P<{part}>[^\s]+)")
    return "".join(parts) + r"\n"
