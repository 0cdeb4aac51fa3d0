import sqlite3
import unittest

from crm import SCHEMA, search


class Search(unittest.TestCase):
    def setUp(self):
        self.db = sqlite3.connect(":memory:")
        self.addCleanup(self.db.close)
        self.db.execute(SCHEMA)
        rows = [
            ("acme", "Ann O'Hara", "Cork"),
            ("acme", "Bob 100% Ltd", "Aarhus"),
            ("acme", "Zoe_Q", "Bonn"),
            ("globex", "Secret Customer", "Nowhere"),
        ]
        self.db.executemany("insert into customers (tenant, name, city) values (?, ?, ?)", rows)

    def test_names_are_found_and_sorted(self):
        self.assertEqual(search(self.db, "acme", "o"), ["Ann O'Hara", "Bob 100% Ltd", "Zoe_Q"])
        self.assertEqual(search(self.db, "acme", "o", "city")[0], "Bob 100% Ltd")

    def test_a_quote_is_a_letter_like_others(self):
        self.assertEqual(search(self.db, "acme", "O'H"), ["Ann O'Hara"])

    def test_the_term_cannot_leave_its_place(self):
        self.assertEqual(search(self.db, "acme", "' or tenant = 'globex' --"), [])
        self.assertEqual(search(self.db, "acme' or '1' = '1", ""), [])

    def test_only_columns_can_be_sorted_by(self):
        with self.assertRaises(ValueError):
            search(self.db, "acme", "", "(select name from customers where tenant = 'globex')")

    def test_wildcards_are_letters(self):
        self.assertEqual(search(self.db, "acme", "0%"), ["Bob 100% Ltd"])
        self.assertEqual(search(self.db, "acme", "_"), ["Zoe_Q"])


if __name__ == "__main__":
    unittest.main()
