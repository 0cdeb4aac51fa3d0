# Reads a host's settings: host NAME
host() {
    . "$ROOT/hosts/$1.conf"
}

remote() {
    ssh "$HOST_USER@$HOST_ADDRESS" "$@"
}
