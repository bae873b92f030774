"""Medians and spread of repetitions, and figures as people read them."""
import statistics

PREFIXES = [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")]


def median(values):
    return statistics.median(values) if values else None


def three_digits(value):
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _seconds(value):
    if value < 0:
        return "-" + _seconds(-value)
    for scale, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= scale:
            return f"{three_digits(value / scale)} {name}"
    return f"{three_digits(value * 1e9)} ns"


def _scaled(value, unit):
    gap = "" if unit == "B/s" or unit == "B" else " "
    for scale, prefix in PREFIXES:
        if abs(value) >= scale:
            return f"{three_digits(value / scale)} {prefix}{gap if prefix else ''}{unit}"
    return f"{three_digits(value)} {unit}"


def human(value, unit):
    """One figure with its unit: records/s, B/s, s, B, KiB, ratio, share (of a core), count."""
    if value is None:
        return "-"
    if unit == "s":
        return _seconds(value)
    if unit == "KiB":
        return f"{three_digits(value / 1024)} KiB"
    if unit == "MB":
        return f"{three_digits(value / 1e6)} MB"
    if unit == "ratio":
        return f"{value:.2f}"
    if unit == "share":
        return f"{value * 100:.2f} %"
    if unit == "count":
        return f"{value:,.0f}"
    return _scaled(value, unit)


def human_range(low, high, unit, beside):
    """Two figures in brackets, without their unit where it is that of the figure `beside` them."""
    texts = [human(value, unit) for value in (low, high)]
    if texts[0] == texts[1] == human(beside, unit):
        return ""
    tail = human(beside, unit).lstrip("-0123456789.,")
    if tail and all(text.lstrip("-0123456789.,") == tail for text in texts):
        texts = [text.removesuffix(tail) for text in texts]
    return f"({texts[0]} to {texts[1]})"
