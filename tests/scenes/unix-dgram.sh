### -e unix-dgram:/run/app.dgram:mode=660
listen
same "$(stat -c %a /run/app.dgram)" 660
receive UNIX-SENDTO:/run/app.dgram,bind=/run/client

### -d unix-dgram:/dev/log
socat -u UNIX-RECV:/dev/log - >got 2>>log &
wait_for test -S /dev/log
printf '<13>ping' | endpointforward -e stdio -d "$example" 2>>log &
wait_for grep -qF '<13>ping' got
