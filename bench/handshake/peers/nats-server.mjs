// nats-server on one processor (GOMAXPROCS=1). Its client port speaks first in the clear, and handshake_first is
// not in Debian's 2.9, so the https monitoring port is measured: TLS from the first byte, with the client port's
// own TLS configuration and staple (mode always; fetched from the responder on loopback while starting).
// The WebSocket listener of 2.9 does not staple. No ca_file: with one, 2.9 takes a certificate of that file for
// the issuer, which in a chain of three is the wrong one.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { programVersion } from '../../kit/machine.mjs'

export const natsServer = {
  name: 'nats-server',
  version: () => programVersion('nats-server', ['-v'], /v(\d+\.\d+\.\d+)/),
  isAble: (door) => door === 'attach',
  program({ isStapled, port, sparePort, material, directory }) {
    mkdirSync(directory, { recursive: true })
    const config = path.join(directory, 'nats.conf')
    writeFileSync(
      config,
      `listen: "127.0.0.1:${sparePort}"
https: "127.0.0.1:${port}"
store_dir: "${directory}"
ocsp: ${isStapled ? '{ mode: always }' : 'false'}
tls { cert_file: "${material.chainFile}", key_file: "${material.keyFile}" }
`,
    )
    return { command: 'nats-server', args: ['-c', config], env: { GOMAXPROCS: '1' }, port }
  },
}
