"""The course: chapters on the families and on the ground that they share."""

from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.learn.chapters import chapter_files
from aigc_demo.ui.learn.tab import build_learn_tab

TAB = Tab("learn", build=build_learn_tab, files=chapter_files)
