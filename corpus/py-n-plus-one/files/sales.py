"""What was sold, by customer."""

import sqlite3

SCHEMA = """
create table orders (id integer primary key, customer text not null);
create table lines (order_id integer not null, product_id integer not null, quantity integer not null);
create table products (id integer primary key, cents integer not null);
"""


def report(db: sqlite3.Connection) -> dict[str, int]:
    """Cents per customer, largest first; customers without lines have 0. Ties go by name."""
    totals: dict[str, int] = {}
    for order_id, customer in db.execute("select id, customer from orders").fetchall():
        totals.setdefault(customer, 0)
        lines = db.execute("select product_id, quantity from lines where order_id = ?", (order_id,)).fetchall()
        for product_id, quantity in lines:
            (cents,) = db.execute("select cents from products where id = ?", (product_id,)).fetchone()
            totals[customer] += cents * quantity
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))
