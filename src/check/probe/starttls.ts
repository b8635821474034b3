/** Which protocol speaks first on which port. */
import type { StarttlsProtocol } from './record.ts'

const protocolOfPort: Readonly<Record<number, StarttlsProtocol>> = {
  21: 'ftp',
  25: 'smtp',
  110: 'pop3',
  143: 'imap',
  389: 'ldap',
  587: 'smtp',
  3306: 'mysql',
  4222: 'nats',
  5222: 'xmpp',
  5269: 'xmpp',
  5432: 'postgres',
}

/** The protocol that by custom begins in clear on this port; undefined: TLS from the first byte. */
export function guessStarttls(port: number): StarttlsProtocol | undefined {
  return protocolOfPort[port]
}
