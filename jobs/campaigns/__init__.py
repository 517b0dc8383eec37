"""What a campaign reads beside scores, and what it tells: figures, reasons, page, what if."""
