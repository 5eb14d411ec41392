"""Formulas in LaTeX, each symbol in the ink of its role."""

COLOURS = {  # one colour a role; style.css has their darker and lighter inks
    "data": "#0072B2",
    "noise": "#CC79A7",
    "generator": "#009E73",
    "discriminator": "#E69F00",
    "attention": "#56B4E9",
    "loss": "#D55E00",
}


def ink(role: str, symbols: str) -> str:
    """Symbols in the colour of their role."""
    return rf"\textcolor{{{COLOURS[role]}}}{{{symbols}}}"


def display(*lines: str) -> str:
    """Lines as one displayed formula, aligned at &."""
    return "$$\n\\begin{aligned}\n" + r"\\[4pt]".join(lines) + "\n\\end{aligned}\n$$"


def number(value: float) -> str:
    """Three decimals, a negative number in parentheses."""
    return f"{value:.3f}" if value >= 0 else f"({value:.3f})"
