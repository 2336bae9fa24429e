"""SVG and HTML as text, always escaped. Pure."""

from html import escape

Attribute = str | float | int | None


def element(name: str, *children: str, **attributes: Attribute) -> str:
    """Write an element. `class_` is the attribute class; `stroke_width` is stroke-width."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_told(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{shown}>{''.join(children)}</{name}>"


def text(words: object) -> str:
    """Write words as they are."""
    return escape(str(words), quote=False)


def label(
    x: float, y: float, words: object, *, class_: str = "", anchor: str = "start", title: str = ""
) -> str:
    """Write words at a place. `anchor` says which end of them is there: start, middle, end."""
    tip = element("title", text(title)) if title else ""
    return element("text", text(words), tip, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """Draw a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rectangle(x: float, y: float, width: float, height: float, class_: str, tip: str = "") -> str:
    """Draw a bar, of at least a hair's width so that it can be seen."""
    inner = element("title", text(tip)) if tip else ""
    return element(
        "rect", inner, x=x, y=y, width=max(width, 0.8), height=height, rx=1.5, class_=class_
    )


def drawing(width: float, height: float, *parts: str, says: str) -> str:
    """Put parts into a drawing. `says` is what a screen reader is told."""
    return element(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=says,
    )


def _told(value: Attribute) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
