"""The networks with their frozen configs and their formulas; imports nothing else of ours."""
