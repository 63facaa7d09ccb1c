"""Where pods may go that nobody has bound yet: what of their machines is there whatever the scheduler does."""

from collections.abc import Sequence


def shares(blocks: Sequence[tuple[int, int]], width: int) -> list[list[tuple[int, int]]]:
    """Spread `width` pods over machines, always onto one with the most room left.

    `blocks` are (pods that fit, machines); `width` is at most what fits altogether. Returns for each block its
    (pods, machines) pairs. A member's scheduler is free to spread a job's pods, and this leaves the smallest largest
    block that any spreading could leave: what the hub then counts on is there.
    """
    low, high = 0, max((fits for fits, _ in blocks), default=0)
    while low < high:  # the highest level to which all machines are lowered that makes room for `width`
        level = (low + high + 1) // 2
        if sum((fits - level) * count for fits, count in blocks if fits > level) >= width:
            low = level
        else:
            high = level - 1
    surplus = sum((fits - low) * count for fits, count in blocks if fits > low) - width
    taken: list[list[tuple[int, int]]] = []
    for fits, count in blocks:
        if fits <= low:
            taken.append([])
            continue
        spared = min(count, surplus)
        surplus -= spared
        taken.append([(n, c) for n, c in ((fits - low - 1, spared), (fits - low, count - spared)) if n and c])
    return taken
