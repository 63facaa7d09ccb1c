"""Late time: of pods that come to light only after their shard was given up. It stands beside a reading's total."""

from isthmus.api.dispatch import Reading

from .meters import Meters


def joined(reading: Reading | None) -> Reading | None:
    """The reading with its late time in its total: all that the shard's pods used, as they are counted."""
    if reading is None or not reading.late:
        return reading
    total = Meters.from_quantities(reading.total) + Meters.from_quantities(reading.late)
    return reading.model_copy(update={"total": total.quantities(), "late": []})


def apart(previous: Reading | None, reading: Reading, late: Meters | None) -> Reading:
    """The joined `reading` that follows `previous`, with late time taken out of its total again.

    Of what it has more than `previous`, at most `late` joins the late time (None: all of it). Total and late time
    together are always all that the pods used, and neither ever falls.
    """
    told = Meters.from_quantities(previous.total) if previous is not None else Meters()
    before = Meters.from_quantities(previous.late) if previous is not None else Meters()
    used = Meters.from_quantities(reading.total)
    more = {meter: max(used[meter] - told[meter] - before[meter], 0) for meter in used}
    fresh = Meters(more if late is None else {meter: min(value, late[meter]) for meter, value in more.items()})
    # Where models are told together for want of room, a meter may have become another.
    apart = Meters({meter: min((before + fresh)[meter], used[meter]) for meter in used})
    return reading.model_copy(update={"total": (used - apart).quantities(), "late": apart.quantities()})
