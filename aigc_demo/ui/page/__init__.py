"""Parts that all tabs share: the frame, links, saved files, inside views, the Hub panel."""
