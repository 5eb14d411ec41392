"""A minute of training: visitors train a small model of each family, on their own data too."""

from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.page.jobs import may_train
from aigc_demo.ui.train.tab import build_train_tab

TAB = Tab("train", build=build_train_tab, there=may_train)
