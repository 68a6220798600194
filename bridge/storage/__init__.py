"""Files: written whole or not at all, kept within bounds, and noticed when a check reads them."""
