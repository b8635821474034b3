// Caddy on one processor (GOMAXPROCS=1), certificate loaded from files; it fetches its staple from the responder
// on loopback while starting. HTTP/3 is off: it has no part in a TCP handshake.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { programVersion } from '../../kit/machine.mjs'

export const caddy = {
  name: 'Caddy',
  version: () => programVersion('caddy', ['version'], /v?(\d+\.\d+\.\d+)/),
  isAble: (door) => door === 'attach',
  program({ isStapled, port, material, directory }) {
    mkdirSync(directory, { recursive: true })
    const config = path.join(directory, 'caddy.json')
    writeFileSync(
      config,
      JSON.stringify({
        admin: { disabled: true },
        apps: {
          http: {
            servers: {
              bench: {
                listen: [`127.0.0.1:${port}`],
                protocols: ['h1', 'h2'],
                automatic_https: { disable: true },
                tls_connection_policies: [{ default_sni: 'localhost' }],
                routes: [{ handle: [{ handler: 'static_response', status_code: 200 }] }],
              },
            },
          },
          tls: {
            disable_ocsp_stapling: !isStapled,
            certificates: { load_files: [{ certificate: material.chainFile, key: material.keyFile }] },
          },
        },
      }),
    )
    const env = { GOMAXPROCS: '1', XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory, HOME: directory }
    return { command: 'caddy', args: ['run', '--config', config], env, port }
  },
}
