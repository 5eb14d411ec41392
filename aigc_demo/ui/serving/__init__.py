"""What stands between the page and the network: surroundings, middleware, first paint, tunnel."""
