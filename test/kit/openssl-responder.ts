/** A responder for programs outside this process: HTTP in front of the real `openssl ocsp`, out of an authority's index. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Authority } from './authority.ts'
import { endsWithTest } from './lifetime.ts'

/** Starts one on 127.0.0.1; it ends with the test. Resolves with its URL. */
export async function startOpensslResponder(authority: Authority): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const path = decodeURIComponent((request.url ?? '/').slice(1))
    const question = request.method === 'GET' ? Buffer.from(path, 'base64') : Buffer.concat(chunks)
    response.setHeader('content-type', 'application/ocsp-response')
    response.end(await authority.ocspRespond({ request: new Uint8Array(question) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}
