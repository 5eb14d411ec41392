"""Inside the VAE, beside the tasks of its tab: posterior, bound, layers, dimensions, sharpness."""

import math
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from aigc_demo.explain import vae as inside
from aigc_demo.explain.figures import card_figures
from aigc_demo.explain.gan import Part, as_maps, real_digits, seeds_that_read
from aigc_demo.images import SIDE, strip
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.names import BETAS, VAES
from aigc_demo.samples import sample_digits
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.drawings import drawn_digit
from aigc_demo.ui.kit.widgets import bars, code, gallery, network, pad, tiles
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.digits import digit_field, shelf
from aigc_demo.ui.page.inside_views import (
    View,
    add_layers,
    add_views,
    code_of,
    group,
    learnt,
    parameters_of,
    settled,
    shown,
    station,
)
from aigc_demo.ui.page.page import FORMULAS, LOCAL, Page, Update, dice, throw
from aigc_demo.ui.page.training_view import Again, build_training, in_line
from aigc_demo.ui.vae import formulas
from aigc_demo.ui.vae.widgets import betas, posterior

NAMES = {"discriminator": "encoder", "noise": "latent", "generator": "decoder"}
AGAIN = 8  # points of the map along an axis, at a moment of the training
PICKABLE = 15  # test digits to pick from
SAMPLES = 6  # of the posterior, drawn as pictures
WEIGHTED = 100  # samples of the importance-weighted estimate
ON_PLANE = 200  # test digits on the plane
ROW = 9  # pictures along one dimension
REACH = 3.5
COIN_TOSSES = f"{SIDE * SIDE * math.log(2):.1f}"  # nats of a digit whose every pixel is one
COMPARED = 8  # digits of each kind, where sharpness is compared


def _asked(models: Models, model, chosen, seed) -> tuple[LatentWalker, Tensor, int]:
    """The model, the digit (28, 28) and the seed; chosen: "#PLACE" of a test digit or a drawing."""
    walker = models.vae(models.known(model, VAES))
    if isinstance(chosen, str) and chosen.startswith("#"):
        place = chosen[1:]
        if not (place.isascii() and place.isdigit() and int(place) < PICKABLE):
            raise check.UserError("error.range", name="place", low=0, high=PICKABLE - 1)
        return walker, sample_digits("test")[0][int(place)], check.seed(seed)
    return walker, drawn_digit(chosen), check.seed(seed)


def see_image(models: Models, words: Words, model, chosen, seed) -> Update:
    """The digit itself, which stays in sight."""
    return gr.update(strip=strip(_asked(models, model, chosen, seed)[1][None]), count=1)


def overview(models: Models, words: Words, model, chosen, seed) -> Update:
    """The whole network in one picture: digit, posterior, a sample of it, and what is decoded."""
    walker, image, seed = _asked(models, model, chosen, seed)
    noise = walker.noise([seed])[0]
    found = inside.layers(walker, image, noise)
    stations = [
        station(part, formulas.title(part), "layers", place) for place, part in enumerate(found)
    ]
    at = [part.name for part in found].index("z")
    stations[at] = station(found[at], "z", "posterior", at)
    if walker.latent_size > 1:
        named = {part.name: part.maps.flatten() for part in found}
        stations[at]["plane"] = _plane(models, model, named)
    drawn = Part("noise", "noise", as_maps(noise), tuple(noise.shape))
    stations.insert(at, station(drawn, "ε", "posterior", at))
    for one in stations:
        one["sign"] = {"σ": "+", "ε": "·", "z": "="}.get(one["title"], "→")
    halves = {"encoder": walker.encoder, "decoder": walker.decoder}
    sizes = {name: f"{parameters_of(half):,}" for name, half in halves.items()}
    texts = learnt(models, words, model, "within.network", "within.network_own", **sizes)
    return gr.update(stations=stations, texts=texts)


def _telling(models: Models, model: str) -> tuple[Tensor, Tensor]:
    """The two dimensions that carry most, (2,), and there the codes of test digits, (N, 2)."""
    mean, deviation = models.encoded(model)
    axes = inside.carried(mean, deviation).topk(2).indices.sort().values
    return axes, mean[:ON_PLANE, axes]


def _plane(models: Models, model: str, named: dict[str, Tensor]) -> dict[str, Any]:
    """A sample of a posterior among the codes of test digits, for the network's widget."""
    axes, points = _telling(models, model)
    return {
        "reach": max(REACH, named["z"][axes].abs().max().item()),
        "points": [[round(value, 2) for value in point] for point in points.tolist()],
        **{name: named[name][axes].tolist() for name in ("mean", "deviation", "z")},
    }


def see_posterior(models: Models, words: Words, model, chosen, seed) -> tuple[Update, Update]:
    """The posterior as an ellipse in the plane that carries most, and pictures of its samples."""
    walker, image, seed = _asked(models, model, chosen, seed)
    if walker.latent_size < 2:
        raise check.UserError("error.one_dimension")
    found = inside.bound(walker, image, range(seed, seed + SAMPLES))
    axes, points = _telling(models, model)
    labels = sample_digits("test")[1][:ON_PLANE].tolist()
    rows = zip(points.tolist(), labels, strict=True)
    first = {
        name: ", ".join(f"{value:.2f}" for value in vector[axes].tolist())
        for name, vector in (
            ("mean", found.mean),
            ("deviation", found.deviation),
            ("noise", found.noise[0]),
            ("z", found.z[0]),
        )
    }
    plane = gr.update(
        mean=found.mean[axes].tolist(),
        deviation=found.deviation[axes].tolist(),
        samples=found.z[:, axes].tolist(),
        points=[[round(x, 2), round(y, 2), str(label)] for (x, y), label in rows],
        texts=words.both(
            "within.plane", axes=", ".join(str(i + 1) for i in axes.tolist()), **first
        ),
    )
    centre = walker.decode(found.mean[None])
    apart = (centre[0] - image).abs()
    pictures = torch.cat([image[None], centre, apart[None], found.decoded])
    groups = [
        group(words, "data", "within.digit", [""]),
        group(words, "generator", "within.rebuilt", ["μ"]),
        group(words, "loss", "within.difference", [f"{apart.mean().item():.3f}"]),
        group(words, "noise", "within.samples", [f"ε{i + 1}" for i in range(SAMPLES)]),
    ]
    return plane, gr.update(strip=strip(pictures), groups=groups)


def see_bound(
    models: Models, words: Words, model, chosen, seed
) -> tuple[Update, str, Update, str, Update]:
    """The ELBO of this digit: each pixel's and each dimension's share, the sum, the arithmetic."""
    walker, image, seed = _asked(models, model, chosen, seed)
    found = inside.bound(walker, image, range(seed, seed + WEIGHTED))
    cost = -found.pixels
    pictures = torch.stack([found.image, found.decoded[0], cost / cost.max().clamp(min=1e-6)])
    groups = [
        group(words, "data", "within.binary", [""]),
        group(words, "generator", "within.decoded", [""]),
        group(words, "loss", "within.cost", [f"0 – {cost.max().item():.2f}"]),
    ]
    if found.kl is None:
        shares, most, texts = [], 0, words.both("within.no_shares")
    else:
        shares, most = _bars(found.kl, inside.ALIVE), int(found.kl.argmax())
        texts = words.both("within.shares", total=f"{found.divergence:.2f}")
    card = card_figures(str(models.source(model))).get("negative elbo")
    paid = {"chance": COIN_TOSSES, "now": f"{-found.elbo:.1f}", "card": f"{float(card or 0):.1f}"}
    meaning = words.both("meaning.bound" if card else "meaning.bound_alone", **paid)
    return (
        gr.update(strip=strip(pictures), groups=groups, meaning=meaning),
        formulas.elbo(found),
        gr.update(bars=shares, texts=texts),
        formulas.divergence_by_hand(found, most),
        code_of("models/vae.py", "VAE.forward", ("ratio = ", "return log_likelihood")),
    )


def look(models: Models, words: Words, model, chosen, seed, place) -> tuple[Update, str, Update]:
    """The whole way from digit to code and back, with formula and source of one part."""
    walker, image, seed = _asked(models, model, chosen, seed)
    found = inside.layers(walker, image, walker.noise([seed])[0])
    asked_for, place = place, min(check.whole(place or 0, "place", 0, 99), len(found) - 1)
    parts = [shown(part, formulas.title(part)) for part in found]
    update = settled(asked_for, place, parts=parts)
    return (
        update,
        formulas.part(found, place),
        code_of(*formulas.place_in_code(found[place])),
    )


def look_at_part(models: Models, words: Words, model, chosen, seed, place) -> tuple[str, Update]:
    """Formula and source of one part."""
    walker, image, seed = _asked(models, model, chosen, seed)
    found = inside.layers(walker, image, walker.noise([seed])[0])
    place = check.whole(place, "place", 0, len(found) - 1)
    return formulas.part(found, place), code_of(*formulas.place_in_code(found[place]))


def see_dimension(
    models: Models, words: Words, model, chosen, seed, rank
) -> tuple[Update, Update, Update]:
    """One latent dimension, the rank-th by what it carries: a row of pictures along it.

    Under a learned prior the KL to N(0, 1) is no term of the bound: there the variance of the
    posterior means ranks them.
    """
    walker, image, _ = _asked(models, model, chosen, seed)
    rank = check.whole(rank, "rank", 1, 32)
    learned = len(walker.loaded.model.prior.couplings) > 0
    codes = models.encoded(model)
    carries = inside.varies(codes[0]) if learned else inside.carried(*codes)
    least = inside.ACTIVE if learned else inside.ALIVE
    order = carries.argsort(descending=True)
    asked_for, rank = rank, min(rank, walker.latent_size)
    dimension = int(order[rank - 1])
    mean, _ = walker.encode(image[None])
    places = torch.linspace(-3, 3, ROW)
    pictures = inside.traverse(walker, mean[0], dimension, places)
    captions = [f"{place:+.1f}" for place in places.tolist()]
    dead = bool(carries[dimension] < least)
    key = "within.dimension_dead" if dead else "within.dimension"
    key += "_variance" if learned else ""
    texts = words.both(
        key,
        dimension=dimension + 1,
        rank=rank,
        count=walker.latent_size,
        amount=f"{carries[dimension].item():.2f}",
        at=f"{mean[0, dimension].item():+.2f}",
    )
    groups = [group(words, "noise", "within.row", captions, dimension=dimension + 1)]
    row = gr.update(strip=strip(pictures), groups=groups, texts=texts)
    told = words.both("within.varies" if learned else "within.carried")
    return (
        row,
        gr.update(bars=_bars(carries, least), texts=told),
        settled(asked_for, rank, maximum=walker.latent_size),
    )


def _bars(amounts: Tensor, least: float) -> list[dict[str, Any]]:
    """A bar for each dimension of (D,), the largest first; dead: below the least."""
    return [
        {"name": f"z{i + 1}", "value": amounts[i].item(), "dead": bool(amounts[i] < least)}
        for i in amounts.argsort(descending=True).tolist()
    ]


def see_blur(models: Models, words: Words, model, digit, seed) -> Update:
    """The same digit by the GAN, by the VAE and by hand: the judge's reading and sharpness."""
    walker = models.vae(models.known(model, VAES))
    digit = check.digit(digit)
    seed = check.seed(seed)
    labels = [digit] * COMPARED
    sampler = models.gan("gan")
    if digit >= sampler.classes:
        raise check.UserError("error.no_classes")
    seeds = seeds_that_read(walker.sample, models.judge, digit, seed, COMPARED)
    if not seeds:
        raise check.UserError("error.never_drawn_vae", digit=digit)
    pictures = [
        real_digits(labels, seed),
        sampler.sample(range(seed, seed + COMPARED), labels),
        walker.sample(seeds),
    ]
    groups = []
    keys = (("data", "real"), ("generator", "gan"), ("noise", "vae"))
    for (role, key), images in zip(keys, pictures, strict=True):
        sure = models.judge.classify(images)[:, digit]
        texts = [f"{100 * share:.0f}%" for share in sure.tolist()]
        sharp = f"{inside.sharpness(images).mean().item():.3f}"
        groups.append(group(words, role, f"within.{key}", texts, sharp=sharp))
    return gr.update(strip=strip(torch.cat(pictures)), groups=groups)


def see_betas(models: Models, words: Words, chosen, seed) -> tuple[Update, Update]:
    """The same digit, map and samples under three weights of the KL term."""
    _, image, seed = _asked(models, "vae-2d", chosen, seed)
    labels = sample_digits("test")[1].tolist()
    shown, pictures, groups = [], [image[None]], [group(words, "data", "within.digit", [""])]
    for name, beta in BETAS.items():
        walker, found = models.vae(name), models.tradeoff(name)
        mean, deviation = walker.encode((image[None] > 0.5).float())
        wide = found.mean[:ON_PLANE].abs().amax(1).quantile(0.97).item()
        points = zip(found.mean[:ON_PLANE].tolist(), labels, strict=False)
        shown.append(
            {
                "beta": beta,
                "rate": round(found.rate, 1),
                "distortion": round(found.distortion, 1),
                "reach": round(max(REACH, wide), 1),
                "points": [[round(x, 3), round(y, 3), label] for (x, y), label in points],
                "mean": mean[0].tolist(),
                "deviation": deviation[0].tolist(),
            }
        )
        pictures += [walker.decode(mean), walker.sample(range(seed, seed + COMPARED))]
        names = ["μ", *(f"z{i + 1}" for i in range(COMPARED))]
        groups.append(group(words, "generator", "within.drawn_by", names, beta=beta))
    costs = (models.tradeoff(name) for name in BETAS)
    sums = "  ·  ".join(f"{one.rate + one.distortion:.1f}" for one in costs)
    meaning = words.both("meaning.betas", chance=COIN_TOSSES, now=sums)
    pictures_of = gr.update(strip=strip(torch.cat(pictures)), groups=groups)
    return gr.update(models=shown, meaning=meaning), pictures_of


def build_inside(page: Page, here: gr.Tab) -> None:
    """Adds the view. here: the tab that holds it; nothing is computed before it opens."""
    tr, words = page.words.tr, page.words
    with gr.Row(elem_classes="asked"):
        model = tr(gr.Dropdown(VAES, value="vae-2d", elem_id="within-model"), "vae.model")
        seed, roll = dice(words, 0, "within-seed")
        in_sight = tiles(words, columns=1, largest=2, strip="", count=0, elem_id="within-sight")
    picking = shelf(words, PICKABLE, "within-shelf")
    with tr(gr.Accordion(open=False, elem_id="within-draw"), "within.draw"):
        canvas = pad(words, elem_id="within-pad")
    chosen = gr.Textbox("#0", visible=False)
    asked = [model, chosen, seed]
    fields = dict(zip(("model", "image", "seed"), asked, strict=True))
    sight = View(see_image, asked, [in_sight])
    picked = picking.pick(None, picking, chosen, js="(place) => `#${place}`", **LOCAL)
    drawn = canvas.stroke(None, canvas, chosen, js="(drawing) => drawing", **LOCAL)
    changes = [model.input, seed.submit, roll.then, picked.then, drawn.then]
    share = add_views(page, "within", VIEWS, asked, fields, sight, changes)
    share.compute_first(here.select)
    shelf_or_pad = "(image) => image[0] === '#' ? [Number(image.slice(1)), ''] : [-1, image]"
    share.opens().then(None, chosen, [picking, canvas], js=shelf_or_pad, **LOCAL)


def _build_overview(page: Page, asked: list) -> View:
    picture = network(page.words, resample=True, stations=[], names=NAMES, elem_id="within-network")
    thrown = throw(picture.again, asked[2])
    return View(overview, asked, [picture], events=[(thrown.then, {})], goes=[(picture, ("part",))])


def _build_posterior(page: Page, asked: list) -> View:
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            plane = posterior(page.words, REACH, elem_id="within-plane")
        with gr.Column(scale=3, min_width=280):
            pictures = gallery(page.words, strip="", groups=[], times=3, elem_id="within-posterior")
    return View(see_posterior, asked, [plane, pictures])


def _build_elbo(page: Page, asked: list) -> View:
    pictures = gallery(page.words, strip="", groups=[], times=4, elem_id="within-pixels")
    formula = gr.Markdown(latex_delimiters=FORMULAS, elem_classes="formula", elem_id="within-elbo")
    shares = bars(page.words, bars=[], elem_id="within-shares")
    with page.words.tr(gr.Accordion(open=False, elem_id="within-sums"), "inside.arithmetic"):
        sums = gr.Markdown(
            latex_delimiters=FORMULAS, elem_classes="formula", elem_id="within-by-hand"
        )
        lines = code(code=None, elem_id="within-elbo-code")
    return View(see_bound, asked, [pictures, formula, shares, sums, lines])


def _build_layers(page: Page, asked: list) -> View:
    return add_layers(page, "within", look, look_at_part, asked, 0, names=NAMES)


def _build_dimensions(page: Page, asked: list) -> View:
    rank = page.words.tr(gr.Slider(1, 32, 1, step=1, elem_id="within-rank"), "within.rank")
    row = gallery(page.words, strip="", groups=[], times=3, elem_id="within-row")
    shares = bars(page.words, bars=[], elem_id="within-carried")
    dragging = {"trigger_mode": "always_last", "show_progress": "hidden"}
    events = [(rank.input, dragging)]
    return View(see_dimension, [*asked, rank], [row, shares, rank], {"rank": rank}, events)


def _build_blurry(page: Page, asked: list) -> View:
    digit = digit_field(page.words, "3", "within-digit")
    pictures = gallery(page.words, strip="", groups=[], elem_id="within-blurry")
    fields = [asked[0], digit, asked[2]]
    return View(see_blur, fields, [pictures], {"digit": digit}, [(digit.input, {})])


def _build_betas(page: Page, asked: list) -> View:
    maps = betas(page.words, models=[], elem_id="within-betas")
    pictures = gallery(page.words, strip="", groups=[], elem_id="within-beta-digits")
    return View(see_betas, asked[1:], [maps, pictures])


def draw_again(
    models: Models, words: Words, name: str, kept: list[LatentWalker], at: int, *fields
) -> tuple[Tensor, dict[str, str]]:
    """The z of the chosen digit, decoded at moments of a training; the map at one of them.

    Of a VAE of more dimensions there is no map, but samples of its prior.
    """
    walker, image, _ = _asked(models, name, *fields)
    z = walker.encode(image[None])[0]
    line = in_line([one.decode(z) for one in kept], AGAIN)
    if walker.latent_size == 2:
        places = torch.linspace(-2, 2, AGAIN)
        plane = torch.cartesian_prod(places.flip(0), places).flip(1)  # line by line from above
        key, below = "within.map_again", kept[at].decode(plane)
    else:
        key, below = "within.drawn_again", kept[at].sample(range(AGAIN))
    return torch.cat([line, below.cpu()]), words.both(key, moments=len(kept))


def _build_training(page: Page, asked: list) -> View:
    again = Again(draw_again, LatentWalker.load, asked[1:], largest=2)
    return build_training(page, "within", VAES, asked[0], again)


VIEWS = {
    "overview": _build_overview,
    "posterior": _build_posterior,
    "elbo": _build_elbo,
    "layers": _build_layers,
    "dimensions": _build_dimensions,
    "blurry": _build_blurry,
    "beta": _build_betas,
    "training": _build_training,
}
