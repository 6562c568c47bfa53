### -e tcp6:9000
listen
ask TCP6:[2001:db8::1]:9000
ask TCP4:192.0.2.1:9000

### -e tcp6:9000:interface={::1}
listen
ask TCP6:[::1]:9000

### -d tcp6:[fe80::1%eth0]:9000
ip link add eth0 type veth peer name eth1
ip link set eth0 up
ip link set eth1 up
ip address add fe80::1/64 dev eth0 nodad
echo_at [fe80::1%eth0] 9000
through
