"""What every printable page shares: one file, nothing in it from elsewhere, everything that people wrote escaped."""

from __future__ import annotations

import re
from html import escape

from controller.core.text import Language

_BASE = """
body { font: 9pt/1.35 "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", Arial, sans-serif; }
p { margin: 1mm 0; } table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { border: 0.3pt solid #777; padding: 0.8mm 1.2mm; text-align: left; vertical-align: top; }
th { background: #eee; } td, th { overflow-wrap: anywhere; } tr { break-inside: avoid; }
thead { display: table-header-group; }
.small { color: #555; font-size: 8pt; }
* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
"""


def document(title: str, language: Language, style: str, body: str) -> str:
    """body and style: as they stand. title: plain text. language: of the page as a whole."""
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if language == "zh" else "en"}">\n<head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_BASE}{style}</style></head>\n<body>\n{body}</body>\n</html>\n"
    )


def breakable(text: str) -> str:
    """Escaped; a long name breaks between its words."""
    return re.sub(r"(?<=\w)([._:])(?=\w)", r"\1<wbr>", escape(text))
