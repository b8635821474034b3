/** Caddy: staples by itself, keeps responses in its storage, and checks little of what it reads there. */
import type { ServerRemedies } from './contract.ts'

export const caddy: ServerRemedies = {
  kind: 'caddy',
  switchOn: () => ({
    server: 'caddy',
    text: 'Caddy staples by itself unless `ocsp_stapling off` stands in the global options: remove that. Its log says what it tried (`no OCSP stapling for ...`). It needs the intermediate in the file behind `tls`, or one to fetch by caIssuers.',
  }),
  renew: () => ({
    server: 'caddy',
    kind: 'commands',
    text: 'Caddy serves what lies in its storage even when it is stale or for another certificate: empty that, and restart.',
    lines: ['rm -f /var/lib/caddy/.local/share/caddy/ocsp/*', 'systemctl restart caddy'],
  }),
  switchOff: () => ({
    server: 'caddy',
    text: 'Nothing to do: Caddy says it once at debug level.',
  }),
  sendChain: () => ({
    server: 'caddy',
    kind: 'configuration',
    text: 'Let the first file hold the leaf first, then its intermediates.',
    lines: ['tls /etc/caddy/fullchain.pem /etc/caddy/key.pem'],
  }),
  reachResponder: () => ({
    server: 'caddy',
    kind: 'commands',
    text: 'Caddy takes the proxy of its environment: `systemctl edit caddy`, add the lines, restart.',
    lines: ['[Service]', 'Environment=HTTP_PROXY=http://proxy.example.net:3128'],
  }),
}
