// nats-server on one processor (GOMAXPROCS=1), with TLS of its own or in the clear behind a front. No
// JetStream, no users.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { programVersion } from '../../kit/machine.mjs'

export const natsServer = {
  version: () => programVersion('nats-server', ['-v'], /v(\d+\.\d+\.\d+)/),
  program({ port, monitorPort, directory, material }) {
    mkdirSync(directory, { recursive: true })
    const config = path.join(directory, 'nats.conf')
    const tls = material
      ? `ocsp: { mode: always }\ntls { cert_file: "${material.chainFile}", key_file: "${material.keyFile}", timeout: 20 }`
      : ''
    writeFileSync(
      config,
      `listen: "127.0.0.1:${port}"
http: "127.0.0.1:${monitorPort}"
store_dir: "${directory}"
${tls}
`,
    )
    return { command: 'nats-server', args: ['-c', config], env: { GOMAXPROCS: '1' }, port }
  },
}
