from decimal import ROUND_HALF_UP, Decimal

RATES = {"standard": Decimal("0.19"), "reduced": Decimal("0.07")}
CENT = Decimal("0.01")


def vat(net: Decimal, kind: str) -> Decimal:
    return (net * RATES[kind]).quantize(CENT, ROUND_HALF_UP)
