"""Inside views: what a model computes on its way to a result, as data; knows no page."""
