/** Jabber, for clients and between servers. @see RFC 6120 §5.4 */

import { quote } from '../words.ts'
import { type Opening, OpeningError } from './opening.ts'

const serverPort = 5269

export const openXmpp: Opening = async ({ wire, name, port, note }) => {
  const content = port === serverPort ? 'jabber:server' : 'jabber:client'
  wire.write(
    `<?xml version='1.0'?><stream:stream xmlns='${content}' xmlns:stream='http://etherx.jabber.org/streams' ` +
      `to='${escapeAttribute(name)}' version='1.0'>`,
  )
  const features = await wire.readUntil(
    /<\/(?:\w+:)?features\s*>|<(?:\w+:)?features\s*\/>|<\/(?:\w+:)?(?:error|stream)\s*>/,
  )
  note(features.split(/<(?:\w+:)?features/, 1)[0] as string)
  if (!/<(?:\w+:)?starttls\b/.test(features)) {
    const problem = /<(?:\w+:)?error[\s\S]*/.exec(features)?.[0]
    throw new OpeningError(
      problem ? `the server said ${quote(problem)}` : 'the server offers no starttls among its features',
      'starttls among the features',
    )
  }
  wire.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
  const answer = await wire.readUntil(/<[^<>]+>/)
  if (!/<(?:\w+:)?proceed\b/.test(answer)) throw new OpeningError(`the server said ${quote(answer)}`, 'proceed')
  // `<proceed></proceed>` is as good as `<proceed/>`
  if (!answer.endsWith('/>')) await wire.readUntil(/<\/(?:\w+:)?proceed\s*>/)
}

function escapeAttribute(text: string): string {
  return text.replace(/[<>&'"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
