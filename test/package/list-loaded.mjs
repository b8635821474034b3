// Imports a door of the package and prints, as JSON, every file it loaded from node_modules.
import { registerHooks } from 'node:module'

const loaded = new Set()
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    if (resolved.url.includes('/node_modules/')) loaded.add(resolved.url.replace(/.*\/node_modules\//, ''))
    return resolved
  },
})
await import(process.argv[2])
console.log(JSON.stringify([...loaded]))
