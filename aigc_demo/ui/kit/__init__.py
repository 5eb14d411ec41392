"""The parts that tabs are built of: words, checks, widgets. Knows Gradio, no model."""
