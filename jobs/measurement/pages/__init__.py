"""Pages of a measurement: `page.py` writes them, a module per reader and kind of block."""
