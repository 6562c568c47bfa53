"""Keys and tokens as websockify's users make them, by jwcrypto.

websockify_tokens.py FOLDER HOST PORT: writes FOLDER/ALG.key for each algorithm, and prints lines `ALG NAME TOKEN`.
"""

import sys
import time

from jwcrypto import jwk, jwt

FOLDER, HOST, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])


def key(alg):
    if alg == "HS256":
        return jwk.JWK.generate(kty="oct", size=256)
    if alg == "RS256":
        return jwk.JWK.generate(kty="RSA", size=2048)
    return jwk.JWK.generate(kty="EC", crv={"ES256": "P-256", "ES384": "P-384"}[alg])


def shown(made):
    return made.export(as_dict=True)["k"].encode() if made["kty"] == "oct" else made.export_to_pem()


def signed(by, alg, claims, **header):
    token = jwt.JWT(header={"alg": alg, **header}, claims=claims)
    token.make_signed_token(by)
    return token.serialize()


now = int(time.time())
to = {"host": HOST, "port": PORT}
CLAIMS = {
    "plain": to,
    "port-text": {**to, "port": str(PORT)},
    "expires": {**to, "exp": now + 600},
    "valid": {**to, "nbf": now - 600, "exp": now + 600},
    "expired": {**to, "exp": now - 600},
    "early": {**to, "nbf": now + 600},
    "more": {**to, "iss": "somebody", "sub": "ada", "iat": now},
    "no-port": {"host": HOST},
    "no-host": {"port": PORT},
    "nothing": {},
    "audience": {**to, "aud": "vnc"},
}

for alg in ("HS256", "RS256", "ES256", "ES384"):
    own = key(alg)
    with open(f"{FOLDER}/{alg}.key", "wb") as file:
        file.write(shown(own))
    for name, claims in CLAIMS.items():
        print(alg, name, signed(own, alg, claims))
    print(alg, "kid", signed(own, alg, to, kid="a"))
    print(alg, "other", signed(key(alg), alg, to))
    good = signed(own, alg, to)
    print(alg, "unsigned", good[: good.rindex(".") + 1])
    print(alg, "changed", good[:-8] + "AAAAAAAA")
    print(alg, "rubbish", "a.b.c")
    if alg == "HS256":
        hidden = jwt.JWT(header={"alg": "A256KW", "enc": "A256CBC-HS512"}, claims=good)
        hidden.make_encrypted_token(own)
        print(alg, "encrypted", hidden.serialize())
