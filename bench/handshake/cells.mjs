// The cells of the bench: one server program each, stapled or not. Cells that are compared with each other stand
// side by side, so that they are also measured one right after the other.

import path from 'node:path'
import { caddy } from './peers/caddy.mjs'
import { haproxy } from './peers/haproxy.mjs'
import { natsServer } from './peers/nats-server.mjs'
import { nginx } from './peers/nginx.mjs'
import { nodePrograms } from './peers/node.mjs'

/** The programs of others, in the order of the tables. */
export const peers = [nginx, haproxy, caddy, natsServer]

/**
 * List the cells that can be measured here.
 *
 * @param {{ nodes: { name: string, version: string, path: string }[], dist: string, profile?: string }} settings
 * @returns {{ cells: Cell[], missing: string[] }} what is missing is said in the results, never left out in silence
 *
 * @typedef {{ key: string, door: 'attach' | 'terminator', name: string, isStapled: boolean,
 *   program(place: object): object }} Cell
 */
export function listCells({ nodes, dist, profile }) {
  const missing = []
  const cells = []
  const add = (door, name, isStapled, program) => {
    const key = `${door} · ${name} · ${isStapled ? 'stapled' : 'unstapled'}`
    cells.push({ key, door, name, isStapled, program: (place) => program({ ...place, door, isStapled }) })
  }
  const has = { attach: false, terminator: false }

  for (const node of nodes) {
    const programs = nodePrograms(node, { dist, profile })
    has.attach = programs.hasAttach
    has.terminator = programs.hasTerminator
    add('attach', names.listener(node), true, (place) => programs.https('listener', place))
    if (has.attach) add('attach', names.attached(node), true, (place) => programs.https('attached', place))
    add('attach', names.bare(node), false, (place) => programs.https('bare', place))
    if (has.attach) add('attach', names.attached(node), false, (place) => programs.https('attached-never', place))

    add('terminator', names.frontListener(node), true, (place) => programs.front('listener', place))
    if (has.terminator) add('terminator', names.serve(node), true, (place) => programs.serve(place))
    add('terminator', names.front(node), false, (place) => programs.front('bare', place))
    if (has.terminator) add('terminator', names.serve(node), false, (place) => programs.serve(place))
  }
  if (!has.attach) missing.push(`attach: ${path.relative('', dist) || dist} has no serve/attach`)
  if (!has.terminator) missing.push(`terminator: ${path.relative('', dist) || dist} has no serve/terminator`)

  for (const peer of peers) {
    if (peer.version() === undefined) {
      missing.push(`${peer.name} is not installed`)
      continue
    }
    for (const door of ['attach', 'terminator']) {
      for (const isStapled of [true, false]) {
        if (peer.isAble(door, isStapled)) add(door, peer.name, isStapled, peer.program)
      }
    }
  }
  return { cells, missing }
}

/** How the tables call what runs on a Node. */
export const names = {
  bare: (node) => `bare https server, ${node.name}`,
  listener: (node) => `bare https server with a listener that answers ready bytes, ${node.name}`,
  attached: (node) => `Staplewright attach, ${node.name}`,
  front: (node) => `least front, ${node.name}`,
  frontListener: (node) => `least front with a listener that answers ready bytes, ${node.name}`,
  serve: (node) => `staplewright serve, ${node.name}`,
}
