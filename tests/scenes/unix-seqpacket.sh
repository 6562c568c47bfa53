### -e unix-seqpacket:/run/app.seq
listen
receive UNIX-CONNECT:/run/app.seq,socktype=5

### -d unix-seqpacket:@app
socat -t1 ABSTRACT-LISTEN:app,socktype=5,fork SYSTEM:'head -c4',pipes 2>>log &
wait_for grep -q @app /proc/net/unix
through
