"""What any tab is built of: words, checks, widgets. Knows Gradio, no model."""
