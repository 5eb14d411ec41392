"""The models of the page: bundled, own, and from the Hub."""
