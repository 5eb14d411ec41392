"""The numbers behind the results of the VAE tab, as tables to save."""

import torch

from aigc_demo.explain import walks
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.drawings import drawn_digit
from aigc_demo.ui.page.tables import Rows, table_of_digits, table_of_frames
from aigc_demo.ui.vae.requests import route_of, stops_of


def point(models: Models, point) -> Rows:
    z = torch.tensor([[point["x"], point["y"]]], dtype=torch.float32)
    return table_of_frames(models, models.vae().decode(z), z)


def rebuilt(models: Models, model, drawn, seed) -> Rows:
    """Mean, standard deviation and the sampled point, a row a latent dimension."""
    walker = models.vae(model)
    mean, deviation = walker.encode(drawn_digit(drawn)[None])
    sampled = mean + deviation * walker.noise([seed])
    columns = torch.stack([mean[0], deviation[0], sampled[0]], 1).tolist()
    head = ["dimension", "mean", "standard_deviation", "sample"]
    return [head, *([i + 1, *row] for i, row in enumerate(columns))]


def walk(models: Models, model, route, path, seed, steps) -> Rows:
    labels, spherical, seed = route_of(route, path, seed)
    stops, _ = stops_of(models, model, labels, seed)
    points = walks.points(models.vae(model), stops, steps, spherical)
    return table_of_frames(models, models.vae(model).decode(points), points)


def samples(models: Models, model, count, seed) -> Rows:
    seeds = list(range(seed, seed + count))
    return table_of_digits(models, seeds, None, models.vae(model).sample(seeds))
