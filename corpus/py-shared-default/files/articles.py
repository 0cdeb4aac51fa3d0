"""Articles and their tags."""


class Article:
    def __init__(self, title: str, tags: list[str] = []):
        self.title = title
        self.tags = tags

    def tag(self, name: str) -> None:
        if name not in self.tags:
            self.tags.append(name)


def tagged(title: str, words: str, known: set[str], tags: list[str] = []) -> Article:
    """An article with those of its words that are known tags, beside `tags`."""
    for word in words.lower().split():
        if word in known:
            tags.append(word)
    return Article(title, tags)
