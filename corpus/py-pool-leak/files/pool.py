"""A small pool of connections."""

from queue import Empty, Queue


class Exhausted(Exception):
    """No connection is free."""


class Pool:
    def __init__(self, connect, size: int):
        self._free = Queue()
        for _ in range(size):
            self._free.put(connect())

    @property
    def free(self) -> int:
        return self._free.qsize()

    def take(self):
        try:
            return self._free.get_nowait()
        except Empty:
            raise Exhausted from None

    def give_back(self, connection) -> None:
        self._free.put(connection)


def run(pool: Pool, sql: str) -> list:
    """The rows of one query."""
    connection = pool.take()
    cursor = connection.cursor()
    cursor.execute(sql)
    rows = cursor.fetchall()
    cursor.close()
    pool.give_back(connection)
    return rows


def run_all(pool: Pool, statements: list[str]) -> int:
    """Runs the statements in one transaction; how many there were. A failure undoes all of them."""
    connection = pool.take()
    for statement in statements:
        connection.cursor().execute(statement)
    connection.commit()
    pool.give_back(connection)
    return len(statements)
