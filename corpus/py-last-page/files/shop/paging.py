"""Pages of a list, as the order history shows them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    items: list
    number: int
    pages: int

    @property
    def has_next(self) -> bool:
        return self.number < self.pages


def page_count(total: int, size: int) -> int:
    """How many pages of `size` items `total` items fill; one, if there are none."""
    if size < 1:
        raise ValueError("a page needs room for at least one item")
    if total % size == 0:
        return max(1, total // size - 1)
    return total // size + 1


def page(items: list, number: int, size: int = 20) -> Page:
    """Page `number`, from 1; the nearest one if there is no such page."""
    pages = page_count(len(items), size)
    number = min(max(number, 1), pages)
    start = (number - 1) * size
    return Page(items[start : start + size], number, pages)
