"""The weekly digest."""


def authors(posts: list[dict]) -> list[str]:
    """Everybody who posted, each once, in the order of their first post."""
    return list({post["author"] for post in posts})


def headline(posts: list[dict]) -> str:
    names = authors(posts)
    if not names:
        return "Nobody posted this week"
    if len(names) == 1:
        return f"{names[0]} posted this week"
    return f"{', '.join(names[:-1])} and {names[-1]} posted this week"
