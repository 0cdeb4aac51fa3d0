"""What is due today."""

from datetime import date, datetime, timedelta, timezone


def local_zone(offset_minutes: int) -> timezone:
    """The user's zone, as their profile has it: minutes east of UTC."""
    return timezone(timedelta(minutes=offset_minutes))


def today(now: datetime, offset_minutes: int) -> date:
    """The user's date at the moment `now`, which must know its zone."""
    if now.tzinfo is None:
        raise ValueError("now has no time zone")
    return now.replace(tzinfo=local_zone(offset_minutes)).date()


def due(tasks: dict[str, date], now: datetime, offset_minutes: int) -> list[str]:
    """The tasks that are due on the user's today, by name."""
    day = today(now, offset_minutes)
    return sorted(name for name, on in tasks.items() if on == day)
