from collections import defaultdict
from decimal import Decimal

from billing.tax import RATES


def monthly(invoices) -> Decimal:
    """The gross amount of all invoices of a month."""
    nets = defaultdict(Decimal)
    for lines in invoices:
        for net, kind in lines:
            nets[kind] += net
    return sum((net * (1 + RATES[kind]) for kind, net in nets.items()), Decimal()).quantize(Decimal("0.01"))
