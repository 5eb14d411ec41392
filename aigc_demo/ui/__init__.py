"""The page: one file per tab, words in locales/, lessons/ and widgets in static/."""
