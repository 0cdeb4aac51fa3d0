import sqlite3
import tempfile
import unittest
from pathlib import Path

from pool import Exhausted, Pool, run, run_all


class Pools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "db"
        self.pool = Pool(lambda: sqlite3.connect(path), 2)
        run_all(self.pool, ["create table t (n integer)"])

    def test_a_query_gives_its_connection_back(self):
        self.assertEqual(run(self.pool, "select 1"), [(1,)])
        self.assertEqual(self.pool.free, 2)

    def test_a_query_that_fails_does_too(self):
        for _ in range(5):
            with self.assertRaises(sqlite3.OperationalError):
                run(self.pool, "select nonsense")
        self.assertEqual(self.pool.free, 2)

    def test_a_transaction_that_fails_is_undone_and_gives_back(self):
        with self.assertRaises(sqlite3.OperationalError):
            run_all(self.pool, ["insert into t values (1)", "nonsense"])
        self.assertEqual(self.pool.free, 2)
        self.assertEqual([run(self.pool, "select count(*) from t") for _ in range(2)], [[(0,)], [(0,)]])

    def test_an_empty_pool_says_so(self):
        self.pool.take(), self.pool.take()
        with self.assertRaises(Exhausted):
            run(self.pool, "select 1")


if __name__ == "__main__":
    unittest.main()
