// The programs around the fronts: the clients and backend of this bench, and those of bench/handshake.

import path from 'node:path'
import { compile as compileHandshake } from '../handshake/compile.mjs'
import { build } from '../kit/compile.mjs'

const folder = path.join(import.meta.dirname, 'clients')
const libraries = ['-lssl', '-lcrypto', '-lpthread']

/** Build all. @returns paths by name; `handshake` and `oneByte` are the client and backend of bench/handshake */
export async function compile() {
  const { client, backend } = await compileHandshake()
  return {
    handshake: client,
    oneByte: backend,
    backend: await build(folder, 'backend'),
    transfer: await build(folder, 'transfer', libraries),
    hold: await build(folder, 'hold', libraries),
    echo: await build(folder, 'echo', libraries),
    publish: await build(folder, 'publish', libraries),
  }
}
