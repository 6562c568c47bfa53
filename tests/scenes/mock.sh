### -d mock:{w PING\r\n|r PONG\r\n|eof}
through $'PING\r\n' $'PONG\r'

### -e mock:r hello|fin|r bye
endpointforward -e "$example" -d 'process:sh:-c:{head -c5 >/tmp/got; exec >&-; cat >>/tmp/got}' 2>>log
same "$(cat got)" hellobye
