### -d serial:/dev/ttyUSB0:baud=115200
device /dev/ttyUSB0 EXEC:cat
ours 9000 "$example"
receive TCP:127.0.0.1:9000
grep -q . <(stty -F /dev/ttyUSB0 -a) || :

### -d serial:/dev/ttyS0:9600:bytesize=7:parity=E:stopbits=1:rtscts=true
device /dev/ttyS0 EXEC:cat
ours 9000 "$example"
receive TCP:127.0.0.1:9000

### -d serial:/dev/ttyUSB0:4800:framing=lines
device /dev/ttyUSB0 EXEC:cat
ours ws:9000 "$example"
same "$(ws ws://127.0.0.1:9000/ '$GPGGA,123519')" '$GPGGA,123519'

### -e serial:/dev/ttyACM0:exclusive=false
device /dev/ttyACM0 PTY,link=/tmp/modem,raw,echo=0
endpointforward -e "$example" -d echo 2>>log &
wait_for grep -q "open " log
receive FILE:/tmp/modem,raw,echo=0
: </dev/ttyACM0

### -e serial:/dev/ttyUSB0:9600
device /dev/ttyUSB0 PTY,link=/tmp/modem,raw,echo=0
endpointforward -e "$example" -d 9001 2>>log &
wait_for grep -q 'connection refused' log
echo_at 127.0.0.1 9001
receive FILE:/tmp/modem,raw,echo=0
