// The fronts that are measured beside each other, each with one core's worth of processes or threads and with two.

import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort, run, startServer } from '../kit/child.mjs'
import { processTree } from '../kit/cpu.mjs'
import { withOpenFiles } from '../kit/memory.mjs'
import { haproxy } from './peers/haproxy.mjs'
import { nginx } from './peers/nginx.mjs'
import { nodeFronts } from './peers/node.mjs'

const peers = [nginx, haproxy]

/**
 * List the fronts that can be measured here.
 *
 * @returns {{ fronts: Front[], missing: string[], versions: string[] }} what is missing is said in the results
 *
 * @typedef {{ name: string, width: number, isStapled: boolean, label: string,
 *   processes(width: number): number, program(place: object): object }} Front
 */
export function listFronts(nodes, dist) {
  const found = peers.filter((peer) => peer.version() !== undefined)
  const all = [
    ...nodes.flatMap((node) => nodeFronts(node, dist)),
    ...found.map((peer) => ({ ...peer, widths: [1, 2] })),
  ]
  const fronts = all.flatMap((front) =>
    front.widths.map((width) => ({ ...front, width, label: width === 1 ? front.name : `${front.name} × ${width}` })),
  )
  const missing = peers.filter((peer) => !found.includes(peer)).map((peer) => `${peer.name} is not installed`)
  if (!fronts.some((front) => front.name.includes('serve'))) missing.push(`${dist} has no serve/terminator`)
  return { fronts, missing, versions: found.map((peer) => `${peer.name} ${peer.version()}`) }
}

/**
 * Start a front before a backend, and wait until it serves as it should: staplewright fetches its staple first.
 *
 * @param stage programs, material, directory and the most connections of the bench
 * @param {boolean} isOneByte whether the backend is the one of bench/handshake, which speaks first
 */
export async function startFront(front, backendPort, stage, isOneByte = false) {
  const port = await freePort()
  const directory = path.join(stage.directory, `front-${port}`)
  mkdirSync(directory, { recursive: true })
  const { material, connections } = stage
  const place = { width: front.width, port, directory, backendPort, material, connections }
  const server = await startServer(withOpenFiles(front.program(place)))
  const stapling = front.isStapled ? ['--staple', material.stapleFile] : ['--unstapled']
  const target = ['--port', `${port}`, ...stapling]
  const shakeHands = async (...amount) =>
    JSON.parse(await run(stage.programs.handshake, [...target, ...(isOneByte ? ['--backend'] : []), ...amount]))
  try {
    await prove(() => shakeHands('--count', '50'))
    const processes = processTree(server.pid).length
    const wanted = front.processes(front.width)
    if (processes !== wanted) throw new Error(`expected ${wanted} processes, found ${processes}`)
  } catch (error) {
    await server.stop()
    throw new Error(`${front.label}: ${error.message}\n${server.output()}`)
  }
  return { ...front, server, target, shakeHands }
}

async function prove(attempt) {
  for (const deadline = Date.now() + 15_000; ; await delay(200)) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}
