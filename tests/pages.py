"""A report's page as its reader sees it."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = ("meta", "wbr")


class Text(HTMLParser):
    """What a reader sees, what can be jumped to, and what the page would fetch."""

    def __init__(self, page):
        super().__init__()
        self.words, self.fetched, self.ids, self.open = [], [], [], []
        self.feed(page)
        self.shown = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href")]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)
