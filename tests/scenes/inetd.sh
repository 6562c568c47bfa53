### -e inetd
socat -t20 TCP4-LISTEN:9000,bind=127.0.0.1,fork EXEC:'endpointforward -e inetd -d echo' 2>>log &
wait_for open_port 9000
ask TCP:127.0.0.1:9000
