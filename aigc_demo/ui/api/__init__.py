"""The web API: named endpoints, for gradio_client and plain HTTP."""
