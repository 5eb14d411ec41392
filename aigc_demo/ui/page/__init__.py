"""What every tab shares: its frame, links, saved files, inside views, the Hub panel."""
