### -e udp:5353:interface=127.0.0.1
listen
ask_udp 127.0.0.1 5353

### -e udp:5000:idle=5m:max-peers=100
listen
ask_udp 192.0.2.1 5000 one
ask_udp 127.0.0.1 5000 two

### -e udp:5000:multicast={239.1.2.3,127.0.0.1}
listen
receive UDP4-DATAGRAM:239.1.2.3:5000,ip-multicast-if=127.0.0.1
ask_udp 192.0.2.1 5000

### -d udp:192.0.2.53:53
names_at 192.0.2.53
ours udp:5300:interface=127.0.0.1 "$example"
dig_at 127.0.0.1 5300

### -d udp:${target.host}:${target.port}:allow={192.0.2.53:53}
names_at 192.0.2.53
ours socks5:1080 "$example"
endpointforward -e udp:5300:interface=127.0.0.1 -d 'udp:192.0.2.53:53:via={socks5://127.0.0.1:1080}' 2>>log &
wait_for open_udp 5300
dig_at 127.0.0.1 5300

### -d udp://[2001:db8::1]:514
echo_udp_at 2001:db8::1 514
ours udp:5300:interface=127.0.0.1 "$example"
ask_udp 127.0.0.1 5300
