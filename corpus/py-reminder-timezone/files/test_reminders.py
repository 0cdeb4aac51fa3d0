import unittest
from datetime import date, datetime, timedelta, timezone

from reminders import due, today

TASKS = {"water plants": date(2024, 3, 10), "pay rent": date(2024, 3, 11)}


class Reminders(unittest.TestCase):
    def test_at_greenwich_the_day_is_utcs(self):
        self.assertEqual(due(TASKS, datetime(2024, 3, 11, 0, 30, tzinfo=timezone.utc), 0), ["pay rent"])

    def test_in_the_evening_in_new_york_it_is_still_the_tenth(self):
        self.assertEqual(due(TASKS, datetime(2024, 3, 11, 2, 0, tzinfo=timezone.utc), -240), ["water plants"])

    def test_in_the_morning_in_tokyo_it_is_already_the_eleventh(self):
        self.assertEqual(due(TASKS, datetime(2024, 3, 10, 22, 0, tzinfo=timezone.utc), 540), ["pay rent"])

    def test_the_moment_may_be_given_in_any_zone(self):
        kolkata = timezone(timedelta(hours=5, minutes=30))
        self.assertEqual(today(datetime(2024, 3, 11, 3, 0, tzinfo=kolkata), 0), date(2024, 3, 10))

    def test_a_moment_without_a_zone_is_refused(self):
        with self.assertRaises(ValueError):
            today(datetime(2024, 3, 11), 0)


if __name__ == "__main__":
    unittest.main()
