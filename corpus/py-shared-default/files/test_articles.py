import unittest

from articles import Article, tagged


class Articles(unittest.TestCase):
    def test_an_article_has_its_own_tags(self):
        first, second = Article("a"), Article("b")
        first.tag("news")
        self.assertEqual(second.tags, [])

    def test_the_callers_list_is_left_alone(self):
        given = ["draft"]
        article = tagged("a", "some news", {"news"}, given)
        article.tag("later")
        self.assertEqual((article.tags, given), (["draft", "news", "later"], ["draft"]))

    def test_words_of_one_do_not_tag_another(self):
        tagged("a", "sport today", {"sport"})
        self.assertEqual(tagged("b", "nothing", {"sport"}).tags, [])


if __name__ == "__main__":
    unittest.main()
