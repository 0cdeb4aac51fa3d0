//! Which addresses are the public internet, and which nobody may ever reach from a sandbox. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are no part of the public internet (RFC 6890), and one public address that a cloud answers its
/// machines from.
const NOT_PUBLIC: &[([u8; 4], u8)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([168, 63, 129, 16], 32),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
];

/// Networks within the global part of IPv6 (2000::/3) that are not public: special assignments with Teredo, 6to4, which
/// leads to any IPv4 address, and documentation.
const NOT_PUBLIC_6: &[([u16; 2], u8)] =
    &[([0x2001, 0], 23), ([0x2001, 0x0db8], 32), ([0x2002, 0], 16), ([0x3fff, 0], 20)];

/// Whether `ip` belongs to the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match plain(ip) {
        IpAddr::V4(ip) => !NOT_PUBLIC.iter().any(|(net, bits)| within(ip, Ipv4Addr::from(*net), *bits)),
        IpAddr::V6(ip) => {
            let within = |[first, second]: [u16; 2], bits: u8| {
                let net = u32::from(first) << 16 | u32::from(second);
                let own = (ip.to_bits() >> 96) as u32;
                (own ^ net) >> (32 - u32::from(bits)) == 0
            };
            within([0x2000, 0], 3) && !NOT_PUBLIC_6.iter().any(|(net, bits)| within(*net, *bits))
        }
    }
}

/// Whether `ip` is never reached, whoever permits it: link-local addresses, where clouds serve credentials and metadata,
/// and what names no single host.
pub fn is_forbidden(ip: IpAddr) -> bool {
    match plain(ip) {
        IpAddr::V4(ip) => {
            ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip == Ipv4Addr::new(168, 63, 129, 16)
                || ip == Ipv4Addr::new(100, 100, 100, 200)
                || ip == Ipv4Addr::new(192, 0, 0, 192)
        }
        IpAddr::V6(ip) => {
            let ec2 = ip.segments()[..2] == [0xfd00, 0x0ec2];
            ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast() || ec2
        }
    }
}

/// The IPv4 address that an IPv6 address stands for, mapped or behind a NAT64; any other address as it is.
pub fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = ip else { return ip };
    let last = Ipv4Addr::from_bits(six.to_bits() as u32);
    match six.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x0064, 0xff9b, 0, 0, 0, 0, ..] => last.into(),
        // The form that RFC 4291 gave up, but for :: and ::1.
        [0, 0, 0, 0, 0, 0, ..] if six != Ipv6Addr::UNSPECIFIED && six != Ipv6Addr::LOCALHOST => last.into(),
        _ => ip,
    }
}

/// Whether `ip` begins with the first `bits` of `net`.
pub fn within(ip: Ipv4Addr, net: Ipv4Addr, bits: u8) -> bool {
    (ip.to_bits() ^ net.to_bits()).checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips<'a>(list: &'a [&'a str]) -> impl Iterator<Item = IpAddr> + 'a {
        list.iter().map(|ip| ip.parse().unwrap())
    }

    #[test]
    fn what_is_near_is_not_public() {
        let near = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.192",
            "198.19.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:169.254.170.2",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "2001::1",
            "2001:db8::1",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "100::1",
        ];
        for ip in ips(&near) {
            assert!(!is_public(ip), "{ip}");
        }
    }

    #[test]
    fn what_is_far_is_public() {
        let far = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "2001:4860::8888",
            "64:ff9b::1.1.1.1",
            "::ffff:1.1.1.1",
        ];
        for ip in ips(&far) {
            assert!(is_public(ip) && !is_forbidden(ip), "{ip}");
        }
    }

    #[test]
    fn credentials_and_metadata_are_never_reached() {
        let never = [
            "169.254.170.2",
            "169.254.169.254",
            "169.254.0.0",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.170.2",
            "fd00:ec2::254",
            "fe80::1",
            "168.63.129.16",
            "100.100.100.200",
            "0.0.0.0",
            "::",
            "255.255.255.255",
        ];
        for ip in ips(&never) {
            assert!(is_forbidden(ip), "{ip}");
        }
        for ip in ips(&["127.0.0.1", "10.0.0.1", "::1", "fd00::1"]) {
            assert!(!is_forbidden(ip), "{ip}");
        }
    }
}
