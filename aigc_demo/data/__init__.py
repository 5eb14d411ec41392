"""The corpora, read from a folder laid out like their sources; the only place that downloads."""
