import tempfile
import unittest
from pathlib import Path

from files import Refused, resolve


class Downloads(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)
        self.shared = root / "shared"
        (self.shared / "2024").mkdir(parents=True)
        (self.shared / "2024" / "report.pdf").write_text("report")
        (self.shared / "a..b.txt").write_text("dots")
        (root / "secret.txt").write_text("secret")
        (root / "shared-too").mkdir()
        (root / "shared-too" / "x.txt").write_text("neighbour")
        (self.shared / "link.txt").symlink_to(root / "secret.txt")
        (self.shared / "latest.pdf").symlink_to("2024/report.pdf")

    def refused(self, wanted):
        with self.assertRaises(Refused, msg=wanted):
            resolve(self.shared, wanted)

    def test_what_lies_in_the_folder_is_served(self):
        self.assertEqual(resolve(self.shared, "2024/report.pdf").read_text(), "report")
        self.assertEqual(resolve(self.shared, "a..b.txt").read_text(), "dots")
        self.assertEqual(resolve(self.shared, "latest.pdf").read_text(), "report")

    def test_nothing_above_it(self):
        for wanted in ("../secret.txt", "2024/../../secret.txt", "../shared-too/x.txt"):
            self.refused(wanted)

    def test_no_full_path_and_no_folder(self):
        self.refused(str(self.shared.parent / "secret.txt"))
        self.refused("2024")
        self.refused("")

    def test_no_link_that_leads_out(self):
        self.refused("link.txt")


if __name__ == "__main__":
    unittest.main()
