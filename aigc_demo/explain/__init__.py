"""Inside views: what a model does on the way to its result, as data; nothing is drawn here."""
