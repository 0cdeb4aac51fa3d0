"""Customers of one tenant."""

import sqlite3

SCHEMA = "create table customers (id integer primary key, tenant text not null, name text not null, city text not null)"


def search(db: sqlite3.Connection, tenant: str, term: str, order_by: str = "name") -> list[str]:
    """The names of the tenant's customers that contain `term`, in the order of a column."""
    sql = f"select name from customers where tenant = '{tenant}' and name like '%{term}%' order by {order_by}"
    return [name for (name,) in db.execute(sql)]
