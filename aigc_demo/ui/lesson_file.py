"""What is wrong with a lesson's file, held against the page that it leads through."""

from pathlib import Path

from aigc_demo.ui.app import build
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.learn.guide import page_problems
from aigc_demo.ui.learn.guides import GuideError, read_guide


def lesson_problems(path: Path) -> list[tuple[int, str]]:
    """Each problem with its line, in their order; none of a lesson that the page can show.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        guide = read_guide(path)
    except GuideError as error:
        return list(error.problems)
    blocks = build().blocks.values()
    ids = {str(one.elem_id) for one in blocks if getattr(one, "elem_id", None)}
    shares = next(one.shares for one in blocks if getattr(one, "elem_id", None) == "guide")
    return sorted(page_problems(guide, shares, ids, Words()))
