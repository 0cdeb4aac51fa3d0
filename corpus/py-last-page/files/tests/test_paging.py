import unittest

from shop.paging import page, page_count


class Paging(unittest.TestCase):
    def test_pages_that_do_not_come_out_even(self):
        self.assertEqual([page_count(total, 20) for total in (0, 1, 19, 21, 41)], [1, 1, 1, 2, 3])

    def test_pages_that_come_out_even(self):
        self.assertEqual([page_count(total, 20) for total in (20, 40, 60)], [1, 2, 3])

    def test_every_item_is_on_some_page(self):
        items = list(range(40))
        seen = page(items, 1).items + page(items, 2).items
        self.assertEqual(seen, items)

    def test_the_first_of_two_full_pages_has_a_next_one(self):
        self.assertTrue(page(list(range(40)), 1).has_next)
        self.assertFalse(page(list(range(40)), 2).has_next)


if __name__ == "__main__":
    unittest.main()
