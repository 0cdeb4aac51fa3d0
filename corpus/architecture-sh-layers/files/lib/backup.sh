. "$ROOT/lib/host.sh"

backup_name() {
    date +%Y-%m-%d
}

backup_keep() {
    [ "$HOST_ADDRESS" = 10.0.0.7 ] && echo 30 || echo 7
}
