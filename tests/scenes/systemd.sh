### -e systemd:web
systemd-socket-activate -l 127.0.0.1:9000 -l 127.0.0.1:9001 --fdname=web:web endpointforward -e "$example" -d echo 2>>log &
wait_for open_port 9001
ask TCP:127.0.0.1:9000
ask TCP:127.0.0.1:9001

### -e systemd:index=0
systemd-socket-activate -l 127.0.0.1:9000 endpointforward -e "$example" -d echo 2>>log &
wait_for open_port 9000
ask TCP:127.0.0.1:9000

### -e systemd:domain=INET:index=0
systemd-socket-activate -l 127.0.0.1:9000 endpointforward -e "$example" -d echo 2>>log &
wait_for open_port 9000
ask TCP:127.0.0.1:9000
