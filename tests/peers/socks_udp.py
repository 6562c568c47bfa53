# Sends datagrams through a SOCKS 5 proxy: PORT USER PASSWORD TARGET..., where `-` is no user. Each target echoes.

import sys

import socks

port, user, password, *targets = sys.argv[1:]
sock = socks.socksocket(socks.socket.AF_INET, socks.socket.SOCK_DGRAM)
sock.settimeout(20)
user, password = (None if text == "-" else text for text in (user, password))
sock.set_proxy(socks.SOCKS5, "127.0.0.1", int(port), username=user, password=password)
# This is what asks the proxy.
sock.bind(("", 0))
for target in targets:
    # An answer says whose it is.
    place = ("127.0.0.1", int(target))
    for size in (0, 1, 9000, 65000):
        data = bytes(range(256)) * 256
        sock.sendto(data[:size], place)
        answer, sender = sock.recvfrom(70000)
        assert answer == data[:size], (size, len(answer))
        assert sender == place, sender
        print("ok", size)
