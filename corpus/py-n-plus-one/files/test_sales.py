import sqlite3
import unittest

from sales import SCHEMA, report


class Report(unittest.TestCase):
    def setUp(self):
        self.db = sqlite3.connect(":memory:")
        self.addCleanup(self.db.close)
        self.db.executescript(SCHEMA)
        self.db.executemany("insert into products values (?, ?)", [(1, 250), (2, 1999)])
        orders = [(n, f"c{n % 5}") for n in range(50)] + [(50, "nobody")]
        self.db.executemany("insert into orders values (?, ?)", orders)
        lines = [(n, 1 + n % 2, 1 + n % 3) for n in range(50) for _ in range(2)]
        self.db.executemany("insert into lines values (?, ?, ?)", lines)
        self.queries = []
        self.db.set_trace_callback(self.queries.append)

    def test_the_result(self):
        expected = {"c2": 48978, "c1": 48478, "c0": 44480, "c4": 41482, "c3": 40982, "nobody": 0}
        self.assertEqual(list(report(self.db).items()), list(expected.items()))

    def test_two_queries_are_enough(self):
        report(self.db)
        self.assertLessEqual(len(self.queries), 2)


if __name__ == "__main__":
    unittest.main()
