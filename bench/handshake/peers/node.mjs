// Node: the servers without Staplewright and the project's own two doors, each under one Node binary.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const servers = path.join(import.meta.dirname, '../servers')

/** The programs of one Node binary, for the doors that the built package in `dist` has. */
export function nodePrograms(node, { dist, profile }) {
  const program = (kind, cell, args) => ({
    command: node.path,
    args: [...profileArguments(profile, `${node.name} ${kind}`), ...args],
    port: cell.port,
  })
  const script = (name, kind, cell, extra) =>
    program(`${name} ${kind}`, cell, [
      path.join(servers, `${name}.mjs`),
      kind,
      `${cell.port}`,
      JSON.stringify({ ...cell.material, ...extra }),
    ])
  return {
    hasAttach: existsSync(path.join(dist, 'index.js')) && existsSync(path.join(dist, 'serve/attach')),
    hasTerminator: existsSync(path.join(dist, 'run/cli/main.js')) && existsSync(path.join(dist, 'serve/terminator')),
    https: (kind, cell) => script('https', kind, cell, { dist }),
    front: (kind, cell) => script('front', kind, cell, { backendPort: cell.backendPort }),
    serve(cell) {
      const { material, directory } = cell
      mkdirSync(directory, { recursive: true })
      const config = path.join(directory, 'staplewright.conf')
      writeFileSync(
        config,
        `listen: "127.0.0.1:${cell.port}"
backend: "tcp://127.0.0.1:${cell.backendPort}"
store_dir: "${directory}"
ocsp: ${cell.isStapled ? '{ mode: always }' : 'false'}
tls { cert_file: "${material.chainFile}", key_file: "${material.keyFile}", ca_file: "${material.caFile}" }
`,
      )
      return program(`serve ${cell.isStapled}`, cell, [path.join(dist, 'run/cli/main.js'), 'serve', '-c', config])
    },
  }
}

function profileArguments(directory, kind) {
  if (directory === undefined) return []
  const name = `${kind.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.cpuprofile`
  return ['--cpu-prof', `--cpu-prof-dir=${path.resolve(directory)}`, `--cpu-prof-name=${name}`]
}
