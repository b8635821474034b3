/** HAProxy: takes a `.ocsp` file beside the certificate, a push over its socket, or since 2.8 asks by itself. */
import type { RemedyFacts, ServerRemedies } from './contract.ts'

const reload = 'systemctl reload haproxy'

export const haproxy: ServerRemedies = {
  kind: 'haproxy',
  switchOn: (facts) => ({
    server: 'haproxy',
    kind: 'commands',
    text: 'A DER response beside the certificate, by the same name and `.ocsp`, is stapled; it is read at start and reload. The PEM holds the intermediate, too. Since 2.8 HAProxy can ask by itself: `ocsp-update on` for the certificate in a crt-list, since 3.0 `ocsp-update.mode on` in `global`.',
    lines: [fetchBeside(facts), reload],
  }),
  renew: (facts) => ({
    server: 'haproxy',
    kind: 'commands',
    text: 'HAProxy checks no signature in the file and keeps it until its nextUpdate. Fetch a new one at least twice in its life; the last line puts it in without a reload.',
    lines: [
      fetchBeside(facts),
      `echo "set ssl ocsp-response $(base64 -w0 ${certificate(facts)}.ocsp)" | socat - /run/haproxy/admin.sock`,
    ],
  }),
  everyHandshake: (facts) => ({
    server: 'haproxy',
    kind: 'commands',
    text: 'With the file there before the start, the first handshake is stapled. A bundle of an RSA and an ECDSA certificate has one each: NAME.pem.rsa.ocsp and NAME.pem.ecdsa.ocsp.',
    lines: [fetchBeside(facts), reload],
  }),
  sendChain: (facts) => ({
    server: 'haproxy',
    kind: 'configuration',
    text: 'Let the PEM hold the leaf first, then its intermediates, then the key.',
    lines: [`bind :443 ssl crt ${certificate(facts)}`],
  }),
  reachResponder: () => ({
    server: 'haproxy',
    kind: 'configuration',
    text: 'Only for `ocsp-update`: a proxy, in `global`.',
    lines: ['ocsp-update.httpproxy proxy.example.net:3128'],
  }),
}

function certificate({ name }: RemedyFacts): string {
  return `/etc/haproxy/certs/${name}.pem`
}

function fetchBeside(facts: RemedyFacts): string {
  return `staplewright fetch ${certificate(facts)} --out ${certificate(facts)}.ocsp`
}
