"""AIGC Demo: run with `python app.py`, then open the address it prints."""

from aigc_demo.ui.app import main

if __name__ == "__main__":
    main()
