### -d zero
ours 9000 "$example"
same "$(socat -u TCP:127.0.0.1:9000 - 2>>log | head -c 100000 | tr '\0' x | wc -c || :)" 100000

### -e zero
endpointforward -e "$example" -d 'process:sh:-c:{head -c 100000 >/tmp/zeros}' 2>>log || :
same "$(tr '\0' x <zeros | wc -c)" 100000
