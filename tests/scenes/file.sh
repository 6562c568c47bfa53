### -d file:/etc/motd
echo welcome >/etc/motd
through '' welcome

### -d file:/var/log/syslog:follow=true:from=end:framing=lines
echo old >/var/log/syslog
ours ws:9000 "$example"
ws ws://127.0.0.1:9000/ '' >got &
(until grep -q line got; do echo "new line" >>/var/log/syslog; sleep 0.05; done)
same "$(cat got)" "new line"

### -d file:/tmp/received:access=append:create=640
through one ''
through two ''
same "$(cat /tmp/received)" onetwo
same "$(stat -c %a /tmp/received)" 640

### -e file:./script.nc
printf 'G0 X1\n' >script.nc
same "$(endpointforward -e "$example" -d 'file:/tmp/got:access=append:create=600' 2>>log; cat got)" 'G0 X1'
