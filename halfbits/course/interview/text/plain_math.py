"""TeX formulas as one line of plain text, for terminals: a/b, √(x), 2⁻²⁵."""

from __future__ import annotations

import re

SYMBOLS = {
    "times": "×", "cdot": "·", "approx": "≈", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥",
    "ne": "≠", "neq": "≠", "pm": "±", "sum": "Σ", "prod": "Π", "infty": "∞", "in": "∈", "to": "→",
    "rightarrow": "→", "Rightarrow": "⇒", "leftarrow": "←", "ldots": "…", "dots": "…", "cdots": "…",
    "ll": "≪", "gg": "≫", "propto": "∝", "sim": "~", "lVert": "‖", "rVert": "‖", "Vert": "‖",
    "lvert": "|", "rvert": "|", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "eta": "η", "theta": "θ", "lambda": "λ", "mu": "μ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "phi": "φ", "chi": "χ", "omega": "ω", "Delta": "Δ", "Sigma": "Σ", "Omega": "Ω",
    "partial": "∂", "nabla": "∇", "odot": "⊙", "top": "ᵀ", "lbrace": "{", "rbrace": "}",
    "quad": " ", "qquad": " ", "mid": "|", "div": "÷", "circ": "∘", "ast": "*",
}  # fmt: skip
RAISED = str.maketrans("0123456789+-=()nTit", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿᵀⁱᵗ")
LOWERED = str.maketrans("0123456789+-=()ijknmatxphsl", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ᵢⱼₖₙₘₐₜₓₚₕₛₗ")
GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
FONTS = r"text|mathrm|mathbf|mathit|mathcal|mathsf|operatorname|vec|boldsymbol|underbrace"
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}  # they stand on the letter before


def plain(tex: str) -> str:
    """The formula as text. A command without a sign of its own stays as its name."""
    return _plain(tex).translate({0: "{", 1: "}", 2: "^", 3: "_"})


def _plain(tex: str) -> str:
    # Signs that are done with are kept as control characters until the end.
    text = re.sub(
        r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|limits)(?![a-zA-Z])", "", tex.strip()
    )
    text = re.sub(r"\\[,;:! ]|~", " ", text).replace("\\\\", "; ").replace("&", " ")
    text = _unfold(text)
    text = re.sub(r"\\([a-zA-Z]+)(?=([a-zA-Z0-9]?))", _command, text)
    text = re.sub(r"\\(.)", r"\1", text)
    return re.sub(r" {2,}", " ", text).strip()


def _unfold(text: str) -> str:
    """Replace braces from the inside out."""
    text = text.replace(r"\{", "\0").replace(r"\}", "\1")
    before = ""
    while before != text:
        before = text
        text = re.sub(rf"\\(?:{FONTS})(?![a-zA-Z])\s*{GROUP}", r"\1", text)
        text = re.sub(r"\\(hat|bar|tilde)\s*\{?(\w)\}?", lambda f: f[2] + ACCENTS[f[1]], text)
        text = re.sub(r"\\[dt]?frac(\d)(\d)", r"\1/\2", text)
        text = re.sub(rf"\\[dt]?frac\s*{GROUP}\s*{GROUP}", _fraction, text)
        text = re.sub(rf"\\sqrt\s*{GROUP}", r"√(\1)", text)
        text = re.sub(rf"([\^_])(?:{GROUP}|(\\[a-zA-Z]+|[^\s{{}}\\]))", _script, text)
    return text.replace("{", "").replace("}", "")


def _command(found: re.Match[str]) -> str:
    return SYMBOLS.get(found[1], f"{found[1]} " if found[2] else found[1])


def _fraction(found: re.Match[str]) -> str:
    over, under = (f"({p})" if re.search(r"[-+ ·×/]|\\", p) else p for p in found.groups())
    return f"{over}/{under}"


def _script(found: re.Match[str]) -> str:
    inner = _plain(found[2] if found[2] is not None else found[3])
    if inner == SYMBOLS["top"]:
        return inner
    table = RAISED if found[1] == "^" else LOWERED
    if all(ord(letter) in table for letter in inner):
        return inner.translate(table)
    mark = "\2" if found[1] == "^" else "\3"
    return mark + (inner if len(inner) == 1 else f"({inner})")
