from decimal import Decimal

from billing.tax import vat


def total(lines) -> Decimal:
    """The gross amount of an invoice: lines are (net, kind)."""
    return sum((net + vat(net, kind) for net, kind in lines), Decimal())
