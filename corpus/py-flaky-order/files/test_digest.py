import unittest

from digest import headline

POSTS = [{"author": name} for name in ("Noor", "Ada", "Noor", "Linus", "Grace")]


class Digest(unittest.TestCase):
    def test_everybody_is_named_in_order(self):
        self.assertEqual(headline(POSTS), "Noor, Ada, Linus and Grace posted this week")

    def test_nobody_and_one(self):
        self.assertEqual(headline([]), "Nobody posted this week")
        self.assertEqual(headline(POSTS[:1]), "Noor posted this week")


if __name__ == "__main__":
    unittest.main()
