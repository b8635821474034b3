// What runs on a Node: staplewright serve, and the least front of bench/handshake.

import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const frontScript = path.join(import.meta.dirname, '../../handshake/servers/front.mjs')

/** How many processes staplewright serve is measured with. */
const serveWidths = [1, 2]

/** The fronts of one Node binary; serve is missing when the built package in `dist` has no terminator. */
export function nodeFronts(node, dist) {
  const serve = {
    name: `staplewright serve, ${node.name}`,
    widths: serveWidths,
    isStapled: true,
    // One process does everything; several are led by one that accepts nothing.
    processes: (width) => (width === 1 ? 1 : width + 1),
    program({ width, port, material, directory, backendPort }) {
      const config = path.join(directory, 'staplewright.conf')
      writeFileSync(
        config,
        `listen: "127.0.0.1:${port}"
backend: "tcp://127.0.0.1:${backendPort}"
store_dir: "${directory}"
${width > 1 ? `workers: ${width}` : ''}
ocsp: { mode: always }
tls { cert_file: "${material.chainFile}", key_file: "${material.keyFile}", ca_file: "${material.caFile}" }
`,
      )
      return { command: node.path, args: [path.join(dist, 'run/cli/main.js'), 'serve', '-c', config], port }
    },
  }
  const least = {
    name: `least front, ${node.name}`,
    widths: [1],
    isStapled: false,
    processes: () => 1,
    program({ port, material, backendPort }) {
      const { chainFile, keyFile } = material
      return {
        command: node.path,
        args: [frontScript, 'bare', `${port}`, JSON.stringify({ chainFile, keyFile, backendPort })],
        port,
      }
    },
  }
  return existsSync(path.join(dist, 'serve/terminator')) ? [serve, least] : [least]
}
