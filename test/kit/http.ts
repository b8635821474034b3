/** HTTP spoken by hand, so that tests see what a client sees and may say what no client should. */
import { request } from 'node:http'
import { connect } from 'node:net'

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export interface HttpQuestion {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Where: a port of 127.0.0.1, or the path of a Unix socket. */
export type HttpPlace = number | string

/** Asks once, on a connection of its own. */
export function ask(
  place: HttpPlace,
  path: string,
  { method = 'GET', headers = {} }: HttpQuestion = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const where = typeof place === 'number' ? { host: '127.0.0.1', port: place } : { socketPath: place }
    const asked = request({ ...where, path, method, headers: { connection: 'close', ...headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

/** Writes bytes and reads until the other side ends; resolves with what came. */
export async function speak(place: HttpPlace, text: string): Promise<string> {
  const socket = typeof place === 'number' ? connect(place, '127.0.0.1') : connect(place)
  let heard = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    heard += chunk
  })
  socket.on('error', () => {})
  socket.write(text)
  await new Promise((resolve) => socket.once('close', resolve))
  return heard
}
