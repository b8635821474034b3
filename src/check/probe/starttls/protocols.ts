/** The protocols that begin in clear: how each is opened, and on which port it is by custom. */
import type { StarttlsProtocol } from '../record.ts'
import { openFtp } from './ftp.ts'
import { openImap } from './imap.ts'
import { openLdap } from './ldap.ts'
import { openMysql } from './mysql.ts'
import { openNats } from './nats.ts'
import type { Opening } from './opening.ts'
import { openPop3 } from './pop3.ts'
import { openPostgres } from './postgres.ts'
import { openSmtp } from './smtp.ts'
import { openXmpp } from './xmpp.ts'

interface Protocol {
  readonly open: Opening
  readonly ports: readonly number[]
  /** Servers of this kind that keep strangers waiting on purpose get this many times as long; default once. */
  readonly patience?: number
}

export const protocols: Readonly<Record<StarttlsProtocol, Protocol>> = {
  // Postfix's postscreen holds its greeting back for 6 s, to catch those that speak before
  smtp: { open: openSmtp, ports: [25, 587], patience: 2 },
  imap: { open: openImap, ports: [143] },
  pop3: { open: openPop3, ports: [110] },
  ftp: { open: openFtp, ports: [21] },
  ldap: { open: openLdap, ports: [389] },
  postgres: { open: openPostgres, ports: [5432] },
  mysql: { open: openMysql, ports: [3306] },
  xmpp: { open: openXmpp, ports: [5222, 5269] },
  nats: { open: openNats, ports: [4222] },
}

const protocolOfPort = new Map(
  Object.entries(protocols).flatMap(([name, { ports }]) => ports.map((port) => [port, name as StarttlsProtocol])),
)

/** The protocol that by custom begins in clear on this port; undefined: TLS from the first byte. */
export function guessStarttls(port: number): StarttlsProtocol | undefined {
  return protocolOfPort.get(port)
}
