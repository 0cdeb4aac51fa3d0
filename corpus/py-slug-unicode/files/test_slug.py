import unittest

from slug import slug


class Slugs(unittest.TestCase):
    def test_plain_titles(self):
        self.assertEqual(slug("Hello, World!"), "hello-world")
        self.assertEqual(slug("  2024: a review "), "2024-a-review")

    def test_both_spellings_of_a_letter_are_one(self):
        self.assertEqual(slug("Cafe\u0301 noir"), "caf\u00e9-noir")
        self.assertEqual(slug("Caf\u00e9 noir"), "caf\u00e9-noir")

    def test_other_scripts_stay(self):
        self.assertEqual(slug("Привет, мир"), "привет-мир")
        self.assertEqual(slug("東京 2024"), "東京-2024")

    def test_case_is_folded_in_every_script(self):
        self.assertEqual(slug("STRASSE"), slug("Straße"))

    def test_underscores_separate_words(self):
        self.assertEqual(slug("snake_case"), "snake-case")


if __name__ == "__main__":
    unittest.main()
