# One line per item, then the subtotal, the discount and the total. Amounts are whole cents until they are printed.

function money(cents) {
    return sprintf("%d.%02d", int(cents / 100), cents % 100)
}

function discount(cents, percent) {
    return int(cents * percent / 100)
}

NF == 3 {
    amount = $2 * $3
    subtotal += amount
    printf "%-12s %3d x %8s %10s\n", $1, $2, money($3), money(amount)
}

END {
    off = discount(subtotal, percent)
    printf "%-27s %10s\n", "subtotal", money(subtotal)
    printf "%-27s %10s\n", "discount " percent "%", money(off)
    printf "%-27s %10s\n", "total", money(subtotal - off)
}
