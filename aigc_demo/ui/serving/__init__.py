"""Between the page and the network: surroundings, middleware, first paint, tunnel."""
