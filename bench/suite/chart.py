"""Line and bar charts as SVG text, without a library. Axes are linear or logarithmic; every mark stays inside the frame."""
import math
from xml.sax.saxutils import escape

from .stats import human

COLOURS = ["#0b6e99", "#d1602d", "#3d8b40", "#8a4fae", "#b08900", "#5b6470", "#c2335c", "#2f8f86"]
INK, GRID, FRAME = "#22272e", "#e4e7eb", "#9aa3ad"
FONT = "font-family=\"Helvetica, Arial, sans-serif\""


def short(value):
    """A tick's text: 200, 5 k, 1.5 M."""
    for scale, prefix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= scale:
            return f"{value / scale:g}{prefix}"
    return f"{value:g}"


def short_seconds(value):
    for scale, name in ((1, " s"), (1e-3, " ms"), (1e-6, " µs")):
        if value >= scale * 0.9999:
            return f"{value / scale:g}{name}"
    return f"{value * 1e9:g} ns"


class Axis:
    """Maps values to pixels between two positions and says where its ticks are."""

    def __init__(self, values, low_pixel, high_pixel, is_log, name=short, from_zero=True):
        self.low_pixel, self.high_pixel, self.is_log, self.name = low_pixel, high_pixel, is_log, name
        if is_log:
            values = [value for value in values if value > 0] or [1]
            self.low, self.high = min(values) / 1.25, max(values) * 1.25
        else:
            self.low, self.high = (0 if from_zero else min(values, default=0)), max(values, default=1) * 1.15 or 1

    def at(self, value):
        if self.is_log:
            value = max(value, self.low)
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.low_pixel + min(max(share, 0), 1) * (self.high_pixel - self.low_pixel)

    def ticks(self):
        if not self.is_log:
            step = 10 ** math.floor(math.log10(self.high / 4))
            step *= next(factor for factor in (1, 2, 5, 10) if self.high / (step * factor) <= 6)
            return [step * i for i in range(int(self.high / step) + 1)]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        factors = (1,) if self.high / self.low > 5000 else (1, 2, 5)
        return [tick for decade in decades for factor in factors
                if self.low <= (tick := factor * 10.0 ** decade) <= self.high]


def text(x, y, words, size=13, anchor="middle", colour=INK, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" {more}>{escape(words)}</text>'


def picture(width, height, title, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" {FONT} '
        f'role="img" aria-label="{escape(title, {chr(34): ""})}">',
        f'<rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>',
        text(24, 32, title, 17, "start", more='font-weight="600"'), *parts, "</svg>"]) + "\n"


def frame(x_axis, y_axis, x_title, y_title):
    left, right, bottom, top = x_axis.low_pixel, x_axis.high_pixel, y_axis.low_pixel, y_axis.high_pixel
    parts = []
    for tick in y_axis.ticks():
        y = y_axis.at(tick)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(text(left - 8, y + 4, y_axis.name(tick), 12, "end"))
    for tick in x_axis.ticks():
        x = x_axis.at(tick)
        parts.append(f'<line x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{top}" stroke="{GRID}"/>')
        parts.append(text(x, bottom + 19, x_axis.name(tick), 12))
    parts.append(f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" fill="none" stroke="{FRAME}"/>')
    parts.append(text((left + right) / 2, bottom + 42, x_title))
    middle = (top + bottom) / 2
    parts.append(text(22, middle, y_title, more=f'transform="rotate(-90 22 {middle:.1f})"'))
    return parts


def lines(title, series, x_title, y_title, x_log=True, y_log=True, y_name=short, notes=(), levels=()):
    """`series`: dicts with name, points [(x, y)], and optional dashed, marker (points only), labels (one a point).
    `levels`: (y, name) of lines across. A legend stands at the right."""
    width, height, left, right, top, bottom = 880, 460, 84, 640, 56, 400
    every = [point for one in series for point in one["points"]]
    x_axis = Axis([x for x, _ in every], left, right, x_log)
    y_axis = Axis([y for _, y in every] + [y for y, _ in levels], bottom, top, y_log, y_name)
    parts = frame(x_axis, y_axis, x_title, y_title)
    for value, name in levels:
        y = y_axis.at(value)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#c2335c" stroke-dasharray="2 4"/>')
        parts.append(text(left + 6, y - 5, name, 11, "start", "#c2335c"))
    for number, one in enumerate(series):
        colour = one.get("colour") or COLOURS[number % len(COLOURS)]
        places = [(x_axis.at(x), y_axis.at(y)) for x, y in sorted(one["points"])]
        dash = ' stroke-dasharray="6 4"' if one.get("dashed") else ""
        if len(places) > 1 and not one.get("marker"):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2"{dash}/>')
        for x, y in places:
            parts.append(mark(x, y, colour, one.get("marker")))
        for (x, y), label in zip(places, one.get("labels", ())):
            parts.append(text(x, y - 11, label, 11, colour=colour))
        y = top + 12 + 24 * number
        if not one.get("marker"):
            parts.append(f'<line x1="{right + 18}" y1="{y}" x2="{right + 44}" y2="{y}" stroke="{colour}" stroke-width="2.2"{dash}/>')
        parts.append(mark(right + 31, y, colour, one.get("marker")))
        parts.append(text(right + 52, y + 4, one["name"], 13, "start"))
    for number, note in enumerate(notes):
        parts.append(text(right + 18, bottom - 16 * (len(notes) - 1 - number), note, 11, "start", "#5b6470"))
    return picture(width, height, title, parts)


def mark(x, y, colour, shape):
    if shape == "diamond":
        return f'<path d="M{x:.1f} {y - 6:.1f} l6 6 l-6 6 l-6 -6 z" fill="{colour}" stroke="#ffffff"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{colour}" stroke="#ffffff"/>'


def bars(title, panels, note):
    """`panels`: (name, unit, [(label, value, colour)]); horizontal bars, linear, one panel below another in two columns."""
    columns, width, bar, gap = 2, 980, 17, 9
    rows = [panels[i:i + columns] for i in range(0, len(panels), columns)]
    y, parts = 62, []
    for row in rows:
        for column, (name, unit, values) in enumerate(row):
            left = 24 + column * (width / columns - 6)
            start, room = left + 128, width / columns - 128 - 122
            most = max((value for _, value, _ in values), default=1)
            parts.append(text(left, y, f"{name}", 14, "start", more='font-weight="600"'))
            for number, (label, value, colour) in enumerate(values):
                at = y + 14 + number * (bar + gap)
                length = max(room * value / most, 1.5)
                parts.append(text(start - 8, at + 13, label, 12, "end"))
                parts.append(f'<rect x="{start:.1f}" y="{at}" width="{length:.1f}" height="{bar}" rx="2" fill="{colour}"/>')
                parts.append(text(start + length + 6, at + 13, human(value, unit), 12, "start"))
        y += 44 + max(len(values) for _, _, values in row) * (bar + gap)
    parts.append(text(24, y - 4, note, 12, "start", "#5b6470"))
    return picture(width, y + 16, title, parts)
