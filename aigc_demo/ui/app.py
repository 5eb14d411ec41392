"""Builds the page and serves it."""

import argparse
import gc
import os
import threading
from importlib.util import find_spec
from pathlib import Path

# Before gradio is imported: no telemetry, and no table of past events after every event.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")

import gradio as gr
import httpx
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from aigc_demo.ui import flow, gan, learn, train, transformer, vae
from aigc_demo.ui.api.endpoints import add_endpoints, parameters
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.memory import collect_once, one_heap
from aigc_demo.ui.kit.widgets import head, widget_files
from aigc_demo.ui.kit.words import LANGUAGES, Words, static
from aigc_demo.ui.learn.guide import connect_guide, guide_button
from aigc_demo.ui.page.inside_views import view_styles
from aigc_demo.ui.page.language import connect_switch
from aigc_demo.ui.page.page import Page
from aigc_demo.ui.page.route import about_line, follow_links
from aigc_demo.ui.page.saved_files import add_files
from aigc_demo.ui.page.waiting import say_waiting
from aigc_demo.ui.serving.ending import Ending, Health, come_back
from aigc_demo.ui.serving.files import Content, Files
from aigc_demo.ui.serving.first_paint import Inserted, first_paint
from aigc_demo.ui.serving.gradio_patches import patch_gradio, quicker_scripts
from aigc_demo.ui.serving.kept import Kept
from aigc_demo.ui.serving.limits import Limits, trust_proxies
from aigc_demo.ui.serving.link_preview import PICTURE, preview
from aigc_demo.ui.serving.login import LoggedIn
from aigc_demo.ui.serving.middleware import BodyLimit, Faults, PlainCalls, SafetyHeaders
from aigc_demo.ui.serving.sessions import ForgetCalls, Sessions
from aigc_demo.ui.serving.surroundings import loopback_only
from aigc_demo.ui.serving.tunnel import lend

ACCENT = "#0072B2"  # white on it: 5.2 : 1
EDGE = "#7c8798"  # of what can be chosen: 3.6 : 1 on white, 5.3 : 1 on the dark ground
LOOK = {  # of the theme, in light and dark alike
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_title_background_fill": "none",
    "block_label_background_fill": "none",
    "input_border_width": "1px",
    "input_border_color": EDGE,
    "checkbox_border_color": EDGE,
    "checkbox_label_border_width": "1px",
    "checkbox_label_border_color": EDGE,
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_selected": ACCENT,
    "checkbox_label_border_color_selected": ACCENT,
    "slider_color": ACCENT,
    "button_primary_background_fill": ACCENT,
}
FONTS = ("PingFang SC", "Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "system-ui")


def build(
    weights: Path | None = None, models: Models | None = None, lessons: Path | None = None
) -> gr.Blocks:
    """The whole page.

    weights: a folder of models beside the bundled ones; lessons: one of a teacher's own.

    Raises:
        ValueError: weights is no weights folder, lessons none of lessons.
    """
    words, models = Words(), models or Models(TABS, weights)
    with gr.Blocks(title=words.say("en", "page.title"), delete_cache=(3600, 3600)) as demo:
        # First, as each call makes the server's routes anew, with all that the page holds by then.
        # Each who waits hears of it every second, not whenever anyone's turn comes.
        demo.queue(
            status_update_rate=1.0, max_size=320, default_concurrency_limit=2, api_open=False
        )
        with gr.Row(elem_id="top", equal_height=True):
            with gr.Column(scale=5, min_width=200):
                words.tr(gr.Markdown(elem_id="hero"), "page.hero")
            with gr.Column(scale=1, min_width=140, elem_id="language-place"):
                language = gr.Radio(
                    [("中文", "zh"), ("English", "en")],
                    value="en",
                    label="中文 / English",
                    show_label=False,
                    container=False,
                    elem_id="language",
                )
                guide = guide_button(words, lessons)
        page = Page(models, words, language)
        with gr.Tabs(elem_id="models", overflow_behavior="wrap") as tabs:
            for one in filter(lambda tab: tab.there(), TABS):
                with words.tr(gr.Tab(id=one.name), f"{one.name}.tab") as tab:
                    one.build(page.within(tab))
        about_line(words)
        say_waiting(words)
        add_endpoints(demo, page, TABS)
        add_files(page)
        connect_guide(page, guide)
        follow_links(page, tabs, connect_switch(words, demo, language))
    return demo


WARM_AFTER = 3.0  # seconds
TABS = (gan.TAB, vae.TAB, transformer.TAB, flow.TAB, train.TAB, learn.TAB)


def styles(words: Words) -> str:
    """The style of the page: of what its tabs share, then of each tab."""
    rooms = ("kit", "page", "plane", *(tab.name for tab in TABS))
    return "\n".join([*(static(f"{room}/style.css") for room in rooms), view_styles(words)])


def files(demo: gr.Blocks) -> dict[str, Content]:
    """All that is fetched by its path: first pictures, lessons, chapters, a link's preview."""
    folder = Path(__file__).parent
    return {
        PICTURE: (folder / "serving/static" / PICTURE).read_bytes(),
        **quicker_scripts(),
        **widget_files(demo),
        **{path: read for tab in TABS for path, read in tab.files().items()},
        **{
            f"lessons/{tab.name}.{language}.md": path.read_bytes()
            for tab in TABS
            for language in LANGUAGES
            if (path := folder / tab.name / f"lesson.{language}.md").is_file()
        },
    }


def launch_options(demo: gr.Blocks, ending: Ending | None = None) -> dict:
    """The keywords of demo.launch that belong to a page that is built, wherever it is served."""
    words = Words()
    always = first_paint(words) + come_back()
    return {
        "theme": _theme(),
        "favicon_path": Path(__file__).parent / "page/static/favicon.svg",
        "css": styles(words),
        "head": head(demo),
        "footer_links": ["api", "settings"],
        "run_history": False,
        "max_file_size": "16mb",
        "max_threads": 144,  # also jobs at once: more than all limits of the queue together
        "enable_monitoring": False,
        "show_error": False,
        "ssr_mode": False,
        "app_kwargs": {
            "middleware": [
                Middleware(Health, ending=ending or Ending(demo)),
                Middleware(Limits, demo=demo),
                Middleware(LoggedIn, demo=demo),
                Middleware(ForgetCalls, demo=demo),
                Middleware(SafetyHeaders),
                Middleware(Faults),
                Middleware(BodyLimit),
                Middleware(
                    PlainCalls,
                    endpoints=parameters(TABS),
                    counts={number: len(one.inputs) for number, one in demo.fns.items()},
                ),
                Middleware(Kept),
                Middleware(GZipMiddleware, compresslevel=6),
                Middleware(Files, by_path=files(demo)),
                Middleware(Inserted, elements=lambda scope: preview(words, scope) + always),
            ]
        },
    }


def _theme() -> gr.themes.Base:
    """Gradio's Soft, calmer: no shadows, our accent, contrast of 4.5 : 1."""
    return gr.themes.Soft(
        primary_hue="blue",
        secondary_hue="sky",
        neutral_hue="slate",
        font=[gr.themes.LocalFont("Source Sans Pro", weights=(400,)), *FONTS, "sans-serif"],
        font_mono=[
            gr.themes.LocalFont("IBM Plex Mono", weights=(400,)),
            "ui-monospace",
            "monospace",
        ],
    ).set(
        **LOOK,
        **{f"{name}_dark": value for name, value in LOOK.items()},
        color_accent=ACCENT,
        block_shadow="none",
        block_padding="0px",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_shadow="none",
        input_background_fill="*background_fill_primary",
        checkbox_label_shadow="none",
        checkbox_label_text_color_selected="white",
        button_primary_background_fill_hover="#005C8F",
        button_primary_background_fill_hover_dark="#3391C4",
        button_primary_text_color="white",
        block_title_padding="0",
        block_title_text_weight="600",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
    )


def serve(options: argparse.Namespace) -> None:
    """Serves the page until Ctrl-C, or SIGTERM, after which what is under way may finish.

    Raises:
        ValueError, OSError: what --weights names is no weights folder, --mcp cannot work, or the
            page cannot be reached.
    """
    if options.mcp:
        _check_mcp(options)
    one_heap()
    collect_once()
    gc.enable()  # it was off while modules were imported
    patch_gradio()
    trust_proxies()
    models = Models(TABS, options.weights, options.replace)
    demo = build(models=models, lessons=options.lessons)
    ending = Ending(demo)
    warming = threading.Timer(WARM_AFTER, _warm, [models])  # once the first visitor has the page
    warming.daemon = True
    warming.start()
    try:
        with loopback_only():  # Gradio asks its own server whether it is there
            demo.launch(
                server_name=options.host,
                server_port=options.port,
                auth=options.auth,
                mcp_server=options.mcp or None,
                prevent_thread_lock=True,
                **launch_options(demo, ending),
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(f"the page does not answer at its own address: {error}") from error
    ending.on_sigterm()
    Sessions(demo).watch()
    if options.share:
        lend(demo)
    demo.block_thread()


def _warm(models: Models) -> None:
    models.warm()
    collect_once()


def _check_mcp(options: argparse.Namespace) -> None:
    """Raises ValueError where Gradio itself would print a line and serve the page without tools."""
    if find_spec("mcp") is None:
        wanted = f'"gradio[mcp]=={gr.__version__}"'
        raise ValueError(f"expected Gradio's mcp extra for --mcp, got none: pip install {wanted}")
    if options.auth:
        raise ValueError("expected --mcp without --auth, got both: a tool cannot log in")
    try:
        httpx.Client().close()
    except (ImportError, ValueError, httpx.InvalidURL) as error:  # their tools call the page by it
        raise ValueError(f"expected proxies that httpx knows with --mcp: {error}") from error
