"""Plots of how cost grows: a panel for each series of rows."""

import io

from aigc_demo.benchmark.rows import Row

MEDIAN, WORST = "#0072B2", "#E69F00"  # Okabe and Ito's palette


def plot(rows: list[Row]) -> bytes:
    """A PNG: the median of each series against what it grows with, and p95 where it differs.

    The horizontal axis is logarithmic, the vertical one begins at 0.

    Raises:
        ValueError: no row belongs to a series.
        ModuleNotFoundError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure  # the page does without it

    panels: dict[str, list[Row]] = {}
    for row in rows:
        if row.series:
            panels.setdefault(row.series, []).append(row)
    if not panels:
        raise ValueError("expected a subject whose rows grow with something, got none of these")
    figure = Figure(figsize=(6.4, 2.2 * len(panels)), layout="constrained")
    places = figure.subplots(len(panels), squeeze=False)[:, 0]
    for axes, (series, members) in zip(places, panels.items(), strict=True):
        members = sorted(members, key=lambda row: row.at)
        at = [row.at for row in members]
        axes.plot(at, [row.median for row in members], "o-", color=MEDIAN, label="median")
        if any(row.p95 != row.median for row in members):
            axes.plot(at, [row.p95 for row in members], "o-", color=WORST, label="p95")
            axes.legend(frameon=False)
        axes.set_title(f"{series}, {members[0].unit}", loc="left", fontsize="medium")
        axes.set_xscale("log")
        axes.set_xticks(at, [f"{value:g}" for value in at])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()
