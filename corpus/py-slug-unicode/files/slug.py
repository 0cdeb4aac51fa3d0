"""Addresses of pages."""

import re


def slug(title: str) -> str:
    """The title in lower case, words joined by hyphens, letters of every script kept."""
    text = title.lower()
    text = re.sub(r"[^a-z0-9à-ÿ]+", "-", text)
    return text.strip("-")
