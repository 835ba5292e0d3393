"""A drawing as plain data, and what it becomes: SVG text for a page, PNG for a slide or a letter.

The same shapes go both ways, so that page and picture cannot differ.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Literal, TypeAlias

from controller.core.text import Language

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_SHARPNESS = 2
"""Pixels of the picture for a unit of the drawing."""
_OVERSAMPLING = 2
"""Lines are drawn finer and then blended: Pillow draws them without soft edges."""
_FONTS = ("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc", "msyh.ttc")
"""Fonts with Chinese, as the systems' packages call their files; Pillow looks where the system keeps its fonts."""

Anchor: TypeAlias = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0

    def moved(self, right: float, down: float) -> Line:
        return replace(self, points=tuple((x + right, y + down) for x, y in self.points))


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    colour: str

    def moved(self, right: float, down: float) -> Box:
        return replace(self, x=self.x + right, y=self.y + down)


@dataclass(frozen=True, slots=True)
class Dot:
    """told: what a page shows of it where somebody points at it."""

    x: float
    y: float
    radius: float
    colour: str
    told: str = ""

    def moved(self, right: float, down: float) -> Dot:
        return replace(self, x=self.x + right, y=self.y + down)


@dataclass(frozen=True, slots=True)
class Words:
    """x, y: where the anchor lies on the base line."""

    x: float
    y: float
    text: str
    size: float = 12.0
    anchor: Anchor = "start"
    colour: str = "#222222"

    def moved(self, right: float, down: float) -> Words:
        return replace(self, x=self.x + right, y=self.y + down)


Shape: TypeAlias = Line | Box | Dot | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """From the upper left corner; later shapes lie on earlier ones."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


def stacked(drawings: Sequence[Drawing]) -> Drawing:
    """One below the other."""
    shapes: list[Shape] = []
    height = 0.0
    for each in drawings:
        shapes += [shape.moved(0.0, height) for shape in each.shapes]
        height += each.height
    return Drawing(max(each.width for each in drawings), height, tuple(shapes))


# --- SVG --------------------------------------------------------------------------------------------------------------


def as_svg(drawing: Drawing, title: str) -> str:
    """An element for a page; it needs nothing else."""
    size = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}" width="{drawing.width:g}" height="{drawing.height:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">'
    return "\n".join([head, *map(_element, drawing.shapes), "</svg>"])


def _element(shape: Shape) -> str:
    match shape:
        case Line(points, colour, width):
            places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'
        case Box(x, y, width, height, colour):
            return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
        case Dot(x, y, radius, colour, told):
            place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"'
            return f'<circle {place} fill="{colour}"><title>{escape(told)}</title></circle>'
        case Words(x, y, text, size, anchor, colour):
            place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{colour}"'
            return f'<text {place} font-family="sans-serif">{escape(text)}</text>'


# --- PNG --------------------------------------------------------------------------------------------------------------


def language_of_pictures(chosen: Language) -> Language:
    """Chinese needs a font of the system; where there is none, a picture is in English."""
    return "en" if chosen == "zh" and _chinese_font(10.0) is None else chosen


def as_png(drawing: Drawing, chosen: Language) -> bytes:
    """chosen: language of its words, as `language_of_pictures` has found."""
    from PIL import Image, ImageDraw  # takes a while, and few commands draw

    scale = _SHARPNESS * _OVERSAMPLING
    image = Image.new("RGB", (round(drawing.width * scale), round(drawing.height * scale)), "white")
    canvas = ImageDraw.Draw(image)
    for shape in drawing.shapes:
        _draw(canvas, shape, scale, chosen)
    image = image.reduce(_OVERSAMPLING)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _draw(canvas: ImageDraw, shape: Shape, scale: float, chosen: Language) -> None:
    match shape:
        case Line(points, colour, width):
            canvas.line(_scaled(points, scale), fill=colour, width=max(1, round(width * scale)), joint="curve")
        case Box(x, y, width, height, colour):
            canvas.rectangle(_scaled([(x, y), (x + width, y + height)], scale), fill=colour)
        case Dot(x, y, radius, colour, _):
            corners = [(x - radius, y - radius), (x + radius, y + radius)]
            canvas.ellipse(_scaled(corners, scale), fill=colour)
        case Words(x, y, text, size, anchor, colour):
            side = {"start": "ls", "middle": "ms", "end": "rs"}[anchor]
            canvas.text((x * scale, y * scale), text, fill=colour, font=_font(size * scale, chosen), anchor=side)


def _scaled(points: Iterable[tuple[float, float]], scale: float) -> list[tuple[float, float]]:
    return [(x * scale, y * scale) for x, y in points]


def _font(size: float, chosen: Language) -> FreeTypeFont:
    from PIL import ImageFont

    found = _chinese_font(size) if chosen == "zh" else ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)  # what Pillow's wheels bring along
    return found


def _chinese_font(size: float) -> FreeTypeFont | None:
    from PIL import ImageFont

    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return None
